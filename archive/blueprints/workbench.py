"""工作台: the landing page, after the person's roles."""

from typing import Any

from flask import Response, make_response, redirect, render_template, url_for

from archive.blueprints import saved_searches
from archive.gate import SIGNED_IN, Section
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import (
    circulation,
    dual_match,
    emergencies,
    inspections,
    listing,
    mismatches,
    night_seals,
    reminders,
    request_counts,
    requests,
    sealed,
    workbench,
    worklists,
)
from archive.services.scanning import batches
from archive.uow import UnitOfWork

section = Section("workbench", __name__)


@section.page("/", needs=SIGNED_IN)
def home(uow: UnitOfWork) -> str | Response:
    if (elsewhere := _other_home(uow)) is not None:
        return make_response(redirect(url_for(elsewhere)))
    lists = [(kind, worklists.count(uow, kind)) for kind in worklists.mine(uow)]
    newest = listing.newest(uow, 12) if uow.can(P.ADD) else []
    return render_template(
        "workbench/home.html", waiting=_cards(uow, lists), figures=_figures(lists, request_counts.counts(uow), uow),
        newest=newest, readable=workbench.readable_now(uow), inspected=_inspected(uow), mine=requests.mine(uow)[:6],
        pinned=saved_searches.on_workbench(uow),
        deciding=requests.to_decide(uow)[:8] if _decides(uow) else [],
        picks=circulation.pick_list(uow)[:8] if uow.can(P.REQUEST_HANDLE) else [],
    )  # fmt: skip


def _decides(uow: UnitOfWork) -> bool:
    return uow.can(P.REQUEST_DECIDE) or uow.can(P.REQUEST_ENDORSE)


def _inspected(uow: UnitOfWork) -> list[inspections.Shown]:
    """The batches that are open to an inspector, each with the first of its records."""
    return [inspections.shown(uow, inspections.one(uow, batch.uuid)) for batch in inspections.mine(uow)]


Counted = list[tuple[worklists.Kind, int]]
FIVE = ("uncollected", "returned", "to_scan")
"""The lists among the five counts of the record room; the other two are the desk's."""


def _cards(uow: UnitOfWork, lists: Counted) -> list[dict[str, Any]]:
    """The beginnings of the lists in which something waits. What is late is not shown a second time as not collected."""
    return [
        {"name": kind.name, "title": str(kind.title), "total": total, "rows": worklists.first(uow, kind)}
        for kind, total in lists if total and kind.name != "uncollected"
    ]  # fmt: skip


def _other_home(uow: UnitOfWork) -> str | None:
    """Whoever has no business with records begins where their work is."""
    if uow.can(P.DISCOVER) or uow.can(P.HOLDING_VIEW) or uow.actor.has_grants:
        return None
    homes = ((P.AUDIT_VIEW, "audit.journal"), (P.OPERATE, "control.panel"), (P.ROLE_ASSIGN, "people.listing"))
    return next((endpoint for needs, endpoint in homes if uow.can(needs)), None)


def _figures(lists: Counted, counts: request_counts.Counts, uow: UnitOfWork) -> list[list[dict[str, Any]]]:
    """The figures on top: each is a link to its list, and none is shown to whom it says nothing."""
    totals = {kind.name: total for kind, total in lists}
    first = [_of_list(kind, total) for kind, total in lists if kind.name in FIVE]
    if "uncollected" in totals:
        first[0]["note"] = _("%(num)s overdue", num=totals["late"]) if totals["late"] else ""
    if uow.can(P.REQUEST_HANDLE):
        first[2:2] = [
            _figure(_("Out"), counts.out, url_for("desk.out"), ""),
            _figure(_("Overdue loans"), counts.overdue, url_for("desk.overdue"), "bad"),
        ]
    second = [_of_list(kind, total) for kind, total in lists if kind.name not in (*FIVE, "late")]
    second += _two_tracks(uow)
    if _decides(uow):
        second.append(_figure(_("To decide"), counts.to_decide, url_for("requests.to_decide"), "wait"))
    if overdue := reminders.count(uow):
        second.append(_figure(_("Overdue in my department"), overdue, url_for("overdue.listing"), "bad"))
    waiting, late = emergencies.to_judge(uow)
    if waiting:
        told = {"note": _("%(num)s overdue", num=late)} if late else {}
        second.append(
            _figure(_("Break-glass to judge"), waiting, url_for("emergencies.listing"), "bad") | told
        )
    if uow.can(P.REQUEST_HANDLE):
        second.append(_figure(_("To fetch"), counts.to_pick, url_for("desk.counter"), ""))
    second += _seals(uow)
    if uow.can(P.SCAN_UPLOAD) or uow.can(P.SCAN_QC):
        second.append(_figure(_("Batches under way"), batches.under_way(uow), url_for("batches.board"), ""))
    if uow.can(P.REQUEST_CREATE) and not uow.can(P.ADD):
        second += [
            _figure(_("Waiting"), counts.waiting, url_for("requests.mine"), ""),
            _figure(_("Ready to collect"), counts.ready, url_for("requests.mine"), ""),
            _figure(_("Open for reading"), counts.reading, url_for("requests.mine"), ""),
            _lent_to_me(counts),
        ]
    rows = [first, second] if len(first) > len(FIVE) else [[*first, *second]]
    return [row for row in rows if len(row) > 1]  # a single figure says no more than its list below


def _lent_to_me(counts: request_counts.Counts) -> dict[str, Any]:
    """What is late stands out also on the borrower's own first page."""
    late = counts.mine_overdue
    shown = _figure(_("Lent to me"), counts.lent, url_for("requests.mine"), "bad" if late else "")
    return shown | ({"note": _("%(num)s overdue", num=late)} if late else {})


def _seals(uow: UnitOfWork) -> list[dict[str, Any]]:
    """待复核 and 待接收: for whoever seals."""
    found = []
    if uow.can(P.HOLD_APPLY) and (due := sealed.to_review(uow)):
        found.append(_figure(_("Seals to review"), due, url_for("holds.listing"), "wait"))
    if uow.can(P.HOLD_APPLY) and (waiting := night_seals.count(uow)):
        found.append(_figure(_("Seals of the night to take over"), waiting, url_for("night.waiting"), "bad"))
    return found


def _two_tracks(uow: UnitOfWork) -> list[dict[str, Any]]:
    """纸电不符 and 纸电一致率: for whoever sees to records."""
    found = []
    if any(uow.can(permission) for permission in mismatches.HANDLING) and (many := mismatches.count(uow)):
        late = mismatches.count(uow, "late")
        note = {"note": _("%(num)s overdue", num=late)} if late else {}
        label = _("Mismatches to see to")
        found.append(_figure(label, many, url_for("mismatches.listing"), "wait") | note)
    if uow.can(P.EDIT_LIFECYCLE) and (rate := dual_match.rate(uow)).value is not None:
        told = {"value": f"{rate.value:.1%}", "note": f"{rate.matched:,} / {rate.total:,}"}
        found.append(_figure(_("Rate of agreement"), 0, url_for("mismatches.rate"), "") | told)
    return found


def _of_list(kind: worklists.Kind, total: int) -> dict[str, Any]:
    return _figure(str(kind.title), total, url_for("worklists.show", name=kind.name), kind.look)


def _figure(label: str, value: int, href: str, kind: str) -> dict[str, Any]:
    return {"label": label, "value": fmt_count(value), "href": href, "kind": kind if value else ""}


def fmt_count(value: int) -> int | str:
    """Counting stops at the cap of lists: 1,000+."""
    return value if value <= listing.CAP else f"{listing.CAP:,}+"
