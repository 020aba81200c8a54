"""转借: whoever has a volume gives it to somebody with an approved request; out of one hand and into the other in one act.

At the desk by two badges; or the borrower names the other, who confirms to have it. Whom one names is not told whether they
have asked for it: the sentence is the same for all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from archive.errors import Conflict, Forbidden, Invalid
from archive.i18n import _
from archive.models import Holding, HoldingAct, HoldingStatus, Node, Principal, Request, RequestLine, User
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import holdings, in_hand, loans, notices, requests, reservations, sheet_counts
from archive.services.in_hand import InHand
from archive.services.sheet_counts import NOTHING
from archive.uow import SIGNED_IN, UnitOfWork, action

TRUSTED: Any = {"scope": "handing_on"}


@dataclass(frozen=True)
class Given:
    """递交: a volume that somebody says they give to the asker."""

    barcode: str
    giver: str


def given(uow: UnitOfWork, request: Request) -> Sequence[Given]:
    """What others say they give to whoever has asked; for them alone."""
    if request.kind != "paper" or request.requester_id != uow.actor.principal_id:
        return ()
    rows = uow.session.execute(
        select(Holding.barcode, Principal.name)
        .join(RequestLine, RequestLine.holding_id == Holding.id)
        .join(Request, Request.id == RequestLine.request_id)
        .join(Principal, Principal.id == Request.requester_id)
        .where(Holding.node_id == request.node_id, RequestLine.in_at.is_(None),
               RequestLine.pass_to_id == request.requester_id)
        .order_by(Holding.id),
        execution_options=TRUSTED,
    )  # fmt: skip
    return [Given(*row) for row in rows] if request.state in {"approved", "lent"} else ()


@action("loan.hand_on_said", needs=SIGNED_IN)
def offer(uow: UnitOfWork, request: Request, *, barcode: str, staff_no: str) -> None:
    """The borrower says to whom they give a volume; nothing changes until that person confirms it. An empty number takes it back.

    Raises Forbidden for anybody else, Invalid for a number that nobody has, Conflict for what is not out on this request.
    """
    if request.requester_id != uow.actor.principal_id:
        raise Forbidden
    held = in_hand.passed(uow, barcode, request.node_id)
    uow.about(held.node)
    if held.line is None or not held.is_out:
        raise Conflict(_("This volume is not out."))
    if held.line.request_id != request.id:
        raise Conflict(_("This volume is out on another request."))
    to = _person(uow, staff_no) if clean(staff_no) else None
    if to == request.requester_id:
        raise Invalid(fields={"staff_no": _("This is you.")})
    held.line.pass_to_id = to
    uow.note(number=request.number, barcode=held.holding.barcode, to=to)
    if to is not None and (theirs := _asked_by(uow, held.node, to)) is not None:
        notices.in_line(uow, theirs, "loan.handed_to_you")


def _person(uow: UnitOfWork, staff_no: str) -> int:
    code = clean(staff_no)
    known = select(User.id).where(User.staff_no.in_((code, code.upper())), User.disabled_at.is_(None))
    found = uow.session.scalar(known)
    if found is None:
        raise Invalid(fields={"staff_no": _("Nobody has this staff number.")})
    return found


def _asked_by(uow: UnitOfWork, node: Node, person: int) -> Request | None:
    """The request on which somebody may have more of a record: approved, or with another volume out."""
    theirs = select(Request).where(
        Request.node_id == node.id, Request.kind == "paper", Request.requester_id == person,
        Request.state.in_(("approved", "lent")),
    )  # fmt: skip
    return uow.session.scalar(theirs.order_by(Request.state, Request.id).limit(1), execution_options=TRUSTED)


@action("loan.handed_on", needs=SIGNED_IN)
def accept(uow: UnitOfWork, request: Request, *, barcode: str) -> None:
    """Whoever asked confirms to have the volume that they were given. Raises Forbidden for anybody else, Conflict."""
    if request.requester_id != uow.actor.principal_id:
        raise Forbidden
    held = in_hand.passed(uow, barcode, request.node_id)
    uow.about(held.node)
    if held.line is None or not held.is_out or held.line.pass_to_id != request.requester_id:
        raise Conflict(_("Nobody gives you this volume now."))
    _pass(uow, held, request)


@action("loan.handed_on", needs=P.REQUEST_HANDLE)
def at_desk(uow: UnitOfWork, *, barcode: str, staff_no: str) -> None:
    """The desk writes down to whom the borrower gives a volume. Raises Conflict, Invalid for a number that nobody has."""
    held = in_hand.lay(uow, barcode)
    uow.about(held.node)
    if held.line is None or not held.is_out:
        raise Conflict(_("This volume is not out."))
    to = _asked_by(uow, held.node, _person(uow, staff_no))
    if to is None:
        raise Invalid(fields={"staff_no": _("They have no approved request for this record.")})
    _pass(uow, held, to)


def _pass(uow: UnitOfWork, held: InHand, to: Request) -> None:
    """Out of one hand and into the other: as a volume that comes back and goes out, without lying anywhere between."""
    line, given_on, holding, node = held.line, held.request, held.holding, held.node
    if line is None or given_on is None or given_on.requester_id == to.requester_id:
        raise Conflict(_("This volume is not out."))
    # Until the volume was locked it may have been withdrawn, or all of it brought back.
    uow.session.refresh(to, with_for_update=True)
    _check(uow, held, given_on, to)
    line.in_at, line.in_by, line.pass_to_id = uow.now, uow.actor.principal_id, to.requester_id
    uow.session.flush()  # a volume is in one hand: the one line ends before the other begins
    drawn = loans.draw_line(uow, to, holding, NOTHING, None)
    holding.holder_id = to.requester_id
    numbers = f"{given_on.number} → {to.number}"
    holdings.trace(
        uow,
        node,
        holding,
        HoldingAct.HANDED_ON,
        before=HoldingStatus.LENT,
        to=to.requester_id,
        because=numbers,
    )
    if not held.others_out and given_on.state == "lent":
        requests.take(uow, given_on, node, loans.step("return"))
    if to.state == "approved":
        requests.take(uow, to, node, loans.step("issue"))
    reservations.settle(uow, node)
    uow.note(
        barcode=holding.barcode, numbers=[given_on.number, to.number], to=to.requester_id, due=drawn.due_at
    )


def _check(uow: UnitOfWork, held: InHand, given_on: Request, to: Request) -> None:
    """Whatever keeps the desk from handing it out keeps it from being handed on. What must be counted is counted at the desk."""
    line = reservations.turns(uow, held.node)
    refusal = (
        loans.objection(uow, to, held, handed_on=True)
        or reservations.has_left(to, line)
        or reservations.objection(uow, held, to, line)
    )
    if refusal:
        raise Conflict(refusal)
    try:
        sheet_counts.check(uow, held, NOTHING, purpose=given_on.purpose, out=False)
        sheet_counts.check(uow, held, NOTHING, purpose=to.purpose, out=True)
    except sheet_counts.MustCount as due:
        raise Conflict(
            _("Bring it to the lending desk: its sheets are counted there. %(why)s", why=str(due))
        ) from due
