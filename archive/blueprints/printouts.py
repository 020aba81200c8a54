"""打印件: a stamped copy of what is open for reading, sent as it is made."""

from uuid import UUID

from flask import Response, flash, make_response, redirect, url_for

from archive.errors import Conflict
from archive.gate import SIGNED_IN, Section, site
from archive.services import printouts, slips
from archive.uow import UnitOfWork

section = Section("printouts", __name__)


@section.page("/requests/<uuid:uuid>/copy", needs=SIGNED_IN, methods=("POST",), ahead=True)
def take(uow: UnitOfWork, uuid: UUID) -> Response:
    """The number is given, and the journal told, before the first byte leaves."""
    slips.one(uow, uuid)
    try:
        copy = site().run(uow.actor, lambda mine: printouts.take(mine, slips.one(mine, uuid)), uow.origin)
    except Conflict as error:
        flash(str(error), "bad")
        return make_response(redirect(url_for("requests.one", uuid=uuid)))
    response = Response(printouts.file(site(), uow.actor, copy), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f"attachment; filename={copy.number}.pdf"
    return response
