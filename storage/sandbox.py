"""Foreign files are read by a child process that has little memory, little time, and nothing that it could harm.

The parent never looks into a foreign file: it starts the child, reads its reports, one JSON line each, and ends it.
Needs Linux.

- Always: limits on address space, on the processor time of a step and on the size of one file (by the kernel); on wall
  time, on all files together, weighed once a second, and on the length of a report (by the parent). No open files, no
  environment, no core dump, low priority.
- Where seccomp works, which is nearly everywhere: no network, no local sockets, no other program or process.
- Where Landlock works (Linux 5.13, unless switched off): no files but the libraries, the input and the output folder.

``walls()`` tells which of the last two stand. Not promised: that a decoder has no fault. One that is taken over can
still write wrong pages of the file that it was given, and of no other.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from .limits import Limits, Reason, Refused

OnProgress = Callable[[dict[str, Any]], None]

_ROOT = Path(__file__).resolve().parents[1]
# -I keeps the environment and the working folder out of sys.path; a checkout needs its root there.
_START = (
    "import sys; root = sys.argv[1]; root in sys.path or sys.path.insert(0, root); "
    "from storage.confined.child import main; main()"
)
# glibc reserves 64 MB of address space for each arena, BLAS for each thread: both would eat the limit unused.
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "2",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
_KEPT = ("LD_LIBRARY_PATH", "TZ")
_TICK = 0.05  # seconds between two looks at the child's memory
_CHUNK = 1 << 18
_CLOSE_TO_LIMIT = 0.5  # of the memory that it may take beyond its libraries


@dataclass(frozen=True, slots=True)
class Walls:
    """隔离: what this machine takes from a child beyond the limits, for the page that tells how safe a system is."""

    files: bool  # it sees no file but its own
    calls: bool  # it reaches no network, program or process


class SandboxFailed(Exception):
    """The child failed by our fault (a bug, a library that is missing, a full disk), not by the file's."""


def run(
    task: str,
    request: dict[str, Any],
    *,
    limits: Limits | None = None,
    reads: Sequence[Path] = (),
    output: Path | None = None,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Answer one request in a process of its own; ``task`` is "module:function".

    Raises Refused, SandboxFailed, and what ``on_progress`` raises: that ends the child, and so a job is cancelled.
    """
    with Child(task, limits=limits, reads=reads, output=output) as child:
        return child.ask(request, on_progress)


def written(file: Path) -> Path:
    """The file, which a child should have written: a link to another one is none. Raises SandboxFailed."""
    if file.is_symlink() or not file.is_file():
        raise SandboxFailed(f"{file.name} was not written")
    return file


def walls() -> Walls:
    """Start a child to see which walls stand here."""
    with Child("storage.confined.child:nothing") as child:
        child.ask({})
        return child.walls


class Child:
    """A confined process that answers requests one after another. Not for use by several threads at once."""

    def __init__(
        self,
        task: str,
        *,
        limits: Limits | None = None,
        reads: Sequence[Path] = (),
        output: Path | None = None,
    ) -> None:
        """Start it. It may read ``reads`` and its libraries, and write into the folder ``output``."""
        self._limits = limits or Limits()
        self._output = output
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = _started(self._errors)
        self._stdin, self._stdout = (
            pipe.fileno() for pipe in (self._process.stdin, self._process.stdout) if pipe is not None
        )
        os.set_blocking(self._stdin, False)
        os.set_blocking(self._stdout, False)
        self._inbox, self._outbox = bytearray(), bytearray()
        self._peak = 0  # address space, bytes
        self._next_weighing = 0.0
        self._space = 0  # the address space that it is allowed, bytes
        self.walls = Walls(files=False, calls=False)
        self._post(
            task=task,
            limits=asdict(self._limits),
            reads=[str(path.resolve()) for path in reads],
            output=str(output.resolve()) if output else None,
        )

    def ask(self, request: dict[str, Any], on_progress: OnProgress | None = None) -> dict[str, Any]:
        """Send a request and wait for its answer.

        The child lives on after an answer, and after a refusal that it told itself; see ``is_alive``.
        """
        self._post(**request)
        end = time.monotonic() + self._limits.total_seconds
        try:
            while True:
                message = self._message(end)
                if "ready" in message:
                    self._note(**message["ready"])
                elif "progress" not in message:
                    return _outcome(message)
                elif on_progress:
                    on_progress(message["progress"])
        except Refused:
            raise
        except BaseException:
            self.close()
            raise

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """End the child at once, whatever it is doing."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    def _note(self, *, files: bool, calls: bool, address_space: int) -> None:
        self.walls = Walls(files=files, calls=calls)
        self._space = address_space

    def _post(self, **message: Any) -> None:
        self._outbox += json.dumps(message).encode() + b"\n"

    def _message(self, end: float) -> dict[str, Any]:
        line = self._line(min(end, time.monotonic() + self._limits.wall_seconds))
        try:
            return dict(json.loads(line))
        except (ValueError, TypeError) as error:
            raise SandboxFailed(f"not a message: {line[:200]!r}") from error

    def _line(self, deadline: float) -> bytes:
        searched = 0
        while (end := self._inbox.find(b"\n", searched)) < 0:
            searched = len(self._inbox)
            if searched > self._limits.message_bytes:
                self._give_up(Reason.TOO_MUCH_OUTPUT)
            if time.monotonic() > deadline:
                self._give_up(Reason.TOO_LONG)
            self._watch()
            self._exchange()
        line = bytes(self._inbox[:end])
        del self._inbox[: end + 1]
        return line

    def _exchange(self) -> None:
        """Move bytes both ways: a child that does not read must not block us, nor one that does not write."""
        poll = select.poll()
        poll.register(self._stdout, select.POLLIN)
        if self._outbox:
            poll.register(self._stdin, select.POLLOUT)
        for descriptor, _ in poll.poll(_TICK * 1000):
            if descriptor == self._stdin:
                try:
                    del self._outbox[: os.write(self._stdin, self._outbox[:_CHUNK])]
                except BrokenPipeError:  # it is dead or dying; the end of its stdout tells how
                    self._outbox.clear()
            elif chunk := os.read(self._stdout, _CHUNK):
                self._inbox += chunk
            else:
                raise self._death()

    def _watch(self) -> None:
        """Sample memory, for the reason of a later death, and weigh the output folder, which no kernel limit bounds."""
        with suppress(OSError, IndexError, ValueError):
            pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[0]
            self._peak = max(self._peak, int(pages) * os.sysconf("SC_PAGE_SIZE"))
        now = time.monotonic()
        if self._output is not None and now >= self._next_weighing:
            self._next_weighing = now + 1
            if _weight(self._output) > self._limits.output_bytes:
                self._give_up(Reason.TOO_MUCH_OUTPUT)

    def _give_up(self, reason: Reason) -> None:
        self.close()
        raise Refused(reason)

    def _death(self) -> Exception:
        """Why it died. A decoder that runs out of memory mostly aborts and leaves no word."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        code, detail = self._process.poll(), self._last_words()
        self.close()
        if code is None:
            return SandboxFailed("the child closed its end and stayed")
        if code == -signal.SIGXCPU:
            return Refused(Reason.TOO_LONG, detail=detail)
        if code == -signal.SIGKILL or (code < 0 and self._was_close_to_limit()):
            return Refused(Reason.TOO_MUCH_MEMORY, detail=detail)
        if code < 0:
            return Refused(Reason.BROKEN, detail=f"{signal.Signals(-code).name} {detail}")
        return SandboxFailed(detail or f"the child ended with {code}")

    def _was_close_to_limit(self) -> bool:
        spare = self._limits.memory_bytes * (1 - _CLOSE_TO_LIMIT)
        return self._space > 0 and self._peak > self._space - spare

    def _last_words(self) -> str:
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 2000))
        return self._errors.read().decode(errors="replace")


def _started(errors: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and our own code
        [sys.executable, "-I", "-c", _START, str(_ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=_ENVIRONMENT | {name: os.environ[name] for name in _KEPT if name in os.environ},
        cwd="/",
        start_new_session=True,
    )


def _weight(folder: Path) -> int:
    weight = 0
    with os.scandir(folder) as files:
        for file in files:
            with suppress(FileNotFoundError):  # the child may remove what it made
                weight += file.stat(follow_symlinks=False).st_size
    return weight


def _outcome(message: dict[str, Any]) -> dict[str, Any]:
    reason, page = message.get("refused"), message.get("page")
    if reason in list(Reason):
        detail = str(message.get("detail", ""))
        raise Refused(Reason(reason), page=page if isinstance(page, int) else None, detail=detail)
    if isinstance(message.get("result"), dict):
        return dict(message["result"])
    raise SandboxFailed(str(message.get("failed", message))[-4000:])
