"""The file format of a blob: two bytes, then the content. So files can be encrypted later, in their place."""

import hashlib
import io
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

from .blobs import BlobDamaged

HEADER = bytes((1, 0))  # version of the format, id of the key; key 0 means not encrypted


def open_body(path: Path) -> BinaryIO:
    """The content of a blob's file, seekable. Raises BlobDamaged if the header is unknown."""
    return io.BufferedReader(_Body(_open_raw(path)))


def hash_from_disk(path: Path) -> str:
    """The SHA-256 of the content as the disk holds it. Raises BlobDamaged."""
    with _open_raw(path) as file:
        _forget_cached(file)
        digest = hashlib.file_digest(file, "sha256")
        _forget_cached(file)
    return digest.hexdigest()


class _Body(io.RawIOBase):
    """A blob's content behind its header. No ``fileno``: a server's sendfile would send the header too."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        return self._file.readinto(buffer)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: len(HEADER), os.SEEK_CUR: self._file.tell()}.get(whence)
        target = offset + (os.fstat(self._file.fileno()).st_size if start is None else start)
        if target < len(HEADER):
            raise ValueError("a position before the start of the content")
        return self._file.seek(target) - len(HEADER)

    def close(self) -> None:
        self._file.close()
        super().close()


def _open_raw(path: Path) -> io.FileIO:
    file = io.FileIO(path)
    if file.read(len(HEADER)) != HEADER:
        file.close()
        raise BlobDamaged(path.name)
    return file


def _forget_cached(file: io.FileIO) -> None:
    """A page in memory proves nothing about the disk, and a patrol must not crowd out everybody's pages."""
    if sys.platform == "linux":
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
