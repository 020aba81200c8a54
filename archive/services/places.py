"""库房: rooms, shelves and places on them; bags and boxes; what order a shelf has."""

import re
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from archive.errors import Conflict, Invalid, Stale
from archive.i18n import _
from archive.models import Container, Holding, Location
from archive.policy.permissions import P
from archive.services import numbers
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "places"}
KINDS = ("room", "zone", "column", "cabinet", "shelf", "layer")
"""From the largest to the smallest: what stands in another is of a later kind (domain §2.1)."""
USUAL = {"room": "column", "zone": "column", "column": "shelf", "cabinet": "layer", "shelf": "layer"}
"""What most often stands in each kind."""
CONTAINERS = ("bag", "box")
PREFIXES = {"bag": "D", "box": "H"}
CODE = re.compile(r"[0-9A-Z][0-9A-Z.-]{0,59}")
BOX = re.compile(r"[0-9A-Z][0-9A-Z./-]{2,31}")


def at(uow: UnitOfWork, code: str) -> Location:
    """The place of this code, for something to stand there. Raises Invalid when there is none, or it is closed."""
    found = uow.session.scalar(select(Location).where(Location.code == code.strip().upper()))
    if found is None:
        raise Invalid(
            fields={"location": _("There is no place %(code)s. Scan the label of the shelf.", code=code)}
        )
    if found.closed_at is not None:
        raise Invalid(
            fields={"location": _("The place %(code)s is closed. Choose another.", code=found.code)}
        )
    return found


def container(uow: UnitOfWork, barcode: str) -> Container:
    """The bag or box of this barcode. Raises Invalid when there is none."""
    found = uow.session.scalar(select(Container).where(Container.barcode == barcode.strip().upper()))
    if found is None:
        raise Invalid(fields={"container": _("There is no bag or box %(barcode)s.", barcode=barcode)})
    return found


def refuse_taken(uow: UnitOfWork, code: str) -> None:
    """A gun hears only a code: no two things in the storeroom have the same. Raises Conflict."""
    of_volume, of_box, of_place = (
        select(column).where(column == code).exists() for column in (Holding.barcode, Container.barcode, Location.code)
    )  # fmt: skip
    volume, box, place = uow.session.execute(
        select(of_volume, of_box, of_place), execution_options=TRUSTED
    ).one()
    if volume:
        raise Conflict(_("The barcode %(barcode)s is another volume's.", barcode=code))
    if box or place:
        raise Conflict(_("The code %(code)s is in use already.", code=code))


@action("location.added", needs=P.HOLDING_PLACE)
def add(uow: UnitOfWork, *, code: str, title: str, kind: str, within: str | None = None,
        capacity_mm: int | None = None) -> Location:  # fmt: skip
    """Adds a room, a column, a shelf or a layer. Raises Conflict for a code in use, Invalid for what is missing."""
    code, parent = code.strip().upper(), at(uow, within) if within else None
    if not code or not title.strip() or kind not in KINDS:
        raise Invalid(fields={"code": _("Give the place a code, a name and a kind.")})
    if not CODE.fullmatch(code):
        raise Invalid(fields={"code": _("Up to 60 capital letters, digits, full stops or hyphens.")})
    if parent is not None and KINDS.index(kind) <= KINDS.index(parent.kind):
        raise Invalid(fields={"kind": _("This does not stand within %(code)s.", code=parent.code)})
    refuse_taken(uow, code)
    uow.note(code=code, kind=kind, within=parent.code if parent else None, capacity_mm=capacity_mm)
    made = Location(
        parent_id=parent.id if parent else None, kind=kind, code=code, title=_titled(title),
        path=f"{parent.path if parent else ''}{code}/", capacity_mm=_length(capacity_mm, "capacity_mm"),
    )  # fmt: skip
    return _kept(uow, made, code)


def _titled(title: str) -> str:
    if not title.strip() or len(title.strip()) > 120:
        raise Invalid(fields={"title": _("Give it a name of at most 120 characters.")})
    return title.strip()


def _length(mm: int | None, field: str) -> int | None:
    if mm is not None and not 1 <= mm <= 10_000_000:
        raise Invalid(fields={field: _("Write a length in millimetres.")})
    return mm


@action("location.edited", needs=P.HOLDING_PLACE)
def edit(uow: UnitOfWork, place: Location, *, title: str, capacity_mm: int | None,
         version: int | None = None) -> None:  # fmt: skip
    """Names a place anew or says how much it holds; its code stands on its label and stays. Raises Invalid, Stale."""
    if version is not None and version != place.version:
        raise Stale
    uow.note(code=place.code, title=[place.title, title], capacity_mm=[place.capacity_mm, capacity_mm])
    place.title, place.capacity_mm = _titled(title), _length(capacity_mm, "capacity_mm")


@action("location.closed", needs=P.HOLDING_PLACE)
def close(uow: UnitOfWork, place: Location) -> None:
    """停用: nothing is put there any more. Raises Conflict while anything stands there, or below it."""
    uow.note(code=place.code)
    inside = select(Location.id).where(Location.path >= place.path, Location.path < path_end(place.path))
    standing = select(Holding.id).where(Holding.location_id.in_(inside)).exists()
    boxes = select(Container.id).where(Container.location_id.in_(inside)).exists()
    if any(uow.session.execute(select(standing, boxes), execution_options=TRUSTED).one()):
        raise Conflict(_("Something still has its place there. Put it elsewhere first."))
    for one in uow.session.scalars(
        select(Location).where(Location.id.in_(inside), Location.closed_at.is_(None))
    ):
        one.closed_at = uow.now


@action("location.reopened", needs=P.HOLDING_PLACE)
def reopen(uow: UnitOfWork, place: Location) -> None:
    """The place is used again. Raises Conflict while the one that it stands in is closed."""
    uow.note(code=place.code)
    above = uow.session.get(Location, place.parent_id) if place.parent_id else None
    if above is not None and above.closed_at is not None:
        raise Conflict(_("Open %(code)s first.", code=above.code))
    place.closed_at = None


def path_end(path: str) -> str:
    """What comes just after a place and all below it, in the order of paths."""
    return path[:-1] + "0"


@action("container.added", needs=P.HOLDING_PLACE)
def add_container(uow: UnitOfWork, *, kind: str, barcode: str | None = None, location: str | None = None,
                  thickness_mm: int | None = None) -> Container:  # fmt: skip
    """Takes up a bag or a box; without a barcode it gets one. It stands last in the row.

    Raises Conflict for a barcode in use, Invalid for another kind.
    """
    if kind not in CONTAINERS:
        raise Invalid(fields={"kind": _("A bag or a box.")})
    text = (barcode or "").strip().upper() or _next_box(uow, kind)
    if not BOX.fullmatch(text):
        raise Invalid(fields={"barcode": _("Scan the barcode of the bag or box.")})
    place = at(uow, location) if location else None
    refuse_taken(uow, text)
    uow.note(barcode=text, kind=kind, location=place.code if place else None)
    made = Container(
        barcode=text, kind=kind, location_id=place.id if place else None, thickness_mm=_length(thickness_mm, "thickness_mm"),
        seq=last_seq(uow, place) + 1 if place else None,
    )  # fmt: skip
    return _kept(uow, made, text)


def _next_box(uow: UnitOfWork, kind: str) -> str:
    """The next number that no imported bag or box has."""
    while True:
        text = f"{PREFIXES[kind]}{numbers.draw(uow, kind):06d}"
        if uow.session.scalar(select(Container.id).where(Container.barcode == text)) is None:
            return text


def last_seq(uow: UnitOfWork, place: Location) -> int:
    """The place of the last bag or box in the row."""
    return uow.session.scalar(select(func.max(Container.seq)).where(Container.location_id == place.id)) or 0


@action("container.edited", needs=P.HOLDING_PLACE)
def edit_container(uow: UnitOfWork, box: Container, *, seq: int | None, thickness_mm: int | None,
                   version: int | None = None) -> None:  # fmt: skip
    """Says where a box stands in its row and how thick it is. Raises Invalid, Stale."""
    if version is not None and version != box.version:
        raise Stale
    if seq is not None and not 1 <= seq <= 100_000:
        raise Invalid(fields={"seq": _("Write its place in the row, from 1 on.")})
    uow.note(barcode=box.barcode, seq=[box.seq, seq], thickness_mm=[box.thickness_mm, thickness_mm])
    box.seq, box.thickness_mm = seq, _length(thickness_mm, "thickness_mm")


T = TypeVar("T", Location, Container)


def _kept(uow: UnitOfWork, made: T, code: str) -> T:
    try:
        with uow.session.begin_nested():
            uow.session.add(made)
    except IntegrityError as error:
        raise Conflict(_("The code %(code)s is in use already.", code=code)) from error
    return made


def shelf_order(mrn: str | None) -> tuple[str, str, str]:
    """尾号排列: by the last two digits, then the two before them, then the first ones (domain §3.5)."""
    digits = mrn or ""
    return digits[-2:], digits[-4:-2], digits[:-4]
