"""Frames of a TIFF, copied as they are: what is compressed stays as it is compressed. TIFF 6.0 and BigTIFF."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from storage.limits import Reason, Refused

# Bytes of one value of each type: TIFF 6.0 §2, and BigTIFF's three.
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_LONG, _LONG8 = 4, 16
_COMPRESSION, _OLD_JPEG = 259, 6  # it points into the file from tags of its own
_DATA = {273: 279, 324: 325}  # where strips and tiles lie, and how long they are
# Other directories, which would come along as addresses without anything there; and "page 3 of 10".
_LEFT_OUT = {330, 34665, 34853, 40965, 297}
_MOST_VALUES = 1 << 24


@dataclass(frozen=True)
class _Entry:
    tag: int
    kind: int
    count: int
    raw: bytes


@dataclass(frozen=True)
class _Form:
    """How this file writes numbers."""

    order: str
    big: bool

    @property
    def address(self) -> struct.Struct:
        return struct.Struct(self.order + ("Q" if self.big else "I"))

    @property
    def count(self) -> struct.Struct:
        return struct.Struct(self.order + ("Q" if self.big else "H"))

    @property
    def entry(self) -> struct.Struct:
        return struct.Struct(self.order + ("HHQ8s" if self.big else "HHI4s"))

    @property
    def header(self) -> bytes:
        mark = b"II" if self.order == "<" else b"MM"
        return mark + (
            struct.pack(self.order + "HHH", 43, 8, 0) if self.big else struct.pack(self.order + "H", 42)
        )

    def numbers(self, entry: _Entry) -> tuple[int, ...]:
        return struct.unpack(f"{self.order}{entry.count}{_INTEGERS[entry.kind]}", entry.raw)

    def addresses(self, tag: int, values: Sequence[int]) -> _Entry:
        kind = _LONG8 if self.big else _LONG
        raw = struct.pack(f"{self.order}{len(values)}{_INTEGERS[kind]}", *values)
        return _Entry(tag, kind, len(values), raw)


def copy_frames(path: Path, frames: Sequence[int], target: Path) -> None:
    """Write the frames, counted from 0, into a TIFF of their own."""
    with path.open("rb") as source, target.open("wb") as out:
        form, first = _form(source)
        starts = _directories(source, form, first, max(frames))
        out.write(form.header)
        link = out.tell()
        out.write(form.address.pack(0))
        for frame in frames:
            entries = _copied(source, out, form, _entries(source, form, starts[frame]))
            link = _write_directory(out, form, entries, link)


def _form(source: BinaryIO) -> tuple[_Form, int]:
    head = source.read(16)
    order = "<" if head.startswith(b"II") else ">"
    big = struct.unpack_from(order + "H", head, 2)[0] == 43
    form = _Form(order, big)
    return form, form.address.unpack_from(head, 8 if big else 4)[0]


def _directories(source: BinaryIO, form: _Form, start: int, last: int) -> list[int]:
    """Where the directories lie, up to the ``last`` one."""
    found: list[int] = []
    while len(found) <= last:
        if start == 0 or start in found:
            raise Refused(Reason.BROKEN, detail="too few frames")
        found.append(start)
        (many,) = form.count.unpack(_read(source, start, form.count.size))
        after = start + form.count.size + many * form.entry.size
        (start,) = form.address.unpack(_read(source, after, form.address.size))
    return found


def _entries(source: BinaryIO, form: _Form, start: int) -> list[_Entry]:
    (many,) = form.count.unpack(_read(source, start, form.count.size))
    table = _read(source, start + form.count.size, many * form.entry.size)
    return [
        _entry(source, form, *form.entry.unpack_from(table, place * form.entry.size)) for place in range(many)
    ]


def _entry(source: BinaryIO, form: _Form, tag: int, kind: int, count: int, value: bytes) -> _Entry:
    size = _SIZES.get(kind, 0) * min(count, _MOST_VALUES)
    if size <= len(value):
        return _Entry(tag, kind, count, value[:size])
    return _Entry(tag, kind, count, _read(source, form.address.unpack(value)[0], size))


def _copied(source: BinaryIO, out: BinaryIO, form: _Form, entries: list[_Entry]) -> list[_Entry]:
    """The entries of a frame whose picture has been copied to ``out``."""
    by_tag = {entry.tag: entry for entry in entries if entry.kind in _SIZES and entry.tag not in _LEFT_OUT}
    if _COMPRESSION in by_tag and form.numbers(by_tag[_COMPRESSION]) == (_OLD_JPEG,):
        raise Refused(Reason.NOT_APART, detail="JPEG as TIFF 6.0 had it")
    for tag, lengths in _DATA.items():
        if tag in by_tag:
            pieces = zip(form.numbers(by_tag[tag]), form.numbers(by_tag[lengths]), strict=True)
            moved = [_append(out, _read(source, start, length)) for start, length in pieces]
            by_tag[tag] = form.addresses(tag, moved)
    return [by_tag[tag] for tag in sorted(by_tag)]


def _write_directory(out: BinaryIO, form: _Form, entries: list[_Entry], link: int) -> int:
    """Gives the place where the address of the next directory is to be written."""
    inline = form.address.size
    values = [
        entry.raw.ljust(inline, b"\0")
        if len(entry.raw) <= inline
        else form.address.pack(_append(out, entry.raw))
        for entry in entries
    ]
    table = b"".join(
        form.entry.pack(entry.tag, entry.kind, entry.count, value)
        for entry, value in zip(entries, values, strict=True)
    )
    start = _append(out, form.count.pack(len(entries)) + table + form.address.pack(0))
    end = out.tell()
    out.seek(link)
    out.write(form.address.pack(start))
    out.seek(end)
    return end - form.address.size


def _append(out: BinaryIO, content: bytes) -> int:
    """Where it was written: at an even place, as TIFF asks."""
    out.write(b"\0" * (out.tell() % 2))
    start = out.tell()
    out.write(content)
    return start


def _read(source: BinaryIO, start: int, size: int) -> bytes:
    source.seek(start)
    content = source.read(size)
    if len(content) != size:
        raise Refused(Reason.BROKEN, detail="it ends before its picture does")
    return content
