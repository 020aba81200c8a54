"""离职清退: all that somebody has of the archive, before they leave. Their account is closed elsewhere (`people`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from archive.errors import Conflict, NotFound
from archive.i18n import _
from archive.models import (
    AccessGrant,
    Delegation,
    Membership,
    Node,
    Principal,
    Request,
    ScanBatch,
    User,
)
from archive.policy.permissions import P
from archive.policy.workflows import BATCH, PAPER
from archive.schema import clean
from archive.services import circulation, notices, reading, requests, reservations, slips
from archive.services.circulation import Loan
from archive.services.notice_words import WITHDRAWN
from archive.services.scanning import batches
from archive.services.slips import Slip
from archive.uow import UnitOfWork, action

TRUSTED = {"scope": "clearance"}
CANCEL = next(step for step in PAPER.transitions if step.name == "cancel")


@dataclass(frozen=True)
class StandIn:
    """代理: one of the two is whoever leaves."""

    absent: str
    deputy: str
    until: date


@dataclass(frozen=True)
class Held:
    """清退清单: what somebody has, as far as whoever looks handles it."""

    name: str
    staff_no: str
    departments: str
    is_closed: bool
    loans: Sequence[Loan]
    asked: Sequence[Slip]
    """What they have asked for: to be decided, in line, lying ready, or open to be read."""
    batches: Sequence[str]
    grants: int
    """Of records opened to them by an inspection or in an emergency, still in force."""
    deputies: Sequence[StandIn]
    may_withdraw: int
    """How many of what they have asked for on paper the actor may withdraw."""

    @property
    def is_clear(self) -> bool:
        return not (self.loans or self.asked or self.batches or self.grants)


def of(uow: UnitOfWork, staff_no: str) -> Held:
    """What the person of this staff number has. Raises NotFound."""
    person, user = _person(uow, staff_no)
    group = select(Principal.name).join(Membership, Membership.group_id == Principal.id)
    departments = uow.session.scalars(
        group.where(Membership.principal_id == person.id, Principal.kind == "dept")
    )
    asked = slips.listed(uow, Request.requester_id == person.id, slips.is_open(uow), Request.state != "lent")
    return Held(
        person.name, user.staff_no, _(", ").join(departments), user.disabled_at is not None,
        circulation.in_hand(uow, person.id), asked, _batches(uow, person.id), _grants(uow, person.id), _deputies(uow, person.id),
        len(uow.session.execute(_to_withdraw(uow, person.id)).all()),
    )  # fmt: skip


def _person(uow: UnitOfWork, staff_no: str) -> tuple[Principal, User]:
    uow.require(P.REQUEST_HANDLE)
    found = select(Principal, User).join(User, User.id == Principal.id)
    row = uow.session.execute(
        found.where(User.staff_no.in_((clean(staff_no), clean(staff_no).upper())))
    ).first()
    if row is None:
        raise NotFound
    return row[0], row[1]


def _batches(uow: UnitOfWork, person: int) -> list[str]:
    """Those that they began and that are not back in the store."""
    over = [state.name for state in BATCH.states if state.final]
    mine = select(ScanBatch.number).where(
        ScanBatch.created_by == person, ScanBatch.state.not_in(over), batches.admitted(uow, *batches.HANDLING)
    )
    return list(uow.session.scalars(mine.order_by(ScanBatch.id), execution_options=TRUSTED))


def _grants(uow: UnitOfWork, person: int) -> int:
    """Of what was asked for the slips tell already."""
    live = (
        AccessGrant.principal_id == person,
        AccessGrant.valid_until > uow.now,
        AccessGrant.cause.not_in(reading.OPENS),
    )
    known = (
        uow.nodes(P.DISCOVER, func.count(AccessGrant.node_id.distinct()))
        .select_from(Node)
        .join(AccessGrant, AccessGrant.node_id == Node.id)
    )
    return uow.session.scalar(known.where(*live)) or 0


def _deputies(uow: UnitOfWork, person: int) -> list[StandIn]:
    absent, deputy = aliased(Principal), aliased(Principal)
    rows = uow.session.execute(
        select(absent.name, deputy.name, Delegation.end)
        .join(absent, absent.id == Delegation.from_id)
        .join(deputy, deputy.id == Delegation.to_id)
        .where(or_(Delegation.from_id == person, Delegation.to_id == person), Delegation.ended_at.is_(None),
               Delegation.end >= uow.today)
        .order_by(Delegation.start)
    )  # fmt: skip
    return [StandIn(*row) for row in rows]


def _to_withdraw(uow: UnitOfWork, person: int) -> Select[Any]:
    """What they have asked for on paper and not collected, as far as the actor could have granted it: where somebody decides, by
    the right to decide; what a rule has given at once is the desk's.
    """
    by_the_rule = and_(Request.state == "approved", Request.decided_by.is_(None))
    waiting = slips.visible(uow, Request, Node).where(
        slips.handled(uow), Request.requester_id == person, Request.state.in_(("requested", "approved")),
        or_(uow.access.clause(P.REQUEST_DECIDE), by_the_rule),
    )  # fmt: skip
    return waiting.order_by(Request.node_id)


@action("clearance.settled", needs=P.REQUEST_HANDLE)
def withdraw(uow: UnitOfWork, staff_no: str) -> int:
    """Withdraws what they have asked for on paper and not collected, so that nobody waits behind them, and tells them; gives how
    many.

    Raises NotFound, Conflict where there is nothing that the actor could have granted.
    """
    person, user = _person(uow, staff_no)
    rows = uow.session.execute(_to_withdraw(uow, person.id)).all()
    if not rows:
        raise Conflict(_("Nothing waits to be collected that you could withdraw."))
    uow.note(staff_no=user.staff_no, numbers=[request.number for request, _node in rows])
    for request, node in rows:
        uow.lock(node)
        uow.session.refresh(request, with_for_update=True)
        requests.take(uow, request, node, CANCEL, reason=_("Clearance of whoever leaves"))
        reservations.settle(uow, node)
        notices.in_line(uow, request, WITHDRAWN)
    return len(rows)
