"""What can be measured of the picture of a page before anybody has looked at it. By Pillow alone: a child process that draws
pages has little memory, and numpy would take a part of it.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from PIL import Image, ImageChops

_SMALL = 1000
"""Pixels of the long edge at which ink and borders are measured: 85 dpi of an A4 page."""
_CONTRAST = 60
"""Of 256 steps: so much darker than the paper is ink."""
_MARGIN = 0.03
"""Of each edge: shadows of the scanner lie there."""
_FRAME = 0.008
"""Of each edge: what is dark here is a border."""
_STEEPEST, _COARSE, _FINE = 6.0, 0.5, 0.1
"""Degrees: how far, in what steps, and how closely a tilt is looked for."""
_LINES = 700
"""Pixels of the long edge at which lines of text still stand apart."""
_LEAST_INK = 0.002
"""With less there are no lines by which a tilt could be told, nor edges by which to judge how sharp they are."""
_BANDS, _BAND = 24, 16
"""So many bands of so many rows of pixels are looked at for their edges."""
_RED = 60
"""Of 256 steps: so much more red than green or blue is the red of a seal."""


def measured(image: Image.Image) -> dict[str, Any]:
    """Of a picture in grey or RGB; see ``storage.pages.Quality``."""
    small = image.reduce(max(1, round(max(image.size) / _SMALL)))
    grey = small.convert("L")
    paper = _percentile(grey.histogram(), 0.9)
    ink = grey.point(lambda value: 255 if value < paper - _CONTRAST else 0)
    inner = ink.crop(_inside(ink.size))
    share = _share(inner)
    is_written = share >= _LEAST_INK
    return {
        "ink": round(share, 5),
        "tilt": _tilt(inner) if is_written else None,
        "sharpness": _sharpness(image) if is_written else None,
        "border": round(max(map(_share, _edges(ink))), 3),
        "red": round(_red(small), 5),
    }


def _percentile(counts: Sequence[int], share: float) -> int:
    """The step up to which so large a share of the pixels lies."""
    left = share * sum(counts)
    for step, count in enumerate(counts):
        left -= count
        if left <= 0:
            return step
    return len(counts) - 1


def _share(mask: Image.Image) -> float:
    """How much of a mask is set."""
    counts = mask.histogram()
    return counts[255] / max(1, sum(counts))


def _inside(size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, top = (int(length * _MARGIN) for length in size)
    return left, top, size[0] - left, size[1] - top


def _edges(ink: Image.Image) -> list[Image.Image]:
    width, height = ink.size
    across, down = (max(1, int(length * _FRAME)) for length in ink.size)
    boxes = (
        (0, 0, width, down),
        (0, height - down, width, height),
        (0, 0, across, height),
        (width - across, 0, width, height),
    )
    return [ink.crop(box) for box in boxes]


def _tilt(ink: Image.Image) -> float:
    """Degrees by which lines fall to the right: turned back by so much, rows of ink and rows of paper differ most."""
    picture = ink.copy()
    picture.thumbnail((_LINES, _LINES), Image.Resampling.BOX)

    def contrast(degrees: float) -> int:
        turned = picture.rotate(degrees, Image.Resampling.BILINEAR)
        rows = turned.convert("I").resize((1, turned.height), Image.Resampling.BOX).tobytes()
        sums = memoryview(rows).cast("i")
        return sum((one - other) ** 2 for one, other in pairwise(sums))

    coarse = max((turn * _COARSE for turn in _around(_STEEPEST / _COARSE)), key=contrast)
    close = max((coarse + turn * _FINE for turn in _around(_COARSE / _FINE)), key=contrast)
    return round(close, 1) + 0.0


def _around(steps: float) -> list[int]:
    """Nothing first, so that of angles that fit alike the smallest counts."""
    return sorted(range(-round(steps), round(steps) + 1), key=abs)


def _sharpness(image: Image.Image) -> float:
    """How steep the steepest edges are: 1 where ink borders on paper from one pixel to the next."""
    width, height = image.size
    steps, values = [0] * 256, [0] * 256
    for number in range(_BANDS):
        top = height * number // _BANDS
        band = image.crop((0, top, width, min(height, top + _BAND))).convert("L")
        beside = ImageChops.difference(
            band.crop((1, 0, width, band.height)), band.crop((0, 0, width - 1, band.height))
        )
        steps = [one + other for one, other in zip(steps, beside.histogram(), strict=True)]
        values = [one + other for one, other in zip(values, band.histogram(), strict=True)]
    contrast = _percentile(values, 0.9) - _percentile(values, 0.01)
    return round(min(1.0, _percentile(steps, 0.998) / max(1, contrast)), 3)


def _red(small: Image.Image) -> float:
    """How much of the page is red."""
    if small.mode != "RGB":
        return 0.0
    red, green, blue = small.split()
    excess = ImageChops.subtract(red, ImageChops.lighter(green, blue))
    return sum(excess.histogram()[_RED + 1 :]) / (small.width * small.height)
