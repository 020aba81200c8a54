"""标签: barcodes of volumes, boxes and places on the sheets of labels that the hospital has, exact to the millimetre."""

from dataclasses import dataclass
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import select

from archive.errors import Invalid
from archive.i18n import _
from archive.models import Location
from archive.services import policies, printing, storeroom
from archive.services.listing import PAGE
from archive.services.printing import FONT, code128
from archive.uow import UnitOfWork

MOST = 240
"""Ten sheets at a time."""
MARGIN, LARGEST = 4 * mm, 12.0


@dataclass(frozen=True)
class Label:
    """What stands on one label: a barcode, and beside it a number or the name of a place. Never a person's name."""

    code: str
    words: str


def labels(uow: UnitOfWork, codes: list[str]) -> list[Label]:
    """The labels of volumes, boxes and places that one may handle, in the order in which they are named.

    Raises Invalid when there is none, or when there are too many for one go.
    """
    wanted = [code.strip().upper() for code in codes if code.strip()]
    if not wanted or len(wanted) > MOST:
        raise Invalid(_("Choose between 1 and %(most)d labels.", most=MOST))
    words: dict[str, str] = {}
    known = select(Location.code, Location.title).where(Location.code.in_(wanted))
    words |= dict(uow.session.execute(known).all())
    for start in range(0, len(wanted), PAGE):
        words |= {
            box.barcode: uow.site.hospital_name
            for box in storeroom.boxes_named(uow, wanted[start : start + PAGE])
        }
    for volume in storeroom.volumes_named(uow, wanted):
        words[volume.barcode] = volume.node.stay or volume.node.number or volume.node.type_label
    found = [Label(code, words[code]) for code in wanted if code in words]
    if not found:
        raise Invalid(_("Choose between 1 and %(most)d labels.", most=MOST))
    return found


def pdf(uow: UnitOfWork, codes: list[str]) -> bytes:
    """The labels as PDF on A4 sheets, one after the other. Raises Invalid."""
    found = labels(uow, codes)
    sheet = policies.in_force(uow, "storeroom").body["labels"]
    drawn, canvas = printing.begun(uow.site, _("Labels"))
    per_sheet = sheet["columns"] * sheet["rows"]
    for place, label in enumerate(found):
        if place and place % per_sheet == 0:
            canvas.showPage()
        _draw(canvas, label, sheet, place % per_sheet)
    canvas.save()
    return drawn.getvalue()


def _draw(canvas: Canvas, label: Label, sheet: dict[str, Any], place: int) -> None:
    """One label: its words on top, the bars, the code below them. The sheet lies in the middle of the page."""
    width, height = sheet["width_mm"] * mm, sheet["height_mm"] * mm
    row, column = divmod(place, sheet["columns"])
    left = (A4[0] - sheet["columns"] * width) / 2 + column * width
    top = A4[1] - (A4[1] - sheet["rows"] * height) / 2 - row * height
    canvas.setFont(FONT, _size(label.words, width - 2 * MARGIN))
    canvas.drawCentredString(left + width / 2, top - 9 * mm, label.words)
    bars = code128(label.code, width - 2 * MARGIN, height - 21 * mm)
    bars.drawOn(canvas, left + (width - bars.width) / 2, top - height + 9 * mm)
    canvas.setFont(FONT, 9)
    canvas.drawCentredString(left + width / 2, top - height + 4.5 * mm, label.code)


def _size(words: str, width: float) -> float:
    """So large that nothing of a number is cut off."""
    return min(LARGEST, LARGEST * width / max(pdfmetrics.stringWidth(words, FONT, LARGEST), 1))
