"""审计: the events of both journals, one's own acts, the chains and their verification, a list to take away."""

from datetime import date
from typing import Any

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for

from archive.blueprints import acts, shown
from archive.errors import Invalid
from archive.forms import field
from archive.gate import SIGNED_IN, Section
from archive.i18n import _, _l
from archive.policy.permissions import P
from archive.policy.roles import ROLES
from archive.services import audit, daybook, verification
from archive.services.audit import Filters, Found, Line
from archive.spreadsheet import as_csv
from archive.uow import UnitOfWork

section = Section("audit", __name__)
RESULTS = {
    "ok": (_l("Allowed"), "ok"), "denied": (_l("Denied"), "bad"), "hidden": (_l("Answered as not there"), "wait"),
    "failed": (_l("Failed"), "bad"),
}  # fmt: skip
BOOKS = {"changes": _l("Changes"), "reads": _l("Readings")}
TYPED = ("person", "patient", "record", "action", "result", "book")


@section.page("/audit", needs=P.AUDIT_VIEW, event="audit.viewed")
def journal(uow: UnitOfWork) -> str:
    filters = _filters()
    g.reading_words = _asked()
    found = audit.listing(uow, filters, after=request.args.get("cursor"))
    day = None if filters != Filters() else daybook.today(uow)
    return render_template(
        "audit/journal.html", list=_table(found), found=found, day=day, bars=_bars(day.hours) if day else [],
        books=verification.books(uow), last=next(iter(verification.latest(uow, 1)), None),
        may_export=uow.can(P.AUDIT_EXPORT),
    )  # fmt: skip


def _filters() -> Filters:
    asked = {name: request.args.get(name, "").strip() for name in TYPED}
    return Filters(**asked, start=_day("start"), end=_day("end"), lists="lists" in request.args)


def _day(name: str) -> date | None:
    text = request.args.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Invalid(_("Write the date like 2026-11-21.")) from error


def _asked() -> dict[str, str]:
    """What was looked for, for the words of the event: looking is an event itself."""
    return {name: value for name, value in request.args.items() if value and name != "cursor"}


def _table(found: Found, *, own: bool = False) -> dict[str, Any]:
    """The number of an event counts what everybody does: whoever sees nothing but their own acts is not told it."""
    columns = [
        *([] if own else [{"key": "id", "label": _("Event no."), "kind": "number"}]),
        {"key": "at", "label": _("Time"), "kind": "mono"},
        *([] if own else [{"key": "actor", "label": _("Acting person"), "kind": "person"},
                          {"key": "roles", "label": _("Role"), "kind": "person", "optional": True}]),
        {"key": "action", "label": _("Act"), "kind": "text" if own else "mono"},
        {"key": "object", "label": _("About"), "kind": "text"},
        *([] if own else [{"key": "patient", "label": _("Patient"), "kind": "mono", "optional": True}]),
        {"key": "address", "label": _("Came from"), "kind": "mono", "optional": True},
        {"key": "result", "label": _("Result"), "kind": "state"},
    ]  # fmt: skip
    total = _("%(count)s events", count=f"{found.total:,}" + ("+" if found.capped else ""))
    return {
        "name": "audit", "label": _("Events"), "columns": columns,
        "rows": [_row(line, own=own) for line in found.lines],
        "total": total, "next": shown.address(cursor=found.next) if found.next else None, "filters": _chips(),
        "reset": request.path, "more_filters": {"action": request.path, "fields": _fields(found.filters, own=own)},
        "empty": {"title": _("No events"), "icon": "shield-check",
                  "text": _("Nothing matches. Take a filter away, or widen the time.")},
    }  # fmt: skip


def _row(line: Line, *, own: bool) -> dict[str, Any]:
    label, kind = RESULTS.get(line.result, (line.result, "idle"))
    cells = {
        "id": line.id, "at": line.at, "actor": line, "roles": _titles(line.roles), "object": line,
        "patient": line.patient, "action": _act(line, own=own), "address": line.address,
        "result": {"label": str(label), "kind": kind},
    }  # fmt: skip
    return {
        "id": "" if own else f"{line.book}-{line.id}",
        "label": line.action,
        "cells": cells,
        "flag": line.result == "denied",
    }


def _act(line: Line, *, own: bool) -> str | dict[str, str]:
    """One's own acts in words; to the auditor the code, by which acts are filtered and counted, and the words behind it."""
    return acts.label(line.action) if own else {"code": line.action, "words": acts.label(line.action)}


def _titles(roles: list[str]) -> str:
    return "、".join(str(ROLES[role].title) if role in ROLES else role for role in roles)


def _chips() -> list[dict[str, str]]:
    words = {
        "person": _("Acting person"), "patient": _("Patient"), "record": _("Record"), "action": _("Act"),
        "result": _("Result"), "book": _("Journal"), "start": _("From day"), "end": _("To day"),
    }  # fmt: skip
    words_of = {
        "result": {name: str(label) for name, (label, _kind) in RESULTS.items()},
        "book": {name: str(label) for name, label in BOOKS.items()},
    }
    asked = {name: value for name in words if (value := request.args.get(name))}
    return [
        {
            "label": words[name],
            "value": words_of.get(name, {}).get(value, value[:40]),
            "remove": shown.address(**{name: None, "cursor": None}),
        }
        for name, value in asked.items()
    ]


def _fields(filters: Filters, *, own: bool) -> list[dict[str, Any]]:
    everywhere = [
        field(
            "action",
            _("Act"),
            value=filters.action,
            mono=True,
            hint=_("the beginning of its code, node. for example"),
        ),
        field("start", _("From day"), "date", value=filters.start or ""),
        field("end", _("To day"), "date", value=filters.end or ""),
    ]
    if own:
        return everywhere
    results = [("", _("all")), *((name, str(label)) for name, (label, _kind) in RESULTS.items())]
    books = [("", _("both")), *((name, str(label)) for name, label in BOOKS.items())]
    return [
        field("person", _("Acting person"), value=filters.person, hint=_("account, staff number or name")),
        field("patient", _("Patient"), value=filters.patient, mono=True, hint=_("the record number of the patient")),
        field("record", _("Record"), value=filters.record, mono=True,
              hint=_("archival number, barcode, or record number and stay")),
        field("result", _("Result"), "select", choices=results, value=filters.result),
        field("book", _("Journal"), "select", choices=books, value=filters.book),
        *everywhere,
    ]  # fmt: skip


def _bars(hours: list[int]) -> list[dict[str, Any]]:
    """The columns of the chart, in the units of its drawing."""
    top = max(*hours, 1)
    return [{"x": 40 + hour * 29.8, "y": 102 - count / top * 84, "height": max(count / top * 84, 0.4), "hour": hour,
             "count": count} for hour, count in enumerate(hours)]  # fmt: skip


@section.page("/audit/export.csv", needs=P.AUDIT_EXPORT, event="audit.exported")
def export(uow: UnitOfWork) -> Response:
    """The events of the list, codes and identifiers alone; taking them away is an event itself."""
    lines = audit.export(uow, _filters())
    g.reading_words = {**_asked(), "events": len(lines)}
    head = (
        _("Journal"), _("Event no."), _("Time"), _("Account"), _("Name"), _("Role"), _("Act"), _("Result"),
        _("Kind"), _("About"), _("Patient"), _("Shown"), _("Came from"),
    )  # fmt: skip
    response = make_response(as_csv([head, *(_cells(line) for line in lines)]))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def _cells(line: Line) -> tuple[object, ...]:
    return (
        str(BOOKS[line.book]), line.id, line.at.isoformat(), line.actor, line.name, _titles(line.roles),
        line.action, line.result, line.object_kind, line.object_ref, line.patient, line.shown, line.address,
    )  # fmt: skip


@section.page("/audit/mine", needs=SIGNED_IN)
def mine(uow: UnitOfWork) -> str:
    found = audit.own(uow, _filters(), after=request.args.get("cursor"))
    return render_template("audit/mine.html", list=_table(found, own=True))


@section.page("/audit/verification", needs=P.AUDIT_VIEW)
def chains(uow: UnitOfWork) -> str:
    runs = verification.latest(uow)
    return render_template("audit/verification.html", books=verification.books(uow), runs=runs, labels=_states(),
                           running=any(run.state in ("waiting", "running") for run in runs))  # fmt: skip


def _states() -> dict[str, str]:
    return {
        "waiting": _("Waiting"),
        "running": _("Running"),
        "failed": _("Failed"),
        "cancelled": _("Stopped"),
    }


@section.page("/audit/verification", needs=P.AUDIT_VIEW, methods=("POST",))
def verify(uow: UnitOfWork) -> Response:
    verification.order(uow)
    flash(_("Both journals are being verified."), "info")
    return make_response(redirect(url_for(".chains")))
