"""Red ink: the round seal with the star, the department's report seal, the record room's dated stamp."""

from functools import cache
from math import cos, pi, sin
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFont

from archive.demo.paper import RED, Page, typeface

_SEAL_MM, _STAMP_MM = 40, 28


def round_seal(page: Page, centre: tuple[float, float], rim: str, foot: str = "") -> None:
    """印章: the institution along the rim, a star, what the seal is for below it."""
    _press(page, centre, _round_mask(page.font_path, page.px(_SEAL_MM), rim, foot))


def dated_stamp(page: Page, centre: tuple[float, float], lines: tuple[str, str, str]) -> None:
    """收讫章: a ring with two chords, office above, date between, act below."""
    _press(page, centre, _stamp_mask(page.font_path, page.px(_STAMP_MM), lines))


def _press(page: Page, centre: tuple[float, float], mask: Image.Image) -> None:
    mask = mask.rotate(page.rng.uniform(-14, 14), Image.Resampling.BILINEAR)
    worn = mask.point([round(level * page.rng.uniform(0.72, 0.9)) for level in range(256)])
    page.image.paste(RED, (round(centre[0] - mask.width / 2), round(centre[1] - mask.height / 2)), worn)


@cache
def _round_mask(font_path: Path, side: int, rim: str, foot: str) -> Image.Image:
    mask = Image.new("L", (side, side), 0)
    pen, middle, edge = ImageDraw.Draw(mask), side / 2, max(2, side // 36)
    pen.ellipse((edge, edge, side - edge, side - edge), outline=255, width=edge)
    letter = round(side * (0.135 if len(rim) <= 12 else 0.11))
    spread = min(1.55 * pi, len(rim) * 0.42)
    for n, character in enumerate(rim):
        angle = -pi / 2 + spread * ((n + 0.5) / len(rim) - 0.5)
        at = (round(middle + side * 0.365 * cos(angle)), round(middle + side * 0.365 * sin(angle)))
        _letter(mask, typeface(font_path, letter), character, at, -(angle + pi / 2) * 180 / pi)
    points = [
        (middle + side * reach * cos(-pi / 2 + n * pi / 5), middle + side * reach * sin(-pi / 2 + n * pi / 5))
        for n, reach in enumerate((0.15, 0.058) * 5)
    ]
    pen.polygon(points, fill=255)
    if foot:
        face = typeface(font_path, round(side * 0.1))
        pen.text((middle, side * 0.73), foot, fill=255, font=face, anchor="mm")
    return _wear(mask)


def _letter(
    mask: Image.Image, face: ImageFont.FreeTypeFont, character: str, at: tuple[int, int], degrees: float
) -> None:
    size = round(face.size)
    scrap = Image.new("L", (size * 2, size * 2), 0)
    ImageDraw.Draw(scrap).text((size, size), character, fill=255, font=face, anchor="mm")
    turned = scrap.rotate(degrees, Image.Resampling.BICUBIC)
    mask.paste(255, (at[0] - size, at[1] - size), turned)


@cache
def _stamp_mask(font_path: Path, side: int, lines: tuple[str, str, str]) -> Image.Image:
    mask = Image.new("L", (side, side), 0)
    pen, edge = ImageDraw.Draw(mask), max(2, side // 40)
    pen.ellipse((edge, edge, side - edge, side - edge), outline=255, width=edge)
    for height in (0.39, 0.61):
        pen.line((side * 0.06, side * height, side * 0.94, side * height), fill=255, width=edge)
    for text, height, size in zip(lines, (0.25, 0.5, 0.75), (0.15, 0.125, 0.15), strict=True):
        pen.text(
            (side / 2, side * height),
            text,
            fill=255,
            font=typeface(font_path, round(side * size)),
            anchor="mm",
        )
    return _wear(mask)


def _wear(mask: Image.Image) -> Image.Image:
    """Ink does not take everywhere: some flecks stay pale."""
    rng, side = Random(mask.width), mask.width
    flecks = Image.new("L", (max(24, side // 6), max(24, side // 6)), 0)
    flecks.putdata([rng.choice((255, 255, 240, 225, 170)) for _ in range(flecks.width * flecks.height)])
    paled = flecks.resize(mask.size, Image.Resampling.BILINEAR)
    return Image.composite(paled, Image.new("L", mask.size, 0), mask)
