"""One's own account: the password, notices by e-mail, and who stands in while one is away."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.errors import Conflict, Invalid, Throttled
from archive.forms import field, with_errors
from archive.gate import SIGNED_IN, P, Section
from archive.i18n import LOCALES, _
from archive.services import absences, people, roster
from archive.uow import UnitOfWork

section = Section("me", __name__)


@section.page("/me/password", needs=SIGNED_IN)
def password(uow: UnitOfWork) -> str:
    return _form(uow, None)


def _form(uow: UnitOfWork, error: Invalid | Throttled | None) -> str:
    hint = _("12 characters or more; a sentence is easy to remember.")
    fields = [
        field(
            "old",
            _("Present password"),
            "password",
            required=True,
            autocomplete="current-password",
            autofocus=True,
        ),
        field("new", _("New password"), "password", required=True, autocomplete="new-password", hint=hint),
        field("again", _("New password once more"), "password", required=True, autocomplete="new-password"),
    ]
    wrong = error if isinstance(error, Invalid) else None
    general = [str(error)] if isinstance(error, Throttled) else []
    return render_template(
        "me/password.html",
        fields=with_errors(fields, {}, wrong),
        general=general,
        given=uow.actor.must_change,
    )


@section.page("/me/password", needs=SIGNED_IN, methods=("POST",))
def change_password(uow: UnitOfWork) -> Response | tuple[str, int]:
    form = request.form
    try:
        people.change_own_password(
            uow, old=form.get("old", ""), new=form.get("new", ""), again=form.get("again", "")
        )
    except (Invalid, Throttled) as error:
        uow.undo()
        return _form(uow, error), error.status
    flash(_("The new password holds. Your other sessions have ended."), "ok")
    return make_response(redirect(url_for("workbench.home" if uow.actor.must_change else "session.own")))


@section.page("/me/mail", needs=SIGNED_IN)
def mail(uow: UnitOfWork) -> str:
    own = people.own_mail(uow)
    return _mail_form(uow, {"email": own.email, "by_mail": own.by_mail, "locale": own.locale})


def _mail_form(uow: UnitOfWork, values: Mapping[str, Any], error: Invalid | None = None) -> str:
    fields = [
        field("email", _("E-mail address"), "email", autocomplete="email", maxlength=254, autofocus=True),
        field("by_mail", _("Also tell me by e-mail"), "checkbox",
              hint=_("One mail a day with what is unread; recalls, long overdue loans and break-glass at once. "
                     "It has counts and slip numbers, and nothing of any record.")),
        field("locale", _("Language of the mail"), "select", choices=list(LOCALES.items()),
              hint=_("Also of pages, until you choose another on a computer."),),
    ]  # fmt: skip
    return render_template(
        "me/mail.html", fields=with_errors(fields, values, error), runs=people.own_mail(uow).runs
    )


@section.page("/me/mail", needs=SIGNED_IN, methods=("POST",))
def set_mail(uow: UnitOfWork) -> Response | tuple[str, int]:
    form = request.form
    email, by_mail, locale = form.get("email", ""), "by_mail" in form, form.get("locale", "")
    try:
        people.set_own_mail(uow, email=email, by_mail=by_mail, locale=locale)
    except Invalid as error:
        uow.undo()
        typed = {"email": email, "by_mail": by_mail, "locale": locale}
        return _mail_form(uow, typed, error), error.status
    flash(_("Saved."), "ok")
    return make_response(redirect(url_for(".mail")))


@section.page("/me/absence", needs=(P.REQUEST_ENDORSE, P.REQUEST_DECIDE))
def absence(uow: UnitOfWork) -> str:
    return _absence(uow, {}, None)


def _absence(uow: UnitOfWork, typed: Mapping[str, str], error: Invalid | Conflict | None) -> str:
    wrong = error if isinstance(error, Invalid) else None
    return render_template(
        "me/absence.html", standing=absences.listed(uow), fields=with_errors(_absence_fields(uow), typed, wrong),
        general=[str(error)] if isinstance(error, Conflict) else [],
    )  # fmt: skip


def _absence_fields(uow: UnitOfWork) -> list[dict[str, Any]]:
    found = absences.candidates(uow)
    notes = roster.notes(uow, found, uow.once("roster", lambda: roster.everybody(uow)))
    people_ = [(str(one.uuid), f"{one.name} {notes.get(one.id, '')}".strip()) for one in found]
    return [
        field("deputy", _("Deputy"), "select", required=True, choices=[("", _("— choose —")), *people_],
              hint=_("Whoever has the same office, or a voice on requests and is of your department.")),
        field("start", _("From"), "date", required=True, value=str(uow.today)),
        field("end", _("Until, this day included"), "date", required=True),
        field("because", _("Reason"), required=True, maxlength=absences.LONGEST),
    ]  # fmt: skip


@section.page("/me/absence", needs=(P.REQUEST_ENDORSE, P.REQUEST_DECIDE), methods=("POST",))
def name_deputy(uow: UnitOfWork) -> Response | tuple[str, int]:
    try:
        absences.name(uow, request.form)
    except (Invalid, Conflict) as error:
        uow.undo()
        return _absence(uow, request.form, error), error.status
    flash(_("Named. It holds on these days, and ends at once when you end it here."), "ok")
    return make_response(redirect(url_for(".absence")))


@section.page("/me/absence/<uuid:uuid>/end", needs=(P.REQUEST_ENDORSE, P.REQUEST_DECIDE), methods=("POST",))
def end_absence(uow: UnitOfWork, uuid: UUID) -> Response:
    try:
        absences.end(uow, uuid)
        flash(_("Ended."), "ok")
    except Conflict as error:
        uow.undo()
        flash(str(error), "bad")
    return make_response(redirect(url_for(".absence")))
