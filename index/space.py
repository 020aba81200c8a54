"""All documents of a snapshot in one row, segment after segment, and what is kept of them between searches.

Everything here knows all documents; what somebody may see is decided above, in ``scope``.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .allowed import Mask
from .analysis import key
from .clock import Tick
from .columns import Codes, Ints, Labels
from .docs import NO_DOCS, Chosen, Docs, union
from .documents import SEPARATOR
from .held import Held
from .kept import Kept
from .segments import NO_POSTINGS, Postings, SegmentView

ROOM_FOR_DECODED = 32 << 20
"""Bytes of posting lists of segments that are kept decoded from one state of the index to the next, for everybody."""
ROOM_FOR_POSTINGS = 32 << 20
"""Bytes of posting lists that are kept joined over the segments of a state, for everybody."""
ROOM_FOR_HELD = 32 << 20
"""Bytes of what is kept of the people who search."""

_OF_A_LABEL = 600  # bytes: a string, the set of what it stands for, and where that is found
_Value = TypeVar("_Value")


@dataclass(frozen=True, eq=False)
class Keywords:
    """A KEYWORD field: a code for each document, ascending as the labels do; 0 is the label of none."""

    codes: Codes
    labels: Sequence[str]

    @property
    def nbytes(self) -> int:
        """Bytes in memory, about."""
        return self.codes.nbytes + len(self.labels) * _OF_A_LABEL

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

    def row(self, wanted: str) -> Mask:
        """For each document whether a key is among its values."""
        table = np.zeros(len(self.labels), np.bool_)
        table[self._by_key.get(wanted, [])] = True
        row: Mask = table[self.codes]
        return row


@dataclass(frozen=True, eq=False)
class Holders:
    """The documents of all segments that hold a term, ascending, and how often each does."""

    docs: Docs
    counts: NDArray[Any]
    """Whole numbers, in as few bytes as hold them."""

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self.docs.nbytes + self.counts.nbytes


NO_HOLDERS = Holders(NO_DOCS, np.zeros(0, np.uint8))


class Labelled(NamedTuple):
    """An IDENT or KEYWORD field of a segment whose first document is ``start``; a code for each, 0 for none."""

    start: int
    codes: Codes
    labels: Labels


class Space:
    """文档行: the documents of some segments under one numbering. Shared by threads.

    Columns are put together when they are first asked for. What was decoded of its segments for an earlier state of the
    index is taken over from there: they never change, and between two states most of them are the same.
    """

    def __init__(
        self, views: Sequence[SegmentView], alive: Sequence[Mask], earlier: "Space | None" = None
    ) -> None:
        self._views = tuple(views)
        ends = np.cumsum([0, *(view.size for view in views)]).tolist()
        self._starts: tuple[int, ...] = tuple(ends[:-1])
        self.size: int = ends[-1]
        self.alive: Mask = np.concatenate([np.zeros(0, np.bool_), *alive])
        self._decoded: Kept[Postings] = (
            earlier._decoded if earlier else Kept(ROOM_FOR_DECODED, lambda found: found.size)
        )
        self._decoded.keep_only({view.name for view in views})
        self._postings = Kept[Any](ROOM_FOR_POSTINGS, lambda found: found.size)
        self.held = Kept[Held](ROOM_FOR_HELD, lambda held: held.size)
        self._columns: dict[tuple[str, str], Any] = {}

    @property
    def kept(self) -> int:
        """Bytes in memory, about: what searches have left here for others."""
        columns = sum(column.nbytes for column in list(self._columns.values()))
        return self._decoded.size + self._postings.size + self.held.size + int(columns)

    def numbers(self, name: str) -> Ints:
        """An INTEGER or DATE field, or ``number`` or ``stamp``: one for each document."""
        return self._column("numbers", name, lambda: _joined(view.numbers(name) for view in self._views))

    def length_codes(self, name: str) -> NDArray[np.uint8]:
        """The length of a TEXT field in each document, as an index into ``LENGTHS``."""
        return self._column("lengths", name, lambda: _joined(view.length_codes(name) for view in self._views))

    def keywords(self, name: str) -> Keywords:
        """A KEYWORD field, its codes the same in all segments."""
        return self._column("keywords", name, lambda: _one_code([view.labels(name) for view in self._views]))

    def labels(self, name: str) -> list[Labelled]:
        """An IDENT or KEYWORD field, segment after segment."""
        return [
            Labelled(start, *view.labels(name)) for view, start in zip(self._views, self._starts, strict=True)
        ]

    def first_terms(self, name: str, prefix: str, held: Mask, most: int, tick: Tick) -> dict[str, Docs]:
        """The first ``most`` of those terms of a field that begin so and stand in held documents; and these documents."""
        found = []
        for view, start in zip(self._views, self._starts, strict=True):
            tick()
            found.append(view.first_terms(name, prefix, held[start : start + view.size], most, tick))
        own = list(zip(found, self._starts, strict=True))
        return {
            term: union([docs[term] + start for docs, start in own if term in docs], self.size)
            for term in sorted(set[str]().union(*found))[:most]
        }

    def _column(self, kind: str, name: str, make: Callable[[], _Value]) -> _Value:
        if (kind, name) not in self._columns:
            self._columns[kind, name] = make()
        found: _Value = self._columns[kind, name]
        return found

    def postings(self, field: str, term: str, tick: Tick, *, starts: bool = False) -> Holders:
        """The documents that hold a term, or any term that it begins."""

        def decoded(view: SegmentView) -> Postings:
            tick()
            return view.postings_from(field, term, tick) if starts else view.postings(field, term)

        def joined() -> Holders:
            tick()
            what = field, term, starts
            # A word is looked for in every field, and stands in few of them: of the others there is nothing to keep.
            return self._joined([
                self._decoded.get((view.name, what), partial(decoded, view))
                if starts or view.holds(field, term) else NO_POSTINGS
                for view in self._views
            ])  # fmt: skip

        found: Holders = self._postings.get((field, term, starts), joined)
        return found

    def chosen(self, what: Hashable, find: Callable[[], Mask]) -> Chosen:
        """The documents that something else marks in a row, kept like those of a term."""
        found: Chosen = self._postings.get(what, lambda: Chosen.of(find()))
        return found

    def _joined(self, parts: Sequence[Postings]) -> Holders:
        found = [(part, start) for part, start in zip(parts, self._starts, strict=True) if len(part.docs)]
        if not found:
            return NO_HOLDERS
        docs = np.concatenate([np.add(part.docs, start, dtype=np.intp) for part, start in found])
        return Holders(docs, np.concatenate([part.counts for part, _start in found]))


def _joined(arrays: Iterable[NDArray[Any]]) -> Any:
    found = list(arrays)
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _one_code(parts: Sequence[tuple[Codes, Labels]]) -> Keywords:
    own = [list(labels) for _codes, labels in parts]
    together = sorted({"", *(label for labels in own for label in labels)})
    rank = {label: code for code, label in enumerate(together)}
    found = [
        np.array([rank[label] for label in labels], np.int32)[codes]
        for (codes, _), labels in zip(parts, own, strict=True)
    ]
    return Keywords(np.concatenate([np.zeros(0, np.int32), *found]), together)
