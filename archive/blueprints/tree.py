"""Browsing and describing: a folder's contents, a record, adding, editing, its steps and its history."""

from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive import forms
from archive.blueprints import shown
from archive.errors import ArchiveError, Invalid, NotFound, Stale
from archive.gate import Section
from archive.i18n import _, ngettext
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.services import history, listing, moves, records, retention, steps, tree, typed
from archive.sight import NodeView, href
from archive.uow import SIGNED_IN, UnitOfWork

section = Section("tree", __name__, url_prefix="")


@section.page("/a/", needs=P.DISCOVER)
def top(uow: UnitOfWork) -> str | Response:
    """The fonds; a hospital with one fonds begins in it."""
    listed = listing.contents(uow, tree.root(uow))
    if len(listed.rows) == 1:
        return make_response(redirect(listed.rows[0].href))
    return render_template("tree/top.html", list=shown.table(uow, listed, bulk=False))


@section.page("/a/<slugs:path>", needs=P.DISCOVER, node="path")
def view(uow: UnitOfWork, node: Any) -> str:
    seen = NodeView(uow, node)
    if seen.is_container:
        return _contents(uow, node, seen)
    head = shown.head(uow, node, seen, "view")
    return render_template("tree/record.html", view=seen, **head, **shown.record(uow, node, seen))


@section.page("/a/<slugs:path>/@@contents", needs=P.DISCOVER, node="path")
def contents(uow: UnitOfWork, node: Any) -> str:
    return _contents(uow, node, NodeView(uow, node))


def _contents(uow: UnitOfWork, node: Any, seen: NodeView) -> str:
    asked = request.args
    filters = listing.Filters(
        state=asked.get("state"), type=asked.get("type"), year=asked.get("year", type=forms.whole),
        dept=asked.get("dept", type=forms.whole), trashed="trashed" in asked,
    )  # fmt: skip
    listed = listing.contents(
        uow,
        node,
        sort=asked.get("sort", "number" if node.type == "series" else "position"),
        after=asked.get("cursor"),
        filters=filters,
    )
    head = shown.head(uow, node, seen, "contents")
    return render_template(
        "tree/contents.html", view=seen, list=shown.table(uow, listed, base=seen.href), **head
    )


@section.page("/a/<slugs:path>/@@add", needs=P.ADD, node="path")
def add_form(uow: UnitOfWork, node: Any) -> str:
    kinds = tree.addable(uow, node)
    kind = TYPES.get(request.args.get("type") or (kinds[0].name if len(kinds) == 1 else ""))
    if kind is None:
        return render_template(
            "tree/choose.html", kinds=kinds, view=NodeView(uow, node), **shown.place(uow, node)
        )
    values = retention.beginning(uow, node, kind, request.args)
    return _form(uow, node, kind, values, None, url_for(".add", path=_path(uow, node), type=kind.name))


@section.page("/a/<slugs:path>/@@add", needs=P.ADD, node="path", methods=("POST",))
def add(uow: UnitOfWork, node: Any) -> Response | tuple[str, int]:
    name = request.args.get("type", "")
    try:
        made = tree.add(uow, node, kind=name, fields=request.form)
    except Invalid as error:
        uow.undo()
        return _form(uow, node, TYPES[name], request.form, error, request.full_path), error.status
    return make_response(redirect(href(uow, made)))


def _form(
    uow: UnitOfWork, node: Any, kind: Any, values: Any, error: Invalid | None, action: str, **more: Any
) -> str:
    fields = forms.fields_of(uow, kind, values, error.fields if error else {})
    if retention.is_settled(node):  # the number says it: another period is given on a page of its own
        fields = [field for field in fields if field["name"] != "retention"]
    cancel = href(uow, node)
    return render_template("tree/form.html", kind=kind, fields=fields, action=action, cancel=cancel, node=NodeView(uow, node),
                           general=[str(error)] if error else [], **shown.place(uow, node), **more)  # fmt: skip


def _path(uow: UnitOfWork, node: Any) -> str:
    return href(uow, node).removeprefix("/a/")


@section.page("/a/<slugs:path>/@@edit", needs=P.EDIT, node="path")
def edit_form(uow: UnitOfWork, node: Any) -> str:
    values = typed.form_values(uow, node)
    return _form(
        uow,
        node,
        TYPES[node.type],
        values,
        None,
        url_for(".edit", path=_path(uow, node)),
        version=node.version,
    )


@section.page("/a/<slugs:path>/@@edit", needs=P.EDIT, node="path", methods=("POST",))
def edit(uow: UnitOfWork, node: Any) -> Response | tuple[str, int]:
    form, action = request.form, url_for(".edit", path=_path(uow, node))
    try:
        tree.edit(
            uow,
            node,
            fields=form,
            version=form.get("version", 0, type=forms.whole),
            comment=form.get("comment"),
        )
    except Stale as late:
        uow.undo()
        pairs = typed.compared(node, form, late.theirs)
        return _form(
            uow, node, TYPES[node.type], form, None, action, version=node.version, conflict=pairs
        ), late.status
    except Invalid as error:
        uow.undo()
        return _form(
            uow, node, TYPES[node.type], form, error, action, version=form.get("version")
        ), error.status
    flash(_("Saved."), "ok")
    return make_response(redirect(href(uow, node)))


@section.page("/a/<slugs:path>/@@workflow/<name>", needs=P.DISCOVER, node="path", methods=("POST",))
def step(uow: UnitOfWork, node: Any, name: str) -> Response:
    form = request.form
    steps.take(uow, node, name, version=form.get("version", type=forms.whole), reason=form.get("reason"))
    return make_response(redirect(href(uow, node)))


@section.page("/a/<slugs:path>/@@step/<name>", needs=P.DISCOVER, node="path")
def step_form(uow: UnitOfWork, node: Any, name: str) -> str:
    """Asks for the reason of a step that needs one."""
    offer = next((o for o in steps.offers(uow, node) if o.step.name == name), None)
    if offer is None:
        raise NotFound
    return render_template(
        "tree/reason.html", offer=offer, view=NodeView(uow, node), **shown.place(uow, node)
    )


@section.page("/a/<slugs:path>/@@milestone", needs=P.EDIT, node="path", methods=("POST",))
def milestone(uow: UnitOfWork, node: Any) -> Response:
    records.mark(uow, node, track=request.form["track"], step=request.form["step"])
    return make_response(redirect(href(uow, node)))


@section.page("/a/<slugs:path>/@@bulk", needs=P.DISCOVER, node="path", methods=("POST",))
def bulk(uow: UnitOfWork, node: Any) -> Response:
    """One act on many rows, each on its own: what is refused says why, and the others go on."""
    act, ids, done = request.form.get("act", ""), request.form.getlist("ids"), 0
    if act == shown.INSPECT:
        return make_response(redirect(url_for("inspections.add_form", ids=ids)))
    if act == "move":  # asks where to first
        rows = moves.slugs(uow, node, ids)
        return make_response(redirect(url_for("moving.several", path=_path(uow, node), row=rows)))
    for chosen in uow.list(uow.nodes(P.DISCOVER).where(typed.chosen(node, ids))):
        try:
            with uow.session.begin_nested():
                steps.take(uow, chosen, act)
            done += 1
        except ArchiveError as refused:
            flash(f"{NodeView(uow, chosen).label}: {refused}", "bad")
    if done:
        flash(ngettext("%(num)d done", "%(num)d done", done), "ok")
    return make_response(redirect(url_for(".contents", path=_path(uow, node))))


@section.page("/a/<slugs:path>/@@history", needs=P.HISTORY, node="path")
def past(uow: UnitOfWork, node: Any) -> str:
    seen = NodeView(uow, node)
    head = shown.head(uow, node, seen, "history")
    changes = (
        history.changes(uow, node) if seen.can(P.READ) else []
    )  # a sealed record still tells what was done with it
    return render_template("tree/history.html", view=seen, changes=changes,
                           acts=history.acts(uow, node), act_label=shown.act_label, **head)  # fmt: skip


@section.page("/r/<uuid:uuid>", needs=P.DISCOVER, node="uuid")
def permanent(uow: UnitOfWork, node: Any) -> Response:
    return make_response(redirect(href(uow, node)))


@section.page("/b/<barcode>", needs=SIGNED_IN)
def by_barcode(uow: UnitOfWork, barcode: str) -> Response:
    """What a barcode stands on: its record, or the volume alone for whoever only carries it."""
    _holding, node = uow.holding(barcode)
    if not uow.can(P.DISCOVER, node):
        return make_response(redirect(url_for("volumes.one", barcode=barcode)))
    return make_response(redirect(href(uow, node)))
