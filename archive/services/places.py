"""库房: rooms, shelves and places on them; bags and boxes; what order a shelf has."""

from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from archive.errors import Conflict, Forbidden, Invalid
from archive.i18n import _
from archive.models import Container, Holding, Location, Node
from archive.policy.permissions import P
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "places"}
KINDS = ("room", "column", "shelf", "layer")
CONTAINERS = ("bag", "box")


@dataclass(frozen=True)
class Place:
    """A place, or a bag or box, and how many volumes are there that this person may see."""

    code: str
    title: str
    kind: str
    volumes: int


def at(uow: UnitOfWork, code: str) -> Location:
    """The place of this code. Raises Invalid when there is none."""
    found = uow.session.scalar(select(Location).where(Location.code == code.strip().upper()))
    if found is None:
        raise Invalid(
            fields={"location": _("There is no place %(code)s. Scan the label of the shelf.", code=code)}
        )
    return found


def container(uow: UnitOfWork, barcode: str) -> Container:
    """The bag or box of this barcode. Raises Invalid when there is none."""
    found = uow.session.scalar(select(Container).where(Container.barcode == barcode.strip().upper()))
    if found is None:
        raise Invalid(fields={"container": _("There is no bag or box %(barcode)s.", barcode=barcode)})
    return found


@action("location.added", needs=P.HOLDING_PLACE)
def add(uow: UnitOfWork, *, code: str, title: str, kind: str, within: str | None = None) -> Location:
    """Adds a room, a column, a shelf or a layer. Raises Conflict for a code in use, Invalid for what is missing."""
    code, parent = code.strip().upper(), at(uow, within) if within else None
    if not code or not title.strip() or kind not in KINDS:
        raise Invalid(fields={"code": _("Give the place a code, a name and a kind.")})
    uow.note(code=code, kind=kind, within=parent.code if parent else None)
    made = Location(
        parent_id=parent.id if parent else None, kind=kind, code=code, title=title.strip(),
        path=f"{parent.path if parent else ''}{code}/",
    )  # fmt: skip
    return _kept(uow, made, code)


@action("container.added", needs=P.HOLDING_PLACE)
def add_container(uow: UnitOfWork, *, barcode: str, kind: str, location: str | None = None) -> Container:
    """Takes up a bag or a box. Raises Conflict for a barcode in use, Invalid for another kind."""
    barcode = barcode.strip().upper()
    if not barcode or kind not in CONTAINERS:
        raise Invalid(fields={"barcode": _("Scan the barcode of the bag or box.")})
    place = at(uow, location) if location else None
    uow.note(barcode=barcode, kind=kind)
    return _kept(uow, Container(barcode=barcode, kind=kind, location_id=place.id if place else None), barcode)


T = TypeVar("T", Location, Container)


def _kept(uow: UnitOfWork, made: T, code: str) -> T:
    try:
        with uow.session.begin_nested():
            uow.session.add(made)
    except IntegrityError as error:
        raise Conflict(_("The code %(code)s is in use already.", code=code)) from error
    return made


def locations(uow: UnitOfWork) -> list[Place]:
    """All places in the order of the shelves, each with the volumes that stand there now."""
    _only_who_sees_holdings(uow)
    standing = _standing(uow, Holding.location_id)
    rows = uow.session.execute(
        select(Location.code, Location.title, Location.kind, func.coalesce(standing.c.volumes, 0))
        .outerjoin(standing, standing.c.place == Location.id)
        .order_by(Location.path),
        execution_options=TRUSTED,
    )
    return [Place(*row) for row in rows]


def containers(uow: UnitOfWork, location: str) -> list[Place]:
    """The bags and boxes at a place. Raises Invalid for an unknown place."""
    _only_who_sees_holdings(uow)
    standing = _standing(uow, Holding.container_id)
    rows = uow.session.execute(
        select(Container.barcode, Container.kind, func.coalesce(standing.c.volumes, 0))
        .outerjoin(standing, standing.c.place == Container.id)
        .where(Container.location_id == at(uow, location).id)
        .order_by(Container.barcode),
        execution_options=TRUSTED,
    )
    return [Place(barcode, barcode, kind, volumes) for barcode, kind, volumes in rows]


def _only_who_sees_holdings(uow: UnitOfWork) -> None:
    if not uow.can(P.HOLDING_VIEW):
        raise Forbidden


def _standing(uow: UnitOfWork, column: Any) -> Any:
    """Volumes by place; a count of what one may not see would betray it."""
    return (
        uow.nodes(P.HOLDING_VIEW, column.label("place"), func.count(Holding.id).label("volumes"))
        .join(Node, Node.id == Holding.node_id)
        .where(column.is_not(None), Holding.holder_id.is_(None))
        .group_by(column)
        .subquery()
    )


def shelf_order(mrn: str | None) -> tuple[str, str, str]:
    """尾号排列: by the last two digits, then the two before them, then the first ones (domain §3.5)."""
    digits = mrn or ""
    return digits[-2:], digits[-4:-2], digits[:-4]
