"""The paper that rows tell of: volumes with barcodes, many at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from archive.i18n import _
from archive.models import Container, Holding, HoldingEvent, HoldingStatus, Location
from archive.services.imports import bulk
from archive.services.imports.rows import Keep, Made, Reader, Row
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "imports"}


@dataclass(frozen=True)
class Volume:
    """纸质本 of a row: which node it is of, and where it is."""

    row: int
    node_id: int
    barcode: str
    status: HoldingStatus
    sheets: int | None = None
    box: str | None = None
    location: str | None = None


@dataclass
class Volumes:
    """Barcodes, boxes and places of one import."""

    reader: Reader
    seen: dict[str, int] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)

    def judge(self, uow: UnitOfWork, rows: Sequence[Row]) -> None:
        """Reads whose the barcodes are; a barcode twice in the file is wrong, and so is an unknown place."""
        barcodes = {row.values["barcode"] for row in rows if "barcode" in row.values}
        taken = select(Holding.barcode, Holding.node_id).where(Holding.barcode.in_(barcodes))
        self.owners = dict(uow.session.execute(taken, execution_options=TRUSTED).all())
        codes = {row.values["location"].upper() for row in rows if "location" in row.values}
        known = select(Location.code, Location.id).where(
            Location.code.in_(codes), Location.closed_at.is_(None)
        )
        self.places = dict(uow.session.execute(known).all())
        for row in rows:
            self._judge(row)

    def _judge(self, row: Row) -> None:
        barcode = row.values.get("barcode")
        if barcode and (first := self.seen.setdefault(barcode, row.number)) != row.number:
            sentence = _("Row %(row)d has the same already. Leave one of them.", row=first)
            self.reader.object(row, "barcode", sentence)
        place = row.values.get("location", "").upper()
        if place and place not in self.places:
            sentence = _(
                "There is no place %(code)s. Add it to the storeroom first, or correct the code.", code=place
            )
            self.reader.object(row, "location", sentence)

    def refuse_taken(self, row: Row, node_id: int | None = None) -> None:
        """A barcode that another node's volume has is wrong."""
        owner = self.owners.get(row.values.get("barcode", ""))
        if owner is not None and owner != node_id:
            self.reader.object(
                row, "barcode", _("This barcode is another volume's. Compare it with the label.")
            )

    def bring(self, uow: UnitOfWork, volumes: Sequence[Volume], keep: Keep) -> None:
        """Writes the volumes and the first line of the tracer card of each."""
        if not volumes:
            return
        boxes = self._boxes(uow, volumes, keep)
        made = bulk.write_numbered(uow, Holding, [self._columns(volume, boxes) for volume in volumes])
        by = {"by_id": uow.actor.principal_id, "at": uow.now}
        moves = [
            {"holding_id": number, "to_status": volume.status, "place": volume.location or volume.box, **by}
            for number, volume in zip(made, volumes, strict=True)
        ]
        bulk.write(uow, HoldingEvent, moves)

    def _columns(self, volume: Volume, boxes: dict[str, int]) -> dict[str, Any]:
        return {
            "node_id": volume.node_id, "barcode": volume.barcode, "status": volume.status, "sheets": volume.sheets,
            "container_id": boxes.get(volume.box or ""), "location_id": self.places.get(volume.location or ""),
        }  # fmt: skip

    def _boxes(self, uow: UnitOfWork, volumes: Iterable[Volume], keep: Keep) -> dict[str, int]:
        """The boxes by their numbers; a new one stands where its first volume does."""
        first: dict[str, Volume] = {}
        for volume in volumes:
            if volume.box:
                first.setdefault(volume.box, volume)
        known = select(Container.barcode, Container.id).where(Container.barcode.in_(first))
        boxes = dict(uow.session.execute(known).all())
        for name, volume in first.items():
            if name not in boxes:
                box = Container(barcode=name, kind="box", location_id=self.places.get(volume.location or ""))
                uow.session.add(box)
                uow.session.flush()
                keep(Made(volume.row, "container", box.id))
                boxes[name] = box.id
        return boxes
