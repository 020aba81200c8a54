"""A font of which nothing is seen: what carries the words of a searchable PDF, so that they can be found and copied.

It is whole (no viewer looks for a substitute), has one letter for all characters, and takes 300 bytes. The letter is a stroke
without width, from corner to corner: of an empty one, pdfium leaves out what is turned by a quarter.
"""

import struct

_EM = 1000
_ASCENT, _DESCENT = 880, -120


def blank_font() -> bytes:
    """A TrueType font with two glyphs, the missing one and the stroke, as a PDF embeds it."""
    stroke = struct.pack(">5hHH2B4hx", 1, 0, _DESCENT, _EM, _ASCENT, 1, 0, 1, 1, 0, _EM, _DESCENT, _EM)
    stroke += bytes(len(stroke) % 2)
    tables = {
        b"glyf": stroke,
        b"head": struct.pack(
            ">IIIIHHQQ4hHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 0, _EM, 0, 0, 0, _DESCENT, _EM, _ASCENT, 0, 8, 2, 0, 0
        ),
        b"hhea": struct.pack(
            ">I3hH3h3h4hhH", 0x10000, _ASCENT, _DESCENT, 0, _EM, 0, 0, _EM, 1, 0, 0, 0, 0, 0, 0, 0, 1
        ),
        b"hmtx": struct.pack(">Hhh", _EM, 0, 0),
        b"loca": struct.pack(">3H", 0, 0, len(stroke) // 2),
        b"maxp": struct.pack(">IH13H", 0x10000, 2, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    }  # fmt: skip
    head = struct.pack(">I4H", 0x10000, len(tables), 64, 2, 16 * len(tables) - 64)
    offset, directory, body = len(head) + 16 * len(tables), b"", b""
    for tag, table in sorted(tables.items()):
        directory += struct.pack(">4sIII", tag, _checksum(table), offset + len(body), len(table))
        body += table + bytes(-len(table) % 4)
    return head + directory + body


def _checksum(table: bytes) -> int:
    padded = table + bytes(-len(table) % 4)
    words = (int.from_bytes(padded[at : at + 4]) for at in range(0, len(padded), 4))
    return sum(words) & 0xFFFFFFFF
