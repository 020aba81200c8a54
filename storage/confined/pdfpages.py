"""Pages of a PDF become a PDF of their own: by pdfium, which mends what is broken, and pypdf, which sees what is used."""

import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, StreamObject

from storage.limits import Reason, Refused

# What makes a page look as it does. All else may point to other pages: marks, forms, structure, threads, metadata.
_KEPT = {
    "/Type", "/MediaBox", "/CropBox", "/TrimBox", "/BleedBox", "/ArtBox", "/Rotate", "/UserUnit", "/Resources",
    "/Contents", "/Group",
}  # fmt: skip
_NAME = re.compile(rb"/([^\s/<>\[\](){}%]+)")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")


def copy_pages(path: Path, places: Sequence[int], target: Path) -> None:
    """Write the pages, counted from 0, into a PDF of their own."""
    reader = PdfReader(BytesIO(_taken(path, places)))
    writer = PdfWriter()
    for page in reader.pages:
        for key in set(page) - _KEPT:
            del page[key]
        _prune(page)
        writer.add_page(page)
    with target.open("wb") as out:
        writer.write(out)


def _taken(path: Path, places: Sequence[int]) -> bytes:
    """The pages with what they need, and maybe more: many programs give all pages one list of all pictures."""
    source, taken = pypdfium2.PdfDocument(path), pypdfium2.PdfDocument.new()
    source.init_forms()
    for place in sorted(set(places)):
        page = source[place]
        if pdfium.FPDFPage_GetAnnotCount(page):  # marks and what people filled in become part of the page
            done = pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY)
            if done == pdfium.FLATTEN_FAIL:
                raise Refused(Reason.NOT_APART, page=place + 1, detail="marks cannot be drawn into it")
    taken.import_pages(source, list(places))
    out = BytesIO()
    taken.save(out)
    return out.getvalue()


def _prune(page: DictionaryObject) -> None:
    """Leave out pictures, forms and fonts that this page does not name: they are other pages'."""
    resources: Any = page.get("/Resources", DictionaryObject()).get_object()
    kept = DictionaryObject(resources)
    used = _named(page)
    for kind in ("/XObject", "/Font", "/Pattern", "/Shading", "/ExtGState", "/Properties"):
        if kind in resources:
            among = resources[kind].get_object()
            kept[NameObject(kind)] = DictionaryObject(
                {name: among.raw_get(name) for name in among if name in used}
            )
    page[NameObject("/Resources")] = kept


def _named(page: DictionaryObject) -> set[str]:
    """Every name in what the page draws, and in the forms that it draws, which may use the page's own list."""
    contents: Any = page.get("/Contents")
    contents = contents.get_object() if contents is not None else []
    waiting = [part.get_object() for part in contents] if isinstance(contents, list) else [contents]
    resources: Any = page.get("/Resources", DictionaryObject()).get_object()
    forms = resources.get("/XObject", DictionaryObject()).get_object()
    used: set[str] = set()
    while waiting:
        new = _names(waiting.pop()) - used
        used |= new
        drawn = (forms[name].get_object() for name in new if name in forms)
        waiting += [one for one in drawn if one.get("/Subtype") == "/Form"]
    return used


def _names(stream: StreamObject) -> set[str]:
    return {
        "/" + _ESCAPED.sub(lambda code: bytes([int(code[1], 16)]), name).decode("utf-8", "replace")
        for name in _NAME.findall(stream.get_data())
    }
