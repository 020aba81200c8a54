"""检索: words in whatever the person holds at the tier of each field; nothing of what is hidden shows in anything."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from time import perf_counter

from archive import cursor
from archive.db import canonical
from archive.errors import Invalid, TakesTooLong
from archive.i18n import _
from archive.journal import Event
from archive.models import Node
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import (
    excerpts,
    facets,
    narrowing,
    patient_names,
    patients,
    pinpoint,
    plain,
    search_labels,
    timings,
)
from archive.services.entries import texts_of
from archive.services.findings import CAP, Counts, Filters, Group, Order, Results, Tally
from archive.services.widening import widened
from archive.sight import NodeView, views
from archive.uow import UnitOfWork
from index import And, Damaged, Everything, Limits, Query, QuerySyntax, Sort, TooSlow, parse
from index import alike as like

PAGE = 20
CALLED = 20
"""So many files stand above the list because of their number or name."""
ALIKE = 20
SUGGESTED = 8
LONGEST = 400
HASTE = Limits(counting=200)
"""What a page of hits waits for: it says *at least*, and its counts, which come behind it, read on."""
SORTS = {Order.RELEVANCE: Sort(), Order.DATE: Sort("date"), Order.NUMBER: Sort("numbers", descending=False)}
NOTHING = Filters()


class Misunderstood(Invalid):
    """What was typed cannot be read from `position` on."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def straight(uow: UnitOfWork, text: str) -> NodeView | None:
    """The one thing that has this number, if there is one and the actor may know of it: nobody need look at a list."""
    found = pinpoint.by_number(uow, clean(text))
    if len(found) != 1:
        return None
    uow.read(uow.event_about(found[0], Event("search.run", words={"query": text, "straight": True})))
    return views(uow, found)[0]


def renumbered(uow: UnitOfWork, text: str, seen: Iterable[NodeView]) -> str | None:
    """The number into which the typed one was merged, for whoever was shown a record of it."""
    mrn = patient_names.folded(text).partition("-")[0]
    now = patients.merged_into(uow, mrn) if mrn.isdigit() else None
    return now if now in {view.mrn for view in seen} else None


@dataclass(frozen=True)
class Asked:
    """What is asked for: the words, what they say, and all of it as a query of the index."""

    text: str
    filters: Filters
    order: Order
    said: Query
    query: Query

    def purpose(self, uow: UnitOfWork, way: str) -> str:
        """A cursor leads on in one search of one person, and nowhere else."""
        asked = sha256(canonical([self.text, self.filters.__dict__, self.order]).encode()).hexdigest()[:16]
        return f"search:{way}:{uow.actor.principal_id}:{asked}"


def find(
    uow: UnitOfWork, text: str, filters: Filters = NOTHING, order: Order = Order.RELEVANCE, after: str | None = None
) -> Results:  # fmt: skip
    """What the actor may know of that has these words. Raises Misunderstood, NotFound, TakesTooLong."""
    text = clean(text)
    if not text and not filters:
        return Results()
    since, asked = perf_counter(), understood(uow, text, filters, order)
    try:
        results = _by_index(uow, asked, after)
    except Damaged:
        results = _by_database(uow, asked, after)
    except TooSlow as slow:
        given_up = _event(asked, since, further=bool(after), stopped=True)
        uow.site.record_read(given_up, uow.actor, uow.origin)
        raise TakesTooLong from slow
    _note(uow, results, _event(asked, since, further=bool(after)))
    return results


def counted(uow: UnitOfWork, text: str, filters: Filters = NOTHING, *, told: bool = False) -> Counts:
    """分面: by what the hits of a search can be narrowed; counted on its own, so that nobody waits for it to see hits.

    And how many hits there are, more exactly than the page of them may have said it; nothing where it cannot be told.

    Numbers of what the actor may know of, and nothing else. It is an event, unless it belongs to a page of hits of which
    the journal has been `told`. Raises Invalid for what cannot be understood.
    """
    text = clean(text)
    if not text and not filters:
        return Counts()
    if not told:
        uow.read(Event("search.counted", words={"query": text, "filters": filters.said()}))
    asked, allowed = understood(uow, text, filters, Order.RELEVANCE), uow.site.access_map.allowed(uow)
    try:
        counts = uow.site.index.facets(asked.query, allowed, facets.COUNTED, texts_of=texts_of(uow))
    except (Damaged, TooSlow):
        return Counts()
    return Counts(facets.drawn(uow, counts, filters), Tally(counts.total.count, not counts.total.exact))


def understood(uow: UnitOfWork, text: str, filters: Filters, order: Order) -> Asked:
    """What is asked, as the index is asked for it. Raises Misunderstood, and NotFound for a hidden place."""
    said = _said(uow, text)
    return Asked(text, filters, order, said, And((said, *narrowing.queries(uow, filters))))


def alike(uow: UnitOfWork, text: str, filters: Filters = NOTHING) -> list[Group]:
    """相近结果: files that share words with what nothing says literally, the likest first; for plain words of some length."""
    try:
        likeness = like(parse(text.strip(), search_labels.labels(uow)))
    except QuerySyntax:
        return []
    if likeness is None:
        return []
    query = And((likeness, *narrowing.queries(uow, filters)))
    try:
        page = uow.site.index.search(
            query, uow.site.access_map.allowed(uow), texts_of=texts_of(uow), limit=ALIKE
        )
    except (Damaged, TooSlow):
        return []
    groups = excerpts.groups(uow, page.hits, query, text)
    shown = tuple(sorted({group.view.id for group in groups if P.IDENTIFY in group.view.may}))
    uow.read(Event("search.alike", shown=shown, words={"query": text, "places": len(groups)}))
    return groups


def suggest(uow: UnitOfWork, text: str) -> list[NodeView]:
    """A few records whose number this is, or whose patient's name begins so."""
    text = clean(text)
    named = pinpoint.by_name(uow, text, SUGGESTED)
    found = {node.id: node for node in [*pinpoint.by_number(uow, text), *named]}
    seen = views(uow, list(found.values())[:SUGGESTED])
    if seen:
        shown = tuple(sorted(view.id for view in seen if P.IDENTIFY in view.may))
        uow.read(Event("search.suggested", shown=shown, words={"query": text}))
    return seen


def _said(uow: UnitOfWork, text: str) -> Query:
    if not text:
        return Everything()
    try:
        return widened(uow, parse(text, search_labels.labels(uow))).query
    except QuerySyntax as error:
        raise Misunderstood(_(error.message), error.position) from error


def _by_index(uow: UnitOfWork, asked: Asked, after: str | None) -> Results:
    index, allowed, look = uow.site.index, uow.site.access_map.allowed(uow), texts_of(uow)
    keys, purpose = uow.site.keys, asked.purpose(uow, "index")
    turn = cursor.turned(keys, purpose, after)
    begin = (turn.begin[0], turn.begin[1]) if turn.begin else None
    page = index.search(asked.query, allowed, texts_of=look, limit=PAGE, after=begin, sort=SORTS[asked.order],
                        limits=HASTE)  # fmt: skip
    called = [] if turn.begin else called_up(uow, asked)
    return Results(
        called=called,
        groups=_further(excerpts.groups(uow, page.hits, asked.query, asked.text), called),
        total=Tally(page.total.count, not page.total.exact), page=turn.number,
        next=turn.onward(keys, purpose, list(page.next)) if page.next else None, previous=turn.back(keys, purpose),
    )  # fmt: skip


def _by_database(uow: UnitOfWork, asked: Asked, after: str | None) -> Results:
    keys, purpose = uow.site.keys, asked.purpose(uow, "database")
    turn = cursor.turned(keys, purpose, after)
    hits, total = plain.find(uow, asked.said, asked.filters, turn.begin[0] if turn.begin else None, PAGE)
    called = [] if turn.begin else called_up(uow, asked)
    return Results(
        called=called,
        groups=_further(excerpts.groups(uow, hits[:PAGE], asked.query, asked.text), called),
        total=Tally(min(total, CAP), total > CAP), degraded=True, page=turn.number,
        next=turn.onward(keys, purpose, [hits[PAGE - 1].number]) if len(hits) > PAGE else None,
        previous=turn.back(keys, purpose),
    )  # fmt: skip


def called_up(uow: UnitOfWork, asked: Asked) -> list[NodeView]:
    """What has this number or name, from the database itself: also what the index has not got yet."""
    numbered, named = pinpoint.by_number(uow, asked.text), pinpoint.by_name(uow, asked.text, CALLED)
    found = {node.id: node for node in [*numbered, *named]}
    if asked.filters and found:
        narrowed = uow.nodes(P.DISCOVER, Node.id).where(
            Node.id.in_(found), *narrowing.conditions(uow, asked.filters)
        )
        fits = set(uow.session.scalars(narrowed))
        found = {number: node for number, node in found.items() if number in fits}
    return views(uow, list(found.values())[:CALLED])


def _further(groups: list[Group], called: list[NodeView]) -> list[Group]:
    """What stands above already comes again only with a place to go to."""
    above = {view.id for view in called}
    return [group for group in groups if group.places or group.view.id not in above]


def _event(asked: Asked, since: float, **more: bool) -> Event:
    """One line of the journal: the words; and, apart from it, what answering them took."""
    filters = asked.filters.said()
    cost = timings.cost(since, asked.query, filters, asked.order, **more)
    return Event("search.run", words={"query": asked.text, "filters": filters}, cost=cost)


def _note(uow: UnitOfWork, results: Results, event: Event) -> None:
    """Adds of whom the list shows who they are."""
    listed = [*results.called, *(group.view for group in results.groups)]
    shown = tuple(sorted({view.id for view in listed if P.IDENTIFY in view.may}))
    uow.read(replace(event, shown=shown, words=event.words | {"places": results.total.count}))
