"""Hits counted by the values of a field."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .columns import MISSING, Ints
from .docs import Docs
from .fields import FieldSpec, Kind
from .matches import Matches
from .results import Counted
from .space import Keywords

_NARROW = 1 << 16  # numbers this close together are counted in a table


def counted(matches: Matches, spec: FieldSpec, docs: Docs) -> Counted:
    """How many of some documents have each value, the most frequent first; as far as they are held at the field's tier."""
    matches.tick()
    docs = docs[matches.scope.held(spec.tier).of(docs)]
    counts: Mapping[Any, int]
    if spec.kind is Kind.INTEGER:
        counts = _of_numbers(matches.space.numbers(spec.name)[docs])
    else:
        counts = labelled(matches.space.keywords(spec.name), docs)
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _of_numbers(numbers: Ints) -> dict[str | int, int]:
    numbers = numbers[numbers != MISSING]
    if not len(numbers):
        return {}
    least = int(numbers.min())
    if int(numbers.max()) - least >= _NARROW:
        values, times = np.unique(numbers, return_counts=True)
        return dict(zip(values.tolist(), times.tolist(), strict=True))
    times = np.bincount(numbers - least)
    return {least + at: int(times[at]) for at in np.flatnonzero(times).tolist()}


def labelled(column: Keywords, docs: Docs) -> dict[str, int]:
    """How many of some documents have each value of a KEYWORD field, in no order."""
    times = np.bincount(column.codes[docs], minlength=1)
    counts: dict[str, int] = {}
    for code in np.flatnonzero(times).tolist():
        for value in column.values[code]:
            counts[value] = counts.get(value, 0) + int(times[code])
    return counts
