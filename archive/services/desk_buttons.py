"""借阅台: what is done at the desk with a form or a button after a scan. A refusal becomes a sentence, or stands in the form."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from archive.errors import ArchiveError, Conflict, Invalid
from archive.schema import clean
from archive.services import borrowing, collectors, desk, desk_requests, in_hand, taking_up
from archive.services.attempts import attempt
from archive.services.desk import AGAIN, Done, Memo
from archive.uow import UnitOfWork


def collected(uow: UnitOfWork, before: Memo, *, who: str, phone: str) -> Done:
    """Writes down who has collected what has just been handed out; a refusal becomes a sentence. Raises Invalid."""
    try:
        collectors.name(uow, before.barcode, who=who, phone=phone)
        uow.session.flush()
        return Done(replace(before, collector=""), in_hand.lay(uow, before.barcode))
    except Invalid:
        uow.undo()
        raise
    except ArchiveError as refusal:
        uow.undo()
        return Done(replace(before, act="refused", words=str(refusal), at=uow.now.isoformat()))


def taken_up(uow: UnitOfWork, before: Memo, typed: Mapping[str, str]) -> Done:
    """补录借出 of what the desk does not know. A form that is sent twice is one volume. Raises Invalid, and nothing is kept."""
    number = clean(typed.get("number", ""))
    fresh = before.at and uow.now - datetime.fromisoformat(before.at) < AGAIN
    if before.act in {"taken_up", "filed"} and before.words == number and fresh:
        return Done(before)
    try:
        request, barcode = taking_up.take_up(uow, typed)
    except Invalid:
        uow.undo()
        raise
    act = "taken_up" if request.state == "lent" else "filed"
    return Done(Memo(act, barcode, clean(typed.get("badge", "")).upper(), number, at=uow.now.isoformat()))


def asked(uow: UnitOfWork, before: Memo, typed: Mapping[str, str]) -> Done:
    """现场申请 of whoever stands here: filed, and handed out where nobody else decides. A press that comes twice is one. Raises
    Invalid, and nothing is kept.
    """
    if before.act != "unasked" or not stands_here(before):
        return Done(before)
    try:
        request = desk_requests.ask(uow, barcode=before.barcode, staff_no=before.borrower, **typed)
        uow.session.flush()
        done = Done(_filed(before, desk_requests.why_it_waits(borrowing.rule_of(uow, request))))
        if request.state == "approved":
            done = _handed_out(uow, before)
    except Invalid:
        uow.undo()
        raise
    except ArchiveError as refusal:
        uow.undo()
        done = Done(replace(before, act="refused", words=str(refusal)))
    return replace(done, memo=replace(done.memo, at=uow.now.isoformat()))


def stands_here(memo: Memo) -> bool:
    """Whether the borrower has shown a badge: who comes with a slip, or for somebody else, asks for nothing in their name."""
    return bool(memo.borrower) and not memo.slip and not memo.collector


def _filed(before: Memo, why: str) -> Memo:
    return Memo("asked", before.barcode, before.borrower, why)


def _handed_out(uow: UnitOfWork, before: Memo) -> Done:
    """What keeps the volume here now, a count or those who come first, does not undo that it was asked for."""
    try:
        with attempt(uow):
            done = desk.hand_out(uow, before)
    except Conflict as refusal:
        return Done(_filed(before, str(refusal)))
    return Done(_filed(before, done.memo.words)) if done.memo.act in {"refused", "back"} else done
