"""行与列: the columns that a list of nodes may have, and its rows."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from archive.i18n import _
from archive.services import actors, holdings
from archive.sight import NodeView
from archive.uow import UnitOfWork


def columns() -> list[dict[str, Any]]:
    """Every column that a list of nodes may have; the spare ones only when they are chosen."""
    return [
        {"key": "title", "label": _("Title"), "kind": "link"},
        {"key": "number", "label": _("Archival number"), "kind": "dh", "optional": True},
        {"key": "type", "label": _("Type"), "spare": True},
        {"key": "dept", "label": _("Department"), "spare": True},
        {"key": "date", "label": _("Date"), "kind": "date", "spare": True},
        {"key": "state", "label": _("State"), "kind": "state"},
        {"key": "carrier", "label": _("Carriers"), "kind": "carrier"},
        {"key": "level", "label": _("Sensitivity"), "kind": "level", "optional": True},
        {"key": "pages", "label": _("Pages"), "kind": "number", "optional": True},
        {"key": "retain", "label": _("Kept until"), "kind": "date", "spare": True},
        {"key": "updated", "label": _("Changed"), "kind": "short"},
    ]  # fmt: skip


def of_nodes(uow: UnitOfWork, found: list[NodeView], notes: Mapping[str, str] = {}) -> list[dict[str, Any]]:
    """The rows of a list of nodes, each with all its cells; `notes` are said of rows, by the hex of their uuid."""
    kinds = holdings.carriers_of(uow, [view for view in found if not view.is_container])
    wards = actors.department_names(uow.session)
    return [_row(view, kinds.get(view.id), wards, notes.get(UUID(view.uuid).hex, "")) for view in found]


def _row(view: NodeView, carrier: str | None, wards: Mapping[int, str], note: str) -> dict[str, Any]:
    cells = {
        "title": view.label, "number": view.number, "type": view.type_label, "dept": wards.get(view.dept_id or 0),
        "date": view.date_from, "state": view.state, "level": None if view.is_container else view.level,
        "carrier": carrier, "pages": view.page_count or None, "retain": view.retain_until, "updated": view.updated_at,
    }  # fmt: skip
    return {"id": view.uuid, "label": view.label, "href": view.href, "cells": cells, "note": note,
            "flag": bool(note)}  # fmt: skip
