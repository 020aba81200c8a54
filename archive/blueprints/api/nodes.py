"""Nodes: what they are, their pages, their milestones and steps."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response, g, make_response

from archive.blueprints.api import shapes
from archive.blueprints.api.operation import operation
from archive.blueprints.api.section import section
from archive.errors import Invalid
from archive.i18n import _
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.services import holdings, pages, records, retention, steps, tree
from archive.sight import NodeView, parent_of
from archive.uow import SIGNED_IN, UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

OPENED = "tree_view.viewed"
"""The event of the page of a node: whoever asks who has opened a record finds programs too."""


def shown(uow: UnitOfWork, node: "Node") -> shapes.Node:
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


def _carriers(uow: UnitOfWork, node: "Node") -> list[shapes.Carrier]:
    if not uow.can(P.HOLDING_VIEW, node):
        return []
    return [
        shapes.Carrier(
            barcode=volume.barcode, status=volume.status.name, place=volume.place, sheets=volume.sheets
        )
        for volume in holdings.volumes(uow, node)
    ]


@operation(section, "/nodes", needs=SIGNED_IN, gives=shapes.Node, query=shapes.ByPath, event=OPENED)
def by_path(uow: UnitOfWork, asked: shapes.ByPath) -> shapes.Node:
    """The node at a path of slugs, such as /h001/zy-bl."""
    g.node = uow.node(asked.path.strip("/") or "/")
    return shown(uow, g.node)


@operation(section, "/nodes/<uuid:uuid>", needs=P.DISCOVER, node="uuid", gives=shapes.Node, event=OPENED)
def by_uuid(uow: UnitOfWork, node: "Node") -> shapes.Node:
    """One node: its fields at the tiers that the holder of the token has, what may be added, its steps."""
    return shown(uow, node)


@operation(
    section, "/nodes/<uuid:uuid>/pages/<int:number>", needs=P.READ, node="uuid", gives=("image/jpeg", "text/plain"),
    query=shapes.PageAsked, event="page.text_viewed",
)  # fmt: skip
def page(uow: UnitOfWork, node: "Node", number: int, asked: shapes.PageAsked) -> Response:
    """A page as an image, or with format=text its text."""
    if asked.format == "text":
        g.reading_words = {"page": number}
        response = make_response(pages.one(uow, node, number).text)
        response.mimetype = "text/plain"
        return response
    # The picture leaves an event of its own, page.viewed, in place of the one above.
    response = make_response(pages.image(uow, node, number, width=asked.width))
    response.mimetype = "image/jpeg"
    return response


@operation(
    section, "/nodes/<uuid:uuid>/transitions/<name>", needs=P.DISCOVER, node="uuid", method="POST", gives=shapes.Node,
    takes=shapes.Reasoned, matches=True,
)  # fmt: skip
def take_step(
    uow: UnitOfWork, node: "Node", name: str, body: shapes.Reasoned, version: int | None
) -> shapes.Node:
    """Takes a step of the workflow. If-Match may carry the version that was seen."""
    return shown(uow, steps.take(uow, node, name, version=version, reason=body.reason))


@operation(
    section, "/nodes/<uuid:uuid>/milestones", needs=P.EDIT, node="uuid", method="POST", gives=shapes.Node,
    takes=shapes.Milestone,
)  # fmt: skip
def reach(uow: UnitOfWork, node: "Node", body: shapes.Milestone) -> shapes.Node:
    """Marks a step of a track as done: signed in, arranged, bound … The first date is kept for ever."""
    records.mark(uow, node, track=body.track, step=body.step)
    return shown(uow, node)


@operation(
    section, "/nodes/<uuid:uuid>/retention", needs=P.EDIT_CLASSIFICATION, node="uuid", method="POST", gives=shapes.Node,
    takes=shapes.Retention, matches=True,
)  # fmt: skip
def change_retention(
    uow: UnitOfWork, node: "Node", body: shapes.Retention, version: int | None
) -> shapes.Node:
    """Gives a numbered node another retention period; its number and series stay."""
    return shown(uow, retention.change(uow, node, rule=body.retention, reason=body.reason, version=version))


@operation(section, "/nodes", needs=P.ADD, method="POST", gives=shapes.Node, takes=shapes.Added, status=201)
def add(uow: UnitOfWork, body: shapes.Added) -> shapes.Node:
    """Adds a node without a file. In a category it goes into the series of its year."""
    return shown(uow, added(uow, parent=body.parent, kind=body.type, title=body.title, fields=body.fields))


def added(uow: UnitOfWork, *, parent: str, kind: str, title: str | None, fields: Mapping[str, Any]) -> Any:
    """A new node. A title counts where the type is given one; that of a medical record is made by the archive."""
    above = uow.node(as_reference(parent))
    typed = {field.name for field in TYPES[kind].typed} if kind in TYPES else set(fields)
    if unknown := set(fields) - typed:
        raise Invalid(fields={name: _("There is no such field here.") for name in unknown})
    named = {"title": title} if title and "title" in typed else {}
    return tree.add(uow, above, kind=kind, fields={**named, **fields})


def as_reference(text: str) -> UUID | str:
    """A uuid, or a path of slugs."""
    try:
        return UUID(text)
    except ValueError:
        return text.strip("/")
