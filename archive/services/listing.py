"""What lies in a folder: one page at a time, by keyset, over what the actor may discover."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select

from archive import cursor
from archive.models import ROOT_ID, Node
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.sight import NodeView, views
from archive.uow import UnitOfWork

PAGE = 50
CAP = 1_000
TAKEN = 5_000
"""Rows of a list that are taken away at once; more is a matter of a report."""

SORTS: dict[str, tuple[Any, ...]] = {
    "position": (Node.position, Node.id),
    "number": (Node.slug, Node.id),
    "updated": (Node.updated_at, Node.id),
}
"""Every sort ends in the id, and sorts only by what the tier discover may know: an order discloses too."""
ORDERS = SORTS | {
    "waiting": (Node.updated_at, Node.id),
    "discharged": (Node.date_to, Node.id),
    "entered": (Node.id, Node.id),
}
"""What the lists of work are sorted by besides: never empty where they ask for it."""
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
    return paged(uow, within, f"folder:{folder.id}", sort, after, chosen)


def paged(uow: UnitOfWork, within: Select[Any], purpose: str, sort: str, after: str | None,
          filters: Filters | None = None) -> Listing:  # fmt: skip
    """One page of `within` in the order `sort`, after a cursor that was made for the same list and order."""
    purpose = f"{purpose}:{sort}"
    total = _few(within).scalar_subquery()
    wanted = _page(within, sort, cursor.unpack(uow.site.keys, purpose, after)).add_columns(total)
    lines = uow.session.execute(wanted).all()
    found = [node for node, _total in lines]
    uow.access.prepare(found)
    more = len(found) > PAGE
    rows = found[:PAGE]
    onward = (
        cursor.pack(uow.site.keys, purpose, [_value(rows[-1], key) for key in ORDERS[sort]]) if more else None
    )
    # Beyond the last row there is no line that could carry the total.
    known = lines[0][1] if lines else count(uow, within) if after else 0
    return Listing(views(uow, rows), min(known, CAP), known > CAP, onward, sort, filters or Filters())


def has_top(uow: UnitOfWork) -> bool:
    """Whether the actor may discover anything at the top of the tree, from where one browses."""
    top = uow.nodes(P.DISCOVER, Node.id).where(Node.parent_id == ROOT_ID, Node.id != ROOT_ID).limit(1)
    return uow.session.scalar(top) is not None


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
    first, last = ORDERS[sort]
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
    return uow.session.scalar(_few(statement).execution_options(scope="count")) or 0


def _few(statement: Select[Any]) -> Select[int]:
    few = statement.with_only_columns(Node.id).order_by(None).limit(CAP + 1).subquery()
    return select(func.count()).select_from(few)


def whole(uow: UnitOfWork, folder: Node, *, sort: str, filters: Filters) -> list[NodeView]:
    """The children of `folder` as a list takes them away, up to `TAKEN`."""
    found: list[NodeView] = []
    after: str | None = None
    while len(found) < TAKEN:
        page = contents(uow, folder, sort=sort, after=after, filters=filters)
        found += page.rows
        if (after := page.next) is None:
            break
    return found


def chosen(uow: UnitOfWork, refs: Iterable[UUID]) -> list[NodeView]:
    """Some nodes by their uuids, as far as the actor may discover them."""
    wanted = list(refs)
    return views(uow, uow.list(uow.nodes(P.DISCOVER).where(Node.uuid.in_(wanted)))) if wanted else []


def items(uow: UnitOfWork, file: Node) -> list[NodeView]:
    """卷内文件: all items of a file that the actor may discover, in their order."""
    within = _narrowed(uow.nodes(P.DISCOVER).where(Node.parent_id == file.id), Filters())
    return views(uow, uow.list(within.order_by(*SORTS["position"]).limit(CAP)))


def newest(uow: UnitOfWork, most: int = 50) -> list[NodeView]:
    """The nodes last added that the actor may discover."""
    statement = uow.nodes(P.DISCOVER, everywhere=True).where(
        Node.workflow != "container", Node.overlay != int(Overlay.TRASHED)
    )
    return views(uow, uow.list(statement.order_by(Node.created_at.desc(), Node.id.desc()).limit(most)))
