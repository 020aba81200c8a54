"""所借部件: the components of a record that an e-reading is of; none named means the whole record."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from archive.errors import Conflict, Forbidden, Invalid
from archive.i18n import _, ngettext
from archive.models import Node, Request, RequestPart
from archive.policy.lending import EREAD
from archive.policy.permissions import P
from archive.policy.types import INHERITING
from archive.services import approvals, components, policies
from archive.sight import NodeView, views
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "request parts", "synchronize_session": False}


@dataclass(frozen=True)
class Part:
    """One component as whoever asks or decides reads it: its kind and how many pages, and no word of it."""

    uuid: str
    label: str
    href: str | None


def choices(uow: UnitOfWork, node: Node) -> list[Part]:
    """The components of a record that have pages and may be asked for; none that is more sensitive than the record."""
    return _told(uow, _below(uow, node))


def _below(uow: UnitOfWork, node: Node) -> list[Node]:
    if node.type in INHERITING:
        return []
    items = uow.nodes(P.REQUEST_CREATE).where(
        Node.parent_id == node.id,
        Node.type.in_(sorted(INHERITING)),
        Node.page_count > 0,
        Node.level <= node.level,
    )
    found: list[Node] = uow.list(items.order_by(Node.position, Node.id))
    return found


def _told(uow: UnitOfWork, nodes: Iterable[Node]) -> list[Part]:
    words = policies.vocabulary(uow, "component")
    return [
        Part(view.uuid, _label(view, words), view.href if P.DISCOVER in view.may else None)
        for view in views(uow, nodes)
    ]


def _label(view: NodeView, words: dict[str, str]) -> str:
    return f"{components.called(view, words)} ({ngettext('%(num)d page', '%(num)d pages', view.page_count)})"


def chosen(uow: UnitOfWork, node: Node, kind: str, refs: Collection[str]) -> list[Node]:
    """The components that somebody has ticked, all or none meaning the whole record. Raises Invalid, field by field."""
    if not refs:
        return []
    if kind != EREAD:
        raise Invalid(
            fields={
                "parts": _("Components are chosen for reading on the screen. Paper goes out by the volume.")
            }
        )
    below = _below(uow, node)
    found = [one for one in below if str(one.uuid) in refs]
    if len(found) != len(set(refs)):
        raise Invalid(fields={"parts": _("Some of these are not there any more. Choose again.")})
    return found


def keep(uow: UnitOfWork, request: Request, nodes: Sequence[Node]) -> None:
    """Part of an act: writes down of which components a request is."""
    uow.session.add_all(RequestPart(request_id=request.id, node_id=one.id) for one in nodes)
    if nodes:
        uow.note(parts=[str(one.uuid) for one in nodes])


def nodes_of(uow: UnitOfWork, request: Request, node: Node) -> list[Node]:
    """Part of an act: what a granted reading opens: its components, or the record. Raises Conflict where none is left there."""
    named = select(RequestPart.node_id).where(RequestPart.request_id == request.id)
    if uow.session.scalar(named.limit(1)) is None:
        return [node]
    rows = select(Node).where(Node.id.in_(named), Node.path >= node.path, Node.path < node.path_end)
    found = list(uow.session.scalars(rows.order_by(Node.id), execution_options=TRUSTED))
    if not found:
        raise Conflict(_("The components that were asked for are no longer there. Ask again."))
    return found


def of(uow: UnitOfWork, request: Request) -> list[Part]:
    """Of which components a request is that the actor has come by through `slips`."""
    rows = (
        select(Node)
        .join(RequestPart, RequestPart.node_id == Node.id)
        .where(RequestPart.request_id == request.id)
    )
    return _told(
        uow, uow.session.scalars(rows.order_by(Node.position, Node.id), execution_options=TRUSTED).all()
    )


def _node(uow: UnitOfWork, request: Request) -> Node:
    return uow.session.get_one(Node, request.node_id, execution_options=TRUSTED)


def to_narrow(uow: UnitOfWork, request: Request) -> list[Part]:
    """From what whoever decides may choose less: what was asked for, of a whole record all its components."""
    node = _node(uow, request)
    if not _may_narrow(uow, request, node):
        return []
    asked = of(uow, request)
    if asked:
        return asked if len(asked) > 1 else []
    below = uow.nodes(P.REQUEST_DECIDE).where(
        Node.parent_id == node.id,
        Node.type.in_(sorted(INHERITING)),
        Node.page_count > 0,
        Node.level <= node.level,
    )
    return _told(uow, uow.list(below.order_by(Node.position, Node.id)))


def _may_narrow(uow: UnitOfWork, request: Request, node: Node) -> bool:
    return (
        request.kind == EREAD and request.state == "requested" and approvals.decides(uow, request, node)
    )  # fmt: skip


@action("request.narrowed", needs=P.REQUEST_DECIDE)
def narrow(uow: UnitOfWork, request: Request, refs: Collection[str]) -> None:
    """Whoever decides leaves some components out. Raises Forbidden, Invalid where none or others are ticked."""
    node = _node(uow, request)
    uow.about(node)
    uow.session.refresh(request, with_for_update=True)
    if not _may_narrow(uow, request, node):
        raise Forbidden
    left = {part.uuid for part in to_narrow(uow, request)} & set(refs)
    if not left or len(left) != len(set(refs)):
        raise Invalid(fields={"parts": _("Tick the components that may be read.")})
    nodes = select(Node).where(Node.uuid.in_([UUID(ref) for ref in left])).order_by(Node.id)
    kept = uow.session.scalars(nodes, execution_options=TRUSTED).all()
    uow.session.execute(
        delete(RequestPart).where(RequestPart.request_id == request.id), execution_options=TRUSTED
    )
    keep(uow, request, kept)
    request.version += 1
    uow.note(number=request.number)
