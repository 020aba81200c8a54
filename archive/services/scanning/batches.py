"""数字化批次: which volumes are scanned together, who may see that, and where each batch waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select

from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.i18n import _
from archive.models import (
    BatchPage,
    BatchStep,
    BatchVolume,
    Holding,
    HoldingStatus,
    Node,
    Principal,
    ScanBatch,
)
from archive.policy.permissions import P
from archive.policy.rights import matrix
from archive.policy.workflows import BATCH
from archive.schema import clean
from archive.services import numbers
from archive.sight import NodeView, views
from archive.uow import UnitOfWork, action
from archive.workflow import State

TRUSTED: Any = {"scope": "scanning", "synchronize_session": False}
HANDLING = (P.SCAN_UPLOAD, P.SCAN_QC, P.HOLDING_PLACE)
"""Any of these over all its records lets one know of a batch."""
LOOKING = (P.SCAN_UPLOAD, P.SCAN_QC)
"""Of these, whoever reads all its records too sees its pages."""
MOST = 400
"""Volumes of one batch: what a person can have in hand in one go."""
OVER = tuple(state.name for state in BATCH.states if state.final)


@dataclass(frozen=True)
class Volume:
    """批次卷册 as the page of its batch shows it."""

    id: int
    barcode: str
    node: NodeView
    sides: int | None
    pages: int
    """Of the pile: those that belong to it."""
    linked: int
    difference: str | None
    confirmed: bool

    @property
    def agrees(self) -> bool:
        return self.sides == self.pages


@dataclass(frozen=True)
class Card:
    """A batch on the board: where it waits, since when, and with how much."""

    number: str
    note: str | None
    vendor: str | None
    state: State
    since: datetime
    by: str | None
    volumes: int
    pages: int
    doubts: int


@dataclass(frozen=True)
class Step:
    """工序: one step that was taken."""

    title: str
    state: State
    at: datetime
    by: str | None
    reason: str | None


def admitted(uow: UnitOfWork, *needs: P) -> ColumnElement[bool]:
    """That the actor holds one of `needs` on every record of a batch: what lies together is seen together or not at all."""
    allowed = or_(*(uow.access.clause(permission) for permission in needs))
    barred = select(BatchVolume.id).join(Node, Node.id == BatchVolume.node_id).correlate(ScanBatch)
    return not_(exists(barred.where(BatchVolume.batch_id == ScanBatch.id, not_(allowed))))


def readable(uow: UnitOfWork) -> ColumnElement[bool]:
    """That the actor may see the pages of a batch."""
    return and_(admitted(uow, P.READ), admitted(uow, *LOOKING))


def find(uow: UnitOfWork, number: str, *, pages: bool = False) -> ScanBatch:
    """The batch of this number, if the actor may know of it; with `pages`, if they may see its pages. Raises NotFound."""
    may = readable(uow) if pages else admitted(uow, *HANDLING)
    statement = select(ScanBatch).where(ScanBatch.number == number.strip().upper(), may)
    found: ScanBatch | None = uow.session.scalar(statement, execution_options=TRUSTED)
    if found is None:
        raise NotFound
    return found


def by_uuid(uow: UnitOfWork, uuid: UUID) -> ScanBatch:
    """The batch that takes pages, for whoever may see them. Raises NotFound."""
    statement = select(ScanBatch).where(ScanBatch.uuid == uuid, readable(uow))
    found: ScanBatch | None = uow.session.scalar(statement, execution_options=TRUSTED)
    if found is None:
        raise NotFound
    return found


def lock(uow: UnitOfWork, batch: ScanBatch) -> None:
    """Two people who change a batch at once do it one after the other."""
    uow.session.flush()
    uow.session.refresh(batch, with_for_update=True)


def require(uow: UnitOfWork, batch: ScanBatch, needs: P) -> None:
    """Raises Forbidden unless the actor holds `needs` on every record of the batch, and somewhere at all."""
    uow.require(needs)
    here = select(ScanBatch.id).where(ScanBatch.id == batch.id, admitted(uow, needs))
    if uow.session.scalar(here, execution_options=TRUSTED) is None:
        raise Forbidden


def may(uow: UnitOfWork, batch: ScanBatch, needs: P) -> bool:
    """Whether `require` would let the actor do it."""
    try:
        require(uow, batch, needs)
    except Forbidden:
        return False
    return True


def may_read(uow: UnitOfWork, batch: ScanBatch) -> bool:
    """Whether the actor sees the pages of a batch."""
    here = select(ScanBatch.id).where(ScanBatch.id == batch.id, readable(uow))
    return uow.session.scalar(here, execution_options=TRUSTED) is not None


def doubtful(uow: UnitOfWork, batch: ScanBatch) -> int:
    """How many pages wait for somebody to look at them."""
    many = select(func.count(BatchPage.id)).where(
        BatchPage.batch_id == batch.id, BatchPage.doubtful.is_(True)
    )
    return uow.session.scalar(many, execution_options=TRUSTED) or 0


def require_state(batch: ScanBatch, *states: str) -> None:
    """Raises Conflict in any other state."""
    if batch.state not in states:
        raise Conflict(_("This has been done already, or the batch is in another state. Reload the page."))


@action("batch.made", needs=(P.SCAN_UPLOAD, P.HOLDING_PLACE))
def make(uow: UnitOfWork, *, note: str = "", vendor: str = "", contract: str = "") -> ScanBatch:
    """Begins a batch. One that is scanned outside the house says by whom and under which contract."""
    batch = ScanBatch(
        number=numbers.slip(uow, "SZ", 4), state=BATCH.initial, note=clean(note)[:200] or None,
        vendor=clean(vendor)[:120] or None, contract=clean(contract)[:120] or None, created_at=uow.now,
        created_by=uow.actor.principal_id,
    )  # fmt: skip
    uow.session.add(batch)
    uow.session.flush()
    uow.session.add(
        BatchStep(batch_id=batch.id, name="make", state=batch.state, at=uow.now, by_id=uow.actor.principal_id)
    )
    uow.about(batch)
    uow.note(number=batch.number, vendor=batch.vendor)
    return batch


@action("batch.volume_added", needs=(P.SCAN_UPLOAD, P.HOLDING_PLACE))
def add_volume(uow: UnitOfWork, batch: ScanBatch, *, barcode: str) -> BatchVolume:
    """Puts a volume into a batch. Raises NotFound, Conflict for one that is not at hand or cannot be scanned as it is."""
    lock(uow, batch)
    require_state(batch, "created")
    holding, node = uow.holding(barcode)
    uow.require((P.SCAN_UPLOAD, P.HOLDING_PLACE), node)
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
        return _("The volume is in batch %(number)s.", number=number)
    if count(uow, batch) >= MOST:
        return _("A batch has %(most)d volumes at most. Begin another one.", most=MOST)
    return None


def _is_scannable(node: Node) -> bool:
    """Whether any role adds pages to such a node as it is now."""
    return any(
        P.SCAN_UPLOAD in right.permissions and right.covers(node.type, node.state) for right in matrix()
    )


@action("batch.volume_removed", needs=(P.SCAN_UPLOAD, P.HOLDING_PLACE))
def remove_volume(uow: UnitOfWork, batch: ScanBatch, *, volume: int) -> None:
    """Takes a volume out of a batch that is still in the store."""
    lock(uow, batch)
    require_state(batch, "created")
    found = of_batch(uow, batch, volume)
    uow.about(uow.session.get_one(Node, found.node_id, execution_options=TRUSTED))
    uow.note(batch=batch.number)
    uow.session.delete(found)
    uow.session.flush()


@action("batch.sides_counted", needs=P.SCAN_UPLOAD)
def count_sides(uow: UnitOfWork, batch: ScanBatch, *, volume: int, sides: int | None) -> None:
    """页数清点: how many pages of a volume the scanner must see. Raises Conflict once it is scanned, Invalid."""
    lock(uow, batch)
    require(uow, batch, P.SCAN_UPLOAD)
    require_state(batch, "checked_out", "prepared")
    if sides is None or not 1 <= sides <= 20_000:
        raise Invalid(fields={"sides": _("Write the number of pages.")})
    found = of_batch(uow, batch, volume)
    found.sides = sides
    uow.about(uow.session.get_one(Node, found.node_id, execution_options=TRUSTED))
    uow.note(batch=batch.number, sides=sides)


def of_batch(uow: UnitOfWork, batch: ScanBatch, volume: int) -> BatchVolume:
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


def nodes(uow: UnitOfWork, batch: ScanBatch) -> Sequence[Node]:
    """The records of a batch, each once."""
    mine = select(BatchVolume.node_id).where(BatchVolume.batch_id == batch.id)
    statement = select(Node).where(Node.id.in_(mine)).order_by(Node.id)
    return uow.session.scalars(statement, execution_options=TRUSTED).all()


def volumes(uow: UnitOfWork, batch: ScanBatch) -> list[Volume]:
    """The volumes of a batch in the order in which they were put in: a fixed number of statements."""
    pages = _counted(BatchPage.volume_id == BatchVolume.id, BatchPage.aside.is_(None))
    linked = _counted(BatchPage.volume_id == BatchVolume.id, BatchPage.page_id.is_not(None))
    rows = uow.session.execute(
        select(BatchVolume, Holding.barcode, Node, pages, linked)
        .join(Holding, Holding.id == BatchVolume.holding_id)
        .join(Node, Node.id == BatchVolume.node_id)
        .where(BatchVolume.batch_id == batch.id)
        .order_by(BatchVolume.id),
        execution_options=TRUSTED,
    ).all()
    seen = views(uow, [row[2] for row in rows])
    return [
        Volume(volume.id, barcode, view, volume.sides, many, done, volume.difference, volume.confirmed)
        for (volume, barcode, _node, many, done), view in zip(rows, seen, strict=True)
    ]


def _counted(*conditions: ColumnElement[bool]) -> Any:
    return (
        select(func.count(BatchPage.id))
        .where(*conditions)
        .correlate(ScanBatch, BatchVolume)
        .scalar_subquery()
    )


def board(uow: UnitOfWork, *, over: bool = False) -> list[Card]:
    """Every open batch that the actor may know of, the one that has waited longest first; or the latest that are done."""
    last = (
        select(func.max(BatchStep.id))
        .where(BatchStep.batch_id == ScanBatch.id)
        .correlate(ScanBatch)
        .scalar_subquery()
    )
    of = BatchPage.batch_id == ScanBatch.id
    statement = (
        select(
            ScanBatch, BatchStep.at, Principal.name,
            select(func.count(BatchVolume.id)).where(BatchVolume.batch_id == ScanBatch.id).correlate(ScanBatch).scalar_subquery(),
            _counted(of), _counted(of, BatchPage.doubtful.is_(True)),
        )
        .join(BatchStep, BatchStep.id == last)
        .outerjoin(Principal, Principal.id == BatchStep.by_id)
        .where(ScanBatch.state.in_(OVER) if over else ScanBatch.state.not_in(OVER), admitted(uow, *HANDLING))
        .order_by(BatchStep.at.desc() if over else BatchStep.at, ScanBatch.id)
        .limit(MOST)
    )  # fmt: skip
    return [
        Card(batch.number, batch.note, batch.vendor, BATCH.state(batch.state), at, by, *counts)
        for batch, at, by, *counts in uow.session.execute(statement, execution_options=TRUSTED)
    ]


def steps(uow: UnitOfWork, batch: ScanBatch) -> list[Step]:
    """The way of a batch, newest step first."""
    rows = uow.session.execute(
        select(BatchStep, Principal.name)
        .outerjoin(Principal, Principal.id == BatchStep.by_id)
        .where(BatchStep.batch_id == batch.id)
        .order_by(BatchStep.id.desc()),
        execution_options=TRUSTED,
    )
    return [Step(_title(step.name), BATCH.state(step.state), step.at, by, step.reason) for step, by in rows]


def _title(name: str) -> str:
    taken = BATCH.transition(name)
    return str(taken.title) if taken else _("Begun")
