"""The printed text of page images. Runs in a confined child that stays, because loading the models takes a second."""

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from .limits import MIB, Limits
from .sandbox import Child
from .textlines import TextLine

# A dense page takes 6 seconds; the models and the page together 650 MB of address space beyond the libraries.
LIMITS = Limits(memory_bytes=1536 * MIB, cpu_seconds=120, wall_seconds=480, total_seconds=480)


@dataclass(frozen=True, slots=True)
class Recognised:
    """识别结果: the text of one page image."""

    text: str  # in reading order, one paragraph a line
    lines: tuple[TextLine, ...]  # in the same order, in pixels of the image as it was given
    rotation: int  # clockwise degrees by which the image should be turned to be read
    confidence: float  # 0 to 1, mean of all characters; 0 if there are none


class Recogniser:
    """文字识别: a context manager around one child, which is started on first use and again after it has died."""

    def __init__(self, *, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._child: Child | None = None
        self._lock = Lock()

    def recognise(self, jpeg: Path) -> Recognised:
        """Read one of our own page images. Raises Refused; the next page is then read by a new child if need be."""
        request = {"jpeg": b64encode(jpeg.read_bytes()).decode()}
        with self._lock:
            answer = self._living_child().ask(request)
        return Recognised(
            text=str(answer["text"]),
            lines=tuple(TextLine.of(line) for line in answer["lines"]),
            rotation=int(answer["rotation"]),
            confidence=float(answer["confidence"]),
        )

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.close()
            self._child = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    def _living_child(self) -> Child:
        if self._child is None or not self._child.is_alive:
            self.close()
            self._child = Child("storage.confined.reading:read", limits=self._limits)
        return self._child
