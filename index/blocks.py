"""Posting lists on the disk: blocks of arrays, which numpy writes and reads whole and Whoosh's matchers can step through."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from whoosh.codec.whoosh3 import W3LeafMatcher
from whoosh.util.numeric import byte_to_length

Docs = NDArray[np.uint32]
Counts = NDArray[np.uint32]

BLOCK = 4096
"""Postings in a block at most."""

_HEAD = struct.Struct("<iIIIIBBBB")
"""Bytes that follow (in the last block: −1 less them); postings; first and last document; highest count; the length codes
of the shortest and the longest field; the widths of a step between documents and of a count, 0 where each count is 1."""
_WIDTHS: dict[int, np.dtype[Any]] = {1: np.dtype("<u1"), 2: np.dtype("<u2"), 4: np.dtype("<u4")}


def width(most: int) -> int:
    """Bytes in which every number up to ``most`` can be written."""
    return 1 if most < 1 << 8 else 2 if most < 1 << 16 else 4


def encoded(docs: Docs, counts: Counts, shortest: int, longest: int) -> bytes:
    """A posting list: documents ascending, how often each holds the term, and the bounds of their length codes."""
    starts = range(0, len(docs), BLOCK)
    return b"".join(
        _block(docs[at : at + BLOCK], counts[at : at + BLOCK], shortest, longest, last=at == starts[-1])
        for at in starts
    )


def _block(docs: Docs, counts: Counts, shortest: int, longest: int, *, last: bool) -> bytes:
    steps, highest = np.diff(docs), int(counts.max())
    step = width(int(steps.max(initial=0)))
    size = 0 if highest == 1 else width(highest)
    data = steps.astype(_WIDTHS[step]).tobytes() + (counts.astype(_WIDTHS[size]).tobytes() if size else b"")
    head = (-len(data) - 1 if last else len(data), len(docs), int(docs[0]), int(docs[-1]), highest)
    return _HEAD.pack(*head, shortest, longest, step, size) + data


def narrowed(counts: Counts) -> NDArray[Any]:
    """The same in as few bytes as hold them."""
    return counts.astype(_WIDTHS[width(int(counts.max(initial=0)))], copy=False)


def decoded(buffer: memoryview, position: int = 0) -> tuple[Docs, Counts]:
    """What ``encoded`` wrote, from a position on. Raises ValueError for anything else."""
    docs, counts, at, last = [], [], position, False
    while not last:
        head = Head(buffer, at)
        last = head.is_last
        found = head.arrays(buffer)
        docs.append(found[0])
        counts.append(found[1])
        at = head.end
    return (docs[0], counts[0]) if len(docs) == 1 else (np.concatenate(docs), np.concatenate(counts))


class Head:
    """What stands before a block, at ``position`` of a buffer. Raises ValueError where none can stand."""

    def __init__(self, buffer: memoryview, position: int) -> None:
        if not 0 <= position <= len(buffer) - _HEAD.size:
            raise ValueError("a block of postings is not there")
        told: tuple[int, ...] = _HEAD.unpack_from(buffer, position)
        follow, self.postings, self.first, self.last, self.highest = told[:5]
        self.shortest, self.longest, self.stepped, self.counted = told[5:]
        self.is_last = follow < 0
        self.data = position + _HEAD.size
        self.end = self.data + (-follow - 1 if follow < 0 else follow)
        size = (self.postings - 1) * self.stepped + self.postings * self.counted
        known = self.stepped in _WIDTHS and (not self.counted or self.counted in _WIDTHS)
        if not (self.postings and known and self.end <= len(buffer) and size == self.end - self.data):
            raise ValueError("a block of postings has another size than it says")

    def arrays(self, buffer: memoryview) -> tuple[Docs, Counts]:
        """Documents and counts."""
        docs = np.empty(self.postings, np.uint32)
        docs[0] = self.first
        docs[1:] = np.frombuffer(buffer, _WIDTHS[self.stepped], self.postings - 1, self.data)
        np.cumsum(docs, out=docs)
        if docs[-1] != self.last:
            raise ValueError("a block of postings ends elsewhere than it says")
        if not self.counted:
            return docs, np.ones(self.postings, np.uint32)
        at = self.data + (self.postings - 1) * self.stepped
        return docs, np.frombuffer(buffer, _WIDTHS[self.counted], self.postings, at).astype(np.uint32)


class Matcher(W3LeafMatcher):
    """A posting list as Whoosh steps through it: for whoever opens the index with Whoosh itself."""

    def _read_header(self) -> None:
        self._baseoffset = self._startoffset

    def _goto(self, position: int) -> None:
        self._data: tuple[list[int], list[float]] | None = None
        self._ids: list[int] | None = None
        self._weights: list[float] | None = None
        self._values: tuple[bytes, ...] | None = None
        self._i = 0
        self._head = head = Head(self._postfile.buffer, position)
        self._lastblock, self._nextoffset = head.is_last, head.end
        self._blocklength, self._maxid, self._maxweight = head.postings, head.last, float(head.highest)
        self._minlength, self._maxlength = byte_to_length(head.shortest), byte_to_length(head.longest)

    def _read_ids(self) -> None:
        self._ids = self._both()[0]

    def _read_weights(self) -> None:
        self._weights = self._both()[1]

    def _both(self) -> tuple[list[int], list[float]]:
        if self._data is None:
            docs, counts = self._head.arrays(self._postfile.buffer)
            self._data = docs.tolist(), counts.astype(np.float64).tolist()
        return self._data

    def _read_values(self) -> None:
        self._values = (b"",) * self._head.postings
