"""A real server over a planted archive: `juanzong serve` with its worker, told of this archive and of no other."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

from archive.settings import PREFIX
from bench.figures import most_held, own, size

ROOT = Path(__file__).parents[1]
PORT = size("PORT", 8317)
"""Another than that of `make run`, which may be running meanwhile; nobody answers for what else uses this one."""
URL = f"http://127.0.0.1:{PORT}"


@contextmanager
def serving(var: Path) -> Iterator[int]:
    """Serves the archive in this folder while the block lasts, as the process whose number it gives.

    It works in that folder, where no juanzong.toml names another database.
    """
    with subprocess.Popen([sys.executable, "-m", "archive.cli", "serve"], cwd=var, env=environment(var, os.environ),
                          start_new_session=True, stdout=subprocess.DEVNULL) as server:  # fmt: skip
        try:
            _wait()
            yield server.pid
        finally:
            server.terminate()


def environment(var: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """What the server is told: the path and locale of this process, and none of the settings that somebody works with."""
    ours = {"JUANZONG_VAR": str(var.resolve()), "JUANZONG_PORT": str(PORT), "PYTHONPATH": str(ROOT)}
    return {name: value for name, value in inherited.items() if not name.startswith(PREFIX)} | ours


def most_held_by(server: int, *, worker: bool = False) -> float:
    """Megabytes that the process which answers, or the worker, has held at most, with the files that are mapped into it."""
    return max(map(most_held, _processes(server, worker=worker)), default=0.0)


def own_of(server: int) -> float:
    """Megabytes of its own that the process which answers holds now: what no other process could share with it."""
    return max(map(own, _processes(server, worker=False)), default=0.0)


def worker_of(server: int) -> int:
    """The process that does the jobs."""
    return _processes(server, worker=True)[0]


def tree(process: int) -> list[int]:
    """A process and all that it and its children have started, the eldest first; what has ended meanwhile has none."""
    found = [process]
    for one in found:
        with suppress(OSError):
            for thread in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (thread / "children").read_text().split())
    return found


def _processes(server: int, *, worker: bool) -> list[int]:
    return [
        one for one in tree(server) if Path(f"/proc/{one}/cmdline").read_bytes().endswith(b"work\0") is worker
    ]


def _wait() -> None:
    for _turn in range(600):
        try:
            if requests.get(f"{URL}/healthz", timeout=2).status_code in {200, 503}:
                return
        except requests.RequestException:
            time.sleep(0.2)
    raise LookupError("the server never answered")
