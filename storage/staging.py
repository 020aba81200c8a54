"""Staging: where a file lies until it is whole, and where a removed folder lies until it is gone."""

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO
from uuid import uuid4

from .blobs import StoreFull

_FILE_MODE = 0o440
_PARTIAL, _REMOVED = ".part", ".removed"
_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class Staging:
    """暂存区: a folder on the store's file system, shared by all its processes. Names in it are random."""

    folder: Path

    @contextmanager
    def new_file(self, *, durable: bool) -> Iterator[tuple[BinaryIO, Path]]:
        """A file to fill, read-only once closed. After any error nothing is left of it. Raises StoreFull."""
        with naming_full():
            handle, name = mkstemp(_PARTIAL, dir=self.folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    yield file, Path(name)
                    file.flush()
                    os.fchmod(handle, _FILE_MODE)
                    if durable:
                        os.fsync(handle)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    @contextmanager
    def plain_copy(self, source: BinaryIO) -> Iterator[Path]:
        """The content as a file of its own, removed on leaving. Raises StoreFull."""
        with self.new_file(durable=False) as (file, path):
            shutil.copyfileobj(source, file)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def condemn(self, folder: Path) -> None:
        """Take a record's folder out of sight in one step: a kill never leaves half a record."""
        with suppress(FileNotFoundError):
            folder.rename(self.folder / f"{folder.name}.{uuid4().hex}{_REMOVED}")

    def erase(self, name: str) -> None:
        """Remove whatever was condemned under this name, by this process or by one that was killed."""
        for condemned in self.folder.glob(f"{name}.*{_REMOVED}"):
            remove_tree(condemned)

    def clean(self, older_than: timedelta) -> int:
        """Remove all that was condemned, and what was not written to for so long; give how many."""
        limit, removed = time.time() - older_than.total_seconds(), 0
        for path in list(self.folder.iterdir()):
            with suppress(FileNotFoundError):  # another process cleans too, or an upload goes on
                if path.suffix == _REMOVED:
                    remove_tree(path)
                elif path.suffix == _PARTIAL and path.stat().st_mtime < limit:
                    path.unlink()
                else:
                    continue
                removed += 1
        return removed


def remove_tree(folder: Path) -> None:
    """Remove a folder and all in it, though another process may be doing the same."""
    while folder.exists():
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)


def sync_folder(folder: Path) -> None:
    """A rename or a new folder is safe only when the folder that lists it is."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def naming_full() -> Iterator[None]:
    """Turn the system's two words for a full disk into StoreFull."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFull from error
        raise
