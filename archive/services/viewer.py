"""在线阅览: a file as one sequence of pages, its items as a table of contents, and where words stand on them."""

from dataclasses import dataclass
from functools import cached_property
from time import perf_counter

from archive import envelope
from archive.errors import NotFound
from archive.journal import Event
from archive.models import Node
from archive.policy.permissions import P
from archive.services import corrections, downloads, intake, pages, timings, within
from archive.services.pages import PageView
from archive.services.within import Box, Found, Piece
from archive.sight import NodeView, href, views
from archive.uow import UnitOfWork

AROUND = 24
"""Thumbnails to either side of the page in view: a strip of a thousand is no overview."""
PLACE = "at"
"""The part of an address that says which of the places found is the current one."""
LISTED = 100
"""Places in one list; the lists before and behind it are a click away."""
BEFORE, AFTER = 10, 16


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
    hits: int


@dataclass(frozen=True)
class Hit:
    """A place where the words stand, with a little of what is around it; places and pages count through the file."""

    place: int
    number: int
    href: str
    before: str
    match: str
    after: str
    current: bool


@dataclass(frozen=True)
class Places:
    """What was found in the file: how many places, the current one, the ones next to it, and a list around it."""

    total: int
    current: int | None
    previous: str | None
    next: str | None
    hits: list[Hit]
    earlier: str | None
    later: str | None
    marks: list[tuple[int, int, str]]
    """Page, how many places it has, and the address of the first: for the strip of the whole file."""
    beside: tuple[str, ...]
    """What was looked for besides the words that were typed."""


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
    plain: str
    """The address of this page without the words."""
    places: Places
    boxes: list[Box]
    paragraphs: list[list[Piece]]
    marked: bool
    corrects: bool
    """Whether the actor may correct the text."""
    takes_away: bool
    """Whether they may have the whole file as a PDF."""


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

    @cached_property
    def homes(self) -> dict[int, str]:
        """The addresses of the nodes: there may be hundreds of pages to lead to."""
        return {number: view.href for number, view in self.seen.items()}

    @property
    def number(self) -> int:
        return next(run.before for run in self.runs if run.node.id == self.node.id) + self.ordinal

    @property
    def total(self) -> int:
        return self.runs[-1].before + self.runs[-1].node.page_count

    def href(self, node: int, ordinal: int, place: int | None = None) -> str:
        return _address(self.homes[node], ordinal, self.found_by, place)

    def at(self, number: int, place: int | None = None) -> str | None:
        """The address of a page by its number in the file, if there is one; of a place on it."""
        found = _at(self.runs, number)
        return self.href(found[0].id, found[1], place) if found else None


def _address(home: str, ordinal: int, found_by: str, place: int | None = None) -> str:
    return f"{home}/++page++{ordinal}{found_by}" + (f"&{PLACE}={place}" if place and found_by else "")


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


def find(uow: UnitOfWork, node: Node, number: int, words: str) -> str:
    """The address of the first place of the words on page `number` of the file or behind it, else of that page.

    Over all pages of the file that the actor may read; one event, of the file. Raises NotFound without such a page.
    """
    since, home = perf_counter(), intake.file_of(uow, node)
    runs = _sequence(uow, home)
    found = _looked_for(uow, runs, words)
    asked = {"query": words, "places": found.total}
    cost = timings.took(since, {"words": len(found.wanted.words)})
    uow.read(uow.event_about(home, Event("record.searched", words=asked, cost=cost)))
    place = found.onward(number)
    target = _at(runs, found.place(place)[0].number if place else number)
    if target is None:
        raise NotFound
    return _address(href(uow, target[0]), target[1], _sealed(uow, words), place)


def open_page(uow: UnitOfWork, node: Node, ordinal: int, words: str = "", place: int | None = None) -> Open:
    """A page of a node with its place in the file, its text, and every place of `words`. Needs content.read."""
    page, home = pages.one(uow, node, ordinal), intake.file_of(uow, node)
    runs = _sequence(uow, home)
    seen = {view.id: view for view in views(uow, [home, *(run.node for run in runs)])}
    found = _looked_for(uow, runs, words)
    reading = _Reading(uow, node, ordinal, _sealed(uow, words), runs, seen)
    before, spans = found.on(reading.number)
    return Open(
        home=seen[home.id], view=seen[node.id], page=page, ticket=pages.ticket(uow, node, ordinal),
        number=reading.number, total=reading.total, previous=reading.at(reading.number - 1),
        next=reading.at(reading.number + 1), parts=[_part(reading, run, found) for run in runs],
        plain=_address(seen[node.id].href, ordinal, ""), places=_places(reading, found, place),
        boxes=list(within.boxes(page.boxes, found, before, len(spans))) if spans else [],
        paragraphs=list(within.marked(page.text, spans, before)), marked=pages.is_marked(uow, node),
        corrects=corrections.may(uow, node),
        takes_away=downloads.may(uow, home),
    )  # fmt: skip


def _looked_for(uow: UnitOfWork, runs: list[_Run], words: str) -> Found:
    return within.look(uow, {run.node.id: run.before for run in runs}, words)


def _sealed(uow: UnitOfWork, words: str) -> str:
    """What leads on to another page with the same words."""
    return f"?{envelope.PARAMETER}={envelope.seal(uow, {'q': words})}" if words else ""


def _part(reading: _Reading, run: _Run, found: Found) -> Part:
    current = run.node.id == reading.node.id
    leaves = _strip(reading, run, found) if current else []
    last = run.before + run.node.page_count
    hits = sum(count for number, count in found.counts.items() if run.before < number <= last)
    view, first = reading.seen[run.node.id], reading.href(run.node.id, 1)
    return Part(view, run.before + 1, run.node.page_count, first, current, leaves, hits)


def _strip(reading: _Reading, run: _Run, found: Found) -> list[Leaf]:
    ticket, here = pages.ticket(reading.uow, reading.node, 0), reading.ordinal
    return [
        Leaf(
            run.before + place, place, reading.href(run.node.id, place), ticket, place == here,
            found.counts.get(run.before + place, 0),
        )
        for place in range(max(1, here - AROUND), min(run.node.page_count, here + AROUND) + 1)
    ]  # fmt: skip


# Places of words


def _places(reading: _Reading, found: Found, asked: int | None) -> Places:
    """The place that was asked for is the current one if it is on this page, else the first one on it."""
    before, here = found.on(reading.number)
    current = asked if asked and before < asked <= before + len(here) else before + 1 if here else None
    onward = current % found.total + 1 if current else found.onward(reading.number)
    back = (current - 2) % found.total + 1 if current else found.back(reading.number)
    around = current or onward or 1
    first = (around - 1) // LISTED * LISTED + 1
    last = min(first + LISTED - 1, found.total)

    def to(place: int | None) -> str | None:
        within_file = place is not None and 1 <= place <= found.total
        return reading.at(found.place(place)[0].number, place) if place and within_file else None

    return Places(
        total=found.total, current=current, previous=to(back), next=to(onward),
        hits=[_hit(found, place, to(place) or "", current) for place in range(first, last + 1)],
        earlier=to(first - 1), later=to(last + 1), marks=_marks(reading, found),
        beside=found.wanted.beside,
    )  # fmt: skip


def _marks(reading: _Reading, found: Found) -> list[tuple[int, int, str]]:
    marks, place = [], 1
    for number, count in found.counts.items():
        marks.append((number, count, reading.at(number, place) or ""))
        place += count
    return marks


def _hit(found: Found, place: int, address: str, current: int | None) -> Hit:
    sheet, (start, stop) = found.place(place)
    before = sheet.text[max(0, start - BEFORE) : start].replace("\n", " ")
    after = sheet.text[stop : stop + AFTER].replace("\n", " ")
    return Hit(place, sheet.number, address, before, sheet.text[start:stop], after, place == current)
