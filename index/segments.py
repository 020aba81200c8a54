"""Segments as arrays. Everything here knows all documents; what somebody may see is decided above, in ``scope``."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from whoosh.codec.whoosh3 import W3Codec
from whoosh.util.numeric import byte_to_length

from .allowed import Mask
from .blocks import decoded, narrowed
from .columns import Codes, Ints, LabelReader, Labels, NumberReader, window
from .docs import Docs, firsts
from .errors import Damaged, Reason, TooSlow
from .terms import Lookup

CHECKSUMS = ".sums"
"""What ends the name of a segment's file with the CRC-32 of each of its columns: a changed number would be another document."""
LENGTHS: Ints = np.array([byte_to_length(code) for code in range(256)], np.int64)
"""Whoosh keeps the length of a field as one byte; these are the lengths that the bytes stand for."""
_SORTED = 5  # documents of a row are cleared and counted in the time in which one is sorted


@dataclass(frozen=True, eq=False)
class Postings:
    """The documents of a segment that hold a term, ascending, and how often each does."""

    docs: NDArray[np.uint32]
    counts: NDArray[Any]
    """Whole numbers, in as few bytes as hold them."""

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self.docs.nbytes + self.counts.nbytes


NO_POSTINGS = Postings(np.zeros(0, np.uint32), np.zeros(0, np.uint8))


def reading(name: str) -> "_Reading":
    """Whatever goes wrong in this context but for the file system and the clock means that a file is damaged.

    No list of exceptions would do: Whoosh raises Exception itself, and pickle whatever the bytes tell it to.
    """
    return _Reading(name)


class _Reading:
    """A class, since a search enters it hundreds of times: a generator made into a context costs several times as much."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, Damaged | TooSlow | OSError):
            raise Damaged(Reason.UNREADABLE, f"{self._name}: {error!r}") from error


class SegmentView:
    """One segment, opened once and shared by all threads and generations that contain it.

    Every method raises Damaged when what it reads makes no sense.
    """

    def __init__(self, storage: Any, segment: Any) -> None:
        self.name: str = segment.segment_id()
        self.size: int = segment.doc_count_all()
        self._segment = segment
        self._numbers: dict[str, Ints] = {}
        self._labels: dict[str, tuple[Codes, Labels]] = {}
        self._lengths: dict[str, NDArray[np.uint8]] = {}
        with reading(self.name):
            self._files = segment.open_compound_file(storage)
            self._sums = self._checksums()
            self._terms = segment.codec().terms_reader(self._files, segment)
            self._lookup = Lookup(self._terms)

    def numbers(self, name: str) -> Ints:
        """An INTEGER or DATE field, or ``number`` or ``stamp``: one for each document."""
        if name not in self._numbers:
            with reading(self.name):
                found = self._column(name)
                reader = NumberReader.read(*found, self.size) if found else NumberReader.absent(self.size)
                self._numbers[name] = reader.numbers
        return self._numbers[name]

    def labels(self, name: str) -> tuple[Codes, Labels]:
        """An IDENT or KEYWORD field: a code for each document, and the labels that the codes stand for."""
        if name not in self._labels:
            with reading(self.name):
                found = self._column(name)
                reader = LabelReader.read(*found, self.size) if found else LabelReader.absent(self.size)
                self._labels[name] = reader.codes, reader.labels
        return self._labels[name]

    def length_codes(self, name: str) -> NDArray[np.uint8]:
        """The length of a TEXT field in each document, as an index into ``LENGTHS``."""
        if name not in self._lengths:
            codes = np.zeros(self.size, np.uint8)
            with reading(self.name):
                if found := self._column(f"_{name}_len"):
                    stored = np.frombuffer(window(*found), np.uint8)
                    codes[: len(stored)] = stored  # Whoosh leaves out zeros at the end
            self._lengths[name] = codes
        return self._lengths[name]

    def _checksums(self) -> dict[str, int]:
        name = self._segment.make_filename(CHECKSUMS)
        if not self._files.file_exists(name):
            return {}  # as it was written before there were any
        return dict(json.loads(self._files.open_file(name).read()))

    def _column(self, name: str) -> tuple[Any, int, int] | None:
        """File, position and length of a column; None if no document of the segment has a value."""
        file = W3Codec.column_filename(self._segment, name)
        if not self._files.file_exists(file):
            return None
        found = self._files.open_file(file), 0, self._files.file_length(file)
        if self._sums and crc32(window(*found)) != self._sums[name]:
            raise ValueError(f"the column {name} is not what was written")
        return found

    def holds(self, field: str, term: str) -> bool:
        """Whether any document holds a term."""
        with reading(self.name):
            return self._lookup.position(field, term.encode("utf-8")) is not None

    def postings(self, field: str, term: str) -> Postings:
        """The documents that hold a term."""
        with reading(self.name):
            position = self._lookup.position(field, term.encode("utf-8"))
            if position is None:
                return NO_POSTINGS
            docs, counts = self._decoded(position)
            return Postings(docs, narrowed(counts))

    def _decoded(self, position: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        docs, counts = decoded(self._terms._postfile.buffer, position)
        if docs[-1] >= self.size:
            raise ValueError("a posting names a document that does not exist")
        return docs, counts

    def every(self, field: str) -> Iterator[tuple[str, NDArray[np.uint32], NDArray[np.uint32]]]:
        """Each term of a field with its documents and counts, to be written anew elsewhere."""
        with reading(self.name):
            for term, position in self._lookup.positions_from(field, b""):
                yield term.decode("utf-8"), *self._decoded(position)

    def first_terms(
        self, field: str, prefix: str, held: Mask, most: int, tick: Callable[[], None]
    ) -> dict[str, Docs]:
        """The first ``most`` of those terms of a field that begin so and stand in held documents; and these documents."""
        found: dict[str, Docs] = {}
        with reading(self.name):
            for places, infos in self._lookup.infos_from(field, prefix.encode("utf-8")):
                tick()
                alone = infos["documents"] == 1  # as nearly every identifier is: no list needs to be read
                likely = ~alone
                likely[alone] = held[infos["first"][alone]]
                for at in np.flatnonzero(likely).tolist():
                    tick()
                    own = infos["first"][at : at + 1] if alone[at] else self._decoded(infos["offset"][at])[0]
                    own = own[held[own]]
                    if len(own):
                        found[self._lookup.term_at(field, places[at]).decode()] = own.astype(np.intp)
                    if len(found) == most:
                        return found
        return found

    def postings_from(self, field: str, prefix: str, tick: Callable[[], None]) -> Postings:
        """The documents that hold any term that begins with ``prefix``, and how often they hold such terms."""
        found = []
        with reading(self.name):
            for _term, position in self._lookup.positions_from(field, prefix.encode("utf-8")):
                tick()
                found.append(self._decoded(position))
            if not found:
                return NO_POSTINGS
            docs = np.concatenate([docs for docs, _counts in found])
            counts = np.concatenate([counts for _docs, counts in found])
        return _added_up(docs, counts, self.size)


def _added_up(docs: NDArray[np.uint32], counts: NDArray[np.uint32], size: int) -> Postings:
    """Lists one after another as one: sorted where they are short, counted in the whole row of documents else."""
    if len(docs) * _SORTED < size:
        order = np.argsort(docs, kind="stable")
        docs = docs[order]
        first = firsts(docs)
        return Postings(docs[first], narrowed(np.add.reduceat(counts[order], first)))
    times = np.bincount(docs, counts, size).astype(np.uint32)
    holders = np.flatnonzero(times)
    return Postings(holders.astype(np.uint32), narrowed(times[holders]))
