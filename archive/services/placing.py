"""Where a node lies: carrying a branch to another place, and the next position among items."""

from typing import Any

from sqlalchemy import delete, func, select, update

from archive import classes
from archive.models import ClosedBranch, Node, base32
from archive.policy.types import INHERITING
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "placing", "synchronize_session": False}


def relocate(uow: UnitOfWork, node: Node, to: Node) -> None:
    """Part of an act: carries a branch below `to`, where it lives by the rights of its new place."""
    uow.note(parent=[node.parent_id, to.id])
    # What is below needs no closing any more: all of it is classified here.
    uow.session.execute(
        delete(ClosedBranch).where(
            ClosedBranch.path_from >= node.path, ClosedBranch.path_from < node.path_end
        )
    )
    _carry(uow, node, to)
    classes.classify_branch(uow.session, node)
    classes.expand_below(uow.session, node)
    uow.session.refresh(node)
    uow.enqueue("index", node)


def _carry(uow: UnitOfWork, node: Node, to: Node) -> None:
    """Gives a branch its new place: parent, paths, depths; and an item what it takes from its file."""
    old, new, deeper = node.path, f"{to.path}{base32(node.id)}/", to.depth + 1 - node.depth
    place: dict[str, Any] = {
        "parent_id": to.id,
        "slug": _free_slug(uow, node, to),
        "version": Node.version + 1,
    }
    if node.type in INHERITING:
        place |= {
            "state": to.state,
            "dept_id": to.dept_id,
            "year": to.year,
            "position": next_position(uow, to),
        }
    uow.session.execute(
        update(Node)
        .where(Node.path >= old, Node.path < node.path_end)
        .values(path=new + func.substr(Node.path, len(old) + 1), depth=Node.depth + deeper),
        execution_options=TRUSTED,
    )
    uow.session.execute(update(Node).where(Node.id == node.id).values(place), execution_options=TRUSTED)
    uow.session.refresh(node)


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
