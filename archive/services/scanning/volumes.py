"""批次卷册: the volumes of a batch: put in by their barcodes, counted, and how far each has come."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select

from archive.errors import Conflict, Invalid, NotFound
from archive.i18n import _
from archive.models import BatchPage, BatchVolume, Holding, HoldingStatus, Node, ScanBatch
from archive.policy.permissions import P
from archive.policy.rights import matrix
from archive.services import frozen, holdings
from archive.services.scanning import batches, care, pasted
from archive.services.scanning.batches import TRUSTED
from archive.services.scanning.care import Paper
from archive.sight import NodeView, views
from archive.uow import UnitOfWork, action

BEFORE_SCANNING = ("created", "checked_out", "prepared")
MOST = 400
"""Volumes of one batch: what a person can have in hand in one go."""


@dataclass(frozen=True)
class Volume:
    """批次卷册 as the page of its batch shows it."""

    id: int
    barcode: str
    node: NodeView
    sides: int | None
    pages: int
    """Of the pile: those that belong to it, a pasted sheet once."""
    linked: int
    difference: str | None
    confirmed: bool
    papers: list[Paper]
    """What it holds that asks for care."""

    @property
    def first(self) -> bool:
        """Whether it is scanned before the others."""
        return any(paper.first for paper in self.papers)

    @property
    def agrees(self) -> bool:
        return self.sides == self.pages


@action("batch.volume_added", needs=batches.MAKING)
def put_in(uow: UnitOfWork, batch: ScanBatch, *, barcode: str) -> BatchVolume:
    """Puts a volume into a batch. Raises NotFound, Conflict for one that is not at hand or cannot be scanned as it is."""
    batches.lock(uow, batch)
    batches.require(uow, batch, *batches.MAKING)
    batches.require_state(batch, "created")
    holding, node = uow.holding(barcode)
    uow.require(batches.MAKING, node)
    if objection := _objection(uow, batch, holding, node):
        raise Conflict(objection)
    volume = BatchVolume(batch_id=batch.id, holding_id=holding.id, node_id=node.id)
    uow.session.add(volume)
    uow.session.flush()
    uow.about(node)
    uow.note(batch=batch.number, barcode=holding.barcode)
    return volume


def _objection(uow: UnitOfWork, batch: ScanBatch, holding: Holding, node: Node) -> str | None:
    if holding.status in {HoldingStatus.LENT, HoldingStatus.MISSING}:
        return _("The volume is not in the house. Take it back or find it first.")
    if refusal := frozen.volume(uow, holding):
        return refusal
    if not _is_scannable(node):
        return _("Nothing is added to this record in its state. Start correcting it first.")
    if node.data.get("secrecy"):
        return _("This entry has a secrecy mark. Its pages may not be uploaded.")
    elsewhere = (
        select(ScanBatch.number)
        .join(BatchVolume, BatchVolume.batch_id == ScanBatch.id)
        .where(BatchVolume.holding_id == holding.id, BatchVolume.open.is_(True))
    )
    if number := uow.session.scalar(elsewhere, execution_options=TRUSTED):
        return batches.named(uow, number) or _("The volume is in another batch.")
    if count(uow, batch) >= MOST:
        return _("A batch has %(most)d volumes at most. Begin another one.", most=MOST)
    return None


def _is_scannable(node: Node) -> bool:
    """Whether any role adds pages to such a node as it is now."""
    return any(
        P.SCAN_UPLOAD in right.permissions and right.covers(node.type, node.state) for right in matrix()
    )


@action("batch.volume_removed", needs=batches.MAKING)
def take_out(uow: UnitOfWork, batch: ScanBatch, *, volume: int) -> None:
    """Takes a volume out of a batch of which nothing is scanned yet; it goes back to where it stood."""
    batches.lock(uow, batch)
    batches.require(uow, batch, *batches.MAKING)
    batches.require_state(batch, *BEFORE_SCANNING)
    found = one(uow, batch, volume)
    uow.about(uow.session.get_one(Node, found.node_id, execution_options=TRUSTED))
    uow.note(batch=batch.number)
    holding = uow.session.get_one(Holding, found.holding_id, execution_options=TRUSTED)
    if batch.state != "created":
        holdings.back(uow, holding, because=batch.number)
    uow.session.delete(found)
    uow.session.flush()


@action("batch.sides_counted", needs=P.SCAN_UPLOAD)
def count_sides(uow: UnitOfWork, batch: ScanBatch, *, volume: int, sides: int | None) -> None:
    """页数清点: how many pages of a volume the scanner must see. Raises Conflict once it is scanned, Invalid."""
    batches.lock(uow, batch)
    batches.require(uow, batch, P.SCAN_UPLOAD)
    batches.require_state(batch, "checked_out", "prepared")
    if sides is None or not 1 <= sides <= 20_000:
        raise Invalid(fields={"sides": _("Write the number of pages.")})
    found = one(uow, batch, volume)
    found.sides = sides
    uow.about(uow.session.get_one(Node, found.node_id, execution_options=TRUSTED))
    uow.note(batch=batch.number, sides=sides)


@action("batch.papers_told", needs=P.SCAN_UPLOAD)
def tell_papers(uow: UnitOfWork, batch: ScanBatch, *, volume: int, kinds: Collection[str]) -> None:
    """Says which papers a volume holds that ask for care. Raises Conflict once it is scanned, Invalid for an unknown one."""
    batches.lock(uow, batch)
    batches.require(uow, batch, P.SCAN_UPLOAD)
    batches.require_state(batch, "checked_out", "prepared")
    found, known = one(uow, batch, volume), care.papers(uow)
    if set(kinds) - set(known):
        raise Invalid(_("There is no such paper. Reload the page."))
    found.kinds = [paper.code for paper in care.of(known, kinds)] or None
    uow.about(uow.session.get_one(Node, found.node_id, execution_options=TRUSTED))
    uow.note(batch=batch.number, kinds=found.kinds or [])


def one(uow: UnitOfWork, batch: ScanBatch, volume: int) -> BatchVolume:
    """A volume of this batch. Raises NotFound."""
    statement = select(BatchVolume).where(BatchVolume.id == volume, BatchVolume.batch_id == batch.id)
    found: BatchVolume | None = uow.session.scalar(statement, execution_options=TRUSTED)
    if found is None:
        raise NotFound
    return found


def count(uow: UnitOfWork, batch: ScanBatch) -> int:
    """How many volumes a batch has."""
    many = select(func.count(BatchVolume.id)).where(BatchVolume.batch_id == batch.id)
    return uow.session.scalar(many, execution_options=TRUSTED) or 0


def listed(uow: UnitOfWork, batch: ScanBatch) -> list[Volume]:
    """The volumes of a batch in a fixed number of statements: first those that are to be scanned first, each in the order in
    which they were put in.
    """
    mine = (BatchPage.volume_id == BatchVolume.id, BatchPage.aside.is_(None), ~pasted.is_further())
    pages = batches.counted(*mine)
    linked = batches.counted(BatchPage.volume_id == BatchVolume.id, BatchPage.linked_at.is_not(None))
    rows = uow.session.execute(
        select(BatchVolume, Holding.barcode, Node, pages, linked)
        .join(Holding, Holding.id == BatchVolume.holding_id)
        .join(Node, Node.id == BatchVolume.node_id)
        .where(BatchVolume.batch_id == batch.id)
        .order_by(BatchVolume.id),
        execution_options=TRUSTED,
    ).all()
    seen, known = views(uow, [row[2] for row in rows]), care.papers(uow)
    found = [
        Volume(
            volume.id, barcode, view, volume.sides, many, done, volume.difference, volume.confirmed,
            care.of(known, volume.kinds),
        )
        for (volume, barcode, _node, many, done), view in zip(rows, seen, strict=True)
    ]  # fmt: skip
    return sorted(found, key=lambda volume: not volume.first)
