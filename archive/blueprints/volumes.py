"""One paper volume: registering it on its record, its way through the house, putting right, damage and loss."""

from typing import TYPE_CHECKING, Any

from flask import flash, make_response, redirect, render_template, request, url_for

from archive import forms
from archive.blueprints import shown, stock
from archive.errors import Conflict, Invalid, NotFound
from archive.gate import P, Section
from archive.i18n import _
from archive.services import holdings, incidents, storeroom, volumes
from archive.sight import NodeView, href
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("volumes", __name__)
Answer = Any
"""A page, an address to go to, or a page with the status of what was wrong."""
MARKS = {"damaged": volumes.damage, "mended": volumes.mend, "lost": volumes.lose, "found": volumes.find}
NOTICED = frozenset({"damaged", "lost"})


@section.page("/storeroom/volumes/<path:barcode>", needs=P.HOLDING_VIEW)
def one(uow: UnitOfWork, barcode: str) -> str:
    seen, (holding, _node) = storeroom.volume(uow, barcode), uow.holding(barcode)
    return render_template("storeroom/volume.html", volume=seen, way=volumes.way(uow, holding),
                           crumbs=stock.crumbs_to(uow, seen.place, seen.container),
                           incidents=incidents.of_volume(uow, seen.barcode), actions=stock.volume_actions(seen))  # fmt: skip


def _described(seen: Any = None) -> list[dict[str, Any]]:
    """What is said of a volume when it is registered, and when that is put right."""
    return [
        forms.field("barcode", _("Barcode"), mono=True, maxlength=32, autofocus=True, required=seen is not None,
                    value=seen.barcode if seen else "",
                    hint=_("A new barcode needs a new label.") if seen else stock.gets_a_number()),
        forms.field("sheets", _("Sheets"), "number", min=0, max=100000, value=seen.sheets if seen else None),
        forms.field("condition", _("Condition"), maxlength=holdings.LONGEST, value=seen.condition if seen else None),
    ]  # fmt: skip


def _registering(
    uow: UnitOfWork, node: "Node", error: Exception | None, *, crumbs: Any, cancel: str
) -> Answer:
    label = NodeView(uow, node).label
    where = forms.field("location", _("Where it stands"), mono=True, maxlength=60,
                        hint=_("Scan a shelf, a bag or a box. Left empty, it lies on the table."))  # fmt: skip
    title = _("Register a volume of %(record)s", record=label)
    return stock.form(
        title,
        [*_described(), where],
        error,
        crumbs=crumbs,
        cancel=cancel,
        submit=_("Register"),
        stepwise=True,
    )


def _registered(uow: UnitOfWork, node: "Node") -> str:
    form = request.form
    made = volumes.take_up(uow, node, barcode=form.get("barcode", ""), sheets=stock.whole(form, "sheets"),
                           condition=form.get("condition", ""), where=form.get("location", ""))  # fmt: skip
    flash(_("Registered: %(barcode)s", barcode=made.barcode), "ok")
    return made.barcode


@section.page("/a/<slugs:path>/@@volume", needs=P.HOLDING_PLACE, node="path")
def register_form(uow: UnitOfWork, node: "Node", error: Exception | None = None) -> Answer:
    if not holdings.takes_volumes(node):
        raise NotFound
    crumbs = shown.place(uow, node)["crumbs"]
    return _registering(uow, node, error, crumbs=crumbs, cancel=href(uow, node))


@section.page("/a/<slugs:path>/@@volume", needs=P.HOLDING_PLACE, node="path", methods=("POST",))
def register(uow: UnitOfWork, node: "Node") -> Answer:
    try:
        _registered(uow, node)
    except (Invalid, Conflict) as error:
        uow.undo()
        return register_form(uow, node, error)
    return make_response(redirect(href(uow, node)))


@section.page("/storeroom/volumes/<path:barcode>/@@another", needs=P.HOLDING_PLACE)
def another_form(uow: UnitOfWork, barcode: str, error: Exception | None = None) -> Answer:
    """For whoever holds a volume and may not go to its record: the second volume lies beside it."""
    seen, (_holding, node) = storeroom.volume(uow, barcode), uow.holding(barcode)
    crumbs = stock.crumbs_to(uow, seen.place, seen.container)
    return _registering(uow, node, error, crumbs=crumbs, cancel=url_for(".one", barcode=barcode))


@section.page("/storeroom/volumes/<path:barcode>/@@another", needs=P.HOLDING_PLACE, methods=("POST",))
def another(uow: UnitOfWork, barcode: str) -> Answer:
    _holding, node = uow.holding(barcode)
    try:
        made = _registered(uow, node)
    except (Invalid, Conflict) as error:
        uow.undo()
        return another_form(uow, barcode, error)
    return make_response(redirect(url_for(".one", barcode=made)))


@section.page("/storeroom/volumes/<path:barcode>/@@edit", needs=P.HOLDING_PLACE)
def edit_form(uow: UnitOfWork, barcode: str, error: Exception | None = None) -> Answer:
    seen = storeroom.volume(uow, barcode)
    asked = [*_described(seen), forms.field("version", "", "hidden", value=seen.version)]
    crumbs = stock.crumbs_to(uow, seen.place, seen.container)
    return stock.form(_("Put right: %(barcode)s", barcode=seen.barcode), asked, error, crumbs=crumbs,
                 cancel=url_for(".one", barcode=barcode), stepwise=True)  # fmt: skip


@section.page("/storeroom/volumes/<path:barcode>/@@edit", needs=P.HOLDING_PLACE, methods=("POST",))
def edit(uow: UnitOfWork, barcode: str) -> Answer:
    form, (holding, _node) = request.form, uow.holding(barcode)
    try:
        volumes.correct(uow, holding, barcode=form.get("barcode", ""), sheets=stock.whole(form, "sheets"),
                        condition=form.get("condition"), version=stock.version(form))  # fmt: skip
    except (Invalid, Conflict) as error:
        uow.undo()
        return edit_form(uow, barcode, error)
    flash(_("Saved."), "ok")
    return make_response(redirect(url_for(".one", barcode=holding.barcode)))


@section.page("/storeroom/volumes/<path:barcode>/@@mark/<mark>", needs=P.HOLDING_PLACE)
def mark_form(uow: UnitOfWork, barcode: str, mark: str, error: Exception | None = None) -> Answer:
    seen = storeroom.volume(uow, barcode)
    if mark not in MARKS:
        raise NotFound
    asked = [forms.field("because", _("What happened"), required=True, maxlength=holdings.LONGEST, autofocus=True,
                         hint=_("It stands in the way of the volume."))]  # fmt: skip
    if mark in NOTICED:
        asked += [
            forms.field("noticed_by", _("Who noticed it"), maxlength=incidents.LONGEST_NAME,
                        hint=_("Left empty, it is whoever writes it down.")),
            forms.field("noticed_on", _("When it was noticed"), "date", value=str(uow.today)),
        ]  # fmt: skip
    if mark == "found":
        asked.append(forms.field("location", _("Where it stands"), mono=True, maxlength=60,
                                 hint=_("Scan a shelf. Left empty, it lies on the table.")))  # fmt: skip
    crumbs = stock.crumbs_to(uow, seen.place, seen.container)
    label = stock.mark_label(mark)
    return stock.form(
        f"{label}: {seen.barcode}",
        asked,
        error,
        crumbs=crumbs,
        cancel=url_for(".one", barcode=barcode),
        submit=label,
    )


@section.page("/storeroom/volumes/<path:barcode>/@@mark/<mark>", needs=P.HOLDING_PLACE, methods=("POST",))
def mark(uow: UnitOfWork, barcode: str, mark: str) -> Answer:
    holding, _node = uow.holding(barcode)
    if mark not in MARKS:
        raise NotFound
    more: dict[str, Any] = {}
    if mark == "found":
        more = {"location": request.form.get("location", "").strip() or None}
    elif mark in NOTICED:
        more = {"noticed": incidents.told(request.form)}
    try:
        MARKS[mark](uow, holding, because=request.form.get("because", ""), **more)
    except (Invalid, Conflict) as error:
        uow.undo()
        return mark_form(uow, barcode, mark, error)
    return make_response(redirect(url_for(".one", barcode=barcode)))
