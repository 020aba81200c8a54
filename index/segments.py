"""Segments as arrays. Everything here knows all documents; what somebody may see is decided above, in ``scope``."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from pickle import UnpicklingError
from struct import error as StructError
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray
from whoosh.codec.whoosh3 import W3Codec
from whoosh.formats import Existence
from whoosh.reading import TermNotFound
from whoosh.util.numeric import byte_to_length

from .columns import Codes, Ints, LabelReader, Labels, NumberReader, window
from .errors import Damaged, Reason

LENGTHS: Ints = np.array([byte_to_length(code) for code in range(256)], np.int64)
"""Whoosh keeps the length of a field as one byte; these are the lengths that the bytes stand for."""

# What Whoosh, pickle, zlib and numpy raise when the bytes are not what they were.
UNREADABLE = (
    StructError, zlib.error, UnpicklingError, EOFError, ValueError, IndexError, KeyError, AttributeError, TypeError,
    NameError, AssertionError, ImportError, OverflowError,
)  # fmt: skip

Docs = NDArray[np.int64]
Counts = NDArray[np.float64]

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _reading(
    function: Callable[Concatenate["SegmentView", _P], _T],
) -> Callable[Concatenate["SegmentView", _P], _T]:
    @wraps(function)
    def read(view: "SegmentView", *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(view, *args, **kwargs)
        except UNREADABLE as error:
            raise Damaged(Reason.UNREADABLE, f"segment {view.name}: {error!r}") from error

    return read


@dataclass(frozen=True)
class Postings:
    """The documents of a segment that hold a term, ascending, and how often each does."""

    docs: Docs
    counts: Counts


_NONE = Postings(np.zeros(0, np.int64), np.zeros(0, np.float64))


class SegmentView:
    """One segment, opened once and shared by all threads and generations that contain it."""

    def __init__(self, storage: Any, segment: Any) -> None:
        self.name: str = segment.segment_id()
        self.size: int = segment.doc_count_all()
        self._segment = segment
        self._columns: dict[str, Any] = {}
        self._open(storage)

    @_reading
    def _open(self, storage: Any) -> None:
        self._files = self._segment.open_compound_file(storage)
        self._terms = self._segment.codec().terms_reader(self._files, self._segment)

    @_reading
    def numbers(self, name: str) -> Ints:
        """An INTEGER or DATE field, or ``number`` or ``stamp``: one for each document."""
        if name not in self._columns:
            found = self._column(name)
            self._columns[name] = NumberReader.read(found[0], 0, found[1], self.size) if found else NumberReader.absent(self.size)
        reader: NumberReader = self._columns[name]
        return reader.numbers

    @_reading
    def labels(self, name: str) -> tuple[Codes, Labels]:
        """An IDENT or KEYWORD field: a code for each document, and the labels that the codes stand for."""
        if name not in self._columns:
            found = self._column(name)
            self._columns[name] = LabelReader.read(found[0], 0, found[1], self.size) if found else LabelReader.absent(self.size)
        reader: LabelReader = self._columns[name]
        return reader.codes, reader.labels

    @_reading
    def length_codes(self, name: str) -> NDArray[np.uint8]:
        """The length of a TEXT field in each document, as an index into ``LENGTHS``."""
        column = f"_{name}_len"
        if column not in self._columns:
            codes = np.zeros(self.size, np.uint8)
            if found := self._column(column):
                stored = np.frombuffer(window(found[0], 0, found[1]), np.uint8)
                codes[: len(stored)] = stored
            self._columns[column] = codes
        codes_of: NDArray[np.uint8] = self._columns[column]
        return codes_of

    def _column(self, name: str) -> tuple[Any, int] | None:
        """The file of a column and its length; None if no document of the segment has a value."""
        file = W3Codec.column_filename(self._segment, name)
        if not self._files.file_exists(file):
            return None
        return self._files.open_file(file), self._files.file_length(file)

    @_reading
    def postings(self, field: str, term: str) -> Postings:
        try:
            matcher = self._terms.matcher(field, term.encode("utf-8"), Existence())
        except TermNotFound:
            return _NONE
        blocks = list(_blocks(matcher))
        docs = np.concatenate([block[0] for block in blocks])
        if docs[0] < 0 or docs[-1] >= self.size:
            raise ValueError("a posting names a document that does not exist")
        return Postings(docs, np.concatenate([block[1] for block in blocks]))

    @_reading
    def terms_from(self, field: str, prefix: str) -> list[str]:
        """The stored terms that begin with ``prefix``, ascending."""
        start = prefix.encode("utf-8")
        found: list[str] = []
        for name, term in self._terms.terms_from(field, start):
            if name != field or not term.startswith(start):
                break
            found.append(term.decode("utf-8"))
        return found


def _blocks(matcher: Any) -> Iterator[tuple[Docs, Counts]]:
    """The blocks of a posting list, each decoded at once. Whoosh's own way steps through postings one by one."""
    while True:
        matcher._read_data()
        steps, weights, _ = matcher._data
        docs = np.cumsum(np.array(steps, np.int64))
        yield docs, np.broadcast_to(np.array(1.0 if weights is None else weights, np.float64), docs.shape)
        if matcher._lastblock:
            return
        matcher._goto(matcher._nextoffset)
