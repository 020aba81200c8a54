"""The holdings of one hospital in their proportions, catalogued and in boxes: 41,513 items of 190,228 sheets (domain §3.2)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

from archive.demo import mass, office
from archive.demo.administration import SHELVES, TYPES, document_fields, entry_fields
from archive.demo.storeroom import BOXES, LAYERS
from archive.models import Container, Holding, HoldingEvent, HoldingStatus, Node
from archive.policy.types import TYPES as KINDS
from archive.services import tree
from archive.services.imports import bulk, planting
from archive.services.imports.planting import Seed
from archive.uow import UnitOfWork

HOLDINGS = {
    "WS": 11_496, "KJ·JJ": 3_670, "KJ·SB": 20_471, "KJ·KY": 2_117, "ZP": 2_610, "LY": 240, "LX": 435, "SW": 474,
}  # fmt: skip
"""Items of each category; photographs, recordings and films are 3,285 together."""
PAGES = 190_228
YEARS = 25
PER_BOX = 25


def items() -> int:
    return sum(HOLDINGS.values())


@dataclass
class Holdings:
    """馆藏的批量: category after category, year after year."""

    fonds: str
    categories: Mapping[str, int]
    depts: dict[str, int]
    places: Mapping[str, int]
    last_year: int
    rng: Random = field(default_factory=lambda: Random(3))

    def __post_init__(self) -> None:
        cuts = sorted(self.rng.sample(range(1, PAGES), items() - 1))
        self._sheets = iter(after - before for before, after in pairwise((0, *cuts, PAGES)))
        self._lots = self._parts()
        self._boxed = 0

    def sizes(self) -> Iterator[int]:
        """How many items each batch has; a batch is of one category and year."""
        return (count for _code, _year, count in self._parts())

    def _parts(self) -> Iterator[tuple[str, int, int]]:
        for code, total in HOLDINGS.items():
            for place in range(YEARS):
                count = total * (place + 1) // YEARS - total * place // YEARS
                for size in mass.sizes(count):
                    yield code, self.last_year - YEARS + 1 + place, size

    def write(self, uow: UnitOfWork, size: int) -> None:
        """The next batch."""
        code, year, _size = next(self._lots)
        kind = KINDS[TYPES[code]]
        told = [self._described(uow, code, year) for _ in range(size)]
        folder = tree.series_for(
            uow, mass.category(uow, self.categories[code]), kind, {"date_from": f"{year}-01-01"}
        )
        given = mass.numbers(
            uow, fonds=self.fonds, category=code, year=year, retention=kind.retention or "", count=size
        )
        seeds = [
            Seed(folder, kind, values, "archived", archival_no=number, slug=serial)
            for values, (number, serial) in zip(told, given, strict=True)
        ]
        self._pack(uow, code, year, planting.plant(uow, seeds))

    def _described(self, uow: UnitOfWork, code: str, year: int) -> dict[str, Any]:
        if code == "WS":
            fields = document_fields(
                self.depts, office.document(self.rng, year=year, number=self.rng.randint(1, 400))
            )
        else:
            fields = entry_fields(self.depts, office.entry(self.rng, code, year=year))
        return tree.checked(uow, KINDS[TYPES[code]], fields)

    def _pack(self, uow: UnitOfWork, code: str, year: int, nodes: Sequence[Node]) -> None:
        """Twenty-five volumes a box, the boxes of a year on one layer of their category's shelf."""
        place = self.places[f"{BOXES}-C01-S{SHELVES[code]:02d}-L{year % LAYERS + 1:02d}"]
        first, self._boxed = self._boxed, self._boxed + -(-len(nodes) // PER_BOX)
        rows = [
            {"barcode": f"{code.replace('·', '-')}-{year}-{number:05d}", "kind": "box", "location_id": place}
            for number in range(first, self._boxed)
        ]  # fmt: skip
        boxes = bulk.write_numbered(uow, Container, rows)
        volumes = [
            {"node_id": node.id, "barcode": f"B{node.id:08d}", "status": HoldingStatus.SHELVED, "location_id": place,
             "container_id": boxes[number // PER_BOX], "sheets": next(self._sheets)}
            for number, node in enumerate(nodes)
        ]  # fmt: skip
        made = bulk.write_numbered(uow, Holding, volumes)
        moved = {"to_status": HoldingStatus.SHELVED, "at": uow.now}
        bulk.write(uow, HoldingEvent, [{"holding_id": number, **moved} for number in made])
