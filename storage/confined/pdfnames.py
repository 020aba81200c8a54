"""What the content of a page, a form, a pattern or a glyph names, by qpdf's parser: words in a text name nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pikepdf

_KINDS = {
    "Do": ("/XObject", -1), "Tf": ("/Font", -2), "gs": ("/ExtGState", -1), "sh": ("/Shading", -1),
    "scn": ("/Pattern", -1), "SCN": ("/Pattern", -1), "cs": ("/ColorSpace", -1), "CS": ("/ColorSpace", -1),
    "BDC": ("/Properties", -1), "DP": ("/Properties", -1),
}  # fmt: skip
"""Of each operator that names something: which list it stands in, and which operand is the name."""
_INLINE = "INLINE IMAGE"
_NAMING = " ".join((*_KINDS, "BI ID EI"))
_SHOWING = "Tj TJ ' \""


@dataclass(frozen=True, slots=True)
class Named:
    """Kinds and names, such as ``("/XObject", Name.Im1)``; and whether a picture lies in the content itself."""

    each: tuple[tuple[str, pikepdf.Name], ...]
    inline: bool


def named(content: Any) -> Named:
    """Of a page or a stream. All other operators are passed over while they are read, so that a long one takes no memory."""
    found, inline = set(), False
    for instruction in pikepdf.parse_content_stream(content, _NAMING):
        operator, operands = str(instruction.operator), instruction.operands
        if operator == _INLINE:
            inline = True
            continue
        kind, place = _KINDS.get(operator, ("", -1))
        if kind and len(operands) >= -place and isinstance(name := operands[place], pikepdf.Name):
            found.add((kind, name))
    # As bytes: a name need be no UTF-8.
    return Named(tuple(sorted(found, key=lambda one: (one[0], bytes(one[1])))), inline)


def codes(content: Any) -> set[int]:
    """The bytes of all texts that are shown, of whatever font."""
    return set(b"".join(_texts(content)))


def _texts(content: Any) -> Iterator[bytes]:
    for instruction in pikepdf.parse_content_stream(content, _SHOWING):
        for operand in instruction.operands:
            for one in operand if isinstance(operand, pikepdf.Array) else [operand]:
                if isinstance(one, pikepdf.String):
                    yield bytes(one)
