"""The folder of an index: which of its states is the current one, who may write, and what a crash left behind."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from whoosh.util.filelock import FileLock, try_for

from .errors import Busy, Damaged, Reason
from .files import sync_folder

_POINTER = "index.json"
_NEW_POINTER = "index.json.new"
_LOCK = "writer.lock"
_FOLDER_MODE = 0o700  # what is indexed is as secret as the records


@dataclass(frozen=True)
class Pointer:
    """Which of the folders is the index. ``epoch`` grows with each rebuild and is the folder's name."""

    epoch: int
    fields: str


class Place:
    """A folder with a pointer to the current epoch, a lock, and a folder for each epoch: one, but during a rebuild."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pointer = path / _POINTER  # every search reads it

    def folder(self, epoch: int) -> Path:
        return self._path / str(epoch)

    def pointer(self) -> Pointer:
        """Raises Damaged if there is none that can be read."""
        try:
            content = json.loads(self._pointer.read_text("utf-8"))
            return Pointer(int(content["epoch"]), str(content["fields"]))
        except FileNotFoundError:
            raise Damaged(Reason.MISSING, "it was never built") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Damaged(Reason.UNREADABLE, f"its pointer: {error!r}") from error

    def new_epoch(self) -> int:
        """Make a folder to build in. Its name follows the clock, so that it grows even if the old index was deleted."""
        epoch = max([int(time.time()), *(old + 1 for old in self._epochs())])
        self.folder(epoch).mkdir(_FOLDER_MODE)
        return epoch

    def point_to(self, pointer: Pointer) -> None:
        """Make an epoch the index, at once and for good, and remove the others. Readers keep what they have open."""
        new = self._path / _NEW_POINTER
        with new.open("w", encoding="utf-8") as file:
            json.dump({"epoch": pointer.epoch, "fields": pointer.fields}, file)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self._path)
        new.replace(self._pointer)
        sync_folder(self._path)
        self.remove_others(keep=pointer.epoch)

    def remove_others(self, *, keep: int) -> None:
        """Remove what is not of an epoch: replaced indexes, and what a killed writer never finished."""
        (self._path / _NEW_POINTER).unlink(missing_ok=True)
        for epoch in self._epochs():
            if epoch != keep:
                self.remove_epoch(epoch)

    def remove_epoch(self, epoch: int) -> None:
        shutil.rmtree(self.folder(epoch), ignore_errors=True)

    def _epochs(self) -> list[int]:
        return [
            int(entry.name) for entry in self._path.iterdir() if entry.name.isdecimal() and entry.is_dir()
        ]

    @contextmanager
    def writing(self, *, wait: float) -> Iterator[None]:
        """Hold the lock of the only writer, which ends with the process. Raises Busy after ``wait`` seconds."""
        self._path.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
        lock = FileLock(str(self._path / _LOCK))
        if not try_for(lock.acquire, timeout=wait, delay=0.05):
            raise Busy("The index is being written by another process.")
        try:
            yield
        finally:
            lock.release()


def remove_strays(folder: Path, toc: str, segments: set[str]) -> None:
    """Remove what a killed writer left: all but a table of contents and the segments that it names."""
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name != toc and entry.name.partition(".")[0] not in segments:
            with suppress(
                OSError
            ):  # Windows keeps a file that a reader has mapped: the next writer removes it
                entry.unlink()
