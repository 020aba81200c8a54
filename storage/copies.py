"""What is made of access copies when they are shown. Works on our own files, JPEG and WebP, in this process."""

from functools import lru_cache
from io import BytesIO
from math import ceil
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from storage.turning import clockwise

_QUALITY = 80
_QUALITY_OF_WEBP = 70
_ANGLE = 28  # degrees: crosses lines of print and columns of a table alike
_STRENGTH = 56  # of 255: seen in a photograph of the screen, and the text below stays easy to read
_LETTERS_ACROSS = 52  # Chinese characters that would fit side by side across the page
_SMALLEST = 12  # pixels
_SPREAD = (1.25, 2.2)  # the place that one mark takes, in its own widths and heights


def scaled(picture: bytes, width: int) -> bytes:
    """The page made smaller to ``width`` pixels; one that is not wider stays byte for byte what it is."""
    image = _opened(picture)
    if image.width <= width:
        return picture
    size = (width, max(1, round(image.height * width / image.width)))
    image.draft(None, size)
    return _saved(image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0), image.format)


def turned(picture: bytes, degrees: int) -> bytes:
    """The page turned clockwise by 90, 180 or 270 degrees."""
    image = _opened(picture)
    upright = clockwise(image, degrees)
    upright.info = dict(image.info)
    return _saved(upright, image.format)


def watermark(picture: bytes, lines: list[str], font: Path) -> bytes:
    """The page with ``lines`` (name, staff number, time) burnt in all over, slanting and half transparent.

    Raises ValueError if there is nothing to mark with: a page must not go out unmarked by mistake.
    """
    words = tuple(line for line in lines if line.strip())
    if not words:
        raise ValueError("a watermark needs words")
    image = _opened(picture)
    image.load()
    mark = _mark(words, font, max(_SMALLEST, image.width // _LETTERS_ACROSS))
    dark, light = (0, 255) if image.mode == "L" else ((20, 40, 90), (255, 255, 255))
    step_x, step_y = (ceil(side * share) for side, share in zip(mark.size, _SPREAD, strict=True))
    for row, y in enumerate(range(-mark.height // 2, image.height, step_y // 2)):
        for x in range(-(row % 2) * step_x // 2 - mark.width // 4, image.width, step_x):
            image.paste(light, (x + 1, y + 1), mark)  # so that it shows on black too
            image.paste(dark, (x, y), mark)
    return _saved(image, image.format)


def mime(picture: bytes) -> str:
    """What a picture of ours is, by its first bytes: the thumbnails of older pages are JPEG, as access copies are."""
    return "image/webp" if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP" else "image/jpeg"


def _opened(picture: bytes) -> Image.Image:
    return Image.open(BytesIO(picture), formats=("JPEG", "WEBP"))


def _saved(image: Image.Image, kind: str | None) -> bytes:
    """In the format that it came in."""
    out = BytesIO()
    image.info.pop("exif", None)
    if kind == "WEBP":
        image.save(out, kind, quality=_QUALITY_OF_WEBP, method=2)
    else:
        image.save(out, "JPEG", quality=_QUALITY, dpi=image.info.get("dpi", (0, 0)))
    return out.getvalue()


@lru_cache(
    maxsize=64
)  # a reader turns many pages within one minute, and the mark's time is told to the minute
def _mark(lines: tuple[str, ...], font: Path, size: int) -> Image.Image:
    """The words as a mask, slanting."""
    face = ImageFont.truetype(font, size)
    text = "\n".join(lines)
    box = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, face, spacing=size // 3)
    mask = Image.new("L", (ceil(box[2]) + 2, ceil(box[3]) + 2))
    ImageDraw.Draw(mask).multiline_text((0, 0), text, _STRENGTH, face, spacing=size // 3, align="center")
    return mask.rotate(_ANGLE, Image.Resampling.BICUBIC, expand=True)
