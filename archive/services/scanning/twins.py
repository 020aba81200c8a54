"""重页: which pages of a batch are one sheet scanned twice. Looked for once, of many pages and without a lock; whether somebody
must look at one follows from where the two go.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, or_, select, update

from archive import piles
from archive.models import BatchPage, BatchVolume, ScanBatch
from archive.piles import Alike, Doubt
from archive.services.scanning import likeness
from archive.services.scanning.batches import TRUSTED
from archive.uow import IDS, UnitOfWork

COMPARED = 50
"""Texts of other pages that are held at once, to be compared with that of a page."""
NONE = 0
"""The ordinal of no page: it was looked for, and the page looks like none."""


# What looks alike


def search(uow: UnitOfWork, batch: int, file: int) -> dict[int, int]:
    """Pages of a file that look like an earlier one of the batch, and later ones that look like one of the file: the id of
    each, and of the nearest that it looks like. Changes nothing: with ten thousand pages it takes seconds.
    """
    of_file = select(BatchPage.id).where(BatchPage.file_id == file, *_READ)
    if uow.session.scalar(of_file.limit(1), execution_options=TRUSTED) is None:
        return {}
    rows: list[Row[Any]] = []
    traits = likeness.Traits(_each(uow, batch, rows))
    everything, mine = _by_title(rows, None), _by_title(rows, file)
    found: dict[int, int] = {}
    for place, row in enumerate(rows):
        if row.file_id != file and row.twin:
            continue
        others = (everything if row.file_id == file else mine).get(row.title, _NOWHERE)
        near = traits.perhaps(place, others[others < place][::-1])
        if near and (twin := _nearest(uow, row.id, [(rows[other].id, apart) for other, apart in near])):
            found[row.id] = twin
    return found


_READ = (BatchPage.text.is_not(None), BatchPage.is_sheet.is_(False))
_NOWHERE: NDArray[np.intp] = np.array([], np.intp)


def _each(uow: UnitOfWork, batch: int, rows: list[Row[Any]]) -> Iterator[tuple[str, str]]:
    """The fingerprint and the text of each page that was read; what else is known of it goes into `rows`."""
    light = (BatchPage.id, BatchPage.file_id, BatchPage.title, BatchPage.twin)
    statement = select(*light).where(BatchPage.batch_id == batch, *_READ).order_by(BatchPage.ordinal)
    rows += uow.session.execute(statement, execution_options=TRUSTED)
    for start in range(0, len(rows), IDS):  # their texts are not held all at once
        some = rows[start : start + IDS]
        heavy = select(BatchPage.id, BatchPage.fingerprint, BatchPage.text)
        wanted = heavy.where(BatchPage.id.in_([row.id for row in some]))
        by_id = {row.id: row for row in uow.session.execute(wanted, execution_options=TRUSTED)}
        for row in some:
            yield by_id[row.id].fingerprint, by_id[row.id].text


def _by_title(rows: Sequence[Row[Any]], file: int | None) -> dict[str | None, NDArray[np.intp]]:
    """The places of the pages under each title, of a file or of all: a sheet has the same title when it is scanned again."""
    places: dict[str | None, list[int]] = {}
    for place, row in enumerate(rows):
        if file is None or row.file_id == file:
            places.setdefault(row.title, []).append(place)
    return {title: np.array(found, np.intp) for title, found in places.items()}


def _nearest(uow: UnitOfWork, page: int, near: Sequence[tuple[int, int]]) -> int | None:
    """The first of other pages, by their ids and in how many points they differ, that is the same sheet."""
    text = _texts(uow, [page])[page]
    for start in range(0, len(near), COMPARED):
        some = near[start : start + COMPARED]
        texts = _texts(uow, [other for other, _apart in some])
        for other, apart in some:
            if likeness.is_same(apart, text, texts[other]):
                return other
    return None


def _texts(uow: UnitOfWork, ids: Sequence[int]) -> dict[int, str]:
    wanted = select(BatchPage.id, BatchPage.text).where(BatchPage.id.in_(ids))
    return {row.id: row.text for row in uow.session.execute(wanted, execution_options=TRUSTED)}


def keep(uow: UnitOfWork, file: int, found: Mapping[int, int]) -> None:
    """Part of a job: what `search` found, as far as the pages are still there; the pages of the file count as compared."""
    compared = update(BatchPage).where(BatchPage.file_id == file, *_READ, BatchPage.twin.is_(None))
    uow.session.execute(compared.values(twin=NONE), execution_options=TRUSTED)
    both = sorted({*found, *found.values()})
    ordinals: dict[int, int] = {}
    for start in range(0, len(both), IDS):
        there = select(BatchPage.id, BatchPage.ordinal).where(BatchPage.id.in_(both[start : start + IDS]))
        ordinals |= dict(uow.session.execute(there, execution_options=TRUSTED).all())
    for page, twin in found.items():
        if page in ordinals and twin in ordinals:
            one = update(BatchPage).where(BatchPage.id == page).values(twin=ordinals[twin])
            uow.session.execute(one, execution_options=TRUSTED)


def forget(uow: UnitOfWork, batch: ScanBatch, file: int) -> None:
    """Before the pages of a file go: what looks like one of them looks like what that looked like, else like the first of
    those that stay.
    """
    mine = select(BatchPage.ordinal, BatchPage.twin).where(BatchPage.file_id == file)
    going: dict[int, int | None] = dict(uow.session.execute(mine, execution_options=TRUSTED).all())
    statement = select(BatchPage).where(
        BatchPage.batch_id == batch.id, BatchPage.file_id != file, BatchPage.twin > NONE
    )
    first: dict[int, int] = {}
    for page in uow.session.scalars(statement.order_by(BatchPage.ordinal), execution_options=TRUSTED):
        twin = page.twin or NONE
        while going.get(twin):
            twin = going[twin] or NONE
        if twin in going:
            twin = first.setdefault(twin, page.ordinal)
        page.twin = NONE if twin == page.ordinal else twin


# What is doubtful of it


def mark(uow: UnitOfWork, batch: ScanBatch) -> None:
    """Part of an act: asks about each page that looks like one which goes into the same volume, and no longer about one
    whose like was set aside.
    """
    rows = _alike(uow, batch)
    found = piles.doubled(Alike(row.ordinal, row.twin, row.volume_id, row.aside is None) for row in rows)
    for row in rows:
        asked = row.ordinal in found and not _is_settled(row)
        twin = found.get(row.ordinal, row.twin)
        if asked == (Doubt.DUPLICATE in row.doubts) and twin == row.twin:
            continue
        page = uow.session.get_one(BatchPage, row.id, execution_options=TRUSTED)
        if asked != (Doubt.DUPLICATE in row.doubts):
            page.doubts = [doubt for doubt in page.doubts if doubt != Doubt.DUPLICATE] + [
                Doubt.DUPLICATE
            ] * asked
            page.doubtful = bool(page.doubts)
            reopen(uow, page.volume_id)
        page.twin = twin
    uow.session.flush()


def _alike(uow: UnitOfWork, batch: ScanBatch) -> Sequence[Row[Any]]:
    """The pages that look like others, and those others, in their order."""
    mine = BatchPage.batch_id == batch.id
    named = select(BatchPage.twin).where(mine, BatchPage.twin > NONE)
    light = (
        BatchPage.id,
        BatchPage.ordinal,
        BatchPage.twin,
        BatchPage.volume_id,
        BatchPage.aside,
        BatchPage.doubts,
    )
    statement = select(*light, BatchPage.said, BatchPage.linked_at).where(
        mine, or_(BatchPage.twin > NONE, BatchPage.ordinal.in_(named))
    )
    return uow.session.execute(statement.order_by(BatchPage.ordinal), execution_options=TRUSTED).all()


def _is_settled(row: Row[Any]) -> bool:
    """It lies in its record, or a person has looked at it where it is, or said that its slips were lifted."""
    said: Mapping[str, Any] = row.said or {}
    is_fine = said.get("fine_for") == row.volume_id and Doubt.DUPLICATE in said.get("fine", ())
    return row.linked_at is not None or is_fine or bool(said.get("sheet"))


def reopen(uow: UnitOfWork, volume: int | None) -> None:
    """Part of an act: what somebody has confirmed of a volume is to be looked at again."""
    if volume is not None:
        changed = uow.session.get_one(BatchVolume, volume, execution_options=TRUSTED)
        changed.confirmed, changed.difference = False, None
