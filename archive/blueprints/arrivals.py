"""续传: a file in pieces, as the drop zone sends it: begun, piece by piece, finished; and what one has left unfinished."""

from uuid import UUID

from flask import Response, flash, g, jsonify, make_response, redirect, render_template, request, url_for

from archive.blueprints import received
from archive.errors import Invalid
from archive.gate import Section
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import arrivals, watched
from archive.services.arrivals import Elsewhere
from archive.services.intake import AlreadyHere
from archive.uow import UnitOfWork

section = Section("arrivals", __name__, url_prefix="/uploads")
Answer = Response | tuple[Response, int]


@section.page("", needs=P.SCAN_UPLOAD)
def mine(uow: UnitOfWork) -> str:
    return render_template(
        "uploads/unfinished.html", unfinished=arrivals.under_way(uow), lying=watched.mine(uow)
    )


@section.page("", needs=P.SCAN_UPLOAD, methods=("POST",))
def begin(uow: UnitOfWork) -> Response:
    form = request.form
    begun = arrivals.begin(
        uow, form.get("kind", ""), form.get("target", ""), filename=form.get("name", ""),
        size=form.get("size", 0, type=int), sha256=form.get("sha256", ""),
    )  # fmt: skip
    if begun is None:
        return received.here(AlreadyHere())
    return jsonify(uuid=begun.uuid, received=begun.received)


@section.page("/<uuid:uuid>/piece", needs=P.SCAN_UPLOAD, methods=("POST",), file="piece")
def append(uow: UnitOfWork, uuid: UUID) -> Answer:
    if "staged" not in g:
        raise Invalid
    try:
        return jsonify(
            received=arrivals.append(uow, uuid, request.form.get("offset", -1, type=int), g.staged)
        )
    except Elsewhere as error:
        return _elsewhere(error)


@section.page("/<uuid:uuid>/finish", needs=P.SCAN_UPLOAD, methods=("POST",), ahead=True)
def finish(uow: UnitOfWork, uuid: UUID) -> Answer:
    try:
        job = arrivals.finish(uow, uuid)
        return received.taken(job.uuid if job else None)
    except Elsewhere as error:
        return _elsewhere(error)
    except AlreadyHere as error:
        return received.here(error)


@section.page("/<uuid:uuid>/discard", needs=P.SCAN_UPLOAD, methods=("POST",))
def discard(uow: UnitOfWork, uuid: UUID) -> Response:
    arrivals.discard(uow, uuid)
    flash(_("The unfinished upload is discarded."), "ok")
    return make_response(redirect(url_for(".mine")))


def _elsewhere(error: Elsewhere) -> Answer:
    return jsonify(received=error.received, state="bad", text=str(error)), error.status
