"""Marks on the pages of a PDF, and what people filled in, become part of their page: by pdfium, which draws them so."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium

from storage.limits import MIB, Reason, Refused

from .pdf import stored_bytes
from .pdfpages import read
from .writing import writing

_AT_ONCE = 32 * MIB
"""pdfium keeps in memory what it has read of a page, until the file is closed."""
_WHOLE = 256 * MIB
"""What pdfium may write anew, which takes as much memory as the file is large."""


def settled(
    path: Path, places: Sequence[int], copies: Sequence[Path], step: Callable[[], None], *, is_mended: bool
) -> Path:
    """A file in which these pages, counted from 0, have no marks: ``path`` itself, or one of two ``copies``.

    One whose table of contents is broken is written anew first, with what pdfium finds: qpdf may find other pages.
    """
    if (is_mended and path.stat().st_size <= _WHOLE) or not _can_be_read(path):
        _save(pypdfium2.PdfDocument(path), copies[0], pdfium.FPDF_NO_INCREMENTAL)
        path = copies[0]
    left = _marked(path, places)
    while left:
        target = copies[path == copies[0]]
        left = _settle(path, left, target, step)
        path = target
    return path


def _can_be_read(path: Path) -> bool:
    try:
        with read(path) as pdf:
            return len(pdf.pages) > 0
    except pikepdf.PdfError:
        return False


def _marked(path: Path, places: Sequence[int]) -> list[int]:
    with read(path) as pdf:
        pages = list(pdf.pages)
        if places and max(places) >= len(pages):
            raise Refused(Reason.BROKEN, detail=f"qpdf finds {len(pages)} pages")
        return [place for place in sorted(set(places)) if pages[place].obj.get("/Annots")]


def _settle(path: Path, places: Sequence[int], target: Path, step: Callable[[], None]) -> list[int]:
    """Write a copy in which the first of these pages have no marks; gives the pages that still do."""
    source = pypdfium2.PdfDocument(path)
    source.init_forms()
    taken = done = 0
    for place in places:
        page = source[place]
        if pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY) == pdfium.FLATTEN_FAIL:
            raise Refused(Reason.NOT_APART, page=place + 1, detail="marks cannot be drawn into it")
        taken, done = taken + stored_bytes(page), done + 1
        page.close()
        step()
        if taken > _AT_ONCE:
            break
    # What is changed is written behind all that there was: nothing of it need be read.
    _save(source, target, pdfium.FPDF_INCREMENTAL)
    step()
    return list(places[done:])


def _save(source: pypdfium2.PdfDocument, target: Path, how: int) -> None:
    with writing(target) as out:
        source.save(out, flags=how)
    source.close()
