"""申请预告: what asking for a record would come to, said before it is sent: how long, who decides, whether the paper is there."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from archive.models import Holding, HoldingStatus, Node, Request, RequestLine
from archive.policy.lending import Rule
from archive.policy.permissions import P
from archive.services import borrowing, deciders, slips
from archive.services.deciders import Office
from archive.services.holdings import STATUSES
from archive.uow import UnitOfWork
from archive.workflow import State

TRUSTED = {"scope": "foretelling"}


@dataclass(frozen=True)
class Foretold:
    """One purpose in one medium: its rule, the last day if it were had today, and whether something overdue forbids it."""

    kind: str
    rule: Rule
    last_day: date
    is_blocked: bool


@dataclass(frozen=True)
class Paper:
    """在库情况: whether the paper is there, until when it is out, and how many have been promised it already."""

    status: State
    due_at: datetime | None
    waiting: int


def rules(uow: UnitOfWork, node: Node, kinds: list[str]) -> list[Foretold]:
    """Purpose by purpose what the actor may ask for of a record."""
    uow.require(P.REQUEST_CREATE, node)
    is_overdue, found = borrowing.is_overdue(uow), borrowing.offered(uow, node.level)
    return [
        Foretold(kind, rule, borrowing.last_day(uow, kind, rule), is_overdue and not rule.while_overdue)
        for media in found.values()
        for kind, rule in media.items()
        if kind in kinds
    ]


def offices(uow: UnitOfWork, node: Node, kinds: list[str]) -> list[Office]:
    """Who could decide: for the screen where that can be asked for, which is never more than for the paper."""
    return deciders.of(uow, node, kinds[0]) if kinds else []


def paper(uow: UnitOfWork, node: Node) -> Paper | None:
    """Whether the paper of a record can be had. Where it stands, and who has it, is not said here."""
    uow.require(P.REQUEST_CREATE, node)
    held = uow.session.execute(
        select(Holding.status, func.min(RequestLine.due_at))
        .outerjoin(RequestLine, (RequestLine.holding_id == Holding.id) & RequestLine.in_at.is_(None))
        .where(Holding.node_id == node.id)
        .group_by(Holding.status),
        execution_options=TRUSTED,
    ).all()
    if not held:
        return None
    order = list(HoldingStatus)
    status, due_at = max(held, key=lambda row: order.index(HoldingStatus(row[0])))
    promised = select(func.count(Request.id)).where(
        Request.node_id == node.id, Request.kind == "paper", Request.state == "approved", slips.may_go_out()
    )
    waiting = uow.session.scalar(promised.join(Node, Node.id == Request.node_id), execution_options=TRUSTED)
    return Paper(STATUSES[status], due_at, waiting or 0)
