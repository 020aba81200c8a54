"""A blank page to print on: millimetres, fonts, and lines of Chinese that break where a typesetter would break them."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
BLACK: Colour = (28, 28, 30)
GREY: Colour = (120, 120, 122)
INK: Colour = (30, 42, 104)
RED: Colour = (196, 32, 36)
BLUE: Colour = (36, 66, 168)

_MM_PER_INCH = 25.4
_POINTS_PER_INCH = 72
_LEADING = 1.62
_SIGNATURE = 14
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.%/+\-^:×~]*|.", re.DOTALL)
# 避头尾: what may not begin a line hangs over the margin, what may not end one goes down.
_NEVER_FIRST = set("，。、；：）》】”？！％℃…")
_NEVER_LAST = set("（《【“")


class Box(NamedTuple):
    """A place on the page, in pixels; a drawing that finds its own height ignores that of its box."""

    left: int
    top: int
    width: int
    height: int = 0

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def corners(self) -> tuple[int, int, int, int]:
        return self.left, self.top, self.right, self.bottom


@cache
def typeface(path: Path, pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), pixels, layout_engine=ImageFont.Layout.BASIC)


@cache
def advance(path: Path, pixels: int, text: str) -> float:
    """How wide a token is set, in pixels."""
    return typeface(path, pixels).getlength(text)


@dataclass(slots=True)
class Page:
    """One page being printed; positions are pixels, `px` makes them of millimetres."""

    width_mm: float
    height_mm: float
    dpi: int
    font_path: Path
    rng: Random
    image: Image.Image = field(init=False)
    draw: ImageDraw.ImageDraw = field(init=False)

    def __post_init__(self) -> None:
        self.image = Image.new("RGB", (self.px(self.width_mm), self.px(self.height_mm)), "white")
        self.draw = ImageDraw.Draw(self.image)

    def px(self, millimetres: float) -> int:
        return round(millimetres * self.dpi / _MM_PER_INCH)

    def size(self, points: float) -> int:
        return round(points * self.dpi / _POINTS_PER_INCH)

    def leading(self, points: float) -> int:
        """From one line to the next."""
        return round(self.size(points) * _LEADING)

    @property
    def hairline(self) -> int:
        return max(1, self.px(0.18))

    def width(self, text: str, points: float) -> float:
        size = self.size(points)
        return sum(advance(self.font_path, size, token) for token in _TOKEN.findall(text))

    def text(self, at: tuple[float, float], text: str, points: float, colour: Colour = BLACK) -> None:
        """One line with its top left at that place."""
        self.draw.text(at, text, fill=colour, font=typeface(self.font_path, self.size(points)), anchor="la")

    def bold(self, at: tuple[float, float], text: str, points: float, colour: Colour = BLACK) -> None:
        """One line printed twice, a hair apart: the shipped font has one weight."""
        self.text(at, text, points, colour)
        self.text((at[0] + max(1, self.dpi // 200), at[1]), text, points, colour)

    def middle(self, text: str, points: float) -> float:
        """Where a line must begin to stand in the middle of the page."""
        return (self.image.width - self.width(text, points)) / 2

    def wrap(self, text: str, points: float, width: float) -> list[str]:
        """The text in lines no wider than that, but for punctuation that hangs over by one character."""
        size, lines, line, used = self.size(points), [], "", 0.0
        for token in _TOKEN.findall(text):
            step = advance(self.font_path, size, token)
            if line and used + step > width and token not in _NEVER_FIRST:
                carried = line[-1] if line[-1] in _NEVER_LAST and len(line) > 1 else ""
                lines.append(line.removesuffix(carried))
                line, used = carried, advance(self.font_path, size, carried) if carried else 0.0
            line, used = line + token, used + step
        return [*lines, line]

    def line(
        self, ends: tuple[float, float, float, float], colour: Colour = BLACK, thick: int | None = None
    ) -> None:
        self.draw.line(ends, fill=colour, width=thick or self.hairline)

    def frame(self, box: Box, colour: Colour = BLACK) -> None:
        self.draw.rectangle(box.corners, outline=colour, width=self.hairline)

    def written(self, at: tuple[float, float], name: str) -> float:
        """A name signed by hand: slanted, uneven, in ink. Returns where it ends."""
        size = self.size(_SIGNATURE)
        pad, face = size // 2, typeface(self.font_path, size)
        scrap = Image.new("L", (round(self.width(name, _SIGNATURE)) + 2 * pad, size * 2), 0)
        pen, x = ImageDraw.Draw(scrap), float(pad)
        for letter in name:
            lift = self.rng.uniform(-0.08, 0.08) * pad
            pen.text((x, pad + lift), letter, fill=235, font=face, anchor="la")
            x += advance(self.font_path, size, letter) * self.rng.uniform(0.84, 0.95)
        slant = self.rng.uniform(0.12, 0.3)
        leaning = (1, slant, -slant * pad, 0, 1, 0)
        scrap = scrap.transform(scrap.size, Image.Transform.AFFINE, leaning, Image.Resampling.BILINEAR)
        scrap = scrap.rotate(self.rng.uniform(-1, 6), Image.Resampling.BILINEAR)
        self.image.paste(INK, (round(at[0]) - pad // 2, round(at[1] - pad * 1.25)), scrap)
        return at[0] + x
