"""导入: choose a kind and a file, say which column is which, look at the dry run, bring it in, take it back."""

from string import ascii_uppercase
from typing import Any
from uuid import UUID

from flask import Response, flash, g, make_response, redirect, render_template, request, send_file, url_for

from archive.blueprints.jobs import drawn
from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.forms import field
from archive.gate import Section
from archive.given import whole
from archive.i18n import _, _l
from archive.policy.permissions import P
from archive.services import imports
from archive.services.imports import ImportView, Layout, Plan
from archive.spreadsheet import as_csv
from archive.uow import UnitOfWork

section = Section("imports", __name__)
SOMETHING = (P.ADD, P.USER_MANAGE)
"""Who may import anything at all; what, and into which category, the services decide."""
ACCEPTED = ".xlsx,.xlsm,.csv,.txt,.tsv"
COUNTED = {
    "new": _l("New ones"), "changed": _l("With changes"), "unchanged": _l("Unchanged"), "wrong": _l("Wrong"),
    "removed_node": _l("Records removed"), "removed_patient": _l("Patients removed"),
    "removed_user": _l("People removed"), "removed_principal": _l("Departments removed"),
    "restored_node": _l("Records put back"), "restored_patient": _l("Patients put back"),
    "restored_principal": _l("Names put back"), "kept_node": _l("Records kept"), "kept_patient": _l("Patients kept"),
    "kept_user": _l("People kept"), "kept_principal": _l("Departments kept"),
}  # fmt: skip
"""What a job counts, in the order of the page; encounters, aliases and memberships go with their records."""


@section.page("/imports", needs=SOMETHING)
def start(uow: UnitOfWork) -> str:
    return _start(uow)


def _start(uow: UnitOfWork, error: Invalid | None = None) -> str:
    choices = imports.choices(uow)
    chosen = request.values.get("kind") or (choices[0].name if choices else "")
    into = [
        (uuid, title) for choice in choices if choice.name == "index" for uuid, title in choice.categories
    ]
    categories = field("category", _("Into the category"), "select", choices=[("", _("— choose —")), *into],
                       hint=_("for an old index only"), errors=_errors(error, "category"))  # fmt: skip
    file = field("file", _("File"), "file", required=True, accept=ACCEPTED, errors=_errors(error, "file"),
                 hint=_("Excel (.xlsx) or CSV, at most 64 MB. The first sheet that is not empty is read."))  # fmt: skip
    return render_template("imports/start.html", choices=choices, chosen=chosen, file=file, formats=imports.FORMATS,
                           category=categories if into else None, latest=imports.latest(uow))  # fmt: skip


def _errors(error: Invalid | None, name: str) -> list[str]:
    return [error.fields[name]] if error and name in error.fields else []


@section.page("/imports", needs=SOMETHING, methods=("POST",), file="file")
def receive(uow: UnitOfWork) -> Response | tuple[str, int]:
    kind, category = request.form.get("kind", ""), request.form.get("category", "")
    if "staged" not in g:
        return _start(uow, Invalid(fields={"file": _("Choose a file first.")})), 422
    if kind == "index" and not category:
        return _start(uow, Invalid(fields={"category": _("Choose the category that it goes into.")})), 422
    if kind not in {choice.name for choice in imports.choices(uow)}:
        raise Forbidden
    token = imports.keep(uow, g.staged, g.filename)
    return make_response(redirect(url_for(".columns", name=token, kind=kind, category=category or None)))


@section.page("/imports/files/<name>", needs=SOMETHING)
def columns(uow: UnitOfWork, name: str) -> str | Response:
    try:
        return _columns(uow, name, _plan(name))
    except Invalid as error:
        flash(str(error), "bad")
        return make_response(redirect(url_for(".start", kind=request.args.get("kind"))))


def _plan(token: str) -> Plan:
    """What has been chosen so far: the kind in the address, the columns in the form."""
    asked, form = request.args, request.form
    said = {name.removeprefix("col-"): int(place) if place.isdecimal() and len(place) < 5 else None
            for name, place in form.items() if name.startswith("col-")}  # fmt: skip
    return Plan(asked.get("kind", ""), token, asked.get("category"), said, form.get("digits", type=whole))


def _columns(uow: UnitOfWork, token: str, plan: Plan, problem: str = "") -> str:
    table = imports.table(uow, token)
    found = imports.layout(uow, plan, table)
    return render_template(
        "imports/columns.html", plan=plan, found=found, table=table, problem=problem,
        fields=_mapping(found, problem), letters=_letters(found), digits=_digits(found, plan),
    )  # fmt: skip


def _mapping(found: Layout, problem: str) -> list[dict[str, Any]]:
    named = zip(_letters(found), found.heading.names, strict=True)
    places = [
        ("", _("— not in the file —")),
        *((n, f"{letter} · {name}") for n, (letter, name) in enumerate(named)),
    ]
    return [
        field(f"col-{column.name}", str(column.label), "select", choices=places, required=column.required,
              value=found.mapped.get(column.name, ""), hint=str(column.help) if column.help else "",
              errors=[_("Say which column this is.")] if problem and str(column.label) in found.missing else [])
        for column in found.kind.columns
    ]  # fmt: skip


def _letters(found: Layout) -> list[str]:
    """A, B … Z, AA: as the spreadsheet calls its columns."""
    last = len(ascii_uppercase)
    return [
        (ascii_uppercase[n // last - 1] if n >= last else "") + ascii_uppercase[n % last]
        for n in range(len(found.heading.names))
    ]


def _digits(found: Layout, plan: Plan) -> dict[str, Any] | None:
    if all(column.name != "mrn" for column in found.kind.columns):
        return None
    choices = [("", _("as in the file")), *((n, n) for n in range(6, 11))]
    hint = _("Spreadsheets drop the zeros before a number; they are put back up to so many digits.")
    label = _("Digits of a record number")
    return field("digits", label, "select", choices=choices, value=plan.digits or "", hint=hint)


@section.page("/imports/files/<name>", needs=SOMETHING, methods=("POST",))
def check(uow: UnitOfWork, name: str) -> Response | tuple[str, int]:
    plan = _plan(name)
    try:
        job = imports.order(uow, plan, dry=True)
    except Conflict as missing:
        uow.undo()
        return _columns(uow, name, plan, str(missing)), missing.status
    return make_response(redirect(url_for(".show", uuid=job.uuid)))


@section.page("/imports/<uuid:uuid>", needs=SOMETHING)
def show(uow: UnitOfWork, uuid: UUID) -> str | Response:
    """A dry run, an import or its undoing; the card asks for itself and loads the page when the work has ended."""
    seen = imports.one(uow, uuid)
    job = drawn(seen.job) | {"refresh": url_for(".show", uuid=uuid), "counts": (), "result": None}
    if "HX-Request" in request.headers:
        return render_template("jobs/card.html", job=job) if seen.job.running else _reload()
    return render_template("imports/show.html", seen=seen, job=job, counts=_counts(seen))


def _reload() -> Response:
    response = make_response("")
    response.headers["HX-Refresh"] = "true"
    return response


def _counts(seen: ImportView) -> list[dict[str, Any]]:
    return [{"label": str(label), "value": seen.counts[name], "kind": "bad" if name == "wrong" else ""}
            for name, label in COUNTED.items() if name in seen.counts]  # fmt: skip


@section.page("/imports/<uuid:uuid>/run", needs=SOMETHING, methods=("POST",))
def run(uow: UnitOfWork, uuid: UUID) -> Response:
    seen = imports.one(uow, uuid)
    if not seen.can_run:
        raise Conflict(_("This dry run cannot be carried out any more. Choose the file again."))
    return make_response(redirect(url_for(".show", uuid=imports.order(uow, seen.plan, dry=False).uuid)))


@section.page("/imports/<uuid:uuid>/undo", needs=SOMETHING, methods=("POST",))
def undo(uow: UnitOfWork, uuid: UUID) -> Response:
    job = imports.order_undo(uow, imports.find(uow, uuid))
    return make_response(redirect(url_for(".show", uuid=job.uuid)))


@section.page("/imports/<uuid:uuid>/problems.csv", needs=SOMETHING)
def problems(uow: UnitOfWork, uuid: UUID) -> Response:
    seen = imports.one(uow, uuid)
    rows = [
        (_("Row"), _("Column"), _("What to do")),
        *((one.row, one.column, one.text) for one in seen.problems),
    ]
    return _attachment(as_csv(rows), "problems.csv")


def _attachment(content: bytes, name: str) -> Response:
    response = make_response(content)
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@section.page("/imports/samples/<name>", needs=SOMETHING)
def sample(_uow: UnitOfWork, name: str) -> Response:
    path = imports.sample(name)
    if path is None:
        raise NotFound
    return send_file(path, as_attachment=True)
