"""敏感级别: why a thing has its level, and raising or lowering it."""

from typing import TYPE_CHECKING, Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.blueprints import shown
from archive.errors import Invalid
from archive.forms import field, with_errors
from archive.gate import Section
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import levels, tree
from archive.sight import NodeView, href
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("levels", __name__)


@section.page("/a/<slugs:path>/@@level", needs=P.EDIT_CLASSIFICATION, node="path")
def show(uow: UnitOfWork, node: "Node") -> str:
    return _page(uow, node, None)


def _page(uow: UnitOfWork, node: "Node", error: Invalid | None) -> str:
    why = levels.why(uow, node)
    words = tree.vocabulary(uow, "level")
    fields = with_errors(_fields(why, words), request.form, error)
    return render_template("levels/show.html", view=NodeView(uow, node), why=why, words=words, fields=fields,
                           **shown.place(uow, node))  # fmt: skip


def _fields(why: levels.Why, words: dict[str, str]) -> list[dict[str, Any]]:
    choices = [(str(level), words.get(str(level), str(level))) for level in why.choices]
    hint = (
        _("It cannot be lower than %(level)s here.", level=words.get(str(why.lowest), ""))
        if why.lowest
        else ""
    )
    return [
        field("level", _("Sensitivity"), "radio", choices=choices, value=str(why.level), required=True, hint=hint),
        field("reason", _("Reason"), "textarea", required=True, maxlength=levels.LONGEST_REASON,
              hint=_("It stands in the history of the record.")),
    ]  # fmt: skip


@section.page("/a/<slugs:path>/@@level", needs=P.EDIT_CLASSIFICATION, node="path", methods=("POST",))
def change(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    form, target = request.form, href(uow, node)
    try:
        done = levels.change(uow, node, level=form.get("level", type=int), reason=form.get("reason", ""))
    except Invalid as error:
        uow.undo()
        return _page(uow, node, error), error.status
    if done:
        flash(_("The sensitivity is changed. It holds at once."), "ok")
        return make_response(redirect(target))
    flash(_("A job works out who may see it; until then it is closed to everybody."), "wait")
    return make_response(redirect(url_for("jobs.mine")))
