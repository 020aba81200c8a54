"""A folder's contents as the one table component draws them: columns, filters, acts on several rows."""

from typing import Any
from urllib.parse import urlencode

from flask import request

from archive.blueprints import looks, node_rows, outcomes
from archive.blueprints.shown import address
from archive.i18n import _, ngettext
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.policy.workflows import WORKFLOWS
from archive.services import actors, holds, listing
from archive.sight import NodeView
from archive.uow import UnitOfWork

INSPECT = "inspect"
"""The one act on chosen rows that is no step: it leads to a form with their numbers in it."""


def table(uow: UnitOfWork, listed: listing.Listing, *, base: str = "", bulk: bool = True,
          told: outcomes.Told | None = None) -> dict[str, Any]:  # fmt: skip
    """A folder as the one table component draws it."""
    lines = node_rows.of_nodes(uow, listed.rows, told.notes if told else {})
    total = ngettext(
        "%(num)s item",
        "%(num)s items",
        listed.total,
        num=f"{listed.total:,}" + ("+" if listed.capped else ""),
    )
    onward = address(cursor=listed.next) if listed.next else None
    columns = node_rows.columns()
    sorts = {"title": "number", "updated": "updated"}
    for column in columns:
        if wanted := sorts.get(column["key"]):
            column["href"] = address(sort=wanted, cursor=None)
            if wanted == listed.sort:
                column["sorted"] = "descending" if listed.sort == "updated" else "ascending"
    look = looks.of("contents", columns)
    acts = bulk_acts(listed.rows) if bulk else []
    return {
        "name": "contents", "label": _("Contents"), "columns": look.columns(columns), "rows": lines, "total": total,
        "next": onward, "filters": _filters(uow, listed.filters), "reset": base or request.path,
        "more_filters": {"action": request.path, "fields": _filter_fields(uow, listed.filters), "keep": _sorted_by()},
        **look.tools(columns, address(), looks.kept()),
        "export": f"{base}/@@export" + _query() if base and lines else "",
        "bulk": {"action": f"{base}/@@bulk", "acts": acts} if acts else None,
        "result": {"text": told.text, "kind": told.kind} if told else None,
        "empty": None if _is_narrowed(listed.filters) else {
            "title": _("Nothing here yet"),
            "text": _("What is added here, and what you may see of it, appears in this list."),
        },
    }  # fmt: skip


def _is_narrowed(filters: listing.Filters) -> bool:
    return filters != listing.Filters()


def bulk_acts(rows: list[NodeView]) -> list[dict[str, Any]]:
    """The steps that at least one of the rows offers to this person."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        for step in WORKFLOWS[row.workflow].steps(row.state.name):
            if row.can(step.needs) and not step.asks_reason:
                found[step.name] = {"name": step.name, "label": str(step.title), "icon": step.icon}
        if row.can(P.INSPECTION_GRANT) and holds.is_whole(row.type):
            found[INSPECT] = {"name": INSPECT, "label": _("Open for inspection"), "icon": "clipboard-check"}
    if any(row.can(P.MOVE) for row in rows):
        found["move"] = {"name": "move", "label": _("Move"), "icon": "folder-symlink"}
    return list(found.values())


FILTERS = ("state", "type", "year", "dept")


def _filter_words(uow: UnitOfWork) -> dict[str, dict[str, str]]:
    """What the values of the filters are called."""
    states = {
        state.name: str(state.title)
        for flow in ("container", "description")
        for state in WORKFLOWS[flow].states
    }
    return {
        "state": states, "type": {kind.name: str(kind.label) for kind in TYPES.values()},
        "dept": {str(number): name for number, name in actors.department_names(uow.session).items()},
    }  # fmt: skip


def _filter_titles() -> dict[str, str]:
    return {"state": _("State"), "type": _("Type"), "year": _("Year"), "dept": _("Department")}


def _filters(uow: UnitOfWork, filters: listing.Filters) -> list[dict[str, str]]:
    words, titles = _filter_words(uow), _filter_titles()
    chips = [
        {"label": titles[name], "value": words.get(name, {}).get(str(value), str(value)),
         "remove": address(**{name: None, "cursor": None})}
        for name in FILTERS if (value := getattr(filters, name))
    ]  # fmt: skip
    if filters.trashed:
        chips.append({"label": _("Trash"), "value": "", "remove": address(trashed=None, cursor=None)})
    return chips


def _filter_fields(uow: UnitOfWork, filters: listing.Filters) -> list[dict[str, Any]]:
    """The form behind + Filter. The trash is a filter too: what lies there is shown nowhere else."""
    words, titles = _filter_words(uow), _filter_titles()
    fields: list[dict[str, Any]] = [
        {"name": name, "label": titles[name], "kind": "select", "value": str(getattr(filters, name) or ""),
         "choices": [("", _("All")), *words[name].items()]}
        for name in ("state", "type", "dept")
    ]  # fmt: skip
    fields.insert(2, {"name": "year", "label": titles["year"], "kind": "number", "value": filters.year or "",
                      "min": 1900, "max": 2199})  # fmt: skip
    return [
        *fields,
        {"name": "trashed", "label": _("In the trash"), "kind": "checkbox", "value": filters.trashed},
    ]


def _sorted_by() -> list[tuple[str, str]]:
    return [(name, value) for name, value in looks.kept() if name == "sort"]


def _query() -> str:
    pairs = looks.kept()
    return f"?{urlencode(pairs)}" if pairs else ""
