"""Where a node lies: carrying a branch to another place, hanging a row below another, the next position among items."""

from typing import Any

from sqlalchemy import delete, func, select, update

from archive import classes
from archive.models import AccessGrant, Node, NodeAlias, Request, RequestPart, base32
from archive.policy.lending import EREAD
from archive.policy.types import INHERITING
from archive.services import branches, reindexing
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "placing", "synchronize_session": False}


def relocate(uow: UnitOfWork, node: Node, to: Node) -> None:
    """Part of an act: carries a branch below `to`, where it lives by the rights of its new place."""
    uow.note(parent=[node.parent_id, to.id])
    reindexing.file_above(uow, node)
    old, new, deeper = node.path, f"{to.path}{base32(node.id)}/", to.depth + 1 - node.depth
    uow.session.execute(
        update(Node)
        .where(Node.path >= old, Node.path < node.path_end)
        .values(path=new + func.substr(Node.path, len(old) + 1), depth=Node.depth + deeper),
        execution_options=TRUSTED,
    )
    hang(uow, node, to)
    branches.carry_closed(uow, old, new)
    # Whoever has still to catch up with an earlier change below was told of the old paths.
    classes.announce(uow.session, node.path, node.path_end)
    branches.reclassify(uow, node)
    reindexing.with_items(uow, node)
    reindexing.file_above(uow, node)


def hang(uow: UnitOfWork, node: Node, to: Node) -> None:
    """Hangs one row below another: its parent, a slug that is free there; and an item takes what it has from its file."""
    _leave_address(uow, node)
    place: dict[str, Any] = {
        "parent_id": to.id, "slug": _free_slug(uow, node, to), "version": Node.version + 1,
        "updated_at": uow.now, "updated_by": uow.actor.principal_id,
    }  # fmt: skip
    if node.type in INHERITING:
        life = {"state": to.state, "dept_id": to.dept_id, "year": to.year}
        place |= life | {"position": next_position(uow, to)}
        _end_readings(uow, node)
    uow.session.execute(update(Node).where(Node.id == node.id).values(place), execution_options=TRUSTED)
    uow.session.refresh(node)


def _end_readings(uow: UnitOfWork, item: Node) -> None:
    """Who was granted a component of one record was not granted it as a part of another: there it is asked for anew."""
    asked = select(Request.number).join(RequestPart, RequestPart.request_id == Request.id)
    mine = AccessGrant.ref.in_(asked.where(RequestPart.node_id == item.id))
    here = (AccessGrant.node_id == item.id, AccessGrant.cause == EREAD, AccessGrant.valid_until > uow.now)
    ended = update(AccessGrant).where(*here, mine).values(valid_until=uow.now)
    uow.session.execute(ended, execution_options=TRUSTED)


def _leave_address(uow: UnitOfWork, node: Node) -> None:
    """Links to where it lay go on working."""
    here = (NodeAlias.parent_id == node.parent_id, NodeAlias.slug == node.slug)
    uow.session.execute(delete(NodeAlias).where(*here), execution_options=TRUSTED)
    uow.session.add(NodeAlias(parent_id=node.parent_id, slug=node.slug, node_id=node.id))


def _free_slug(uow: UnitOfWork, node: Node, to: Node) -> str:
    """The slug, which below `to` may be another's already: numbers count anew in each series."""
    taken = select(Node.id).where(Node.parent_id == to.id, Node.slug == node.slug, Node.id != node.id)
    if uow.session.scalar(taken, execution_options=TRUSTED) is None:
        return node.slug
    return f"{node.slug}-{base32(node.id).lstrip('0')}"


def next_position(uow: UnitOfWork, parent: Node) -> int:
    """The place after the last item of a file."""
    last = select(func.max(Node.position)).where(Node.parent_id == parent.id)
    return (uow.session.scalar(last, execution_options=TRUSTED) or 0) + 1
