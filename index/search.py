"""A search, from a plan to a page of hits; counts and suggestions, over the same documents and no others."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from time import monotonic

import numpy as np

from .allowed import Allowed
from .analysis import Lexeme, key
from .checking import Checker, TextsOf
from .counting import counted
from .documents import SEPARATOR
from .errors import TooSlow
from .fields import Fields, FieldSpec, Kind
from .lookup import holding
from .matches import Matches
from .ordering import ordered
from .plan import plan
from .query import Query
from .results import Cursor, Facets, Hit, Results, Sort, Suggestion, Total
from .scope import Scope
from .snapshot import Snapshot

_LEAST_BLOCK = 32  # texts fetched at once
_TOO_SLOW = "The search took too long. Ask for something narrower."


@dataclass(frozen=True)
class Limits:
    """How far a search goes before it says *at least*.

    ``total``: hits are counted up to here. ``texts``: so many texts are read to check phrases. ``seconds``: then a
    search that has nothing to show raises TooSlow, and one that checks phrases stops checking.
    """

    total: int = 1000
    texts: int = 1000
    seconds: float = 5.0


USUAL = Limits()


class _Clock:
    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    def in_time(self) -> bool:
        return monotonic() < self._end

    def tick(self) -> None:
        if not self.in_time():
            raise TooSlow(_TOO_SLOW)


@dataclass(frozen=True, eq=False)
class Asked:
    """Who asks what of which state of the index."""

    snapshot: Snapshot
    fields: Fields
    query: Query
    allowed: Allowed
    texts_of: TextsOf
    limits: Limits

    def matched(self) -> tuple[Matches, Checker]:
        clock = _Clock(self.limits.seconds)
        matches = Matches(plan(self.query, self.fields), Scope(self.snapshot, self.allowed), clock.tick)
        clock.tick()
        return matches, Checker(matches, self.texts_of, texts=self.limits.texts, in_time=clock.in_time)


def search(asked: Asked, *, limit: int, after: Cursor | None, sort: Sort) -> Results:
    """One page of hits. Raises ValueError for what does not fit the fields, TooSlow, Damaged."""
    if limit < 1:
        raise ValueError("a page holds at least one hit")
    matches, checker = asked.matched()
    order, behind = ordered(matches, sort, asked.fields)
    found, end = _page(order.among(behind(after) if after else None), checker, limit)
    places = sorted(at for at, _fields in found)
    scores = dict(zip(places, order.scores(np.array(places, np.intp)).tolist(), strict=True))
    hits = tuple(Hit(order.number(at), scores[at], fields) for at, fields in found)
    cursor = None if end is None else order.cursor(end)
    return Results(hits, _total(checker, asked.limits.total), cursor, asked.snapshot.generation)


def _page(
    indices: Iterator[int], checker: Checker, limit: int
) -> tuple[list[tuple[int, frozenset[str]]], int | None]:
    """The hits of a page, and the candidate after which the next page begins; None if there is no other."""
    found: list[tuple[int, frozenset[str]]] = []
    last: int | None = None
    while block := list(islice(indices, max(limit + 1, _LEAST_BLOCK))):
        if not checker.goes_on():
            if last is None:
                raise TooSlow(_TOO_SLOW)
            return found, last
        for at, fields in zip(block, checker.judge(np.array(block, np.intp)), strict=True):
            if fields is None:
                continue
            if len(found) == limit:
                return found, found[-1][0]
            found.append((at, fields))
        last = block[-1]
    return found, None


def _total(checker: Checker, most: int) -> Total:
    checker.settle(lambda: checker.known() <= most)
    count = checker.known()
    return Total(min(count, most), exact=count <= most and checker.all_known())


def facets(asked: Asked, names: Sequence[str]) -> Facets:
    """Counts of the values of KEYWORD and INTEGER fields among the hits; see Facets."""
    specs = [_countable(name, asked.fields) for name in names]
    matches, checker = asked.matched()
    checker.settle(lambda: True)
    docs = matches.candidates.doc[checker.possible()]
    return Facets({spec.name: counted(matches, spec, docs) for spec in specs}, exact=checker.all_known())


def _countable(name: str, fields: Fields) -> FieldSpec:
    spec = fields.get(name)
    if spec is None or spec.kind not in {Kind.KEYWORD, Kind.INTEGER}:
        raise ValueError(f"hits cannot be counted by {name!r}")
    return spec


def suggest(
    snapshot: Snapshot, spec: FieldSpec, allowed: Allowed, prefix: str, *, limit: int, limits: Limits
) -> tuple[Suggestion, ...]:
    """Values of an IDENT or KEYWORD field that begin with ``prefix``, the most frequent first.

    Only values of documents held at the field's tier exist for the asker. An empty prefix suggests nothing.
    """
    if spec.kind not in {Kind.IDENT, Kind.KEYWORD}:
        raise ValueError(f"the field {spec.name} suggests nothing")
    start, clock, counts = key(prefix), _Clock(limits.seconds), Counter[str]()
    if not start:
        return ()
    scope = Scope(snapshot, allowed)
    docs = np.flatnonzero(scope.held(spec.tier).mask)
    if spec.kind is Kind.IDENT:
        docs = holding(spec, Lexeme(start, starts=True), scope, clock.tick).docs
    ranks, labels = scope.space.ranked(spec.name, docs)
    for label, count in zip(labels, np.bincount(ranks, minlength=len(labels)).tolist(), strict=True):
        counts.update({value: count for value in set(label.split(SEPARATOR)) if key(value).startswith(start)})
    best = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
    return tuple(Suggestion(value, count) for value, count in best)
