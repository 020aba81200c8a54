"""The API for programs: /api/v1, bearer tokens, JSON; the same services as the pages."""

from flask import Response, jsonify, make_response

from archive.blueprints.api import audit, description, jobs, nodes, requests, search, uploads
from archive.blueprints.api.operation import JSON, operation
from archive.blueprints.api.section import PREFIX, section
from archive.gate import PUBLIC
from archive.uow import UnitOfWork


@operation(section, "/openapi.json", needs=PUBLIC, gives=(JSON,))
def openapi(_uow: UnitOfWork) -> Response:
    """This description."""
    return make_response(jsonify(description.document(PREFIX)))


__all__ = ["audit", "jobs", "nodes", "requests", "search", "section", "uploads"]
