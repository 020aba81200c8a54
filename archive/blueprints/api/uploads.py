"""Uploads: a file into a node that is there, or one that is made for it."""

import json
from typing import Any

from flask import g, request

from archive.blueprints.api import shapes
from archive.blueprints.api.nodes import as_reference
from archive.blueprints.api.operation import operation
from archive.blueprints.api.section import section
from archive.errors import Invalid
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import intake, tree
from archive.uow import UnitOfWork


@operation(
    section, "/uploads", needs=P.SCAN_UPLOAD, method="POST", gives=shapes.Uploaded, takes="multipart/form-data", status=201,
    file="file",
)  # fmt: skip
def upload(uow: UnitOfWork) -> shapes.Uploaded:
    """Multipart `file`, and either `node` (adds a representation) or `parent`, `type`, `title`, `fields` (makes a node)."""
    if "staged" not in g:
        raise Invalid(_("Send the file as the part named file."))
    node = _target(uow)
    _representation, job = intake.upload(uow, node, g.staged, filename=g.filename)
    return shapes.Uploaded(uuid=str(node.uuid), url=f"/r/{node.uuid}", job=str(job.uuid))


def _target(uow: UnitOfWork) -> Any:
    form = request.form
    if "node" in form:
        return uow.node(as_reference(form["node"]))
    try:
        fields = json.loads(form.get("fields") or "{}")
    except ValueError as error:
        raise Invalid(_("The part named fields is no JSON object.")) from error
    if not isinstance(fields, dict):
        raise Invalid(_("The part named fields is no JSON object."))
    if form.get("title"):
        fields.setdefault("title", form["title"])
    parent = uow.node(as_reference(form.get("parent", "")))
    return tree.add(uow, parent, kind=form.get("type", ""), fields=fields)
