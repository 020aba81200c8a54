"""What the pages of the storeroom have in common: tables of places, boxes and volumes, the way to a place, numbers typed."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import render_template, request, url_for

from archive import forms
from archive.blueprints.shown import address
from archive.errors import Invalid, Stale
from archive.i18n import _, ngettext
from archive.policy.permissions import P
from archive.services import storeroom
from archive.services.listing import CAP
from archive.uow import UnitOfWork

Crumbs = list[dict[str, str]]


def kind_label(kind: str) -> str:
    """What a kind of place or container is called."""
    words = {
        "room": _("Room"), "zone": _("Zone"), "column": _("Column of shelves"), "cabinet": _("Cabinet"), "shelf": _("Shelf"),
        "layer": _("Layer"), "bag": _("Bag"), "box": _("Archive box"),
    }  # fmt: skip
    return words.get(kind, kind)


def gets_a_number() -> str:
    """The hint of a field for a barcode."""
    return _("Scan the label, or leave it empty: then it gets a number.")


def form(title: str, fields: list[dict[str, Any]], error: Exception | None, *, crumbs: Crumbs, cancel: str,
         submit: str | None = None, stepwise: bool = False) -> str | tuple[str, int]:  # fmt: skip
    """A form of the storeroom; after a refusal with what was typed before, and the errors beside it.

    `stepwise`: the Enter of a gun goes on to the next field, where there is JavaScript.
    """
    wrong = error if isinstance(error, Invalid) else None
    typed = dict(request.form)
    if isinstance(error, Stale):
        fields = [item | _saved_by_the_other(item) for item in fields]
        typed.pop("version", None)
    if error is not None:
        fields = forms.with_errors(fields, typed, wrong)
    general = [str(error)] if error is not None and not (wrong and wrong.fields) else []
    page = render_template(
        "storeroom/form.html", title=title, fields=fields, general=general, cancel=cancel, submit=submit or _("Save"),
        crumbs=crumbs, action=request.full_path.rstrip("?"), stepwise=stepwise,
    )  # fmt: skip
    return page if error is None else (page, getattr(error, "status", 422))


def _saved_by_the_other(item: dict[str, Any]) -> dict[str, str]:
    mine, theirs = request.form.get(item["name"], ""), str(item.get("value") or "")
    return {"hint": _("Saved by the other person: %(value)s", value=theirs or "—")} if mine != theirs else {}


def whole(typed_in: Mapping[str, str], name: str) -> int | None:
    """A number that was typed, or nothing. Raises Invalid for anything else."""
    typed = typed_in.get(name, "").strip()
    if typed and (not typed.isdecimal() or len(typed) > 9):
        raise Invalid(fields={name: _("Write a whole number.")})
    return int(typed) if typed else None


def version(typed_in: Mapping[str, str]) -> int | None:
    """The version of what was on the screen when somebody began to write."""
    typed = typed_in.get("version", "")
    return int(typed) if typed.isdecimal() else None


def crumbs(uow: UnitOfWork, place: Any = None) -> Crumbs:
    """The way to what stands in `place`, from the storeroom on."""
    way = [{"label": _("Storeroom"), "href": url_for("storeroom.home")}]
    if place is not None:
        way += [_crumb(one) for one in (*storeroom.above(uow, place), place)]
    return way


def _crumb(place: Any) -> dict[str, str]:
    return {"label": place.title, "href": url_for("storeroom.place", code=place.code)}


def crumbs_to(uow: UnitOfWork, code: str | None, container: str | None = None) -> Crumbs:
    """The way to what has its place at this code, or in this box."""
    way = crumbs(uow, storeroom.place(uow, code) if code else None)
    if container:
        way.append({"label": container, "href": url_for("storeroom.box", barcode=container)})
    return way


def places(found: Iterable[storeroom.Place], *, empty: dict[str, str]) -> dict[str, Any]:
    """Places as the one table component draws them."""
    columns: list[dict[str, Any]] = [
        {"key": "code", "label": _("Code"), "kind": "mono"},
        {"key": "title", "label": _("Name of the place"), "kind": "link"},
        {"key": "kind", "label": _("Kind")},
        {"key": "volumes", "label": _("Volumes"), "kind": "number"},
        {"key": "fill", "label": _("Taken up")},
    ]
    rows = [
        {"id": one.code, "label": one.code, "href": url_for("storeroom.place", code=one.code), "place": one,
         "cells": {"code": one.code, "title": one.title, "kind": kind_label(one.kind), "volumes": one.volumes, "fill": one}}
        for one in found
    ]  # fmt: skip
    total = ngettext("%(num)d place", "%(num)d places", len(rows))
    return {"name": "places", "label": _("Places"), "columns": columns, "rows": rows, "total": total, "bulk": _bulk(),
            "empty": empty}  # fmt: skip


def boxes(page: storeroom.Page[storeroom.Box]) -> dict[str, Any]:
    """Bags and boxes as the one table component draws them."""
    columns: list[dict[str, Any]] = [
        {"key": "seq", "label": _("In the row"), "kind": "number"},
        {"key": "barcode", "label": _("Barcode"), "kind": "link"},
        {"key": "kind", "label": _("Kind")},
        {"key": "thickness", "label": _("Thickness, mm"), "kind": "number"},
        {"key": "volumes", "label": _("Volumes"), "kind": "number"},
    ]
    rows = [
        {"id": one.barcode, "label": one.barcode, "href": url_for("storeroom.box", barcode=one.barcode),
         "cells": {"seq": one.seq, "barcode": one.barcode, "kind": kind_label(one.kind), "volumes": one.volumes,
                   "thickness": one.thickness_mm}}
        for one in page.rows
    ]  # fmt: skip
    empty = {
        "icon": "box",
        "title": _("No bags or boxes here"),
        "text": _("Add one here, or scan one and then this shelf."),
    }
    return _paged("boxes", _("Bags and boxes"), columns, rows, page, empty)


def volumes(page: storeroom.Page[storeroom.Volume], *, in_box: bool) -> dict[str, Any]:
    """Volumes as the one table component draws them. Of a record there is what this person may know of it."""
    columns: list[dict[str, Any]] = [
        {"key": "barcode", "label": _("Barcode"), "kind": "link"},
        {"key": "record", "label": _("What it holds")},
        {"key": "state", "label": _("State"), "kind": "state"},
        *([] if in_box else [{"key": "container", "label": _("Container"), "kind": "mono"}]),
        {"key": "sheets", "label": _("Sheets"), "kind": "number"},
        {"key": "condition", "label": _("Condition"), "optional": True},
    ]
    rows = [
        {"id": one.barcode, "label": one.barcode, "href": url_for("volumes.one", barcode=one.barcode), "volume": one,
         "cells": {"barcode": one.barcode, "record": one.node.label, "state": one.status, "container": one.container,
                   "sheets": one.sheets, "condition": one.condition}}
        for one in page.rows
    ]  # fmt: skip
    empty = {
        "icon": "books",
        "title": _("No volumes here"),
        "text": _("Scan the volumes, then this place: they are put away here."),
    }
    return _paged("volumes", _("Volumes"), columns, rows, page, empty)


def _paged(name: str, label: str, columns: list[dict[str, Any]], rows: list[dict[str, Any]], page: storeroom.Page[Any],
           empty: dict[str, str]) -> dict[str, Any]:  # fmt: skip
    capped = page.total > CAP
    total = f"{min(page.total, CAP):,}" + ("+" if capped else "")
    return {"name": name, "label": label, "columns": columns, "rows": rows, "total": total, "bulk": _bulk(), "empty": empty,
            "next": address(cursor=page.next) if page.next else None}  # fmt: skip


def _bulk() -> dict[str, Any]:
    act = {"name": "labels", "label": _("Print labels"), "icon": "printer"}
    return {"action": url_for("storeroom.choose_labels"), "acts": [act]}


def volume_actions(one: storeroom.Volume) -> list[dict[str, Any]]:
    """What this person may do with a volume now: never a button that would be refused."""
    printed = {
        "label": _("Print labels"),
        "icon": "printer",
        "href": url_for("storeroom.labels", c=one.barcode),
    }
    if not one.node.can(P.HOLDING_PLACE):
        return [printed]
    at_hand = one.status.name != "lent"
    marks = [("mended" if one.is_damaged else "damaged", "bandage", True),
             ("found" if one.status.name == "missing" else "lost", "eye-search", True)]  # fmt: skip
    acts: list[dict[str, Any]] = [
        {"label": _("Put right"), "icon": "pencil", "href": url_for("volumes.edit_form", barcode=one.barcode)},
        *({"label": mark_label(mark), "icon": icon, "href": url_for("volumes.mark_form", barcode=one.barcode, mark=mark)}
          for mark, icon, may in marks if may),
        {"label": _("Another volume"), "icon": "copy-plus", "href": url_for("volumes.another_form", barcode=one.barcode)},
        printed,
    ]  # fmt: skip
    if at_hand:
        acts.append({"label": _("Put away"), "icon": "stairs", "primary": True, "post": url_for("storeroom.scan"),
                     "hidden": {"barcode": one.barcode}})  # fmt: skip
    return acts


def mark_label(mark: str) -> str:
    """What somebody says of a volume by marking it."""
    words = {
        "damaged": _("Mark as damaged"), "mended": _("It is mended"), "lost": _("It is missing"),
        "found": _("It is found again"),
    }  # fmt: skip
    return words[mark]
