"""预约排队: who is to have the paper of a record, in which order. The approved requests are the queue; it has no table.

While a volume is in the house the first in line is offered it until a day; then it is the next one's turn. Whoever calls
`settle` has locked the record: an offer is made, kept or passed on by one at a time.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Select, and_, func, not_, or_, select
from sqlalchemy.orm import aliased

from archive.access import vetoed_by
from archive.actor import Actor
from archive.i18n import _, ngettext
from archive.models import Holding, HoldingAct, HoldingStatus, Node, Principal, Request, RequestLine, User
from archive.policy.permissions import P
from archive.services import calendar, frozen, holdings, notices, policies, slips
from archive.services.in_hand import InHand
from archive.site import Site
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "reservations"}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Turn:
    """排队号: one person's place in the queue of a record."""

    request: Request
    name: str
    staff_no: str
    is_closed: bool = False
    """Whether their account is closed."""

    @property
    def number(self) -> str:
        return self.request.number

    def is_offered(self, now: datetime) -> bool:
        """Whether it lies ready for this person."""
        return self.request.offered_until is not None and self.request.offered_until > now

    def is_over(self, now: datetime) -> bool:
        """Whether it lay ready and was not collected in time."""
        return self.request.offered_until is not None and self.request.offered_until <= now


def turns(uow: UnitOfWork, node: Node) -> list[Turn]:
    """Whoever may collect paper of a record or has some of it: what lies ready first, then by purpose, then by approval."""
    wanted = (
        select(Request, Principal.name, User.staff_no, User.disabled_at)
        .join(Principal, Principal.id == Request.requester_id)
        .outerjoin(User, User.id == Principal.id)
        .where(Request.node_id == node.id, Request.kind == "paper", Request.state.in_(("approved", "lent")))
        .execution_options(populate_existing=True)
    )
    uow.session.flush()
    found = [
        Turn(request, name, number or "", closed is not None)
        for request, name, number, closed in uow.session.execute(wanted, execution_options=TRUSTED)
    ]

    rank = _rank(uow)
    return sorted(found, key=lambda turn: (not turn.is_offered(uow.now), rank(turn.request)))


def _rank(uow: UnitOfWork) -> Callable[[Request], Any]:
    first = list(policies.in_force(uow, "queue").body["order"]["first"])

    def place_of(asked: Request) -> Any:
        rank = first.index(asked.purpose) if asked.purpose in first else len(first)
        return rank, asked.decided_at or asked.created_at, asked.id

    return place_of


def waiting(uow: UnitOfWork, node: Node) -> list[Turn]:
    """Who has nothing of it yet, the first in line first."""
    return _waiting(turns(uow, node))


def _waiting(found: Iterable[Turn]) -> list[Turn]:
    """Without those whose account is closed: nothing goes out to them, so nobody waits behind them."""
    return [turn for turn in found if turn.request.state == "approved" and not turn.is_closed]


def objection(uow: UnitOfWork, held: InHand, request: Request, found: Sequence[Turn]) -> str | None:
    """Why this volume does not go out on this request while `found` stand in line, or nothing. Judged by the clock: it makes no
    difference whether the program has passed on meanwhile what nobody collected.
    """
    others = [turn for turn in _waiting(found) if turn.request.id != request.id and not turn.is_over(uow.now)]
    mine = next((turn for turn in found if turn.request.id == request.id), None)
    kept = next(
        (turn for turn in others if turn.is_offered(uow.now) and turn.request.offered_id == held.holding.id),
        None,
    )
    if kept is not None:
        return _("It is kept for somebody else until %(day)s.", day=_day(uow, kept.request.offered_until))
    if request.state == "approved" and mine is not None and mine.is_over(uow.now):
        return _(
            "It lay ready until %(day)s and was not collected. Ask again.",
            day=_day(uow, request.offered_until),
        )
    if not others or (mine is not None and mine.is_offered(uow.now)):
        return None
    ahead = len(others if request.state == "lent" else _before(found, request, others))
    if ahead < len({held.holding.id, *(one.id for one in _in_house(uow, held.node))}):
        return None
    return ngettext(
        "%(num)d person is before this one in line.", "%(num)d people are before this one in line.", ahead
    )


def has_left(request: Request, found: Iterable[Turn]) -> str | None:
    """Why nothing goes out on this request, whoever brings its slip: the borrower's account is closed. Or nothing."""
    if any(turn.is_closed for turn in found if turn.request.id == request.id):
        return _("The borrower's account is closed: nothing goes out to them.")
    return None


def _before(found: Sequence[Turn], request: Request, others: Sequence[Turn]) -> list[Turn]:
    place = next((at for at, turn in enumerate(found) if turn.request.id == request.id), len(found))
    return [turn for turn in found[:place] if turn in others]


def _day(uow: UnitOfWork, moment: datetime | None) -> object:
    return uow.local(moment or uow.now).date()


def _in_house(uow: UnitOfWork, node: Node) -> list[Holding]:
    uow.session.flush()
    there = select(Holding).join(Node, Node.id == Holding.node_id).where(Node.id == node.id, slips.in_house())
    return list(uow.session.scalars(there.order_by(Holding.id), execution_options=TRUSTED))


def settle(
    uow: UnitOfWork, node: Node, *, at_hand: Holding | None = None, found: Sequence[Turn] | None = None
) -> bool:
    """Part of an act on a locked record: what was not collected expires, what nobody is to have goes back, and the next in line
    are offered what is there. `at_hand` lies on the desk and is about to be taken in; gives whether somebody
    is to have that one.
    """
    found = turns(uow, node) if found is None else found
    line = _waiting(found)
    left = _promise_no_more(found)
    if not line and not left and at_hand is not None:  # the last one in line has left nothing kept behind
        return False
    if at_hand is not None and frozen.volume(uow, at_hand) is not None:
        at_hand = None  # sealed while it was lent: it comes back, and nobody is to have it
    there = _in_house(uow, node)
    if at_hand is not None and P.REQUEST_CREATE not in vetoed_by(node.overlay):
        there.append(at_hand)
    for turn in [turn for turn in line if turn.is_over(uow.now)]:
        _let_go(uow, node, turn, expires=bool(there))
    line = [turn for turn in line if turn.request.state == "approved"]
    live = [turn for turn in line if turn.is_offered(uow.now)]
    for turn in live[len(there) :]:  # a volume has gone meanwhile: the promise waits for the next one
        turn.request.offered_until = turn.request.offered_id = None
    live, known = live[: len(there)], {volume.id for volume in there}
    for turn in live:
        if turn.request.offered_id not in known:  # another one is fetched for them
            turn.request.offered_id = None
    kept = {turn.request.offered_id for turn in live}
    ready = [volume for volume in there if volume.status == HoldingStatus.HELD and volume.id not in kept]
    ready[:0] = [at_hand] if at_hand in there else []
    for turn in [turn for turn in line if turn not in live][: max(0, len(there) - len(live))]:
        _offer(uow, turn, ready.pop(0) if ready else None)
    _back_to_the_shelf(uow, node, line)
    uow.session.flush()
    return at_hand in there and at_hand not in ready


def _promise_no_more(found: Iterable[Turn]) -> list[Turn]:
    """Accounts that are closed: what lay ready for them is the next one's. Gives those for whom something did."""
    left = [turn for turn in found if turn.is_closed and turn.request.offered_until is not None]
    for turn in left:
        turn.request.offered_until = turn.request.offered_id = None
    return left


def lapse(uow: UnitOfWork, node: Node, found: Iterable[Turn], *, but: Request) -> None:
    """Part of an act that hands a volume out on the request `but`: what others did not collect expires while it is still here."""
    over = [turn for turn in _waiting(found) if turn.is_over(uow.now) and turn.request is not but]
    there = bool(over and _in_house(uow, node))
    for turn in over:
        _let_go(uow, node, turn, expires=there)


def _let_go(uow: UnitOfWork, node: Node, turn: Turn, *, expires: bool) -> None:
    """Nobody came in time. Where the volume was not to be had either, the place in line is kept."""
    turn.request.offered_id = None
    if not expires:
        turn.request.offered_until = None
    else:
        turn.request.state = "expired"
        with uow.act("request.lapsed", node):
            uow.note(number=turn.request.number)
        notices.in_line(uow, turn.request, "request.expired")


def _back_to_the_shelf(uow: UnitOfWork, node: Node, line: Iterable[Turn]) -> None:
    """What is kept for nobody any more, also what is to stay in the house."""
    kept = {turn.request.offered_id for turn in line}
    held = select(Holding).where(Holding.node_id == node.id, Holding.status == HoldingStatus.HELD)
    for volume in uow.session.scalars(held.order_by(Holding.id), execution_options=TRUSTED).all():
        if volume.id not in kept:
            volume.status = HoldingStatus.SHELVED if volume.location_id else HoldingStatus.PROCESSING
            holdings.trace(uow, node, volume, HoldingAct.MOVED, before=HoldingStatus.HELD)


def _offer(uow: UnitOfWork, turn: Turn, volume: Holding | None) -> None:
    days = policies.in_force(uow, "queue").body["limits"]["ready_days"]
    turn.request.offered_until = calendar.due(uow, uow.today, days)
    turn.request.offered_id = volume.id if volume is not None else None
    if turn.request.decided_at != uow.now:  # who has been approved this moment is told that
        notices.in_line(uow, turn.request, "request.offered")


def somebody_waits(uow: UnitOfWork, node: Node) -> bool:
    """Whether anybody in line is promised nothing, and no volume stands free for them either."""
    line = [turn for turn in waiting(uow, node) if not turn.is_over(uow.now)]
    return len(line) > len(_in_house(uow, node))


@dataclass(frozen=True)
class Place:
    """排位: where somebody stands in line: numbers, and nobody's name."""

    position: int
    ready_until: datetime | None
    due_at: datetime | None
    """When the first volume that is out is due."""


def place(uow: UnitOfWork, request: Request) -> Place | None:
    """Where a request stands in line, for whoever sees the request; nothing when it waits for no volume."""
    if request.kind != "paper" or request.state != "approved":
        return None
    node = uow.session.get_one(Node, request.node_id, execution_options=TRUSTED)
    line = [
        turn.request.id
        for turn in waiting(uow, node)
        if not turn.is_over(uow.now) or turn.request.id == request.id
    ]
    if request.id not in line:  # their account is closed
        return None
    due = (
        select(func.min(RequestLine.due_at))
        .join(Holding, Holding.id == RequestLine.holding_id)
        .where(Holding.node_id == node.id, RequestLine.in_at.is_(None))
    )
    return Place(
        line.index(request.id) + 1, request.offered_until, uow.session.scalar(due, execution_options=TRUSTED)
    )


def offered(uow: UnitOfWork, nodes: Iterable[int]) -> dict[int, list[Request]]:
    """The requests to which volumes of these nodes are offered now, by node, in the order of the queue."""
    live = select(Request).where(
        Request.node_id.in_(nodes),
        Request.kind == "paper",
        Request.state == "approved",
        Request.offered_until > uow.now,
    )
    found: dict[int, list[Request]] = {}
    for request in sorted(uow.session.scalars(live, execution_options=TRUSTED), key=_rank(uow)):
        found.setdefault(request.node_id, []).append(request)
    return found


def pass_on(site: Site) -> None:
    """What lay ready and was not collected is offered to the next in line, and so is what can be had again, whatever had kept
    it; each record in a transaction of its own, and one that fails does not hold up the others.
    """
    with site.uow(Actor.system("reservations"), readonly=True) as uow:
        numbers = list(uow.session.scalars(_to_settle(uow), execution_options=TRUSTED))
    for number in numbers:
        try:
            site.run(Actor.system("reservations"), partial(_passed_on, number=number))
        except Exception:  # one record must not keep the others waiting
            log.exception("the queue of node %s is not passed on", number)


def _to_settle(uow: UnitOfWork) -> Select[int]:
    """The nodes where an offer is over or stands for an account that is closed, and those where somebody waits while more volumes
    are there than are offered.
    """
    other = aliased(Request)
    live = select(func.count(other.id)).where(
        other.node_id == Node.id,
        other.kind == "paper",
        other.state == "approved",
        other.offered_until > uow.now,
    )
    there = select(func.count(Holding.id)).where(Holding.node_id == Node.id, slips.in_house())
    free = live.correlate(Node).scalar_subquery() < there.correlate(Node).scalar_subquery()
    gone = select(User.id).where(User.id == Request.requester_id, User.disabled_at.is_not(None)).exists()
    waits = and_(Request.offered_until.is_(None), free, not_(gone))
    kept = and_(Request.offered_until.is_not(None), gone)  # for an account that was closed meanwhile
    return (
        select(Request.node_id)
        .join(Node, Node.id == Request.node_id)
        .where(
            Request.kind == "paper",
            Request.state == "approved",
            or_(Request.offered_until <= uow.now, waits, kept),
        )
        .distinct()
    )


def _passed_on(uow: UnitOfWork, *, number: int) -> None:
    node = uow.session.get_one(Node, number, execution_options=TRUSTED)
    uow.lock(node)
    settle(uow, node)
