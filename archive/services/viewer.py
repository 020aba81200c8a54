"""在线阅览: a file as one sequence of pages, its items as a table of contents, and where words stand on them."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import func, or_, select

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
    until: datetime | None


@dataclass(frozen=True)
class _Run:
    """The pages of one node within the sequence."""

    node: Node
    before: int


def _sequence(uow: UnitOfWork, home: Node) -> list[_Run]:
    """The file's own pages, then those of its items in their order, as far as the actor may read them."""
    branch = uow.nodes(P.READ).where(Node.path >= home.path, Node.path < home.path_end, Node.page_count > 0)
    nodes = uow.list(branch.order_by(Node.depth, Node.position, Node.id))
    runs, before = [], 0
    for node in nodes:
        runs.append(_Run(node, before))
        before += node.page_count
    return runs


def address(uow: UnitOfWork, node: Node, number: int) -> tuple[Node, int]:
    """The node and ordinal behind a number that counts through a whole file. Raises NotFound."""
    runs = _sequence(uow, intake.file_of(uow, node))
    for run in runs:
        if run.before < number <= run.before + run.node.page_count:
            return run.node, number - run.before
    raise NotFound


def has_page(node: Node, ordinal: int) -> bool:
    return 1 <= ordinal <= node.page_count


def open_page(uow: UnitOfWork, node: Node, ordinal: int, words: str = "") -> Open:
    """A page of a node with its place in the file, its text, and the hits of `words`. Needs content.read."""
    page, home = pages.one(uow, node, ordinal), intake.file_of(uow, node)
    runs = _sequence(uow, home)
    number = next(run.before for run in runs if run.node.id == node.id) + ordinal
    seen = {view.id: view for view in views(uow, [home, *(run.node for run in runs)])}
    terms = _terms(words)
    found = _hits(uow, runs, seen, terms, number, words)
    flat = [(run, place) for run in runs for place in range(1, run.node.page_count + 1)]
    return Open(
        home=seen[home.id], view=seen[node.id], page=page, ticket=pages.ticket(uow, node, ordinal), number=number,
        total=len(flat), previous=_href(seen, flat, number - 1, words), next=_href(seen, flat, number + 1, words),
        parts=[_part(uow, run, seen, number, node, found, words) for run in runs], hits=found,
        boxes=[box for line in page.boxes for box in _boxes(line, terms)],
        paragraphs=[list(_marked(line, terms)) for line in page.text.splitlines()],
        marked=pages.is_marked(uow, node), until=pages.granted_until(uow, node),
    )  # fmt: skip


def _href(seen: dict[int, NodeView], flat: list[tuple[_Run, int]], number: int, words: str) -> str | None:
    if not 1 <= number <= len(flat):
        return None
    run, ordinal = flat[number - 1]
    return _address(seen[run.node.id], ordinal, words)


def _address(view: NodeView, ordinal: int, words: str) -> str:
    return f"{view.href}/++page++{ordinal}" + (f"?q={quote(words)}" if words else "")


def _part(
    uow: UnitOfWork, run: _Run, seen: dict[int, NodeView], number: int, node: Node, hits: list[Hit], words: str
) -> Part:
    view, current = seen[run.node.id], run.node.id == node.id
    leaves = []
    if current:
        ticket = pages.ticket(uow, node, 0)
        near = range(max(1, number - run.before - AROUND), min(node.page_count, number - run.before + AROUND) + 1)
        leaves = [
            Leaf(run.before + place, place, _address(view, place, words), ticket, run.before + place == number,
                 sum(hit.number == run.before + place for hit in hits))
            for place in near
        ]  # fmt: skip
    return Part(view, run.before + 1, run.node.page_count, _address(view, 1, words), current, leaves)


# Words on pages


def _terms(words: str) -> list[str]:
    """What to look for: the words of a search without its quotes and operators."""
    plain = re.sub(r'["“”()（）*~^]', " ", words)
    return [term for term in plain.split() if term not in {"AND", "OR", "NOT"}][:TERMS]


def _pattern(terms: list[str]) -> re.Pattern[str]:
    longest_first = sorted(terms, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)


def _hits(
    uow: UnitOfWork, runs: list[_Run], seen: dict[int, NodeView], terms: list[str], number: int, words: str
) -> list[Hit]:
    if not terms:
        return []
    places = {run.node.id: run for run in runs}
    contains = [func.lower(PageText.text).contains(term.lower(), autoescape=True) for term in terms]
    rows = uow.session.execute(
        select(Page.node_id, Page.ordinal, PageText.text)
        .join(PageText, PageText.page_id == Page.id)
        .where(Page.node_id.in_(places), or_(*contains))
        .limit(MOST_HITS),
        execution_options={"scope": "viewer"},
    )
    found = []
    for node_id, ordinal, text in rows:
        run = places[node_id]
        href = _address(seen[node_id], ordinal, words)
        found += [_hit(text, match, run.before + ordinal, href, number) for match in _pattern(terms).finditer(text)]
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
