"""Nodes: what they are, their pages, their steps."""

from typing import Any
from uuid import UUID

from flask import Response, make_response, request

from archive.blueprints.api import shapes
from archive.blueprints.api.operation import operation
from archive.blueprints.api.section import section
from archive.errors import Invalid
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import holdings, pages, steps, tree
from archive.sight import NodeView, parent_of
from archive.uow import UnitOfWork


def shown(uow: UnitOfWork, node: Any) -> shapes.Node:
    """A node as the actor sees it."""
    seen, parent = NodeView(uow, node), parent_of(uow, node)
    return shapes.Node(
        uuid=seen.uuid, type=node.type, path=seen.href.removeprefix("/a"), url=f"/r/{seen.uuid}",
        parent=parent.uuid if parent else None, archival_no=seen.number, title=seen.title, state=seen.state.name,
        level=seen.level, version=seen.version, page_count=seen.page_count,
        fields={shown.field.name: shown.value for shown in seen.fields if shown.field.column != "title"},
        addable=[kind.name for kind in tree.addable(uow, node)], carriers=_carriers(uow, node),
        transitions=[shapes.Transition(name=o.step.name, title=str(o.step.title), blocked=o.reasons)
                     for o in steps.offers(uow, node)],
    )  # fmt: skip


def _carriers(uow: UnitOfWork, node: Any) -> list[shapes.Carrier]:
    if not uow.can(P.HOLDING_VIEW, node):
        return []
    return [
        shapes.Carrier(barcode=volume.barcode, status=str(volume.status), place=volume.place, sheets=volume.sheets)
        for volume in holdings.volumes(uow, node)
    ]


@operation(section, "/nodes", needs=P.DISCOVER, gives=shapes.Node, query=("path",))
def by_path(uow: UnitOfWork) -> shapes.Node:
    """The node at a path of slugs, such as /h001/zy-bl."""
    return shown(uow, uow.node(request.args.get("path", "").strip("/") or "/"))


@operation(section, "/nodes/<uuid:uuid>", needs=P.DISCOVER, node="uuid", gives=shapes.Node)
def by_uuid(uow: UnitOfWork, node: Any) -> shapes.Node:
    """One node: its fields at the tiers that the holder of the token has, what may be added, its steps."""
    return shown(uow, node)


@operation(
    section, "/nodes/<uuid:uuid>/pages/<int:number>", needs=P.READ, node="uuid", gives="image/jpeg",
    query=("format", "width"),
)  # fmt: skip
def page(uow: UnitOfWork, node: Any, number: int) -> Response:
    """A page as an image, or with format=text its text."""
    if request.args.get("format") == "text":
        response = make_response(pages.one(uow, node, number).text)
        response.mimetype = "text/plain"
        return response
    response = make_response(pages.image(uow, node, number, width=request.args.get("width", type=int)))
    response.mimetype = "image/jpeg"
    return response


@operation(
    section, "/nodes/<uuid:uuid>/transitions/<name>", needs=P.DISCOVER, node="uuid", method="POST", gives=shapes.Node,
    takes=shapes.Step,
)  # fmt: skip
def take_step(uow: UnitOfWork, node: Any, name: str) -> shapes.Node:
    """Takes a step of the workflow. If-Match may carry the version that was seen."""
    version = request.headers.get("If-Match", "").strip('"')
    body = request.get_json(silent=True) or {}
    if version and not version.isdigit():
        raise Invalid(_("If-Match carries the version number of the node."))
    steps.take(uow, node, name, version=int(version) if version else None, reason=body.get("reason"))
    return shown(uow, node)


@operation(section, "/nodes", needs=P.ADD, method="POST", gives=shapes.Node, takes="application/json", status=201)
def add(uow: UnitOfWork) -> shapes.Node:
    """Adds a node without a file: `parent` (uuid or path), `type`, `fields`."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not {"parent", "type"} <= set(body):
        raise Invalid(_("The request body is not as described in openapi.json."))
    parent = uow.node(as_reference(str(body["parent"])))
    return shown(uow, tree.add(uow, parent, kind=str(body["type"]), fields=dict(body.get("fields") or {})))


def as_reference(text: str) -> Any:
    """A uuid, or a path of slugs."""
    try:
        return UUID(text)
    except ValueError:
        return text.strip("/")
