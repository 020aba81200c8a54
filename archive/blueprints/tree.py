"""Browsing and describing: a folder's contents, a record, adding, editing, its steps and its history."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for

from archive import forms
from archive.blueprints import acts, folder, looks, node_rows, outcomes, picked, shown
from archive.errors import Invalid, NotFound, Stale
from archive.gate import Section
from archive.given import whole
from archive.i18n import _
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.services import drafts, history, listing, records, retention, steps, tree, typed
from archive.sight import NodeView, href
from archive.uow import SIGNED_IN, UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("tree", __name__, url_prefix="")


@section.page("/a/", needs=P.DISCOVER)
def top(uow: UnitOfWork) -> str | Response:
    """The fonds; a hospital with one fonds begins in it."""
    listed = listing.contents(uow, tree.root(uow))
    if len(listed.rows) == 1:
        return make_response(redirect(listed.rows[0].href))
    return render_template("tree/top.html", list=folder.table(uow, listed, bulk=False))


@section.page("/a/<slugs:path>", needs=P.DISCOVER, node="path")
def view(uow: UnitOfWork, node: "Node") -> str | Response:
    seen = NodeView(uow, node)
    if seen.is_container:
        return _contents(uow, node, seen)
    head = shown.head(uow, node, seen, "view")
    return render_template("tree/record.html", view=seen, **head, **shown.record(uow, node, seen))


@section.page("/a/<slugs:path>/@@contents", needs=P.DISCOVER, node="path")
def contents(uow: UnitOfWork, node: "Node") -> Response:
    return _contents(uow, node, NodeView(uow, node))


def _contents(uow: UnitOfWork, node: "Node", seen: NodeView) -> Response:
    listed = listing.contents(
        uow, node, sort=_order(node), after=request.args.get("cursor"), filters=_narrowed_to()
    )
    told = outcomes.told(seen.uuid)
    table = folder.table(uow, listed, base=seen.href, told=told)
    elsewhere = _told_elsewhere(uow, told, table["rows"])
    head = shown.head(uow, node, seen, "contents")
    page = render_template("tree/contents.html", view=seen, list=table, elsewhere=elsewhere, **head)
    return looks.of("contents", node_rows.columns()).remember(make_response(page))


def _order(node: "Node") -> str:
    return request.args.get("sort", "number" if node.type == "series" else "position")


def _narrowed_to() -> listing.Filters:
    asked = request.args
    return listing.Filters(
        state=asked.get("state"), type=asked.get("type"), year=asked.get("year", type=whole),
        dept=asked.get("dept", type=whole), trashed="trashed" in asked,
    )  # fmt: skip


def _told_elsewhere(
    uow: UnitOfWork, told: outcomes.Told | None, lines: list[dict[str, Any]]
) -> list[tuple[NodeView, str]]:
    """What was refused of rows that are not on this page: chosen on another one, or gone from the list."""
    here = {UUID(row["id"]).hex for row in lines}
    missing = {number: note for number, note in (told.notes if told else {}).items() if number not in here}
    return [
        (seen, missing[UUID(seen.uuid).hex])
        for seen in listing.chosen(uow, [UUID(number) for number in missing])
    ]


@section.page("/a/<slugs:path>/@@export", needs=P.DISCOVER, node="path", event="tree.exported")
def export(uow: UnitOfWork, node: "Node") -> Response:
    """The list as it is narrowed and ordered now, in the columns that are shown, for a spreadsheet."""
    found = listing.whole(uow, node, sort=_order(node), filters=_narrowed_to())
    g.reading_words = {"rows": len(found)}
    columns = node_rows.columns()
    return looks.spreadsheet("contents", columns, node_rows.of_nodes(uow, found), uow.local)


@section.page("/a/<slugs:path>/@@add", needs=P.ADD, node="path")
def add_form(uow: UnitOfWork, node: "Node") -> str:
    kinds = tree.addable(uow, node)
    kind = TYPES.get(request.args.get("type") or (kinds[0].name if len(kinds) == 1 else ""))
    if kind is None:
        return render_template(
            "tree/choose.html", kinds=kinds, view=NodeView(uow, node), **shown.place(uow, node)
        )
    draft = drafts.offered(uow, node, kind.name)
    taken = draft if draft and "draft" in request.args else None
    values = retention.beginning(uow, node, kind, request.args) | (taken.patch if taken else {})
    return _form(uow, node, kind, values, None, url_for(".add", path=_path(uow, node), type=kind.name),
                 offer=None if taken else draft)  # fmt: skip


@section.page("/a/<slugs:path>/@@add", needs=P.ADD, node="path", methods=("POST",), form="add")
def add(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    name = request.args.get("type", "")
    try:
        made = tree.add(uow, node, kind=name, fields=request.form)
    except Invalid as error:
        uow.undo()
        return _form(uow, node, TYPES[name], request.form, error, request.full_path), error.status
    return make_response(redirect(href(uow, made)))


def _form(
    uow: UnitOfWork, node: "Node", kind: Any, values: Any, error: Invalid | None, action: str, **more: Any
) -> str:
    """A form of the tree. While an older draft is offered, typing does not overwrite it."""
    fields, offer = forms.fields_of(uow, kind, values, error.fields if error else {}), more.get("offer")
    if retention.is_settled(node):  # the number says it: another period is given on a page of its own
        fields = [field for field in fields if field["name"] != "retention"]
    name = drafts.EDIT if "version" in more else kind.name
    place = url_for(".keep_draft", path=_path(uow, node), form=name)
    return render_template("tree/form.html", kind=kind, fields=fields, action=action, cancel=href(uow, node),
                           node=NodeView(uow, node), general=[str(error)] if error else [], draft=None if offer else place,
                           discard=url_for(".discard_draft", path=_path(uow, node), form=name),
                           **shown.place(uow, node), **more)  # fmt: skip


def _path(uow: UnitOfWork, node: "Node") -> str:
    return href(uow, node).removeprefix("/a/")


@section.page("/a/<slugs:path>/@@edit", needs=P.EDIT, node="path")
def edit_form(uow: UnitOfWork, node: "Node") -> str:
    draft = drafts.offered(uow, node, drafts.EDIT)
    taken = draft if draft and "draft" in request.args else None
    values = typed.form_values(uow, node) | (taken.patch if taken else {})
    return _edit_form(uow, node, values, version=taken.base_version if taken else node.version,
                      offer=None if taken else draft)  # fmt: skip


def _edit_form(uow: UnitOfWork, node: "Node", values: Any, error: Invalid | None = None, **more: Any) -> str:
    action = url_for(".edit", path=_path(uow, node))
    return _form(uow, node, TYPES[node.type], values, error, action, **more)


@section.page("/a/<slugs:path>/@@edit", needs=P.EDIT, node="path", methods=("POST",), form="edit")
def edit(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    form, version = request.form, request.form.get("version", 0, type=whole)
    try:
        tree.edit(uow, node, fields=form, version=version, comment=form.get("comment"))
    except Stale as late:
        uow.undo()
        pairs = typed.compared(uow, node, form, late.theirs, version)
        return _edit_form(uow, node, form, version=node.version, conflict=pairs), late.status
    except Invalid as error:
        uow.undo()
        return _edit_form(uow, node, form, error, version=version), error.status
    flash(_("Saved."), "ok")
    return make_response(redirect(href(uow, node)))


TYPING = (P.EDIT, P.ADD, P.SCAN_QC)
"""Any of these types into some form that keeps a draft; which one needs what, the service asks."""


@section.page("/a/<slugs:path>/@@draft/<form>", needs=TYPING, node="path", methods=("POST",))
def keep_draft(uow: UnitOfWork, node: "Node", form: str) -> Response:
    """Keeps what is being typed; the page asks for it every few seconds of change and when it is left."""
    kept = drafts.keep(uow, node, form, request.form, request.form.get("version", type=int))
    said = _("Draft kept %(time)s", time=f"{uow.local(kept):%H:%M}") if kept else ""
    return make_response({"text": said})


@section.page("/a/<slugs:path>/@@draft/<form>/discard", needs=TYPING, node="path", methods=("POST",))
def discard_draft(uow: UnitOfWork, node: "Node", form: str) -> Response:
    drafts.forget(uow, node, form)
    return make_response(redirect(_form_of(uow, node, form)))


def _form_of(uow: UnitOfWork, node: "Node", form: str) -> str:
    """The address of the form of this name."""
    path = _path(uow, node)
    if form == drafts.EDIT:
        return url_for(".edit_form", path=path)
    if form == drafts.KEYING:
        return url_for("keying.one", uuid=node.uuid)
    if form.startswith(drafts.TEXT):
        return url_for("corrections.form", path=path, number=drafts.page_of(form))
    return url_for(".add_form", path=path, type=form)


@section.page("/a/<slugs:path>/@@workflow/<name>", needs=P.DISCOVER, node="path", methods=("POST",))
def step(uow: UnitOfWork, node: "Node", name: str) -> Response:
    form = request.form
    steps.take(uow, node, name, version=form.get("version", type=whole), reason=form.get("reason"))
    return make_response(redirect(href(uow, node)))


@section.page("/a/<slugs:path>/@@step/<name>", needs=P.DISCOVER, node="path")
def step_form(uow: UnitOfWork, node: "Node", name: str) -> str:
    """Asks for the reason of a step that needs one."""
    offer = next((o for o in steps.offers(uow, node) if o.step.name == name), None)
    if offer is None:
        raise NotFound
    return render_template(
        "tree/reason.html", offer=offer, view=NodeView(uow, node), **shown.place(uow, node)
    )


@section.page("/a/<slugs:path>/@@milestone", needs=P.EDIT, node="path", methods=("POST",))
def milestone(uow: UnitOfWork, node: "Node") -> Response:
    records.mark(uow, node, track=request.form["track"], step=request.form["step"])
    return make_response(redirect(href(uow, node)))


@section.page("/a/<slugs:path>/@@bulk", needs=P.DISCOVER, node="path", methods=("POST",))
def bulk(uow: UnitOfWork, node: "Node") -> Response:
    """One act on many rows, each on its own: what is refused says why, and the others go on."""
    form = request.form
    act, ids = form.get("act", ""), form.getlist("ids", type=UUID)
    if act == folder.INSPECT:
        return make_response(redirect(url_for("inspections.add_form", picked=picked.packed(ids))))
    if act == "move":  # asks where to first
        return make_response(
            redirect(url_for("moving.several", path=_path(uow, node), picked=picked.packed(ids)))
        )
    outcomes.keep(str(node.uuid), steps.take_many(uow, ids, act, within=node))
    return make_response(redirect(url_for(".contents", path=_path(uow, node))))


@section.page("/a/<slugs:path>/@@history", needs=P.HISTORY, node="path")
def past(uow: UnitOfWork, node: "Node") -> str:
    seen = NodeView(uow, node)
    head = shown.head(uow, node, seen, "history")
    changes = (
        history.changes(uow, node) if seen.can(P.READ) else []
    )  # a sealed record still tells what was done with it
    return render_template("tree/history.html", view=seen, changes=changes,
                           acts=history.acts(uow, node), act_label=acts.label, **head)  # fmt: skip


@section.page("/r/<uuid:uuid>", needs=P.DISCOVER, node="uuid")
def permanent(uow: UnitOfWork, node: "Node") -> Response:
    return make_response(redirect(href(uow, node)))


@section.page("/b/<barcode>", needs=SIGNED_IN)
def by_barcode(uow: UnitOfWork, barcode: str) -> Response:
    """What a barcode stands on: its record, or the volume alone for whoever only carries it."""
    _holding, node = uow.holding(barcode)
    if not uow.can(P.DISCOVER, node):
        return make_response(redirect(url_for("volumes.one", barcode=barcode)))
    return make_response(redirect(href(uow, node)))
