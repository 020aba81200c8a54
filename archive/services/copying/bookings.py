"""预约: the window's staff books a day and an hour for somebody, and has the application before them when they come.

Nothing is looked up when somebody books: whoever telephones is nobody yet, and learns of no record.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from archive.errors import Conflict, Invalid, NotFound
from archive.i18n import _
from archive.models import CopyBooking, CopyRequest
from archive.names import masked, masked_id
from archive.policy import proofs
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import calendar, numbers, policies
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "copying bookings", "synchronize_session": False}
SAID = {"number": 30, "patient_name": 60, "applicant_name": 60, "phone": 30, "note": 200}
NEEDED = ("number", "patient_name", "applicant_name", "phone")
PURPOSE = "identity-enc"
IDENTITY = 15
"""So many signs has the number of an identity card at least; a record number has fewer."""
BOOKED, CAME, CANCELLED = "booked", "came", "cancelled"


@dataclass(frozen=True)
class Row:
    """One booking in the list of a day; it names nobody in full."""

    uuid: UUID
    slot: str
    state: str
    applicant: str
    number: str
    who: str
    phone: str
    note: str
    copy: CopyRequest | None


@dataclass(frozen=True)
class Hour:
    """One hour of a day, and how many more may come."""

    day: date
    slot: str
    left: int


def _rules(uow: UnitOfWork) -> Mapping[str, Any]:
    found: Mapping[str, Any] = policies.in_force(uow, "copying").body["booking"]
    return found


def days(uow: UnitOfWork) -> list[date]:
    """The working days that can be booked, the first one tomorrow's or later."""
    found: list[date] = []
    for _number in range(_rules(uow)["days_ahead"]):
        found.append(calendar.add_working_days(uow, found[-1] if found else uow.today, 1))
    return found


def hours(uow: UnitOfWork) -> list[Hour]:
    """Every hour that can still be booked, the next first."""
    rules, open_days = _rules(uow), days(uow)
    asked = select(CopyBooking.day, CopyBooking.slot).where(
        CopyBooking.day.in_(open_days), CopyBooking.state != CANCELLED
    )
    taken = Counter((day, slot) for day, slot in uow.session.execute(asked, execution_options=TRUSTED))
    each = (
        Hour(day, slot, rules["per_slot"] - taken[day, slot])
        for day in open_days
        for slot in sorted(rules["slots"])
    )
    return [one for one in each if one.left > 0]


@action("booking.made", needs=P.REQUEST_COPY)
def book(uow: UnitOfWork, *, when: str, applicant: str, said: Mapping[str, str]) -> CopyBooking:
    """Books an hour, as `2026-11-25 09:30`. Raises Invalid for what is missing, Conflict for an hour that is full by now."""
    texts = {name: clean(said.get(name, "")) for name in SAID}
    wrong = {name: _("Fill this in.") for name in NEEDED if not texts[name]}
    wrong |= {
        name: _("At most %(most)d characters.", most=most)
        for name, most in SAID.items()
        if len(texts[name]) > most
    }
    if applicant not in proofs.applicants(policies.in_force(uow, "proofs").body):
        wrong["applicant"] = _("Choose one of the list.")
    day, _gap, slot = when.partition(" ")
    if slot not in _rules(uow)["slots"] or day not in {one.isoformat() for one in days(uow)}:
        wrong["when"] = _("Choose one of the list.")
    if wrong:
        raise Invalid(fields=wrong)
    # The counter's row stays locked to the end: of two who take the last place the second sees it taken.
    numbers.draw(uow, f"booking:{when}")
    if not any(one.left for one in hours(uow) if f"{one.day} {one.slot}" == when):
        raise Conflict(_("This hour is full by now. Choose another."))
    hidden = uow.site.keys.encrypt(PURPOSE, json.dumps(texts, ensure_ascii=False))
    made = CopyBooking(
        day=date.fromisoformat(day), slot=slot, state=BOOKED, applicant=applicant, said_enc=hidden, created_at=uow.now,
        created_by=uow.actor.principal_id,
    )  # fmt: skip
    uow.session.add(made)
    uow.session.flush()
    uow.about(made)
    uow.note(day=made.day, slot=slot, applicant=applicant)
    return made


def forget(uow: UnitOfWork) -> None:
    """For every day: what was said goes when its days are over; the slips that came of it stay."""
    last = uow.today - timedelta(days=_rules(uow)["keep_days"])
    uow.session.execute(delete(CopyBooking).where(CopyBooking.day < last), execution_options=TRUSTED)


@action("booking.cancelled", needs=P.REQUEST_COPY)
def cancel(uow: UnitOfWork, ref: UUID) -> None:
    """The hour is free again. Raises Conflict for one that was kept or cancelled, NotFound."""
    booking = _open(uow, ref)
    booking.state = CANCELLED
    uow.session.flush()
    uow.about(booking)
    uow.note(day=booking.day, slot=booking.slot)


@action("booking.kept", needs=P.REQUEST_COPY)
def came(uow: UnitOfWork, ref: UUID, copy: CopyRequest) -> None:
    """Part of taking an application down: whoever booked is there, and has this slip. Raises Conflict, NotFound."""
    booking = _open(uow, ref)
    booking.state, booking.copy_id = CAME, copy.id
    uow.session.flush()
    uow.about(booking)
    uow.note(day=booking.day, slot=booking.slot, slip=copy.number)


def _open(uow: UnitOfWork, ref: UUID) -> CopyBooking:
    mine = select(CopyBooking).where(CopyBooking.uuid == ref).with_for_update()
    booking: CopyBooking | None = uow.session.scalar(mine, execution_options=TRUSTED)
    if booking is None:
        raise NotFound
    if booking.state != BOOKED:
        raise Conflict(_("This booking was kept or cancelled already."))
    return booking


def said(uow: UnitOfWork, ref: UUID) -> tuple[str, dict[str, str]]:
    """Who applies, and what was said when it was booked, of one that is still to come. Raises NotFound."""
    mine = select(CopyBooking).where(CopyBooking.uuid == ref, CopyBooking.state == BOOKED)
    booking: CopyBooking | None = uow.session.scalar(mine, execution_options=TRUSTED)
    if booking is None:
        raise NotFound
    return booking.applicant, _opened(uow, booking)


def name_of(uow: UnitOfWork, ref: UUID) -> str | None:
    """The applicant of a booking that is still to come, as it was said; nothing of any other."""
    try:
        return said(uow, ref)[1]["applicant_name"]
    except NotFound:
        return None


def _opened(uow: UnitOfWork, booking: CopyBooking) -> dict[str, str]:
    found: dict[str, str] = json.loads(uow.site.keys.decrypt(PURPOSE, booking.said_enc))
    return found


def listing(uow: UnitOfWork, day: date) -> list[Row]:
    """Who comes on a day, by the hour."""
    everything: tuple[Any, ...] = (CopyBooking, CopyRequest)
    rows = uow.session.execute(
        select(*everything)
        .outerjoin(CopyRequest, CopyRequest.id == CopyBooking.copy_id)
        .where(CopyBooking.day == day, CopyBooking.state != CANCELLED)
        .order_by(CopyBooking.slot, CopyBooking.id),
        execution_options=TRUSTED,
    )
    body = policies.in_force(uow, "proofs").body["applicants"]
    found = []
    for booking, copy in rows:
        texts = _opened(uow, booking)
        label = policies.said(body.get(booking.applicant, {})) or booking.applicant
        found.append(
            Row(
                booking.uuid, booking.slot, booking.state, label, _named(texts["number"]),
                masked(texts["applicant_name"]),
                texts["phone"], texts["note"], copy,
            )
        )  # fmt: skip
    return found


def _named(number: str) -> str:
    """A record number as it is; of an identity card only its beginning and its end."""
    return masked_id(number) if len(number) >= IDENTITY else number
