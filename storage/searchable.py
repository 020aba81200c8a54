"""A searchable PDF, written page by page: each image as it is, byte for byte, and over it its words, which nobody sees.

Nothing but the page in hand is held in memory, and the first page leaves before the second is read.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image

from .blankfont import blank_font

_POINTS = 72
_A4_HEIGHT = 11.69  # inches: of a page that does not say how large it is
_SPACES = {"L": "/DeviceGray", "RGB": "/DeviceRGB", "CMYK": "/DeviceCMYK"}
_BASELINE = 0.15  # of the height of a line, above its lower edge
_HALF_WIDE = 0x2E7F  # up to here the font of the words is half as wide as high
_TALL = 1.5  # times as high as wide: a line that is read from top to bottom of the image

_HEAD = b"%PDF-1.7\n%\xe5\x8d\xb7\xe5\xae\x97\n"  # the second line says that bytes follow, and not letters
# Fixed numbers of objects; those of the pages follow.
_CATALOG, _PAGES, _INFO, _FONT, _CID_FONT, _DESCRIPTOR, _FILE, _GLYPHS, _UNICODE, _OUTLINE, _FIRST = range(
    1, 12
)

_TO_UNICODE = b"""/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def /CMapType 2 def
1 begincodespacerange <0000> <FFFF> endcodespacerange
%s
endcmap CMapName currentdict /CMap defineresource pop end end
"""
_RANGES_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page: its image as JPEG, and its lines as [x0, y0, x1, y1, text] in pixels of it."""

    jpeg: bytes
    dpi: int | None
    lines: Sequence[Sequence[Any]]
    rotation: int = 0
    """Clockwise degrees by which a viewer shows it turned: the image stays as it is."""
    heading: str = ""
    """What begins with this page, for the table of contents."""


def searchable_pdf(sheets: Iterable[Sheet], *, title: str, subject: str = "") -> Iterator[bytes]:
    """The file in pieces, one or more a page. ``sheets`` is read as the file is taken."""
    out = _Objects()
    yield _HEAD
    yield _font(out)
    pages: list[int] = []
    headings: list[tuple[int, str]] = []
    for sheet in sheets:
        number = _FIRST + 3 * len(pages)
        yield from _page(out, number, sheet)
        if sheet.heading:
            headings.append((number, sheet.heading))
        pages.append(number)
    yield _outline(out, _FIRST + 3 * len(pages), headings)
    kids = " ".join(f"{page} 0 R" for page in pages)
    yield out.add(_PAGES, f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>")
    shown = " /PageMode /UseOutlines" if headings else ""
    yield out.add(
        _CATALOG, f"<< /Type /Catalog /Pages {_PAGES} 0 R /Outlines {_OUTLINE} 0 R /Lang (zh-CN){shown} >>"
    )
    yield out.add(_INFO, f"<< /Title {_text(title)} /Subject {_text(subject)} >>")
    yield out.end()


class _Objects:
    """Where each object begins, for the table at the end of the file."""

    def __init__(self) -> None:
        self._at = len(_HEAD)
        self._places: dict[int, int] = {}

    def add(self, number: int, head: str, stream: bytes | None = None) -> bytes:
        self._places[number] = self._at
        body = b"" if stream is None else b"\nstream\n" + stream + b"\nendstream"
        whole = f"{number} 0 obj\n{head}".encode("ascii") + body + b"\nendobj\n"
        self._at += len(whole)
        return whole

    def deflated(self, number: int, content: bytes, head: str = "") -> bytes:
        packed = zlib.compress(content)
        return self.add(number, f"<< {head} /Length {len(packed)} /Filter /FlateDecode >>", packed)

    def end(self) -> bytes:
        count = max(self._places) + 1
        rows = ["0000000000 65535 f \n"]
        rows += [f"{self._places[number]:010} 00000 n \n" for number in range(1, count)]
        trailer = f"trailer\n<< /Size {count} /Root {_CATALOG} 0 R /Info {_INFO} 0 R >>\n"
        return f"xref\n0 {count}\n{''.join(rows)}{trailer}startxref\n{self._at}\n%%EOF\n".encode("ascii")


def _font(out: _Objects) -> bytes:
    """Codes are those of UTF-16, so that every character, of whatever script, is found as it was written."""
    named = "/BaseFont /AAAAAA+Blank"
    return b"".join(
        (
            out.add(_FONT, f"<< /Type /Font /Subtype /Type0 {named} /Encoding /Identity-H "
                           f"/DescendantFonts [{_CID_FONT} 0 R] /ToUnicode {_UNICODE} 0 R >>"),
            out.add(_CID_FONT, f"<< /Type /Font /Subtype /CIDFontType2 {named} /CIDToGIDMap {_GLYPHS} 0 R /DW 1000 "
                               f"/W [0 {_HALF_WIDE} 500] /FontDescriptor {_DESCRIPTOR} 0 R "
                               "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>"),
            out.add(_DESCRIPTOR, "<< /Type /FontDescriptor /FontName /AAAAAA+Blank /Flags 4 /FontBBox [0 -120 1000 880] "
                                 f"/ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 80 "
                                 f"/FontFile2 {_FILE} 0 R >>"),
            out.deflated(_FILE, font := blank_font(), f"/Length1 {len(font)}"),
            out.deflated(_GLYPHS, b"\0\1" * 0x10000),
            out.deflated(_UNICODE, _TO_UNICODE % _same_codes()),
        )
    )  # fmt: skip


def _same_codes() -> bytes:
    """Each code is its own character. No range may cross from one first byte to the next."""
    ranges = [b"<%02X00> <%02XFF> <%02X00>" % (high, high, high) for high in range(256)]
    parts = [ranges[start : start + _RANGES_AT_ONCE] for start in range(0, len(ranges), _RANGES_AT_ONCE)]
    return b"\n".join(b"%d beginbfrange\n%s\nendbfrange" % (len(part), b"\n".join(part)) for part in parts)


def _page(out: _Objects, number: int, sheet: Sheet) -> Iterator[bytes]:
    with Image.open(BytesIO(sheet.jpeg), formats=("JPEG",)) as image:
        (width, height), space = image.size, _SPACES[image.mode]
    scale = _POINTS / (sheet.dpi or height / _A4_HEIGHT)
    turned = f" /Rotate {sheet.rotation}" if sheet.rotation else ""
    yield out.add(
        number,
        f"<< /Type /Page /Parent {_PAGES} 0 R{turned} /MediaBox [0 0 {width * scale:.2f} {height * scale:.2f}] "
        f"/Contents {number + 1} 0 R /Resources << /XObject << /I {number + 2} 0 R >> /Font << /F {_FONT} 0 R >> >> >>",
    )
    drawn = f"q {width * scale:.2f} 0 0 {height * scale:.2f} 0 0 cm /I Do Q\nq {scale:.6f} 0 0 {scale:.6f} 0 0 cm BT 3 Tr\n"
    words = "".join(_line(line, height, sheet.rotation) for line in sheet.lines)
    yield out.deflated(number + 1, f"{drawn}{words}ET Q".encode("ascii"))
    yield out.add(
        number + 2,
        f"<< /Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace {space} /BitsPerComponent 8 "
        f"/Filter /DCTDecode /Length {len(sheet.jpeg)} >>",
        sheet.jpeg,
    )


def _line(line: Sequence[Any], height: int, rotation: int) -> str:
    """The words of a line, drawn out or pressed together until they are as wide as it."""
    x0, y0, x1, y1 = (float(value) for value in line[:4])
    codes = str(line[4]).encode("utf-16-be", "replace")
    if not codes or x1 <= x0 or y1 <= y0:
        return ""
    if not rotation and len(codes) > 2 and y1 - y0 > _TALL * (x1 - x0):
        rotation = 270  # a stamp along the margin
    across, along = x1 - x0, y1 - y0
    size, length = (along, across) if rotation in (0, 180) else (across, along)
    lower, upper = _BASELINE * size, (1 - _BASELINE) * size
    places = {
        0: (1, 0, 0, 1, x0, height - y1 + lower), 180: (-1, 0, 0, -1, x1, height - y1 + upper),
        90: (0, 1, -1, 0, x0 + upper, height - y1), 270: (0, -1, 1, 0, x0 + lower, height - y0),
    }  # fmt: skip
    place = " ".join(f"{value:.1f}" for value in places[rotation])
    wide = sum(
        0.5 if int.from_bytes(codes[at : at + 2]) <= _HALF_WIDE else 1.0 for at in range(0, len(codes), 2)
    )
    return f"/F {size:.1f} Tf {100 * length / (wide * size):.2f} Tz {place} Tm <{codes.hex()}> Tj\n"


def _outline(out: _Objects, first: int, headings: list[tuple[int, str]]) -> bytes:
    numbers = range(first, first + len(headings))
    ends = f" /First {numbers[0]} 0 R /Last {numbers[-1]} 0 R" if headings else ""
    made = [out.add(_OUTLINE, f"<< /Type /Outlines /Count {len(headings)}{ends} >>")]
    for number, (page, heading) in zip(numbers, headings, strict=True):
        beside = f" /Prev {number - 1} 0 R" if number > first else ""
        beside += f" /Next {number + 1} 0 R" if number < numbers[-1] else ""
        made.append(
            out.add(number, f"<< /Title {_text(heading)} /Parent {_OUTLINE} 0 R{beside} /Dest [{page} 0 R /Fit] >>")
        )  # fmt: skip
    return b"".join(made)


def _text(words: str) -> str:
    return f"<FEFF{words.encode('utf-16-be', 'replace').hex()}>"
