"""紧急调阅 as pages: opening in an emergency, what one has opened, and the 事后审查."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive import forms
from archive.errors import Conflict, Invalid, Throttled
from archive.forms import field, with_errors
from archive.gate import SIGNED_IN, P, Section
from archive.i18n import _, ngettext
from archive.services import breakglass, emergencies
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Emergency

section = Section("emergencies", __name__)
WATCHING = (P.BREAKGLASS_REVIEW, P.AUDIT_REVIEW)


@section.page("/break-glass", needs=P.BREAKGLASS)
def form(uow: UnitOfWork) -> str:
    return _form(uow, {}, None)


@section.page("/break-glass", needs=P.BREAKGLASS, methods=("POST",))
def declare(uow: UnitOfWork) -> Response | str | tuple[str, int]:
    """Opens, and leads to what is open: no word of a record leaves before the act is committed."""
    try:
        made = breakglass.declare(uow, request.form)
    except (Invalid, Throttled, Conflict) as error:
        uow.undo()
        return _form(uow, request.form, error), error.status
    if made is None:
        return _form(uow, request.form, None, in_vain=True)
    return make_response(redirect(url_for(".one", uuid=made.uuid)))


def _form(
    uow: UnitOfWork, typed: Mapping[str, str], error: Invalid | Throttled | Conflict | None, *, in_vain: bool = False
) -> str:  # fmt: skip
    wrong = error if isinstance(error, Invalid) else None
    drawn = forms.fields_of(uow, breakglass.WHO, typed, wrong.fields if wrong else {})
    # The browser of a shared computer must not offer one patient's number or name to whoever comes next.
    who = [one | {"autocomplete": "off", "autofocus": one["name"] == "mrn"} for one in drawn]
    general = [str(error)] if error is not None and wrong is None else []
    return render_template(
        "emergencies/open.html", who=who, why=with_errors(_why(uow), typed, wrong), general=general, in_vain=in_vain,
        limits=emergencies.limits(uow), mine=emergencies.mine(uow), states=state_words(),
    )  # fmt: skip


def _why(uow: UnitOfWork) -> list[dict[str, Any]]:
    least = emergencies.limits(uow).least_words
    return [
        field("cause", _("Emergency"), "select", required=True,
              choices=[("", _("— choose —")), *emergencies.causes(uow).items()]),
        field("reason", _("What has happened"), "textarea", required=True, rows=2, maxlength=breakglass.LONGEST,
              hint=_("At least %(least)d characters; whoever judges it reads them. Leave names out.", least=least)),
        field("password", _("Your own password"), "password", required=True, autocomplete="current-password"),
    ]  # fmt: skip


def state_words() -> dict[str, tuple[str, str]]:
    """How the judgement of an emergency is said, and how it looks."""
    return {
        "": (_("To be judged"), "wait"),
        "late": (_("Judgement overdue"), "bad"),
        "justified": (_("Justified"), "ok"),
        "unjustified": (_("Not justified"), "bad"),
    }


@section.page("/emergencies", needs=WATCHING)
def listing(uow: UnitOfWork) -> str:
    rows = emergencies.listing(uow)
    return render_template(
        "emergencies/list.html", rows=rows, states=state_words(), late=sum(row.is_overdue for row in rows),
        by_codes=not uow.can(P.BREAKGLASS_REVIEW),
    )  # fmt: skip


@section.page("/emergencies/<uuid:uuid>", needs=SIGNED_IN)
def one(uow: UnitOfWork, uuid: UUID) -> str:
    return _one(uow, emergencies.one(uow, uuid), {}, None)


def _one(
    uow: UnitOfWork, row: "Emergency", typed: Mapping[str, str], error: Invalid | Conflict | None
) -> str:
    shown = emergencies.shown(uow, row)
    judgement = [
        field("verdict", _("Judgement"), "radio", required=True,
              choices=[(name, state_words()[name][0]) for name in breakglass.VERDICTS]),
        field("note", _("Note of the judgement"), "textarea", required=True, rows=2, maxlength=breakglass.LONGEST),
    ]  # fmt: skip
    return render_template(
        "emergencies/one.html", shown=shown, records=emergencies.opened(uow, row), states=state_words(),
        pages=emergencies.pages_read(uow, row),
        fields=with_errors(judgement, typed, error if isinstance(error, Invalid) else None),
        general=[str(error)] if isinstance(error, Conflict) else [],
        crumbs=[{"label": _("Review of break-glass"), "href": url_for(".listing")}] if _watches(uow) else [],
    )  # fmt: skip


def _watches(uow: UnitOfWork) -> bool:
    return any(uow.can(permission) for permission in WATCHING)


@section.page("/emergencies/<uuid:uuid>/end", needs=SIGNED_IN, methods=("POST",))
def end(uow: UnitOfWork, uuid: UUID) -> Response:
    breakglass.end(uow, emergencies.one(uow, uuid))
    flash(_("Ended: nothing of it is open any more."), "ok")
    return make_response(redirect(url_for(".one", uuid=uuid)))


@section.page("/emergencies/<uuid:uuid>/judge", needs=P.BREAKGLASS_REVIEW, methods=("POST",))
def judge(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    row, typed = emergencies.one(uow, uuid), request.form
    try:
        breakglass.judge(uow, row, verdict=typed.get("verdict", ""), note=typed.get("note", ""))
    except (Invalid, Conflict) as error:
        uow.undo()
        return _one(uow, emergencies.one(uow, uuid), typed, error), error.status
    waiting, _late = emergencies.to_judge(uow)
    flash(ngettext("Judged. %(num)d more waits.", "Judged. %(num)d more wait.", waiting), "ok")
    return make_response(redirect(url_for(".listing")))
