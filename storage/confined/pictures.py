"""Pictures: scans, photographs, TIFF files of many pages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from storage.limits import Limits, Reason, Refused
from storage.pages import Rendition

from .formats import TIFF, Format
from .source import Drawn

# The file is judged by our own limit, before decoding; Pillow's is a warning at one size and an error at twice that.
Image.MAX_IMAGE_PIXELS = None

_ORIENTATION = 0x0112
_ROTATION = {3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270}
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SUBFILE_TYPE, _PREVIEW = 254, 1
_BELIEVABLE_DPI = range(30, 4801)


class PictureSource:
    """A picture of one page, or a TIFF of several."""

    encrypted = False
    repaired = False

    def __init__(self, path: Path, kind: Format, limits: Limits) -> None:
        self._limits = limits
        self._turns_itself = kind is TIFF
        # Not by its name: Pillow would map the file, and garbles a grey TIFF of no compression that lies on its side.
        file = path.open("rb")
        self._image: Any = Image.open(file, formats=kind.pillow)  # a TIFF has methods of its own
        self.places: Sequence[int] = self._pages() if kind is TIFF else [self._checked(0, page=1)]
        self.page_count = len(self.places)

    def draw(self, number: int, rendition: Rendition) -> Drawn:
        """The page with this number, from 1."""
        image = self._image
        image.seek(self.places[number - 1])
        orientation = int(image.getexif().get(_ORIENTATION, 1))
        dpi = _dpi(image)
        share = rendition.share(image.width, image.height, dpi)
        size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
        bitonal = image.mode == "1"
        image.draft(None, size)  # a JPEG then decodes to a half, a quarter or an eighth
        upright = _shrunk(_plain(image), size)
        if orientation in _UPRIGHT and not self._turns_itself:
            upright = upright.transpose(_UPRIGHT[orientation])
        return Drawn(upright, dpi and round(dpi * share), _ROTATION.get(orientation, 0), bitonal=bitonal)

    def scale(self, number: int, rendition: Rendition) -> float:
        """By how much the page would be made smaller."""
        self._image.seek(self.places[number - 1])
        width, height = self._image.size
        return rendition.share(width, height, _dpi(self._image))

    def fresh(self) -> None:
        """One page is in memory at a time."""

    def _pages(self) -> list[int]:
        """The frames of a TIFF that are pages: scanners put small previews between them."""
        frames: list[int] = []
        frame = 0
        while True:
            try:
                self._image.seek(frame)
            except EOFError:
                return frames
            if not int(self._image.tag_v2.get(_SUBFILE_TYPE, 0)) & _PREVIEW:
                frames.append(self._checked(frame, page=len(frames) + 1))
            if len(frames) > self._limits.pages:
                raise Refused(Reason.TOO_MANY_PAGES)
            frame += 1

    def _checked(self, frame: int, *, page: int) -> int:
        width, height = self._image.size
        if width * height > self._limits.pixels:
            raise Refused(Reason.TOO_LARGE_PICTURE, page=page, detail=f"{width} x {height}")
        return frame


def _dpi(image: Image.Image) -> int | None:
    values = image.info.get("dpi")
    dpi = round(float(values[0])) if values else 0
    return dpi if dpi in _BELIEVABLE_DPI else None


def _plain(image: Image.Image) -> Image.Image:
    """In grey or RGB, and what is transparent white, as paper is."""
    if image.mode in {"L", "RGB"}:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I;16") or image.mode == "I":
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if "A" in image.getbands() or "transparency" in image.info:
        picture = image.convert("RGBA")
        paper = Image.new("RGB", picture.size, "white")
        paper.paste(picture, mask=picture)
        return paper
    return image.convert("RGB")


def _shrunk(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == size:
        return image
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
