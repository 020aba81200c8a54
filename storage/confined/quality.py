"""What can be measured of the picture of a page before anybody has looked at it. By Pillow alone: a child process that draws
pages has little memory, and numpy would take a part of it.
"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from math import radians, tan
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
_NARROW = 4
"""Times that a page is made narrower where its tilt is looked for."""
_LEAST_INK = 0.002
"""With less there are no lines by which a tilt could be told, nor edges by which to judge how sharp they are."""
_BANDS, _BAND = 24, 16
"""So many bands of so many rows of pixels are looked at for their edges."""
_LETTER = 0.02
"""Of an edge: 6 mm of an A4 page."""
_REACH, _NEARLY = 3, 160
"""Lines of pixels at an edge, and of 255: so much of them is ink where a letter was cut, and not where dust lies."""
_RED = 60
"""Of 256 steps: so much more red than green or blue is the red of a seal."""


def measured(image: Image.Image, *, bitonal: bool = False) -> dict[str, Any]:
    """Of a picture in grey or RGB, which may have been black and white alone; see ``storage.pages.Quality``."""
    small, ink, inner = _inked(image)
    share = _share(inner)
    is_written = share >= _LEAST_INK
    return {
        "ink": round(share, 5),
        "tilt": _tilt(inner) if is_written else None,
        "sharpness": _sharpness(image) if is_written else None,
        "border": round(max(map(_share, _edges(ink))), 3),
        "red": round(_red(small), 5),
        "cut": max(map(_runs, _outermost(ink))),
        "bitonal": bitonal,
    }


def gain(image: Image.Image, tilt: float) -> float:
    """How many times better lines stand out when the page is turned back by its tilt."""
    picture = _lines(_inked(image)[2])
    return _contrast(picture, tilt) / max(1, _contrast(picture, 0))


def _inked(image: Image.Image) -> tuple[Image.Image, Image.Image, Image.Image]:
    """A picture made small, its ink, and this without the edges."""
    small = image.reduce(max(1, round(max(image.size) / _SMALL)))
    grey = small.convert("L")
    paper = percentile(grey.histogram(), 0.9)
    ink = grey.point(lambda value: 255 if value < paper - _CONTRAST else 0)
    return small, ink, ink.crop(_inside(ink.size))


def percentile(counts: Sequence[int], share: float) -> int:
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


def _outermost(ink: Image.Image) -> list[bytes]:
    """What reaches each edge: of the lines of pixels next to it, where nearly all are ink."""
    width, height = ink.size
    boxes = (
        (0, 0, width, min(_REACH, height)),
        (0, max(0, height - _REACH), width, height),
        (0, 0, min(_REACH, width), height),
        (max(0, width - _REACH), 0, width, height),
    )
    lines = [(width, 1), (width, 1), (1, height), (1, height)]
    means = (ink.crop(box).resize(line, Image.Resampling.BOX) for box, line in zip(boxes, lines, strict=True))
    return [mean.point(lambda value: 255 if value > _NEARLY else 0).tobytes() for mean in means]


def _runs(line: bytes) -> int:
    """How often ink runs into an edge: what is longer than a letter is wide is a border, and does not count."""
    longest = max(1, round(len(line) * _LETTER))
    return sum(0 < len(run) <= longest for run in line.split(b"\0"))


def _tilt(ink: Image.Image) -> float:
    """Degrees by which lines fall to the right: turned back by so much, rows of ink and rows of paper differ most."""
    picture = _lines(ink)
    contrast = partial(_contrast, picture)
    coarse = max((turn * _COARSE for turn in _around(_STEEPEST / _COARSE)), key=contrast)
    close = max((coarse + turn * _FINE for turn in _around(_COARSE / _FINE)), key=contrast)
    return round(close, 1) + 0.0


def _lines(ink: Image.Image) -> Image.Image:
    """What is narrow costs less, and a line of text can be spared most of its width."""
    picture = ink.copy()
    picture.thumbnail((_LINES, _LINES), Image.Resampling.BOX)
    return picture.resize((max(1, picture.width // _NARROW), picture.height), Image.Resampling.BOX)


def _contrast(picture: Image.Image, degrees: float) -> int:
    """How much rows of pixels differ from those below them, once the page that was made narrow is turned: as far as a tilt is
    looked for, its columns then slide past each other, and no more.
    """
    fall = tan(radians(degrees)) * _NARROW
    slide = (1, 0, 0, fall, 1, -fall * picture.width / 2)
    turned = picture.transform(picture.size, Image.Transform.AFFINE, slide, Image.Resampling.BILINEAR)
    rows = turned.convert("I").resize((1, turned.height), Image.Resampling.BOX).tobytes()
    sums = memoryview(rows).cast("i")
    return sum((one - other) ** 2 for one, other in pairwise(sums))


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
    contrast = percentile(values, 0.9) - percentile(values, 0.01)
    return round(min(1.0, percentile(steps, 0.998) / max(1, contrast)), 3)


def _red(small: Image.Image) -> float:
    """How much of the page is red."""
    if small.mode != "RGB":
        return 0.0
    red, green, blue = small.split()
    excess = ImageChops.subtract(red, ImageChops.lighter(green, blue))
    return sum(excess.histogram()[_RED + 1 :]) / (small.width * small.height)
