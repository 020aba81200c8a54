"""Access copies are made straight and clean, gently: what might be content stays. By Pillow alone, as measuring is.

Each step is found on the picture that the steps before it have left, and said with all its numbers, so that a lost copy
can be drawn again just as it was, whatever the limits are by then.
"""

from collections.abc import Callable, Iterator, Sequence

from PIL import Image, ImageChops

from storage.processing import BORDERS, CROP, DESKEW, DESPECKLE, Processing, Step

from . import quality

_SMALL = 1000
"""Pixels of the long edge at which borders are looked for."""
_BLACK, _WHITE = 80, 150
"""Of 256 steps: the bed of a scanner is darker in each colour, and paper lighter."""
_TONES = 0.3
"""With so many points that are neither paper nor black a page is a photograph, and left alone."""
_STRETCHES = 48
"""Into so many each edge is parted; the black edge of a sheet that lies askew is of another depth in each."""
_SOLID, _TRACE = 230, 3
"""Of 255: a line that is black, and one that is so in part, where the edge lies askew."""
_OUTSIDE, _ASKEW, _RIM = 2, 4, 1
"""Lines: so many may be light before the black begins, so many partly black where it ends, and so many are its soft rim."""
_COARSE, _PAINTED = 4, 128
"""The sheet is looked for at a quarter of the size; so white is what was painted."""
_SMALLEST = 0.1
"""Of the picture: less than this is no sheet."""
_SURE = 1.15
"""Lines stand out so much better when a page is straightened, or it has none to go by."""
_FINE = 6_000_000
"""Pixels: A4 at 250 dpi."""
_FAINT = 30
"""Of 256 steps: so much darker than paper is somebody's faint pencil, and no speck lies near it."""
_APART_MM = 2.5
"""A speck has nothing else around it for at least so far."""
_HALO, _NEAR = 2, 8
"""Pixels: so far a speck runs out, and so far around it the paper is looked at."""
_MOST_SPECKS = 150
"""With more of them they are a pattern."""
_HARDLY = 16
"""Of 255: a square with more ink than this holds more than a speck."""
_MM = 25.4

Paper = tuple[int, int, int]
Box = tuple[int, int, int, int]


def processed(
    image: Image.Image, tilt: float | None, dpi: int | None, limits: Processing
) -> tuple[Image.Image, list[Step]]:
    """The picture with every step taken that it needs, and these steps."""
    paper = _paper(image)
    if min(paper) < _WHITE or _is_photograph(image, paper):
        return image, []
    steps = [step for step in (_borders(image, paper, limits), _deskew(image, tilt, paper, limits)) if step]
    straight = repeated(image, steps)
    crop = _crop(image, steps, dpi, limits)
    straight = repeated(straight, crop)
    specks = _specks(straight, dpi, limits)
    return repeated(straight, specks), [*steps, *crop, *specks]


def repeated(image: Image.Image, steps: Sequence[Step]) -> Image.Image:
    """The picture after these steps; one that was taken before is taken again alike."""
    for step in steps:
        image = _DONE[step.name](image, step.numbers)
    return image


def _paper(image: Image.Image) -> Paper:
    """What is lightest of a page but for its brightest tenth: in each colour."""
    small = image.reduce(max(1, round(max(image.size) / _SMALL))).convert("RGB")
    light = [quality.percentile(band.histogram(), 0.8) for band in small.split()]
    return light[0], light[1], light[2]


def _is_photograph(image: Image.Image, paper: Paper) -> bool:
    """Whether much of it is of tones between paper and ink, which print has at the rims of its letters only."""
    counts = image.reduce(2).convert("L").histogram()
    return sum(counts[_BLACK : min(paper) - _FAINT]) > _TONES * sum(counts)


# Black edges


def _borders(image: Image.Image, paper: Paper, limits: Processing) -> Step | None:
    """What is black from an edge inwards: the scanner's bed beside and behind the sheet."""
    if not limits.borders:
        return None
    scale = max(1, round(max(image.size) / _SMALL))
    small = image.reduce(scale).convert("RGB")
    red, green, blue = small.split()
    lightest = ImageChops.lighter(red, ImageChops.lighter(green, blue))
    depths = _depths(lightest.point(lambda value: 255 if value < _BLACK else 0), limits)
    if not any(depths):
        return None
    return Step(BORDERS, (*paper, *(depth * scale for depth in depths)))


def _depths(black: Image.Image, limits: Processing) -> list[int]:
    """Lines that are black along each stretch of the left, top, right and bottom edge; nothing along an edge of paper."""
    across = black.resize((black.width, _STRETCHES), Image.Resampling.BOX)
    down = black.resize((_STRETCHES, black.height), Image.Resampling.BOX).transpose(Image.Transpose.TRANSPOSE)
    found: list[int] = []
    for lines in (across, down, _mirrored(across), _mirrored(down)):
        rows = lines.tobytes()
        depths = [_depth(rows[at : at + lines.width]) for at in range(0, len(rows), lines.width)]
        many = sum(depth > 0 for depth in depths)
        found += depths if many * 100 >= limits.black_percent * _STRETCHES else [0] * _STRETCHES
    return found


def _mirrored(lines: Image.Image) -> Image.Image:
    return lines.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _depth(lines: bytes) -> int:
    """How many lines from the edge inwards are black."""
    begin = next((at for at in range(min(_OUTSIDE + 1, len(lines))) if lines[at] >= _SOLID), None)
    if begin is None:
        return 0
    end = next((at for at in range(begin, len(lines)) if lines[at] < _SOLID), len(lines))
    last = min(end + _ASKEW, len(lines))
    return min(len(lines), next((at for at in range(end, last) if lines[at] < _TRACE), last) + _RIM)


def _painted(image: Image.Image, numbers: Sequence[float]) -> Image.Image:
    made, paper = image.copy(), _colour(image, numbers)
    for box in _stretches(image.size, numbers[3:]):
        made.paste(paper, box)
    return made


def _stretches(size: tuple[int, int], depths: Sequence[float]) -> Iterator[tuple[int, int, int, int]]:
    """The places that a step of borders painted."""
    width, height = size
    many = len(depths) // 4
    for place, depth in enumerate(map(int, depths)):
        side, at = divmod(place, many)
        along = height if side in {0, 2} else width
        begin, end = along * at // many, along * (at + 1) // many
        if depth:
            yield [
                (0, begin, min(depth, width), end), (begin, 0, end, min(depth, height)),
                (max(0, width - depth), begin, width, end), (begin, max(0, height - depth), end, height),
            ][side]  # fmt: skip


def _colour(image: Image.Image, numbers: Sequence[float]) -> int | Paper:
    red, green, blue = (int(number) for number in numbers[:3])
    return red if image.mode == "L" else (red, green, blue)


# Straight


def _deskew(image: Image.Image, tilt: float | None, paper: Paper, limits: Processing) -> Step | None:
    if not limits.deskew or tilt is None:
        return None
    if not limits.deskew_from_tenths <= abs(tilt) * 10 <= limits.deskew_most_tenths:
        return None
    return Step(DESKEW, (tilt, *paper)) if quality.gain(image, tilt) >= _SURE else None


def _straightened(image: Image.Image, numbers: Sequence[float]) -> Image.Image:
    """Turned back by so many degrees. Only coarse pictures are drawn by cubic curves: fine ones read alike without, for less
    than half of the time.
    """
    is_fine = image.width * image.height > _FINE
    way = Image.Resampling.BILINEAR if is_fine else Image.Resampling.BICUBIC
    return image.rotate(numbers[0], way, fillcolor=_colour(image, numbers[1:]), expand=False)


# The sheet without what lay around it


def _crop(image: Image.Image, steps: Sequence[Step], dpi: int | None, limits: Processing) -> list[Step]:
    """Cuts off what was painted all along an edge, where it is wide; of a mask that is painted and turned as the page was."""
    if not limits.crop or not dpi or not any(step.name == BORDERS for step in steps):
        return []
    mask = _mask(image.size, steps)
    sheet = mask.point(lambda value: 0 if value > _PAINTED else 255).getbbox()
    if sheet is None:
        return []
    least = round(limits.crop_from_mm / _MM * dpi)
    left, top = (at * _COARSE if at * _COARSE >= least else 0 for at in sheet[:2])
    right, bottom = (
        at * _COARSE if along - at * _COARSE >= least else along
        for at, along in zip(sheet[2:], image.size, strict=True)
    )
    box = (left, top, right, bottom)
    if box == (0, 0, *image.size) or (right - left) * (bottom - top) < _SMALLEST * image.width * image.height:
        return []
    return [Step(CROP, box)]


def _mask(size: tuple[int, int], steps: Sequence[Step]) -> Image.Image:
    """Where nothing of the sheet can be, in white, made smaller."""
    mask = Image.new("L", (-(-size[0] // _COARSE), -(-size[1] // _COARSE)))
    for step in steps:
        if step.name == BORDERS:
            mask = _painted(mask, (255, 255, 255, *(depth // _COARSE for depth in step.numbers[3:])))
        else:
            mask = _straightened(mask, (step.numbers[0], 255, 255, 255))
    return mask


def _cut(image: Image.Image, numbers: Sequence[float]) -> Image.Image:
    left, top, right, bottom = (int(number) for number in numbers)
    return image.crop((left, top, right, bottom))


# Specks


def _specks(image: Image.Image, dpi: int | None, limits: Processing) -> list[Step]:
    """Places with a speck and nothing else far and wide. Without a resolution nobody knows how large a speck is."""
    if not limits.despeckle or not dpi:
        return []
    side = max(4, round(_APART_MM / _MM * dpi))
    grey = image.convert("L")
    paper = quality.percentile(grey.histogram(), 0.8)
    ink = grey.point(lambda value: 255 if value < paper - _FAINT else 0)
    most = max(1, int(limits.speck_um / 1000 / _MM * dpi))
    found = dict.fromkeys(speck for box in _squares(ink, side) if (speck := _alone(ink, box, side, most)))
    if not found or len(found) > _MOST_SPECKS:
        return []
    return [Step(DESPECKLE, tuple(number for box in found for number in box))]


def _alone(ink: Image.Image, box: Box, side: int, most: int) -> Box | None:
    """The one speck in and around a square; nothing if there is more there, or something larger."""
    around = _grown(box, side, ink.size)
    found = ink.crop(around).getbbox()
    if found is None or max(found[2] - found[0], found[3] - found[1]) > most:
        return None
    left, top, right, bottom = found
    left, top, right, bottom = left + around[0], top + around[1], right + around[0], bottom + around[1]
    return _grown((left, top, right, bottom), _HALO, ink.size)


def _squares(ink: Image.Image, side: int) -> Iterator[Box]:
    """The squares with hardly any ink in them, but some."""
    shares = ink.reduce(side)
    for place, share in enumerate(shares.tobytes()):
        if 0 < share <= _HARDLY:
            row, column = divmod(place, shares.width)
            left, top = column * side, row * side
            yield left, top, min(left + side, ink.width), min(top + side, ink.height)


def _grown(box: Box, by: int, size: tuple[int, int]) -> Box:
    left, top, right, bottom = box
    return max(0, left - by), max(0, top - by), min(size[0], right + by), min(size[1], bottom + by)


def _cleaned(image: Image.Image, numbers: Sequence[float]) -> Image.Image:
    """Each place in the colour that the paper around it has."""
    made = image.copy()
    whole = list(map(int, numbers))
    for at in range(0, len(whole), 4):
        left, top, right, bottom = whole[at : at + 4]
        near = image.crop(_grown((left, top, right, bottom), _NEAR, image.size))
        colours = [quality.percentile(band.histogram(), 0.5) for band in near.split()]
        made.paste(colours[0] if image.mode == "L" else tuple(colours), (left, top, right, bottom))
    return made


_DONE: dict[str, Callable[[Image.Image, Sequence[float]], Image.Image]] = {
    BORDERS: _painted, DESKEW: _straightened, CROP: _cut, DESPECKLE: _cleaned,
}  # fmt: skip
