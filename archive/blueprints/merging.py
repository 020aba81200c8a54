"""Merging two record numbers of one person: compare, say why, merge; and the way back."""

from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.asking import typed
from archive.errors import Conflict, Invalid
from archive.forms import field, with_errors
from archive.gate import P, Section
from archive.i18n import _
from archive.services import merging
from archive.services.merging import Pair
from archive.uow import UnitOfWork

section = Section("merging", __name__)
NUMBERS = ("given_up", "kept")


@section.page("/patients/merge", needs=P.EDIT_LIFECYCLE, typed=NUMBERS)
def compare(uow: UnitOfWork) -> str | tuple[str, int]:
    asked = {name: typed(name) for name in NUMBERS if typed(name)}
    if not asked:
        return _page(uow, {}, None)
    try:
        pair = merging.compare(uow, given_up=typed("given_up"), kept=typed("kept"))
    except Invalid as error:
        return _page(uow, asked, None, error), error.status
    return _page(uow, asked, pair)


def _page(uow: UnitOfWork, asked: Any, pair: Pair | None, error: Invalid | Conflict | None = None) -> str:
    wrong = error if isinstance(error, Invalid) else None
    shown: dict[str, Any] = {"required": True, "mono": True, "maxlength": 20, "autocomplete": "off"}
    numbers = [
        field("given_up", _("Number that is given up"), autofocus=pair is None, **shown),
        field("kept", _("Number that counts"), hint=_("As a rule the older one."), **shown),
    ]
    why = field("reason", _("Reason"), required=True, maxlength=merging.LONGEST_REASON,
                hint=_("How it is known that this is one person."))  # fmt: skip
    return render_template(
        "merging/merge.html", numbers=with_errors(numbers, asked, wrong), why=with_errors([why], asked, wrong),
        pair=pair, merged=merging.merged(uow), refusal=str(error) if isinstance(error, Conflict) else None,
        most=merging.MOST,
    )  # fmt: skip


@section.page("/patients/merge/done", needs=P.EDIT_LIFECYCLE, methods=("POST",))
def merge(uow: UnitOfWork) -> Response | tuple[str, int]:
    form = request.form
    numbers = {name: form.get(name, "") for name in NUMBERS}
    try:
        merging.merge(uow, **numbers, reason=form.get("reason", ""))
    except Invalid as error:
        uow.undo()
        pair = None if set(error.fields) & set(NUMBERS) else merging.compare(uow, **numbers)
        return _page(uow, form, pair, error), error.status
    flash(_("Merged. Both numbers now lead to all records of the person."), "ok")
    return make_response(redirect(url_for(".compare")))


@section.page("/patients/merge/undone", needs=P.EDIT_LIFECYCLE, methods=("POST",))
def unmerge(uow: UnitOfWork) -> Response | tuple[str, int]:
    try:
        merging.unmerge(uow, mrn=request.form.get("mrn", ""), reason=request.form.get("why", ""))
    except (Invalid, Conflict) as error:
        uow.undo()
        said = Conflict(next(iter(error.fields.values()))) if isinstance(error, Invalid) else error
        return _page(uow, {}, None, said), error.status
    flash(_("The two numbers stand for themselves again."), "ok")
    return make_response(redirect(url_for(".compare")))
