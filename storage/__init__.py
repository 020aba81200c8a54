"""The bytes of records, kept so that an acknowledged file is never lost. Knows nothing of the archive."""

from .blobs import (
    BlobDamaged,
    BlobMissing,
    BlobRef,
    BlobStatus,
    Record,
    Staged,
    StagedGone,
    StorageError,
    Store,
    StoreFull,
    StoreUnwell,
    TooLarge,
)
from .check import Finding, Problem, check
from .folder import FolderStore

__all__ = [
    "BlobDamaged",
    "BlobMissing",
    "BlobRef",
    "BlobStatus",
    "Finding",
    "FolderStore",
    "Problem",
    "Record",
    "Staged",
    "StagedGone",
    "StorageError",
    "Store",
    "StoreFull",
    "StoreUnwell",
    "TooLarge",
    "check",
]
