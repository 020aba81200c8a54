"""回收站: putting a draft away, what lies there, and taking several out again."""

from typing import TYPE_CHECKING, Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.blueprints.shown import address
from archive.gate import Section
from archive.i18n import _, ngettext
from archive.policy.permissions import P
from archive.services import trash
from archive.sight import href
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("trash", __name__)


@section.page("/a/<slugs:path>/@@trash", needs=P.TRASH, node="path", methods=("POST",))
def toggle(uow: UnitOfWork, node: "Node") -> Response:
    (trash.restore if node.trashed_at else trash.trash)(uow, node)
    return make_response(redirect(href(uow, node)))


@section.page("/trash", needs=P.TRASH)
def listing(uow: UnitOfWork) -> str:
    found = trash.contents(uow, request.args.get("cursor"))
    return render_template("trash/list.html", list=_table(found), days=found.days)


def _table(found: trash.Trash) -> dict[str, Any]:
    total = ngettext(
        "%(num)s item", "%(num)s items", found.total, num=f"{found.total:,}" + ("+" if found.capped else "")
    )
    columns = [
        {"key": "title", "label": _("Title"), "kind": "link"},
        {"key": "place", "label": _("Where it lay")},
        {"key": "by", "label": _("Put there by"), "kind": "person"},
        {"key": "since", "label": _("Since"), "kind": "short"},
        {"key": "goes", "label": _("Is deleted on"), "kind": "date"},
    ]  # fmt: skip
    return {
        "name": "trash", "label": _("Trash"), "columns": columns, "rows": [_row(row) for row in found.rows], "total": total,
        "next": address(cursor=found.next) if found.next else None,
        "bulk": {"action": url_for(".restore"),
                 "acts": [{"name": "restore", "label": _("Restore"), "icon": "trash-off"}]},
        "empty": {"title": _("The trash is empty"), "icon": "trash",
                  "text": _("Drafts that you put into the trash lie here until they are restored or deleted.")},
    }  # fmt: skip


def _row(row: trash.Row) -> dict[str, Any]:
    cells = {
        "title": row.view.label, "place": row.place, "by": row.by, "since": row.since, "goes": row.goes_at,
        "kept": row.kept, "state": row.view.state,
    }  # fmt: skip
    return {"id": row.view.uuid, "label": row.view.label, "href": row.view.href, "cells": cells}


@section.page("/trash", needs=P.TRASH, methods=("POST",))
def restore(uow: UnitOfWork) -> Response:
    outcome = trash.restore_several(uow, request.form.getlist("ids"))
    for view, why in outcome.refused:
        flash(f"{view.label}: {why}", "bad")
    for view in outcome.done:
        flash(_("%(name)s is back where it lay.", name=view.label), "ok")
    if not (outcome.done or outcome.refused):
        flash(_("Choose first what to restore."), "wait")
    return make_response(redirect(url_for(".listing")))
