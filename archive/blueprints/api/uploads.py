"""Uploads: a file into a node that is there, or one that is made for it."""

import json
from typing import Any

from flask import g

from archive.blueprints.api import shapes
from archive.blueprints.api.nodes import added, as_reference
from archive.blueprints.api.operation import FORM, operation
from archive.blueprints.api.section import section
from archive.errors import Invalid
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import intake
from archive.services.scanning import batches, files
from archive.uow import UnitOfWork


@operation(
    section, "/uploads", needs=P.SCAN_UPLOAD, method="POST", gives=shapes.Uploaded, takes=shapes.Upload, media=FORM,
    status=201, file="file",
)  # fmt: skip
def upload(uow: UnitOfWork, body: shapes.Upload) -> shapes.Uploaded:
    """Multipart `file`, and either `node` (a file more) or `parent`, `type`, `title`, `fields` (a new node)."""
    if "staged" not in g:
        raise Invalid(fields={"file": _("Send the file as the part named file.")})
    node = _target(uow, body)
    _representation, job = intake.upload(uow, node, g.staged, filename=g.filename)
    return shapes.Uploaded(uuid=str(node.uuid), url=f"/r/{node.uuid}", job=str(job.uuid))


@operation(
    section, "/batches/<number>/files", needs=P.SCAN_UPLOAD, method="POST", gives=shapes.Accepted, takes=shapes.Pile,
    media=FORM, status=202, file="file",
)  # fmt: skip
def pile(uow: UnitOfWork, body: shapes.Pile, number: str) -> shapes.Accepted:
    """Multipart `file`: a file of the pile of a batch that is being scanned; its pages find their records by themselves."""
    if "staged" not in g:
        raise Invalid(fields={"file": _("Send the file as the part named file.")})
    batch = batches.find(uow, number, pages=True)
    _file, job = files.take(uow, batch, g.staged, filename=g.filename, device=body.device or "")
    return shapes.Accepted(job=str(job.uuid))


def _target(uow: UnitOfWork, body: shapes.Upload) -> Any:
    if (body.node is None) == (body.parent is None):
        raise Invalid(_("Say either node, for a file more, or parent and type, for a new one."))
    if body.node is not None:
        return uow.node(as_reference(body.node))
    return added(
        uow, parent=body.parent or "", kind=body.type or "", title=body.title, fields=_fields(body.fields)
    )


def _fields(text: str | None) -> dict[str, Any]:
    try:
        fields = json.loads(text or "{}")
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise Invalid(fields={"fields": _("The part named fields is no JSON object.")})
    return fields
