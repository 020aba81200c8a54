"""What the drop zone is told of a file, whichever way it came."""

from typing import Any
from uuid import UUID

from flask import Response, jsonify, url_for

from archive.i18n import _
from archive.services.arrivals import PIECE
from archive.services.intake import AlreadyHere


def pieces(kind: str, target: UUID) -> dict[str, Any]:
    """What forms.dropzone needs to send large files in pieces to a target of `services/targets.py`."""
    return {"address": url_for("arrivals.begin"), "kind": kind, "target": str(target), "size": PIECE}


def taken(job: UUID | None) -> Response:
    """It was taken in, and the job makes its pages."""
    href = url_for("jobs.card", uuid=job) if job else None
    return jsonify(state="wait", text=text(), href=href)


def text() -> str:
    return _("Received. Its pages are being made.")


def here(error: AlreadyHere) -> Response:
    """Not a refusal: whoever drops a whole folder again wants to know what was new in it."""
    return jsonify(state="here", text=str(error))
