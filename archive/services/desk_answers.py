"""回显: what the desk says of a scan, who stands before it, and the day so far."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from archive.errors import Forbidden, NotFound
from archive.i18n import _
from archive.models import HoldingStatus, Membership, Principal, User
from archive.services import (
    borrowing,
    circulation,
    desk_buttons,
    desk_hearing,
    desk_requests,
    holdings,
    in_hand,
    policies,
    request_counts,
    reservations,
    taking_up,
)
from archive.services.circulation import Loan, Pick, Today
from archive.services.desk import Done, Memo
from archive.services.desk_hearing import Meant
from archive.services.in_hand import InHand
from archive.services.request_counts import Counts
from archive.services.reservations import Turn
from archive.services.slips import Slip
from archive.sight import NodeView
from archive.uow import UnitOfWork

LOOKS = {
    "waiting": "wait",
    "count": "wait",
    "differs": "wait",
    "again": "wait",
    "back": "wait",
    "turn": "wait",
    "choose": "wait",
    "unknown": "wait",
    "filed": "wait",
    "asked": "wait",
    "unasked": "bad",
    "refused": "bad",
}


@dataclass(frozen=True)
class Answer:
    """What the desk says of the last scan. `look` is ok, wait or bad."""

    act: str
    look: str
    at: datetime | None
    words: str
    sheets: int | None
    barcode: str
    node: NodeView | None
    volume: holdings.Volume | None
    loan: Loan | None
    wanted: Sequence[Turn]
    """Who waits for a volume that has been scanned without a badge, or that has come back; the first in line first."""
    can_undo: bool
    choices: Sequence[Meant] = ()
    """The volumes that may be meant."""
    offer: desk_requests.Offer | None = None
    """现场申请: what whoever stands here may ask for."""
    asked: Slip | None = None
    """What they have just asked for, where it waits."""
    cover: taking_up.Form | None = None
    """补录借出: the choices of the form, where the volume is to be registered."""


@dataclass(frozen=True)
class Borrower:
    """借阅人: who stands at the desk, what they have, and what lies ready for them."""

    name: str
    staff_no: str
    departments: str
    is_blocked: bool
    collector: str | None
    """代领人: who has come instead."""
    loans: list[Loan]
    ready: list[Pick]


@dataclass(frozen=True)
class Counter:
    """借阅台 as it stands: the answer, the borrower, the day."""

    answer: Answer | None
    borrower: Borrower | None
    today: Today
    counts: Counts


def answer(uow: UnitOfWork, done: Done) -> Answer | None:
    """What is said of an act, from what the act itself has read; nothing at the beginning and of a badge alone."""
    memo, held = done.memo, done.held or _looked_at(uow, done.memo.barcode)
    if not memo.act or memo.act == "badge":
        return None
    policies.learn(uow, "vocabularies", "loans", "queue", "counting")
    view = NodeView(uow, held.node) if held else None
    offer = _offer(uow, memo, held) if held else None
    return Answer(
        act=memo.act, look="wait" if offer and not offer.why_not else LOOKS.get(memo.act, "ok"),
        at=datetime.fromisoformat(memo.at) if memo.at else None,
        words=memo.words, sheets=memo.sheets, barcode=memo.barcode, node=view,
        volume=_volume(held) if held else None,
        loan=circulation.loan(uow, view, held) if held and view else None,
        wanted=_wanted(uow, memo, held) if held else (), can_undo=memo.act in {"issued", "taken_up", "returned"},
        choices=desk_hearing.meant(uow, memo.barcode) if memo.act == "choose" else (),
        offer=offer,
        asked=desk_requests.of(uow, held.node, memo.borrower) if held and memo.act == "asked" else None,
        cover=taking_up.form(uow) if memo.act == "unknown" else None,
    )  # fmt: skip


def _looked_at(uow: UnitOfWork, barcode: str) -> InHand | None:
    """The volume as it is now, when the page is opened again or nothing came of an act."""
    try:
        return in_hand.lay(uow, barcode, f"B{barcode}", lock=False) if barcode else None
    except (NotFound, Forbidden):
        return None


def _volume(held: InHand) -> holdings.Volume:
    row = held.holding
    return holdings.Volume(row.barcode, holdings.STATUSES[row.status], held.place, None, held.container, row.sheets,
                           row.condition, row.damaged_at is not None)  # fmt: skip


def _offer(uow: UnitOfWork, memo: Memo, held: InHand) -> desk_requests.Offer | None:
    unasked = memo.act == "unasked" and desk_buttons.stands_here(memo)
    return desk_requests.offered(uow, held, memo.borrower) if unasked else None


def _wanted(uow: UnitOfWork, memo: Memo, held: InHand) -> list[Turn]:
    kept = memo.act == "returned" and held.holding.status == HoldingStatus.HELD
    return reservations.waiting(uow, held.node) if kept or memo.act == "waiting" else []


def borrower(uow: UnitOfWork, memo: Memo) -> Borrower | None:
    """Who stands at the desk, if anybody."""
    found = select(Principal).join(User, User.id == Principal.id).where(User.staff_no == memo.borrower)
    person = uow.session.scalar(found) if memo.borrower else None
    if person is None:
        return None
    group = select(Principal.name).join(Membership, Membership.group_id == Principal.id)
    departments = uow.session.scalars(
        group.where(Membership.principal_id == person.id, Principal.kind == "dept")
    )
    other = select(Principal.name).join(User, User.id == Principal.id).where(User.staff_no == memo.collector)
    ready = circulation.pick_list(uow, for_person=person.id)
    return Borrower(
        person.name, memo.borrower, _(", ").join(departments), borrowing.is_blocked(uow, person.id),
        uow.session.scalar(other) if memo.collector else None,
        circulation.in_hand(uow, person.id), ready,
    )  # fmt: skip


def counter(uow: UnitOfWork, memo: Memo) -> Counter:
    """The desk after a scan, all of it."""
    today = circulation.today(uow)
    return Counter(answer(uow, Done(memo)), borrower(uow, memo), today, request_counts.counts(uow))


def beside(uow: UnitOfWork, memo: Memo) -> Counter:
    """The desk without its answer: what is fetched once the answer stands."""
    return replace(counter(uow, replace(memo, barcode="", act="")), answer=None)
