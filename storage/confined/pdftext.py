"""The text of a PDF page: the boxes of its characters, gathered to lines in pixels of the drawn page."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pypdfium2.raw as pdfium

from storage.textlines import TextLine, clean

_CELL_GAP = 2.0  # heights: text further to the right is another cell of a form
_HYPHEN = "\x02"  # how pdfium writes one that it thinks was put in by the line break


@dataclass(slots=True)
class _Run:
    """A line as it grows; boxes in points, upwards."""

    text: list[str] = field(default_factory=list)
    left: float = float("inf")
    bottom: float = float("inf")
    right: float = float("-inf")
    top: float = float("-inf")

    def add(self, char: str, box: tuple[float, float, float, float]) -> None:
        left, bottom, right, top = box
        self.text.append(char)
        self.left, self.bottom = min(self.left, left), min(self.bottom, bottom)
        self.right, self.top = max(self.right, right), max(self.top, top)

    def is_left_behind_by(self, box: tuple[float, float, float, float]) -> bool:
        """Does a character stand so far away that it begins another line?"""
        left, bottom, right, top = box
        height = max(self.top - self.bottom, top - bottom)
        beside = left - self.right > _CELL_GAP * height or self.left - right > _CELL_GAP * height
        return bool(self.text) and (beside or bottom > self.top or top < self.bottom)


def text_lines(page: Any, bitmap: Any) -> list[TextLine]:
    """In the order of the file, which is that of its producer; ``join_lines`` finds the order of reading."""
    place = bitmap.get_posconv(page)
    textpage = page.get_textpage()
    lines = []
    for run in _runs(textpage):
        text = clean("".join(run.text))
        if text:
            (xa, ya), (xb, yb) = place.to_bitmap(run.left, run.top), place.to_bitmap(run.right, run.bottom)
            x0, x1 = max(0, min(xa, xb)), min(bitmap.width, max(xa, xb))
            y0, y1 = max(0, min(ya, yb)), min(bitmap.height, max(ya, yb))
            if x0 < x1 and y0 < y1:  # what lies beside the page cannot be seen, and shall not be found
                lines.append(TextLine(x0, y0, x1, y1, text))
    textpage.close()
    return lines


def _runs(textpage: Any) -> Iterator[_Run]:
    run = _Run()
    for index in range(textpage.count_chars()):
        char = chr(pdfium.FPDFText_GetUnicode(textpage, index))
        if char in "\r\n":
            yield run
            run = _Run()
        elif char.isspace():
            run.text.append(" ")  # one that pdfium adds has no box
        else:
            box = _box(textpage, index)
            if run.is_left_behind_by(box):
                yield run
                run = _Run()
            run.add("-" if char == _HYPHEN else char, box)
    yield run


def _box(textpage: Any, index: int) -> tuple[float, float, float, float]:
    """That of the font rather than of the ink: an 一 is as high as its neighbours."""
    box = pdfium.FS_RECTF()
    pdfium.FPDFText_GetLooseCharBox(textpage, index, box)
    return box.left, box.bottom, box.right, box.top
