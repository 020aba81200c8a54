"""PDF files, by pdfium."""

import ctypes
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from storage.limits import MIB, Limits, Reason, Refused
from storage.pages import Rendition

from .pdftext import text_lines
from .source import Drawn

_TAIL, _END = 1 << 16, 2048  # the end mark must be near the end, but for the padding that some senders add
_LOCKED = (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY)
_POINTS = 72  # an inch
_SCANNED = 0.5  # of the page, covered by one picture
# pdfium leaves out a picture for which it lacks memory and says nothing, so a page must fit before it is drawn.
# Measured, with soft masks, bytes a pixel: 15.3 (and 4 more for CMYK); 8.1 if progressive; 1.9; 5.2.
_JPX_BYTES, _DCT_BYTES, _BILEVEL_BYTES, _OTHER_BYTES = 22, 10, 3, 6
_DRAWN_BYTES = 8  # a pixel of the page: pdfium's and Pillow's
_FORM_DEPTH = 8
# pdfium keeps the bytes of every picture that it has met until the file is closed.
_KEPT_BYTES = 32 * MIB


_SYSTEM_FONTS = ("/usr/share/fonts", "/usr/local/share/fonts")
_font_folders: Any = None  # pdfium keeps the pointer


def use_fonts(folder: Path) -> None:
    """Let pdfium find ``folder`` too: Chinese PDF files often bring no font, and without any their pages stay white.

    To be called before a document is opened.
    """
    global _font_folders  # noqa: PLW0603 - must live as long as pdfium, which there is one of
    paths = [str(folder).encode(), *(path.encode() for path in _SYSTEM_FONTS), None]
    _font_folders = (ctypes.c_char_p * len(paths))(*paths)
    pointer = ctypes.cast(_font_folders, ctypes.POINTER(ctypes.POINTER(ctypes.c_char)))
    pdfium.FPDF_DestroyLibrary()
    pdfium.FPDF_InitLibraryWithConfig(pdfium.FPDF_LIBRARY_CONFIG(version=2, m_pUserFontPaths=pointer))


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture on a page, by its header alone; shown sizes are points, and those of the form that it lies in."""

    width: int
    height: int
    stored_bytes: int
    bytes_a_pixel: int
    shown_width: float
    shown_height: float

    @property
    def identity(self) -> tuple[int, int, int]:
        return self.width, self.height, self.stored_bytes

    @property
    def bytes_needed(self) -> int:
        return self.width * self.height * self.bytes_a_pixel

    @property
    def area(self) -> float:
        return self.shown_width * self.shown_height

    @property
    def dpi(self) -> float:
        shown = max(self.shown_width, self.shown_height)
        return max(self.width, self.height) / shown * _POINTS if shown else 0


class PdfSource:
    """A PDF that needs no password."""

    def __init__(self, path: Path, limits: Limits) -> None:
        _require_end(path)
        self._limits, self._path = limits, path
        self._pdf = _document(path)
        self._kept = 0
        self.page_count = len(self._pdf)
        self.places: Sequence[int] = range(self.page_count)
        self.encrypted = pdfium.FPDF_GetSecurityHandlerRevision(self._pdf) != -1
        self.repaired = not pdfium.FPDF_DocumentHasValidCrossReferenceTable(self._pdf)

    def fresh(self) -> None:
        """Open the file again, which gives back the memory that its pages have taken."""
        self._pdf.close()
        self._pdf, self._kept = _document(self._path), 0

    def draw(self, number: int, rendition: Rendition) -> Drawn:
        """The page with this number, from 1, with its text."""
        if self._kept > _KEPT_BYTES:
            self.fresh()
        page = self._pdf[number - 1]
        rotation = page.get_rotation()
        width, height = page.get_size()
        if not (isfinite(width) and isfinite(height) and min(width, height) > 0):
            raise Refused(Reason.BROKEN, detail=f"a page of {width} x {height}")
        pictures = _pictures(page)
        self._kept += sum(picture.stored_bytes for picture in pictures)
        dpi = self._dpi(pictures, width, height, rendition)
        self._require_room(pictures, int(width * height * (dpi / _POINTS) ** 2) * _DRAWN_BYTES)
        bitmap = page.render(scale=dpi / _POINTS, rev_byteorder=True)
        lines = text_lines(page, bitmap)
        image = bitmap.to_pil().convert("RGB")
        bitmap.close()
        page.close()
        return Drawn(
            image, max(1, round(dpi)), rotation, lines, bitonal=_is_bitonal(pictures, width * height)
        )

    def scale(self, number: int, rendition: Rendition) -> float:
        """The resolution at which the page would be drawn."""
        page = self._pdf[number - 1]
        width, height = page.get_size()
        dpi = self._dpi(_pictures(page), width, height, rendition)
        page.close()
        return dpi

    def _dpi(self, pictures: list[_Picture], width: float, height: float, rendition: Rendition) -> float:
        """Where pixels are bounded, so that there is room for the page beside its pictures, too."""
        dpi = min(
            _fitting_dpi(pictures, width, height, rendition),
            rendition.long_edge * _POINTS / max(width, height),
        )
        if rendition.pixels is None:
            return dpi
        room = max(0, self._limits.memory_bytes - _needed(pictures)) // _DRAWN_BYTES
        return min(dpi, _POINTS * sqrt(min(rendition.pixels, room) / (width * height)))

    def _require_room(self, pictures: list[_Picture], room: int) -> None:
        """``room`` is what the page takes without its pictures. One that is used often is decoded once."""
        different = {picture.identity: picture for picture in pictures}.values()
        largest = max((picture.width * picture.height for picture in different), default=0)
        room += _needed(pictures)
        if largest > self._limits.pixels or room > self._limits.memory_bytes:
            raise Refused(Reason.TOO_LARGE_PICTURE, detail=f"{len(different)} pictures, {room} bytes")


def _needed(pictures: Iterable[_Picture]) -> int:
    """Bytes of memory in which all that are different are decoded."""
    return sum(
        picture.bytes_needed for picture in {picture.identity: picture for picture in pictures}.values()
    )


def stored_bytes(page: Any) -> int:
    """Of the pictures on it, as they are compressed."""
    return sum(picture.stored_bytes for picture in _pictures(page))


def _document(path: Path) -> Any:
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) in _LOCKED
        raise Refused(Reason.ENCRYPTED if locked else Reason.BROKEN, detail=str(error)) from error
    document.init_forms()  # or what people filled in is not drawn
    return document


def _require_end(path: Path) -> None:
    """pdfium makes what it can of a file that was cut off, and gives fewer pages without a word."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        tail = file.read().rstrip(b"\0\t\n\f\r ")[-_END:]
    if b"%%EOF" not in tail and b"startxref" not in tail:
        raise Refused(Reason.BROKEN, detail="no end mark")


def _fitting_dpi(pictures: list[_Picture], width: float, height: float, rendition: Rendition) -> float:
    """A page that is a scan is drawn as finely as it was scanned."""
    scans = [picture.dpi for picture in pictures if picture.area > _SCANNED * width * height]
    return max(rendition.dpi, min(rendition.scan_dpi, max(scans, default=0)))


def _is_bitonal(pictures: list[_Picture], area: float) -> bool:
    """Whether the page is a scan in black and white. One in layers has its colours in the others."""
    return (
        bool(pictures)
        and all(picture.bytes_a_pixel == _BILEVEL_BYTES for picture in pictures)
        and any(picture.area > _SCANNED * area for picture in pictures)
    )


def _pictures(page: Any) -> list[_Picture]:
    objects = (pdfium.FPDFPage_GetObject(page, place) for place in range(pdfium.FPDFPage_CountObjects(page)))
    return [_picture(page, one) for one in _images(objects, _FORM_DEPTH)]


def _images(objects: Iterable[Any], depth: int) -> Iterator[Any]:
    for one in objects:
        kind = pdfium.FPDFPageObj_GetType(one)
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            yield one
        elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth:
            count = pdfium.FPDFFormObj_CountObjects(one)
            yield from _images(
                (pdfium.FPDFFormObj_GetObject(one, place) for place in range(count)), depth - 1
            )


def _picture(page: Any, image: Any) -> _Picture:
    width, height = ctypes.c_uint(), ctypes.c_uint()
    pdfium.FPDFImageObj_GetImagePixelSize(image, width, height)
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    pdfium.FPDFPageObj_GetBounds(image, left, bottom, right, top)
    return _Picture(
        width=width.value,
        height=height.value,
        stored_bytes=pdfium.FPDFImageObj_GetImageDataRaw(image, None, 0),
        bytes_a_pixel=_bytes_a_pixel(page, image),
        shown_width=abs(right.value - left.value),
        shown_height=abs(top.value - bottom.value),
    )


def _bytes_a_pixel(page: Any, image: Any) -> int:
    filters = set()
    for place in range(pdfium.FPDFImageObj_GetImageFilterCount(image)):
        name = ctypes.create_string_buffer(32)
        pdfium.FPDFImageObj_GetImageFilter(image, place, name, len(name))
        filters.add(name.value)
    if b"JPXDecode" in filters:
        return _JPX_BYTES
    if b"DCTDecode" in filters:
        return _DCT_BYTES
    facts = pdfium.FPDF_IMAGEOBJ_METADATA()
    pdfium.FPDFImageObj_GetImageMetadata(image, page, facts)  # of a JPX it would decode all
    return _BILEVEL_BYTES if facts.bits_per_pixel == 1 else _OTHER_BYTES
