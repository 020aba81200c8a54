"""待办清单: one list of work with the next act for its rows."""

from typing import Any
from uuid import UUID

from flask import Response, make_response, redirect, render_template, request, url_for

from archive.blueprints import looks, node_rows, outcomes, shown
from archive.gate import Section
from archive.i18n import _, ngettext
from archive.policy.permissions import P
from archive.policy.workflows import WORKFLOWS
from archive.services import listing, worklists
from archive.services.worklists import Kind
from archive.sight import NodeView
from archive.uow import UnitOfWork

section = Section("worklists", __name__)
WORKERS = (P.EDIT, P.SCAN_UPLOAD, P.EDIT_LIFECYCLE)


@section.page("/worklists/<name>", needs=WORKERS)
def show(uow: UnitOfWork, name: str) -> Response:
    kind = worklists.find(uow, name)
    told = outcomes.told(f"worklist:{name}")
    table = _table(uow, kind, worklists.page(uow, kind, request.args.get("cursor")), told)
    page = render_template("workbench/worklist.html", kind=kind, list=table, tabs=_tabs(uow, kind))
    return looks.of("worklist", table["all_columns"]).remember(make_response(page))


@section.page("/worklists/<name>", needs=WORKERS, methods=("POST",))
def act(uow: UnitOfWork, name: str) -> Response:
    kind = worklists.find(uow, name)
    outcomes.keep(f"worklist:{name}", worklists.act(uow, kind, request.form.getlist("ids", type=UUID)))
    return make_response(redirect(url_for(".show", name=name)))


def _tabs(uow: UnitOfWork, now: Kind) -> list[dict[str, Any]]:
    return [{"label": str(kind.title), "href": url_for(".show", name=kind.name), "current": kind is now}
            for kind in worklists.mine(uow)]  # fmt: skip


def _table(
    uow: UnitOfWork, kind: Kind, listed: listing.Listing, told: outcomes.Told | None
) -> dict[str, Any]:
    columns, lines = _columns(kind), node_rows.of_nodes(uow, listed.rows, told.notes if told else {})
    for line, view in zip(lines, listed.rows, strict=True):
        line["cells"] |= {"discharged": view.discharged_on}
    _say_more(uow, kind, listed.rows, lines)
    look = looks.of("worklist", columns)
    total = ngettext("%(num)s item", "%(num)s items", listed.total,
                     num=f"{listed.total:,}" + ("+" if listed.capped else ""))  # fmt: skip
    return {
        "name": f"worklist-{kind.name}", "label": str(kind.title), "columns": look.columns(columns), "rows": lines,
        "all_columns": columns, "total": total, "next": shown.address(cursor=listed.next) if listed.next else None,
        **look.tools(columns, shown.address(), looks.kept()), "bulk": _bulk(kind),
        "result": {"text": told.text, "kind": told.kind} if told else None,
        "empty": {"icon": "checks", "title": _("Nothing waits here"),
                  "text": _("What comes to you to be worked on appears in this list.")},
    }  # fmt: skip


def _bulk(kind: Kind) -> dict[str, Any] | None:
    if kind.act is None:
        return None
    step = next((s for s in WORKFLOWS["description"].transitions if s.name == kind.act), None)
    label = str(kind.label or (step.title if step else ""))
    return {
        "action": url_for(".act", name=kind.name),
        "acts": [{"name": "act", "label": label, "icon": kind.icon}],
    }


def _columns(kind: Kind) -> list[dict[str, Any]]:
    own = {
        "uncollected": [("due", _("Due in on"), "date"), ("more", _("Overdue"), "text")],
        "late": [("due", _("Due in on"), "date"), ("more", _("Overdue"), "text")],
        "returned": [("more", _("Why it came back"), "text")], "to_scan": [("more", _("Next act"), "act")],
    }.get(kind.name, [])  # fmt: skip
    spare = {"number", "type", "level", "pages", "retain", "date"} | ({"state"} if own else set())
    base = [c | {"spare": c["key"] in spare} for c in node_rows.columns()]
    base.insert(3, {"key": "discharged", "label": _("Discharged on"), "kind": "date"})
    return [*base, *({"key": key, "label": label, "kind": look} for key, label, look in own)]


def _say_more(uow: UnitOfWork, kind: Kind, found: list[NodeView], lines: list[dict[str, Any]]) -> None:
    """The cell that belongs to this list alone: how late, why it came back, what differs, where to upload."""
    reasons = worklists.why_returned(uow, found) if kind.name == "returned" else {}
    for view, line in zip(found, lines, strict=True):
        cells = line["cells"]
        if kind.order == "discharged":
            cells |= _lateness(uow, view)
        elif kind.name == "to_scan":
            cells["more"] = {"label": _("Upload"), "href": f"{view.href}/@@upload"}
        else:
            cells["more"] = reasons.get(view.id)


def _lateness(uow: UnitOfWork, view: NodeView) -> dict[str, Any]:
    due = worklists.deadline(uow, view)
    late = (uow.today - due).days if due else 0
    return {"due": due, "more": ngettext("%(num)d day", "%(num)d days", late) if late > 0 else ""}
