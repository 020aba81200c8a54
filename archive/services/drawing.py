"""Drawing pages from a master, in a child process: all of them for a job, or one again whose picture was lost."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any, Self
from uuid import UUID

from archive.errors import Unavailable
from archive.models import Page, PageCheck
from archive.site import Site
from storage import BlobMissing
from storage.limits import Reason, Refused
from storage.pages import FileFacts, OnFacts, OnPage, PageImage, Rendition, inspect, render
from storage.processing import CROP, Processing, Step
from storage.repair import repaired

TURNS = 90, 180, 270
FONT = "fonts/NotoSansSC-Regular.ttf"
A3_INCHES = 425 / 25.4
"""Its longer side of 420 mm, and what a scanner takes in beside the sheet."""
FOUND, COPY = "found", "copy"
"""How a damaged file was put in order: in reading it, or in a copy; see `Representation.repair`."""


class _Enough(Exception):
    """The one page that was wanted is drawn."""


@contextmanager
def working_folder(site: Site) -> Iterator[Path]:
    """A folder for what a child process makes; the worker's daily cleaning removes those of killed processes."""
    place = site.settings.var / "work"
    place.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=place) as folder:
        yield Path(folder)


@dataclass(frozen=True)
class Readable:
    """可读副本: the file from which pages are drawn, what it is, and how it had to be put in order, if it had."""

    path: Path
    facts: FileFacts
    repair: str | None = None

    @classmethod
    def found(cls, path: Path, facts: FileFacts) -> Self:
        """A file that could be read as it is."""
        return cls(path, facts, FOUND if facts.repaired else None)


def opened(master: Path, folder: Path) -> Readable:
    """The master as it came; a copy that was put in order where it cannot be read so. Raises Refused."""
    try:
        facts = inspect(master)
    except Refused as refused:
        return mended(master, folder, refused)
    return Readable.found(master, facts)


def mended(master: Path, folder: Path, refused: Refused) -> Readable:
    """A copy that was put in order. Raises what was said of the master where there is no help."""
    if refused.reason is not Reason.BROKEN:
        raise refused
    try:
        copy = repaired(master, folder)
        return Readable(copy, inspect(copy), COPY)
    except Refused as neither:
        raise refused from neither


@dataclass(frozen=True)
class Wanted:
    """How pages are drawn: from which on, with their barcodes read, made straight and clean within limits, or by known steps."""

    first: int = 1
    codes: bool = False
    processing: Processing | None = None
    steps: Sequence[Step] = ()


def draw(
    site: Site, master: Path, on_page: OnPage, wanted: Wanted, on_facts: OnFacts = lambda _facts: None
) -> None:
    """Draws the pages of a file one by one, after `on_facts` has heard what it is.

    Raises Refused, and whatever `on_page` raises to end it.
    """
    fonts = (site.static / FONT).parent
    with working_folder(site) as folder:
        render(
            master, folder, on_page=on_page, on_facts=on_facts, first_page=wanted.first, fonts=fonts, codes=wanted.codes,
            processing=wanted.processing, steps=wanted.steps,
        )  # fmt: skip


def names(representation: int, number: int) -> tuple[str, str]:
    """What the picture and the thumbnail of a page are called in the store."""
    return f"r{representation}-p{number:05}.jpg", f"r{representation}-t{number:05}.webp"


def turned_name(name: str, rotation: int) -> str:
    """What a picture is called that was turned by so many degrees."""
    return _beside(name, str(rotation))


def untreated_name(name: str) -> str:
    """What a picture is called that is as it was scanned."""
    return _beside(name, "scan")


def _beside(name: str, what: str) -> str:
    path = PurePath(name)
    return f"{path.stem}-{what}{path.suffix}"


def detail_name(name: str, rotation: int) -> str:
    """What holds a page in full detail, turned by so many degrees."""
    return f"{PurePath(turned_name(name, rotation) if rotation else name).stem}.detail"


def detail_names(name: str) -> list[str]:
    """The same, however the page is turned."""
    return [detail_name(name, rotation) for rotation in (0, *TURNS)]


def all_names(name: str) -> list[str]:
    """A picture and whatever may have been made of it."""
    turned = (turned_name(name, rotation) for rotation in TURNS)
    return [name, untreated_name(name), *turned, *detail_names(name)]


def may_hold_more(page: Page, check: PageCheck | None) -> bool:
    """Whether the access copy of a page came to its bounds, or was cut since: elsewhere it has all that the master has."""
    cropped = check is not None and any(step["name"] == CROP for step in check.steps)
    bounds = Rendition()
    is_bounded = max(page.width, page.height) >= bounds.long_edge - 1 or (page.dpi or 0) >= bounds.scan_dpi
    return is_bounded or cropped


def is_over_a3(page: Page) -> bool:
    """Whether a sheet is longer than A3, as a tracing or a plan. Where the picture does not say how fine it is, nobody knows."""
    return page.dpi is not None and max(page.width, page.height) / page.dpi > A3_INCHES


def keep(site: Site, record: str, representation: int, page: PageImage) -> tuple[str, str]:
    """Puts the pictures of a drawn page into the store; gives their names."""
    return put(site, record, names(representation, page.number), page)


def put(site: Site, folder: str | UUID, both: tuple[str, str], page: PageImage) -> tuple[str, str]:
    """Puts the pictures of a drawn page under two names into a folder of the store."""
    for name, file in zip(both, (page.image, page.thumbnail), strict=True):
        site.store.put_derivative(folder, name, file.read_bytes())
        file.unlink()
    return both


def redraw(
    site: Site,
    record: str,
    sha256: str,
    both: tuple[str, str],
    number: int,
    done: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Draws one page again with what was done to it: derivatives are not backed up and may be lost. Raises Unavailable."""
    wanted = Wanted(first=number, steps=tuple(map(Step.of, done)))

    def first(page: PageImage) -> None:
        put(site, record, both, page)
        raise _Enough

    try:
        with site.store.materialise(record, sha256) as master, working_folder(site) as folder:
            try:
                draw(site, master, first, wanted)
            except Refused as refused:  # then it was drawn from a copy before
                draw(site, mended(master, folder, refused).path, first, wanted)
    except _Enough:
        return
    except (Refused, BlobMissing) as error:
        raise Unavailable from error
    raise Unavailable
