"""转借: the borrower names who gets the volume, the other confirms it; or the desk writes it down by two badges."""

from uuid import UUID

from flask import Response, flash, make_response, redirect, request, url_for

from archive.blueprints import requests
from archive.errors import Conflict, Invalid
from archive.gate import SIGNED_IN, P, Section
from archive.i18n import _
from archive.services import handing_on, slips
from archive.uow import UnitOfWork

section = Section("handing_on", __name__)


@section.page("/requests/<uuid:uuid>/hand-on", needs=SIGNED_IN, methods=("POST",))
def offer(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    row, form = slips.one(uow, uuid), request.form
    try:
        handing_on.offer(uow, row, barcode=form.get("barcode", ""), staff_no=form.get("staff_no", ""))
    except (Invalid, Conflict) as error:
        uow.undo()
        return requests.slip_page(uow, uuid, error), error.status
    flash(_("Saved. Whoever gets it confirms it; until then it is with you."), "ok")
    return make_response(redirect(url_for("requests.one", uuid=uuid)))


@section.page("/requests/<uuid:uuid>/take-over", needs=SIGNED_IN, methods=("POST",))
def accept(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    row = slips.one(uow, uuid)
    try:
        handing_on.accept(uow, row, barcode=request.form.get("barcode", ""))
    except Conflict as error:
        uow.undo()
        return requests.slip_page(uow, uuid, error), error.status
    return make_response(redirect(url_for("requests.one", uuid=uuid)))


@section.page("/desk/hand-on", needs=P.REQUEST_HANDLE, methods=("POST",))
def at_desk(uow: UnitOfWork) -> Response | tuple[str, int]:
    form = request.form
    ref = form.get("uuid", type=UUID)
    row = slips.one(uow, ref) if ref else None
    try:
        handing_on.at_desk(uow, barcode=form.get("barcode", ""), staff_no=form.get("staff_no", ""))
    except (Invalid, Conflict) as error:
        uow.undo()
        if row is None:
            raise
        return requests.slip_page(uow, row.uuid, error), error.status
    flash(_("Handed on."), "ok")
    return make_response(redirect(url_for("requests.one", uuid=ref) if ref else url_for("desk.counter")))
