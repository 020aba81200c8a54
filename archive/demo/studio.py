"""The files of the invented records: scanned pages, drawn by a process of its own, and papers born digital.

That process imports this module: it knows nothing of the archive's services, which are slow to import.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from PIL import Image
from pypdf import PdfReader

from archive.demo import sheets, wording
from archive.demo.admissions import Stay
from archive.demo.office import Document
from archive.demo.sheets import Header

FONT = Path(__file__).parents[1] / "static" / "fonts" / "NotoSansSC-Regular.ttf"
KINDS = ("jpg", "tif", "pdf")


@dataclass(frozen=True, slots=True)
class File:
    """A file as it comes from a scanner or a word processor."""

    name: str
    data: bytes
    pages: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is to be drawn: one text under its heading; its pages become one file of that kind."""

    component: str
    text: str
    header: Header
    dpi: int
    seed: int


class Studio:
    """Draws pages in a process beside the story, so that both get on."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def scan(self, name: str, papers: Sequence[Sheet], kind: str) -> "Future[File]":
        """The papers as one scanned file of a kind of `KINDS`; a JPEG holds one page only, and more become a TIFF."""
        return self._pool.submit(_scanned, name, tuple(papers), kind)


def _scanned(name: str, papers: tuple[Sheet, ...], kind: str) -> File:
    drawn = [page for paper in papers for page in _pages(paper)]
    if kind == "jpg" and len(drawn) == 1:
        return File(f"{name}.jpg", sheets.as_jpeg(drawn[0]), 1)
    if kind == "pdf":
        return File(f"{name}.pdf", sheets.as_pdf(drawn), len(drawn))
    return File(f"{name}.tif", sheets.as_tiff([page.convert("RGB") for page in drawn]), len(drawn))


def _pages(paper: Sheet) -> list[Image.Image]:
    return sheets.pages(
        paper.component, paper.text, paper.header, dpi=paper.dpi, seed=paper.seed, font_path=FONT
    )


def born_digital(name: str, title: str, text: str) -> File:
    """A PDF with its text, as a word processor or the ward's own system writes it."""
    data = sheets.text_pdf(title, text, font_path=FONT)
    return File(f"{name}.pdf", data, len(PdfReader(BytesIO(data)).pages))


def component_sheet(stay: Stay, code: str, *, dpi: int = 200) -> Sheet:
    """One component of a stay, ready to be drawn."""
    header = Header.of(stay.who, stay.encounter, wording.title(code, stay.case))
    return Sheet(
        code, text_of(stay, code), header, dpi, Random(f"{stay.encounter.admit_no} {code}").randrange(10**6)
    )


def official_sheet(document: Document) -> Sheet:
    """A document of the office under its red heading."""
    header = Header(document.title, (("文号", document.number),))
    return Sheet(sheets.OFFICIAL, document.text, header, 200, Random(document.number).randrange(10**6))


def text_of(stay: Stay, code: str) -> str:
    """The words of a component; the same each time."""
    chance = Random(f"{stay.encounter.admit_no} {code}")
    return wording.component_text(code, stay.who, stay.encounter, stay.case, chance)
