"""已选: what was chosen from searches, and what is done with several at once; each says what became of it."""

from typing import Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.blueprints import asked_address, folder, looks, node_rows, outcomes, picked
from archive.blueprints.bundles import foretold
from archive.blueprints.documents import pdf
from archive.blueprints.requests import OF_MANY, terms_fields
from archive.errors import Conflict, Invalid, Unavailable
from archive.forms import field, with_errors
from archive.gate import P, Section, site
from archive.i18n import _, locale, ngettext
from archive.journal import Event
from archive.policy.workflows import WORKFLOWS
from archive.services import basket, bundling, labels, listing, selecting, steps, tree
from archive.services.levels import LONGEST_REASON
from archive.sight import NodeView, parent_of
from archive.uow import UnitOfWork

section = Section("basket", __name__)
PLACE = "basket"
"""Where the results of the last act are told."""
STEPS = frozenset(
    step.name for flow in WORKFLOWS.values() for step in flow.transitions if not step.asks_reason
)
Answer = Response | str | tuple[str, int]


@section.page("/basket", needs=P.DISCOVER)
def show(uow: UnitOfWork) -> Response:
    found, told = basket.contents(uow), outcomes.told(PLACE)
    table = _table(uow, found, told)
    head = (
        [{"label": _("Clear the selection"), "icon": "basket-off", "post": url_for(".clear")}]
        if found
        else []
    )
    page = render_template("basket/list.html", list=table, actions=head)
    return looks.of(PLACE, node_rows.columns()).remember(make_response(page))


def _table(uow: UnitOfWork, found: list[NodeView], told: outcomes.Told | None) -> dict[str, Any]:
    columns = node_rows.columns()
    look, acts = looks.of(PLACE, columns), _acts(found)
    return {
        "name": PLACE, "label": _("My selection"), "columns": look.columns(columns),
        "rows": node_rows.of_nodes(uow, found, told.notes if told else {}),
        "total": ngettext("%(num)s item", "%(num)s items", len(found), num=len(found)),
        **look.tools(columns, url_for(".show"), []), "export": url_for(".export") if found else "",
        "bulk": {"action": url_for(".act"), "acts": acts}, "result": {"text": told.text, "kind": told.kind} if told else None,
        "empty": {"icon": "basket", "title": _("Nothing is selected"), "href": url_for("search.results"), "label": _("Search"),
                  "text": _("Tick hits of a search and add them to the selection. They stay here until you take them out.")},
    }  # fmt: skip


def _acts(found: list[NodeView]) -> list[dict[str, Any]]:
    """What at least one of them offers to this person."""
    acts = folder.bulk_acts(found)
    if any(view.can(P.REQUEST_CREATE) and not view.is_container for view in found):
        acts.insert(0, {"name": "request", "label": _("Request"), "icon": "book-upload"})
    if any(view.can(P.EDIT_CLASSIFICATION) for view in found):
        acts.append({"name": "level", "label": _("Sensitivity"), "icon": "shield-half"})
    if any(view.can(P.HOLDING_VIEW) for view in found):
        acts.append({"name": "labels", "label": _("Print labels"), "icon": "printer"})
    return [*acts, {"name": "take_out", "label": _("Take out"), "icon": "basket-minus"}]


@section.page("/basket", needs=P.DISCOVER, methods=("POST",))
def act(uow: UnitOfWork) -> Answer:
    """One act on what was ticked, here or among the hits of a search; what is ticked there is selected first."""
    name, ids = request.form.get("act", ""), request.form.getlist("ids", type=UUID)
    if not ids:
        flash(_("Tick something first."), "wait")
        return _back()
    try:
        return _do(uow, name, ids)
    except (Invalid, Conflict) as error:
        uow.undo()
        flash(str(error), "bad")
        return _back()


@section.page("/basket/all", needs=P.DISCOVER, methods=("POST",), ahead=True)
def put_all(uow: UnitOfWork) -> Response:
    """All that a search finds, also on its other pages, is selected; the search is run again for that, and first."""
    question = asked_address.asked(uow, request.form)
    if question is None:
        flash(_("What you had looked for is not kept any longer. Please type it again."), "wait")
        return _back()
    try:
        found = selecting.files(uow, question)
        added, left = site().run(uow.actor, lambda mine: basket.fill(mine, found.numbers), uow.origin)
    except (Invalid, Unavailable) as error:
        flash(str(error), "bad")
        return _back()
    flash(_taken(added, left, further=found.further), "wait" if left or found.further else "ok")
    return _back()


def _taken(added: int, left: int, *, further: bool) -> str:
    if not (added or left or further):
        return _("All of them are in the selection already.")
    said = ngettext("%(num)d added to the selection.", "%(num)d added to the selection.", added)
    if left:
        rest = _("The selection holds %(most)d; the search finds more.", most=basket.MOST)
    elif further:
        rest = _("Only the first %(most)s results were gone through.", most=f"{selecting.LOOKED_AT:,}")
    else:
        return said
    return f"{said} {rest}" if locale() == "en" else said + rest


def _do(uow: UnitOfWork, name: str, ids: list[UUID]) -> Answer:
    if "back" in request.form:
        added = basket.put(uow, ids)
        if name == "put":
            flash(ngettext("%(num)d added to the selection.", "%(num)d added to the selection.", added), "ok")
    if name == "take_out":
        basket.take_out(uow, ids)
    elif name == "labels":
        return _labels(uow, ids)
    elif name in {"request", "level"}:
        return _form(uow, name, ids)
    elif name == "move":
        return _move(uow, ids)
    elif name == folder.INSPECT:
        return make_response(redirect(url_for("inspections.add_form", picked=picked.packed(ids))))
    elif name in STEPS:
        outcomes.keep(PLACE, steps.take_many(uow, ids, name))
    return _back()


def _back() -> Response:
    """To the search from which it came, if it came from one of ours."""
    given = request.form.get("back", "")
    ours = url_for("search.results")
    return make_response(redirect(given if given.startswith(f"{ours}?") else url_for(".show")))


def _labels(uow: UnitOfWork, ids: list[UUID]) -> Response:
    return pdf(labels.pdf(uow, basket.barcodes(uow, ids)), "labels.pdf")


def _move(uow: UnitOfWork, ids: list[UUID]) -> Response:
    """Things of one folder are moved together, on the page that moves rows of a folder. Raises Conflict for others."""
    nodes = [uow.node(ref) for ref in ids]
    above = {node.parent_id for node in nodes}
    home = parent_of(uow, nodes[0]) if len(above) == 1 else None
    if home is None:
        raise Conflict(_("These lie in different folders. Choose those of one folder, then the next."))
    there = home.href.removeprefix("/a/")
    return make_response(redirect(url_for("moving.several", path=there, picked=picked.packed(ids))))


@section.page("/basket/request", needs=P.REQUEST_CREATE, methods=("POST",))
def ask(uow: UnitOfWork) -> Answer:
    ids, form = request.form.getlist("ids", type=UUID), request.form
    terms = {name: form.get(name, "") for name in OF_MANY}
    try:
        lines = bundling.chosen(uow, ids)
        if form.get("act") == "look":
            return _form(uow, "request", ids, told=foretold(uow, lines, terms))
        sent = bundling.ask(uow, lines, terms)
    except (Invalid, Conflict) as error:
        uow.undo()
        return _form(uow, "request", ids, error), error.status
    outcomes.keep(PLACE, sent.outcomes)
    if sent.bundle is None or sent.refused:  # the reasons stand in the rows of the selection
        return make_response(redirect(url_for(".show")))
    return make_response(redirect(url_for("bundles.one", uuid=sent.bundle.uuid)))


@section.page("/basket/level", needs=P.EDIT_CLASSIFICATION, methods=("POST",))
def level(uow: UnitOfWork) -> Answer:
    ids, form = request.form.getlist("ids", type=UUID), request.form
    try:
        done = basket.reclassify(uow, ids, level=form.get("level", type=int), reason=form.get("reason", ""))
    except Invalid as error:
        uow.undo()
        return _form(uow, "level", ids, error), error.status
    outcomes.keep(PLACE, done)
    return make_response(redirect(url_for(".show")))


def _form(
    uow: UnitOfWork, name: str, ids: list[UUID], error: Invalid | Conflict | None = None,
    told: dict[str, Any] | None = None,
) -> str:  # fmt: skip
    """What an act on several must know first; `told`: what asking for them comes to."""
    chosen = listing.chosen(uow, ids)
    if name == "request":
        asked, title, submit = terms_fields(uow, many=True), _("Request"), _("Send the requests")
    else:
        asked, title, submit = _level_fields(uow), _("Sensitivity"), _("Change the sensitivity")
    icon = "book-upload" if name == "request" else "shield-half"
    look = {"value": "look", "label": _("Look first")} if name == "request" else None
    wrong = error if isinstance(error, Invalid) else None
    general = [str(error)] if error and not (wrong and wrong.fields) else []
    return render_template(
        "basket/form.html", title=title, icon=icon, submit=submit, fields=with_errors(asked, request.form, wrong),
        chosen=chosen, action=url_for(".ask" if name == "request" else ".level"), general=general, also=look, told=told,
    )  # fmt: skip


def _level_fields(uow: UnitOfWork) -> list[dict[str, Any]]:
    words = tree.vocabulary(uow, "level")
    return [
        field("level", _("Sensitivity"), "radio", choices=list(words.items()), required=True,
              hint=_("Whatever must be higher where it lies stays as it is, and says so.")),
        field("reason", _("Reason"), "textarea", required=True, maxlength=LONGEST_REASON,
              hint=_("It stands in the history of each.")),
    ]  # fmt: skip


@section.page("/basket/clear", needs=P.DISCOVER, methods=("POST",))
def clear(uow: UnitOfWork) -> Response:
    basket.clear(uow)
    return make_response(redirect(url_for(".show")))


@section.page("/basket/export", needs=P.DISCOVER)
def export(uow: UnitOfWork) -> Response:
    """All that is selected, with every field that this person may know of it, for a spreadsheet."""
    found = basket.contents(uow)
    rows = node_rows.of_nodes(uow, found)
    more: dict[str, str] = {}
    for view, row in zip(found, rows, strict=True):
        for shown in view.fields:
            if shown.field.name not in {"title", "date_from", "dept"}:
                more.setdefault(f"field_{shown.field.name}", str(shown.field.label))
                row["cells"][f"field_{shown.field.name}"] = shown.text
    columns = [column | {"spare": False} for column in node_rows.columns()]
    columns += [{"key": key, "label": label} for key, label in more.items()]
    numbers = [view.number or view.uuid for view in found]
    uow.read(
        Event("basket.exported", shown=tuple(sorted(uow.seen)), words={"rows": len(rows), "records": numbers})
    )
    return looks.spreadsheet("selection", columns, rows, uow.local)
