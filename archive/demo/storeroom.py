"""The storerooms: records on a hundred shelves by the last digits of their numbers, all else in boxes by year."""

from datetime import date

from sqlalchemy import ColumnElement, exists, select

from archive.demo.diary import Diary
from archive.models import Container, HoldingStatus, Location
from archive.services import holdings, places
from archive.uow import UnitOfWork

RECORDS, BOXES = "R01", "R02"
LAYER_MM, BOX_MM = 900, 50
SECTIONS, PER_COLUMN, LAYERS = 100, 20, 5


def furnish(diary: Diary, day: date, who: str) -> None:
    """Both rooms with their shelves, on the first day."""
    diary.note(day, 8.0, who, build)


def build(uow: UnitOfWork) -> None:
    """Both rooms at once."""
    _furnish_records(uow)
    _furnish_boxes(uow)


def _furnish_records(uow: UnitOfWork) -> None:
    places.add(uow, code=RECORDS, title="病案库房", kind="room")
    for section in range(SECTIONS):
        column = f"{RECORDS}-C{section // PER_COLUMN + 1:02d}"
        if section % PER_COLUMN == 0:
            places.add(
                uow, code=column, title=f"{section // PER_COLUMN + 1}列", kind="column", within=RECORDS
            )
        places.add(
            uow, code=f"{column}-S{section:02d}", title=f"尾号{section:02d}", kind="shelf", within=column,
            capacity_mm=LAYERS * LAYER_MM,
        )  # fmt: skip


def _furnish_boxes(uow: UnitOfWork) -> None:
    places.add(uow, code=BOXES, title="综合档案库房", kind="room")
    places.add(uow, code=f"{BOXES}-C01", title="1列", kind="column", within=BOXES)
    for shelf in range(1, 7):
        code = f"{BOXES}-C01-S{shelf:02d}"
        places.add(
            uow,
            code=code,
            title=f"{shelf}架",
            kind="shelf",
            within=f"{BOXES}-C01",
            capacity_mm=LAYERS * LAYER_MM,
        )
        for layer in range(1, LAYERS + 1):
            places.add(uow, code=f"{code}-L{layer:02d}", title=f"{layer}层", kind="layer", within=code,
                       capacity_mm=LAYER_MM)  # fmt: skip


def shelf_of(mrn: str) -> str:
    """尾号排列: the column and the section of a record number, R01-C03-S47 for one that ends in 47."""
    section = int(mrn[-2:])
    return f"{RECORDS}-C{section // PER_COLUMN + 1:02d}-S{section:02d}"


def shelve(uow: UnitOfWork, barcode: str, mrn: str) -> None:
    """Puts a record into its patient's bag, where all stays of one patient lie together."""
    layer = int(mrn[-3]) // 2 + 1
    place, bag = f"{shelf_of(mrn)}-L{layer:02d}", f"D{mrn}"
    if not _is_known(uow, Location.code == place):
        places.add(uow, code=place, title=f"尾号{mrn[-2:]}第{layer}层", kind="layer", within=shelf_of(mrn),
                   capacity_mm=LAYER_MM)  # fmt: skip
    _pack(uow, barcode, place, bag, "bag")


def box(uow: UnitOfWork, barcode: str, *, shelf: int, year: int, name: str) -> None:
    """Puts a volume that is not a patient's into a box of its year."""
    place = f"{BOXES}-C01-S{shelf:02d}-L{year % LAYERS + 1:02d}"
    _pack(uow, barcode, place, name, "box")


def _pack(uow: UnitOfWork, barcode: str, place: str, container: str, kind: str) -> None:
    if not _is_known(uow, Container.barcode == container):
        places.add_container(uow, barcode=container, kind=kind, location=place,
                             thickness_mm=BOX_MM if kind == "box" else None)  # fmt: skip
    holding, _node = uow.holding(barcode)
    holdings.move(uow, holding, to=HoldingStatus.SHELVED, location=place)
    holdings.pack(uow, holding, container=container)


def _is_known(uow: UnitOfWork, which: ColumnElement[bool]) -> bool:
    return bool(uow.session.scalar(select(exists().where(which))))
