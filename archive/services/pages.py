"""The pages of a node: their order, their pictures with the reader's name burnt in, their text."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, delete, func, select, update

from archive import tickets
from archive.errors import NotFound
from archive.journal import Event
from archive.models import (
    TEXT_OF_PAGE,
    BatchPage,
    Blob,
    HoldPage,
    Node,
    Page,
    PageCheck,
    PageText,
    Principal,
    Representation,
)
from archive.policy.permissions import P
from archive.services import drawing, frozen, imaging, reindexing
from archive.site import Site
from archive.uow import UnitOfWork
from storage import BlobMissing, copies
from storage.textlines import TextLine, turned

TRUSTED: Any = {"scope": "pages", "synchronize_session": False}
WIDTHS = (800, 1200, 1600, 2400)
"""Pixels: the sizes a page is shown in, beside its own; others are rounded up to these."""


@dataclass(frozen=True)
class PageView:
    """页: one page as whoever may read it sees it."""

    ordinal: int
    width: int
    height: int
    dpi: int | None
    text: str
    kind: str
    """Of the text: layer, machine, human, or nothing while it is not recognised."""
    confidence: float | None
    boxes: list[list[Any]]
    steps: str
    """What was done to its picture, in words."""
    correction: "Correction | None" = None
    rotation: int = 0
    finer: bool = False
    """Whether its master may hold more than the picture that is shown."""
    large: bool = False
    """Whether it is larger than A3, so that whoever reads by a grant looks closer, too."""


@dataclass(frozen=True)
class Correction:
    """校对: who has corrected the text of a page and when, and what the machine had read."""

    by: str
    at: datetime
    version: int
    machine: str


def one(uow: UnitOfWork, node: Node, ordinal: int) -> PageView:
    """A page with its text. Needs content.read; raises NotFound."""
    found = uow.session.execute(
        uow.of(Page, node, P.READ).with_only_columns(Page, PageText, PageCheck)
        .outerjoin(PageText, TEXT_OF_PAGE).outerjoin(PageCheck, PageCheck.page_id == Page.id).where(Page.ordinal == ordinal)
    ).first()  # fmt: skip
    if found is None:
        raise NotFound
    page, text, check = found
    uow.saw(node)
    said: tuple[Any, ...] = ("", "", None, [])
    if text is not None:
        said = (text.text, text.kind, text.confidence, boxes_of(page, text.boxes))
    corrected = _correction(uow, text) if text is not None and text.kind == "human" else None
    width, height = (page.height, page.width) if page.rotation in (90, 270) else (page.width, page.height)
    finer = drawing.may_hold_more(page, check)
    return PageView(
        page.ordinal,
        width,
        height,
        page.dpi,
        *said,
        _steps(check),
        corrected,
        page.rotation,
        finer,
        drawing.is_over_a3(page),
    )


def _steps(check: PageCheck | None) -> str:
    return imaging.told(check.steps) if check else ""


def boxes_of(page: Page, boxes: list[list[Any]]) -> list[list[Any]]:
    """Where lines stand on the page as it is shown: they were found before somebody turned it."""
    if not page.rotation:
        return boxes
    lines = (TextLine(x0, y0, x1, y1, line, 1.0) for x0, y0, x1, y1, line in boxes)
    return [list(turned(line, page.rotation, page.width, page.height)[:5]) for line in lines]


def _correction(uow: UnitOfWork, text: PageText) -> Correction:
    machine = select(PageText.text).where(PageText.page_id == text.page_id, PageText.kind != text.kind)
    by = uow.session.scalar(select(Principal.name).where(Principal.id == text.by_id))
    read = uow.session.scalar(machine, execution_options=TRUSTED)
    return Correction(by or "", text.at, text.version, read or "")


def image(
    uow: UnitOfWork, node: Node, ordinal: int, *, width: int | None = None, ticket: str | None = None, as_scanned: bool = False,
) -> bytes:  # fmt: skip
    """A page as JPEG, marked with the reader's name where they read by a grant. Leaves the event of its reading.

    With the `ticket` of a page that the journal has noted already for this reader, there is no second event.
    """
    page, blob = located(uow, node, ordinal)
    jpeg = untreated(uow.site, page, blob) if as_scanned else picture(uow.site, page, blob, page.image)
    if width is not None:
        jpeg = copies.scaled(jpeg, next((size for size in WIDTHS if size >= width), WIDTHS[-1]))
    if not _noted(uow, node, ordinal, ticket):
        uow.read(uow.event_about(node, Event("page.viewed", words={"page": ordinal})))
    return marked(uow, node, jpeg)


def thumbnail(uow: UnitOfWork, node: Node, ordinal: int, *, ticket: str | None = None) -> bytes:
    """The small picture of a page, under the same rule; the ticket of a strip covers all pages of the node."""
    page, blob = located(uow, node, ordinal)
    if not _noted(uow, node, 0, ticket):
        uow.read(uow.event_about(node, Event("page.thumbnail_viewed", words={"page": ordinal})))
    return marked(uow, node, picture(uow.site, page, blob, page.thumbnail))


def located(uow: UnitOfWork, node: Node, ordinal: int) -> tuple[Page, Blob]:
    """A page and the file that it is of. Needs content.read; raises NotFound."""
    found = uow.session.execute(
        uow.of(Page, node, P.READ).with_only_columns(Page, Blob)
        .join(Representation, Representation.id == Page.representation_id)
        .join(Blob, Blob.id == Representation.blob_id).where(Page.ordinal == ordinal)
    ).first()  # fmt: skip
    if found is None:
        raise NotFound
    return found[0], found[1]


def picture(site: Site, page: Page, blob: Blob, name: str) -> bytes:
    """A picture of a page as it is shown. A power cut may have lost it, or left it empty: then it is made again.

    For callers that have checked that the actor may read the page.
    """
    if not page.rotation:
        return drawn(site, page, blob, name)
    turned_name = drawing.turned_name(name, page.rotation)
    with suppress(BlobMissing), site.store.open_derivative(blob.record, turned_name) as file:
        if found := file.read():
            return found
    made = copies.turned(drawn(site, page, blob, name), page.rotation)
    site.store.put_derivative(blob.record, turned_name, made)
    return made


def drawn(site: Site, page: Page, blob: Blob, name: str) -> bytes:
    """A picture as it came from the master, not turned by anybody. For callers that have checked, too."""
    with suppress(BlobMissing), site.store.open_derivative(blob.record, name) as file:
        if found := file.read():
            return found
    with site.session(readonly=True) as session:
        check = session.get(PageCheck, page.id, execution_options=TRUSTED)
    both = page.image, page.thumbnail
    steps = check.steps if check else ()
    drawing.redraw(site, blob.record, blob.sha256, both, page.source_page, steps)
    with site.store.open_derivative(blob.record, name) as file:
        return file.read()


def mime(picture: bytes) -> str:
    """What a picture of a page is sent as."""
    return copies.mime(picture)


def untreated(site: Site, page: Page, blob: Blob) -> bytes:
    """A picture as it was scanned, but turned as the page is. For callers that have checked."""
    both = drawing.untreated_name(page.image), drawing.untreated_name(page.thumbnail)

    def kept() -> bytes:
        with suppress(BlobMissing), site.store.open_derivative(blob.record, both[0]) as file:
            return file.read()
        return b""

    if not kept():
        drawing.redraw(site, blob.record, blob.sha256, both, page.source_page)
    return copies.turned(kept(), page.rotation) if page.rotation else kept()


# What the reader's copy carries


def is_marked(uow: UnitOfWork, node: Node) -> bool:
    """Whether the actor reads this by a grant and not by their office: every page then bears their name."""
    return node.access_class not in uow.access.classes(P.READ)


def marked(uow: UnitOfWork, node: Node, jpeg: bytes) -> bytes:
    """A page with the reader's name all over where they read by a grant."""
    return branded(uow, jpeg) if is_marked(uow, node) else jpeg


def branded(uow: UnitOfWork, jpeg: bytes) -> bytes:
    """The same, whoever reads: for what leaves the house."""
    local = uow.now.astimezone(ZoneInfo(uow.site.settings.timezone))
    lines = [f"{uow.actor.name} {uow.actor.staff_no}", f"{local:%Y-%m-%d %H:%M}"]
    return copies.watermark(jpeg, lines, uow.site.static / drawing.FONT)


def signed(uow: UnitOfWork, node: Node, text: str) -> str:
    """The text of a page; to whoever reads by a grant with their name and the time behind it, as the picture bears them."""
    if not is_marked(uow, node):
        return text
    return f"{text}\n\n— {uow.actor.name} {uow.actor.staff_no} {uow.local(uow.now):%Y-%m-%d %H:%M}\n"


# Tickets: the viewer's own line in the journal covers the pictures that it shows


def ticket(uow: UnitOfWork, node: Node, ordinal: int) -> str:
    """For the pictures of a page (or, with 0, of the strip) whose viewing is written down with this answer."""
    return tickets.issue(uow, f"page:{node.id}:{ordinal}")


def _noted(uow: UnitOfWork, node: Node, ordinal: int, given: str | None) -> bool:
    return tickets.holds(uow, f"page:{node.id}:{ordinal}", given)


# Bookkeeping for intake and derivation, which have checked already


def counts(uow: UnitOfWork, representations: Iterable[int]) -> dict[int, int]:
    """How many pages each of these files has."""
    rows = uow.session.execute(
        select(Page.representation_id, func.count())
        .where(Page.representation_id.in_(list(representations)))
        .group_by(Page.representation_id),
        execution_options=TRUSTED,
    )
    return dict(rows.all())


def without_text(uow: UnitOfWork, representation: int) -> list[int]:
    """Ids of the pages of a file that no machine has read yet, in order."""
    statement = (
        select(Page.id)
        .outerjoin(PageText, (PageText.page_id == Page.id) & (PageText.kind != "human"))
        .where(Page.representation_id == representation, PageText.page_id.is_(None))
        .order_by(Page.source_page)
    )
    return list(uow.session.scalars(statement, execution_options=TRUSTED))


def recount(uow: UnitOfWork, node: Node) -> None:
    """The node's page count, without a new version: nobody's open form becomes stale because a scan was finished."""
    had_pages = node.page_count > 0
    uow.session.flush()
    many = select(func.count(Page.id)).where(Page.node_id == node.id).scalar_subquery()
    uow.session.execute(
        update(Node).where(Node.id == node.id).values(page_count=many), execution_options=TRUSTED
    )
    uow.session.expire(node, ["page_count"])
    if had_pages != (node.page_count > 0):
        reindexing.file_above(uow, node)


def drop(uow: UnitOfWork, representation: Representation) -> None:
    """Takes the pages of a file away, and closes the gaps: the pages of a node are numbered without one."""
    going = select(Page.id).where(Page.representation_id == representation.id)
    left = select(Page.node_id).where(Page.id.in_(going), Page.node_id.is_not(None)).distinct()
    nodes = [node for node in uow.session.scalars(left, execution_options=TRUSTED) if node is not None]
    frozen.keep(uow, list(uow.session.scalars(going, execution_options=TRUSTED)))
    for beside in (PageText, PageCheck, HoldPage):
        uow.session.execute(delete(beside).where(beside.page_id.in_(going)), execution_options=TRUSTED)
    forget_in_batches(uow, going)
    uow.session.execute(
        delete(Page).where(Page.representation_id == representation.id), execution_options=TRUSTED
    )
    close_gaps(uow, nodes)


def forget_in_batches(uow: UnitOfWork, going: Select[Any]) -> None:
    """Pages of scan batches that have become these say only that they were linked."""
    linked = update(BatchPage).where(BatchPage.page_id.in_(going)).values(page_id=None)
    uow.session.execute(linked, execution_options=TRUSTED)


def follow_in_batches(uow: UnitOfWork, became: Mapping[int, int]) -> None:
    """Where other pages stand for some now, these are what a scan batch shows and judges."""
    linked = select(BatchPage.id, BatchPage.page_id).where(BatchPage.page_id.in_(became))
    rows = [
        {"id": row.id, "page_id": became[row.page_id]}
        for row in uow.session.execute(linked, execution_options=TRUSTED)
    ]
    if rows:
        uow.session.execute(update(BatchPage), rows, execution_options=TRUSTED)


def close_gaps(uow: UnitOfWork, nodes: Iterable[int]) -> None:
    """Numbers the pages of nodes from 1 again, in their order."""
    for node in nodes:
        staying = select(Page.id, Page.ordinal).where(Page.node_id == node).order_by(Page.ordinal)
        for place, (page, ordinal) in enumerate(
            uow.session.execute(staying, execution_options=TRUSTED), start=1
        ):
            if ordinal != place:
                uow.session.execute(
                    update(Page).where(Page.id == page).values(ordinal=place), execution_options=TRUSTED
                )
