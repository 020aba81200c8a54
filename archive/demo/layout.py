"""From lines of text to printed pages: paragraphs, sections, ruled tables, signatures (the format is `wording`'s)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from archive.demo.paper import Box, Page

Table = list[list[str]]
Drawing = Callable[[Page, Box, Table], int]
"""Draws at the top left of a box, as wide as it, from the rows of a table, which may be empty; returns its height."""

_SIGNED = re.compile(r"^(.{2,12}签名)：([^　]*)(?:　(.*))?$")
_SECTION = re.compile(r"^【([^】]+)】(.*)$", re.DOTALL)
_BODY, _CELL = 10.5, 9.0
_SHORT = 6
CLOSING = "　　　　"
"""Begins a line that is set at the right: who issued a document, and when."""


@dataclass(frozen=True, slots=True)
class Column:
    """The part of a page that text flows through, in pixels."""

    left: int
    top: int
    width: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Illustration:
    """A drawing that comes before the line that starts so; with `instead` the table whose head it is gives way."""

    before: str
    draw: Drawing
    instead: bool = False


class Overflow(ValueError):
    """A single row or drawing is taller than a page."""


def blocks(text: str) -> Iterator[str | Table]:
    """Lines as they are, but rows of equally many cells together as one table; an empty line ends a table."""
    table: Table = []
    for line in text.splitlines():
        cells = line.split("\t")
        if table and (len(cells) == 1 or len(cells) != len(table[0])):
            yield table
            table = []
        if len(cells) > 1:
            table.append(cells)
        elif line.strip():
            yield line
    if table:
        yield table


class Flow:
    """Prints blocks one below the other, asking for a new page when one is full."""

    def __init__(
        self, new_page: Callable[[], tuple[Page, Column]], illustrations: tuple[Illustration, ...]
    ) -> None:
        self._new_page, self._illustrations = new_page, illustrations
        self.page, self.column = new_page()
        self.y = self.column.top
        self._below_rule = False

    def run(self, text: str) -> None:
        for block in blocks(text):
            head = block if isinstance(block, str) else "\t".join(block[0])
            drawing = next((one for one in self._illustrations if head.startswith(one.before)), None)
            if drawing:
                self._illustrate(drawing, block if isinstance(block, list) else [])
                if drawing.instead:
                    continue
            if isinstance(block, list):
                self._table(block)
            else:
                self.y += self.page.px(1.4) if self._below_rule else 0
                self._line(block)
            self._below_rule = isinstance(block, list)

    @property
    def _here(self) -> Box:
        return Box(self.column.left, self.y, self.column.width)

    def _room(self, height: int) -> None:
        if self.y + height <= self.column.bottom:
            return
        if height > self.column.bottom - self.column.top:
            raise Overflow(f"{height} px do not fit a page")
        self.page, self.column = self._new_page()
        self.y = self.column.top

    def _illustrate(self, what: Illustration, table: Table) -> None:
        before = self.page.image.copy()
        height = what.draw(self.page, self._here, table)
        if self.y + height > self.column.bottom:
            self.page.image.paste(before)
            self._room(height)
            height = what.draw(self.page, self._here, table)
        self.y += height

    def _line(self, line: str) -> None:
        signed = _SIGNED.match(line)
        if signed:
            self._signature(*signed.groups(default=""))
            return
        if line.startswith(CLOSING):
            self._closing(line.removeprefix(CLOSING))
            return
        section = _SECTION.match(line)
        label = f"{section[1]}：" if section else ""
        indent = "" if section or line.endswith("：") else "　　"
        self._paragraph(label, indent + (section[2] if section else line))

    def _paragraph(self, label: str, text: str) -> None:
        page, step = self.page, self.page.leading(_BODY)
        lines = page.wrap(label + text, _BODY, self.column.width)
        indents = [page.width(label, _BODY)] + [0.0] * (len(lines) - 1)
        for n, (line, indent) in enumerate(zip(lines, indents, strict=True)):
            self._room(step)
            if n == 0:
                self.page.bold((self.column.left, self.y), label, _BODY)
            shown = line.removeprefix(label) if n == 0 else line
            self.page.text((self.column.left + indent, self.y), shown, _BODY)
            self.y += step
        self.y += page.px(0.8)

    def _closing(self, line: str) -> None:
        page = self.page
        self._room(page.leading(_BODY))
        right = self.column.left + self.column.width - page.px(12)
        self.page.text((right - page.width(line, _BODY), self.y), line, _BODY)
        self.y += page.leading(_BODY)

    def _signature(self, label: str, name: str, date: str) -> None:
        page = self.page
        self._room(page.leading(_BODY) * 3 // 2)
        x = self.column.left + self.column.width * 0.46
        self.page.text((x, self.y), f"{label}：", _BODY)
        end = self.page.written((x + page.width(f"{label}：", _BODY) + page.px(1), self.y), name)
        if date:
            at = max(end + page.px(3), self.column.left + self.column.width - page.width(date, _BODY))
            self.page.text((at, self.y), date, _BODY)
        self.y += page.leading(_BODY) * 5 // 4

    def _table(self, table: Table) -> None:
        page, pad = self.page, self.page.px(1.1)
        widths = _columns(page, table, self.column.width, pad)
        step = page.leading(_CELL)
        short = [all(len(row[n]) <= _SHORT for row in table) for n in range(len(table[0]))]
        for row in table:
            cells = [page.wrap(cell, _CELL, wide - 2 * pad) for cell, wide in zip(row, widths, strict=True)]
            height = max(map(len, cells)) * step + pad
            self._room(height)
            self._row(cells, widths, height, short)
            self.y += height
        bottom = self.y
        self.page.line((self.column.left, bottom, self.column.left + sum(widths), bottom))
        self.y += page.hairline

    def _row(self, cells: list[list[str]], widths: list[int], height: int, short: list[bool]) -> None:
        page, x, step, pad = self.page, self.column.left, self.page.leading(_CELL), self.page.px(1.1)
        page.line((x, self.y, x + sum(widths), self.y))
        for lines, wide, centred in zip(cells, widths, short, strict=True):
            page.line((x, self.y, x, self.y + height))
            top = self.y + (height - len(lines) * step) // 2 + pad // 2
            for n, line in enumerate(lines):
                inset = (wide - page.width(line, _CELL)) / 2 if centred else pad
                page.text((x + inset, top + n * step), line, _CELL)
            x += wide
        page.line((x, self.y, x, self.y + height))


def _columns(page: Page, table: Table, total: int, pad: int) -> list[int]:
    """Widths of the columns: as their texts need, the rest shared out, the greediest giving way when it is too much."""
    wants = [max(page.width(row[n], _CELL) for row in table) + 2 * pad for n in range(len(table[0]))]
    least = [min(want, page.width("住院号", _CELL) + 2 * pad) for want in wants]
    spare = total - sum(least)
    extra = [want - low for want, low in zip(wants, least, strict=True)]
    if sum(wants) <= total:
        surplus = (total - sum(wants)) / sum(wants)
        widths = [round(want * (1 + surplus)) for want in wants]
    else:
        share = _shares(extra, max(spare, 0))
        widths = [round(low + more) for low, more in zip(least, share, strict=True)]
    widths[-1] += total - sum(widths)
    return widths


def _shares(extra: list[float], spare: float) -> list[float]:
    """The spare width handed out so that modest wishes are met in full and the rest is split evenly."""
    given, open_ = [0.0] * len(extra), sorted(range(len(extra)), key=lambda n: extra[n])
    while open_:
        each = spare / len(open_)
        first = open_[0]
        given[first] = min(extra[first], each)
        spare -= given[first]
        open_ = open_[1:]
    return given
