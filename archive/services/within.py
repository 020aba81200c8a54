"""案卷内查找: every place where some words stand on the pages of one file, found as the search finds them."""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from sqlalchemy import select

from archive.models import TEXT_OF_PAGE, Node, Page, PageText
from archive.services import search_labels
from archive.services.widening import widened
from archive.uow import UnitOfWork
from index import QuerySyntax, Spotter, parse, spoken

TRUSTED: Any = {"scope": "within"}
LONGEST = 200
"""Characters of what is looked for."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Wanted:
    """What is looked for on pages; of `words`, those of `beside` nobody typed: they say the same."""

    words: list[str]
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A page on which the words stand: its number in the file, what it says, and where in it."""

    number: int
    text: str
    spans: list[Span]


@dataclass(frozen=True)
class Found:
    """查找结果: the pages on which the words stand, in the order of the file. Places count from 1 through all of them."""

    wanted: Wanted
    spotter: Spotter
    sheets: list[Sheet]

    @cached_property
    def _before(self) -> list[int]:
        """How many places come before each sheet; the last is the number of all."""
        return list(accumulate((len(sheet.spans) for sheet in self.sheets), initial=0))

    @property
    def total(self) -> int:
        return self._before[-1]

    @cached_property
    def counts(self) -> dict[int, int]:
        """How many places each page has, by its number; pages without one are left out."""
        return {sheet.number: len(sheet.spans) for sheet in self.sheets}

    def place(self, number: int) -> tuple[Sheet, Span]:
        """The sheet of a place, and where it is on it."""
        at = bisect_right(self._before, number - 1) - 1
        return self.sheets[at], self.sheets[at].spans[number - 1 - self._before[at]]

    def onward(self, page: int) -> int | None:
        """The first place on this page or behind it; from the beginning where none follows."""
        ahead = [
            before for before, sheet in zip(self._before, self.sheets, strict=False) if sheet.number >= page
        ]
        return (ahead[0] if ahead else 0) + 1 if self.sheets else None

    def back(self, page: int) -> int | None:
        """The last place in front of this page; from the end where none is."""
        behind = self._before[sum(sheet.number < page for sheet in self.sheets)]
        return (behind or self.total) if self.sheets else None

    def on(self, page: int) -> tuple[int, list[Span]]:
        """How many places come before those of a page, and where they are in its text."""
        for before, sheet in zip(self._before, self.sheets, strict=False):
            if sheet.number == page:
                return before, sheet.spans
        return 0, []


def look(uow: UnitOfWork, before: Mapping[int, int], words: str) -> Found:
    """All places of the words on the pages of some nodes that the caller has checked, in one statement.

    `before` says of each node how many pages of the file come before its own.
    """
    meant = wanted(uow, words) if words else Wanted([])
    spotter = Spotter(meant.words)
    pages = (
        select(Node.id, Page.ordinal, PageText.text)
        .join(Page, Page.node_id == Node.id)
        .join(PageText, TEXT_OF_PAGE)
        .where(Node.id.in_(before))
    )
    sheets = []
    for node, ordinal, text in uow.session.execute(pages, execution_options=TRUSTED) if spotter else ():
        written = composed(text)
        if spans := spotter.spans(written):
            sheets.append(Sheet(before[node] + ordinal, written, spans))
    return Found(meant, spotter, sorted(sheets, key=lambda sheet: sheet.number))


def wanted(uow: UnitOfWork, text: str) -> Wanted:
    """What to look for: the words that a search looks for on pages, with the other ways of saying them.

    Words in quotation marks stay together, what a search excludes is left out; what is no search, or looks for nothing
    on pages, is looked for as it stands.
    """
    text = text[:LONGEST]
    try:
        query = parse(text, search_labels.labels(uow))
    except QuerySyntax:
        return Wanted([text])
    typed, words = (spoken(each, "text") for each in (query, widened(uow, query).query))
    return Wanted(words, tuple(word for word in words if word not in typed)) if words else Wanted([text])


def composed(text: str) -> str:
    """The text in the form in which places count its characters."""
    return unicodedata.normalize("NFC", text)


# On one page


Piece = tuple[str, int | None]
"""A piece of a line, and the place in the file that it is, or is a part of."""


@dataclass(frozen=True)
class Box:
    """Where a place, or its part in one line, is on the page; in pixels of the image."""

    x: float
    y: float
    width: float
    height: float
    place: int | None
    """Nothing where the lines of the image no longer say what the text says."""


def marked(text: str, spans: Sequence[Span], before: int) -> Iterator[list[Piece]]:
    """The lines of a text in pieces; a place may go over the end of a line."""
    for line, cut in _cut(composed(text).splitlines(keepends=True), spans):
        shown, last = line.rstrip("\r\n"), 0
        pieces = list[Piece]()
        for nth, start, stop in cut:
            pieces += [(shown[last:start], None), (shown[start:stop], before + nth + 1)]
            last = stop
        pieces.append((shown[last:], None))
        yield [piece for piece in pieces if piece[0]]


def boxes(lines: Sequence[Sequence[Any]], found: Found, before: int, count: int) -> Iterator[Box]:
    """Where on the image of a page the words stand: a character takes its share of the line, a Chinese one two."""
    texts = [f"{composed(str(line[4]))}\n" for line in lines]
    spans = found.spotter.spans("".join(texts))
    for (x0, y0, x1, y1, *_text), (line, cut) in zip(lines, _cut(texts, spans), strict=True):
        text = line.rstrip("\n")
        total = _width(text) or 1
        for nth, start, stop in cut:
            left = x0 + (x1 - x0) * _width(text[:start]) / total
            wide = (x1 - x0) * _width(text[start:stop]) / total
            yield Box(left, y0, wide, y1 - y0, before + nth + 1 if len(spans) == count else None)


def _cut(lines: Sequence[str], spans: Sequence[Span]) -> Iterator[tuple[str, list[tuple[int, int, int]]]]:
    """Each line of a text, and what lies in it of which span: the span's number, from where, to where in the line."""
    at = 0
    for line in lines:
        end = at + len(line)
        yield line, [
            (nth, max(start, at) - at, min(stop, end) - at)
            for nth, (start, stop) in enumerate(spans) if start < end and stop > at
        ]  # fmt: skip
        at = end


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
