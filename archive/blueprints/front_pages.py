"""病案首页查询: conditions that stand in no address, a list, and a sample to pull, print and take along."""

from typing import Any
from uuid import UUID

from flask import Response, make_response, redirect, render_template, request, url_for

from archive import forms
from archive.asking import typed, typed_token
from archive.blueprints import looks, picked
from archive.errors import Invalid, TakesTooLong
from archive.gate import P, Section
from archive.given import whole
from archive.i18n import _, ngettext
from archive.services import actors, front_pages, inspections
from archive.services.front_pages import NAMES, Line, Sample
from archive.uow import UnitOfWork

section = Section("front_pages", __name__)
GROUPS = (
    ("diagnosis", "operation", "attending"), ("dept", "outcome", "sex"), ("age_from", "age_to", "age_unit"),
    ("days_from", "days_to"), ("discharged_from", "discharged_to"), ("admitted_from", "admitted_to"),
)  # fmt: skip


@section.page("/search/front-page", needs=P.IDENTIFY, typed=NAMES)
def find(uow: UnitOfWork) -> str | Response | tuple[str, int]:
    """The form; with conditions the list; with `sample` and `seed` what they draw of it."""
    typed_now = {name: typed(name) for name in NAMES if typed(name)}
    if "sample" in request.args and not request.args.get("seed"):
        return make_response(redirect(_address(sample=request.args["sample"], seed=front_pages.fresh_seed())))
    try:
        asked = front_pages.checked(uow, typed_now)
    except Invalid as error:
        return _page(uow, typed_now, {}, error), error.status
    if not asked:
        return _page(uow, typed_now or front_pages.lately(uow), {})
    try:
        return _page(uow, typed_now, _drawn(uow, asked) if "sample" in request.args else _found(uow, asked))
    except TakesTooLong as late:
        return _page(uow, typed_now, {"late": str(late)}), late.status
    except Invalid as error:
        return _page(
            uow, typed_now, _found(uow, asked) | {"refusal": " ".join(error.fields.values())}
        ), error.status


@section.page("/search/front-page/export", needs=P.IDENTIFY, typed=NAMES)
def export(uow: UnitOfWork) -> Response:
    """The list, or the sample, in the order of the shelves, for a spreadsheet."""
    asked = front_pages.checked(uow, {name: typed(name) for name in NAMES if typed(name)})
    if not asked:
        return make_response(redirect(url_for(".find")))
    if "sample" in request.args:
        lines = _sample(uow, asked, event="front_page.exported").lines
    else:
        lines = front_pages.everything(uow, asked)
    columns = _columns(is_drawn=True)
    return looks.spreadsheet("front-pages", columns, _rows(uow, lines), uow.local)


def _sample(uow: UnitOfWork, asked: dict[str, Any], *, event: str = "front_page.sampled") -> Sample:
    number = request.args.get("sample", 0, type=whole)
    return front_pages.draw(uow, asked, number, request.args.get("seed", "").strip(), event=event)


def _found(uow: UnitOfWork, asked: dict[str, Any]) -> dict[str, Any]:
    page = front_pages.find(uow, asked, request.args.get("cursor"))
    total = ngettext(
        "%(num)s record", "%(num)s records", page.total, num=f"{page.total:,}" + ("+" if page.capped else "")
    )
    next_page = _address(cursor=page.next) if page.next else None
    table = _table(uow, page.lines, total) | {"next": next_page, "export": _export() if page.lines else ""}
    return {"list": table, "conditions": front_pages.in_words(uow, asked), "draw": _draw_form()}


def _drawn(uow: UnitOfWork, asked: dict[str, Any]) -> dict[str, Any]:
    sample = _sample(uow, asked)
    total = ngettext("%(num)s record", "%(num)s records", len(sample.lines), num=f"{len(sample.lines):,}")
    table = _table(uow, sample.lines, total, is_drawn=True) | {"export": _export()}
    return {
        "list": table,
        "sample": sample,
        "inspect": _inspect(uow, sample),
        "conditions": front_pages.in_words(uow, asked),
        "whole": _address(),
    }


def _inspect(uow: UnitOfWork, sample: Sample) -> str:
    """Where the sample is opened to inspectors, as far as one batch may be that large; nothing for whoever may not."""
    if (
        not uow.can(P.INSPECTION_GRANT)
        or not 0 < len(sample.lines) <= inspections.limits(uow)["most_records"]
    ):
        return ""
    refs = picked.packed(UUID(str(line.view.uuid)) for line in sample.lines)
    return url_for("inspections.add_form", picked=refs, of=sample.of, seed=sample.seed)


def _draw_form() -> list[dict[str, Any]]:
    return [
        forms.field("sample", _("How many"), "number", value=request.args.get("sample") or front_pages.USUALLY_DRAWN,
                    min=1, max=front_pages.MOST_DRAWN),
        forms.field("seed", _("Seed"), value=request.args.get("seed") or front_pages.fresh_seed(), maxlength=20, mono=True,
                    autocomplete="off"),
    ]  # fmt: skip


def _address(*, sample: str | None = None, seed: str | None = None, cursor: str | None = None) -> str:
    return url_for(".find", s=typed_token(), sample=sample, seed=seed, cursor=cursor)


def _export() -> str:
    asked = request.args
    return url_for(".export", s=typed_token(), sample=asked.get("sample"), seed=asked.get("seed"))


def _page(
    uow: UnitOfWork, typed_now: dict[str, str], found: dict[str, Any], error: Invalid | None = None
) -> str:
    wrong = error.fields if error else {}
    drawn = {field["name"]: field for field in forms.fields_of(uow, front_pages.QUESTION, typed_now, wrong)}
    for name in ("dept", "outcome", "sex"):
        drawn[name]["choices"] = [("", _("all")), *drawn[name]["choices"][1:]]
    drawn["age_unit"] |= {
        "kind": "select",
        "choices": [(name, str(word)) for name, word in front_pages.UNITS.items()],
    }
    for field in drawn.values():
        field["autocomplete"] = "off"
    groups = [[drawn[name] for name in group] for group in GROUPS]
    return render_template("front_pages/query.html", groups=groups, token=typed_token(), **found)


def _columns(*, is_drawn: bool) -> list[dict[str, Any]]:
    """`is_drawn`: the list is for pulling volumes, so it begins with their places."""
    place = [
        {"key": "place", "label": _("Place"), "kind": "mono"},
        {"key": "barcode", "label": _("Barcode"), "kind": "mono"},
    ]
    return [
        {"key": "stay", "label": _("Record"), "kind": "mrn"}, *(place if is_drawn else []),
        {"key": "name", "label": _("Name"), "kind": "person"}, {"key": "sex", "label": _("Sex"), "optional": True},
        {"key": "age", "label": _("Age"), "kind": "person"}, {"key": "dept", "label": _("Department"), "kind": "person"},
        {"key": "admitted", "label": _("Admitted on"), "kind": "date", "optional": True},
        {"key": "discharged", "label": _("Discharged on"), "kind": "date"},
        {"key": "days", "label": _("Days of stay"), "kind": "number"}, {"key": "diagnosis", "label": _("Main diagnosis")},
        {"key": "code", "label": _("Diagnosis code"), "kind": "mono", "optional": True},
        {"key": "operations", "label": _("Operations")},
        {"key": "operation_codes", "label": _("Operation codes"), "kind": "mono", "optional": True},
        {"key": "attending", "label": _("Attending doctor"), "optional": True},
        {"key": "outcome", "label": _("Way of leaving"), "kind": "person", "optional": True},
    ]  # fmt: skip


def _table(uow: UnitOfWork, lines: list[Line], total: str, *, is_drawn: bool = False) -> dict[str, Any]:
    """A column of which no line says anything is left out; of a sample, which has places, also what is least needed."""
    rows = _rows(uow, lines)
    said = {key for row in rows for key, value in row["cells"].items() if value}
    return {
        "name": "front-pages", "label": _("Front-page query"), "total": total, "rows": rows,
        "columns": [
            column for column in _columns(is_drawn=is_drawn)
            if column["key"] in said and not (is_drawn and column.get("optional"))
        ],
        "empty": {"icon": "report-search", "title": _("Nothing was found"),
                  "text": _("No record that you may see at the level of these conditions meets them all.")},
    }  # fmt: skip


def _rows(uow: UnitOfWork, lines: list[Line]) -> list[dict[str, Any]]:
    wards = actors.department_names(uow.session)
    return [_row(line, wards) for line in lines]


def _row(line: Line, wards: dict[int, str]) -> dict[str, Any]:
    view = line.view
    said = {shown.field.name: shown.text for shown in view.fields}
    cells = {
        "stay": view.stay, "name": view.person, "age": line.age, "days": line.days, "dept": wards.get(view.dept_id or 0),
        "admitted": view.date_from, "discharged": view.discharged_on, "code": said.get("diagnosis_code"),
        "place": "；".join(volume.place or str(volume.status.title) for volume in line.volumes),
        "barcode": "；".join(volume.barcode for volume in line.volumes),
        **{name: said.get(name) for name in ("sex", "diagnosis", "operations", "operation_codes", "attending", "outcome")},
    }  # fmt: skip
    return {"id": view.uuid, "label": view.stay, "href": view.href, "cells": cells}
