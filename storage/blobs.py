"""What a store of blobs promises: its interface, values and errors. ``folder.py`` keeps it on a disk."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias
from uuid import UUID

Record: TypeAlias = UUID | str

_SHA256 = re.compile(r"[0-9a-f]{64}")
# A leading dot would allow "..", and a long name would fail on the disk with an error that names nobody.
_DERIVATIVE = re.compile(r"(?!\.)[a-z0-9._-]{1,200}")


class StorageError(Exception):
    """Any failure that a caller of a store can expect and handle."""


class TooLarge(StorageError):
    """The stream was longer than its limit; nothing of it is kept."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The file is larger than {limit} bytes.")
        self.limit = limit


class StoreFull(StorageError):
    """The disk or the quota is used up; what was acknowledged before is untouched."""

    def __init__(self) -> None:
        super().__init__("The disk of the store is full.")


class StoreUnwell(StorageError):
    """The store cannot be used as it stands: a folder is gone, read-only, or on another disk."""


class StagedGone(StorageError):
    """The staged file was discarded or cleaned away before it was placed: send it again."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.name} is not in staging any more.")


class BlobMissing(StorageError):
    """The store has nothing under this name."""

    def __init__(self, record: Record, name: str) -> None:
        super().__init__(f"Nothing is stored as {record}/{name}.")
        self.record, self.name = record, name


class BlobDamaged(StorageError):
    """The stored file does not begin with a header that this version can read."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has no header that this version can read.")


class BlobStatus(Enum):
    """固化信息校验: what reading a blob back, and hashing it, has shown."""

    OK = "ok"
    MISSING = "missing"
    CHANGED = "changed"


@dataclass(frozen=True)
class Staged:
    """A whole file, safe on the disk but in nobody's record yet. Hash and size are of the plain content."""

    sha256: str
    size: int
    path: Path


@dataclass(frozen=True)
class BlobRef:
    """电子文件: the content of one file in one record. Equal content in two records is two blobs."""

    record: UUID
    sha256: str
    size: int


class ByteSource(Protocol):
    """All that an upload must be able to do."""

    def read(self, size: int, /) -> bytes: ...


class Store(Protocol):
    """原件库: where the bytes live. Every method may be called from any number of processes at once.

    A record that is no UUID, a hash that is no lower-case SHA-256 and a derivative name that might be a path
    raise ValueError before anything is touched.
    """

    def stage(self, stream: ByteSource, limit: int) -> Staged:
        """Read the stream to its end into a durable temporary file.

        Raises TooLarge or StoreFull, and then keeps nothing.
        """
        ...

    def place(self, staged: Staged, record: Record) -> BlobRef:
        """Move the staged file into its record, durably; only after this may a caller acknowledge.

        Repeating it changes nothing. Raises StagedGone, or StoreFull: the staged file can be placed later.
        """
        ...

    def discard(self, staged: Staged) -> None:
        """Forget a staged file, whether it was placed or not."""
        ...

    def open(self, record: Record, sha256: str) -> BinaryIO:
        """The content, seekable, without the header. Raises BlobMissing or BlobDamaged."""
        ...

    def materialise(self, record: Record, sha256: str) -> AbstractContextManager[Path]:
        """The content as a plain file for a child process, removed on leaving. Raises as open, and if full."""
        ...

    def materialise_staged(self, staged: Staged) -> AbstractContextManager[Path]:
        """The same for a file to be looked at before it is accepted. Raises StagedGone or StoreFull."""
        ...

    def verify(self, record: Record, sha256: str) -> BlobStatus:
        """Read the blob from the disk and hash it."""
        ...

    def remove(self, record: Record, sha256: str) -> None:
        """Destroy one blob of a record that stays, durably. What is not there is no error: a kill may have come between."""
        ...

    def remove_record(self, record: Record) -> None:
        """Destroy all that is kept of a record: blobs, sidecar, derivatives, durably.

        After a kill, call it again to finish the work.
        """
        ...

    def write_sidecar(self, record: Record, content: Mapping[str, Any]) -> None:
        """Replace the record's metadata, as canonical JSON, atomically and durably.

        Raises StoreFull, and then keeps the old.
        """
        ...

    def read_sidecar(self, record: Record) -> dict[str, Any]:
        """The record's metadata. Raises BlobMissing."""
        ...

    def iterate(self) -> Iterator[tuple[UUID, str]]:
        """Every (record, sha256) that is stored, in the order of records."""
        ...

    def strays(self) -> Iterator[str]:
        """The relative path of everything among the blobs that is neither a blob nor a sidecar."""
        ...

    def put_derivative(self, record: Record, name: str, content: bytes) -> None:
        """Keep a result that can be computed again. Atomic, not durable.

        Raises StoreFull, or BlobMissing if the record has no blobs: nothing may outlive a destruction.
        """
        ...

    def open_derivative(self, record: Record, name: str) -> BinaryIO:
        """A derivative, seekable. Raises BlobMissing: compute it again."""
        ...

    def remove_derivatives(self, record: Record, names: Iterable[str]) -> None:
        """Forget results that nobody will ask for again; those that are not there are no error."""
        ...

    def has_derivative(self, record: Record, name: str) -> bool:
        """Whether this derivative is here now."""
        ...

    def clean_staging(self, older_than: timedelta) -> int:
        """Remove what killed processes left in staging; give the number of files and folders removed.

        The age must exceed the longest time from the last byte of an upload to ``place``.
        """
        ...

    def healthy(self) -> None:
        """Return if a file can be written now, else raise StoreUnwell or StoreFull."""
        ...


def record_id(record: Record) -> UUID:
    """The record as a UUID. Raises ValueError."""
    return record if isinstance(record, UUID) else UUID(record)


def is_sha256(name: str) -> bool:
    """Whether a name is a SHA-256 as this package writes it."""
    return _SHA256.fullmatch(name) is not None


def checked_sha256(sha256: str) -> str:
    """The same hash. Raises ValueError if it is none, and so might be a path."""
    if not is_sha256(sha256):
        raise ValueError(f"not a SHA-256 in lower-case hexadecimal: {sha256!r}")
    return sha256


def checked_derivative(name: str) -> str:
    """The same name. Raises ValueError if it might be a path."""
    if _DERIVATIVE.fullmatch(name) is None:
        raise ValueError(f"not a name for a derivative: {name!r}")
    return name
