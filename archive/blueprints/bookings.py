"""预约: the list of a day at the copying window, booking an hour, and the way from a booking to its application."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive import envelope
from archive.errors import Conflict, Invalid
from archive.forms import field, with_errors
from archive.gate import P, Section
from archive.i18n import _
from archive.services import policies
from archive.services.copying import bookings
from archive.uow import UnitOfWork

section = Section("bookings", __name__)


@section.page("/copying/bookings", needs=P.REQUEST_COPY)
def listing(uow: UnitOfWork) -> str:
    return _page(uow, None)


@section.page("/copying/bookings", needs=P.REQUEST_COPY, methods=("POST",))
def book(uow: UnitOfWork) -> Response | tuple[str, int]:
    form = request.form
    said = {name: form.get(name, "") for name in bookings.SAID}
    try:
        made = bookings.book(uow, when=form.get("when", ""), applicant=form.get("applicant", ""), said=said)
    except (Invalid, Conflict) as error:
        uow.undo()
        return _page(uow, error), error.status
    flash(_("Booked for %(day)s at %(hour)s.", day=made.day, hour=made.slot), "ok")
    return make_response(redirect(url_for(".listing", day=made.day.isoformat())))


@section.page("/copying/bookings/<uuid:uuid>/cancel", needs=P.REQUEST_COPY, methods=("POST",))
def cancel(uow: UnitOfWork, uuid: UUID) -> Response:
    bookings.cancel(uow, uuid)
    flash(_("The booking is cancelled; the hour is free again."), "ok")
    return make_response(redirect(url_for(".listing", day=_day(uow).isoformat())))


@section.page("/copying/bookings/<uuid:uuid>", needs=P.REQUEST_COPY, event="booking.taken_up")
def take(uow: UnitOfWork, uuid: UUID) -> Response:
    """Whoever booked is there: the window opens with what was said, sealed in its address as if it were typed now."""
    applicant, said = bookings.said(uow, uuid)
    asked = envelope.seal(uow, {name: said[name] for name in ("number", "patient_name")})
    window = url_for("copying.window", applicant=applicant, booking=str(uuid), s=asked)
    return make_response(redirect(window))


def _day(uow: UnitOfWork) -> date:
    try:
        return date.fromisoformat(request.values.get("day", ""))
    except ValueError:
        return uow.today


def _page(uow: UnitOfWork, error: Invalid | Conflict | None) -> str:
    day, open_hours = _day(uow), bookings.hours(uow)
    free = [(f"{one.day} {one.slot}", _hour(one)) for one in open_hours]
    people = [
        (code, policies.said(one))
        for code, one in policies.in_force(uow, "proofs").body["applicants"].items()
    ]
    fields: list[dict[str, Any]] = [
        field("when", _("Day and hour"), "select", required=True, choices=free, autofocus=True),
        field("applicant", _("Who applies"), "select", required=True, choices=people),
        _line("applicant_name", _("Name of the applicant"), required=True),
        _line("phone", _("Telephone"), required=True, inputmode="tel"),
        _line("number", _("Record number, or identity card"), required=True, mono=True),
        _line("patient_name", _("Name of the patient"), required=True),
        _line("note", _("Note")),
    ]
    wrong = error if isinstance(error, Invalid) else None
    known = sorted({uow.today, day, *bookings.days(uow)})
    return render_template(
        "copying/bookings.html", rows=bookings.listing(uow, day), day=day, days=known, states=_states(),
        general=[str(error)] if isinstance(error, Conflict) else [], is_full=not free,
        fields=with_errors(fields, request.form if error else {}, wrong),
    )  # fmt: skip


def _hour(one: bookings.Hour) -> str:
    return f"{one.day} {one.slot} " + _("%(num)d free", num=one.left)


def _line(name: str, label: str, **more: Any) -> dict[str, Any]:
    return field(name, label, maxlength=bookings.SAID[name], autocomplete="off", **more)


def _states() -> dict[str, tuple[str, str]]:
    return {"booked": (_("Expected to come"), "wait"), "came": (_("Was there"), "ok")}
