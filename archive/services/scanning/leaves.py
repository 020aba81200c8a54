"""批次页面: the pages of a batch as a person sees them, with their pictures, and what should be looked at."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from archive import tickets
from archive.errors import NotFound
from archive.i18n import _, _l
from archive.models import (
    BatchFile,
    BatchPage,
    BatchVolume,
    Blob,
    Node,
    Page,
    PageCheck,
    Representation,
    ScanBatch,
)
from archive.piles import Aside, Doubt
from archive.policy.permissions import P
from archive.services import drawing, imaging, page_checks, pages, policies
from archive.services.scanning import batches, pasted
from archive.services.scanning.batches import TRUSTED
from archive.uow import UnitOfWork
from storage import BlobMissing
from storage.copies import scaled, turned

MOST = 240
"""Pages on one page: beyond that a browser grows slow, and nobody looks at so many at once."""
ASIDE = {
    Aside.COVER: _l("Cover sheet"), Aside.SEPARATOR: _l("Separator sheet"), Aside.BLANK: _l("Blank"),
    Aside.DUPLICATE: _l("Scanned twice"), Aside.FOREIGN: _l("Does not belong here"), Aside.SPOILT: _l("Spoilt scan"),
}  # fmt: skip
DOUBTS = {
    Doubt.LOOSE: _l("Which record?"), Doubt.UNREAD: _l("Cover sheet that cannot be read"),
    Doubt.STRANGER: _l("Another patient, not of this batch"), Doubt.ELSEWHERE: _l("Another patient of this batch"),
    Doubt.DUPLICATE: _l("Scanned twice?"),
}  # fmt: skip


@dataclass(frozen=True)
class LeafView:
    """批次页: one page of a pile as somebody who may see it sees it."""

    id: int
    ordinal: int
    volume: int | None
    component: str | None
    component_label: str
    aside: str
    doubts: list[tuple[str, str]]
    """Words, and how grave they are."""
    findings: list[str]
    marks: list[str]
    steps: str
    """What was done to its picture, in words."""
    rotation: int
    text: str | None
    is_linked: bool
    is_drawn: bool


@dataclass(frozen=True)
class Listing:
    """Some pages of a batch, and from which one the next list begins."""

    leaves: list[LeafView]
    total: int
    next: int | None


def listed(
    uow: UnitOfWork, batch: ScanBatch, *, show: str = "", volume: int | None = None, start: int = 0
) -> Listing:
    """The pages from `start` on: of a volume, or all that are doubtful, set aside or in the sample. They are noted as seen."""
    statement = _of(uow, batch, show, volume)
    total = (
        uow.session.scalar(select(func.count()).select_from(statement.subquery()), execution_options=TRUSTED)
        or 0
    )
    rows = list(
        uow.session.scalars(
            statement.where(BatchPage.ordinal >= start).order_by(BatchPage.ordinal).limit(MOST + 1),
            execution_options=TRUSTED,
        )
    )
    found = rows[:MOST]
    _note(uow, batch, found)
    uow.read(batches.event("batch.pages_viewed", batch, pages=[page.ordinal for page in found]))
    return Listing(
        [_view(uow, batch, page) for page in found], total, rows[MOST].ordinal if len(rows) > MOST else None
    )


def _of(uow: UnitOfWork, batch: ScanBatch, show: str, volume: int | None) -> Select[Any]:
    statement = select(BatchPage).where(BatchPage.batch_id == batch.id, shown(uow))
    if volume is not None:
        return statement.where(BatchPage.volume_id == volume)
    if show == "doubts":
        return statement.where(BatchPage.doubtful.is_(True))
    if show == "aside":
        return statement.where(BatchPage.aside.is_not(None))
    if show == "sample":
        return statement.where(batches.in_sample(batch))
    return statement


def shown(uow: UnitOfWork) -> ColumnElement[bool]:
    """What has been linked is shown by the rights over where it stands now, which may be closer than those over the batch."""
    stands = select(Page.id).join(Node, Node.id == Page.node_id).where(Page.id == BatchPage.page_id)
    readable = stands.where(uow.access.clause(P.READ)).correlate(BatchPage).exists()
    return or_(BatchPage.linked_at.is_(None), readable)


def told(uow: UnitOfWork) -> ColumnElement[bool]:
    """What is `shown`, and what is shown no more since it was taken out, to whoever reads where it stood: what was wrong with
    it is still told.
    """
    stood = select(Page.id).join(Node, Node.id == Page.aside_of_id).where(Page.id == BatchPage.page_id)
    readable = stood.where(uow.access.clause(P.READ)).correlate(BatchPage).exists()
    return or_(shown(uow), readable, BatchPage.page_id.is_(None))


def one(uow: UnitOfWork, batch: ScanBatch, ordinal: int) -> LeafView:
    """One page, noted as seen. Raises NotFound."""
    page = row(uow, batch, ordinal)
    _note(uow, batch, [page])
    uow.read(batches.event("batch.page_viewed", batch, page=ordinal))
    return _view(uow, batch, page)


def around(uow: UnitOfWork, batch: ScanBatch, ordinal: int, *, in_sample: bool) -> dict[str, int]:
    """The ordinals of the pages before and behind a page, of the whole pile or of the sample."""
    among = _of(uow, batch, "sample" if in_sample else "", None).with_only_columns(BatchPage.ordinal)
    ends = {
        "previous": among.where(BatchPage.ordinal < ordinal).order_by(BatchPage.ordinal.desc()),
        "next": among.where(BatchPage.ordinal > ordinal).order_by(BatchPage.ordinal),
    }
    found = {name: uow.session.scalar(one.limit(1), execution_options=TRUSTED) for name, one in ends.items()}
    return {name: int(one) for name, one in found.items() if one is not None}


def row(uow: UnitOfWork, batch: ScanBatch, ordinal: int) -> BatchPage:
    """A page that the actor may see, not noted yet. Raises NotFound."""
    statement = select(BatchPage).where(
        BatchPage.batch_id == batch.id, BatchPage.ordinal == ordinal, shown(uow)
    )
    found = uow.session.scalar(statement, execution_options=TRUSTED)
    if found is None:
        raise NotFound
    return found


def _note(uow: UnitOfWork, batch: ScanBatch, pages: Sequence[BatchPage]) -> None:
    """The journal tells whose pages were shown: of one of which nobody knows whose it is, all of the batch."""
    volumes = {page.volume_id for page in pages}
    said = {record for page in pages for record in page.records}
    nodes = select(Node, BatchVolume.id).join(BatchVolume, BatchVolume.node_id == Node.id)
    mine = nodes.where(BatchVolume.batch_id == batch.id)
    for node, volume in uow.session.execute(mine, execution_options=TRUSTED):
        if None in volumes or volume in volumes or node.data.get("mrn") in said:
            uow.saw(node)


def _view(uow: UnitOfWork, batch: ScanBatch, page: BatchPage) -> LeafView:
    check, within = PageCheck(**page.quality), page_checks.limits(uow)
    words = policies.vocabulary(uow, "component")
    return LeafView(
        id=page.id, ordinal=page.ordinal, volume=page.volume_id, component=page.component,
        component_label=words.get(page.component or "", ""),
        aside=str(ASIDE[Aside(page.aside)]) if page.aside else "", doubts=[_doubt(page, doubt) for doubt in page.doubts],
        findings=[] if page.aside else list(page_checks.findings(page, check, page.confidence, within)),
        marks=[*_sheet(page), *page_checks.marks(check, within)], steps=imaging.told(check.steps), rotation=page.rotation,
        text=page.text, is_linked=page.linked_at is not None, is_drawn=batches.is_in_sample(batch, page),
    )  # fmt: skip


def _sheet(page: BatchPage) -> list[str]:
    sheet = pasted.sheet_of(page)
    return [_("sheet of page %(number)s, slips lifted", number=sheet)] if sheet else []


def _doubt(page: BatchPage, doubt: str) -> tuple[str, str]:
    words = str(DOUBTS[Doubt(doubt)])
    if doubt == Doubt.DUPLICATE and page.twin:
        words = _("Like page %(number)s", number=page.twin)
    return words, "bad" if doubt in {Doubt.STRANGER, Doubt.ELSEWHERE} else "wait"


# Pictures


def ticket(uow: UnitOfWork, batch: ScanBatch, ordinal: int) -> str:
    """For the picture of a page whose showing is written down with this answer."""
    return tickets.issue(uow, f"batch:{batch.id}:{ordinal}")


def picture(uow: UnitOfWork, batch: ScanBatch, ordinal: int, *, width: int | None = None, small: bool = False,
            ticket: str | None = None) -> bytes:  # fmt: skip
    """The access copy of a page, turned as it is read; of a linked one as it stands in its record now, mended or scanned anew.

    One event, unless a listing told of it already.
    """
    page = row(uow, batch, ordinal)
    if not tickets.holds(uow, f"batch:{batch.id}:{ordinal}", ticket):
        _note(uow, batch, [page])
        uow.read(batches.event("batch.picture_viewed", batch, page=ordinal))
    found = _in_record(uow, page, small=small) or _in_pile(uow, batch, page, small=small)
    by_grant = next((node for node in _homes(uow, batch, page) if pages.is_marked(uow, node)), None)
    found = scaled(found, width) if width else found
    return pages.marked(uow, by_grant, found) if by_grant else found


def _homes(uow: UnitOfWork, batch: ScanBatch, page: BatchPage) -> list[Node]:
    """Where the page stands now; before it is linked the record that it will go to; any of the batch while nobody knows which."""
    linked = select(Page.id).where(
        Page.id == page.page_id, or_(Page.node_id == Node.id, Page.aside_of_id == Node.id)
    )
    homes = list(uow.session.scalars(select(Node).where(linked.exists()), execution_options=TRUSTED))
    if homes:
        return homes
    volumes = select(BatchVolume.node_id).where(BatchVolume.batch_id == batch.id)
    if page.volume_id is not None:
        volumes = volumes.where(BatchVolume.id == page.volume_id)
    return list(uow.session.scalars(select(Node).where(Node.id.in_(volumes)), execution_options=TRUSTED))


def _in_record(uow: UnitOfWork, page: BatchPage, *, small: bool) -> bytes | None:
    of_page = (
        select(Page, Blob)
        .join(Representation, Representation.id == Page.representation_id)
        .join(Blob, Blob.id == Representation.blob_id)
        .where(Page.id == page.page_id)
    )
    found = uow.session.execute(of_page, execution_options=TRUSTED).first()
    if found is None:
        return None
    return pages.picture(uow.site, found[0], found[1], found[0].thumbnail if small else found[0].image)


def _in_pile(uow: UnitOfWork, batch: ScanBatch, page: BatchPage, *, small: bool) -> bytes:
    found = stored(uow, batch, page, small=small)
    return turned(found, page.rotation) if page.rotation else found


def stored(uow: UnitOfWork, batch: ScanBatch, page: BatchPage, *, small: bool) -> bytes:
    """The access copy as it was made; drawn again where it was lost. Raises NotFound once the pile has been let go."""
    name = page.thumbnail if small else page.image
    with suppress(BlobMissing), uow.site.store.open_derivative(batch.uuid, name) as stream:
        if found := stream.read():
            return found
    of_file = select(Blob).join(BatchFile, BatchFile.blob_id == Blob.id).where(BatchFile.id == page.file_id)
    blob = uow.session.scalar(of_file, execution_options=TRUSTED)
    if blob is None:
        raise NotFound
    both, steps = (page.image, page.thumbnail), page.quality["steps"]
    drawing.redraw(uow.site, blob.record, blob.sha256, both, page.source_page, steps)
    with uow.site.store.open_derivative(batch.uuid, name) as stream:
        return stream.read()
