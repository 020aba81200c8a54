"""Changes made into segments. The caller holds the lock of the only writer."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from whoosh.index import FileIndex
from whoosh.reading import SegmentReader
from whoosh.writing import MERGE_SMALL, SegmentWriter

from .documents import Change, Put, stored
from .fields import Fields
from .files import NAME, Codec, DurableStorage
from .schema import whoosh_schema
from .snapshot import Snapshot

Progress = Callable[[int], None]
"""Called with the number of documents done. What it raises ends the work and leaves the old index in place."""

_WORN = 0.5  # rewrite a segment when so much of it is deleted

Row = dict[str, object]


def write_changes(
    storage: DurableStorage, fields: Fields, changes: Iterable[Change], snapshot: Snapshot
) -> None:
    """Commit changes as one step: all of them are there afterwards, or none. ``snapshot`` is the state as it is."""
    latest = _latest(changes)
    rows = {put.number: stored(put, fields) for put in latest.values() if isinstance(put, Put)}
    doomed: list[tuple[str, int]] = []
    for segment, document, number, stamp in _present(snapshot, latest):
        change = latest[number]
        if isinstance(change, Put) and change.stamp <= stamp:
            rows.pop(number, None)
        else:
            doomed.append((segment, document))
    if rows or doomed:
        _commit(storage, fields, rows.values(), doomed)


def _latest(changes: Iterable[Change]) -> dict[int, Change]:
    """One change for each number: the last, but a put never replaces a newer one."""
    latest: dict[int, Change] = {}
    for change in changes:
        before = latest.get(change.number)
        if isinstance(before, Put) and isinstance(change, Put) and change.stamp <= before.stamp:
            continue
        latest[change.number] = change
    return latest


def _present(snapshot: Snapshot, latest: dict[int, Change]) -> Iterator[tuple[str, int, int, int]]:
    """Segment, document, number and stamp of what the index already has of these numbers."""
    wanted = np.fromiter(latest, np.int64, len(latest))
    for part in snapshot.parts:
        numbers, stamps = part.view.numbers("number"), part.view.numbers("stamp")
        for document in np.flatnonzero(np.isin(numbers, wanted) & part.alive).tolist():
            yield part.view.name, document, int(numbers[document]), int(stamps[document])


def _commit(
    storage: DurableStorage, fields: Fields, rows: Iterable[Row], doomed: Iterable[tuple[str, int]]
) -> None:
    with _writer(storage, fields) as writer:
        segments = {segment.segment_id(): segment for segment in writer.segments}
        for segment, document in doomed:
            segments[segment].delete_document(document)
        for row in rows:
            writer.add_document(**row)
        writer.commit(mergetype=_merged)


def _merged(writer: Any, segments: list[Any]) -> list[Any]:
    """Whoosh's policy for small segments; besides, a worn segment is written anew and an empty one forgotten."""
    sound = [segment for segment in segments if segment.deleted_count() < _WORN * segment.doc_count_all()]
    _rewrite(writer, [segment for segment in segments if segment not in sound])
    merged: list[Any] = MERGE_SMALL(writer, sound)
    return merged


def _rewrite(writer: Any, segments: list[Any]) -> None:
    """Take the living documents of segments over into the segment that is being written."""
    for segment in segments:
        if segment.doc_count():
            reader = SegmentReader(writer.storage, writer.schema, segment)
            writer.add_reader(reader)
            reader.close()


def write_without_remains(storage: DurableStorage, fields: Fields, snapshot: Snapshot) -> None:
    """Rewrite every segment in which there is something of a deleted document."""

    def purged(writer: Any, segments: list[Any]) -> list[Any]:
        _rewrite(writer, [segment for segment in segments if segment.has_deletions()])
        return [segment for segment in segments if not segment.has_deletions()]

    if not all(part.alive.all() for part in snapshot.parts):
        with _writer(storage, fields) as writer:
            writer.commit(mergetype=purged)


def write_all(
    storage: DurableStorage, fields: Fields, documents: Iterable[Put], progress: Progress | None
) -> None:
    """Write a whole index into an empty folder. Raises ValueError for a number that comes twice."""
    FileIndex.create(storage, whoosh_schema(fields), NAME)
    seen = bytearray()
    with _writer(storage, fields) as writer:
        for done, put in enumerate(documents, start=1):
            row = stored(put, fields)
            if put.number >= len(seen):
                seen.extend(bytes(put.number + 1 - len(seen) + len(seen) // 8))
            if seen[put.number]:
                raise ValueError(f"number {put.number} comes twice")
            seen[put.number] = 1
            writer.add_document(**row)
            if progress:
                progress(done)
        writer.commit(merge=False)


@contextmanager
def _writer(storage: DurableStorage, fields: Fields) -> Iterator[Any]:
    index = FileIndex(storage, schema=whoosh_schema(fields), indexname=NAME)
    writer = SegmentWriter(index, codec=Codec(), _lk=False)  # our own lock covers rebuilds too
    try:
        yield writer
    except BaseException:
        if not writer.is_closed:
            writer.cancel()
        raise


def stamps(snapshot: Snapshot) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Numbers, ascending, and stamps of all living documents."""
    empty = np.zeros(0, np.int64)
    numbers = np.concatenate([empty, *(part.view.numbers("number")[part.alive] for part in snapshot.parts)])
    versions = np.concatenate([empty, *(part.view.numbers("stamp")[part.alive] for part in snapshot.parts)])
    order = np.argsort(numbers, kind="stable")
    return numbers[order], versions[order]
