"""下载: what is taken away as a file."""

from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Response

from archive.gate import Section
from archive.policy.permissions import P
from archive.services import downloads
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("downloads", __name__)


@section.page("/a/<slugs:path>/@@pdf", needs=P.DOWNLOAD, node="path")
def searchable(uow: UnitOfWork, node: "Node") -> Response:
    """All its pages as one PDF in which words are found, sent as it is made."""
    made = downloads.searchable(uow, node)
    response = Response(made.pieces, mimetype="application/pdf")
    # An archival number has a · in it, which a header says in bytes of UTF-8 or not at all.
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(made.filename)}"
    return response
