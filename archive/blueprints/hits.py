"""命中: how a hit of a search is drawn: its head, its places, the page that it stands on, and where its paper is."""

from collections.abc import Mapping
from typing import Any

from archive.i18n import _
from archive.services import actors, availability
from archive.services.availability import Availability
from archive.services.findings import Group, Place
from archive.sight import NodeView
from archive.uow import UnitOfWork

Drawn = list[dict[str, Any]]
DAYS = ("discharged_on", "date_from")
"""The day of a hit: the first of these fields that it has."""


def drawn(uow: UnitOfWork, called: list[NodeView], groups: list[Group]) -> tuple[Drawn, Drawn]:
    """Files called up by a number or a name, and files with the places in them; where paper is, asked once for all."""
    found = [*called, *(group.view for group in groups)]
    wards, stands = actors.department_names(uow.session), availability.of(uow, found)
    lines = [_line(uow, view, wards, stands.get(view.id)) for view in found]
    among = [
        line | {"places": group.places, "more": group.more, "picture": group.picture}
        for line, group in zip(lines[len(called) :], groups, strict=True)
    ]
    return lines[: len(called)], among


def _line(
    uow: UnitOfWork, view: NodeView, wards: Mapping[int, str], stands: Availability | None
) -> dict[str, Any]:
    """A hit's head: of a record number, name, day and ward; of anything else its title or number."""
    days = {shown.field.name: shown for shown in view.some(DAYS)}
    day = next((days[name] for name in DAYS if name in days), None)
    places: list[Place] = []
    return {
        "view": view, "name": view.stay or view.label, "person": view.person if view.stay else None,
        "number": view.number if not view.stay else None, "day": day.text if day else None,
        "dept": wards.get(view.dept_id or 0), "stands": _stands(uow, stands) if stands else None,
        "places": places, "more": 0, "picture": None,
    }  # fmt: skip


def _stands(uow: UnitOfWork, one: Availability) -> dict[str, str]:
    if one.due_at is None:
        return {"label": str(one.status.title), "kind": one.status.look}
    day = f"{uow.local(one.due_at):%m-%d}"
    if one.is_overdue:
        return {"label": _("Lent, was due %(day)s", day=day), "kind": "bad"}
    return {"label": _("Lent, due %(day)s", day=day), "kind": "wait"}
