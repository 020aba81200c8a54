"""Segments as arrays. Everything here knows all documents; what somebody may see is decided above, in ``scope``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from whoosh.codec.whoosh3 import W3Codec
from whoosh.reading import TermNotFound
from whoosh.util.numeric import byte_to_length

from .blocks import decoded
from .columns import Codes, Ints, LabelReader, Labels, NumberReader, window
from .errors import Damaged, Reason, TooSlow

LENGTHS: Ints = np.array([byte_to_length(code) for code in range(256)], np.int64)
"""Whoosh keeps the length of a field as one byte; these are the lengths that the bytes stand for."""

Docs = NDArray[np.int64]
Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Postings:
    """The documents of a segment that hold a term, ascending, and how often each does."""

    docs: Docs
    counts: Counts


def among(docs: Docs, all_of_them: Docs) -> NDArray[np.bool_]:
    """Which of some documents are in an ascending list of documents."""
    places = np.searchsorted(all_of_them, docs)
    within = places < len(all_of_them)
    within[within] = all_of_them[places[within]] == docs[within]
    return within


_NONE = Postings(np.zeros(0, np.int64), np.zeros(0, np.float64))


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Whatever goes wrong in here but for the file system and the clock means that a file is damaged.

    No list of exceptions would do: Whoosh raises Exception itself, and pickle whatever the bytes tell it to.
    """
    try:
        yield
    except (Damaged, TooSlow, OSError):
        raise
    except Exception as error:
        raise Damaged(Reason.UNREADABLE, f"{name}: {error!r}") from error


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
            self._terms = segment.codec().terms_reader(self._files, segment)

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

    def _column(self, name: str) -> tuple[Any, int, int] | None:
        """File, position and length of a column; None if no document of the segment has a value."""
        file = W3Codec.column_filename(self._segment, name)
        if not self._files.file_exists(file):
            return None
        return self._files.open_file(file), 0, self._files.file_length(file)

    def postings(self, field: str, term: str) -> Postings:
        """The documents that hold a term."""
        with reading(self.name):
            try:
                found = self._terms.term_info(field, term.encode("utf-8"))
            except TermNotFound:
                return _NONE
            docs, counts = self._decoded(found)
            return Postings(docs.astype(np.int64), counts.astype(np.float64))

    def _decoded(self, found: Any) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        offset, _ = (
            found.extent()
        )  # Whoosh reads the length as a tuple; the last block knows that it is the last
        docs, counts = decoded(self._terms._postfile.buffer[offset:])
        if docs[-1] >= self.size:
            raise ValueError("a posting names a document that does not exist")
        return docs, counts

    def every(self, field: str) -> Iterator[tuple[str, NDArray[np.uint32], NDArray[np.uint32]]]:
        """Each term of a field with its documents and counts, to be written anew elsewhere."""
        with reading(self.name):
            for (name, term), found in self._terms.items_from(field, b""):
                if name != field:
                    return
                yield term.decode("utf-8"), *self._decoded(found)

    def postings_from(self, field: str, prefix: str, tick: Callable[[], None]) -> Postings:
        """The documents that hold any term that begins with ``prefix``, and how often they hold such terms."""
        start = prefix.encode("utf-8")
        times = np.zeros(self.size, np.float64)
        with reading(self.name):
            for (name, term), found in self._terms.items_from(field, start):
                if name != field or not term.startswith(start):
                    break
                tick()
                docs, counts = self._decoded(found)
                times[docs] += counts
        holders = np.flatnonzero(times)
        return Postings(holders, times[holders])
