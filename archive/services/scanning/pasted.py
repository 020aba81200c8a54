"""粘贴单: a sheet with slips pasted over one another is scanned several times, slip by slip lifted. Its pictures lie side by
side in the record and count as one; a person says so, since nothing else can tell it from a sheet that was scanned twice.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, select, update

from archive.errors import Conflict
from archive.i18n import _
from archive.models import BatchPage, Page, ScanBatch
from archive.services.scanning import twins
from archive.services.scanning.batches import TRUSTED
from archive.uow import UnitOfWork


def is_further() -> ColumnElement[bool]:
    """That a page of a batch is one more picture of a sheet."""
    sheet: ColumnElement[Any] = BatchPage.said["sheet"].as_integer()
    return sheet.is_not(None)


def sheet_of(page: BatchPage | Row[Any]) -> int | None:
    """The ordinal of the page that stands for the sheet of which this is one more picture."""
    found: int | None = (page.said or {}).get("sheet")
    return found


def join(uow: UnitOfWork, batch: ScanBatch, page: BatchPage) -> None:
    """Part of an act: a page is one more picture of the sheet of the page that it looks like, else of the one before it in
    its volume. Raises Conflict where there is none.
    """
    kept = (BatchPage.batch_id == batch.id, BatchPage.aside.is_(None), BatchPage.volume_id == page.volume_id)
    before = select(BatchPage).where(*kept, BatchPage.ordinal < page.ordinal)
    alike = uow.session.scalar(before.where(BatchPage.ordinal == page.twin), execution_options=TRUSTED)
    nearest = before.order_by(BatchPage.ordinal.desc()).limit(1)
    found = alike or uow.session.scalar(nearest, execution_options=TRUSTED)
    if page.volume_id is None or page.aside is not None or found is None:
        raise Conflict(
            _("Page %(number)s: there is no page before it in its volume. Say first where it belongs.", number=page.ordinal)
        )  # fmt: skip
    page.said = {
        **(page.said or {}), "sheet": sheet_of(found) or found.ordinal, "volume": found.volume_id,
        "component": found.component,
    }  # fmt: skip


def follow(uow: UnitOfWork, batch: ScanBatch) -> None:
    """Part of an act: further pictures go where their sheet goes; where it goes into no record any more they are pages like
    others, and somebody is asked about them again.
    """
    mine = select(BatchPage).where(
        BatchPage.batch_id == batch.id, BatchPage.linked_at.is_(None), is_further()
    )
    further = uow.session.scalars(mine.order_by(BatchPage.ordinal), execution_options=TRUSTED).all()
    sheets = _sheets(uow, batch, [sheet_of(page) or 0 for page in further])
    for page in further:
        sheet = sheets.get(sheet_of(page) or 0)
        said: Mapping[str, Any] = page.said or {}
        if sheet is None or sheet.aside is not None or sheet.volume_id is None or page.aside is not None:
            page.said = {name: value for name, value in said.items() if name != "sheet"}
            twins.reopen(uow, page.volume_id)
        elif (page.volume_id, page.component) != (sheet.volume_id, sheet.component):
            for volume in {page.volume_id, sheet.volume_id}:
                twins.reopen(uow, volume)
            page.said = {**said, "volume": sheet.volume_id, "component": sheet.component}
            page.volume_id, page.component = sheet.volume_id, sheet.component
    uow.session.flush()


def _sheets(uow: UnitOfWork, batch: ScanBatch, ordinals: Sequence[int]) -> dict[int, BatchPage]:
    there = select(BatchPage).where(BatchPage.batch_id == batch.id, BatchPage.ordinal.in_(ordinals))
    return {page.ordinal: page for page in uow.session.scalars(there, execution_options=TRUSTED)}


def order(page: BatchPage | Row[Any]) -> tuple[int, int]:
    """What pages are sorted by to lie beside their sheets."""
    return sheet_of(page) or page.ordinal, page.ordinal


def gather(uow: UnitOfWork, pages: Sequence[BatchPage], node: int) -> None:
    """Part of linking: where these are further pictures, or pages of a sheet with such, all of it stands side by side."""
    batch = {page.batch_id for page in pages}
    further = select(
        BatchPage.ordinal, BatchPage.page_id, BatchPage.said["sheet"].as_integer().label("sheet")
    )
    rows = further.where(BatchPage.batch_id.in_(batch), is_further(), BatchPage.page_id.is_not(None))
    new = {page.ordinal for page in pages}
    found = [
        row
        for row in uow.session.execute(rows.order_by(BatchPage.ordinal), execution_options=TRUSTED)
        if row.ordinal in new or row.sheet in new
    ]
    if not found:
        return
    sheets = select(BatchPage.ordinal, BatchPage.page_id).where(
        BatchPage.batch_id.in_(batch), BatchPage.ordinal.in_([row.sheet for row in found])
    )
    page_of: dict[int, int | None] = dict(uow.session.execute(sheets, execution_options=TRUSTED).all())
    _stand(uow, node, [(row.page_id, page_of.get(row.sheet)) for row in reversed(found)])


def _stand(uow: UnitOfWork, node: int, pairs: Sequence[tuple[int, int | None]]) -> None:
    """Puts pages that stand in a node directly behind others, one after the other."""
    standing = select(Page.id).where(Page.node_id == node).order_by(Page.ordinal)
    before = list(uow.session.scalars(standing, execution_options=TRUSTED))
    after = list(before)
    for page, sheet in pairs:
        if page in after and sheet in after:
            after.remove(page)
            after.insert(after.index(sheet) + 1, page)
    moved = [(page, place) for place, page in enumerate(after, start=1) if before[place - 1] != page]
    for sign in (-1, 1) if moved else ():  # only one page may have a place, at every moment
        rows = [{"id": page, "ordinal": sign * place} for page, place in moved]
        uow.session.execute(update(Page), rows, execution_options=TRUSTED)
