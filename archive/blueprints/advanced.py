"""高级检索: a form of rows, categories and branches that leads to the one page of results."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, make_response, redirect, render_template, request, url_for

from archive import envelope, forms
from archive.asking import typed
from archive.errors import Invalid
from archive.gate import P, Section
from archive.given import uuid
from archive.i18n import _
from archive.services import advanced, categories, narrowing, search, search_labels
from archive.services.advanced import JOINS, MOST_ROWS, WAYS, Row
from archive.services.categories import Class
from archive.uow import UnitOfWork

section = Section("advanced", __name__)
FILTERS = ("under", "dept", "type", "state", "year")
ROWS_AT_FIRST = 3
USUAL = ("", "patient_name", "diagnosis", "text")


@section.page("/search/advanced", needs=P.DISCOVER, typed=("q",))
def form(uow: UnitOfWork) -> str:
    """The empty form; with what was searched before, and below the folder from which one came."""
    kept = {name: request.args.get(name, "") for name in FILTERS}
    rows = [Row(field=name) for name in USUAL[:ROWS_AT_FIRST]]
    return _page(uow, typed("q"), rows, kept)


@section.page("/search/advanced/compose", needs=P.DISCOVER, methods=("POST",), asks=True)
def compose(uow: UnitOfWork) -> str | Response | tuple[str, int]:
    """Another row, or the search that the rows make; what was typed stands in no address."""
    given = request.form
    kept = {name: given.get(name, "") for name in FILTERS}
    rows, begun = _rows(), given.get("q", "")[: search.LONGEST]
    if given.get("act") == "more":
        return _page(uow, begun, [*rows, Row()][:MOST_ROWS], kept)
    if kept["year"].strip() and narrowing.chosen(uow, kept).year is None:
        wrong = {"year": _("A year is a number, such as 2026.")}
        return _page(uow, begun, rows, kept, wrong), Invalid.status
    try:
        text = advanced.composed(uow, begun, rows)
    except Invalid as error:
        return _page(uow, begun, rows, kept, error.fields), error.status
    if not (text or any(kept.values())):
        wrong = {"value-0": _("Type at least one word to search for.")}
        return _page(uow, begun, rows, kept, wrong), Invalid.status
    return make_response(
        redirect(_address("search.results", kept, envelope.seal(uow, {"q": text}) if text else None))
    )


def _address(endpoint: str, kept: Mapping[str, str], sealed: str | None) -> str:
    """A page of the search with these filters; what is left open is left out."""
    under, dept, kind, state, year = (kept[name] or None for name in FILTERS)
    return url_for(endpoint, s=sealed, under=under, dept=dept, type=kind, state=state, year=year)


def _rows() -> list[Row]:
    columns = [request.form.getlist(name)[:MOST_ROWS] for name in ("join", "field", "way", "value", "to")]
    known = search_labels.names()
    return [
        Row(join if join in JOINS else "and", field if field in known else "", way if way in WAYS else "has",
            value.strip()[: search.LONGEST], to.strip()[: search.LONGEST])
        for join, field, way, value, to in zip(*columns, strict=False)
    ]  # fmt: skip


def _page(
    uow: UnitOfWork, begun: str, rows: list[Row], kept: Mapping[str, str], wrong: Mapping[str, str] | None = None
) -> str:  # fmt: skip
    errors = wrong or {}
    drawn = [_drawn(number, row, errors) for number, row in enumerate(rows)]
    choices = categories.classes(uow)
    here = _here(uow, kept["under"], {one.uuid for one in choices})
    query = forms.field("q", _("Search so far"), "search", value=begun, maxlength=search.LONGEST, id="words", autocomplete="off",
                        hint=_("The rows below are added to it."), errors=[errors["q"]] if "q" in errors else [])  # fmt: skip
    return render_template(
        "search/advanced.html", rows=drawn, query=query if begun or "q" in errors else None, here=here,
        filters=_filters(uow, kept, choices, errors, is_fixed=here is not None), may_add=len(rows) < MOST_ROWS,
        is_wrong=bool(errors), without=_address(".form", {**kept, "under": ""}, None),
    )  # fmt: skip


def _here(uow: UnitOfWork, under: str, classes: set[str]) -> Any:
    """The folder or record from which one came; a category is chosen in the list."""
    ref = uuid(under)
    return advanced.place(uow, uow.node(UUID(ref))) if ref and ref not in classes else None


def _drawn(number: int, row: Row, errors: Mapping[str, str]) -> dict[str, Any]:
    """One row of the form; its controls are named by their labels, which stand in the head of the table."""
    fields = [("", _("Anywhere")), *((name, words[0]) for name, words in search_labels.names().items())]
    joins = {"and": _("and"), "or": _("or"), "not": _("without")}
    ways = {"has": _("has, or is"), "is": _("is exactly"), "span": _("from … to")}
    error = errors.get(f"value-{number}")
    return {
        "number": number + 1, "join": row.join, "joins": list(joins.items()), "field": row.field, "fields": fields,
        "way": row.way, "ways": list(ways.items()), "value": row.value, "to": row.to, "error": error,
    }  # fmt: skip


def _filters(
    uow: UnitOfWork, kept: Mapping[str, str], classes: list[Class], errors: Mapping[str, str], *, is_fixed: bool
) -> list[dict[str, Any]]:  # fmt: skip
    def chosen(name: str, label: str, known: Mapping[str, str]) -> dict[str, Any]:
        return forms.field(name, label, "select", value=kept[name], choices=[("", _("all")), *known.items()])

    known = any(one.count is not None for one in classes)
    under = [] if is_fixed else [
        forms.field("under", _("Category"), "select", value=kept["under"],
                    choices=[("", _("all")), *((one.uuid, _in_the_list(one)) for one in classes)],
                    hint=_("In brackets: how many results you can find there.") if known else "")
    ]  # fmt: skip
    return [
        *under,
        *(
            chosen(name, search_labels.names()[name][0], search_labels.choices(uow, name))
            for name in ("type", "dept")
        ),
        forms.field(
            "year",
            search_labels.names()["year"][0],
            "number",
            value=kept["year"],
            min=1800,
            max=2200,
            errors=[errors["year"]] if "year" in errors else [],
        ),
        chosen("state", search_labels.names()["state"][0], search_labels.choices(uow, "state")),
    ]


def _in_the_list(one: Class) -> str:
    """Set in below what it lies in, with how much there is."""
    label = (
        one.label if one.count is None else _("%(name)s (%(count)s)", name=one.label, count=f"{one.count:,}")
    )
    return "　" * one.depth + label
