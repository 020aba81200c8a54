"""How Whoosh sees the disk: segments mapped without copying, and nothing named before it is safe on the disk."""

import io
import os
from pathlib import Path
from typing import Any

from whoosh.codec.whoosh3 import W3Codec, W3Segment
from whoosh.filedb.compound import CompoundStorage
from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.structfile import BufferFile, StructFile

from .blocks import Matcher

NAME = "main"
"""The name of the index among Whoosh's files."""


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut. (Windows has no such call and needs none.)"""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


class DurableStorage(FileStorage):
    """A folder in which segments and tables of contents reach the disk before the next step relies on them.

    Whoosh never calls fsync: a power cut could leave a table of contents that names empty segments.
    """

    def create_file(self, name: str, **options: Any) -> StructFile:
        if name.endswith(".seg") or ".toc" in name:
            options["onclose"] = _sync
        return super().create_file(name, **options)

    def open_file(self, name: str, **options: Any) -> StructFile:
        if ".toc" in name:  # read whole: when the content is damaged, Whoosh forgets to close the file
            return BufferFile(memoryview((Path(self.folder) / name).read_bytes()), name=name)
        return super().open_file(name, **options)

    def rename_file(self, old: str, new: str, safe: bool = False) -> None:  # noqa: FBT001, FBT002
        sync_folder(Path(self.folder))
        super().rename_file(old, new, safe=safe)
        sync_folder(Path(self.folder))


class _View(io.RawIOBase):
    """A buffer read like a file, copying only what is read."""

    def __init__(self, buffer: memoryview) -> None:
        super().__init__()
        self._buffer = buffer
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._buffer)}[whence]
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        end = len(self._buffer) if size is None or size < 0 else self._at + size
        part = bytes(self._buffer[self._at : end])
        self._at += len(part)
        return part

    def readinto(self, target: Any) -> int:
        part = self.read(len(target))
        target[: len(part)] = part
        return len(part)


class MappedFile(BufferFile):
    """One file of a mapped segment. Whoosh's BufferFile copies all of it into memory at each opening."""

    def __init__(self, buffer: memoryview, name: str) -> None:
        StructFile.__init__(self, _View(buffer), name=name)
        self.is_real = False
        self._buf = buffer
        self.buffer = buffer

    def again(self) -> "MappedFile":
        """The same file with a position of its own: two threads must not share one."""
        return MappedFile(self.buffer, self._name)


class MappedSegmentFiles(CompoundStorage):
    """The files within a segment's file."""

    def open_file(self, name: str, *_: Any, **__: Any) -> MappedFile:
        offset, length = self.range(name)
        return MappedFile(memoryview(self._source)[offset : offset + length], name)


class Segment(W3Segment):
    """段: an immutable part of the index. Only the set of its deleted documents changes, in the table of contents."""

    def open_compound_file(self, storage: Any) -> MappedSegmentFiles:
        file = storage.open_file(self.make_filename(self.COMPOUND_EXT))
        try:
            return MappedSegmentFiles(file)
        finally:
            if not file.is_closed:
                file.close()


class Codec(W3Codec):
    """Whoosh's own format but for the postings, which are blocks of arrays; read through mapped files."""

    def new_segment(self, storage: Any, indexname: str) -> Segment:  # noqa: ARG002
        return Segment(self, indexname)

    def postings_reader(
        self, dbfile: MappedFile, terminfo: Any, format_: Any, term: Any = None, scorer: Any = None
    ) -> Matcher:
        offset, length = terminfo.extent()
        return Matcher(dbfile.again(), offset, length, format_, term=term, scorer=scorer)
