"""Changes made into segments. The caller holds the lock of the only writer."""

from collections.abc import Callable, Iterable, Iterator
from math import log2
from typing import Any

import numpy as np
from whoosh.index import TOC

from .building import Building
from .documents import Change, Put, stored
from .fields import Fields
from .files import NAME, DurableStorage
from .schema import whoosh_schema
from .segments import SegmentView
from .snapshot import Snapshot, latest

Progress = Callable[[int], None]
"""Called with the number of documents done. What it raises ends the work and leaves the old index in place."""

_WORN = 0.5  # rewrite a segment when so much of it is deleted
_MANY = 8  # segments of a like size are merged into one
_LEAST = 256  # documents: smaller segments are all of a like size
_LARGEST = 12_000_000
"""Terms of texts in a segment, about: what is put together in memory at once. Larger ones are merged no further."""
_OF_A_DOCUMENT = 20  # terms that it costs whatever its texts

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
    toc = _contents(storage, fields)
    segments = {segment.segment_id(): segment for segment in toc.segments}
    for segment, document in doomed:
        segments[segment].delete_document(document)
    building = Building(storage, fields)
    for row in rows:
        building.add(row)
    kept, merged = _sorted_out(toc.segments, building.size)
    for segment in merged:
        _take(building, storage, segment)
    _name(storage, toc, [*kept, *_finished(building)])


def _contents(storage: DurableStorage, fields: Fields) -> Any:
    return TOC.read(storage, NAME, gen=latest(storage), schema=whoosh_schema(fields))


def _name(storage: DurableStorage, toc: Any, segments: list[Any]) -> None:
    """Makes these segments the index."""
    TOC(toc.schema, segments, toc.generation + 1).write(storage, NAME)


def _finished(building: Building) -> list[Any]:
    return [building.finish()] if building.size else []


def _take(building: Building, storage: DurableStorage, segment: Any) -> None:
    view = SegmentView(storage, segment)
    alive = np.ones(view.size, np.bool_)
    alive[list(segment.deleted_docs())] = False
    building.take(view, alive)


def _sorted_out(segments: list[Any], fresh: int) -> tuple[list[Any], list[Any]]:
    """Which segments stay, and which become one with the new documents: the worn, and many of a like size."""
    worn = [one for one in segments if one.deleted_count() >= _WORN * one.doc_count_all()]
    sound = [one for one in segments if one not in worn]
    tiers: dict[int, list[Any]] = {}
    for one in sound:
        if _weight(one) < _LARGEST / _MANY:
            tiers.setdefault(_tier(one.doc_count()), []).append(one)
    tiers.setdefault(_tier(fresh), [])
    merged = [
        one
        for tier, many in sorted(tiers.items())
        if len(many) + (tier == _tier(fresh)) >= _MANY
        for one in many
    ]
    return [one for one in sound if one not in merged], [one for one in worn if one.doc_count()] + merged


def _tier(documents: int) -> int:
    return int(log2(max(documents, _LEAST) / _LEAST) / log2(_MANY))


def _weight(segment: Any) -> int:
    return int(sum(segment._fieldlengths.values())) + _OF_A_DOCUMENT * int(segment.doc_count_all())


def write_without_remains(storage: DurableStorage, fields: Fields, snapshot: Snapshot) -> None:
    """Rewrite every segment in which there is something of a deleted document."""
    if all(part.alive.all() for part in snapshot.parts):
        return
    toc = _contents(storage, fields)
    segments = [one for one in toc.segments if not one.has_deletions()]
    for one in toc.segments:
        if one.has_deletions():
            building = Building(storage, fields)
            _take(building, storage, one)
            segments += _finished(building)
    _name(storage, toc, segments)


def write_all(
    storage: DurableStorage, fields: Fields, documents: Iterable[Put], progress: Progress | None
) -> None:
    """Write a whole index into an empty folder. Raises ValueError for a number that comes twice."""
    seen, segments, terms, building = bytearray(), list[Any](), 0, Building(storage, fields)
    for done, put in enumerate(documents, start=1):
        row = stored(put, fields)
        if put.number >= len(seen):
            seen.extend(bytes(put.number + 1 - len(seen) + len(seen) // 8))
        if seen[put.number]:
            raise ValueError(f"number {put.number} comes twice")
        seen[put.number] = 1
        building.add(row)
        terms += _OF_A_DOCUMENT + sum(len(value) for value in row.values() if isinstance(value, str))
        if terms > _LARGEST:
            segments += _finished(building)
            terms, building = 0, Building(storage, fields)
        if progress:
            progress(done)
    segments += _finished(building)
    # The only table there ever is: an older one would be found while the folder is removed.
    TOC(whoosh_schema(fields), segments, 1).write(storage, NAME)


def stamps(snapshot: Snapshot) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Numbers, ascending, and stamps of all living documents."""
    empty = np.zeros(0, np.int64)
    numbers = np.concatenate([empty, *(part.view.numbers("number")[part.alive] for part in snapshot.parts)])
    versions = np.concatenate([empty, *(part.view.numbers("stamp")[part.alive] for part in snapshot.parts)])
    order = np.argsort(numbers, kind="stable")
    return numbers[order], versions[order]
