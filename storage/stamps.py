"""What makes a copy of a page a certified one: a strip below it with words, number and code; and the sheet on top of all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_QUALITY = 82
_RED, _DARK = (176, 24, 24), (30, 30, 30)
_STRIP = 0.085  # of the width of the page: its height
_A4, _DPI = (1240, 1754), 150
_LEFT, _LINE, _FACT = 110, 36, 40
_TOP, _BOTTOM = 90, _A4[1] - 120

Squares = Sequence[Sequence[bool]]
"""A QR code, row by row: which squares are dark."""


@dataclass(frozen=True)
class Stamp:
    """What stands on every page: the certification, the line below it, and the code to verify it by."""

    title: str
    line: str
    squares: Squares
    font: Path


@dataclass(frozen=True)
class Stamped:
    """A certified page as JPEG; and the words of its stamp with their places, as storage.searchable takes them."""

    jpeg: bytes
    lines: list[list[float | str]]


def stamped(picture: bytes, stamp: Stamp) -> Stamped:
    """The page with the stamp burnt in below it, so that nothing of the page is covered and nothing can be peeled off."""
    image = Image.open(BytesIO(picture), formats=("JPEG", "WEBP")).convert("RGB")
    height = max(72, round(image.width * _STRIP))
    whole = Image.new("RGB", (image.width, image.height + height), "white")
    whole.paste(image, (0, 0))
    strip = _strip(image.width, height, stamp)
    whole.paste(strip, (0, image.height))
    out = BytesIO()
    whole.save(out, "JPEG", quality=_QUALITY, dpi=image.info.get("dpi", (0, 0)))
    top, right = image.height, image.width - height - 20
    return Stamped(
        out.getvalue(),
        [[12, top + height * 0.08, right, top + height * 0.5, stamp.title],
         [12, top + height * 0.58, right, top + height * 0.92, stamp.line]],
    )  # fmt: skip


def _strip(width: int, height: int, stamp: Stamp) -> Image.Image:
    strip = Image.new("RGB", (width, height), "white")
    draw, side = ImageDraw.Draw(strip), height - 4
    draw.line((0, 1, width, 1), _RED, 3)
    strip.paste(_code(stamp.squares, side), (width - side - 2, 3))
    room = width - side - 24
    upper, lower = (
        _fitting(stamp.title, stamp.font, room, height * 2 // 5),
        _fitting(stamp.line, stamp.font, room, height * 3 // 10),
    )
    draw.text((12, height * 0.08), stamp.title, _RED, upper)
    draw.text((12, height * 0.58), stamp.line, _DARK, lower)
    return strip


def _code(squares: Squares, side: int) -> Image.Image:
    """The QR code with its quiet edge, each square a whole number of pixels."""
    many = len(squares) + 4
    small = Image.new("RGB", (many, many), "white")
    for y, row in enumerate(squares):
        for x, dark in enumerate(row):
            if dark:
                small.putpixel((x + 2, y + 2), (0, 0, 0))
    grown = small.resize((max(1, side // many) * many,) * 2, Image.Resampling.NEAREST)
    whole = Image.new("RGB", (side, side), "white")
    whole.paste(grown, ((side - grown.width) // 2,) * 2)
    return whole


@lru_cache(maxsize=64)
def _face(font: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font, size)


def _fitting(text: str, font: Path, room: int, size: int) -> ImageFont.FreeTypeFont:
    """The type, made smaller until the words fit."""
    wide = _face(font, size).getlength(text)
    return _face(font, max(8, size if wide <= room else int(size * room / wide)))


def listed(
    title: str, facts: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]], font: Path
) -> Iterator[bytes]:
    """Sheets of A4 as JPEG: a title, facts, and the rows of a list, of which the last column stands on the right.

    Whatever there is too much of goes on on the next sheet.
    """
    told, rest, first = list(facts), list(rows), True
    while first or told or rest:
        sheet = Image.new("RGB", _A4, "white")
        draw, y = ImageDraw.Draw(sheet), _TOP
        if first:
            fitting = _fitting(title, font, _A4[0] - 2 * _LEFT, 48)
            draw.text((_A4[0] / 2, y), title, _DARK, fitting, anchor="ma")
            y += 100
        many = (_BOTTOM - y) // _FACT
        for fact in told[:many]:
            _fact(draw, y, fact, font)
            y += _FACT
        y += 20 if told else 0
        told = told[many:]
        room = 0 if told else max(0, (_BOTTOM - y) // _LINE)
        for row in rest[:room]:
            _row(draw, y, row, font)
            y += _LINE
        rest, first = rest[room:], False
        yield _jpeg(sheet)


def _fact(draw: ImageDraw.ImageDraw, y: int, fact: tuple[str, str], font: Path) -> None:
    name, value = fact
    draw.text((_LEFT, y), name, (90, 90, 90), _face(font, 24))
    draw.text((_LEFT + 240, y), value, _DARK, _fitting(value, font, _A4[0] - 2 * _LEFT - 240, 26))


def _row(draw: ImageDraw.ImageDraw, y: int, row: Sequence[str], font: Path) -> None:
    room = (_A4[0] - 2 * _LEFT) // max(1, len(row))
    for place, text in enumerate(row):
        last = place == len(row) - 1 and place > 0
        x = _A4[0] - _LEFT if last else _LEFT + place * room
        draw.text((x, y), text, _DARK, _fitting(text, font, room - 12, 24), anchor="ra" if last else "la")
    draw.line((_LEFT, y + _LINE - 4, _A4[0] - _LEFT, y + _LINE - 4), (210, 210, 210), 1)


def _jpeg(sheet: Image.Image) -> bytes:
    out = BytesIO()
    sheet.save(out, "JPEG", quality=_QUALITY, dpi=(_DPI, _DPI))
    return out.getvalue()
