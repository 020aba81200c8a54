"""Whether the archive is well: for a supervisor, without a name of anything in it."""

from flask import Response, jsonify, make_response

from archive import gate
from archive.gate import PUBLIC, Section
from archive.services import health
from archive.uow import UnitOfWork

section = Section("health", __name__)


@section.page("/healthz", needs=PUBLIC)
def healthz(uow: UnitOfWork) -> Response:
    state = health.check(gate.site(), uow)
    return make_response(jsonify(state.as_json()), 503 if state.status == "down" else 200)
