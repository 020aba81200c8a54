"""A store in a folder. The order of its steps lets an acknowledged file survive a kill or a power cut."""

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from .arriving import Arriving
from .blobs import (
    BlobDamaged,
    BlobMissing,
    BlobRef,
    BlobStatus,
    ByteSource,
    Record,
    Staged,
    StagedGone,
    Store,
    StoreUnwell,
    TooLarge,
    checked_derivative,
    checked_sha256,
    is_sha256,
    record_id,
)
from .header import HEADER, hash_from_disk, open_body
from .staging import Staging, naming_full, remove_tree, sync_folder

SIDECAR = "record.json"
_CHUNK = 1 << 20
_FOLDER_MODE = 0o750
_LEVELS = 3  # two shards and the record's folder
# A bad sector, a torn folder, a wrong permission: each condemns one file and must not stop a check of all.
_UNREADABLE = {errno.EIO, errno.EACCES, errno.EISDIR, getattr(errno, "EUCLEAN", errno.EIO)}


class FolderStore(Store):
    """原件库: ``blobs/``, ``derived/`` and ``staging/`` under one root, all on one file system."""

    def __init__(self, root: Path) -> None:
        """Open a store that exists. It is not made here: an unmounted disk must not look empty."""
        self._blobs = root / "blobs"
        self._derived = root / "derived"
        self._staging = Staging(root / "staging")
        self.arriving = Arriving(self._staging)
        self._settled: set[Path] = set()
        self._require_folders()

    @classmethod
    def create(cls, root: Path) -> "FolderStore":
        """Make the folders of a new store, or open the one that is there."""
        for name in ("blobs", "derived", "staging"):
            (root / name).mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
        sync_folder(root)
        sync_folder(root.parent)
        return cls(root)

    def stage(self, stream: ByteSource, limit: int) -> Staged:
        digest, size = hashlib.sha256(), 0
        with self._staging.new_file(durable=True) as (file, path):
            file.write(HEADER)
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if size > limit:
                    raise TooLarge(limit)
                digest.update(chunk)
                file.write(chunk)
        return Staged(digest.hexdigest(), size, path)

    def place(self, staged: Staged, record: Record) -> BlobRef:
        ref = BlobRef(record_id(record), staged.sha256, staged.size)
        target = self._blob_path(ref.record, ref.sha256)
        with naming_full():
            self._make_folder(target.parent, durable=True)
            try:
                staged.path.replace(target)
            except FileNotFoundError as gone:  # placed by an earlier try, or never
                if self.verify(ref.record, ref.sha256) is not BlobStatus.OK:
                    raise StagedGone(staged.path) from gone
            sync_folder(target.parent)
        return ref

    def discard(self, staged: Staged) -> None:
        staged.path.unlink(missing_ok=True)

    def open(self, record: Record, sha256: str) -> BinaryIO:
        with _missing(record, sha256):
            return open_body(self._blob_path(record, sha256))

    @contextmanager
    def materialise(self, record: Record, sha256: str) -> Iterator[Path]:
        with self.open(record, sha256) as source, self._staging.plain_copy(source) as path:
            yield path

    @contextmanager
    def materialise_staged(self, staged: Staged) -> Iterator[Path]:
        try:
            source = open_body(staged.path)
        except FileNotFoundError as gone:
            raise StagedGone(staged.path) from gone
        with source, self._staging.plain_copy(source) as path:
            yield path

    def verify(self, record: Record, sha256: str) -> BlobStatus:
        try:
            found = hash_from_disk(self._blob_path(record, sha256))
        except FileNotFoundError:
            return BlobStatus.MISSING
        except BlobDamaged:
            return BlobStatus.CHANGED
        except OSError as error:
            if error.errno in _UNREADABLE:
                return BlobStatus.CHANGED
            raise
        return BlobStatus.OK if found == sha256 else BlobStatus.CHANGED

    def remove(self, record: Record, sha256: str) -> None:
        path = self._blob_path(record, sha256)
        with suppress(FileNotFoundError):
            path.unlink(missing_ok=True)
            sync_folder(path.parent)

    def remove_record(self, record: Record) -> None:
        record = record_id(record)
        # Blobs first: put_derivative looks at them last, so whoever comes second clears the derivatives.
        for folder in (_record_folder(self._blobs, record), _record_folder(self._derived, record)):
            self._staging.condemn(folder)
            # Also when there was nothing to take away: the call before this one may have been killed here.
            with suppress(FileNotFoundError):
                sync_folder(folder.parent)
        self._staging.erase(str(record))
        sync_folder(self._staging.folder)

    def write_sidecar(self, record: Record, content: Mapping[str, Any]) -> None:
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        self._replace(self._sidecar_path(record), text.encode(), durable=True)

    def read_sidecar(self, record: Record) -> dict[str, Any]:
        with _missing(record, SIDECAR):
            content: dict[str, Any] = json.loads(self._sidecar_path(record).read_bytes())
        return content

    def iterate(self) -> Iterator[tuple[UUID, str]]:
        for entry in _walk(self._blobs):
            if (record := self._record_of(entry)) and is_sha256(entry.name):
                yield record, entry.name

    def strays(self) -> Iterator[str]:
        for entry in _walk(self._blobs):
            if not self._record_of(entry) or not (is_sha256(entry.name) or entry.name == SIDECAR):
                yield Path(entry.path).relative_to(self._blobs).as_posix()

    def put_derivative(self, record: Record, name: str, content: bytes) -> None:
        target = self._derivative_path(record, name)
        blobs = _record_folder(self._blobs, record_id(record))
        if not blobs.is_dir():
            raise BlobMissing(record, name)
        try:
            self._replace(target, content, durable=False)
        except FileNotFoundError:  # remove_record may take the folder away between two of our steps
            if blobs.is_dir():
                raise
        if not blobs.is_dir():
            remove_tree(target.parent)
            raise BlobMissing(record, name)

    def open_derivative(self, record: Record, name: str) -> BinaryIO:
        with _missing(record, name):
            return self._derivative_path(record, name).open("rb")

    def remove_derivatives(self, record: Record, names: Iterable[str]) -> None:
        for name in names:
            self._derivative_path(record, name).unlink(missing_ok=True)

    def has_derivative(self, record: Record, name: str) -> bool:
        return self._derivative_path(record, name).is_file()

    def clean_staging(self, older_than: timedelta) -> int:
        return self._staging.clean(older_than)

    def healthy(self) -> None:
        self._require_folders()
        try:
            with self._staging.new_file(durable=True) as (file, path):
                file.write(HEADER)
            path.unlink()
        except OSError as error:
            raise StoreUnwell(f"The store cannot be written: {error}") from error

    def _require_folders(self) -> None:
        try:
            disks = {folder.stat().st_dev for folder in (self._blobs, self._derived, self._staging.folder)}
        except OSError as error:
            raise StoreUnwell(f"The store is not here: {error}") from error
        if len(disks) > 1:  # a rename between two file systems is a copy, and a copy can be cut in half
            raise StoreUnwell("blobs, derived and staging must be on one file system.")

    def _blob_path(self, record: Record, sha256: str) -> Path:
        return _record_folder(self._blobs, record_id(record)) / checked_sha256(sha256)

    def _sidecar_path(self, record: Record) -> Path:
        return _record_folder(self._blobs, record_id(record)) / SIDECAR

    def _derivative_path(self, record: Record, name: str) -> Path:
        return _record_folder(self._derived, record_id(record)) / checked_derivative(name)

    def _record_of(self, entry: os.DirEntry[str]) -> UUID | None:
        """The record of an entry, if it is a file in the very place where this store would put it."""
        folder = Path(entry.path).parent
        with suppress(ValueError):
            record = UUID(folder.name)
            if folder == _record_folder(self._blobs, record) and entry.is_file(follow_symlinks=False):
                return record
        return None

    def _replace(self, target: Path, content: bytes, *, durable: bool) -> None:
        """Put the content in its place in one step: a reader meets the old file or the new, never a part."""
        with self._staging.new_file(durable=durable) as (file, path):
            file.write(content)
        try:
            with naming_full():
                self._make_folder(target.parent, durable=durable)
                path.replace(target)
                if durable:
                    sync_folder(target.parent)
        finally:
            path.unlink(missing_ok=True)

    def _make_folder(self, folder: Path, *, durable: bool) -> None:
        """Make a record's folder and its shards, safe on the disk even if another process is making them.

        Shards are never removed, so each is synchronised once a process; a record's folder each time.
        """
        shards = folder.parent.parent, folder.parent
        for step in (*shards, folder):
            made = _make_one(step)
            if durable and (made or step not in self._settled):
                sync_folder(step.parent)
        if durable:
            self._settled.update(shards)


def _record_folder(base: Path, record: UUID) -> Path:
    """Two shards of 256: ten million records make about 150 in each folder, in the order of their UUIDs."""
    return base / record.hex[:2] / record.hex[2:4] / str(record)


def _walk(folder: Path | str, depth: int = 0) -> Iterator[os.DirEntry[str]]:
    """Whatever lies in the records' folders, and every file above them, in the order of names."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except FileNotFoundError:
        if depth == 0:
            raise
        return  # a record that was removed after its shard was listed
    for entry in entries:
        if depth < _LEVELS and entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, depth + 1)
        else:
            yield entry


def _make_one(folder: Path) -> bool:
    """Make one folder; tell whether it was we who made it."""
    try:
        folder.mkdir(_FOLDER_MODE)
    except FileExistsError:
        return False
    return True


@contextmanager
def _missing(record: Record, name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as missing:
        raise BlobMissing(record, name) from missing
