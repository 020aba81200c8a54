"""细部: one page as finely as its master holds it, cut into squares, where the access copy holds less. All in one file.

The file is a line of JSON, then the squares as JPEG, row by row: it is there as a whole or not at all, and goes as one.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from os import SEEK_CUR, SEEK_END
from pathlib import Path
from typing import Any, BinaryIO

from .limits import Limits
from .pages import Rendition
from .processing import Step
from .sandbox import SandboxFailed, run, written

SIDE = 512
"""Pixels of a square; those at the right and at the bottom are smaller."""
MOST = 72_000_000
"""Pixels of a page: A3 at 600 dpi has 70 million. In colour that is 288 MB, and while a page is straightened three times that: a
child has 1 GB."""
FINEST = Rendition(scan_dpi=1_000_000, long_edge=1_000_000, pixels=MOST)
_HEADER = 1 << 16
_FILE = "squares"


@dataclass(frozen=True, slots=True)
class Detail:
    """细部清单: how large the whole is, in pixels; all 0 where the access copy holds what the master does."""

    width: int
    height: int
    limited: bool
    """The master holds more still, but that is too much to be drawn."""
    lengths: tuple[int, ...]
    """Bytes of each square."""

    @property
    def columns(self) -> int:
        return ceil(self.width / SIDE)

    @classmethod
    def of(cls, said: dict[str, Any]) -> "Detail":
        """Takes nothing on trust. Raises KeyError, TypeError, ValueError."""
        lengths = tuple(map(int, said["lengths"]))
        made = cls(int(said["width"]), int(said["height"]), bool(said["limited"]), lengths)
        if len(lengths) != made.columns * ceil(made.height / SIDE) or min((made.width, *lengths)) < 0:
            raise ValueError("no squares")
        return made


NOTHING = Detail(0, 0, limited=True, lengths=())
"""Of a page whose master cannot be drawn any finer here."""


def cut(
    path: Path, number: int, output: Path, *,
    steps: Sequence[Step] = (), rotation: int = 0, fonts: Path | None = None, limits: Limits | None = None,
) -> bytes:  # fmt: skip
    """The file of a page of a master, with the steps that its access copy was made by, turned as it is shown.

    `output` is an empty folder for the child process. Raises Refused.
    """
    request = {
        "path": str(path.resolve()), "output": str((output / _FILE).resolve()), "number": number, "side": SIDE,
        "fonts": str(fonts.resolve()) if fonts else None, "finest": asdict(FINEST), "coarse": asdict(Rendition()),
        "steps": [step.told() for step in steps], "rotation": rotation,
    }  # fmt: skip
    reads = [path, fonts] if fonts else [path]
    said = run("storage.confined.detail:cut", request, limits=limits, reads=reads, output=output)
    try:
        detail = Detail.of(said)
    except (KeyError, TypeError, ValueError) as error:
        raise SandboxFailed(f"no squares: {error}") from error
    squares = written(output / _FILE).read_bytes() if detail.width else b""
    if len(squares) != sum(detail.lengths):
        raise SandboxFailed("other squares than were told")
    return packed(detail, squares)


def packed(detail: Detail, squares: bytes = b"") -> bytes:
    """The file."""
    return json.dumps(asdict(detail)).encode() + b"\n" + squares


def told(file: BinaryIO) -> Detail:
    """What the file holds; leaves it open before the first square. Raises ValueError for one that is cut off."""
    try:
        detail = Detail.of(json.loads(file.readline(_HEADER)))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("no header") from error
    first = file.tell()
    if file.seek(0, SEEK_END) != first + sum(detail.lengths):  # a power cut may leave a part of it
        raise ValueError("cut off")
    file.seek(first)
    return detail


def square(file: BinaryIO, column: int, row: int) -> bytes | None:
    """One square as JPEG, if there is one. Raises ValueError for a file that is cut off."""
    detail = told(file)
    place = row * detail.columns + column
    if not (0 <= column < detail.columns and 0 <= place < len(detail.lengths)):
        return None
    file.seek(sum(detail.lengths[:place]), SEEK_CUR)
    return file.read(detail.lengths[place])
