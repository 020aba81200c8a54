"""数字化批次: which volumes are scanned together, who may see that, and where each batch waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, or_, select

from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.i18n import _
from archive.journal import Event
from archive.models import (
    BatchPage,
    BatchStep,
    BatchVolume,
    Node,
    Principal,
    ScanBatch,
)
from archive.policy.permissions import P
from archive.policy.workflows import BATCH
from archive.schema import clean
from archive.services import numbers
from archive.services.scanning import care
from archive.services.scanning.care import Urgent
from archive.uow import UnitOfWork, action
from archive.workflow import State

TRUSTED: Any = {"scope": "scanning", "synchronize_session": False}
HANDLING = (P.SCAN_UPLOAD, P.SCAN_QC, P.HOLDING_PLACE)
"""Any of these over all its records lets one know of a batch."""
LOOKING = (P.SCAN_UPLOAD, P.SCAN_QC)
"""Of these, whoever reads all its records too sees its pages."""
LONGEST = 500
"""Characters of a note."""
SHOWN = 400
"""Batches on a board."""
MAKING = (P.SCAN_UPLOAD, P.HOLDING_PLACE)
"""Any of these over all its records lets one say what is in a batch."""
OVER = frozenset(state.name for state in BATCH.states if state.final)
SETTLED = frozenset({"accepted", "rebound", *OVER})
"""States in which nothing is put right any more."""
WAITING = (BatchPage.aside.is_(None), BatchPage.linked_at.is_(None))
"""Of a page that goes into a record and does not lie there yet."""


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
    urgent: Urgent | None
    """Volumes in it that are to be scanned first."""


@dataclass(frozen=True)
class Step:
    """工序: one step that was taken."""

    title: str
    state: State
    at: datetime
    by: str | None
    reason: str | None


def admitted(uow: UnitOfWork, *needs: P) -> ColumnElement[bool]:
    """That the actor holds one of `needs` on every record of a batch: what lies together is seen together or not at all. One
    in which nothing lies yet is its maker's alone.
    """
    allowed = or_(*(uow.access.clause(permission) for permission in needs))
    barred = select(BatchVolume.id).join(Node, Node.id == BatchVolume.node_id).correlate(ScanBatch)
    nothing = not_(
        exists(select(BatchVolume.id).where(BatchVolume.batch_id == ScanBatch.id).correlate(ScanBatch))
    )
    all_of_them = not_(exists(barred.where(BatchVolume.batch_id == ScanBatch.id, not_(allowed))))
    return and_(all_of_them, or_(not_(nothing), ScanBatch.created_by == uow.actor.principal_id))


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


def event(name: str, batch: ScanBatch, **words: object) -> Event:
    """What the journal says of a reading in a batch: of which, and of what in it."""
    return Event(name, object_kind="scan_batch", object_id=batch.id, object_ref=batch.number, words=words)


def lock(uow: UnitOfWork, batch: ScanBatch) -> None:
    """Two people who change a batch at once do it one after the other."""
    uow.session.flush()
    uow.session.refresh(batch, with_for_update=True)


def require(uow: UnitOfWork, batch: ScanBatch, *needs: P) -> None:
    """Raises Forbidden unless the actor holds one of `needs` on every record of the batch, and somewhere at all."""
    uow.require(needs)
    here = select(ScanBatch.id).where(ScanBatch.id == batch.id, admitted(uow, *needs))
    if uow.session.scalar(here, execution_options=TRUSTED) is None:
        raise Forbidden


def may(uow: UnitOfWork, batch: ScanBatch, needs: P) -> bool:
    """Whether `require` would let the actor do it."""
    try:
        require(uow, batch, needs)
    except Forbidden:
        return False
    return True


def named(uow: UnitOfWork, number: str) -> str | None:
    """That something is in this batch, for whoever may know of that; else nothing."""
    known = select(ScanBatch.id).where(ScanBatch.number == number, admitted(uow, *HANDLING))
    if uow.session.scalar(known, execution_options=TRUSTED) is None:
        return None
    return _("It is in batch %(number)s, which is being scanned.", number=number)


def told(uow: UnitOfWork, number: str) -> str:
    """Why something waits for this batch: by its number for whoever may know of that, to others that there is one."""
    return named(uow, number) or _("It is being scanned in a batch. Wait until that is accepted.")


def checked_out_with(volume: Any) -> Select[str]:
    """The number of the batch that this volume has been checked out into. What is only planned keeps nothing from a reader."""
    return (
        select(ScanBatch.number)
        .join(BatchVolume, BatchVolume.batch_id == ScanBatch.id)
        .where(BatchVolume.holding_id == volume, BatchVolume.open, ScanBatch.state != "created")
    )


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


def in_sample(batch: ScanBatch) -> ColumnElement[bool]:
    """That a page was drawn into the last sample of its batch."""
    return and_(BatchPage.round == batch.rounds, BatchPage.round > 0)


def is_in_sample(batch: ScanBatch, page: BatchPage) -> bool:
    """`in_sample` of a page that is at hand."""
    return 0 < page.round == batch.rounds


def require_state(batch: ScanBatch, *states: str) -> None:
    """Raises Conflict in any other state."""
    if batch.state not in states:
        raise Conflict(_("This has been done already, or the batch is in another state. Reload the page."))


@action("batch.made", needs=MAKING)
def make(
    uow: UnitOfWork, *, note: str = "", vendor: str = "", contract: str = "", device: str = ""
) -> ScanBatch:
    """Begins a batch. One that is scanned outside the house says by whom and under which contract."""
    batch = ScanBatch(
        number=numbers.slip(uow, "SZ", 4), state=BATCH.initial, note=clean(note)[:200] or None,
        vendor=clean(vendor)[:120] or None, contract=clean(contract)[:120] or None,
        device=clean(device)[:60] or None, created_at=uow.now,
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


@action("batch.noted", needs=HANDLING)
def remark(uow: UnitOfWork, batch: ScanBatch, *, text: str) -> None:
    """监督记录: something that somebody saw while the batch was under way. Raises Invalid without words."""
    require(uow, batch, *HANDLING)
    words = clean(text)
    if not words or len(words) > LONGEST:
        raise Invalid(fields={"text": _("Write something, in at most %(most)d characters.", most=LONGEST)})
    uow.session.add(
        BatchStep(
            batch_id=batch.id,
            name="note",
            state=batch.state,
            at=uow.now,
            by_id=uow.actor.principal_id,
            reason=words,
        )
    )
    uow.note(batch=batch.number)
    uow.session.flush()


def nodes(uow: UnitOfWork, batch: ScanBatch) -> Sequence[Node]:
    """The records of a batch, each once."""
    mine = select(BatchVolume.node_id).where(BatchVolume.batch_id == batch.id)
    statement = select(Node).where(Node.id.in_(mine)).order_by(Node.id)
    return uow.session.scalars(statement, execution_options=TRUSTED).all()


def counted(*conditions: ColumnElement[bool]) -> Any:
    """How many pages of a volume of the select around it meet the conditions."""
    return select(func.count(BatchPage.id)).where(*conditions).correlate(BatchVolume).scalar_subquery()


def board(uow: UnitOfWork, *, over: bool = False) -> list[Card]:
    """Every open batch that the actor may know of, the one that has waited longest first; or the latest that are done.

    Of those in one state the ones come first in which something waits that is to be scanned first.
    """
    last = (
        select(func.max(BatchStep.id))
        .where(BatchStep.batch_id == ScanBatch.id, BatchStep.name != "note")
        .correlate(ScanBatch)
        .scalar_subquery()
    )
    volumes = select(func.count(BatchVolume.id)).where(BatchVolume.batch_id == ScanBatch.id)
    rows = uow.session.execute(
        select(ScanBatch, BatchStep.at, Principal.name, volumes.correlate(ScanBatch).scalar_subquery())
        .join(BatchStep, BatchStep.id == last)
        .outerjoin(Principal, Principal.id == BatchStep.by_id)
        .where(ScanBatch.state.in_(OVER) if over else ScanBatch.state.not_in(OVER), admitted(uow, *HANDLING))
        .order_by(BatchStep.at.desc() if over else BatchStep.at, ScanBatch.id)
        .limit(SHOWN),
        execution_options=TRUSTED,
    ).all()
    ids = [row[0].id for row in rows]
    many, urgent = _pages_of(uow, ids), care.waiting(uow, ids)
    return _urgent_first(
        [
            Card(
                batch.number,
                batch.note,
                batch.vendor,
                BATCH.state(batch.state),
                at,
                by,
                held,
                *many.get(batch.id, (0, 0)),
                urgent.get(batch.id),
            )
            for batch, at, by, held in rows
        ]
    )


def _urgent_first(cards: list[Card]) -> list[Card]:
    """Within each state, on the places that batches of it have: no batch passes one that waits at another step."""
    waiting: dict[str, list[Card]] = {}
    for card in sorted(cards, key=lambda card: card.urgent is None):
        waiting.setdefault(card.state.name, []).append(card)
    return [waiting[card.state.name].pop(0) for card in cards]


def _pages_of(uow: UnitOfWork, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Of batches how many pages each has, and how many of them are doubtful: once through an index that holds both."""
    counts = (func.count(), func.count().filter(BatchPage.doubtful.is_(True)))
    each = select(BatchPage.batch_id, *counts).where(BatchPage.batch_id.in_(ids)).group_by(BatchPage.batch_id)
    return {
        number: (pages, doubts)
        for number, pages, doubts in uow.session.execute(each, execution_options=TRUSTED)
    }


def under_way(uow: UnitOfWork) -> int:
    """How many open batches the actor may know of."""
    mine = select(func.count(ScanBatch.id)).where(ScanBatch.state.not_in(OVER), admitted(uow, *HANDLING))
    return uow.session.scalar(mine, execution_options=TRUSTED) or 0


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
    return str(taken.title) if taken else {"note": _("Note")}.get(name, _("Begun"))
