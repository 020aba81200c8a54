"""Whoosh columns that numpy reads in place: numbers, and labels with codes that sort as the labels do."""

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from whoosh import columns

from .errors import Damaged, Reason

MISSING = -(1 << 63)
"""The number of a document that has none."""

_TAIL = struct.Struct("<qq")

Ints = NDArray[np.int64]
Codes = NDArray[np.int32]


def window(file: Any, position: int, length: int) -> bytes | memoryview:
    """Part of a segment's file, without copying it if the segment is mapped into memory."""
    buffer = getattr(file, "buffer", None)
    part = file.get(position, length) if buffer is None else buffer[position : position + length]
    if not isinstance(part, bytes | memoryview) or len(part) != length:
        raise ValueError("a file of the index is shorter than it says")
    return part


class Labels:
    """Distinct strings in ascending order; the first is the empty one, the label of a document that has none."""

    def __init__(self, offsets: Ints, letters: bytes | memoryview) -> None:
        self._offsets = offsets
        self._letters = letters

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __iter__(self) -> Iterator[str]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, code: int) -> str:
        if not 0 <= code < len(self):
            raise IndexError(code)
        letters = bytes(self._letters[self._offsets[code] : self._offsets[code + 1]])
        try:
            return letters.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Damaged(Reason.UNREADABLE, "a label is no text") from error


class NumberColumn(columns.Column):
    """One integer of 64 bits for each document."""

    def default_value(self, reverse: bool = False) -> int:  # noqa: ARG002, FBT001, FBT002
        return MISSING

    def writer(self, file: Any) -> "_Writer":
        return _Writer(GrowingNumbers(), file)

    def reader(self, file: Any, position: int, length: int, count: int) -> "NumberReader":
        return NumberReader.read(file, position, length, count)


class GrowingNumbers:
    """A column of numbers that grows."""

    def __init__(self) -> None:
        self._numbers = array("q")

    def add(self, document: int, number: int) -> None:
        self._numbers.extend([MISSING] * (document - len(self._numbers)))
        self._numbers.append(number)

    def take(self, document: int, numbers: Ints) -> None:
        """Those of many documents, from ``document`` on."""
        self._numbers.extend([MISSING] * (document - len(self._numbers)))
        self._numbers.frombytes(numbers.astype(np.int64).tobytes())

    def written(self, count: int) -> bytes:
        """The column of so many documents."""
        self._numbers.extend([MISSING] * (count - len(self._numbers)))
        return np.frombuffer(self._numbers, np.int64).astype("<i8").tobytes() if count else b""


@dataclass(frozen=True)
class NumberReader:
    """``numbers``: one for each document, ``MISSING`` where there is none."""

    numbers: Ints

    @classmethod
    def read(cls, file: Any, position: int, length: int, count: int) -> Self:
        if length != count * 8:
            raise ValueError("a column of numbers has another length than its segment")
        return cls(np.frombuffer(window(file, position, length), "<i8"))

    @classmethod
    def absent(cls, count: int) -> Self:
        """What a segment has in which no document has a value."""
        return cls(np.full(count, MISSING, np.int64))

    def __getitem__(self, document: int) -> int:
        return int(self.numbers[document])


class LabelColumn(columns.Column):
    """One string for each document, each distinct string kept once. (Whoosh's own drops values beyond 65,535.)"""

    def default_value(self, reverse: bool = False) -> bytes:  # noqa: ARG002, FBT001, FBT002
        return b""

    def writer(self, file: Any) -> "_Writer":
        return _Writer(GrowingLabels(), file)

    def reader(self, file: Any, position: int, length: int, count: int) -> "LabelReader":
        return LabelReader.read(file, position, length, count)


class GrowingLabels:
    """A column of labels that grows."""

    def __init__(self) -> None:
        self._order: dict[bytes, int] = {b"": 0}
        self._codes = array("i")

    def add(self, document: int, label: bytes) -> None:
        self._codes.extend([0] * (document - len(self._codes)))
        self._codes.append(self._order.setdefault(label, len(self._order)))

    def take(self, document: int, codes: Codes, labels: Labels) -> None:
        """Those of many documents, from ``document`` on, as another column has them."""
        self._codes.extend([0] * (document - len(self._codes)))
        used, places = np.unique(codes, return_inverse=True)
        own = [self._order.setdefault(labels[code].encode(), len(self._order)) for code in used.tolist()]
        self._codes.frombytes(np.array(own, np.int32)[places].tobytes())

    def written(self, count: int) -> bytes:
        """The column of so many documents."""
        self._codes.extend([0] * (count - len(self._codes)))
        labels = sorted(self._order)
        ranks = np.empty(len(labels), np.int32)
        ranks[[self._order[label] for label in labels]] = np.arange(len(labels), dtype=np.int32)
        offsets = np.concatenate([[0], np.cumsum([len(label) for label in labels])])
        codes = ranks[np.frombuffer(self._codes, np.int32)] if count else ranks[:0]
        parts = codes.astype("<i4").tobytes(), offsets.astype("<i8").tobytes(), *labels
        return b"".join((*parts, _TAIL.pack(len(labels), int(offsets[-1]))))


class _Writer:
    """A growing column as Whoosh's own writer fills it; our segments are put together in ``building``.

    Only that writer uses it, where a test compares an index that Whoosh has written with ours.
    """

    def __init__(self, column: GrowingNumbers | GrowingLabels, file: Any) -> None:
        self.add = column.add
        self._column = column
        self._file = file

    def finish(self, count: int) -> None:
        self._file.write(self._column.written(count))


@dataclass(frozen=True)
class LabelReader:
    """``codes``: one for each document; ``labels``: what they stand for."""

    codes: Codes
    labels: Labels

    @classmethod
    def read(cls, file: Any, position: int, length: int, count: int) -> Self:
        distinct, letters = _TAIL.unpack(window(file, position + length - _TAIL.size, _TAIL.size))
        offsets = position + count * 4
        if length != count * 4 + (distinct + 1) * 8 + letters + _TAIL.size:
            raise ValueError("a column of labels has another length than its segment")
        labels = Labels(
            np.frombuffer(window(file, offsets, (distinct + 1) * 8), "<i8"),
            window(file, offsets + (distinct + 1) * 8, letters),
        )
        codes = np.frombuffer(window(file, position, count * 4), "<i4")
        if count and not 0 <= codes.min() <= codes.max() < distinct:
            raise ValueError("a column of labels has codes without a label")
        return cls(codes, labels)

    @classmethod
    def absent(cls, count: int) -> Self:
        """What a segment has in which no document has a value."""
        return cls(np.zeros(count, np.int32), Labels(np.zeros(2, np.int64), b""))

    def __getitem__(self, document: int) -> bytes:
        return self.labels[int(self.codes[document])].encode("utf-8")
