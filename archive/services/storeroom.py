"""库房 as it is shown: the tree of places with what stands there, boxes, and volumes as far as one may see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from archive import cursor
from archive.errors import Forbidden, NotFound
from archive.models import Container, Holding, HoldingStatus, Location, Node, Principal
from archive.policy.permissions import P
from archive.services import holdings, policies
from archive.services.listing import CAP, PAGE
from archive.sight import NodeView, views
from archive.uow import UnitOfWork
from archive.workflow import State

TRUSTED: Any = {"scope": "storeroom"}
AWAY = (HoldingStatus.LENT, HoldingStatus.MISSING)


@dataclass(frozen=True)
class Place:
    """库位 with what has its place there, below it included; counted are the volumes that one may see."""

    code: str
    title: str
    kind: str
    capacity_mm: int | None
    is_closed: bool
    version: int
    volumes: int
    used_mm: int
    is_tight: bool

    @property
    def percent(self) -> int | None:
        """How full it is; nothing where nobody has said how much it holds."""
        return round(100 * self.used_mm / self.capacity_mm) if self.capacity_mm else None


@dataclass(frozen=True)
class Box:
    """袋、盒: a bag or a box, where it stands, and how many volumes lie in it that one may see."""

    barcode: str
    kind: str
    seq: int | None
    thickness_mm: int | None
    place: str | None
    version: int
    volumes: int


@dataclass(frozen=True)
class Volume:
    """纸质本 in a list of the storeroom. Of its record there is what one may know of it, and no more."""

    barcode: str
    node: NodeView
    status: State
    is_damaged: bool
    place: str | None
    container: str | None
    holder: str | None
    sheets: int | None
    condition: str | None
    damaged_at: datetime | None
    version: int

    @property
    def href(self) -> str | None:
        """Where the record is, for whoever may go there."""
        return self.node.href if P.DISCOVER in self.node.may else None


T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list. `total` is honest up to the cap."""

    rows: list[T]
    total: int
    next: str | None


def _require(uow: UnitOfWork) -> None:
    if not uow.can(P.HOLDING_VIEW):
        raise Forbidden


# Places


def place(uow: UnitOfWork, code: str) -> Location:
    """The place of this code, closed or not. Raises NotFound, and Forbidden for whoever handles no paper."""
    _require(uow)
    found = uow.session.scalar(select(Location).where(Location.code == code.upper()))
    if found is None:
        raise NotFound
    return found


def shown(uow: UnitOfWork, found: Location) -> Place:
    """One place as it is shown."""
    return _places(uow, Location.id == found.id)[0]


def within(uow: UnitOfWork, found: Location | None = None) -> list[Place]:
    """The places that stand in another; without one the rooms. The closed ones come last."""
    _require(uow)
    return _places(uow, Location.parent_id == found.id if found else Location.parent_id.is_(None))


def above(uow: UnitOfWork, found: Location) -> list[Location]:
    """What a place stands in, from the room on."""
    parts = found.path.rstrip("/").split("/")
    paths = ["/".join(parts[:end]) + "/" for end in range(1, len(parts))]
    return list(uow.session.scalars(select(Location).where(Location.path.in_(paths)).order_by(Location.path)))


def _places(uow: UnitOfWork, which: ColumnElement[bool]) -> list[Place]:
    """Three statements, however many places: the places, their volumes, and their boxes."""
    order = (Location.closed_at.is_not(None), Location.path)
    found = list(uow.session.scalars(select(Location).where(which).order_by(*order)))
    thickness = policies.in_force(uow, "storeroom").body["thickness"]
    tight = policies.in_force(uow, "storeroom").body["fill"]["tight_percent"]
    paper = {number: (count, um) for number, count, um in uow.session.execute(_paper(uow, which, thickness))}
    boxed: dict[int, int] = dict(uow.session.execute(_boxed(which)).all())
    return [_place(one, *paper.get(one.id, (0, 0)), boxed.get(one.id, 0), tight) for one in found]


def _place(found: Location, volumes: int, um: int, boxes_mm: int, tight: int) -> Place:
    used = round((um or 0) / 1000) + (boxes_mm or 0)
    return Place(
        found.code, found.title, found.kind, found.capacity_mm, found.closed_at is not None, found.version, volumes, used,
        is_tight=found.capacity_mm is not None and 100 * used >= tight * found.capacity_mm,
    )  # fmt: skip


def _below(leaf: Any) -> ColumnElement[bool]:
    """`leaf` is the place or stands in it."""
    end = func.substr(Location.path, 1, func.length(Location.path) - 1) + "0"
    return and_(leaf.path >= Location.path, leaf.path < end)


def _paper(uow: UnitOfWork, which: ColumnElement[bool], thickness: dict[str, int]) -> Select[Any]:
    """Volumes and how thick they are, by place: a count of what one may not see would betray it.

    A box of known thickness takes its room, however little lies in it, and the gap of a volume that is out is kept.
    """
    leaf = aliased(Location)
    paper = func.coalesce(Holding.sheets, thickness["typical_sheets"]) * thickness["sheet_um"]
    loose, here = Container.thickness_mm.is_(None), Holding.status.not_in(AWAY)
    return (
        uow.nodes(
            P.HOLDING_VIEW, Location.id, func.count(Holding.id).filter(here), func.sum(paper).filter(loose)
        )
        .select_from(Location)
        .join(leaf, _below(leaf))
        .join(Holding, Holding.location_id == leaf.id)
        .join(Node, Node.id == Holding.node_id)
        .outerjoin(Container, Container.id == Holding.container_id)
        .where(which)
        .group_by(Location.id)
    )


def _boxed(which: ColumnElement[bool]) -> Select[Any]:
    leaf = aliased(Location)
    columns: Any = (Location.id, func.sum(Container.thickness_mm))
    statement: Select[Any] = (
        select(*columns)
        .join(leaf, _below(leaf))
        .join(Container, Container.location_id == leaf.id)
        .where(which)
        .group_by(Location.id)
    )
    return statement


# Boxes


def box(uow: UnitOfWork, barcode: str) -> Container:
    """The bag or box of this barcode. Raises NotFound, and Forbidden for whoever handles no paper."""
    _require(uow)
    found = uow.session.scalar(select(Container).where(Container.barcode == barcode.upper()))
    if found is None:
        raise NotFound
    return found


def box_shown(uow: UnitOfWork, found: Container) -> Box:
    """One bag or box as it is shown."""
    return _boxes(uow, Container.id == found.id, None, "")[0][0]


def boxes_named(uow: UnitOfWork, barcodes: list[str]) -> list[Box]:
    """These bags and boxes, at most a page of them."""
    _require(uow)
    return _boxes(uow, Container.barcode.in_(barcodes), None, "")[0]


def boxes(uow: UnitOfWork, found: Location, after: str | None = None) -> Page[Box]:
    """The bags and boxes on a shelf, in their row."""
    _require(uow)
    purpose, here = f"boxes:{found.id}", Container.location_id == found.id
    rows, onward = _boxes(uow, here, cursor.unpack(uow.site.keys, purpose, after), purpose)
    return Page(rows, _count(uow, select(Container.id).where(here)), onward)


def _boxes(
    uow: UnitOfWork, which: ColumnElement[bool], after: list[Any] | None, purpose: str
) -> tuple[list[Box], str | None]:
    row = func.coalesce(Container.seq, 0)
    statement = select(Container, Location.code).outerjoin(Location, Location.id == Container.location_id)
    if after is not None:
        seq, barcode = after
        which = and_(which, or_(row > seq, and_(row == seq, Container.barcode > barcode)))
    found = uow.session.execute(statement.where(which).order_by(row, Container.barcode).limit(PAGE + 1)).all()
    shown_, counts = found[:PAGE], _lying(uow, [one.id for one, _code in found[:PAGE]])
    last = shown_[-1][0] if len(found) > PAGE else None
    onward = cursor.pack(uow.site.keys, purpose, [last.seq or 0, last.barcode]) if last else None
    return [
        Box(one.barcode, one.kind, one.seq, one.thickness_mm, code, one.version, counts.get(one.id, 0))
        for one, code in shown_
    ], onward


def _lying(uow: UnitOfWork, numbers: list[int]) -> dict[int, int]:
    statement = (
        uow.nodes(P.HOLDING_VIEW, Holding.container_id, func.count(Holding.id))
        .join(Node, Node.id == Holding.node_id)
        .where(Holding.container_id.in_(numbers), Holding.status.not_in(AWAY))
        .group_by(Holding.container_id)
    )
    return dict(uow.session.execute(statement).all())


# Volumes


def volumes_at(uow: UnitOfWork, found: Location | Container, after: str | None = None) -> Page[Volume]:
    """The volumes that have their place on a shelf or in a box, by their barcodes."""
    here = Holding.location_id if isinstance(found, Location) else Holding.container_id
    purpose = f"volumes:{found.__tablename__}:{found.id}"
    statement = _volumes(uow).where(here == found.id)
    total = _count(uow, statement.with_only_columns(Holding.id))
    start = cursor.unpack(uow.site.keys, purpose, after)
    if start is not None:
        statement = statement.where(Holding.barcode > start[0])
    rows = _drawn(uow, statement.order_by(Holding.barcode).limit(PAGE + 1))
    onward = cursor.pack(uow.site.keys, purpose, [rows[PAGE - 1].barcode]) if len(rows) > PAGE else None
    return Page(rows[:PAGE], total, onward)


def volume(uow: UnitOfWork, barcode: str) -> Volume:
    """One volume for whoever may handle it. Raises NotFound."""
    found = _drawn(uow, _volumes(uow).where(Holding.barcode == barcode.strip().upper()))
    if not found:
        raise NotFound
    return found[0]


def volumes_named(uow: UnitOfWork, barcodes: list[str]) -> list[Volume]:
    """These volumes, in the order in which they are named; what one may not handle is left out."""
    found = {one.barcode: one for one in _drawn(uow, _volumes(uow).where(Holding.barcode.in_(barcodes)))}
    return [found[code] for code in barcodes if code in found]


def _volumes(uow: UnitOfWork) -> Select[Any]:
    return (
        uow.nodes(P.HOLDING_VIEW, Holding, Node, Location.code, Container.barcode, Principal.name)
        .select_from(Holding)
        .join(Node, Node.id == Holding.node_id)
        .outerjoin(Location, Location.id == Holding.location_id)
        .outerjoin(Container, Container.id == Holding.container_id)
        .outerjoin(Principal, Principal.id == Holding.holder_id)
    )


def _drawn(uow: UnitOfWork, statement: Select[Any]) -> list[Volume]:
    rows = uow.session.execute(statement).all()
    seen = views(uow, [row[1] for row in rows])
    return [
        Volume(
            held.barcode, view, holdings.STATUSES[held.status], held.damaged_at is not None, code, container, holder,
            held.sheets, held.condition, held.damaged_at, held.version,
        )
        for (held, _node, code, container, holder), view in zip(rows, seen, strict=True)
    ]  # fmt: skip


def _count(uow: UnitOfWork, statement: Select[Any]) -> int:
    """Counted no further than the cap and one."""
    few = statement.order_by(None).limit(CAP + 1).subquery()
    return uow.session.scalar(select(func.count()).select_from(few).execution_options(scope="count")) or 0


def kind_of(uow: UnitOfWork, code: str) -> str | None:
    """What a scan leads to: "volume", "box" or "place"; nothing where there is none that one may handle."""
    _require(uow)
    try:
        uow.holding(code)
    except NotFound:
        boxed = select(Container.id).where(Container.barcode == code.upper())
        if uow.session.scalar(boxed) is not None:
            return "box"
        stands = select(Location.id).where(Location.code == code.upper())
        return "place" if uow.session.scalar(stands) is not None else None
    return "volume"
