"""All documents of a snapshot in one row, segment after segment, and what is kept of them between searches.

Everything here knows all documents; what somebody may see is decided above, in ``scope``.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .allowed import Mask
from .analysis import key
from .columns import Codes, Ints, Labels
from .docs import Docs
from .documents import SEPARATOR
from .holdings import Holding
from .kept import Kept
from .segments import NO_POSTINGS, Postings, SegmentView

Tick = Callable[[], None]
"""Called between steps; raises TooSlow when the time is up."""

ROOM_FOR_POSTINGS = 64 << 20
"""Bytes of posting lists that are kept decoded, for everybody."""
ROOM_FOR_HOLDINGS = 64 << 20
"""Bytes of what is kept of the people who search."""

_Value = TypeVar("_Value")


@dataclass(frozen=True, eq=False)
class Keywords:
    """A KEYWORD field: a code for each document, ascending as the labels do; 0 is the label of none."""

    codes: Codes
    labels: Sequence[str]

    @cached_property
    def values(self) -> tuple[frozenset[str], ...]:
        """What each label stands for."""
        return tuple(frozenset(label.split(SEPARATOR) if label else ()) for label in self.labels)

    @cached_property
    def _by_key(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for code, values in enumerate(self.values):
            for one in {key(value) for value in values}:
                found.setdefault(one, []).append(code)
        return found

    def docs(self, wanted: str) -> Docs:
        """The documents among whose values a key is."""
        table = np.zeros(len(self.labels), np.bool_)
        table[self._by_key.get(wanted, [])] = True
        return np.flatnonzero(table[self.codes])


class Space:
    """文档行: the documents of some segments under one numbering. Shared by threads.

    Columns are put together when they are first asked for.
    """

    def __init__(self, views: Sequence[SegmentView], alive: Sequence[Mask]) -> None:
        self.views = tuple(views)
        ends = np.cumsum([0, *(view.size for view in views)]).tolist()
        self.starts: tuple[int, ...] = tuple(ends[:-1])
        self.size: int = ends[-1]
        self.alive: Mask = np.concatenate([np.zeros(0, np.bool_), *alive])
        self._postings = Kept[Postings](ROOM_FOR_POSTINGS, lambda found: found.size)
        self.holdings = Kept[Holding](ROOM_FOR_HOLDINGS, lambda holding: holding.size)
        self._columns: dict[tuple[str, str], Any] = {}

    def numbers(self, name: str) -> Ints:
        """An INTEGER or DATE field, or ``number`` or ``stamp``: one for each document."""
        return self._column("numbers", name, lambda: _joined(view.numbers(name) for view in self.views))

    def length_codes(self, name: str) -> NDArray[np.uint8]:
        """The length of a TEXT field in each document, as an index into ``LENGTHS``."""
        return self._column("lengths", name, lambda: _joined(view.length_codes(name) for view in self.views))

    def keywords(self, name: str) -> Keywords:
        """A KEYWORD field, its codes the same in all segments."""
        return self._column("keywords", name, lambda: _one_code([view.labels(name) for view in self.views]))

    def ranked(self, name: str, docs: Docs) -> tuple[Ints, list[str]]:
        """The rank of some documents by their labels in an IDENT or KEYWORD field, and the labels by their rank; 0 has none."""
        bounds = np.searchsorted(docs, self.starts)
        own = [
            _used(view.labels(name), part - start)
            for view, start, part in zip(self.views, self.starts, np.split(docs, bounds)[1:], strict=True)
        ]
        labels = sorted({"", *(label for _places, used in own for label in used)})
        rank = {label: at for at, label in enumerate(labels)}
        ranks = [np.array([rank[label] for label in used], np.int64)[places] for places, used in own]
        return _joined(ranks), labels

    def _column(self, kind: str, name: str, make: Callable[[], _Value]) -> _Value:
        if (kind, name) not in self._columns:
            self._columns[kind, name] = make()
        found: _Value = self._columns[kind, name]
        return found

    def postings(self, field: str, term: str, tick: Tick, *, starts: bool = False) -> Postings:
        """The documents that hold a term, or any term that it begins."""

        def find() -> Postings:
            found = []
            for view in self.views:
                tick()
                found.append(view.postings_from(field, term, tick) if starts else view.postings(field, term))
            return self._joined_postings(found)

        return self._postings.get((field, term, starts), find)

    def chosen(self, what: Hashable, find: Callable[[], Docs]) -> Docs:
        """The documents that something else finds, kept like those of a term."""
        return self._postings.get(what, lambda: Postings(find(), NO_POSTINGS.counts)).docs

    def _joined_postings(self, parts: Sequence[Postings]) -> Postings:
        found = [(part, start) for part, start in zip(parts, self.starts, strict=True) if len(part.docs)]
        if not found:
            return NO_POSTINGS
        docs = np.concatenate([part.docs + start for part, start in found])
        return Postings(docs, np.concatenate([part.counts for part, _start in found]))


def _joined(arrays: Iterable[NDArray[Any]]) -> Any:
    found = list(arrays)
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _used(column: tuple[Codes, Labels], docs: Docs) -> tuple[Docs, list[str]]:
    """The labels of some documents of a segment, each once, and for each document which it is."""
    codes, labels = column
    used, places = np.unique(codes[docs], return_inverse=True)
    return places, [labels[code] for code in used.tolist()]


def _one_code(parts: Sequence[tuple[Codes, Labels]]) -> Keywords:
    own = [list(labels) for _codes, labels in parts]
    together = sorted({"", *(label for labels in own for label in labels)})
    rank = {label: code for code, label in enumerate(together)}
    found = [
        np.array([rank[label] for label in labels], np.int32)[codes]
        for (codes, _), labels in zip(parts, own, strict=True)
    ]
    return Keywords(np.concatenate([np.zeros(0, np.int32), *found]), together)
