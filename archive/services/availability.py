"""在库情况: whether the paper of what somebody found can be had, for whoever may see holdings or ask for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func

from archive.models import Holding, HoldingStatus, Node, RequestLine
from archive.policy.permissions import P
from archive.services.holdings import STATUSES
from archive.sight import NodeView
from archive.uow import UnitOfWork
from archive.workflow import State

WORST = (
    HoldingStatus.SHELVED,
    HoldingStatus.WARD,
    HoldingStatus.PROCESSING,
    HoldingStatus.HELD,
    HoldingStatus.LENT,
    HoldingStatus.MISSING,
)
"""Of several volumes the one counts that is hardest to have."""


@dataclass(frozen=True)
class Availability:
    """Where the paper is: on the shelf, lent and until when, or missing."""

    status: State
    due_at: datetime | None
    is_overdue: bool


def of(uow: UnitOfWork, found: Iterable[NodeView], needs: P = P.HOLDING_VIEW) -> dict[int, Availability]:
    """Node id → where its paper is, in one statement; nothing for what has none, or on which one lacks `needs`."""
    ids = {view.id for view in found}
    lines = and_(RequestLine.holding_id == Holding.id, RequestLine.in_at.is_(None))
    wanted = (
        uow.nodes(needs, Node.id, Holding.status, func.min(RequestLine.due_at))
        .join(Holding, Holding.node_id == Node.id)
        .outerjoin(RequestLine, lines)
        .where(Node.id.in_(ids))
        .group_by(Node.id, Holding.status)
    )
    known: dict[int, Availability] = {}
    for number, status, due_at in uow.session.execute(wanted) if ids else ():
        here = Availability(STATUSES[status], due_at, due_at is not None and due_at < uow.now)
        if number not in known or _rank(here) > _rank(known[number]):
            known[number] = here
    return known


def _rank(one: Availability) -> tuple[bool, int]:
    return one.is_overdue, WORST.index(HoldingStatus(one.status.name))
