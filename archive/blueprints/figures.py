"""借阅统计: one page of figures for some days, the loans behind each of them, and all of it for a spreadsheet."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flask import Response, make_response, render_template, request, url_for

from archive.blueprints import shown
from archive.blueprints.documents import workbook
from archive.errors import Invalid, NotFound
from archive.forms import field, with_errors
from archive.gate import P, Section
from archive.given import whole
from archive.i18n import _
from archive.services import lending_figures, lending_lists
from archive.services.copying import turnaround
from archive.services.lending_figures import COUNTS, Figures, Loans, Span
from archive.spreadsheet import as_csv, as_xlsx
from archive.uow import UnitOfWork

section = Section("figures", __name__)
READERS = (P.REQUEST_HANDLE, P.REQUEST_OVERSEE, P.REQUEST_COPY)
LENDING = (P.REQUEST_HANDLE, P.REQUEST_OVERSEE)
DAY = timedelta(days=1)


@section.page("/figures", needs=READERS)
def page(uow: UnitOfWork) -> str | tuple[str, int]:
    try:
        days = _span(uow)
    except Invalid as error:
        return render_template("figures/page.html", form=_form(None, error), presets=_presets(uow, None),
                               lending=None, copies=None, days=None), error.status  # fmt: skip
    lending = lending_figures.figures(uow, days) if lending_figures.may_count(uow) else None
    return render_template(
        "figures/page.html", form=_form(days, None), presets=_presets(uow, days), days=days, lending=lending,
        heads=_heads(lending) if lending else [], bars=_bars(lending.desk.hours) if lending else [],
        most=max((one.overdue for one in lending.departments), default=0) if lending else 0,
        copies=_copies(uow, days), export=url_for(".export", first=days.first, last=days.last),
        excel=url_for(".export_workbook", first=days.first, last=days.last),
        without=lending_lists.NO_DEPARTMENT, percent=percent, number=number,
    )  # fmt: skip


def _span(uow: UnitOfWork) -> Span:
    return lending_figures.span(request.args.get("first"), request.args.get("last"), uow.today)


def _address(days: Span) -> dict[str, str]:
    return {"first": str(days.first), "last": str(days.last)}


def _form(days: Span | None, error: Invalid | None) -> list[dict[str, Any]]:
    fields = [field("first", _("From"), "date"), field("last", _("To"), "date")]
    return with_errors(fields, _address(days) if days else request.args, error)


def _presets(uow: UnitOfWork, chosen: Span | None) -> list[dict[str, Any]]:
    """The spans that are asked for most; a month, quarter or year that runs is shown as far as it has come."""
    today = uow.today
    month = today.replace(day=1)
    quarter = month.replace(month=3 * ((today.month - 1) // 3) + 1)
    last_month, last_quarter = (month - DAY).replace(day=1), quarter - DAY
    spans = (
        (_("This month"), Span(month, today)),
        (_("Last month"), Span(last_month, month - DAY)),
        (_("This quarter"), Span(quarter, today)),
        (_("Last quarter"), Span(last_quarter.replace(day=1, month=last_quarter.month - 2), last_quarter)),
        (_("This year"), Span(today.replace(month=1, day=1), today)),
    )
    return [{"label": label, "href": url_for(".page", first=days.first, last=days.last), "current": days == chosen}
            for label, days in spans]  # fmt: skip


def _heads(found: Figures) -> list[dict[str, Any]]:
    every = found.all
    row = {name: {"label": str(label), "value": getattr(every, name), "href": _behind(found.span, name)}
           for name, label in COUNTS.items()}  # fmt: skip
    return [
        row["borrowed"], row["returned"],
        {"label": _("Return rate"), "value": percent(every.return_rate), "href": _behind(found.span, "back"),
         "note": _("%(part)d of %(whole)d that fell due", part=every.back, whole=every.due)},
        {"label": _("On time"), "value": percent(every.on_time_rate), "href": _behind(found.span, "on_time"),
         "note": _("%(part)d of %(whole)d that fell due", part=every.on_time, whole=every.due)},
        row["overdue"] | {"kind": "bad" if every.overdue else ""},
        {"label": _("Average days"), "value": number(every.avg_days), "href": _behind(found.span, "returned"),
         "note": _("out, of what was returned")},
    ]  # fmt: skip


def _behind(days: Span, which: str, dept: int | None = None) -> str:
    return url_for(".loans", which=which, dept=dept, first=days.first, last=days.last)


def percent(rate: float | None) -> str:
    return "—" if rate is None else f"{rate * 100:.1f}%"


def number(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"


def _bars(hours: list[int]) -> list[dict[str, Any]]:
    """The columns of the chart, in the units of its drawing."""
    top = max(*hours, 1)
    return [{"x": 12 + hour * 30, "y": 78 - count / top * 60, "height": max(count / top * 60, 0.4), "hour": hour,
             "count": count} for hour, count in enumerate(hours)]  # fmt: skip


def _copies(uow: UnitOfWork, days: Span) -> turnaround.Figures | None:
    return turnaround.figures(uow, *lending_figures.moments(uow, days)) if uow.can(P.REQUEST_COPY) else None


@section.page("/figures/loans", needs=LENDING)
def loans(uow: UnitOfWork) -> str:
    """The loans that one of the figures counts."""
    which = request.args.get("which", "")
    if which not in COUNTS:
        raise NotFound
    days, dept = _span(uow), request.args.get("dept", type=whole)
    rows, onward = lending_lists.loans(uow, which, days, dept=dept, after=request.args.get("cursor"))
    where = lending_lists.department(uow, dept)
    following = shown.address(cursor=onward) if onward else None
    return render_template(
        "figures/loans.html", rows=rows, next=following, title=str(COUNTS[which]), days=days, where=where,
        back=url_for(".page", first=days.first, last=days.last), is_now=which == "overdue",
    )  # fmt: skip


@section.page("/figures/export.csv", needs=READERS, event="figures.exported")
def export(uow: UnitOfWork) -> Response:
    """All that the page shows, counts alone."""
    days = _span(uow)
    response = make_response(as_csv(_rows(uow, days)))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="figures-{days.first}-{days.last}.csv"'
    return response


@section.page("/figures/export.xlsx", needs=READERS, event="figures.exported")
def export_workbook(uow: UnitOfWork) -> Response:
    """The same as a workbook."""
    days = _span(uow)
    return workbook(as_xlsx(_rows(uow, days)), f"figures-{days.first}-{days.last}.xlsx")


def _rows(uow: UnitOfWork, days: Span) -> Iterator[tuple[object, ...]]:
    yield _("From"), days.first, _("To"), days.last
    if lending_figures.may_count(uow):
        yield from _lending_rows(lending_figures.figures(uow, days))
    if copies := _copies(uow, days):
        yield ()
        yield _("Copies handed over"), copies.done
        yield _("in time"), copies.in_time
        yield _("Working days, median"), _said(copies.median_days)
        yield _("Minutes on the same day, median"), _said(copies.minutes)


def _lending_rows(found: Figures) -> Iterator[tuple[object, ...]]:
    yield ()
    counts = tuple(str(label) for label in COUNTS.values())
    yield _("Department"), *counts, _("Return rate"), _("On time"), _("Average days")
    for one in found.departments:
        yield one.name, *_cells(one)
    yield _("All"), *_cells(found.all)
    yield ()
    yield _("E-readings granted"), found.readings
    yield _("Paper that stayed on its shelf"), found.avoided
    yield _("Transactions at the desk"), found.desk.total, _("an hour"), number(found.desk.an_hour)
    for title, rows in ((_("Asked for, by purpose"), found.asked.purposes),
                        (_("Asked for, by department of the record"), found.asked.departments)):  # fmt: skip
        yield ()
        yield (title,)
        yield from rows


def _cells(one: Loans) -> tuple[object, ...]:
    counts = (getattr(one, name) for name in COUNTS)
    return *counts, percent(one.return_rate), percent(one.on_time_rate), number(one.avg_days)


def _said(value: int | None) -> object:
    return "—" if value is None else value
