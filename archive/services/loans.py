"""借阅: volumes over the desk. Out by barcode and back by barcode; one volume is in one hand (domain §4.2)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from archive.access import vetoed_by
from archive.errors import Conflict, Forbidden
from archive.i18n import _
from archive.models import Holding, HoldingAct, HoldingEvent, HoldingStatus, Node, Request, RequestLine
from archive.policy.permissions import P
from archive.policy.workflows import PAPER
from archive.services import (
    borrowing,
    calendar,
    frozen,
    holdings,
    in_hand,
    notices,
    policies,
    requests,
    reservations,
    sheet_counts,
)
from archive.services.in_hand import InHand
from archive.services.reservations import Turn
from archive.services.scanning import batches
from archive.services.sheet_counts import NOTHING, Seen
from archive.uow import SIGNED_IN, UnitOfWork, action
from archive.workflow import Transition

TRUSTED: Any = {"scope": "loans"}
UNDO_WITHIN = timedelta(minutes=10)
"""An undo takes back a slip of the hand. What lies further back is corrected by another act, which stays visible."""


class NotYourTurn(Conflict):
    """Others come first; whoever may pass them over says why."""


@action("loan.issued", needs=P.REQUEST_HANDLE)
def issue(uow: UnitOfWork, request: Request, *, barcode: str, seen: Seen = NOTHING, held: InHand | None = None,
          line: Sequence[Turn] | None = None, because: str = "", collector: int | None = None) -> RequestLine:  # fmt: skip
    """Hands a volume over the desk: it leaves its place, and the clock starts. `held` and `line`, the queue of the record,
    where they have been read already.

    Raises Conflict for another record's volume, one that is out, a sealed record, a borrower with something overdue, and as
    `sheet_counts.check` says; NotYourTurn while others come first, unless the actor may pass them over and says why.
    """
    held = held or in_hand.lay(uow, barcode)
    holding, node = held.holding, held.node
    uow.about(node)
    if refusal := objection(uow, request, held):
        raise Conflict(refusal)
    line = reservations.turns(uow, node) if line is None else line
    if gone := reservations.has_left(request, line):
        raise Conflict(gone)
    refusal = reservations.objection(uow, held, request, line)
    if refusal and not uow.can(P.REQUEST_OVERRIDE_DUE, node):
        raise NotYourTurn(refusal)
    sheet_counts.check(uow, held, seen, purpose=request.purpose, out=True)
    if refusal and not because:
        raise NotYourTurn(refusal)
    reservations.lapse(uow, node, line, but=request)
    drawn = draw_line(uow, request, holding, seen, collector)
    holdings.hand_over(uow, node, holding, to=request.requester_id, because=request.number)
    if request.state == "approved":
        requests.take(uow, request, node, step("issue"))
    if len(line) > 1 or request.offered_id not in (None, holding.id):  # that one is kept for nobody now
        reservations.settle(uow, node, found=line)
    uow.note(number=request.number, barcode=holding.barcode, to=request.requester_id, due=drawn.due_at,
             sheets=[holding.sheets, seen.sheets], intact=seen.intact)  # fmt: skip
    if refusal:
        uow.note(passed_over=because)
    if collector:
        uow.note(collector=collector)
    return drawn


def objection(uow: UnitOfWork, request: Request, held: InHand, *, handed_on: bool = False) -> str | None:
    """Why this volume does not go out on this request, or nothing. `handed_on`: it comes from whoever has it."""
    if request.kind != "paper" or request.state not in {"approved", "lent"}:
        return _("This request is not approved for lending.")
    if held.holding.node_id != request.node_id:
        return _("This is not the volume that was asked for.")
    if held.holding.status == HoldingStatus.LENT and not handed_on:
        return _("This volume is out already. Take it back first.")
    if refusal := _stays(uow, held):
        return refusal
    if (
        not borrowing.rule_of(uow, request).while_overdue
        and not uow.can(P.REQUEST_OVERRIDE_DUE, held.node)
        and borrowing.is_blocked(uow, request.requester_id)
    ):
        return _("The borrower has a volume that is overdue. It comes back first.")
    return None


def _stays(uow: UnitOfWork, held: InHand) -> str | None:
    """Why this volume leaves the house for nobody now, or nothing."""
    if P.REQUEST_CREATE in vetoed_by(held.node.overlay):
        return _("This record is in the trash: it is not lent.")
    if held.is_sealed:
        return frozen.stays()
    if held.node.state == "correcting":
        return _("This record is being corrected. It is lent again when that is done.")
    return batches.told(uow, held.batch) if held.batch else None


def draw_line(uow: UnitOfWork, request: Request, holding: Holding, seen: Seen,
              collector: int | None) -> RequestLine:  # fmt: skip
    """Part of an act: the loan of a volume, due by the rule of its request, counted from today."""
    back_on = borrowing.due(calendar.of(uow), borrowing.rule_of(uow, request), request.days, uow.today)
    line = RequestLine(
        request_id=request.id, holding_id=holding.id, due_at=calendar.end_of(uow, back_on),
        out_at=uow.now, out_by=uow.actor.principal_id,
        sheets_out=holding.sheets if seen.sheets is None else seen.sheets, counted_out=seen.sheets is not None,
        intact_out=seen.intact, collector_id=collector,
    )  # fmt: skip
    uow.session.add(line)
    return line


def step(name: str) -> Transition:
    """A step of a loan on paper."""
    return next(step for step in PAPER.transitions if step.name == name)


@action("loan.returned", needs=P.REQUEST_HANDLE)
def take_back(uow: UnitOfWork, barcode: str, *, seen: Seen = NOTHING, only: Request | None = None,
              held: InHand | None = None) -> RequestLine:  # fmt: skip
    """Takes a volume back. Raises Conflict when it is not out, or not on the request `only`, and as `sheet_counts.check`
    says.
    """
    held = held or in_hand.lay(uow, barcode)
    holding, node, line, request = held.holding, held.node, held.line, held.request
    uow.about(node)
    if line is None or request is None or line.in_at is not None:
        raise Conflict(_("This volume is not out."))
    if only is not None and line.request_id != only.id:
        raise Conflict(_("This volume is out on another request."))
    sheet_counts.check(uow, held, seen, purpose=request.purpose, out=False)
    line.in_at, line.in_by, line.sheets_in, line.intact_in = (
        uow.now, uow.actor.principal_id, seen.sheets, seen.intact
    )  # fmt: skip
    line.pass_to_id = None  # it was given to nobody else
    kept = HoldingStatus.HELD if reservations.settle(uow, node, at_hand=holding) else None
    holdings.take_in(uow, node, holding, because=request.number, status=kept)
    if not held.others_out and request.state == "lent":
        requests.take(uow, request, node, step("return"))
    uow.note(
        number=request.number,
        barcode=holding.barcode,
        sheets=[line.sheets_out, seen.sheets],
        intact=seen.intact,
    )
    return line


def lose(uow: UnitOfWork, held: InHand) -> RequestLine:
    """Part of an act: nobody brings this volume back. The loan ends as lost, and its borrower is told so."""
    line, request = held.line, held.request
    if line is None or request is None or not held.is_out:
        raise Conflict(_("This volume is not out."))
    line.in_at, line.in_by, line.lost, line.pass_to_id = uow.now, uow.actor.principal_id, True, None
    held.holding.holder_id, held.holding.status = None, HoldingStatus.MISSING
    if not held.others_out and request.state == "lent":
        requests.take(uow, request, held.node, step("lose"))
    notices.in_line(uow, request, "loan.lost")
    reservations.settle(uow, held.node)
    uow.note(number=request.number)
    return line


@action("loan.undone", needs=P.REQUEST_HANDLE)
def undo(uow: UnitOfWork, barcode: str) -> None:
    """Takes back one's own last act with a volume: it was not handed out, or has not come back.

    Raises Conflict when somebody else has handled it since, when it is too long ago, and when what is back must stay.
    """
    held = in_hand.lay(uow, barcode)
    holding, node, line, request = held.holding, held.node, held.line, held.request
    uow.about(node)
    card = _last_on_card(uow, holding)
    if line is None or request is None or card is None or not _is_mine_and_fresh(uow, line, card):
        raise Conflict(_("There is nothing to undo: only your own last act can be, within ten minutes."))
    if line.in_at is not None and (refusal := _stays(uow, held)):
        raise Conflict(refusal)
    undone = "issue" if held.is_out else "return"
    uow.note(number=request.number, barcode=holding.barcode, undone=undone)
    if held.is_out:
        was = HoldingStatus(card.from_status or HoldingStatus.PROCESSING)
        _put_back(uow, held, request, line, was)
    else:
        line.in_at = line.in_by = line.sheets_in = line.intact_in = None
        request.state = "lent"
        holdings.hand_over(uow, node, holding, to=request.requester_id, because=request.number)
    reservations.settle(uow, node)


def _last_on_card(uow: UnitOfWork, holding: Holding) -> HoldingEvent | None:
    card = select(HoldingEvent).where(HoldingEvent.holding_id == holding.id)
    return uow.session.scalar(card.order_by(HoldingEvent.id.desc()).limit(1), execution_options=TRUSTED)


def _is_mine_and_fresh(uow: UnitOfWork, line: RequestLine, card: HoldingEvent) -> bool:
    """Whether nothing has become of the volume since what the actor did with it a moment ago."""
    act = HoldingAct.ISSUED if line.in_at is None else HoldingAct.RETURNED
    return card.kind == act and card.by_id == uow.actor.principal_id and uow.now - card.at <= UNDO_WITHIN


def _put_back(
    uow: UnitOfWork, held: InHand, request: Request, line: RequestLine, status: HoldingStatus
) -> None:
    """It was not handed out: it is again what it was."""
    uow.session.delete(line)
    if not held.others_out:
        request.state = "approved"
    holdings.take_in(uow, held.node, held.holding, because=request.number, status=status)


@action("loan.renewed", needs=SIGNED_IN)
def renew(uow: UnitOfWork, request: Request) -> None:
    """The borrower keeps the volumes for some days more, as often and as long as the rule allows under which they were lent.

    Raises Forbidden for anybody but the borrower and the desk, Conflict when it is too late or too often.
    """
    node = uow.session.get_one(Node, request.node_id, execution_options=TRUSTED)
    if not _is_theirs_to_renew(uow, request, node):
        raise Forbidden
    uow.lock(node)
    uow.about(node)
    if refusal := renewal_objection(uow, request, node):
        raise Conflict(refusal)
    lines = _open_lines(uow, request)
    rule, by = borrowing.rule_of(uow, request), calendar.of(uow)
    for line in lines:
        line.due_at = calendar.end_of(uow, borrowing.renewed(by, rule, calendar.day_of(uow, line.due_at)))
        line.renewals += 1
    uow.note(
        number=request.number, due=[line.due_at for line in lines], renewals=[line.renewals for line in lines],
        rule=[rule.code, request.policy_version],
    )  # fmt: skip


def _is_theirs_to_renew(uow: UnitOfWork, request: Request, node: Node) -> bool:
    return request.requester_id == uow.actor.principal_id or uow.can(P.REQUEST_HANDLE, node)


def is_handled(uow: UnitOfWork, request: Request) -> bool:
    """Whether the volumes of this request pass over the actor's desk."""
    node = uow.session.get_one(Node, request.node_id, execution_options=TRUSTED)
    return request.kind == "paper" and uow.can(P.REQUEST_HANDLE, node)


def may_renew(uow: UnitOfWork, request: Request) -> bool:
    """Whether the actor would not be refused."""
    node = uow.session.get_one(Node, request.node_id, execution_options=TRUSTED)
    return _is_theirs_to_renew(uow, request, node) and renewal_objection(uow, request, node) is None


def why_not_renewed(uow: UnitOfWork, request: Request) -> str | None:
    """Why whoever has it out, or the desk, is not offered to renew it; or nothing."""
    node = uow.session.get_one(Node, request.node_id, execution_options=TRUSTED)
    if request.kind != "paper" or request.state != "lent" or not _is_theirs_to_renew(uow, request, node):
        return None
    return renewal_objection(uow, request, node)


def renewal_objection(uow: UnitOfWork, request: Request, node: Node) -> str | None:
    """Why the loan of `node` cannot be renewed now, or nothing."""
    if P.REQUEST_CREATE in vetoed_by(node.overlay):
        return _("This record is in the trash. Bring it back.")
    lines = _open_lines(uow, request)
    if not lines:
        return _("Nothing of this request is out.")
    if any(line.due_at < uow.now for line in lines):
        return _("It is overdue. Bring it back.")
    if not (times := borrowing.rule_of(uow, request).renewals):
        return _("For this purpose the lending rules do not provide for renewing.")
    if any(line.renewals >= times for line in lines):
        return _("It cannot be renewed again.")
    if any(line.recalled_at for line in lines) or reservations.somebody_waits(uow, node):
        return _("Somebody else is waiting for it.")
    return None


def _open_lines(uow: UnitOfWork, request: Request) -> list[RequestLine]:
    open_ones = select(RequestLine).where(RequestLine.request_id == request.id, RequestLine.in_at.is_(None))
    return list(uow.session.scalars(open_ones.order_by(RequestLine.id)))


@action("loan.recalled", needs=P.REQUEST_HANDLE)
def recall(uow: UnitOfWork, request: Request) -> None:
    """催还: somebody waits, so what is out on this request is due sooner, never later. Raises Conflict when nobody waits."""
    node = uow.session.get_one(Node, request.node_id, execution_options=TRUSTED)
    uow.require(P.REQUEST_HANDLE, node)
    uow.lock(node)
    uow.about(node)
    lines = [line for line in _open_lines(uow, request) if line.recalled_at is None]
    if not lines or not reservations.somebody_waits(uow, node):
        raise Conflict(_("Nobody waits for it, or it has been asked back already."))
    soon = calendar.due(uow, uow.today, policies.in_force(uow, "queue").body["limits"]["recall_days"])
    for line in lines:
        line.due_at, line.recalled_at = min(line.due_at, soon), uow.now
    uow.note(number=request.number, due=[line.due_at for line in lines])
    notices.in_line(uow, request, "loan.recalled")


def may_recall(uow: UnitOfWork, request: Request) -> bool:
    """Whether the actor would not be refused."""
    node = uow.session.get_one(Node, request.node_id, execution_options=TRUSTED)
    handles = request.kind == "paper" and request.state == "lent" and uow.can(P.REQUEST_HANDLE, node)
    return (
        handles
        and any(not line.recalled_at for line in _open_lines(uow, request))
        and reservations.somebody_waits(uow, node)
    )
