"""Words that a person has corrected, laid over the lines that a machine saw: the boxes stay, their words become the person's."""

from bisect import bisect_left
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from .textlines import clean

Line = Sequence[Any]
"""A box with its words: [x0, y0, x1, y1, text]."""


def aligned(lines: Sequence[Line], text: str) -> list[list[Any]]:
    """The same boxes, each with the part of `text` that stands in it, as far as the two texts can be matched.

    Spaces and line ends count for nothing. A box of which nothing is left keeps an empty text.
    """
    seen = ["".join(str(line[4]).split()) for line in lines]
    places = [place for place, char in enumerate(text) if not char.isspace()]
    written = "".join(text[place] for place in places)
    ways = _Ways("".join(seen), written)
    found, at = [], 0
    for line, said in zip(lines, seen, strict=True):
        first, last = ways.onto(at), ways.onto(at := at + len(said))
        piece = text[places[first] : places[last - 1] + 1] if first < last else ""
        found.append([*line[:4], clean(piece)])
    return found


class _Ways:
    """From places of one text to places of another."""

    def __init__(self, before: str, after: str) -> None:
        blocks = SequenceMatcher(None, before, after).get_opcodes()
        self._starts = [block[1] for block in blocks]
        self._blocks = blocks
        self._end = len(after)

    def onto(self, place: int) -> int:
        """Where a boundary between two characters lies; within a part that was rewritten, at its share of it."""
        nth = bisect_left(self._starts, place + 1) - 1
        if nth < 0:
            return 0
        _kind, i1, i2, j1, j2 = self._blocks[nth]
        if place >= i2:
            return self._end if nth == len(self._blocks) - 1 else j2
        if i2 - i1 == j2 - j1:
            return j1 + place - i1
        return j1 + round((place - i1) * (j2 - j1) / (i2 - i1))
