"""Lines of text with their boxes on a page, and how they become text that can be read and searched."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple, Self

# Chinese characters, their punctuation, and full-width forms: among these a line break means nothing.
_CHINESE = "\u2e80-\u303f\u31c0-\u31ef\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_SPACE_AMONG_CHINESE = re.compile(rf"(?<=[{_CHINESE}])\s+(?=[{_CHINESE}])")
_ENDS_CHINESE, _BEGINS_CHINESE = re.compile(rf"[{_CHINESE}]$"), re.compile(rf"^[{_CHINESE}]")
_BROKEN_WORD = re.compile(r"[^\W\d_]-$")
# Some producers write 文 as the radical ⽂, which looks the same and is never found.
_RADICALS = re.compile("[\u2e80-\u2fdf\uf900-\ufaff]+")

_SAME_ROW = 0.5  # of the height of a line: how far two middles may be apart
_CELL_GAP = 0.7  # heights: what lies further apart is another cell; found boxes are wider than their words
_LINE_GAP = 1.2
_INDENT = 1.2
_RAGGED = {True: 2.0, False: 7.0}  # heights that a full line may fall short: a Chinese one, one of words
_LARGER = 1.4
_COLUMN_DEPTH = 3
_FULL_COLUMN = 8  # lines; beside so many, fewer than three are a column too


class TextLine(NamedTuple):
    """文本行: in pixels of the page image, from its upper left corner; confidence is 0 to 1, 1 for text of a PDF."""

    x0: int
    y0: int
    x1: int
    y1: int
    text: str
    confidence: float = 1.0

    @classmethod
    def of(cls, values: Sequence[Any]) -> Self:
        """From what a child said; raises ValueError or TypeError if that is no line."""
        *box, text, confidence = values
        x0, y0, x1, y1 = (int(value) for value in box)
        return cls(x0, y0, x1, y1, str(text), float(confidence))

    @property
    def height(self) -> int:
        return max(1, self.y1 - self.y0)

    @property
    def middle(self) -> float:
        return (self.y0 + self.y1) / 2

    def covers(self, other: "TextLine") -> bool:
        """Does the middle of `other` lie in this line, or of this line in it?"""
        return any(
            a.x0 <= (b.x0 + b.x1) / 2 <= a.x1 and a.y0 <= b.middle <= a.y1
            for a, b in ((self, other), (other, self))
        )


class _Row(NamedTuple):
    """Lines that stand side by side: one, or the cells of a form."""

    lines: list[TextLine]

    @property
    def text(self) -> str:
        text = self.lines[0].text
        for left, right in pairwise(self.lines):
            apart = right.x0 - left.x1 > _CELL_GAP * max(left.height, right.height)
            text += (" " if apart else _glue(text, right.text)) + right.text
        return text

    @property
    def is_form(self) -> bool:
        return any(b.x0 - a.x1 > _CELL_GAP * max(a.height, b.height) for a, b in pairwise(self.lines))

    @property
    def box(self) -> TextLine:
        return TextLine(
            min(line.x0 for line in self.lines),
            min(line.y0 for line in self.lines),
            max(line.x1 for line in self.lines),
            max(line.y1 for line in self.lines),
            "",
        )


def clean(text: str) -> str:
    """One line as people would type it: no control characters, no spaces between Chinese characters, no radicals."""
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    text = "".join(" " if char.isspace() else char for char in text if char.isspace() or _is_text(char))
    text = _RADICALS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return " ".join(_SPACE_AMONG_CHINESE.sub("", text).split())


def join_lines(lines: Sequence[TextLine]) -> str:
    """The text of a page in reading order, one paragraph a line: a word that a line break cut is whole again."""
    blocks, along = _laid_out(lines)
    paragraphs = [text for block in blocks for text in _paragraphs(block)]
    return "\n".join([*paragraphs, *(line.text for line in along)])


def in_reading_order(lines: Sequence[TextLine]) -> list[TextLine]:
    """The lines in the order in which ``join_lines`` reads them, so that the same word is found in both as often."""
    blocks, along = _laid_out(lines)
    return [*(line for block in blocks for row in _rows(block) for line in row.lines), *along]


def _laid_out(lines: Sequence[TextLine]) -> tuple[list[list[TextLine]], list[TextLine]]:
    """Blocks of lines in reading order, and apart what stands upright along the margin."""
    kept = [line._replace(text=text) for line in lines if (text := clean(line.text))]
    usual = median(line.height for line in kept) if kept else 0
    across: list[TextLine] = []
    along: list[TextLine] = []  # a stamp along the margin lies beside many rows and belongs to none
    for line in kept:
        (along if line.height > max(4 * usual, line.x1 - line.x0) else across).append(line)
    return _blocks(across, _COLUMN_DEPTH), along


def turned(line: TextLine, degrees: int, width: int, height: int) -> TextLine:
    """The line after its page of ``width`` by ``height`` was turned clockwise by 0, 90, 180 or 270 degrees."""
    x0, y0, x1, y1, text, confidence = line
    if degrees == 90:
        return TextLine(height - y1, x0, height - y0, x1, text, confidence)
    if degrees == 180:
        return TextLine(width - x1, height - y1, width - x0, height - y0, text, confidence)
    if degrees == 270:
        return TextLine(y0, width - x1, y1, width - x0, text, confidence)
    return line


def _is_text(char: str) -> bool:
    return unicodedata.category(char) not in {"Cc", "Cs", "Cn"} and char not in "\ufffe\uffff\ufeff"


def _glue(before: str, after: str) -> str:
    return "" if _ENDS_CHINESE.search(before) or _BEGINS_CHINESE.search(after) else " "


def _joined(before: str, after: str) -> str:
    if before.endswith("-") and after[:1].isalnum():
        return (before[:-1] if _BROKEN_WORD.search(before) and after[0].islower() else before) + after
    return before + _glue(before, after) + after


def _paragraphs(block: list[TextLine]) -> list[str]:
    rows = _rows(block)
    boxes = [row.box for row in rows]
    left, right = min(box.x0 for box in boxes), max(box.x1 for box in boxes)
    gaps = [max(0, b.y0 - a.y1) / min(a.height, b.height) for a, b in pairwise(boxes)]
    usual_gap = max(_LINE_GAP, 1.5 * median(gaps)) if gaps else _LINE_GAP
    texts: list[str] = []
    for place, row in enumerate(rows):
        if place and gaps[place - 1] <= usual_gap and _goes_on(rows[place - 1], row, left, right):
            texts[-1] = _joined(texts[-1], row.text)
        else:
            texts.append(row.text)
    return texts


def _goes_on(row: _Row, following: _Row, left: int, right: int) -> bool:
    """Is ``following`` the same paragraph: was ``row`` full, and does ``following`` begin at the margin?"""
    if row.is_form or following.is_form:
        return False
    a, b = row.box, following.box
    if max(a.height, b.height) > _LARGER * min(a.height, b.height):
        return False
    if b.x0 - left > _INDENT * b.height:
        return False
    if row.text.endswith("-"):
        return True
    return right - a.x1 <= _RAGGED[bool(_ENDS_CHINESE.search(row.text))] * a.height


def _rows(lines: list[TextLine]) -> list[_Row]:
    rows: list[_Row] = []
    for line in sorted(lines, key=lambda line: line.middle):
        first = rows[-1].lines[0] if rows else None
        if first and line.middle - first.middle <= _SAME_ROW * min(line.height, first.height):
            rows[-1].lines.append(line)
        else:
            rows.append(_Row([line]))
    for row in rows:
        row.lines.sort()
    return rows


def _blocks(lines: list[TextLine], depth: int) -> list[list[TextLine]]:
    """Columns in reading order; a line that crosses all of them, such as a title, stands between."""
    gutter = _gutter(lines) if depth and lines else None
    if gutter is None:
        return [lines] if lines else []
    crossing = sorted((line for line in lines if line.x0 < gutter < line.x1), key=lambda line: line.middle)
    beside = sorted((line for line in lines if not line.x0 < gutter < line.x1), key=lambda line: line.middle)
    blocks: list[list[TextLine]] = []
    start = 0
    for across in [*crossing, None]:
        end = next(
            (i for i in range(start, len(beside)) if across and beside[i].middle > across.middle), len(beside)
        )
        band, start = beside[start:end], end
        blocks += _blocks([line for line in band if line.x1 <= gutter], depth - 1)
        blocks += _blocks([line for line in band if line.x0 >= gutter], depth - 1)
        if across and blocks and not band and blocks[-1][-1] in crossing:
            blocks[-1].append(across)
        elif across:
            blocks.append([across])
    return blocks


def _gutter(lines: list[TextLine]) -> float | None:
    """Where a column ends, if both sides are running text. The labels and values of a form are no columns."""
    changes = sorted([(line.x0, 1) for line in lines] + [(line.x1, -1) for line in lines])
    left, right = changes[0][0], changes[-1][0]
    crossed, best = 0, (0.2 * len(lines), 0.0)
    place = None
    for (x, change), (following, _) in pairwise(changes):
        crossed += change
        if left + 0.15 * (right - left) < x and following < right - 0.15 * (right - left):
            worth = (crossed, x - following)
            if following > x and worth < best:
                best, place = worth, (x + following) / 2
    if place is None:
        return None
    sides = [line for line in lines if line.x1 <= place], [line for line in lines if line.x0 >= place]
    # The last page of a text may have a line or two in its second column.
    full = max(map(len, sides)) >= _FULL_COLUMN
    return place if all(_is_running_text(side, least=1 if full else 3) for side in sides) else None


def _is_running_text(lines: list[TextLine], *, least: int) -> bool:
    if len(lines) < least:
        return False
    width = max(line.x1 for line in lines) - min(line.x0 for line in lines)
    usual = median(line.x1 - line.x0 for line in lines)
    return usual >= 0.6 * width and usual >= 7 * median(line.height for line in lines)
