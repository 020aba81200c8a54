"""工作日历: a year of working days and holidays, and what a person changes in it."""

from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive import forms
from archive.errors import Invalid
from archive.gate import Section
from archive.i18n import _, ngettext
from archive.policy.permissions import P
from archive.services import workdays
from archive.uow import UnitOfWork

section = Section("workdays", __name__, url_prefix="/control/calendar")


@section.page("", needs=(P.OPERATE, P.CONFIG_MANAGE))
def year(uow: UnitOfWork) -> str:
    """The year, and the form; a day that was chosen stands in it already."""
    return _page(uow, _year(uow), None)


@section.page("/compare", needs=P.CONFIG_MANAGE, methods=("POST",))
def compare(uow: UnitOfWork) -> str | tuple[str, int]:
    """What a list would change, and what of it volumes that are out would notice."""
    try:
        found = _changes(uow)
        workdays.reason_of(request.form.get("because", ""))
    except Invalid as error:
        return _page(uow, _year(uow), error), error.status
    if "again" in request.form:
        return _page(uow, _year(uow), Invalid(fields={}))
    effect = workdays.effect(uow, found)
    return render_template("workdays/compare.html", changes=found, effect=effect, form=request.form)


@section.page("/enter", needs=P.CONFIG_MANAGE, methods=("POST",))
def enter(uow: UnitOfWork) -> Response | tuple[str, int]:
    try:
        found = _changes(uow)
        moved = workdays.enter(uow, found, because=request.form.get("because", ""))
    except Invalid as error:
        uow.undo()
        return _page(uow, _year(uow), error), error.status
    flash(ngettext("%(num)d day is entered.", "%(num)d days are entered.", len(found)), "ok")
    if moved.later:
        flash(ngettext("%(num)d volume that is out is due later.", "%(num)d volumes that are out are due later.",
                       len(moved.later)), "info")  # fmt: skip
    return make_response(redirect(url_for(".year", year=found[0].on.year)))


def _year(uow: UnitOfWork) -> int:
    return request.values.get("year", uow.today.year, type=int)


def _changes(uow: UnitOfWork) -> list[workdays.Change]:
    form = request.form
    return workdays.changes(uow, form.get("text", ""), whole=_year(uow) if "whole" in form else None)


def _page(uow: UnitOfWork, number: int, error: Invalid | None) -> str:
    shown, chosen = workdays.year(uow, number), request.args.get("day", "")
    typed = request.form if error else {"text": workdays.line_of(shown, chosen)}
    asked = _asked(shown.number)
    for item in asked:
        item["value"] = item["name"] in typed if item["kind"] == "checkbox" else typed.get(item["name"], "")
        item["errors"] = (
            error.fields[item["name"]].split("\n") if error and item["name"] in error.fields else []
        )
    return render_template("workdays/year.html", year=shown, asked=asked, chosen=chosen)


def _asked(number: int) -> list[dict[str, Any]]:
    example = f"{number}-10-01..{number}-10-07 休 国庆节\n{number}-10-10 班 国庆节调休"
    lines = _(
        "A line a day or range, as the notice of the State Council tells them: 休 off, 班 worked, 平 as the weekday says."
    )
    return [
        forms.field("text", _("Days"), "textarea", required=True, rows=6, mono=True, placeholder=example, hint=lines),
        forms.field("because", _("Notice or reason"), required=True, maxlength=workdays.LONGEST_REASON),
        forms.field("whole", _("This is the whole list of %(year)d: what it does not name is as its weekday.", year=number),
                    "checkbox"),
    ]  # fmt: skip
