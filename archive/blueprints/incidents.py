"""遗失、损坏登记: what is lost or damaged, and what becomes of it."""

from typing import Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive import forms
from archive.blueprints import stock
from archive.errors import Conflict, Invalid
from archive.gate import P, Section
from archive.i18n import _
from archive.services import incidents, rebuilding
from archive.uow import UnitOfWork

section = Section("incidents", __name__)
Refused = Invalid | Conflict


@section.page("/incidents", needs=P.HOLDING_PLACE)
def listing(uow: UnitOfWork) -> str:
    everything = "all" in request.args
    rows = incidents.listed(uow, everything=everything)
    return render_template("incidents/list.html", rows=rows, everything=everything, most=incidents.MOST)


@section.page("/incidents/<uuid:uuid>", needs=P.HOLDING_PLACE)
def one(uow: UnitOfWork, uuid: UUID) -> str:
    return _one(uow, uuid)


def _one(uow: UnitOfWork, uuid: UUID, error: Refused | None = None) -> str:
    """The page; what was refused stands in its form as it was typed."""
    seen = incidents.one(uow, uuid)
    words = forms.field("words", _("What became of it"), required=True, maxlength=incidents.LONGEST)
    sheets = forms.field("sheets", _("Sheets printed"), "number", min=0, max=100000)
    fields: dict[str, Any] = {
        field["name"]: field for field in forms.with_errors([words, sheets], request.form, _in_fields(error))
    }
    general = "" if error is None or _in_fields(error) else str(error)
    return render_template("incidents/one.html", one=seen, fields=fields, general=general,
                           may_rebuild=rebuilding.offered(uow, seen))  # fmt: skip


def _in_fields(error: Refused | None) -> Invalid | None:
    return error if isinstance(error, Invalid) and error.fields else None


@section.page("/incidents/<uuid:uuid>/close", needs=P.HOLDING_PLACE, methods=("POST",))
def close(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    form = request.form
    try:
        incidents.close(uow, uuid, words=form.get("words", ""), version=stock.version(form) or 0)
    except (Invalid, Conflict) as error:
        uow.undo()
        return _one(uow, uuid, error), error.status
    return make_response(redirect(url_for(".one", uuid=uuid)))


@section.page("/incidents/<uuid:uuid>/reconstruct", needs=P.HOLDING_PLACE, methods=("POST",))
def reconstruct(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    form = request.form
    try:
        barcode = rebuilding.rebuild(
            uow, uuid, sheets=stock.whole(form, "sheets"), version=stock.version(form) or 0
        )
    except (Invalid, Conflict) as error:
        uow.undo()
        return _one(uow, uuid, error), error.status
    flash(_("Registered: %(barcode)s", barcode=barcode), "ok")
    return make_response(redirect(url_for(".one", uuid=uuid)))
