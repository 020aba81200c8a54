"""Candidates in order, and the place of a cursor among them."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .columns import MISSING
from .fields import Fields, FieldSpec, Kind
from .matches import Matches
from .results import Cursor, CursorValue, Sort
from .segments import Counts

_FOREIGN = "the cursor belongs to another order"
_FIRST_CHUNK = 512  # a page and then some; most searches never sort the rest

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Order:
    """An order of candidates by two keys, both ascending, and the cursor at each of them.

    ``primary`` is infinite for what has no sort key; ``tie`` is the number, or its negative, so no two are equal.
    """

    primary: Counts
    tie: Counts
    value: Callable[[int], CursorValue]
    number: Callable[[int], int]

    def cursor(self, index: int) -> Cursor:
        return self.value(index), self.number(index)

    def among(self, indices: Indices) -> Iterator[int]:
        """The given candidates in order. Sorts only as much as is consumed, in growing chunks."""
        size = _FIRST_CHUNK
        while len(indices) > size:
            keys = self.primary[indices]
            bound = np.partition(keys, size)[size]
            yield from self._sorted(indices[keys <= bound])
            indices = indices[keys > bound]
            size *= 8
        yield from self._sorted(indices)

    def _sorted(self, indices: Indices) -> Iterator[int]:
        yield from indices[np.lexsort((self.tie[indices], self.primary[indices]))].tolist()


def ordered(
    matches: Matches, sort: Sort, fields: Fields, scores: Counts
) -> tuple[Order, Callable[[Cursor], Indices]]:
    """The order of the candidates, and a function that gives those after a cursor.

    Raises ValueError for a sort that the fields do not allow; the function does for a cursor of another order.
    """
    sign = -1.0 if sort.descending else 1.0
    if sort.field is None:
        keys = _Keys(scores, lambda at: float(scores[at]), _number_place)
    else:
        keys = _field_keys(matches, _sortable(sort.field, fields))
    primary = np.where(np.isnan(keys.raw), np.inf, sign * keys.raw).astype(np.float64)
    numbers = matches.candidates.number
    order = Order(primary, (sign * numbers).astype(np.float64), keys.value, lambda at: int(numbers[at]))

    def after(cursor: Cursor) -> Indices:
        value, number = cursor
        place = np.inf if value is None else sign * keys.place(value)
        return np.flatnonzero((primary > place) | ((primary == place) & (order.tie > sign * number)))

    return order, after


@dataclass(frozen=True, eq=False)
class _Keys:
    """``raw``: a number for each candidate, NaN where there is none; what it stands for; where a value would lie."""

    raw: Counts
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


def _field_keys(matches: Matches, spec: FieldSpec) -> _Keys:
    held = matches.candidates.held(matches.scope, spec.tier)
    if spec.kind in {Kind.INTEGER, Kind.DATE}:
        numbers = numbers_of(matches, spec)
        raw = np.where(held & (numbers != MISSING), numbers, np.nan)
        return _Keys(raw, lambda at: None if np.isnan(raw[at]) else int(raw[at]), _number_place)
    labels = labels_of(matches, spec)
    distinct = sorted({label for label, mine in zip(labels, held, strict=True) if label and mine})
    rank: dict[str, float] = {label: float(at) for at, label in enumerate(distinct)}
    ranks = [rank[label] if label and mine else np.nan for label, mine in zip(labels, held, strict=True)]
    raw = np.array(ranks, np.float64)

    def place(value: CursorValue) -> float:
        if not isinstance(value, str):
            raise ValueError(_FOREIGN)  # noqa: TRY004 - the type of a cursor is part of its value
        return rank.get(value, bisect_left(distinct, value) - 0.5)

    return _Keys(raw, lambda at: None if np.isnan(raw[at]) else distinct[int(raw[at])], place)


def numbers_of(matches: Matches, spec: FieldSpec) -> NDArray[np.int64]:
    """The number of each candidate in an INTEGER or DATE field, whether it is held there or not."""
    candidates, found = matches.candidates, np.zeros(len(matches.candidates), np.int64)
    for at, part in enumerate(matches.scope.snapshot.parts):
        here = candidates.part == at
        found[here] = part.view.numbers(spec.name)[candidates.doc[here]]
    return found


def labels_of(matches: Matches, spec: FieldSpec) -> list[str]:
    """The label of each candidate in an IDENT or KEYWORD field, whether it is held there or not."""
    candidates, found = matches.candidates, [""] * len(matches.candidates)
    for at, part in enumerate(matches.scope.snapshot.parts):
        codes, labels = part.view.labels(spec.name)
        here = np.flatnonzero(candidates.part == at)
        distinct, places = np.unique(codes[candidates.doc[here]], return_inverse=True)
        names = [labels[int(code)] for code in distinct]
        for index, place in zip(here.tolist(), places.tolist(), strict=True):
            found[index] = names[place]
    return found
