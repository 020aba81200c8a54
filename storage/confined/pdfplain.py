"""What of a PDF draws no content of its own: fonts, colours, functions, pictures. Of each, what is known to be needed for
how a page looks is kept; all else is left behind, since it may lead to other pages or tell of them.
"""

import copy
from collections.abc import Iterable
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Stream

ENCODED = frozenset({"/Filter", "/DecodeParms", "/Length"})
_ENCODING = {
    "/K", "/EndOfLine", "/EncodedByteAlign", "/Columns", "/Rows", "/EndOfBlock", "/BlackIs1", "/DamagedRowsBeforeError",
    "/Predictor", "/Colors", "/BitsPerComponent", "/EarlyChange", "/ColorTransform", "/JBIG2Globals",
}  # fmt: skip
_FONT = {
    "/Type", "/Subtype", "/BaseFont", "/Name", "/FirstChar", "/LastChar", "/Widths", "/FontDescriptor", "/Encoding",
    "/BaseEncoding", "/Differences", "/ToUnicode", "/DescendantFonts", "/CIDSystemInfo", "/Registry", "/Ordering",
    "/Supplement", "/DW", "/W", "/DW2", "/W2", "/CIDToGIDMap", "/CMapName", "/WMode", "/UseCMap", "/FontName",
    "/FontFamily", "/FontStretch", "/FontWeight", "/Flags", "/FontBBox", "/ItalicAngle", "/Ascent", "/Descent",
    "/Leading", "/CapHeight", "/XHeight", "/StemV", "/StemH", "/AvgWidth", "/MaxWidth", "/MissingWidth", "/FontFile",
    "/FontFile2", "/FontFile3", "/Length1", "/Length2", "/Length3", "/CharSet", "/CIDSet",
}  # fmt: skip
_COLOUR = {
    "/N", "/Alternate", "/Range", "/WhitePoint", "/BlackPoint", "/Gamma", "/Matrix", "/S", "/CS", "/I", "/FunctionType",
    "/Domain", "/C0", "/C1", "/Functions", "/Bounds", "/Encode", "/Decode", "/Size", "/BitsPerSample", "/Order",
    "/ShadingType", "/ColorSpace", "/Background", "/BBox", "/AntiAlias", "/Coords", "/Function", "/Extend",
    "/BitsPerCoordinate", "/BitsPerFlag", "/VerticesPerRow",
}  # fmt: skip
_NEEDED = ENCODED | _ENCODING | _FONT | _COLOUR
_PICTURE = ENCODED | {
    "/Type", "/Subtype", "/Width", "/Height", "/ColorSpace", "/BitsPerComponent", "/Intent", "/ImageMask", "/Mask",
    "/Decode", "/Interpolate", "/SMask", "/SMaskInData", "/Matte",
}  # fmt: skip
_PICTURES = {"/DCTDecode", "/DCT", "/JPXDecode", "/CCITTFaxDecode", "/CCF", "/JBIG2Decode"}


class Plain:
    """Keeps what one part needs of an open PDF.

    A stream is changed where it lies, in the open copy: so its bytes are fetched from the file when the part is written,
    and never lie in memory together. Only one that plays two roles is doubled.
    """

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self.pdf = pdf
        self.pictures: set[tuple[int, int]] = set()
        self._done: dict[tuple[int, int], Any] = {}
        self._drawn: dict[tuple[int, int], Any] = {}
        self._contents: dict[tuple[int, int], Any] = {}
        self._was: dict[tuple[int, int], dict[str, Any]] = {}

    def was(self, stream: Any) -> dict[str, Any]:
        """What its dictionary said before anything was kept or left."""
        return self._was.get(stream.objgen) or dict(stream.items())

    def keep(self, stream: Any, said: dict[str, Any]) -> Any:
        """The bytes of the stream, with a dictionary that says this; how they are encoded stays."""
        was, is_second = self.was(stream), stream.objgen in self._was
        self._was[stream.objgen] = was
        kept = copy.copy(stream) if is_second else stream
        said = {key: self.of(was[key]) for key in ("/Filter", "/DecodeParms") if key in was} | said
        for key in set(kept.keys()) - set(said) - {"/Length"}:
            del kept[key]
        for key, value in said.items():
            kept[key] = value
        return kept

    def content(self, stream: Any) -> Any:
        """What is drawn, and no word about it."""
        if stream.objgen not in self._contents:
            self._contents[stream.objgen] = self.keep(stream, {})
        return self._contents[stream.objgen]

    def some(self, said: Any, keys: Iterable[str]) -> dict[str, Any]:
        """These keys of it, as far as it has them."""
        return {key: self.of(said[key]) for key in keys if key in said}

    def picture(self, stream: Any) -> Any:
        """A picture with its masks, which are pictures too."""
        if stream.objgen in self._drawn:
            return self._drawn[stream.objgen]
        was = self.was(stream)
        masks = {key: was[key] for key in ("/Mask", "/SMask") if isinstance(was.get(key), Stream)}
        said = self.some(was, _PICTURE - ENCODED - set(masks))
        kept = self.keep(stream, said)
        self._drawn[stream.objgen] = kept
        self.pictures.add(kept.objgen)
        for key, mask in masks.items():
            kept[key] = self.picture(mask)
        return kept

    def of(self, thing: Any) -> Any:
        """The thing with what it needs and no more, once for all who share it."""
        if not isinstance(thing, pikepdf.Object) or not isinstance(thing, (Array, Dictionary, Stream)):
            return thing
        if not thing.is_indirect:
            return self._filled(thing, Array() if isinstance(thing, Array) else Dictionary())
        if thing.objgen not in self._done:
            if isinstance(thing, Stream):
                self._done[thing.objgen] = thing  # it may lead back to itself
                was = self.was(thing)
                self._done[thing.objgen] = self.keep(thing, self.some(was, _NEEDED - ENCODED))
            else:
                made = self.pdf.make_indirect(Array() if isinstance(thing, Array) else Dictionary())
                self._done[thing.objgen] = made
                self._filled(thing, made)
        return self._done[thing.objgen]

    def _filled(self, thing: Any, made: Any) -> Any:
        if isinstance(thing, Array):
            made.extend(self.of(one) for one in thing)
        else:
            for key in thing.keys() & _NEEDED:
                made[key] = self.of(thing[key])
        return made


def pictures(pdf: pikepdf.Pdf) -> int:
    """How many pictures a file holds, whatever shows them."""
    return sum(isinstance(one, Stream) and _is_picture(one) for one in pdf.objects)


def _is_picture(stream: Any) -> bool:
    filters = stream.get("/Filter")
    each = filters if isinstance(filters, Array) else [filters]
    return stream.get("/Subtype") == "/Image" or any(one == known for one in each for known in _PICTURES)
