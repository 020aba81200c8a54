"""共享: who may see a node, why and until when; sharing it, ending a share, the inheritance, trying it as a person."""

from typing import TYPE_CHECKING, Any

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for

from archive.blueprints import shown
from archive.errors import Conflict, Invalid
from archive.forms import field, with_errors
from archive.gate import Section
from archive.i18n import _
from archive.policy.permissions import P
from archive.policy.roles import ROLES
from archive.services import explain, readers, sharing, trial
from archive.sight import NodeView, href
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("sharing", __name__)
SOURCES = ("inherited", "here", "grant")


@section.page("/a/<slugs:path>/@@sharing", needs=P.SHARE, node="path")
def show(uow: UnitOfWork, node: "Node") -> str:
    seen, paths = NodeView(uow, node), explain.paths(uow, node)
    chosen = request.args.get("source")
    listed = [path for path in paths if chosen not in SOURCES or path.source == chosen]
    return render_template(
        "sharing/show.html", view=seen, paths=listed, sources=_sources(chosen), tags=_tags(), columns=explain.COLUMNS,
        count=len(paths), people=explain.number_of_people(paths), inheritance=sharing.inheritance(uow, node, paths),
        readers=None if seen.is_container or not seen.can(P.HISTORY) else readers.recent(uow, node),
        **_head(uow, node, seen), **_trial(uow, node),
    )  # fmt: skip


def _head(uow: UnitOfWork, node: "Node", seen: NodeView) -> dict[str, Any]:
    act = {"label": _("Share with somebody"), "href": f"{seen.href}/@@sharing/add", "icon": "user-plus"}
    return shown.head(uow, node, seen, "sharing") | {"actions": [act | {"primary": True}]}


def _tags() -> dict[str, str]:
    return {"inherited": _("Inherited"), "here": _("Here"), "grant": _("Granted")}


def _sources(chosen: str | None) -> list[dict[str, Any]]:
    words = {"": _("All")} | _tags()
    return [
        {
            "label": word,
            "href": f"?source={name}" if name else request.path,
            "current": name == (chosen or ""),
        }
        for name, word in words.items()
    ]


def _trial(uow: UnitOfWork, node: "Node") -> dict[str, Any]:
    """Whom the page is tried as: one person, or those among whom to choose."""
    text = request.args.get("as", "").strip()
    found = sharing.candidates(uow, node, text, people_only=True)
    exact = [one for one in found if one.staff_no == text.upper()] or found
    if len(exact) != 1:
        return {"trial": None, "tried": text, "candidates": found}
    g.reading_words = {"tried_as": exact[0].staff_no}
    return {"trial": trial.as_person(uow, node, exact[0].staff_no), "tried": text, "candidates": []}


@section.page("/a/<slugs:path>/@@sharing/add", needs=P.SHARE, node="path")
def add_form(uow: UnitOfWork, node: "Node") -> str:
    return _form(uow, node, None)


def _form(uow: UnitOfWork, node: "Node", error: Invalid | Conflict | None) -> str:
    text = request.values.get("q", "")
    found = sharing.candidates(uow, node, text)
    refused = error if isinstance(error, Invalid) else None
    who = request.form.get("who") or (found[0].uuid if len(found) == 1 else "")
    return render_template(
        "sharing/add.html", view=NodeView(uow, node), q=text, candidates=found, who=who,
        wrong=refused.fields.get("who") if refused else None, general=[str(error)] if error else [],
        fields=with_errors(_fields(), request.form, refused), **shown.place(uow, node),
    )  # fmt: skip


def _fields() -> list[dict[str, Any]]:
    about = {
        "reader": _("reads what is archived, up to their clearance"),
        "contributor": _("reads, adds, describes and uploads while it is worked on"),
        "steward": _("as a contributor, and may print, see the history and share"),
    }
    roles = [
        (name, _("%(role)s: %(about)s", role=ROLES[name].title, about=about[name]))
        for name in sharing.LOCAL_ROLES
    ]
    return [
        field("role", _("As"), "radio", choices=roles, value="reader", required=True),
        field("until", _("Up to and with"), "date", hint=_("Left empty, it holds until somebody ends it.")),
        field(
            "cause",
            _("Cause"),
            required=True,
            maxlength=200,
            hint=_("It stands beside the name, and in the history."),
        ),
    ]


@section.page("/a/<slugs:path>/@@sharing/add", needs=P.SHARE, node="path", methods=("POST",))
def add(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    try:
        sharing.share_as_typed(uow, node, request.form)
    except (Invalid, Conflict) as error:
        uow.undo()
        return _form(uow, node, error), error.status
    flash(_("Shared. It holds at once."), "ok")
    return _back(uow, node)


@section.page("/a/<slugs:path>/@@sharing/<int:share>/end", needs=P.SHARE, node="path", methods=("POST",))
def end(uow: UnitOfWork, node: "Node", share: int) -> Response:
    sharing.unshare(uow, node, share_id=share)
    flash(_("The share has ended. It gives nothing any more."), "ok")
    return _back(uow, node)


@section.page("/a/<slugs:path>/@@sharing/inheritance", needs=P.SHARE, node="path", methods=("POST",))
def inherit(uow: UnitOfWork, node: "Node") -> Response:
    sharing.set_inheritance(uow, node, inherits=request.form.get("inherits") == "1")
    return _back(uow, node)


def _back(uow: UnitOfWork, node: "Node") -> Response:
    """To the sharing page; elsewhere for whoever has just shut themselves out, or while a large branch is closed."""
    if sharing.still_may(uow, node):
        return make_response(redirect(f"{href(uow, node)}/@@sharing"))
    flash(
        _("You may not share this any more, or its rights are being worked out, which takes a few minutes."),
        "wait",
    )
    return make_response(redirect(url_for("workbench.home")))
