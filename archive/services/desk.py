"""借阅台: one field that hears badges, slips, volumes and shelves, and answers in one sentence (interface, Desk)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from archive.errors import ArchiveError, Conflict, Forbidden, NotFound
from archive.i18n import _
from archive.journal import Event
from archive.models import HoldingStatus, Location, Principal, Request, User
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import (
    desk_hearing,
    handing_on,
    holdings,
    in_hand,
    loans,
    patient_names,
    policies,
    reservations,
    sheet_counts,
    slips,
    taking_up,
)
from archive.services.in_hand import InHand
from archive.services.sheet_counts import NOTHING, Seen
from archive.uow import UnitOfWork

CODE = re.compile(r"[A-Z]{0,4}[0-9][0-9A-Z.·-]{0,60}")
"""How barcodes, slips, badges and shelves are written."""
LONGEST_REASON = 200
TOGETHER = timedelta(minutes=10)
"""A badge within this time after a volume is of whoever takes it."""
AGAIN = timedelta(seconds=60)
"""A gun may fire twice, and so may two desks: the echo takes nothing back that has just gone out, and hands nothing out that
has just come back.
"""


@dataclass(frozen=True)
class Memo:
    """What the desk keeps from one scan to the next. It travels with the browser, so it holds codes and no names."""

    act: str = ""
    """badge, choose, issued, returned, again, back, placed, waiting, count, differs, turn, undone, unknown, taken_up, filed,
    handed_on, unasked, asked, refused; at first nothing.
    """
    barcode: str = ""
    borrower: str = ""
    """Staff number of whoever stands at the desk."""
    words: str = ""
    sheets: int | None = None
    confirmed: bool = False
    loose: bool = False
    """That the clerk has taken 装订完好 away."""
    slip: str = ""
    """The slip by which it is known who borrows: whoever else shows a badge after it collects for them."""
    collector: str = ""
    """代领人: staff number of whoever collects for the borrower."""
    giver: str = ""
    """转借: the badge shown before the borrower's, of whoever may give them a volume."""
    at: str = ""


@dataclass(frozen=True)
class Said:
    """What was said with a scan."""

    seen: Seen = NOTHING
    because: str = ""
    """Why somebody is passed over."""
    collector: str = ""
    giver: str = ""


@dataclass(frozen=True)
class Done:
    """What came of a scan: the memo, and the volume as the act has left it."""

    memo: Memo
    held: InHand | None = None


def hear(uow: UnitOfWork, typed: str, before: Memo, *, sheets: str = "", confirmed: bool = False,
         because: str = "", loose: bool = False) -> Done:  # fmt: skip
    """Does what a scan asks for. A refusal becomes a sentence, and nothing of the act stays."""
    code = clean(typed).upper()
    if not code:
        return Done(Memo())
    seen = Seen(_number(sheets), confirmed=confirmed, intact=not loose)
    try:
        heard = _heard(
            uow, code, before, Said(seen, clean(because)[:LONGEST_REASON], before.collector, before.giver)
        )
    except StaleDataError:  # the same volume lies on two desks; whoever came second does nothing
        uow.undo()
        words = _("Another desk handled this at the same moment. Scan it again.")
        heard = Done(Memo("refused", barcode=code[:40], borrower=before.borrower, words=words))
    except ArchiveError as refusal:
        uow.undo()
        if isinstance(refusal, (Forbidden, NotFound)):
            _note(uow, code)
        heard = Done(Memo("refused", barcode=code[:40], borrower=before.borrower, words=str(refusal)))
    return replace(heard, memo=replace(_still(heard.memo, before), at=uow.now.isoformat()))


def _still(memo: Memo, before: Memo) -> Memo:
    """Whoever collects for somebody goes on doing so until another badge or slip is shown."""
    goes_on = memo.act != "badge" and memo.borrower and memo.borrower == before.borrower
    return (
        replace(memo, slip=before.slip, collector=before.collector, giver=before.giver) if goes_on else memo
    )


def _note(uow: UnitOfWork, code: str) -> None:
    """A refusal stands in the journal. Whatever else was typed, a name perhaps, is a word, and words lie encrypted."""
    plain = CODE.fullmatch(code) and not patient_names.is_identity(code)
    refused = Event(
        "desk.refused",
        result="denied",
        object_ref=code if plain else None,
        words={} if plain else {"typed": code},
    )
    uow.site.record_read(refused, uow.actor, uow.origin)


def _number(sheets: str) -> int | None:
    return int(sheets) if sheets.isdecimal() and len(sheets) < 6 else None


def _heard(uow: UnitOfWork, code: str, before: Memo, said: Said) -> Done:
    if (held := _volume(uow, code)) is not None:
        return _answered(uow, held, before.borrower, said)
    if (person := _staff_no_of(uow, code)) is not None:
        if before.act == "waiting" and uow.now - datetime.fromisoformat(before.at) < TOGETHER:
            return _taken(uow, before, person, said)
        return Done(_shown(uow, code, person, before))
    if (
        before.barcode
        and before.act != "choose"
        and uow.session.scalar(select(Location.id).where(Location.code == code)) is not None
    ):
        holding, _node = uow.holding(before.barcode)
        holdings.move(uow, holding, to=HoldingStatus.SHELVED, location=code)
        return Done(Memo("placed", holding.barcode, before.borrower, code), in_hand.lay(uow, holding.barcode))
    return _among(uow, code, before.borrower, said)


def _shown(uow: UnitOfWork, code: str, person: str, before: Memo) -> Memo:
    """A badge says who borrows. After a slip it says who has come for the one who asked: nobody brings a slip and a badge."""
    if code.startswith("JY"):
        return Memo("badge", borrower=person, slip=code)
    fresh = before.at and uow.now - datetime.fromisoformat(before.at) < TOGETHER
    if before.act == "badge" and before.slip and fresh and person != before.borrower:
        return Memo("badge", borrower=before.borrower, slip=before.slip, collector=person)
    giver = before.borrower if before.act == "badge" and fresh and person != before.borrower else ""
    return Memo("badge", borrower=person, giver=giver)


def _among(uow: UnitOfWork, code: str, borrower: str, said: Said) -> Done:
    """Of the volumes that are called by a number or lie in a bag the only one, or the only one that the borrower may have or
    has; of several, which ones there are. Raises NotFound.
    """
    found = desk_hearing.meant(uow, code)
    if not found:
        unknown = NotFound(_("No volume, badge, slip or shelf has the number %(code)s.", code=code[:40]))
        if not taking_up.may(uow):
            raise unknown
        _note(uow, code)
        return Done(Memo("unknown", code[:40], borrower, str(unknown)))
    theirs = found
    if borrower and len(found) > 1:
        ready = _records_of(uow, borrower, [one.node_id for one in found])
        theirs = [one for one in found if one.node_id in ready]
    if len(theirs) == 1:
        return _answered(uow, in_hand.lay(uow, theirs[0].barcode), borrower, said)
    return Done(_aside("choose", code[:40], borrower, said.seen))


def _records_of(uow: UnitOfWork, borrower: str, nodes: Sequence[int]) -> set[int]:
    """Those of the records of which somebody may collect something or has something."""
    asked = (
        slips.visible(uow, Request.node_id)
        .join(User, User.id == Request.requester_id)
        .where(slips.handled(uow), Request.node_id.in_(nodes), Request.state.in_(("approved", "lent")),
               User.staff_no == borrower)
    )  # fmt: skip
    return set(uow.session.scalars(asked))


def _aside(act: str, barcode: str, borrower: str, seen: Seen, words: str = "") -> Memo:
    """Nothing has been done yet; what was said of the volume is kept for when it is."""
    return Memo(act, barcode, borrower, words, seen.sheets, confirmed=seen.confirmed, loose=not seen.intact)


def _answered(uow: UnitOfWork, held: InHand, borrower: str, said: Said) -> Done:
    """What is refused before anything was written, and may be gone on with."""
    try:
        return _scanned(uow, held, borrower, said)
    except sheet_counts.MustCount as due:
        act, words = "count", str(due)
    except sheet_counts.SheetsDiffer as differ:
        act, words = "differs", str(differ)
    except loans.NotYourTurn as others:
        act, words = "turn" if uow.can(P.REQUEST_OVERRIDE_DUE, held.node) else "refused", str(others)
    return Done(_aside(act, held.holding.barcode, borrower, said.seen, words), held)


def _taken(uow: UnitOfWork, before: Memo, person: str, said: Said) -> Done:
    """The badge came after the volume: handed out, or said why not, and the person stands at the desk."""
    seen = Seen(before.sheets, intact=not before.loose) if said.seen == NOTHING else said.seen
    try:
        return _answered(uow, in_hand.lay(uow, before.barcode), person, Said(seen))
    except Conflict as refusal:
        uow.undo()
        return Done(Memo("refused", before.barcode, person, str(refusal)))


def _volume(uow: UnitOfWork, code: str) -> InHand | None:
    """The volume of a barcode; or of 病案号-次, typed where the label cannot be read."""
    try:
        return in_hand.lay(uow, code, f"B{code}")
    except NotFound:
        return None


def _staff_no_of(uow: UnitOfWork, code: str) -> str | None:
    """Whose badge this is, or who asked for the slip of this number."""
    by_badge = select(User.staff_no).where(User.staff_no == code, User.disabled_at.is_(None))
    if (staff_no := uow.session.scalar(by_badge)) is not None or not code.startswith("JY"):
        return staff_no
    request = slips.one(uow, code)
    return uow.session.scalar(select(User.staff_no).where(User.id == request.requester_id))


def _scanned(uow: UnitOfWork, held: InHand, borrower: str, said: Said) -> Done:
    barcode, last = held.holding.barcode, held.line
    policies.learn(uow, "loans", "vocabularies", "queue", "counting")
    if last is not None and held.is_out:
        if borrower and borrower == held.staff_no and uow.now - last.out_at < AGAIN:
            return Done(Memo("again", barcode, borrower), held)
        if said.giver and said.giver == held.staff_no and _has_asked(uow, held, borrower):
            handing_on.at_desk(uow, barcode=barcode, staff_no=borrower)
            uow.session.flush()
            return Done(Memo("handed_on", barcode, borrower), in_hand.lay(uow, barcode))
        loans.take_back(uow, barcode, seen=said.seen, held=held)
        return Done(Memo("returned", barcode, borrower), held)
    if not borrower:
        return Done(_aside("waiting", barcode, "", said.seen), held)
    if _is_just_back(uow, held, borrower):
        return Done(Memo("back", barcode, borrower), held)
    line = reservations.turns(uow, held.node)
    turn = next((turn for turn in line if turn.staff_no == borrower), None)
    if turn is None:
        return Done(_unasked(uow, barcode, borrower, said.seen), held)
    collector = _collector(uow, said.collector)
    drawn = loans.issue(uow, turn.request, barcode=barcode, seen=said.seen, held=held, line=line, because=said.because,
                        collector=collector.id if collector else None)  # fmt: skip
    return Done(Memo("issued", barcode, borrower),
                replace(held, line=drawn, request=turn.request, borrower=turn.name, staff_no=borrower,
                        collector=collector.name if collector else None))  # fmt: skip


def _has_asked(uow: UnitOfWork, held: InHand, borrower: str) -> bool:
    return any(turn.staff_no == borrower for turn in reservations.turns(uow, held.node))


def _collector(uow: UnitOfWork, staff_no: str) -> Principal | None:
    badge = select(Principal).join(User, User.id == Principal.id)
    return (
        uow.session.scalar(badge.where(User.staff_no == staff_no, User.disabled_at.is_(None)))
        if staff_no
        else None
    )


def _is_just_back(uow: UnitOfWork, held: InHand, borrower: str) -> bool:
    """Whether what was scanned has come back a moment ago: from this very person, or at another desk. Then the scan is the echo
    of that, and hands nothing out.
    """
    line = held.line
    if line is None or line.in_at is None or uow.now - line.in_at >= AGAIN:
        return False
    return held.staff_no == borrower or line.in_by != uow.actor.principal_id


def _unasked(uow: UnitOfWork, barcode: str, borrower: str, seen: Seen) -> Memo:
    """Somebody may collect nothing of this record; perhaps they may ask for it here. As without a badge when nobody has it."""
    person = select(Principal.name).join(User, User.id == Principal.id).where(User.staff_no == borrower)
    name = uow.session.scalar(person)
    if name is None:
        return _aside("waiting", barcode, "", seen)
    words = _("%(name)s has no approved request for this record.", name=name)
    return _aside("unasked", barcode, borrower, seen, words)


def hand_out(uow: UnitOfWork, before: Memo) -> Done:
    """Hands out what has just been asked for here, as if it had been before. Raises Conflict."""
    seen = Seen(before.sheets, confirmed=before.confirmed, intact=not before.loose)
    return _answered(uow, in_hand.lay(uow, before.barcode), before.borrower, Said(seen))


def undo(uow: UnitOfWork, before: Memo) -> Done:
    """Takes back the last act; a refusal becomes a sentence."""
    try:
        loans.undo(uow, before.barcode)
        return Done(replace(before, act="undone", words="", at=uow.now.isoformat()),
                    in_hand.lay(uow, before.barcode))  # fmt: skip
    except ArchiveError as refusal:
        uow.undo()
        return Done(replace(before, act="refused", words=str(refusal), at=uow.now.isoformat()))
