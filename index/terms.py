"""The table of terms of a segment, as Whoosh reads it: written at once, and looked up without Whoosh's many steps."""

import struct
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from whoosh.filedb import filetables
from whoosh.system import pack_ushort

_CRC = 1  # Whoosh's number for it; md5 is its usual choice, and slower
_SIZES = struct.Struct("!ii")
_SLOT = np.dtype([("hash", ">u4"), ("position", ">i8")])
_INFO = np.dtype(
    [
        ("inlined", "u1"), ("weight", ">f4"), ("documents", ">u4"), ("shortest", "u1"), ("longest", "u1"),
        ("heaviest", ">f4"), ("first", ">u4"), ("last", ">u4"), ("offset", ">i8"), ("size", ">i4"),
    ]
)  # fmt: skip
_ENTRY = np.dtype([("key", ">u4"), ("info", ">i4")])
_FEWEST, _MOST = 64, 8192  # entries read at once
_BUCKETS = 256
_POINTER, _OFFSET = struct.Struct("!Iq"), struct.Struct("!q")
_OFFSET_AT = _INFO.itemsize - 12  # before the size


def info(count: int) -> NDArray[Any]:
    """Room for what the table says of so many terms."""
    return np.zeros(count, _INFO)


class _Positions:
    """Where each key stands: for the search in their order."""

    typecode = "q"

    def __init__(self) -> None:
        self.positions = array("q")

    def __len__(self) -> int:
        return len(self.positions)

    def to_file(self, file: Any) -> None:
        file.write_array(self.positions)


class TermTable(filetables.OrderedHashWriter):
    """词表: Whoosh's ordered hash, filled and laid out with arrays. Fields come in any order, their terms ascending."""

    def __init__(self, file: Any) -> None:
        filetables.HashWriter.__init__(self, file, hashtype=_CRC)
        self.index = _Positions()
        self._hashes = array("Q")

    def add_terms(self, field: bytes, terms: list[bytes], infos: NDArray[Any]) -> None:
        """The terms of a field, whose number is ``field``."""
        written, size = infos.tobytes(), infos.dtype.itemsize
        position, hashed = self.dbfile.tell(), self.hashfn
        parts = []
        for at, term in enumerate(terms):
            key = field + term
            self.index.positions.append(position)
            self._hashes.append(hashed(key))
            parts.append(_SIZES.pack(len(key), size) + key + written[at * size : (at + 1) * size])
            position += _SIZES.size + len(key) + size
        self.dbfile.write(b"".join(parts))

    def _write_hashes(self) -> None:
        hashes = np.frombuffer(self._hashes, np.uint64) if self._hashes else np.zeros(0, np.uint64)
        positions = (
            np.frombuffer(self.index.positions, np.int64) if len(self.index) else np.zeros(0, np.int64)
        )
        buckets = (hashes & np.uint64(_BUCKETS - 1)).astype(np.int64)
        order = np.argsort(buckets, kind="stable")
        ends = np.cumsum(np.bincount(buckets, minlength=_BUCKETS))
        for here in np.split(order, ends[:-1]):
            slots = _laid_out(hashes[here], positions[here])
            self.directory.append((self.dbfile.tell(), len(slots)))
            self.dbfile.write(slots.tobytes())


def _laid_out(hashes: NDArray[np.uint64], positions: NDArray[np.int64]) -> NDArray[Any]:
    """One hash table, twice as large as its contents; what finds its slot taken goes to the next free one."""
    size = 2 * len(hashes)
    slots = np.zeros(size, _SLOT)
    if not size:
        return slots
    wanted = ((hashes >> np.uint64(8)) % np.uint64(size)).astype(np.int64)
    order = np.argsort(wanted, kind="stable")
    count = np.arange(size // 2)
    places = np.maximum.accumulate(wanted[order] - count) + count
    beyond = places >= size
    if beyond.any():  # those begin again at the front, behind what is there
        free = np.ones(size, np.bool_)
        free[places[~beyond]] = False
        places[beyond] = np.flatnonzero(free)[: int(beyond.sum())]
    slots["hash"][places] = hashes[order]
    slots["position"][places] = positions[order]
    return slots


class Lookup:
    """Where the posting list of a term begins. Damaged tables raise whatever reading them makes of it."""

    def __init__(self, terms: Any) -> None:
        table = terms._tindex
        self._buffer: memoryview = table.dbfile.buffer
        self._tables: list[tuple[int, int]] = table.tables
        self._hashed, self._first = table.hashfn, table.closest_key_pos
        self._end: int = table.endofdata
        self._bytes = np.frombuffer(self._buffer, np.uint8)
        self._positions = np.frombuffer(self._buffer, ">i8", table.indexlen, table.indexbase)
        self._fields = {name: pack_ushort(number) for name, number in terms._fieldmap.items()}

    def position(self, field: str, term: bytes) -> int | None:
        """None if no document holds the term."""
        if field not in self._fields:
            return None
        key = self._fields[field] + term
        hashed = self._hashed(key)
        start, slots = self._tables[hashed & (_BUCKETS - 1)]
        slot = (hashed >> 8) % slots if slots else 0
        for _ in range(slots):
            found, at = _POINTER.unpack_from(self._buffer, start + slot * _POINTER.size)
            if not at:
                return None
            if found == hashed:
                own, position = self._entry(at)
                if own == key:
                    return position
            slot = (slot + 1) % slots
        return None

    def positions_from(self, field: str, prefix: bytes) -> Iterator[tuple[bytes, int]]:
        """Each term of a field that begins so, ascending."""
        if field not in self._fields:
            return
        start = self._fields[field] + prefix
        at = self._first(start)
        while at is not None and at < self._end:
            key, position = self._entry(at)
            if not key.startswith(start):
                return
            yield key[len(self._fields[field]) :], position
            at += _SIZES.size + len(key) + _INFO.itemsize

    def infos_from(self, field: str, prefix: bytes) -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]:
        """What the table says of each term of a field that begins so, ascending, many at once; and where each stands."""
        if field not in self._fields:
            return
        start, ranks = self._fields[field] + prefix, range(len(self._positions))
        at = bisect_left(ranks, start, key=self._key)
        end = bisect_right(ranks, start, key=lambda rank: self._key(rank)[: len(start)])
        size = _FEWEST
        while at < end:
            places = self._positions[at : min(end, at + size)].astype(np.int64)
            yield places, self._infos(places)
            at, size = at + size, min(2 * size, _MOST)

    def _infos(self, places: NDArray[np.int64]) -> NDArray[Any]:
        sizes = self._read(places, _ENTRY)
        infos = self._read(places + _SIZES.size + sizes["key"], _INFO)
        if (sizes["info"] != _INFO.itemsize).any() or infos["inlined"].any():
            raise ValueError("the table of terms holds something else")
        return infos

    def _read(self, places: NDArray[np.int64], what: np.dtype[Any]) -> NDArray[Any]:
        """One of a kind at each of some places, which need not be where a number may stand."""
        found: NDArray[Any] = self._bytes[places[:, None] + np.arange(what.itemsize)].view(what)
        return found[:, 0]

    def _key(self, rank: int) -> bytes:
        return self._entry(int(self._positions[rank]))[0]

    def term_at(self, field: str, place: int) -> bytes:
        """The term of a field that stands there."""
        return self._entry(place)[0][len(self._fields[field]) :]

    def _entry(self, at: int) -> tuple[bytes, int]:
        length, size = _SIZES.unpack_from(self._buffer, at)
        info_at = at + _SIZES.size + length
        if length < 0 or size != _INFO.itemsize or self._buffer[info_at]:
            raise ValueError("the table of terms holds something else")
        (position,) = _OFFSET.unpack_from(self._buffer, info_at + _OFFSET_AT)
        return bytes(self._buffer[at + _SIZES.size : info_at]), position
