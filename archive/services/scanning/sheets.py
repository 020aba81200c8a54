"""分卷页与交接单: one cover sheet a volume, separators for components, and the slip on which a batch changes hands."""

from collections.abc import Sequence

from reportlab.graphics import renderPDF
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from archive import piles
from archive.i18n import _
from archive.models import ScanBatch
from archive.services import policies
from archive.services.printing import FONT, begun, code128, qr
from archive.services.scanning import batches, volumes
from archive.services.scanning.volumes import Volume
from archive.uow import UnitOfWork

WIDTH, HEIGHT = A4
MARGIN = 20 * mm
ROW = 9 * mm
ON_A_SHEET = 22
"""Rows of a hand-over slip."""


def covers(uow: UnitOfWork, batch: ScanBatch) -> bytes:
    """One sheet for each volume, in their order, as PDF. It lies on its volume when the pile goes through the scanner."""
    uow.read(batches.event("batch.covers_printed", batch))
    drawn, canvas = begun(uow.site, _("Cover sheets"))
    for volume in volumes.listed(uow, batch):
        words = (
            volume.node.stay or volume.node.number or volume.node.type_label,
            volume.barcode,
            batch.number,
        )
        _sheet(canvas, f"{piles.COVER}{volume.barcode}", _("Cover sheet"), words)
    canvas.save()
    return drawn.getvalue()


def separators(uow: UnitOfWork) -> bytes:
    """One sheet for each component: only for those whose printed form has no title; they can be used again."""
    drawn, canvas = begun(uow.site, _("Separator sheets"))
    for code, label in policies.vocabulary(uow, "component").items():
        _sheet(canvas, f"{piles.PART}{code}", _("Separator sheet"), (label, code))
    canvas.save()
    return drawn.getvalue()


def _sheet(canvas: Canvas, code: str, title: str, words: Sequence[str]) -> None:
    """Two codes of two kinds, and in large letters what the sheet is, in case both are spoilt."""
    canvas.setFont(FONT, 26)
    canvas.drawCentredString(WIDTH / 2, HEIGHT - 40 * mm, title)
    canvas.setFont(FONT, 30)
    canvas.drawCentredString(WIDTH / 2, HEIGHT - 58 * mm, piles.MARK)
    renderPDF.draw(qr(code, 80 * mm), canvas, (WIDTH - 80 * mm) / 2, HEIGHT - 150 * mm)
    bars = code128(code, WIDTH - 2 * MARGIN, 25 * mm)
    bars.drawOn(canvas, (WIDTH - bars.width) / 2, HEIGHT - 185 * mm)
    for place, line in enumerate(words):
        canvas.setFont(FONT, 24 if place == 0 else 16)
        canvas.drawCentredString(WIDTH / 2, HEIGHT - (208 + 13 * place) * mm, line)
    canvas.showPage()


def handover(uow: UnitOfWork, batch: ScanBatch) -> bytes:
    """交接单: the volumes of a batch with what was counted, to be signed when they go out and when they come back.

    It says numbers and no name: it goes along with the papers, also to another company.
    """
    uow.read(batches.event("batch.handover_printed", batch))
    drawn, canvas = begun(uow.site, _("Hand-over slip"))
    found = volumes.listed(uow, batch)
    for start in range(0, max(1, len(found)), ON_A_SHEET):
        _head(uow, canvas, batch, len(found))
        _rows(canvas, found[start : start + ON_A_SHEET], start)
        _signatures(canvas)
        canvas.showPage()
    canvas.save()
    return drawn.getvalue()


def _head(uow: UnitOfWork, canvas: Canvas, batch: ScanBatch, volumes: int) -> None:
    canvas.setFont(FONT, 18)
    canvas.drawString(MARGIN, HEIGHT - 22 * mm, f"{_('Hand-over slip')} {batch.number}")
    canvas.setFont(FONT, 10)
    said = [uow.site.hospital_name, _("Volumes: %(num)s", num=volumes)]
    said += [_("Vendor: %(name)s", name=batch.vendor)] if batch.vendor else []
    said += [_("Contract: %(name)s", name=batch.contract)] if batch.contract else []
    canvas.drawString(MARGIN, HEIGHT - 30 * mm, " · ".join(said))
    bars = code128(batch.number, 60 * mm, 10 * mm)
    bars.drawOn(canvas, WIDTH - MARGIN - bars.width, HEIGHT - 26 * mm)


COLUMNS = (0, 10, 50, 92, 116)
"""Millimetres from the left: number, barcode, record, pages counted, remark."""
REMARK = WIDTH - 2 * MARGIN - COLUMNS[-1] * mm
"""What a remark has room for."""


def _rows(canvas: Canvas, volumes: Sequence[Volume], before: int) -> None:
    top = HEIGHT - 38 * mm
    _row(canvas, top, ("#", _("Barcode"), _("Record"), _("Pages counted"), _("Remark")))
    for place, volume in enumerate(volumes, start=1):
        number = volume.node.stay or volume.node.number or ""
        sides = "" if volume.sides is None else str(volume.sides)
        _row(
            canvas,
            top - place * ROW,
            (str(before + place), volume.barcode, number, sides, _fitting(_papers(volume))),
        )


def _papers(volume: Volume) -> str:
    """What the volume holds that asks for care, and whether it is scanned first because of that."""
    told = _(", ").join(paper.label for paper in volume.papers)
    return _("Scan first: %(papers)s", papers=told) if volume.first else told


def _fitting(words: str) -> str:
    """As much of a remark as its column has room for."""
    while stringWidth(words, FONT, 10) > REMARK:
        words = f"{words.rstrip('…')[:-1]}…"
    return words


def _row(canvas: Canvas, top: float, cells: Sequence[str]) -> None:
    canvas.setFont(FONT, 10)
    for left, cell in zip(COLUMNS, cells, strict=True):
        canvas.drawString(MARGIN + left * mm, top - 6 * mm, cell)
    canvas.setLineWidth(0.3)
    canvas.line(MARGIN, top - ROW, WIDTH - MARGIN, top - ROW)


def _signatures(canvas: Canvas) -> None:
    canvas.setFont(FONT, 10)
    for place, act in enumerate((_("Out of the store"), _("Back in the store"))):
        low = (26 - 11 * place) * mm
        line = f"{act}    {_('Handed over by')} ______________    {_('Received by')} ______________    {_('Date')} ____________"
        canvas.drawString(MARGIN, low, line)
