"""The API for programs: /api/v1, bearer tokens, JSON; the same services as the pages."""

from flask import Response, jsonify, make_response

from archive.blueprints.api import jobs, nodes, operation, requests, uploads
from archive.blueprints.api.section import PREFIX, section
from archive.gate import PUBLIC
from archive.uow import UnitOfWork


@section.page("/openapi.json", needs=PUBLIC)
def openapi(_uow: UnitOfWork) -> Response:
    return make_response(jsonify(operation.document(PREFIX)))


__all__ = ["jobs", "nodes", "requests", "section", "uploads"]
