"""Sets of documents: ascending arrays of their places in a row of ``size`` documents.

Each question has two ways: to search in the array where few are asked for, or to mark the whole row where many are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .allowed import Mask

Docs = NDArray[np.intp]

_SEARCHED = 20  # one search in an array costs as much as so many marks
_CLEARED = 20  # so many documents of an empty row as much as one mark

NO_DOCS: Docs = np.zeros(0, np.intp)


def among(docs: Docs, them: Docs, size: int) -> Mask:
    """Which of some documents are in a set."""
    if docs is them:
        return np.ones(len(docs), np.bool_)
    if not _few(docs, them, size):
        row = np.zeros(size, np.bool_)
        row[them] = True
        return row[docs]
    places = np.searchsorted(them, docs)
    within: Mask = places < len(them)
    within[within] = them[places[within]] == docs[within]
    return within


def places(docs: Docs, them: Docs, size: int) -> Docs:
    """Where in a set some of its documents, ascending, stand."""
    if _few(docs, them, size):
        return np.searchsorted(them, docs)
    row = np.zeros(size, np.bool_)
    row[docs] = True
    return np.flatnonzero(row[them])


def common(docs: Docs, them: Docs, size: int) -> Docs:
    """What is in both sets; if one holds the other, the smaller as it is."""
    if docs is them:
        return docs
    few, many = sorted((docs, them), key=len)
    both = among(few, many, size)
    return few if both.all() else few[both]


def union(sets: Sequence[Docs], size: int) -> Docs:
    """What is in any of the sets; of one that is not empty, as it is."""
    sets = [docs for docs in sets if len(docs)]
    if len(sets) < 2:
        return sets[0] if sets else NO_DOCS
    if sum(map(len, sets)) * _SEARCHED < size:
        found: Docs = np.sort(np.concatenate(sets))  # ten times as fast as numpy's unique
        return found[firsts(found)]
    row = np.zeros(size, np.bool_)
    for docs in sets:
        row[docs] = True
    return np.flatnonzero(row)


@dataclass(frozen=True, eq=False)
class Chosen:
    """Documents in a list; or, where they take less room so, marked in a row."""

    row: Mask | None
    docs: Docs

    @classmethod
    def of(cls, row: Mask) -> Self:
        """Those that are marked in a row."""
        broad = int(np.count_nonzero(row)) * NO_DOCS.itemsize > row.nbytes
        return cls(row, NO_DOCS) if broad else cls(None, np.flatnonzero(row))

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self.docs.nbytes if self.row is None else self.row.nbytes


def firsts(ascending: NDArray[Any]) -> NDArray[np.intp]:
    """Where each number stands for the first time."""
    return np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1])[: len(ascending)])


def _few(docs: Docs, them: Docs, size: int) -> bool:
    return len(docs) * _SEARCHED < len(them) + size // _CLEARED
