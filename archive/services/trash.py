"""回收站: drafts that are put away, what lies there, and taking it out again. What is archived leaves only by disposal."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from archive import cursor
from archive.errors import ArchiveError, Conflict
from archive.i18n import _
from archive.models import AuditEvent, Node, Principal
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.policy.types import INHERITING
from archive.services import branches, guards, listing, policies, records, staying, typed
from archive.services.intake import file_of
from archive.sight import NodeView, views
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "trash", "synchronize_session": False}
PAGE = 50


@action("node.trashed", needs=P.TRASH)
def trash(uow: UnitOfWork, node: Node) -> None:
    """Puts a draft into the trash. Raises Conflict for what is archived, or a folder that is not empty."""
    for one in (file_of(uow, node), node):  # else it might be sealed at this very moment
        uow.lock(one)
    if refusal := refused(uow, node):
        raise Conflict(refusal)
    _lay(uow, node, uow.now, Overlay.TRASHED)
    if node.type in INHERITING:  # the item that was still without pages may have been this one
        records.link(uow, uow.session.get_one(Node, node.parent_id, execution_options=TRUSTED))


@action("node.restored", needs=P.TRASH)
def restore(uow: UnitOfWork, node: Node) -> None:
    """Takes a draft out of the trash. Raises Conflict for what does not lie there."""
    if node.trashed_at is None:
        raise Conflict(_("This does not lie in the trash any more."))
    _lay(uow, node, None, Overlay.NONE)


def _lay(uow: UnitOfWork, node: Node, moment: datetime | None, overlay: Overlay) -> None:
    """What lies in the trash leaves the index, and with it everything below it."""
    node.trashed_at, node.overlay_own = moment, int(overlay)
    uow.session.flush()
    branches.reclassify(uow, node)
    below = select(Node.id).where(*_branch(node))
    uow.enqueue_ids("index", list(uow.session.scalars(below, execution_options=TRUSTED)))


def _branch(node: Node) -> tuple[Any, Any]:
    return Node.path >= node.path, Node.path < node.path_end


def refused(uow: UnitOfWork, node: Node) -> str | None:
    """Why a node may not be put into the trash, or nothing."""
    if node.trashed_at is not None:
        return _("This lies in the trash already.")
    if node.workflow == "container" and branches.has_children(uow, node):
        return _("Only an empty folder is put into the trash. Move or trash first what lies in it.")
    if objection := staying.held(uow, node) or guards.not_being_scanned(uow, node):
        return objection
    if _is_archived(uow, node):
        return _("It has an archival number: what is archived leaves only by disposal.")
    return staying.bound(uow, node)


def _is_archived(uow: UnitOfWork, node: Node) -> bool:
    found = select(Node.id).where(*_branch(node), _archived(Node)).limit(1)
    return uow.session.scalar(found, execution_options=TRUSTED) is not None


def _archived(row: Any) -> Any:
    """What is archived. An item without a number was put away before its file was archived."""
    states = and_(row.type.not_in(INHERITING), row.state.in_(("archived", "correcting", "destroyed")))
    return or_(row.archival_no.is_not(None), states)


# How long, and what stays


def days(uow: UnitOfWork) -> int:
    """For how many days a draft lies in the trash, by the hospital's policy."""
    return int(policies.in_force(uow, "trash").body["limits"]["days"])


def deadline(uow: UnitOfWork) -> datetime:
    """Whatever was put into the trash before this moment is due to be deleted."""
    return uow.now - timedelta(days=days(uow))


def kept_for(uow: UnitOfWork, nodes: Sequence[Node]) -> dict[int, list[str]]:
    """Node id → why it stays though its days are over: people have to settle this first."""
    found = staying.reasons(uow, nodes)
    top, below = aliased(Node), aliased(Node)
    inside = (below.path >= top.path, below.path < func.substr(top.path, 1, func.length(top.path) - 1) + "0")
    archived = select(top.id).join(below, and_(*inside)).where(_archived(below)).distinct()
    mine = archived.where(top.id.in_([node.id for node in nodes]))
    for number in uow.session.scalars(mine, execution_options=TRUSTED):
        found.setdefault(number, []).append(_("It is archived."))
    return found


# The page


@dataclass(frozen=True)
class Row:
    """One draft in the trash: where it lay, who put it there, when it is deleted, or why it stays."""

    view: NodeView
    place: NodeView | None
    by: str
    since: datetime
    goes_at: datetime
    kept: list[str]


@dataclass(frozen=True)
class Trash:
    """回收站的一页."""

    rows: list[Row]
    total: int
    capped: bool
    next: str | None
    days: int


def lying(uow: UnitOfWork) -> Select[Any]:
    """What lies in the trash and the actor may restore; what lies in something that lies there comes with it."""
    parent = aliased(Node)
    return (
        uow.nodes(P.TRASH)
        .join(parent, parent.id == Node.parent_id)
        .where(Node.trashed_at.is_not(None), parent.overlay != int(Overlay.TRASHED))
    )


def contents(uow: UnitOfWork, after: str | None = None) -> Trash:
    """A page of the trash, what was put there last first."""
    found = lying(uow)
    onward = found
    if (place := cursor.unpack(uow.site.keys, "trash", after)) is not None:
        since, number = datetime.fromisoformat(str(place[0])), place[1]
        onward = found.where(or_(Node.trashed_at < since, and_(Node.trashed_at == since, Node.id < number)))
    nodes = uow.list(onward.order_by(Node.trashed_at.desc(), Node.id.desc()).limit(PAGE + 1))
    last = nodes[PAGE - 1] if len(nodes) > PAGE else None
    total = listing.count(uow, found)
    more = cursor.pack(uow.site.keys, "trash", [last.trashed_at.isoformat(), last.id]) if last else None
    rows = _rows(uow, nodes[:PAGE])
    return Trash(rows, min(total, listing.CAP), total > listing.CAP, more, days(uow))


def _rows(uow: UnitOfWork, nodes: list[Node]) -> list[Row]:
    by, keep, kept = _by(uow, nodes), timedelta(days=days(uow)), kept_for(uow, nodes)
    above = uow.nodes(P.DISCOVER).where(Node.id.in_({node.parent_id for node in nodes}))
    places = {view.id: view for view in views(uow, uow.list(above))}
    return [
        Row(view, places.get(node.parent_id), by.get(node.id, ""), node.trashed_at, node.trashed_at + keep,
            kept.get(node.id, []))
        for node, view in zip(nodes, views(uow, nodes), strict=True)
        if node.trashed_at is not None
    ]  # fmt: skip


def _by(uow: UnitOfWork, nodes: list[Node]) -> dict[int, str]:
    """Node id → who put it there last, from the journal."""
    mine = and_(AuditEvent.object_kind == "node", AuditEvent.object_id.in_([node.id for node in nodes]))
    last = select(func.max(AuditEvent.id)).where(mine, AuditEvent.action == "node.trashed")
    rows = uow.session.execute(
        select(AuditEvent.object_id, AuditEvent.actor, Principal.name)
        .outerjoin(Principal, Principal.id == AuditEvent.actor_id)
        .where(AuditEvent.id.in_(last.group_by(AuditEvent.object_id)))
    )
    return {number: name or actor for number, actor, name in rows if number is not None}


@dataclass(frozen=True)
class Outcome:
    """What became of several: those that are back, and for each that is not, why."""

    done: list[NodeView] = field(default_factory=list)
    refused: list[tuple[NodeView, str]] = field(default_factory=list)


def restore_several(uow: UnitOfWork, uuids: list[str]) -> Outcome:
    """Restores each on its own: what is refused says why, and the others come back."""
    wanted = lying(uow).where(Node.uuid.in_(typed.known(uuids)))
    outcome = Outcome()
    for node in uow.list(wanted.order_by(Node.id)):
        try:
            with uow.session.begin_nested():
                restore(uow, node)
            outcome.done.append(NodeView(uow, node))
        except ArchiveError as refusal:
            outcome.refused.append((NodeView(uow, node), str(refusal)))
    return outcome
