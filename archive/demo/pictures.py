"""Pictures that reports carry, made from noise: ultrasound, X-ray, a stained section, a newborn's footprints."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from archive.demo.layout import Table
from archive.demo.paper import GREY, RED, Box, Page

_SIDE = 240
_BLACK_INK = (58, 48, 60)
_VIOLET = ((92, 62, 146), (110, 74, 160), (78, 54, 128))

Light = npt.NDArray[np.floating[Any]]


def _noise(page: Page, rough: int) -> Light:
    """Clouds between 0 and 1 in a square of `_SIDE` pixels, the rougher the smaller."""
    random = np.random.default_rng(page.rng.randrange(2**32))
    small = Image.fromarray((random.random((_SIDE // rough, _SIDE // rough)) * 255).astype(np.uint8))
    return np.asarray(small.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC), dtype=np.float32) / 255


def _fan(page: Page) -> Image.Image:
    """超声: a sector of speckle with a dark, round cavity."""
    y, x = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float32) / _SIDE
    reach, angle = np.hypot(x - 0.5, y + 0.12), np.abs(np.arctan2(x - 0.5, y + 0.12))
    inside = (reach > 0.22) & (reach < 1.06) & (angle < 0.62)
    tissue = (0.25 + 0.75 * _noise(page, 12)) * (0.3 + 0.7 * _noise(page, 2)) * (1.15 - 0.6 * reach)
    cx, cy = 0.5 + page.rng.uniform(-0.1, 0.1), 0.55 + page.rng.uniform(-0.08, 0.08)
    hollow = 1 / (1 + np.exp(np.minimum(((x - cx) / 0.19) ** 2 + ((y - cy) / 0.13) ** 2 - 1, 8) * 6))
    rim = np.exp(-((np.hypot((x - cx) / 0.19, (y - cy) / 0.13) - 1.06) ** 2) / 0.006)
    light = np.where(inside, tissue * (1 - 0.92 * hollow) + 0.45 * rim * inside, 0.02)
    return _grey(light, 235)


def _chest(page: Page) -> Image.Image:
    """胸片: two dark lungs, ribs across, the heart between, patches below."""
    y, x = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float32) / _SIDE
    lungs = sum(np.exp(-((((x - c) / 0.15) ** 2 + ((y - 0.5) / 0.32) ** 2) ** 2)) for c in (0.29, 0.71))
    ribs = 0.5 + 0.5 * np.sin(46 * (y - 0.35 * np.abs(x - 0.5)) + 1)
    heart = np.exp(-((((x - 0.54) / 0.14) ** 2 + ((y - 0.63) / 0.19) ** 2) ** 2))
    patches = _noise(page, 18) * lungs * (y > 0.5)
    light = 0.74 - 0.5 * lungs + 0.1 * ribs * lungs + 0.38 * heart + 0.22 * patches + 0.05 * _noise(page, 2)
    frame = np.exp(-((np.hypot((x - 0.5) / 0.56, (y - 0.52) / 0.62)) ** 8))
    return _grey(light * frame, 240).filter(ImageFilter.GaussianBlur(1))


def _section(page: Page) -> Image.Image:
    """病理: a haematoxylin and eosin stain, pink ground and violet nuclei."""
    ground, grain = _noise(page, 9)[..., None], _noise(page, 2)[..., None]
    pink, pale = np.array((226, 148, 184), np.float32), np.array((250, 232, 242), np.float32)
    image = Image.fromarray(
        (pink + (pale - pink) * np.clip(ground * 1.2 - 0.1 + 0.2 * grain, 0, 1)).astype(np.uint8)
    )
    pen = ImageDraw.Draw(image)
    for _ in range(260):
        cx, cy = page.rng.randrange(_SIDE), page.rng.randrange(_SIDE)
        a, b = page.rng.uniform(1.6, 3.4), page.rng.uniform(1.4, 2.6)
        pen.ellipse((cx - a, cy - b, cx + a, cy + b), fill=page.rng.choice(_VIOLET))
    return image.filter(ImageFilter.GaussianBlur(0.7))


def _place(page: Page, pictures: list[Image.Image], box: Box) -> int:
    side, top = page.px(52), box.top + page.px(2)
    gap = (box.width - side * len(pictures)) // (len(pictures) + 1)
    for n, picture in enumerate(pictures):
        frame = Box(box.left + gap + n * (side + gap), top, side, side)
        shown = picture.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
        page.image.paste(shown, (frame.left, frame.top))
        page.frame(frame)
    return side + page.px(6)


def ultrasound(page: Page, box: Box, _: Table) -> int:
    return _place(page, [_fan(page), _fan(page)], box)


def xray(page: Page, box: Box, _: Table) -> int:
    return _place(page, [_chest(page)], box)


def micrograph(page: Page, box: Box, _: Table) -> int:
    return _place(page, [_section(page), _section(page)], box)


def footprints(page: Page, box: Box, _: Table) -> int:
    """足印: right and left foot in black and the mother's thumb in red, each pressed into its field."""
    foot, thumb = (page.px(30), page.px(48)), (page.px(20), page.px(27))
    right, left = _foot(page), _foot(page).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    prints = (
        ("右足印", right, foot, _BLACK_INK),
        ("左足印", left, foot, _BLACK_INK),
        ("母亲右手拇指印", _thumb(page), thumb, RED),
    )
    for n, (caption, mask, size, ink) in enumerate(prints):
        field = Box(
            box.left + round(box.width * (0.04 + 0.32 * n)), box.top + page.px(1), page.px(38), page.px(52)
        )
        turn = page.rng.uniform(-6, 6)
        pressed = mask.resize(size, Image.Resampling.BILINEAR).rotate(turn, Image.Resampling.BILINEAR)
        at = (field.left + (field.width - size[0]) // 2, field.top + (field.height - size[1]) // 2)
        page.image.paste(ink, at, pressed)
        page.frame(field, GREY)
        page.text((field.left + page.px(3), field.bottom + page.px(1)), caption, 8)
    return page.px(61)


def _foot(page: Page) -> Image.Image:
    mask = Image.new("L", (120, 192), 0)
    pen = ImageDraw.Draw(mask)
    pen.ellipse((26, 52, 98, 120), fill=255)
    pen.ellipse((30, 116, 82, 188), fill=255)
    pen.polygon(((32, 92), (86, 100), (80, 150), (34, 150)), fill=255)
    for x, y, r in ((30, 30, 15), (54, 22, 10), (71, 27, 9), (85, 36, 8), (97, 48, 7)):
        pen.ellipse((x - r, y - r, x + r, y + r), fill=255)
    return _inked(page, mask, wrinkles=9)


def _thumb(page: Page) -> Image.Image:
    mask = Image.new("L", (80, 108), 0)
    ImageDraw.Draw(mask).ellipse((6, 6, 74, 102), fill=255)
    return _inked(page, mask, wrinkles=5)


def _inked(page: Page, mask: Image.Image, wrinkles: int) -> Image.Image:
    """Ink leaves the ridges of the skin and skips where it was pressed lightly."""
    shape = np.asarray(mask.filter(ImageFilter.GaussianBlur(1.2)), dtype=np.float32) / 255
    height, width = shape.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    from_middle = np.hypot(x - width / 2, y - height / 2)
    ridges = 0.5 + 0.5 * np.sin((from_middle + 14 * _stretched(page, 30, mask.size)) * wrinkles / 6)
    return _grey(shape * (0.25 + 0.55 * ridges) * (0.5 + 0.9 * _stretched(page, 8, mask.size)), 255)


def _stretched(page: Page, rough: int, size: tuple[int, int]) -> Light:
    return np.asarray(_grey(_noise(page, rough), 255).resize(size), dtype=np.float32) / 255


def _grey(light: Light, brightest: int) -> Image.Image:
    return Image.fromarray((np.clip(light, 0, 1) * brightest).astype(np.uint8))
