"""Foreign files become page images, thumbnails and text. All reading happens in ``storage.sandbox``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from math import isfinite, sqrt
from pathlib import Path
from typing import Any, Self

from .limits import Limits, Refused
from .processing import Processing, Step
from .sandbox import SandboxFailed, run, written
from .textlines import TextLine, in_reading_order, join_lines


@dataclass(frozen=True, slots=True)
class Rendition:
    """利用副本: how large and how fine an access copy is. Masters keep what they have."""

    dpi: int = 200  # of text and drawings in a PDF
    scan_dpi: int = 300  # the most for what was scanned
    long_edge: int = 5000  # pixels: A3 at 300 dpi
    quality: int = 80
    thumbnail: int = 240  # pixels, long edge
    thumbnail_quality: int = 70
    pixels: int | None = None  # of the page, if there is a bound

    def share(self, width: int, height: int, dpi: int | None) -> float:
        """By how much a picture of ``width`` x ``height`` pixels at ``dpi`` is made smaller: at most 1."""
        bound = sqrt(self.pixels / (width * height)) if self.pixels else 1.0
        return min(1.0, bound, self.long_edge / max(width, height), self.scan_dpi / dpi if dpi else 1.0)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """文件检测结果: what a file is by its content, whatever it is called."""

    mime: str
    page_count: int
    encrypted: bool  # a PDF that opens without a password, but forbids printing or copying
    repaired: (
        bool  # a PDF whose table of contents was wrong and was made anew: look whether all pages are there
    )

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        """From what a child says."""
        return cls(
            str(said["mime"]), int(said["page_count"]), bool(said["encrypted"]), bool(said["repaired"])
        )


@dataclass(frozen=True, slots=True)
class Quality:
    """图像质量: what was measured of the picture of a page. Shares are of 1.

    Where there is next to nothing on a page its ``tilt`` and ``sharpness`` cannot be told.
    """

    ink: float
    """The share that is ink, without the edges."""
    tilt: float | None
    """Clockwise degrees by which its lines are out of the level, as far as six."""
    sharpness: float | None
    """1: ink borders on paper from one pixel to the next; 0.2: over five."""
    border: float
    """Of the edge that is darkest, the share that is dark."""
    red: float
    """The share that is red, as seals are."""
    cut: int
    """How often ink runs into the edge where it does so most."""
    bitonal: bool
    """It came in black and white alone."""

    @classmethod
    def of(cls, said: dict[str, Any]) -> "Quality":
        """Takes nothing on trust. Raises KeyError, TypeError, ValueError."""
        tilt, sharpness = (
            None if said[name] is None else float(said[name]) for name in ("tilt", "sharpness")
        )
        made = cls(
            float(said["ink"]), tilt, sharpness, float(said["border"]), float(said["red"]), int(said["cut"]),
            bool(said["bitonal"]),
        )  # fmt: skip
        if not all(isfinite(value) for value in astuple(made) if value is not None):
            raise ValueError("no number")
        return made


@dataclass(frozen=True, slots=True)
class PageImage:
    """页面图像: one page as it is shown, upright; pixels of ``image`` throughout."""

    number: int  # from 1
    image: Path
    thumbnail: Path
    width: int
    height: int
    dpi: int | None  # of ``image``; None where a picture does not say
    rotation: int  # clockwise degrees by which the page was turned, because the file asks for it
    lines: tuple[TextLine, ...]  # the text of a PDF, in reading order; empty for pictures
    quality: Quality
    codes: tuple[str, ...] = ()  # what barcodes on it say, where that was asked for
    steps: tuple[Step, ...] = ()  # what was done to the picture, in this order

    @property
    def check(self) -> dict[str, Any]:
        """What was measured of the page as it came, and what was done to its picture, as it is kept."""
        return asdict(self.quality) | {"steps": [step.told() for step in self.steps]}

    @property
    def text(self) -> str:
        """In reading order, one paragraph a line."""
        return join_lines(self.lines)


OnPage = Callable[[PageImage], None]
OnFacts = Callable[[FileFacts], None]


def inspect(path: Path, *, limits: Limits | None = None) -> FileFacts:
    """Open the file, but draw nothing. Raises Refused."""
    request = {"path": str(path.resolve())}
    return FileFacts.of(run("storage.confined.rendering:inspect", request, limits=limits, reads=[path]))


def _unheard(_told: object) -> None:
    """Nobody listens."""


class _Heard:
    """What a child has told so far: first of the file, then page by page."""

    def __init__(self, output: Path, first_page: int, on_page: OnPage, on_facts: OnFacts) -> None:
        self.next, self.pages, self.facts = first_page, list[PageImage](), list[FileFacts]()
        self._output, self._on_page, self._on_facts = output, on_page, on_facts

    def __call__(self, progress: dict[str, Any]) -> None:
        if not self.facts:
            self.facts.append(FileFacts.of(progress))
            self._on_facts(self.facts[0])
            return
        self.pages.append(_page(self._output, self.next, progress))
        self.next += 1
        self._on_page(self.pages[-1])


def render(
    path: Path,
    output: Path,
    *,
    on_page: OnPage = _unheard,
    on_facts: OnFacts = _unheard,
    first_page: int = 1,
    fonts: Path | None = None,
    rendition: Rendition | None = None,
    codes: bool = False,
    processing: Processing | None = None,
    steps: Sequence[Step] = (),
    limits: Limits | None = None,
) -> list[PageImage]:
    """Draw the pages from ``first_page`` on into the folder ``output``, which must exist.

    ``on_facts`` hears what the file is before the first page: asked apart, that would be another child and another opening.
    ``on_page`` hears of each page when its files are whole; a job that was killed goes on after the last that it heard of,
    and what ``on_page`` raises ends the work. ``fonts`` is a folder of fonts for PDF files that bring none. With ``codes``
    barcodes are read too, 0.05 seconds a page. ``processing``: pictures are made straight and clean within these limits;
    ``steps``: on every page these are taken. Raises Refused, with the page that could not be drawn.
    """
    heard = _Heard(output, first_page, on_page, on_facts)
    request = {
        "path": str(path.resolve()), "output": str(output.resolve()), "first_page": first_page, "codes": codes,
        "fonts": str(fonts.resolve()) if fonts else None, "rendition": asdict(rendition or Rendition()),
        "processing": asdict(processing) if processing else None, "steps": [step.told() for step in steps],
    }  # fmt: skip
    reads, task = [path, fonts] if fonts else [path], "storage.confined.rendering:render"
    try:
        run(task, request, limits=limits, reads=reads, output=output, on_progress=heard)
    except Refused as refused:
        if heard.facts:  # a child that is ended cannot tell the page
            refused.page = refused.page or heard.next
        raise
    return heard.pages


def file_names(number: int) -> tuple[str, str]:
    """The names of a page's image and thumbnail, so that neither side has to believe the other's."""
    return f"page-{number:05}.jpg", f"page-{number:05}.thumbnail.webp"


def _page(output: Path, number: int, said: dict[str, Any]) -> PageImage:
    """Take nothing from the child on trust: names are ours, and a link to another file is no page."""
    image, thumbnail = (output / name for name in file_names(number))
    written(image)
    written(thumbnail)
    try:
        return PageImage(
            number=number,
            image=image,
            thumbnail=thumbnail,
            width=int(said["width"]),
            height=int(said["height"]),
            dpi=int(said["dpi"]) if said["dpi"] else None,
            rotation=int(said["rotation"]),
            lines=tuple(in_reading_order([TextLine.of(line) for line in said["lines"]])),
            quality=Quality.of(said["quality"]),
            codes=tuple(str(code) for code in said["codes"]),
            steps=tuple(Step.of(step) for step in said["steps"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SandboxFailed(f"no page: {error}") from error
