"""Files as people hand them in: PDFs with text, scans without, ones that cannot be read; and a copy that they take away."""

import re
from io import BytesIO
from pathlib import Path

import pypdfium2
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONT = Path(__file__).parents[1] / "archive/static/fonts/NotoSansSC-Regular.ttf"


def pdf(*texts: str, password: str | None = None) -> bytes:
    """A PDF with one page a text; an empty text is a blank page."""
    if "Noto" not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont("Noto", FONT))
    out = BytesIO()
    lock = StandardEncryption(password, strength=128) if password else None
    canvas = Canvas(out, pagesize=(300, 420), encrypt=lock, invariant=1)
    for text in texts:
        canvas.setFont("Noto", 14)
        for line, words in enumerate(text.splitlines()):
            canvas.drawString(30, 370 - 24 * line, words)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def scan(*lines: str) -> bytes:
    """A picture of printed lines, as a scanner makes it."""
    image = Image.new("L", (900, 200 + 70 * len(lines)), 255)
    face = ImageFont.truetype(FONT, 40)
    for number, line in enumerate(lines):
        ImageDraw.Draw(image).text((60, 80 + 70 * number), line, 0, face)
    out = BytesIO()
    image.save(out, "PNG", dpi=(200, 200))
    return out.getvalue()


def code_on(copy: bytes) -> str:
    """The verification code below the last page of a copy, in groups, as whoever holds it reads it."""
    pages = pypdfium2.PdfDocument(copy)
    found = re.search(
        r"[A-Z2-7]{5}(-[A-Z2-7]{5}){4}-[A-Z2-7]", pages[len(pages) - 1].get_textpage().get_text_range()
    )
    assert found
    return found[0]


def bomb() -> bytes:
    """A PNG that says it is 64,000 pixels wide and high: 12 GB once decoded, 70 bytes on the disk."""
    small = BytesIO()
    Image.new("RGB", (1, 1)).save(small, "PNG")
    whole = bytearray(small.getvalue())
    whole[16:24] = (64_000).to_bytes(4) * 2
    whole[29:33] = _crc(bytes(whole[12:29]))
    return bytes(whole)


def _crc(chunk: bytes) -> bytes:
    from zlib import crc32

    return crc32(chunk).to_bytes(4)
