"""随附照片: a photograph of the envelope or of a paper that was shown is sent, and looked at."""

from collections.abc import Callable
from uuid import UUID

from flask import Response, flash, g, make_response, redirect, request, url_for

from archive import gate
from archive.errors import Conflict, Invalid
from archive.gate import Section
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import night_seals, pictures, sealed
from archive.services.copying import slips
from archive.uow import UnitOfWork

section = Section("pictures", __name__)


@section.page("/holds/<uuid:uuid>/photos", needs=P.HOLD_APPLY, methods=("POST",), file="photo", ahead=True)
def of_seal(uow: UnitOfWork, uuid: UUID) -> Response:
    return _sent(uow, lambda own, jpeg: pictures.of_envelope(own, sealed.one(own, uuid).hold, jpeg),
                 url_for("holds.slip", uuid=uuid))  # fmt: skip


@section.page(
    "/night-seal/<uuid:uuid>/photos",
    needs=(P.NIGHT_SEAL, P.HOLD_APPLY),
    methods=("POST",),
    file="photo",
    ahead=True,
)
def of_night_seal(uow: UnitOfWork, uuid: UUID) -> Response:
    return _sent(uow, lambda own, jpeg: pictures.of_envelope(own, night_seals.one(own, uuid)[1], jpeg),
                 url_for("night.one", uuid=uuid))  # fmt: skip


@section.page(
    "/copying/slips/<uuid:uuid>/photos", needs=P.REQUEST_COPY, methods=("POST",), file="photo", ahead=True
)
def of_slip(uow: UnitOfWork, uuid: UUID) -> Response:
    kind = request.form.get("kind", "")
    return _sent(uow, lambda own, jpeg: pictures.of_proof(own, slips.one(own, uuid), jpeg, kind=kind),
                 url_for("copying.slip", uuid=uuid))  # fmt: skip


def _sent(uow: UnitOfWork, keep: Callable[[UnitOfWork, bytes], object], back: str) -> Response:
    """The picture is drawn before the transaction; what is wrong with it is said on the page from which it came."""
    if "staged" not in g:
        flash(_("Choose a picture first."), "bad")
        return make_response(redirect(back))
    try:
        jpeg = pictures.drawn(gate.site(), g.staged)
        gate.site().run(uow.actor, lambda own: keep(own, jpeg), uow.origin)
        flash(_("The picture is kept."), "ok")
    except Invalid as error:
        flash(" ".join(error.fields.values()), "bad")
    except Conflict as error:
        flash(str(error), "bad")
    return make_response(redirect(back))


@section.page("/pictures/<uuid:uuid>", needs=pictures.NEEDS)
def one(uow: UnitOfWork, uuid: UUID) -> Response:
    """The picture itself, for whoever may see what it belongs to."""
    response = make_response(pictures.opened(uow, uuid))
    response.mimetype = "image/jpeg"
    response.headers["Cache-Control"] = "no-store"
    return response
