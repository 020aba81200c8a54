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
    Node,
    Principal,
    Request,
    RequestLine,
)
from archive.policy.permissions import P
from archive.services import holdings, slips
from archive.sight import NodeView
from archive.uow import UnitOfWork
from archive.workflow import State

TRUSTED: Any = {"scope": "tracers"}


@dataclass(frozen=True)
class Trace:
    """纸质本 and where it is. Who may not see holdings learns of a volume that is out, and when it is due, no more."""

    status: State
    barcode: str | None
    place: str | None
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
    found: dict[int, list[Trace]] = {}
    for row in rows:
        if trace := _trace(uow, known[row.Holding.node_id], row, seen):
            found.setdefault(row.Holding.node_id, []).append(trace)
    return found


def _now() -> Any:
    moved = HoldingEvent.from_status.is_distinct_from(HoldingEvent.to_status)
    since = (
        select(func.max(HoldingEvent.at))
        .where(HoldingEvent.holding_id == Holding.id, HoldingEvent.to_status == Holding.status, moved)
        .scalar_subquery()
    )
    columns: Any = select(
        Holding, Location.code, Container.barcode.label("container"), Principal.name.label("holder"),
        RequestLine.out_at, RequestLine.due_at, RequestLine.request_id, since.label("since"),
    )  # fmt: skip
    return (
        columns.outerjoin(Location, Location.id == Holding.location_id)
        .outerjoin(Container, Container.id == Holding.container_id)
        .outerjoin(Principal, Principal.id == Holding.holder_id)
        .outerjoin(RequestLine, and_(RequestLine.holding_id == Holding.id, RequestLine.in_at.is_(None)))
        .order_by(Holding.id)
    )


def _slips(uow: UnitOfWork, numbers: Iterable[int]) -> dict[int, tuple[UUID, str]]:
    """The requests among these that the actor may see."""
    statement = slips.visible(uow, Request.id, Request.uuid, Request.number).where(Request.id.in_(list(numbers)))
    return {number: (uuid, slip) for number, uuid, slip in uow.session.execute(statement)}


def _trace(uow: UnitOfWork, view: NodeView, row: Any, seen: Mapping[int, tuple[UUID, str]]) -> Trace | None:
    held, handles = row.Holding, P.HOLDING_VIEW in view.may
    is_out = held.status == HoldingStatus.LENT
    if not handles and not is_out:
        return None
    request, number = seen.get(row.request_id, (None, None))
    knows = handles or request is not None
    return Trace(
        status=holdings.STATUSES[held.status], barcode=held.barcode if handles else None,
        place=row.code if handles and not is_out else None, container=row.container if handles and not is_out else None,
        holder=row.holder if knows else None, since=(row.out_at or row.since) if knows else None, due_at=row.due_at,
        is_overdue=row.due_at is not None and row.due_at < uow.now, request=request, number=number,
    )  # fmt: skip


def pages(uow: UnitOfWork, views: Iterable[NodeView]) -> dict[int, int]:
    """Node id → pages of its electronic form, its items' included, where the actor may discover it."""
    top, below = aliased(Node), aliased(Node)
    subtree = and_(below.path >= top.path, below.path < func.substr(top.path, 1, func.length(top.path) - 1) + "0")
    statement = (
        select(top.id, func.sum(below.page_count))
        .join(below, subtree)
        .where(top.id.in_([view.id for view in views if P.DISCOVER in view.may]))
        .group_by(top.id)
    )
    return {number: int(count) for number, count in uow.session.execute(statement, execution_options=TRUSTED)}
