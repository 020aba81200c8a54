"""Compares what is registered with what is stored, with one record in memory at a time."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from heapq import merge
from itertools import groupby
from uuid import UUID

from .blobs import BlobMissing, BlobStatus, Record, Store, record_id

Expected = tuple[Record, str, int]
_Line = tuple[UUID, str, int | None]


class Problem(Enum):
    """四性检测的完整性一项: how the store differs from the register."""

    MISSING = "missing"
    CHANGED = "changed"
    STRAY = "stray"


@dataclass(frozen=True)
class Finding:
    """One difference. The name is the blob's SHA-256 or, for a stray thing that is no blob, its path."""

    problem: Problem
    record: UUID | None
    name: str


def check(
    store: Store, expected: Iterable[Expected], progress: Callable[[int], None] | None = None
) -> Iterator[Finding]:
    """Every missing, changed and stray file; hashes all that is expected, which comes sorted by record.

    ``progress`` hears after each record how many files are done. Raises ValueError if the order is wrong.
    People go on uploading and disposing meanwhile: look at the register again before a finding is reported.
    """
    done = 0
    for record, group in groupby(_side_by_side(store, expected), key=lambda line: line[0]):
        present, registered = set[str](), list[tuple[str, int]]()
        for _, sha256, size in group:
            if size is None:
                present.add(sha256)
            else:
                registered.append((sha256, size))
        for sha256, size in registered:
            if problem := _judge(store, record, sha256, size):
                yield Finding(problem, record, sha256)
        for sha256 in sorted(present - {sha256 for sha256, _ in registered}):
            yield Finding(Problem.STRAY, record, sha256)
        done += len(registered)
        if progress:
            progress(done)
    for path in store.strays():
        yield Finding(Problem.STRAY, None, path)


def _side_by_side(store: Store, expected: Iterable[Expected]) -> Iterator[_Line]:
    """Both lists as one, by record. A line of the store has no size."""
    stored: Iterator[_Line] = ((record, sha256, None) for record, sha256 in store.iterate())
    return merge(stored, _in_order(expected), key=lambda line: line[0])


def _in_order(expected: Iterable[Expected]) -> Iterator[_Line]:
    # In any other order the merge would take registered files for strays.
    last: UUID | None = None
    for given, sha256, size in expected:
        record = record_id(given)
        if last is not None and record < last:
            raise ValueError(f"expected files must be sorted by record, but {record} comes after {last}")
        last = record
        yield record, sha256, size


def _judge(store: Store, record: UUID, sha256: str, size: int) -> Problem | None:
    status = store.verify(record, sha256)
    if status is not BlobStatus.OK:
        return Problem(status.value)
    try:
        with store.open(record, sha256) as body:
            # The content is right, but a register whose size was altered beside the right hash must show too.
            return None if body.seek(0, os.SEEK_END) == size else Problem.CHANGED
    except BlobMissing:  # removed since it was hashed
        return Problem.MISSING
