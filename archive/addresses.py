"""How a node is named: by its id, its uuid, or the slugs along its path, the old ones too."""

from threading import local
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session, aliased

from archive.models import ROOT_ID, Node, NodeAlias


def locate(ref: int | UUID | str) -> Select[Any]:
    """The node of an id, a uuid or a path of slugs, whether or not anybody may know of it; by a path, its ancestors
    stand beside it, the nearest first.
    """
    if isinstance(ref, int):
        return select(Node).where(Node.id == ref)
    if isinstance(ref, UUID):
        return select(Node).where(Node.uuid == ref)
    return _by_slugs(_parts(ref))


def renamed(session: Session, path: str) -> Node | None:
    """The last slug may be the one from before the archival number was given, or from where the node lay before."""
    *above, last = _parts(path) or [""]
    parent = session.scalar(_by_slugs(above), execution_options={"scope": "node"})
    if parent is None:
        return None
    found = (
        select(Node)
        .join(NodeAlias, NodeAlias.node_id == Node.id)
        .where(NodeAlias.parent_id == parent.id, NodeAlias.slug == last)
    )
    return session.scalar(found, execution_options={"scope": "node"})


def _parts(path: str) -> list[str]:
    return [part for part in path.strip("/").split("/") if part]


def _by_slugs(slugs: list[str]) -> Select[Any]:
    """The node of a path, and its ancestors up to the fonds.

    Resolved with self-joins: a recursive query joined to VALUES fails on SQLite.
    """
    if not slugs:
        return select(Node).where(Node.id == ROOT_ID)
    statement: Select[Any] = select(Node)
    child: Any = Node
    for above, slug in enumerate(reversed(slugs[1:])):
        parent = _ANCESTORS.one(above)
        statement = statement.add_columns(parent).join(parent, parent.id == child.parent_id)
        statement = statement.where(child.slug == slug)
        child = parent
    return statement.where(and_(child.slug == slugs[0], child.parent_id == ROOT_ID, child.id != ROOT_ID))


class _Ancestors(local):
    """An alias of a node for each step upwards, kept: to work out the columns of new ones takes seven times as long.

    Each thread has its own. SQLAlchemy fills an alias while it is used; two threads that do so at once may leave columns out,
    and the statement is kept compiled as it was: nothing at that depth would be found ever after.
    """

    def __init__(self) -> None:
        self._kept: list[Any] = []

    def one(self, above: int) -> Any:
        while len(self._kept) <= above:
            self._kept.append(aliased(Node))
        return self._kept[above]


_ANCESTORS = _Ancestors()
