"""Pages as files of the kinds that scanners and word processors send: JPEG, PNG, TIFF, PDF with and without text.

The same pages give the same bytes: dates and identifiers that the formats want are fixed.
"""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from time import gmtime
from xml.sax.saxutils import escape

from PIL import Image
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

from archive.demo.layout import blocks

_FACE = "demo"
_QUALITY = 78
_RULED = (("GRID", (0, 0), (-1, -1), 0.4, "#333333"), ("VALIGN", (0, 0), (-1, -1), "TOP"))


def _dpi(image: Image.Image) -> float:
    return float(image.info.get("dpi", (300, 300))[0])


def as_jpeg(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=_QUALITY, dpi=(_dpi(image), _dpi(image)))
    return out.getvalue()


def as_png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG", compress_level=3, dpi=(_dpi(image), _dpi(image)))
    return out.getvalue()


def as_tiff(images: Sequence[Image.Image]) -> bytes:
    """One TIFF of many pages, as scanners write them: Group 4 if they are bitonal, else JPEG; not a mixture."""
    out = BytesIO()
    first, *rest = images
    coding = {"compression": "group4"} if first.mode == "1" else {"compression": "jpeg", "quality": _QUALITY}
    first.save(out, "TIFF", save_all=True, append_images=rest, dpi=(_dpi(first), _dpi(first)), **coding)
    return out.getvalue()


def as_pdf(images: Sequence[Image.Image]) -> bytes:
    """A PDF of nothing but images, without a text layer."""
    out = BytesIO()
    first, *rest = images
    first.save(
        out,
        "PDF",
        save_all=True,
        append_images=rest,
        resolution=_dpi(first),
        quality=_QUALITY,
        creationDate=gmtime(0),
        modDate=gmtime(0),
    )
    return out.getvalue()


def text_pdf(title: str, text: str, *, font_path: Path) -> bytes:
    """A born-digital PDF with its text, set in a TrueType font (reportlab takes no CFF outlines)."""
    if _FACE not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(_FACE, str(font_path)))
    body = ParagraphStyle("body", fontName=_FACE, fontSize=10.5, leading=18, wordWrap="CJK")
    head = ParagraphStyle("head", parent=body, fontSize=17, leading=26, alignment=TA_CENTER)
    story: list[Flowable] = [Paragraph(escape(title), head), Spacer(0, 6 * mm)]
    cell = ParagraphStyle("cell", parent=body, fontSize=9, leading=13)
    for block in blocks(text):
        if isinstance(block, str):
            story.append(Paragraph(escape(block), body))
        else:
            rows = [[Paragraph(escape(part), cell) for part in row] for row in block]
            story.append(Table(rows, style=_RULED))
    out = BytesIO()
    SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=22 * mm,
        rightMargin=18 * mm,
        topMargin=20 * mm,
        bottomMargin=18 * mm,
        title=title,
        invariant=1,
    ).build(story)
    return out.getvalue()
