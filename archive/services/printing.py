"""打印件: what labels, slips and lists have in common: our font, tables, and barcodes exact to the millimetre."""

from collections.abc import Iterable
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import grey, whitesmoke
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

from archive.site import Site

FONT = "NotoSansSC"
MARGIN = 18 * mm


def begun(site: Site, title: str) -> tuple[BytesIO, Canvas]:
    """An A4 sheet to draw on, and where its bytes will lie once it is saved."""
    _font(site.static / "fonts" / "NotoSansSC-Regular.ttf")
    drawn = BytesIO()
    canvas = Canvas(drawn, pagesize=A4)
    canvas.setTitle(title)
    return drawn, canvas


def flowing(site: Site, title: str, story: Iterable[Flowable], foot: str) -> bytes:
    """A document of as many A4 sheets as it needs, each with `foot` and its number at the bottom.

    `story` is drawn one by one: what it makes needs our font.
    """
    _font(site.static / "fonts" / "NotoSansSC-Regular.ttf")
    drawn = BytesIO()

    def below(canvas: Canvas, document: BaseDocTemplate) -> None:
        canvas.setFont(FONT, 8)
        canvas.drawString(MARGIN, 10 * mm, foot)
        canvas.drawRightString(A4[0] - MARGIN, 10 * mm, str(document.page))

    sheet = SimpleDocTemplate(
        drawn, pagesize=A4, title=title, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN
    )  # fmt: skip
    sheet.build(list(story), onFirstPage=below, onLaterPages=below)
    return drawn.getvalue()


def said(words: str, size: float = 10, space: float = 2) -> Paragraph:
    """A paragraph of typed words: they are shown as they are, whatever signs are in them."""
    style = ParagraphStyle(
        str(size), fontName=FONT, fontSize=size, leading=size * 1.4, wordWrap="CJK", spaceAfter=space * mm
    )
    return Paragraph(escape(words), style)


def ruled(
    rows: list[list[str]], widths: list[float], *, head: bool = True, size: float = 9, height: float | None = None
) -> Table:  # fmt: skip
    """A table with lines around its cells; widths in millimetres. `height`: of rows in which somebody writes by hand."""
    cells = [[said(cell, size, 0) for cell in row] for row in rows]
    heights = [None, *[height * mm] * (len(rows) - 1)] if height else None
    table = Table(
        cells, colWidths=[width * mm for width in widths], rowHeights=heights, repeatRows=1 if head else 0
    )
    table.setStyle(TableStyle([("GRID", (0, 0), (-1, -1), 0.4, grey), ("VALIGN", (0, 0), (-1, -1), "TOP")]))
    if head:
        table.setStyle(TableStyle([("BACKGROUND", (0, 0), (-1, 0), whitesmoke)]))
    return table


@lru_cache
def _font(path: Path) -> None:
    pdfmetrics.registerFont(TTFont(FONT, path))
    pdfmetrics.registerFontFamily(FONT, FONT, FONT, FONT, FONT)


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
