"""借阅台: what is done at the desk with a form or a button after a scan. A refusal becomes a sentence, or stands in the form."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from archive.errors import ArchiveError, Invalid
from archive.schema import clean
from archive.services import collectors, in_hand, taking_up, ward_loans
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


def to_ward(uow: UnitOfWork, before: Memo) -> Done:
    """取回科室 of what has just been refused to whoever stands here; a refusal becomes a sentence."""
    try:
        barcode = ward_loans.take_to_ward(uow, barcode=before.barcode, staff_no=before.borrower)
        return Done(replace(before, act="issued", barcode=barcode, words="", at=uow.now.isoformat()))
    except ArchiveError as refusal:
        uow.undo()
        return Done(replace(before, act="refused", words=str(refusal), at=uow.now.isoformat()))
