"""What a file is, by its first bytes: a name proves nothing."""

from dataclasses import dataclass
from pathlib import Path

from storage.limits import Reason, Refused

_HEAD = 1024  # a PDF may begin with something else: ISO 32000-1, annex H.3.4.1


@dataclass(frozen=True, slots=True)
class Format:
    """格式: the media type, and what Pillow calls it; a PDF has no such name."""

    mime: str
    pillow: tuple[str, ...] = ()


PDF = Format("application/pdf")
# A camera's JPEG of several pictures is MPO to Pillow; the first picture is the photograph.
JPEG = Format("image/jpeg", ("JPEG", "MPO"))
TIFF = Format("image/tiff", ("TIFF",))
_PICTURES = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", Format("image/png", ("PNG",))),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
    (b"GIF87a", Format("image/gif", ("GIF",))),
    (b"GIF89a", Format("image/gif", ("GIF",))),
    (b"\0\0\0\x0cjP  \r\n\x87\n", Format("image/jp2", ("JPEG2000",))),
)
_BMP = Format("image/bmp", ("BMP",))
_WEBP = Format("image/webp", ("WEBP",))


def format_of(path: Path) -> Format:
    """Raises Refused: EMPTY, NOT_A_KNOWN_FORMAT."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise Refused(Reason.EMPTY)
    for magic, found in _PICTURES:
        if head.startswith(magic):
            return found
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _WEBP
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return _BMP
    if b"%PDF-" in head:
        return PDF
    raise Refused(Reason.NOT_A_KNOWN_FORMAT)
