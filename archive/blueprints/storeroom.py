"""库房: the tree of places, bags and boxes, what stands where, putting away by barcode, and labels."""

from dataclasses import asdict, fields
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, session, url_for

from archive import forms
from archive.asking import typed
from archive.blueprints import stock
from archive.blueprints.documents import pdf
from archive.errors import Conflict, Invalid
from archive.gate import P, Section
from archive.i18n import _
from archive.services import labels as printed
from archive.services import places, policies, shelving, storeroom
from archive.services.shelving import Memo
from archive.uow import UnitOfWork

section = Section("storeroom", __name__)
KEPT = "shelving"
Answer = Any
"""A page, an address to go to, or a page with the status of what was wrong."""


@section.page("/storeroom", needs=P.HOLDING_VIEW, typed=("q",))
def home(uow: UnitOfWork) -> Answer:
    """The rooms; a scan goes straight to the thing."""
    code = typed("q").strip().upper()
    if code and (kind := storeroom.kind_of(uow, code)):
        return make_response(redirect(_page_of(kind, code)))
    rooms = stock.places(storeroom.within(uow), empty=_no_rooms())
    return render_template("storeroom/home.html", list=rooms, typed=code, may_place=uow.can(P.HOLDING_PLACE))


def _no_rooms() -> dict[str, str]:
    text = _("Add the room, then its columns, shelves and layers. Each gets a code that stands on its label.")
    return {"icon": "building-warehouse", "title": _("No storeroom yet"), "text": text}


def _page_of(kind: str, code: str) -> str:
    if kind == "volume":
        return url_for("volumes.one", barcode=code)
    return url_for(".box", barcode=code) if kind == "box" else url_for(".place", code=code)


@section.page("/storeroom/places/<path:code>", needs=P.HOLDING_VIEW)
def place(uow: UnitOfWork, code: str) -> str:
    """What stands in a place: the places in it, its boxes, its volumes."""
    found = storeroom.place(uow, code)
    inner, cursor = storeroom.within(uow, found), request.args.get("cursor")
    view = request.args.get("view") or ("places" if inner else "volumes")
    if view == "boxes":
        listed = stock.boxes(storeroom.boxes(uow, found, cursor))
    elif view == "volumes":
        listed = stock.volumes(storeroom.volumes_at(uow, found, cursor), in_box=False)
    else:
        listed = stock.places(inner, empty=_no_places())
    return render_template("storeroom/place.html", place=storeroom.shown(uow, found), list=listed, view=view, inner=len(inner),
                           crumbs=stock.crumbs(uow, found)[:-1], kind=stock.kind_label(found.kind),
                           may_divide=found.kind != places.KINDS[-1], may_place=uow.can(P.HOLDING_PLACE))  # fmt: skip


def _no_places() -> dict[str, str]:
    return {
        "icon": "layout-rows",
        "title": _("Not divided"),
        "text": _("Add the shelves or layers that stand in it."),
    }


@section.page("/storeroom/add", needs=P.HOLDING_PLACE)
def add_form(uow: UnitOfWork, error: Exception | None = None) -> Answer:
    within = request.args.get("within")
    parent = storeroom.place(uow, within) if within else None
    first = places.KINDS.index(parent.kind) + 1 if parent else 0
    kinds = [(kind, stock.kind_label(kind)) for kind in places.KINDS[first:]]
    asked = [
        forms.field("kind", _("Kind"), "select", choices=kinds, required=True,
                    value=places.USUAL.get(parent.kind) if parent else None),
        forms.field("code", _("Code"), mono=True, required=True, maxlength=60, autofocus=True,
                    value=f"{parent.code}-" if parent else "",
                    hint=_("It stands on the label and stays, for example R01-C03-S47-L05.")),
        forms.field("title", _("Name of the place"), required=True, maxlength=120),
        forms.field("capacity_mm", _("Capacity"), "number", unit=_("mm of shelf"), min=1),
    ]  # fmt: skip
    cancel = url_for(".place", code=parent.code) if parent else url_for(".home")
    return stock.form(_("Add a place"), asked, error, crumbs=stock.crumbs(uow, parent), cancel=cancel)


@section.page("/storeroom/add", needs=P.HOLDING_PLACE, methods=("POST",))
def add(uow: UnitOfWork) -> Answer:
    form, within = request.form, request.args.get("within")
    try:
        made = places.add(uow, code=form.get("code", ""), title=form.get("title", ""), kind=form.get("kind", ""),
                          within=within, capacity_mm=stock.whole(form, "capacity_mm"))  # fmt: skip
    except (Invalid, Conflict) as error:
        uow.undo()
        return add_form(uow, error)
    flash(_("Saved."), "ok")
    return make_response(redirect(url_for(".place", code=within or made.code)))


@section.page("/storeroom/places/<path:code>/@@edit", needs=P.HOLDING_PLACE)
def edit_form(uow: UnitOfWork, code: str, error: Exception | None = None) -> Answer:
    found = storeroom.place(uow, code)
    asked = [
        forms.field(
            "title", _("Name of the place"), required=True, maxlength=120, value=found.title, autofocus=True
        ),
        forms.field(
            "capacity_mm", _("Capacity"), "number", unit=_("mm of shelf"), min=1, value=found.capacity_mm
        ),
        forms.field("version", "", "hidden", value=found.version),
    ]
    cancel = url_for(".place", code=found.code)
    return stock.form(
        _("Change %(code)s", code=found.code), asked, error, crumbs=stock.crumbs(uow, found), cancel=cancel
    )


@section.page("/storeroom/places/<path:code>/@@edit", needs=P.HOLDING_PLACE, methods=("POST",))
def edit(uow: UnitOfWork, code: str) -> Answer:
    form = request.form
    try:
        places.edit(uow, storeroom.place(uow, code), title=form.get("title", ""),
                    capacity_mm=stock.whole(form, "capacity_mm"), version=stock.version(form))  # fmt: skip
    except (Invalid, Conflict) as error:
        uow.undo()
        return edit_form(uow, code, error)
    flash(_("Saved."), "ok")
    return make_response(redirect(url_for(".place", code=code)))


@section.page("/storeroom/places/<path:code>/@@close", needs=P.HOLDING_PLACE, methods=("POST",))
def close(uow: UnitOfWork, code: str) -> Response:
    """Closes a place, or opens one that is closed."""
    found = storeroom.place(uow, code)
    try:
        (places.reopen if found.closed_at else places.close)(uow, found)
    except Conflict as error:
        uow.undo()
        flash(str(error), "bad")
    return make_response(redirect(url_for(".place", code=code)))


@section.page("/storeroom/places/<path:code>/@@box", needs=P.HOLDING_PLACE)
def box_form(uow: UnitOfWork, code: str, error: Exception | None = None) -> Answer:
    found = storeroom.place(uow, code)
    kinds = [(kind, stock.kind_label(kind)) for kind in reversed(places.CONTAINERS)]
    asked = [
        forms.field("kind", _("Kind"), "radio", choices=kinds, value="box"),
        forms.field("barcode", _("Barcode"), mono=True, maxlength=32, autofocus=True,
                    hint=stock.gets_a_number()),
        _thickness(uow, None),
    ]  # fmt: skip
    cancel = url_for(".place", code=found.code, view="boxes")
    return stock.form(_("Add a bag or box"), asked, error, crumbs=stock.crumbs(uow, found), cancel=cancel)


def _thickness(uow: UnitOfWork, value: int | None) -> dict[str, Any]:
    usual = [str(mm) for mm in policies.in_force(uow, "storeroom").body["thickness"]["boxes_mm"]]
    return forms.field("thickness_mm", _("Thickness"), "number", unit="mm", min=1, value=value, suggestions=usual,
                       hint=_("A bag is as thick as what lies in it: leave it empty."))  # fmt: skip


@section.page("/storeroom/places/<path:code>/@@box", needs=P.HOLDING_PLACE, methods=("POST",))
def add_box(uow: UnitOfWork, code: str) -> Answer:
    form = request.form
    try:
        made = places.add_container(uow, kind=form.get("kind", ""), barcode=form.get("barcode"), location=code,
                                    thickness_mm=stock.whole(form, "thickness_mm"))  # fmt: skip
    except (Invalid, Conflict) as error:
        uow.undo()
        return box_form(uow, code, error)
    flash(_("Added: %(barcode)s", barcode=made.barcode), "ok")
    return make_response(redirect(url_for(".place", code=code, view="boxes")))


@section.page("/storeroom/boxes/<path:barcode>", needs=P.HOLDING_VIEW)
def box(uow: UnitOfWork, barcode: str) -> str:
    found = storeroom.box(uow, barcode)
    shown = storeroom.box_shown(uow, found)
    listed = stock.volumes(storeroom.volumes_at(uow, found, request.args.get("cursor")), in_box=True)
    return render_template("storeroom/box.html", box=shown, list=listed, crumbs=stock.crumbs_to(uow, shown.place),
                           kind=stock.kind_label(shown.kind), may_place=uow.can(P.HOLDING_PLACE))  # fmt: skip


@section.page("/storeroom/boxes/<path:barcode>/@@edit", needs=P.HOLDING_PLACE)
def edit_box_form(uow: UnitOfWork, barcode: str, error: Exception | None = None) -> Answer:
    found = storeroom.box(uow, barcode)
    asked = [
        forms.field("seq", _("In the row"), "number", min=1, value=found.seq, autofocus=True),
        _thickness(uow, found.thickness_mm),
        forms.field("version", "", "hidden", value=found.version),
    ]
    cancel = url_for(".box", barcode=found.barcode)
    crumbs = stock.crumbs_to(uow, None, found.barcode)
    return stock.form(_("Change %(code)s", code=found.barcode), asked, error, crumbs=crumbs, cancel=cancel)


@section.page("/storeroom/boxes/<path:barcode>/@@edit", needs=P.HOLDING_PLACE, methods=("POST",))
def edit_box(uow: UnitOfWork, barcode: str) -> Answer:
    form = request.form
    try:
        places.edit_container(uow, storeroom.box(uow, barcode), seq=stock.whole(form, "seq"),
                              thickness_mm=stock.whole(form, "thickness_mm"), version=stock.version(form))  # fmt: skip
    except (Invalid, Conflict) as error:
        uow.undo()
        return edit_box_form(uow, barcode, error)
    flash(_("Saved."), "ok")
    return make_response(redirect(url_for(".box", barcode=barcode)))


@section.page("/storeroom/shelving", needs=P.HOLDING_PLACE)
def put_away(uow: UnitOfWork) -> str:
    return render_template("storeroom/shelving.html", trolley=shelving.trolley(uow, _memo(uow)))


@section.page("/storeroom/shelving", needs=P.HOLDING_PLACE, methods=("POST",))
def scan(uow: UnitOfWork) -> Response:
    """One scan. The answer is another page, so that loading it again repeats nothing."""
    memo = shelving.hear(uow, request.form.get("barcode", ""), _memo(uow))
    session[KEPT] = asdict(memo) | {"by": uow.actor.staff_no}
    return make_response(redirect(url_for(".put_away")))


def _memo(uow: UnitOfWork) -> Memo:
    """What lies on this person's trolley. A computer is shared: nobody goes on where another stopped."""
    kept = session.get(KEPT, {})
    if kept.get("by") != uow.actor.staff_no:
        return Memo()
    known = {part.name for part in fields(Memo)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in kept.items()
        if name in known
    }
    return Memo(**values)


@section.page("/storeroom/labels", needs=P.HOLDING_VIEW, methods=("POST",))
def choose_labels(_uow: UnitOfWork) -> Response:
    """From the rows that are ticked to the address of their sheet, which can be opened again."""
    return make_response(redirect(url_for(".labels", c=request.form.getlist("ids"))))


@section.page("/storeroom/labels.pdf", needs=P.HOLDING_VIEW)
def labels(uow: UnitOfWork) -> Response:
    return pdf(printed.pdf(uow, request.args.getlist("c")), "labels.pdf")
