"""Figures of every bench: how much it takes, percentiles, memory, and the table in which they are printed.

Imports nothing of the archive, which would take more memory than an index that is open.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from statistics import median

WIDTH = 52
"""Characters of the first column of a table."""


def size(name: str, usual: int) -> int:
    """How much of something a bench takes: JUANZONG_BENCH_<name>, or what is usual."""
    return int(os.environ.get(f"JUANZONG_BENCH_{name}", usual))


def percentiles(times: Iterable[float], late: int = 95) -> tuple[float, float]:
    """The median, and what `late` of a hundred stay within: of 40 the second slowest, of 20 the slowest."""
    ascending = sorted(times)
    return median(ascending), ascending[len(ascending) * late // 100]


def most_held(process: int | str = "self") -> float:
    """Megabytes that a process has held at most. (What getrusage tells begins with those of its parent.)"""
    return _told(process, "VmHWM")


def own(process: int | str = "self") -> float:
    """Megabytes that a process holds now and shares with nobody: without the files that are mapped into it."""
    return _told(process, "RssAnon")


def _told(process: int | str, name: str) -> float:
    lines = Path(f"/proc/{process}/status").read_text("ascii", "replace").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


class Table:
    """A table printed line by line, with a head: words to the left in the first columns, numbers to the right."""

    def __init__(self, *headings: str, words: int = 1, width: int = 9) -> None:
        self._widths = [max(len(one), width if place else WIDTH) for place, one in enumerate(headings)]
        self._words = words
        print()
        self.row(*headings)
        ends = [1 if place < words else 0 for place in range(len(headings))]
        rules = (
            "-" * (width + 1 + end) + ":" * (1 - end) for width, end in zip(self._widths, ends, strict=True)
        )
        print(f"|{'|'.join(rules)}|", flush=True)

    def row(self, *cells: str | float) -> None:
        """One line: words as they are, whole numbers whole, others with one decimal."""
        said = [
            cell.ljust(width) if place < self._words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(map(_said, cells), self._widths, strict=True))
        ]
        print(f"| {' | '.join(said)} |", flush=True)


def _said(cell: str | float) -> str:
    if isinstance(cell, str):
        return cell
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.1f}"
