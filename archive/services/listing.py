"""What lies in a folder: one page at a time, by keyset, over what the actor may discover."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, and_, func, or_, select

from archive import cursor
from archive.models import Node
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.sight import NodeView, views
from archive.uow import UnitOfWork

PAGE = 50
CAP = 1_000

SORTS: dict[str, tuple[Any, ...]] = {
    "position": (Node.position, Node.id),
    "number": (Node.slug, Node.id),
    "updated": (Node.updated_at, Node.id),
}
"""Every sort ends in the id, and sorts only by what the tier discover may know: an order discloses too."""
DESCENDING = frozenset({"updated"})


@dataclass(frozen=True)
class Filters:
    """筛选: what a folder is narrowed to."""

    state: str | None = None
    type: str | None = None
    year: int | None = None
    dept: int | None = None
    trashed: bool = False


@dataclass(frozen=True)
class Listing:
    """One page of a folder. `total` is honest up to the cap."""

    rows: list[NodeView]
    total: int
    capped: bool
    next: str | None
    sort: str
    filters: Filters = field(default_factory=Filters)


def contents(uow: UnitOfWork, folder: Node, *, sort: str = "position", after: str | None = None,
             filters: Filters | None = None) -> Listing:  # fmt: skip
    """The children of `folder` that the actor may discover."""
    sort = sort if sort in SORTS else "position"
    chosen = filters or Filters()
    within = _narrowed(uow.nodes(P.DISCOVER).where(Node.parent_id == folder.id, Node.id != folder.id), chosen)
    purpose = f"folder:{folder.id}:{sort}"
    found = uow.list(_page(within, sort, cursor.unpack(uow.site.keys, purpose, after)))
    more = len(found) > PAGE
    rows = found[:PAGE]
    onward = (
        cursor.pack(uow.site.keys, purpose, [_value(rows[-1], key) for key in SORTS[sort]]) if more else None
    )
    total = count(uow, within)
    return Listing(views(uow, rows), min(total, CAP), total > CAP, onward, sort, chosen)


def _value(node: Node, column: Any) -> Any:
    return getattr(node, column.key)


def _narrowed(statement: Select[Any], filters: Filters) -> Select[Any]:
    wanted = {
        Node.state: filters.state,
        Node.type: filters.type,
        Node.year: filters.year,
        Node.dept_id: filters.dept,
    }
    for column, value in wanted.items():
        if value:
            statement = statement.where(column == value)
    trashed = Node.overlay == int(Overlay.TRASHED)
    return statement.where(trashed if filters.trashed else ~trashed)


def _page(statement: Select[Any], sort: str, after: list[Any] | None) -> Select[Any]:
    first, last = SORTS[sort]
    down = sort in DESCENDING
    if after is not None:
        value, number = after
        beyond = first < value if down else first > value
        further = last < number if down else last > number
        statement = statement.where(or_(beyond, and_(first == value, further)))
    order = (first.desc(), last.desc()) if down else (first, last)
    return statement.order_by(*order).limit(PAGE + 1)


def count(uow: UnitOfWork, statement: Select[Any]) -> int:
    """How many rows, counted no further than the cap and one."""
    few = statement.with_only_columns(Node.id).order_by(None).limit(CAP + 1).subquery()
    counting = select(func.count()).select_from(few).execution_options(scope="count")
    return uow.session.scalar(counting) or 0


def newest(uow: UnitOfWork, most: int = 50) -> list[NodeView]:
    """The nodes last added that the actor may discover."""
    statement = uow.nodes(P.DISCOVER).where(
        Node.workflow != "container", Node.overlay != int(Overlay.TRASHED)
    )
    return views(uow, uow.list(statement.order_by(Node.created_at.desc(), Node.id.desc()).limit(most)))


def worklist(uow: UnitOfWork, needs: P, state: str, most: int = 20) -> tuple[list[NodeView], int]:
    """待办: nodes in `state` on which the actor holds `needs`, oldest first, and how many there are up to the cap."""
    waiting = uow.nodes(needs, state=state).where(
        Node.workflow.in_(("description", "medical_record")),
        Node.overlay != int(Overlay.TRASHED),
    )
    rows = uow.list(waiting.order_by(Node.updated_at, Node.id).limit(most))
    return views(uow, rows), count(uow, waiting)
