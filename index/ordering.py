"""Candidates in order, and the place of a cursor among them."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from heapq import merge
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .allowed import Mask
from .columns import MISSING, Ints, Labels
from .docs import Docs
from .fields import Fields, FieldSpec, Kind
from .matches import Matches, Scores
from .results import Cursor, CursorValue, Sort

_FOREIGN = "the cursor belongs to another order"
_FIRST_CHUNK = 512  # a page and then some; most searches never sort the rest
_COLUMNS = 4  # times as many as wanted; the least of each tell how far in front the wanted ones stand
_SAME = (0,)  # the strides of an array that has room for one number only, and says it for all
_ALIKE = 8  # times as many as wanted, with one key: as where nothing speaks for one rather than another

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Order:
    """An order of candidates: all of them, or those after a cursor; and what a cursor at one of them says.

    ``scores`` gives those of some candidates, ascending: an order by a field needs no others than a page's.
    ``among`` raises ValueError for a cursor of another order.
    """

    among: Callable[[Cursor | None], Iterator[int]]
    value: Callable[[int], CursorValue]
    number: Callable[[int], int]
    scores: Callable[[Indices], Scores]

    def cursor(self, index: int) -> Cursor:
        return self.value(index), self.number(index)


@dataclass(frozen=True, eq=False)
class _Run:
    """Some candidates by two keys, both ascending; ``tie`` is the number, or its negative, so no two are equal.

    ``indices``: which of the candidates; None for those from ``start`` on.
    """

    indices: Indices | None
    primary: NDArray[Any]
    tie: Ints
    start: int = 0

    def __getitem__(self, kept: Mask) -> "_Run":
        indices = np.flatnonzero(kept) + self.start if self.indices is None else self.indices[kept]
        return _Run(indices, self.primary[kept], self.tie[kept])

    def by_tie(self) -> "_Run":
        """The same by the second key alone."""
        return _Run(self.indices, self.tie, self.tie, self.start)

    def behind(self, place: float, tie: int) -> "_Run":
        return self[(self.primary > place) | ((self.primary == place) & (self.tie > tie))]

    def __iter__(self) -> Iterator[int]:
        """Sorts only as much as is consumed, in growing chunks."""
        left, size = self, _FIRST_CHUNK
        if self.primary.strides == _SAME:
            left = self.by_tie()
        while len(left.tie) > size:
            most = _nth(left.primary, size)
            first = left.primary <= most
            if np.count_nonzero(first) > _ALIKE * size:  # the tie decides among those at the end
                yield from left[left.primary < most]._sorted()
                same = left.primary == most
                yield from (left if same.all() else left[same]).by_tie()
            else:
                yield from left[first]._sorted()
            left = left[~first]
            size *= 8
        yield from left._sorted()

    def _sorted(self) -> Iterator[int]:
        order = np.lexsort((self.tie, self.primary))
        yield from (order + self.start if self.indices is None else self.indices[order]).tolist()


def _nth(values: NDArray[Any], place: int) -> Any:
    """What would stand at a place if they were sorted; of very many only those are looked at that may stand so far in front."""
    columns = _COLUMNS * place
    rows = len(values) // columns
    if rows > 1:
        least = values[: rows * columns].reshape(rows, columns).min(axis=0)
        values = values[values <= np.partition(least, place)[place]]
    return np.partition(values, place)[place]


def newest_first(indices: Indices, numbers: Ints) -> Iterator[int]:
    """Candidates by their numbers, the highest first, sorted as far as somebody asks for them."""
    return iter(_Run(indices, -numbers, -numbers))


def ordered(matches: Matches, sort: Sort, fields: Fields) -> Order:
    """The order of the candidates. Raises ValueError for a sort that the fields do not allow, TooSlow."""
    matches.tick()
    sign, docs = -1 if sort.descending else 1, matches.candidates.doc
    if sort.field is None:
        if not matches.speaks:
            scores = np.broadcast_to(0.0, len(docs))
            return _by_key(matches, sign, scores, lambda _at: 0.0, scores.take)
        scores = matches.scores(docs)
        return _by_key(matches, sign, sign * scores, lambda at: float(scores[at]), scores.take)
    spec, scored = _sortable(sort.field, fields), partial(_scored, matches)
    held = matches.held(spec.tier)
    if spec.kind in {Kind.INTEGER, Kind.DATE}:
        values = matches.space.numbers(spec.name)[docs]
        held = held & (values != MISSING)
        keys = values.astype(np.float64) if sign > 0 else -values.astype(np.float64)
        keys[~held] = np.inf
        return _by_key(matches, sign, keys, lambda at: int(values[at]) if held[at] else None, scored)
    by_label = _ByLabel(matches, spec, held, sign)
    return Order(by_label.among, by_label.value, by_label.number, scored)


def _sortable(name: str, fields: Fields) -> FieldSpec:
    spec = fields.get(name)
    if spec is None or spec.kind is Kind.TEXT:
        raise ValueError(f"hits cannot be sorted by {name!r}")
    return spec


def _scored(matches: Matches, indices: Indices) -> Scores:
    return matches.scores(matches.candidates.doc[indices])


def _by_key(
    matches: Matches,
    sign: int,
    keys: Scores,
    value: Callable[[int], CursorValue],
    scores: Callable[[Indices], Scores],
) -> Order:
    """By numbers, infinite for what has none; ``value`` is what the key of a candidate stands for."""
    numbers = matches.candidates.number
    run = _Run(None, keys, numbers if sign > 0 else -numbers)

    def among(after: Cursor | None) -> Iterator[int]:
        if after is None:
            return iter(run)
        at, number = after
        if isinstance(at, str):
            raise ValueError(_FOREIGN)  # noqa: TRY004 - the type of a cursor is part of its value
        return iter(run.behind(np.inf if at is None else sign * float(at), sign * number))

    return Order(among, value, lambda at: int(numbers[at]), scores)


class _ByLabel:
    """By an IDENT or KEYWORD field. The codes of a segment sort as its labels do: only what is shown is looked up,
    and the segments are merged as far as somebody turns the pages.
    """

    def __init__(self, matches: Matches, spec: FieldSpec, held: NDArray[np.bool_], sign: int) -> None:
        self._sign = sign
        self._docs: Docs = matches.candidates.doc
        self._numbers = matches.candidates.number
        self._held = held
        self._columns = matches.space.labels(spec.name)
        self._starts = [column.start for column in self._columns]
        tie = self._numbers if sign > 0 else -self._numbers
        bounds = [*np.searchsorted(self._docs, self._starts).tolist(), len(self._docs)]
        self._runs: list[tuple[_Run, Labels]] = []
        has_label = np.zeros(len(self._docs), np.bool_)
        for column, (begin, end) in zip(self._columns, pairwise(bounds), strict=True):
            matches.tick()
            whole = end - begin == len(column.codes)
            codes = column.codes if whole else column.codes[self._docs[begin:end] - column.start]
            has_label[begin:end] = held[begin:end] & (codes > 0)
            own = has_label[begin:end]
            run = _Run(None, codes if sign > 0 else -codes, tie[begin:end], begin)
            self._runs.append((run if own.all() else run[own], column.labels))
        rest = np.flatnonzero(~has_label)
        self._rest = _Run(rest, np.zeros(len(rest), np.int8), tie[rest])

    def number(self, index: int) -> int:
        return int(self._numbers[index])

    def value(self, index: int) -> str | None:
        if not self._held[index]:
            return None
        doc = int(self._docs[index])
        column = self._columns[bisect_left(self._starts, doc + 1) - 1]
        return column.labels[int(column.codes[doc - column.start])] or None

    def among(self, after: Cursor | None) -> Iterator[int]:
        """In each segment what comes after the cursor, and of these always the next one."""
        runs, rest = self._runs, self._rest
        if after is not None:
            label, number = after
            if not isinstance(label, str | None):
                raise ValueError(_FOREIGN)
            tie = self._sign * number
            runs = [] if label is None else [(self._behind(run, own, label, tie), own) for run, own in runs]
            rest = rest.behind(0, tie) if label is None else rest
        own_orders = [self._labelled(run) for run, _labels in runs]
        for _label, _number, at in merge(*own_orders, reverse=self._sign < 0):
            yield at
        yield from rest

    def _behind(self, run: _Run, labels: Labels, label: str, tie: int) -> _Run:
        code = bisect_left(labels, label)
        known = code < len(labels) and labels[code] == label
        return run.behind(self._sign * (code if known else code - 0.5), tie)

    def _labelled(self, run: _Run) -> Iterator[tuple[str, int, int]]:
        for at in run:
            yield self.value(at) or "", self.number(at), at
