"""Candidates in order, and the place of a cursor among them."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .columns import MISSING, Ints
from .fields import Fields, FieldSpec, Kind
from .matches import Matches, Scores
from .results import Cursor, CursorValue, Sort

_FOREIGN = "the cursor belongs to another order"
_FIRST_CHUNK = 512  # a page and then some; most searches never sort the rest

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Order:
    """An order of candidates by two keys, both ascending, and the cursor at each of them.

    ``primary`` is infinite for what has no sort key; ``tie`` is the number, or its negative, so no two are equal.
    ``scores`` gives those of some candidates, ascending: an order by a field needs no others than a page's.
    """

    primary: Scores
    tie: Ints
    value: Callable[[int], CursorValue]
    number: Callable[[int], int]
    scores: Callable[[Indices], Scores]

    def cursor(self, index: int) -> Cursor:
        return self.value(index), self.number(index)

    def among(self, indices: Indices | None) -> Iterator[int]:
        """The given candidates, or all, in order. Sorts only as much as is consumed, in growing chunks."""
        size = _FIRST_CHUNK
        keys = self.primary if indices is None else self.primary[indices]
        indices = np.arange(len(keys)) if indices is None else indices
        while len(indices) > size:
            first = keys <= np.partition(keys, size)[size]
            yield from self._sorted(indices[first])
            indices, keys = indices[~first], keys[~first]
            size *= 8
        yield from self._sorted(indices)

    def _sorted(self, indices: Indices) -> Iterator[int]:
        yield from indices[np.lexsort((self.tie[indices], self.primary[indices]))].tolist()


def ordered(matches: Matches, sort: Sort, fields: Fields) -> tuple[Order, Callable[[Cursor], Indices]]:
    """The order of the candidates, and a function that gives those after a cursor.

    Raises ValueError for a sort that the fields do not allow; the function does for a cursor of another order.
    """
    sign, docs = -1 if sort.descending else 1, matches.candidates.doc
    if sort.field is None:
        scores = matches.scores(docs)
        scored: Callable[[Indices], Scores] = scores.take
        keys = _Keys(sign * scores, lambda at: float(scores[at]), _number_place)
    else:
        scored = partial(_scored, matches)
        keys = _field_keys(matches, _sortable(sort.field, fields), sign)
    primary, numbers = keys.raw, matches.candidates.number
    order = Order(primary, sign * numbers, keys.value, lambda at: int(numbers[at]), scored)

    def after(cursor: Cursor) -> Indices:
        value, number = cursor
        place = np.inf if value is None else sign * keys.place(value)
        return np.flatnonzero((primary > place) | ((primary == place) & (order.tie > sign * number)))

    return order, after


def _scored(matches: Matches, indices: Indices) -> Scores:
    return matches.scores(matches.candidates.doc[indices])


@dataclass(frozen=True, eq=False)
class _Keys:
    """``raw``: the primary key of each candidate, infinite where there is none; what it stands for; where a value would lie."""

    raw: Scores
    value: Callable[[int], CursorValue]
    place: Callable[[CursorValue], float]


def _sortable(name: str, fields: Fields) -> FieldSpec:
    spec = fields.get(name)
    if spec is None or spec.kind is Kind.TEXT:
        raise ValueError(f"hits cannot be sorted by {name!r}")
    return spec


def _number_place(value: CursorValue) -> float:
    if isinstance(value, str) or value is None:
        raise ValueError(_FOREIGN)
    return float(value)


def _field_keys(matches: Matches, spec: FieldSpec, sign: int) -> _Keys:
    docs = matches.candidates.doc
    held = matches.scope.held(spec.tier).of(docs)
    if spec.kind in {Kind.INTEGER, Kind.DATE}:
        numbers = matches.space.numbers(spec.name)[docs]
        held &= numbers != MISSING
        raw = np.where(held, sign * numbers, np.inf)
        return _Keys(raw, lambda at: int(numbers[at]) if held[at] else None, _number_place)
    ranks, labels = matches.space.ranked(spec.name, docs[held])
    raw = np.full(len(docs), np.inf)
    raw[held] = np.where(ranks > 0, sign * ranks, np.inf)

    def place(value: CursorValue) -> float:
        if not isinstance(value, str):
            raise ValueError(_FOREIGN)  # noqa: TRY004 - the type of a cursor is part of its value
        at = bisect_left(labels, value)
        return at if labels[at : at + 1] == [value] else at - 0.5

    return _Keys(raw, lambda at: None if np.isinf(raw[at]) else labels[int(sign * raw[at])], place)
