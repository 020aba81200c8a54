"""One's own account: the password."""

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.errors import Invalid, Throttled
from archive.forms import field, with_errors
from archive.gate import SIGNED_IN, Section
from archive.i18n import _
from archive.services import people
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
