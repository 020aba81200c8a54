"""在线阅览: a file as one sequence of pages, its items as a table of contents, and where words stand on them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select

from archive import envelope
from archive.errors import NotFound
from archive.models import Node, Page, PageText
from archive.policy.permissions import P
from archive.services import intake, pages
from archive.services.pages import PageView
from archive.sight import NodeView, views
from archive.uow import UnitOfWork

AROUND = 24
"""Thumbnails to either side of the page in view: a strip of a thousand is no overview."""
MOST_HITS = 200
BEFORE, AFTER = 10, 16
TERMS = 8


@dataclass(frozen=True)
class Leaf:
    """A page within its file: `number` counts through the whole file, `ordinal` within its item."""

    number: int
    ordinal: int
    href: str
    ticket: str
    current: bool
    hits: int


@dataclass(frozen=True)
class Part:
    """An item of the file, or the file itself as far as it is not split, with its first page."""

    view: NodeView
    first: int
    count: int
    href: str
    current: bool
    leaves: list[Leaf]


@dataclass(frozen=True)
class Hit:
    """A place where the words stand, with a little of what is around them."""

    number: int
    href: str
    before: str
    match: str
    after: str
    current: bool


@dataclass(frozen=True)
class Box:
    """In pixels of the page image."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Open:
    """An open page with all that the viewer shows around it."""

    home: NodeView
    view: NodeView
    page: PageView
    ticket: str
    number: int
    total: int
    previous: str | None
    next: str | None
    parts: list[Part]
    hits: list[Hit]
    boxes: list[Box]
    paragraphs: list[list[tuple[str, bool]]]
    marked: bool


@dataclass(frozen=True)
class _Run:
    """The pages of one node within the sequence."""

    node: Node
    before: int


@dataclass(frozen=True)
class _Reading:
    """One opening of a page: who reads what, in which file, looking for which words."""

    uow: UnitOfWork
    node: Node
    ordinal: int
    found_by: str
    """What leads on to the next page with the same words, sealed; nothing where none are looked for."""
    runs: list[_Run]
    seen: dict[int, NodeView]

    @property
    def number(self) -> int:
        return next(run.before for run in self.runs if run.node.id == self.node.id) + self.ordinal

    @property
    def total(self) -> int:
        return self.runs[-1].before + self.runs[-1].node.page_count

    def href(self, node: int, ordinal: int) -> str:
        return f"{self.seen[node].href}/++page++{ordinal}{self.found_by}"

    def at(self, number: int) -> str | None:
        """The address of a page by its number in the file, if there is one."""
        found = _at(self.runs, number)
        return self.href(found[0].id, found[1]) if found else None


def _at(runs: list[_Run], number: int) -> tuple[Node, int] | None:
    for run in runs:
        if run.before < number <= run.before + run.node.page_count:
            return run.node, number - run.before
    return None


def _sequence(uow: UnitOfWork, home: Node) -> list[_Run]:
    """The file's own pages, then those of its items in their order, as far as the actor may read them."""
    branch = uow.nodes(P.READ).where(Node.path >= home.path, Node.path < home.path_end, Node.page_count > 0)
    runs, before = [], 0
    for node in uow.list(branch.order_by(Node.depth, Node.position, Node.id)):
        runs.append(_Run(node, before))
        before += node.page_count
    return runs


def address(uow: UnitOfWork, node: Node, number: int) -> tuple[Node, int]:
    """The node and ordinal behind a number that counts through a whole file. Raises NotFound."""
    found = _at(_sequence(uow, intake.file_of(uow, node)), number)
    if found is None:
        raise NotFound
    return found


def has_page(node: Node, ordinal: int) -> bool:
    return 1 <= ordinal <= node.page_count


def open_page(uow: UnitOfWork, node: Node, ordinal: int, words: str = "") -> Open:
    """A page of a node with its place in the file, its text, and the hits of `words`. Needs content.read."""
    page, home = pages.one(uow, node, ordinal), intake.file_of(uow, node)
    runs = _sequence(uow, home)
    seen = {view.id: view for view in views(uow, [home, *(run.node for run in runs)])}
    found_by = f"?{envelope.PARAMETER}={envelope.seal(uow, {'q': words})}" if words else ""
    reading, terms = _Reading(uow, node, ordinal, found_by, runs, seen), _terms(words)
    hits = _hits(reading, terms)
    return Open(
        home=seen[home.id], view=seen[node.id], page=page, ticket=pages.ticket(uow, node, ordinal),
        number=reading.number, total=reading.total, previous=reading.at(reading.number - 1),
        next=reading.at(reading.number + 1), parts=[_part(reading, run, hits) for run in runs], hits=hits,
        boxes=[box for line in page.boxes for box in _boxes(line, terms)],
        paragraphs=[list(_marked(line, terms)) for line in page.text.splitlines()],
        marked=pages.is_marked(uow, node),
    )  # fmt: skip


def _part(reading: _Reading, run: _Run, hits: list[Hit]) -> Part:
    current = run.node.id == reading.node.id
    leaves = _strip(reading, run, hits) if current else []
    view, first = reading.seen[run.node.id], reading.href(run.node.id, 1)
    return Part(view, run.before + 1, run.node.page_count, first, current, leaves)


def _strip(reading: _Reading, run: _Run, hits: list[Hit]) -> list[Leaf]:
    ticket, here = pages.ticket(reading.uow, reading.node, 0), reading.ordinal
    counted = Counter(hit.number - run.before for hit in hits)
    return [
        Leaf(
            run.before + place, place, reading.href(run.node.id, place), ticket, place == here, counted[place]
        )
        for place in range(max(1, here - AROUND), min(run.node.page_count, here + AROUND) + 1)
    ]


# Words on pages


def _terms(words: str) -> list[str]:
    """What to look for: the words of a search without its quotes and operators."""
    plain = re.sub(r'["“”()（）*~^]', " ", words)
    return [term for term in plain.split() if term not in {"AND", "OR", "NOT"}][:TERMS]


def _pattern(terms: list[str]) -> re.Pattern[str]:
    longest_first = sorted(terms, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)


def _hits(reading: _Reading, terms: list[str]) -> list[Hit]:
    if not terms:
        return []
    places = {run.node.id: run.before for run in reading.runs}
    contains = [func.lower(PageText.text).contains(term.lower(), autoescape=True) for term in terms]
    rows = reading.uow.session.execute(
        select(Page.node_id, Page.ordinal, PageText.text)
        .join(PageText, PageText.page_id == Page.id)
        .where(Page.node_id.in_(places), or_(*contains))
        .order_by(Page.node_id, Page.ordinal)
        .limit(MOST_HITS),
        execution_options={"scope": "viewer"},
    )
    found = []
    for node, ordinal, text in rows:
        href, number = reading.href(node, ordinal), places[node] + ordinal
        found += [_hit(text, match, number, href, reading.number) for match in _pattern(terms).finditer(text)]
    return sorted(found, key=lambda hit: hit.number)[:MOST_HITS]


def _hit(text: str, match: re.Match[str], number: int, href: str, current: int) -> Hit:
    before = text[max(0, match.start() - BEFORE) : match.start()].replace("\n", " ")
    after = text[match.end() : match.end() + AFTER].replace("\n", " ")
    return Hit(number, href, before, match[0], after, number == current)


def _marked(line: str, terms: list[str]) -> Iterator[tuple[str, bool]]:
    """The line in pieces, each with whether it is one of the words."""
    start = 0
    for match in _pattern(terms).finditer(line) if terms else ():
        yield line[start : match.start()], False
        yield match[0], True
        start = match.end()
    yield line[start:], False


def _boxes(line: list[Any], terms: list[str]) -> Iterator[Box]:
    """Where in a line the words stand: a character takes its share, a Chinese one twice that of a letter."""
    if not terms:
        return
    x0, y0, x1, y1, text = line
    total = _width(text) or 1
    for match in _pattern(terms).finditer(text):
        left = x0 + (x1 - x0) * _width(text[: match.start()]) / total
        yield Box(left, y0, (x1 - x0) * _width(match[0]) / total, y1 - y0)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
