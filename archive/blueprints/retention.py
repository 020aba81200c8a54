"""保管期限: changing the period of what has its number already."""

from typing import TYPE_CHECKING, Any

from flask import Response, flash, make_response, redirect, render_template, request

from archive import forms
from archive.blueprints import shown
from archive.errors import Invalid, NotFound
from archive.gate import Section
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import retention, tree
from archive.sight import NodeView, href
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("retention", __name__, url_prefix="")


@section.page("/a/<slugs:path>/@@retention", needs=P.EDIT_CLASSIFICATION, node="path")
def form(uow: UnitOfWork, node: "Node") -> str:
    if not retention.is_settled(node):
        raise NotFound
    return _form(uow, node, {"retention": node.retention_rule or "", "version": str(node.version)}, None)


@section.page("/a/<slugs:path>/@@retention", needs=P.EDIT_CLASSIFICATION, node="path", methods=("POST",))
def change(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    typed = request.form
    try:
        retention.change(
            uow, node, rule=typed.get("retention", ""), reason=typed.get("reason", ""),
            version=typed.get("version", type=int),
        )  # fmt: skip
    except Invalid as error:
        uow.undo()
        return _form(uow, node, typed, error), error.status
    flash(_("Saved."), "ok")
    return make_response(redirect(href(uow, node)))


def _form(uow: UnitOfWork, node: "Node", typed: Any, error: Invalid | None) -> str:
    choices = list(tree.retention_choices(uow).items())
    fields = [
        forms.field("version", "", "hidden"),
        forms.field("retention", _("Retention period"), "select", choices=choices, required=True),
        forms.field("reason", _("Reason"), "textarea", required=True, maxlength=retention.LONGEST_REASON,
                    hint=_("It stands in the history of the record.")),
    ]  # fmt: skip
    return render_template(
        "retention/change.html", view=NodeView(uow, node), fields=forms.with_errors(fields, typed, error),
        **shown.place(uow, node),
    )  # fmt: skip
