"""打印件: what labels, slips and cover sheets have in common: our font, and barcodes exact to the millimetre."""

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from archive.site import Site

FONT = "NotoSansSC"


def begun(site: Site, title: str) -> tuple[BytesIO, Canvas]:
    """An A4 sheet to draw on, and where its bytes will lie once it is saved."""
    _font(site.static / "fonts" / "NotoSansSC-Regular.ttf")
    drawn = BytesIO()
    canvas = Canvas(drawn, pagesize=A4)
    canvas.setTitle(title)
    return drawn, canvas


@lru_cache
def _font(path: Path) -> None:
    pdfmetrics.registerFont(TTFont(FONT, path))


def code128(code: str, width: float, height: float) -> Code128:
    """Code 128 as wide as it may be, and no wider than a gun likes (0.33 mm the bar)."""
    plain = Code128(code, barWidth=1, quiet=0)
    return Code128(code, barWidth=min(0.33 * mm, width / plain.width), barHeight=height, quiet=0)


def qr(code: str, side: float) -> Drawing:
    """A QR code of this side that is still read when a quarter of it is spoilt."""
    widget = QrCodeWidget(code, barLevel="Q", barBorder=2)
    left, low, right, high = widget.getBounds()
    drawing = Drawing(side, side, transform=[side / (right - left), 0, 0, side / (high - low), 0, 0])
    drawing.add(widget)
    return drawing


def squares(code: str) -> list[list[bool]]:
    """The squares of a QR code, row by row, to be drawn into a picture."""
    widget: Any = QrCodeWidget(code, barLevel="M")
    widget.qr.make()
    return [[bool(square) for square in row] for row in widget.qr.modules]
