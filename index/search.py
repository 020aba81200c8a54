"""A search, from a plan to a page of hits; and counts, over the same documents and no others."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

import numpy as np

from .allowed import Allowed
from .answers import Answer, Answers
from .checking import Checker, TextsOf
from .clock import Clock
from .counting import counted
from .fields import Fields, FieldSpec, Kind
from .matches import Matches
from .plan import plan
from .query import Query
from .results import Cursor, Facets, Hit, Results, Sort, Total
from .scope import Scope
from .snapshot import Snapshot

_LEAST_BLOCK = 32  # texts fetched at once


@dataclass(frozen=True)
class Limits:
    """How far a search goes before it says *at least*.

    ``total``: hits are counted up to here. ``texts``: so many texts are read to check phrases, a long one counted as
    several; ``counting``: of these so many at most only to count hits beside a page, the others are left to ``facets``.
    ``seconds``: then a search that has nothing to show raises TooSlow; phrases are checked for three quarters
    of it.
    """

    total: int = 1000
    texts: int = 1000
    counting: int = 1000
    seconds: float = 5.0


USUAL = Limits()


@dataclass(frozen=True, eq=False)
class Asked:
    """Who asks what of which state of the index."""

    snapshot: Snapshot
    fields: Fields
    query: Query
    allowed: Allowed
    texts_of: TextsOf
    limits: Limits
    answers: Answers

    @contextmanager
    def answered(self) -> Iterator[tuple[Answer, Clock]]:
        """What was found, perhaps a moment ago; kept again if nothing went wrong with it."""
        clock = Clock(self.limits.seconds)
        scope = Scope(self.snapshot, self.allowed)
        asked = self.snapshot.generation, self.query, scope.key(), self.limits.texts
        answer = self.answers.take(asked) or Answer(
            Matches(plan(self.query, self.fields), scope, clock.tick), self.limits.texts
        )
        clock.tick()
        answer.put_to(self.texts_of, clock)
        yield answer, clock
        self.answers.give(asked, answer)


def search(asked: Asked, *, limit: int, after: Cursor | None, sort: Sort) -> Results:
    """One page of hits. Raises ValueError for what does not fit the fields, TooSlow, Damaged."""
    if limit < 1:
        raise ValueError("a page holds at least one hit")
    with asked.answered() as (answer, clock):
        order, checker = answer.order(sort, asked.fields), answer.checker
        checker.allow_a_page()
        found, end = _page(order.among(after), checker, limit, clock)
        clock.answered()
        places = sorted(at for at, _fields in found)
        scores = dict(zip(places, order.scores(np.array(places, np.intp)).tolist(), strict=True))
        hits = tuple(Hit(order.number(at), scores[at], fields) for at, fields in found)
        cursor = None if end is None else order.cursor(end)
        return Results(hits, _total(checker, asked.limits), cursor, asked.snapshot.generation)


def _page(
    indices: Iterator[int], checker: Checker, limit: int, clock: Clock
) -> tuple[list[tuple[int, frozenset[str]]], int | None]:
    """The hits of a page, and the candidate after which the next page begins; None if there is no other."""
    found: list[tuple[int, frozenset[str]]] = []
    last: int | None = None
    while block := list(islice(indices, max(limit + 1, _LEAST_BLOCK))):
        for at, fields in zip(block, checker.judge(np.array(block, np.intp)), strict=False):
            last = at
            if fields is None:
                continue
            if len(found) == limit:
                return found, found[-1][0]
            found.append((at, fields))
        if last is None:
            clock.too_slow()
        if last != block[-1]:  # no more of them may be judged
            return found, last
    return found, None


def _total(checker: Checker, limits: Limits) -> Total:
    checker.settle(lambda: checker.known() <= limits.total, limits.counting)
    return _known(checker, limits.total)


def _known(checker: Checker, most: int) -> Total:
    count = checker.known()
    return Total(min(count, most), exact=count <= most and checker.all_known())


def facets(asked: Asked, names: Sequence[str]) -> Facets:
    """The hits, and counts of their values of KEYWORD and INTEGER fields; see Facets."""
    specs = [_countable(name, asked.fields) for name in names]
    with asked.answered() as (answer, _clock):
        matches, checker = answer.matches, answer.checker
        checker.settle(lambda: True, asked.limits.texts)
        docs = matches.candidates.doc[checker.possible()]
        counts = {spec.name: counted(matches, spec, docs) for spec in specs}
        return Facets(counts, _known(checker, asked.limits.total), exact=checker.all_known())


def _countable(name: str, fields: Fields) -> FieldSpec:
    spec = fields.get(name)
    if spec is None or spec.kind not in {Kind.KEYWORD, Kind.INTEGER}:
        raise ValueError(f"hits cannot be counted by {name!r}")
    return spec
