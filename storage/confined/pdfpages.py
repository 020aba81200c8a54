"""Pages of a PDF become a PDF of their own, written by qpdf straight from one file into the other."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name

from storage.limits import Limits, Reason, Refused

from .foreign import foreign
from .pdfapart import Apart
from .pdfplain import pictures
from .walls import is_short_of_memory
from .writing import writing


def copy_pages(
    path: Path, places: Sequence[int], target: Path, *, limits: Limits, step: Callable[[], None]
) -> None:
    """Write the pages, counted from 0, into a PDF of their own; after each ``step`` is called."""
    with read(path) as pdf:
        apart, each = Apart(pdf), list(pdf.pages)
        made = []
        for place in places:
            with foreign(page=place + 1), memory(limits):
                made.append(apart.page(each[place]))
            step()
        _only(pdf, made)
        # Nothing is packed anew: what a page shows keeps its bytes. They are fetched from the file one stream after another.
        with writing(target) as out:
            pdf.save(
                out, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none,
                object_stream_mode=pikepdf.ObjectStreamMode.disable, encryption=False, deterministic_id=True,
                progress=lambda _percent: step(),
            )  # fmt: skip
    with read(target) as written:
        if (held := pictures(written)) != apart.pictures:
            raise Refused(Reason.NOT_APART, detail=f"{held} pictures, of which {apart.pictures} are shown")


@contextmanager
def memory(limits: Limits) -> Iterator[None]:
    """qpdf calls a stream broken for which it found no memory. Raises Refused."""
    try:
        yield
    except pikepdf.PdfError as error:
        if is_short_of_memory(limits):
            raise Refused(Reason.TOO_MUCH_MEMORY) from error
        raise


def read(path: Path) -> AbstractContextManager[pikepdf.Pdf]:
    """Raises PdfError. The file is not mapped into memory: its size would count as such."""
    return pikepdf.open(path, suppress_warnings=True, access_mode=pikepdf.AccessMode.stream)


def _only(pdf: pikepdf.Pdf, pages: list[pikepdf.Object]) -> None:
    """Whatever the pages do not lead to is not written: outlines, names, forms, attachments, structure, metadata."""
    tree = pdf.make_indirect(Dictionary(Type=Name.Pages, Count=len(pages), Kids=Array(pages)))
    for page in pages:
        page["/Parent"] = tree
    for key in pdf.trailer.keys() - {"/Size"}:
        del pdf.trailer[key]
    pdf.trailer["/Root"] = pdf.make_indirect(Dictionary(Type=Name.Catalog, Pages=tree))
