"""示踪: where the volumes of many nodes are now, in a fixed number of statements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from archive.models import (
    Container,
    Holding,
    HoldingEvent,
    HoldingStatus,
    Location,
    Milestone,
    Node,
    Principal,
    Request,
    RequestLine,
)
from archive.policy.permissions import P
from archive.services import holdings, policies, slips
from archive.sight import NodeView
from archive.uow import UnitOfWork
from archive.workflow import State

TRUSTED: Any = {"scope": "tracers"}


@dataclass(frozen=True)
class Trace:
    """纸质本 and where it is. Who may not see holdings learns of a volume that is out, and when it is due, no more."""

    status: State
    step: str | None
    """What was done last with a volume that is being processed: signed in, arranged, scanning."""
    barcode: str | None
    place: str | None
    ward: str | None
    container: str | None
    holder: str | None
    since: datetime | None
    due_at: datetime | None
    is_overdue: bool
    request: UUID | None
    number: str | None


def traces(uow: UnitOfWork, views: Sequence[NodeView]) -> dict[int, list[Trace]]:
    """Node id → its volumes, as far as the actor may know of them."""
    known = {view.id: view for view in views if P.HOLDING_VIEW in view.may or P.DISCOVER in view.may}
    rows = uow.session.execute(_now().where(Holding.node_id.in_(known)), execution_options=TRUSTED).all()
    seen = _slips(uow, {row.request_id for row in rows if row.request_id is not None})
    steps = _steps(
        uow, {row.Holding.node_id for row in rows if row.Holding.status == HoldingStatus.PROCESSING}
    )
    found: dict[int, list[Trace]] = {}
    for row in rows:
        view = known[row.Holding.node_id]
        if trace := _trace(uow, view, row, seen, steps.get(view.id)):
            found.setdefault(view.id, []).append(trace)
    return found


def _now() -> Any:
    boxed, holder, ward = aliased(Location), aliased(Principal), aliased(Principal)
    moved = HoldingEvent.from_status.is_distinct_from(HoldingEvent.to_status)
    since = (
        select(func.max(HoldingEvent.at))
        .where(HoldingEvent.holding_id == Holding.id, HoldingEvent.to_status == Holding.status, moved)
        .scalar_subquery()
    )
    columns: Any = select(
        Holding, func.coalesce(boxed.code, Location.code).label("place"), Container.barcode.label("container"),
        holder.name.label("holder"), ward.name.label("ward"), RequestLine.out_at, RequestLine.due_at,
        RequestLine.request_id, since.label("since"),
    )  # fmt: skip
    return (
        columns.join(Node, Node.id == Holding.node_id)
        .outerjoin(ward, ward.id == Node.dept_id)
        .outerjoin(Location, Location.id == Holding.location_id)
        .outerjoin(Container, Container.id == Holding.container_id)
        .outerjoin(boxed, boxed.id == Container.location_id)
        .outerjoin(holder, holder.id == Holding.holder_id)
        .outerjoin(RequestLine, and_(RequestLine.holding_id == Holding.id, RequestLine.in_at.is_(None)))
        .order_by(Holding.id)
    )


def _slips(uow: UnitOfWork, numbers: Iterable[int]) -> dict[int, tuple[UUID, str]]:
    """The requests among these that the actor may see."""
    statement = slips.visible(uow, Request.id, Request.uuid, Request.number).where(
        Request.id.in_(list(numbers))
    )
    return {number: (uuid, slip) for number, uuid, slip in uow.session.execute(statement)}


def _steps(uow: UnitOfWork, nodes: Iterable[int]) -> dict[int, str]:
    """Node id → the last step that was reached on any track, in the hospital's words."""
    words = policies.in_force(uow, "gates").body["steps"]
    reached = select(Milestone.node_id, Milestone.step).where(Milestone.node_id.in_(list(nodes)))
    rows = uow.session.execute(reached.order_by(Milestone.at, Milestone.id), execution_options=TRUSTED)
    return {number: policies.said(words[step]) for number, step in rows if step in words}


def _trace(
    uow: UnitOfWork, view: NodeView, row: Any, seen: Mapping[int, tuple[UUID, str]], step: str | None
) -> Trace | None:
    held, handles = row.Holding, P.HOLDING_VIEW in view.may
    is_out, is_here = held.status == HoldingStatus.LENT, handles and held.status != HoldingStatus.LENT
    if not handles and not is_out:
        return None
    request, number = seen.get(row.request_id, (None, None))
    knows = handles or request is not None
    return Trace(
        status=holdings.STATUSES[held.status], step=step if held.status == HoldingStatus.PROCESSING else None,
        barcode=held.barcode if handles else None, place=row.place if is_here and held.status != HoldingStatus.HELD else None,
        ward=row.ward if handles and held.status == HoldingStatus.WARD else None,
        container=row.container if is_here else None, holder=row.holder if knows else None,
        since=(row.out_at or row.since) if knows else None, due_at=row.due_at,
        is_overdue=row.due_at is not None and row.due_at < uow.now, request=request, number=number,
    )  # fmt: skip


def pages(uow: UnitOfWork, views: Iterable[NodeView]) -> dict[int, int]:
    """Node id → pages of its electronic form, its items' included, where the actor may discover it."""
    top, below = aliased(Node), aliased(Node)
    subtree = and_(
        below.path >= top.path, below.path < func.substr(top.path, 1, func.length(top.path) - 1) + "0"
    )
    statement = (
        select(top.id, func.sum(below.page_count))
        .join(below, subtree)
        .where(top.id.in_([view.id for view in views if P.DISCOVER in view.may]))
        .group_by(top.id)
    )
    return {number: int(count) for number, count in uow.session.execute(statement, execution_options=TRUSTED)}
