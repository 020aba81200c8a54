"""What a scanner makes of a page: a little askew, tinted, grainy, darker where the paper lifts from the glass."""

from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image, ImageChops, ImageDraw

_TINTS = ((252, 250, 243), (250, 247, 236), (247, 247, 245), (244, 239, 224))
_LID = (226, 226, 224)
_MAX_SKEW = 1.5


def scan(page: Image.Image, rng: Random, *, colour: bool, dpi: int) -> Image.Image:
    """The page as it comes out of the feeder, in colour or in grey, with its resolution noted."""
    _holes(page, rng, dpi)
    skew = max(-_MAX_SKEW, min(_MAX_SKEW, rng.gauss(0, 0.5)))
    flat, lid = (page, _LID) if colour else (page.convert("L"), _LID[0])
    turned = flat.rotate(skew, Image.Resampling.BILINEAR, fillcolor=lid)
    scanned = ImageChops.multiply(turned, _texture(page.size, rng, colour=colour))
    _dust(scanned, rng)
    scanned.info["dpi"] = (dpi, dpi)
    return scanned


def _texture(size: tuple[int, int], rng: Random, *, colour: bool) -> Image.Image:
    grain = _paper(size)
    if rng.random() < 0.5:
        grain = grain.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    tint = rng.choice(_TINTS)
    if not colour:
        return grain
    return Image.merge("RGB", [grain.point([level * part // 255 for level in range(256)]) for part in tint])


@lru_cache(maxsize=4)
def _paper(size: tuple[int, int]) -> Image.Image:
    """Grain and the shadow along the edges: costly to make, so kept; pages multiply themselves with it."""
    width, height = size
    noise = np.random.default_rng(width).normal(0, 1.1, (height // 2 + 1, width // 2 + 1)).astype(np.float32)
    grain = np.repeat(np.repeat(noise, 2, axis=0), 2, axis=1)[:height, :width]
    x = np.linspace(0, 1, width, dtype=np.float32)
    y = np.linspace(0, 1, height, dtype=np.float32)
    across = 1 - 0.30 * np.exp(-x / 0.007) - 0.05 * np.exp(-x / 0.06) - 0.08 * np.exp(-(1 - x) / 0.005)
    down = 1 - 0.16 * np.exp(-y / 0.004) - 0.05 * np.exp(-(1 - y) / 0.012)
    return Image.fromarray(np.clip(down[:, None] * across[None, :] * 251 + grain, 0, 255).astype(np.uint8))


def _holes(page: Image.Image, rng: Random, dpi: int) -> None:
    """装订孔: the two or three holes by which the ward kept the sheets together."""
    if rng.random() < 0.35:
        return
    pen, radius = ImageDraw.Draw(page), round(2.6 * dpi / 25.4)
    x = round(rng.uniform(8, 10) * dpi / 25.4)
    for share in (0.36, 0.64) if rng.random() < 0.7 else (0.25, 0.5, 0.75):
        y = round(page.height * share) + rng.randint(-4, 4)
        pen.ellipse(
            (x - radius, y - radius, x + radius, y + radius), fill=(214, 214, 212), outline=(168, 168, 166)
        )


def _dust(image: Image.Image, rng: Random) -> None:
    pen = ImageDraw.Draw(image)
    fill: int | tuple[int, int, int] = 120 if image.mode == "L" else (120, 118, 112)
    for _ in range(rng.randint(6, 26)):
        x, y, size = rng.randrange(image.width), rng.randrange(image.height), rng.choice((0, 0, 1, 1, 2))
        pen.ellipse((x, y, x + size, y + size), fill=fill)
