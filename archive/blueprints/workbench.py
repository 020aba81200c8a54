"""工作台: the landing page, after the person's roles."""

from typing import Any

from flask import Response, make_response, redirect, render_template, url_for

from archive.gate import SIGNED_IN, Section
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import circulation, inspections, listing, requests, sealed, workbench
from archive.uow import UnitOfWork

section = Section("workbench", __name__)


@section.page("/", needs=SIGNED_IN)
def home(uow: UnitOfWork) -> str | Response:
    if (elsewhere := _other_home(uow)) is not None:
        return make_response(redirect(url_for(elsewhere)))
    lists = workbench.worklists(uow)
    newest = listing.newest(uow, 12) if uow.can(P.ADD) else []
    return render_template(
        "workbench/home.html", waiting=lists, titles=_titles(), figures=_figures(lists, requests.counts(uow), uow),
        newest=newest, readable=workbench.readable_now(uow), inspected=_inspected(uow), mine=requests.mine(uow)[:6],
        deciding=requests.to_decide(uow)[:8] if uow.can(P.REQUEST_DECIDE) else [],
        picks=circulation.pick_list(uow)[:8] if uow.can(P.REQUEST_HANDLE) else [],
    )  # fmt: skip


def _inspected(uow: UnitOfWork) -> list[inspections.Shown]:
    """The batches that are open to an inspector, each with the first of its records."""
    return [inspections.shown(uow, inspections.one(uow, batch.uuid)) for batch in inspections.mine(uow)]


def _other_home(uow: UnitOfWork) -> str | None:
    """Whoever has no business with records begins where their work is."""
    if uow.can(P.DISCOVER) or uow.can(P.HOLDING_VIEW) or uow.actor.has_grants:
        return None
    homes = ((P.AUDIT_VIEW, "audit.journal"), (P.OPERATE, "control.panel"), (P.ROLE_ASSIGN, "people.listing"))
    return next((endpoint for needs, endpoint in homes if uow.can(needs)), None)


def _titles() -> dict[str, str]:
    return {"draft": _("Drafts"), "cataloguing": _("In cataloguing"), "review": _("To review")}


def _figures(
    lists: list[workbench.Worklist], counts: requests.Counts, uow: UnitOfWork
) -> list[dict[str, Any]]:
    """The figures on top: each is a link to its list, and none is shown to whom it says nothing."""
    titles = _titles()
    rows = [_figure(titles[w.name], w.total, url_for(".worklist", state=w.name), "") for w in lists]
    if uow.can(P.REQUEST_DECIDE):
        rows.append(_figure(_("To decide"), counts.to_decide, url_for("requests.to_decide"), "wait"))
    if uow.can(P.REQUEST_HANDLE):
        rows += [
            _figure(_("To fetch"), counts.to_pick, url_for("desk.counter"), ""),
            _figure(_("Out"), counts.out, url_for("desk.out"), ""),
            _figure(_("Overdue"), counts.overdue, url_for("desk.overdue"), "bad"),
        ]
    if uow.can(P.HOLD_APPLY) and (due := sealed.to_review(uow)):
        rows.append(_figure(_("Seals to review"), due, url_for("holds.listing"), "wait"))
    if uow.can(P.REQUEST_CREATE) and not uow.can(P.ADD):
        rows += [
            _figure(_("Waiting"), counts.waiting, url_for("requests.mine"), ""),
            _figure(_("Ready to collect"), counts.ready, url_for("requests.mine"), ""),
            _figure(_("Open for reading"), counts.reading, url_for("requests.mine"), ""),
            _figure(_("Lent to me"), counts.lent, url_for("requests.mine"), ""),
        ]
    return rows


def _figure(label: str, value: int, href: str, kind: str) -> dict[str, Any]:
    return {"label": label, "value": value, "href": href, "kind": kind if value else ""}


@section.page("/worklists/<state>", needs=P.EDIT)
def worklist(uow: UnitOfWork, state: str) -> str:
    needs = P.EDIT_LIFECYCLE if state == "review" else P.EDIT
    rows, total = listing.worklist(uow, needs, state, most=200)
    return render_template("workbench/worklist.html", rows=rows, total=total)
