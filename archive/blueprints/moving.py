"""移动: choose where to, look at what it would mean, move; one thing, or several out of a list."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.blueprints import picked, shown
from archive.errors import NotFound
from archive.gate import Section
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import moves
from archive.sight import NodeView, href
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("moving", __name__)
Link = Callable[..., str]


@section.page("/a/<slugs:path>/@@move", needs=P.MOVE, node="path")
def one(uow: UnitOfWork, node: "Node") -> str:
    return _ask(uow, node, [node])


@section.page("/a/<slugs:path>/@@move-several", needs=P.DISCOVER, node="path")
def several(uow: UnitOfWork, node: "Node") -> str:
    rows = moves.slugs(uow, node, [str(ref) for ref in picked.unpacked(request.args.get("picked", ""))])
    return _ask(uow, node, moves.chosen(uow, node, rows), rows)


def _ask(uow: UnitOfWork, node: "Node", nodes: list[Any], rows: Sequence[str] = ()) -> str:
    """First where to; then what it would mean."""
    typed = request.args.get("to", "").strip()
    to = moves.find(uow, typed) if typed else None
    frame = {"view": NodeView(uow, node), "link": _link(uow, node), "rows": rows, "picked": request.args.get("picked"),
             "action": request.path, "count": len(nodes), **shown.place(uow, node)}  # fmt: skip
    if to is not None:
        return render_template("moving/preview.html", preview=moves.preview(uow, nodes, to), **frame)
    at = moves.find(uow, request.args.get("at", "")) or moves.start(uow, nodes)
    found = moves.places(uow, nodes, at, request.args.get("cursor"))
    wrong = (
        _("Nothing is found by this. Type an archival number, or the address of the place.") if typed else ""
    )
    return render_template("moving/places.html", places=found, typed=typed, wrong=wrong, **frame)


def _link(uow: UnitOfWork, node: "Node") -> Link:
    """Addresses of the same question, about another place."""
    path, chosen = href(uow, node).removeprefix("/a/"), request.args.get("picked")

    def link(at: str | None = None, to: str | None = None, cursor: str | None = None) -> str:
        return url_for(request.endpoint or "", path=path, picked=chosen, at=at, to=to, cursor=cursor)

    return link


@section.page("/a/<slugs:path>/@@move", needs=P.MOVE, node="path", methods=("POST",))
def move_one(uow: UnitOfWork, node: "Node") -> Response | str:
    result = moves.move(uow, [node], _target(uow))[0]
    if result.refusal:
        return _results(uow, node, [result])
    if result.by_job:
        flash(_("A job carries it there; until then it is closed to everybody."), "wait")
        return make_response(redirect(url_for("jobs.mine")))
    flash(_("Moved."), "ok")
    return make_response(redirect(result.view.href))


@section.page("/a/<slugs:path>/@@move-several", needs=P.DISCOVER, node="path", methods=("POST",))
def move_several(uow: UnitOfWork, node: "Node") -> str:
    nodes = moves.chosen(uow, node, request.form.getlist("row"))
    return _results(uow, node, moves.move(uow, nodes, _target(uow)))


def _target(uow: UnitOfWork) -> Any:
    if (to := moves.find(uow, request.form.get("to", ""))) is None:
        raise NotFound
    return to


def _results(uow: UnitOfWork, node: "Node", results: list[moves.Result]) -> str:
    return render_template("moving/results.html", results=results, to=NodeView(uow, _target(uow)),
                           view=NodeView(uow, node), **shown.place(uow, node))  # fmt: skip
