"""借阅台: one field that hears badges, slips, volumes and shelves, and answers in one sentence (interface, Desk)."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from archive.errors import ArchiveError, Conflict, Forbidden, NotFound
from archive.i18n import _
from archive.journal import Event
from archive.models import (
    Holding,
    HoldingStatus,
    Location,
    Membership,
    Node,
    Principal,
    Request,
    RequestLine,
    User,
)
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import borrowing, circulation, holdings, loans, patient_names, requests, slips
from archive.services.circulation import Loan, Pick, Today
from archive.services.requests import Counts
from archive.services.slips import Slip
from archive.sight import NodeView, views
from archive.uow import UnitOfWork

CODE = re.compile(r"[A-Z]{0,4}[0-9][0-9A-Z.·-]{0,60}")
"""How barcodes, slips, badges and shelves are written."""
AGAIN = timedelta(seconds=60)
"""A gun may fire twice, and so may two desks: the echo takes nothing back that has just gone out, and hands nothing out that
has just come back.
"""


@dataclass(frozen=True)
class Memo:
    """What the desk keeps from one scan to the next. It travels with the browser, so it holds codes and no names."""

    act: str = ""
    """badge, issued, returned, again, back, placed, waiting, differs, undone, refused; nothing at the beginning."""
    barcode: str = ""
    borrower: str = ""
    """Staff number of whoever stands at the desk."""
    words: str = ""
    sheets: int | None = None
    at: str = ""


def hear(uow: UnitOfWork, typed: str, before: Memo, *, sheets: str = "", confirmed: bool = False) -> Memo:
    """Does what a scan asks for. A refusal becomes a sentence, and nothing of the act stays."""
    code = clean(typed).upper()
    if not code:
        return Memo()
    try:
        heard = _heard(uow, code, before, _number(sheets), confirmed=confirmed)
    except StaleDataError:  # the same volume lies on two desks; whoever came second does nothing
        uow.undo()
        words = _("Another desk handled this at the same moment. Scan it again.")
        heard = Memo("refused", barcode=code[:40], borrower=before.borrower, words=words)
    except ArchiveError as refusal:
        uow.undo()
        if isinstance(refusal, (Forbidden, NotFound)):
            # Whatever else was typed, a name perhaps, is a word, and words lie encrypted.
            plain = CODE.fullmatch(code) and not patient_names.is_identity(code)
            refused = Event(
                "desk.refused",
                result="denied",
                object_ref=code if plain else None,
                words={} if plain else {"typed": code},
            )
            uow.site.record_read(refused, uow.actor, uow.origin)
        heard = Memo("refused", barcode=code[:40], borrower=before.borrower, words=str(refusal))
    return replace(heard, at=uow.now.isoformat())


def _number(sheets: str) -> int | None:
    return int(sheets) if sheets.isdecimal() and len(sheets) < 6 else None


def _heard(uow: UnitOfWork, code: str, before: Memo, sheets: int | None, *, confirmed: bool) -> Memo:
    if (found := _volume(uow, code)) is not None:
        holding, node = found
        try:
            return _scanned(uow, holding, node, before.borrower, sheets, confirmed=confirmed)
        except loans.SheetsDiffer as differ:  # raised before anything was written
            return Memo("differs", holding.barcode, before.borrower, str(differ), sheets)
    if (person := _staff_no_of(uow, code)) is not None:
        return Memo("badge", borrower=person)
    if before.barcode and uow.session.scalar(select(Location.id).where(Location.code == code)) is not None:
        holding, _node = uow.holding(before.barcode)
        holdings.move(uow, holding, to=HoldingStatus.SHELVED, location=code)
        return Memo("placed", holding.barcode, before.borrower, code)
    raise NotFound(_("No volume, badge, slip or shelf has the number %(code)s.", code=code[:40]))


def _volume(uow: UnitOfWork, code: str) -> tuple[Holding, Node] | None:
    """The volume of a barcode; or of 病案号-次, typed where the label cannot be read."""
    for barcode in (code, f"B{code}"):
        try:
            return uow.holding(barcode)
        except NotFound:
            continue
    return None


def _staff_no_of(uow: UnitOfWork, code: str) -> str | None:
    """Whose badge this is, or who asked for the slip of this number."""
    by_badge = select(User.staff_no).where(User.staff_no == code, User.disabled_at.is_(None))
    if (staff_no := uow.session.scalar(by_badge)) is not None or not code.startswith("JY"):
        return staff_no
    request = slips.one(uow, code)
    return uow.session.scalar(select(User.staff_no).where(User.id == request.requester_id))


def _scanned(uow: UnitOfWork, holding: Holding, node: Node, borrower: str, sheets: int | None, *,
             confirmed: bool) -> Memo:  # fmt: skip
    line, person = loans.newest_line(uow, holding), _person(uow, borrower)
    if line is not None and line.in_at is None:
        lent_to = uow.session.get_one(Request, line.request_id).requester_id
        if person is not None and person.id == lent_to and uow.now - line.out_at < AGAIN:
            return Memo("again", holding.barcode, borrower)
        loans.take_back(uow, holding.barcode, sheets=sheets, confirmed=confirmed)
        return Memo("returned", holding.barcode, borrower)
    if person is None:
        uow.require(P.REQUEST_HANDLE, node)
        return Memo("waiting", holding.barcode)
    if line is not None and _is_just_back(uow, line, person):
        return Memo("back", holding.barcode, borrower)
    request = _approved_for(uow, person, node)
    loans.issue(uow, request, barcode=holding.barcode, sheets=sheets, confirmed=confirmed)
    return Memo("issued", holding.barcode, borrower)


def _is_just_back(uow: UnitOfWork, line: RequestLine, person: Principal) -> bool:
    """Whether what was scanned has come back a moment ago: from this very person, or at another desk. Then the scan is the echo
    of that, and hands nothing out.
    """
    if line.in_at is None or uow.now - line.in_at >= AGAIN:
        return False
    of_person = uow.session.get_one(Request, line.request_id).requester_id == person.id
    return of_person or line.in_by != uow.actor.principal_id


def _approved_for(uow: UnitOfWork, person: Principal, node: Node) -> Request:
    """What the borrower may collect of this record; of a record in two volumes the second one, too."""
    wanted = slips.visible(uow).where(
        Request.kind == "paper", Request.requester_id == person.id, Request.node_id == node.id,
        Request.state.in_(("approved", "lent")), slips.handled(uow),
    )  # fmt: skip
    found: Request | None = uow.session.scalar(wanted.order_by(Request.id).limit(1))
    if found is None:
        raise Conflict(_("%(name)s has no approved request for this record.", name=person.name))
    return found


def _person(uow: UnitOfWork, staff_no: str) -> Principal | None:
    return uow.session.scalar(
        select(Principal).join(User, User.id == Principal.id).where(User.staff_no == staff_no)
    )


def undo(uow: UnitOfWork, before: Memo) -> Memo:
    """Takes back the last act; a refusal becomes a sentence."""
    try:
        loans.undo(uow, before.barcode)
        return replace(before, act="undone", words="", at=uow.now.isoformat())
    except ArchiveError as refusal:
        uow.undo()
        return replace(before, act="refused", words=str(refusal), at=uow.now.isoformat())


@dataclass(frozen=True)
class Borrower:
    """借阅人: who stands at the desk, what they have, and what lies ready for them."""

    name: str
    staff_no: str
    departments: str
    is_blocked: bool
    loans: list[Loan]
    ready: list[Pick]


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
    wanted: list[Slip]
    """Who waits for a volume that has been scanned without a badge."""
    can_undo: bool


@dataclass(frozen=True)
class Counter:
    """借阅台 as it stands: the answer, the borrower, the day."""

    answer: Answer | None
    borrower: Borrower | None
    today: Today
    counts: Counts


LOOKS = {"waiting": "wait", "differs": "wait", "again": "wait", "back": "wait", "refused": "bad"}


def counter(uow: UnitOfWork, memo: Memo) -> Counter:
    """The desk after a scan."""
    person = _person(uow, memo.borrower)
    answer = _answer(uow, memo) if memo.act and memo.act != "badge" else None
    borrower = _borrower(uow, person, memo.borrower) if person else None
    return Counter(answer, borrower, circulation.today(uow), requests.counts(uow))


def _answer(uow: UnitOfWork, memo: Memo) -> Answer:
    found = _volume(uow, memo.barcode) if memo.barcode else None
    view = volume = loan = None
    wanted: list[Slip] = []
    if found is not None:
        holding, node = found
        view = views(uow, [node])[0]
        volume = next(one for one in holdings.volumes(uow, node) if one.barcode == holding.barcode)
        loan = circulation.last(uow, holding.barcode)
        if memo.act == "waiting":
            wanted = slips.listed(
                uow, Request.node_id == node.id, Request.state == "approved", slips.handled(uow)
            )
    return Answer(
        act=memo.act, look=LOOKS.get(memo.act, "ok"), at=datetime.fromisoformat(memo.at) if memo.at else None,
        words=memo.words, sheets=memo.sheets, barcode=memo.barcode, node=view, volume=volume, loan=loan, wanted=wanted,
        can_undo=memo.act in {"issued", "returned"},
    )  # fmt: skip


def _borrower(uow: UnitOfWork, person: Principal, staff_no: str) -> Borrower:
    group = select(Principal.name).join(Membership, Membership.group_id == Principal.id)
    departments = uow.session.scalars(
        group.where(Membership.principal_id == person.id, Principal.kind == "dept")
    )
    ready = circulation.pick_list(uow, for_person=person.id)
    return Borrower(
        person.name, staff_no, _(", ").join(departments), borrowing.is_blocked(uow, person.id),
        circulation.in_hand(uow, person.id), ready,
    )  # fmt: skip
