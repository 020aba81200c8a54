"""申请预告: what asking for a record would come to, said before it is sent: how long, who decides, whether the paper is there."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func

from archive.models import Node, Request
from archive.policy.lending import PAPER, Rule
from archive.policy.offices import OFFICES
from archive.policy.permissions import P
from archive.services import availability, borrowing, deciders, slips
from archive.services.deciders import Stage
from archive.sight import NodeView
from archive.uow import UnitOfWork
from archive.workflow import State


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
    is_overdue, found = borrowing.is_overdue(uow), borrowing.of_one(borrowing.offered(uow, node))
    return [
        Foretold(kind, rule, borrowing.last_day(uow, kind, rule), is_overdue and not rule.while_overdue)
        for media in found.values()
        for kind, rule in media.items()
        if kind in kinds
    ]


def offices(uow: UnitOfWork, node: Node, told: list[Foretold]) -> dict[str, Stage]:
    """Who sits in the offices of these rules: for the screen where that may be asked for, never more than for the paper."""
    codes = [code for code in OFFICES if any(code in one.rule.approvers for one in told)]
    return deciders.of(uow, node, min(one.kind for one in told), codes) if told else {}


def paper(uow: UnitOfWork, node: Node) -> Paper | None:
    """Whether the paper of a record can be had. Where it stands, and who has it, is not said here."""
    uow.require(P.REQUEST_CREATE, node)
    here = availability.of(uow, [NodeView(uow, node)], needs=P.REQUEST_CREATE).get(node.id)
    if here is None:
        return None
    promised = (
        uow.nodes(P.REQUEST_CREATE, func.count(Request.id))
        .select_from(Node)
        .join(Request, Request.node_id == Node.id)
        .where(Node.id == node.id, Request.kind == PAPER, Request.state == "approved", slips.may_go_out())
    )
    return Paper(here.status, here.due_at, uow.session.scalar(promised) or 0)
