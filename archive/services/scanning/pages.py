"""批次页: what is found on the pages of a pile, where each goes, and what a person says of it."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, false, func, or_, select
from sqlalchemy.orm import defer

from archive import piles
from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import BatchFile, BatchPage, BatchVolume, Holding, Node, Patient, ScanBatch
from archive.piles import Aside, Doubt, Leaf, Volume
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import policies
from archive.services.scanning import batches, pasted, twins, volumes
from archive.services.scanning.batches import TRUSTED
from archive.uow import UnitOfWork, action

BEFORE_LINKING = ("scanning", "image_processing", "self_check")
"""States in which it is still decided where pages go."""
MOST = 1000
"""Pages that are worked on at once."""
LIGHT = (defer(BatchPage.text), defer(BatchPage.boxes))
"""What is not loaded with many pages at once: a batch of ten thousand would fill the memory with it."""


# What is found


def hear(uow: UnitOfWork, page: BatchPage, *, text: str, kind: str) -> None:
    """Part of a job: what stands on a page is known, and with it whose it may be. It is compared with others afterwards."""
    titles = policies.in_force(uow, "digitisation").body["titles"]
    page.text, page.text_kind = text, kind
    page.is_sheet = piles.is_sheet(text)
    page.title = None if page.is_sheet else piles.titled(text, titles)
    perhaps = piles.records_on(page.codes) | piles.stays_in(text)
    page.records = sorted(piles.records_in(text) | _known(uow, perhaps))
    page.twin = twins.NONE if page.is_sheet else None


def hear_nothing(uow: UnitOfWork, ids: Sequence[int]) -> None:
    """Part of a job: pages go on without text, if nobody has read them meanwhile. What their barcodes say is known."""
    unread = select(BatchPage).where(BatchPage.id.in_(ids), BatchPage.text_kind.is_(None)).options(*LIGHT)
    found = uow.session.scalars(unread, execution_options=TRUSTED).all()
    known = _known(uow, {number for page in found for number in piles.records_on(page.codes)})
    for page in found:
        page.text, page.text_kind = "", "machine"
        page.records = sorted(piles.records_on(page.codes) & known)


def _known(uow: UnitOfWork, numbers: Iterable[str]) -> set[str]:
    """Of numbers on barcodes those that are some patient's: the number of a specimen looks just like one."""
    wanted = sorted(numbers)
    if not wanted:
        return set()
    known = select(Patient.mrn).where(Patient.mrn.in_(wanted))
    return set(uow.session.scalars(known, execution_options=TRUSTED))


def is_blank(uow: UnitOfWork, page: BatchPage | Row[Any]) -> bool:
    """Whether next to nothing is on it, by the limit of the page checks; never where somebody has read it."""
    limit: int = policies.in_force(uow, "page_checks").body["limits"]["blank_per_100000"]
    ink: float = page.quality["ink"]
    # By the kind of its text: the text itself is not loaded with many pages.
    return ink * 100_000 < limit and not page.codes and page.text_kind is None


def silent(uow: UnitOfWork, file: int) -> list[int]:
    """Ids of the pages of a file whose text is not known yet and which are not blank, in their order."""
    return _silent(uow, _without_text().where(BatchPage.file_id == file).order_by(BatchPage.ordinal))


def _without_text() -> Select[Any]:
    light = (BatchPage.id, BatchPage.text_kind, BatchPage.codes, BatchPage.quality)
    return select(*light).where(BatchPage.text_kind.is_(None))


def _silent(uow: UnitOfWork, waiting: Select[Any]) -> list[int]:
    rows = uow.session.execute(waiting, execution_options=TRUSTED)
    return [row.id for row in rows if not is_blank(uow, row)]


def all_read(uow: UnitOfWork, batch: ScanBatch) -> bool:
    """Whether every page of a batch has been read that has something to read, and compared with the others."""
    waiting = _without_text().join(BatchFile, BatchFile.id == BatchPage.file_id)
    if _silent(uow, waiting.where(BatchPage.batch_id == batch.id, BatchFile.state == "ready")):
        return False
    heard = select(BatchPage.id).where(
        BatchPage.batch_id == batch.id, BatchPage.text_kind.is_not(None), BatchPage.twin.is_(None)
    )
    return uow.session.scalar(heard.limit(1), execution_options=TRUSTED) is None


# Where it goes


def split_again(
    uow: UnitOfWork, batch: ScanBatch, *, file: int | None = None, changed: Iterable[int] | None = None
) -> None:
    """Part of an act: every page of a batch goes where its sheets, its text and what people have said put it.

    Where only pages of one `file` are new, or those of the ordinals `changed`, what lies between the cover sheets around
    them alone is looked at.
    """
    uow.session.flush()
    if file is not None:
        mine = select(BatchPage.ordinal).where(BatchPage.file_id == file)
        changed = uow.session.scalars(mine, execution_options=TRUSTED).all()
    rows = of_batch(uow, batch) if changed is None else _around(uow, batch, set(changed))
    leaves = [_leaf(uow, page) for page in rows]
    for page, placed in zip(rows, piles.split(leaves, _volumes(uow, batch)), strict=True):
        asked = [Doubt.DUPLICATE] if page.twin and not placed.aside and Doubt.DUPLICATE in page.doubts else []
        doubts = [*placed.doubts, *asked]
        if (page.volume_id, page.component, page.aside, page.doubts) == (
            placed.volume, placed.component, placed.aside, doubts
        ):  # fmt: skip
            continue
        for volume in {page.volume_id, placed.volume}:
            twins.reopen(uow, volume)
        page.volume_id, page.component, page.aside = placed.volume, placed.component, placed.aside
        page.doubts, page.doubtful = doubts, bool(doubts)
    uow.session.flush()
    pasted.follow(uow, batch)
    twins.mark(uow, batch)


def _around(uow: UnitOfWork, batch: ScanBatch, changed: set[int]) -> list[BatchPage]:
    """Pages that were changed with all that lie between the same two cover sheets: what lies beyond a cover sheet is told
    by that alone. Each part but the first begins with one.
    """
    sheets = select(BatchPage.ordinal).where(BatchPage.batch_id == batch.id, BatchPage.aside == Aside.COVER)
    covers = uow.session.scalars(sheets.order_by(BatchPage.ordinal), execution_options=TRUSTED)
    begins = [0, *(ordinal for ordinal in covers if ordinal not in changed)]
    parts = sorted({bisect_right(begins, ordinal) - 1 for ordinal in changed})
    within = [
        and_(
            BatchPage.ordinal >= begins[part],
            *(BatchPage.ordinal < end for end in begins[part + 1 : part + 2]),
        )
        for part in parts
    ]
    statement = _pages(batch).where(or_(false(), *within))
    return list(uow.session.scalars(statement, execution_options=TRUSTED))


def _pages(batch: ScanBatch) -> Select[Any]:
    mine = select(BatchPage).where(BatchPage.batch_id == batch.id)
    return mine.options(*LIGHT).order_by(BatchPage.ordinal)


def _leaf(uow: UnitOfWork, page: BatchPage) -> Leaf:
    if page.linked_at is not None:  # it lies in its record: what stands behind it may still be read from it
        settled = {
            "volume": page.volume_id, "component": page.component, "fine": list(Doubt), "fine_for": page.volume_id,
            "onwards": True,
        }  # fmt: skip
        return Leaf(page.id, said=settled)
    return Leaf(
        page.id, tuple(page.codes), is_blank=is_blank(uow, page), is_sheet=page.is_sheet, title=page.title,
        records=frozenset(page.records), said=page.said or {},
    )  # fmt: skip


def _volumes(uow: UnitOfWork, batch: ScanBatch) -> list[Volume]:
    rows = uow.session.execute(
        select(BatchVolume.id, Holding.barcode, Node.data)
        .join(Holding, Holding.id == BatchVolume.holding_id)
        .join(Node, Node.id == BatchVolume.node_id)
        .where(BatchVolume.batch_id == batch.id),
        execution_options=TRUSTED,
    )
    return [Volume(number, barcode, data.get("mrn")) for number, barcode, data in rows]


def of_batch(uow: UnitOfWork, batch: ScanBatch, ids: Sequence[int] | None = None) -> list[BatchPage]:
    """The pages of a batch in their order; of `ids`, those. Raises Conflict when one of these is linked, or none of it."""
    statement = _pages(batch)
    if ids is None:
        return list(uow.session.scalars(statement, execution_options=TRUSTED))
    if not ids or len(ids) > MOST:
        raise Invalid(_("Choose between 1 and %(most)d pages.", most=MOST))
    found = list(uow.session.scalars(statement.where(BatchPage.id.in_(ids)), execution_options=TRUSTED))
    if len(found) != len(set(ids)) or any(page.linked_at is not None for page in found):
        raise Conflict(_("The pages have changed meanwhile. Reload the page."))
    return found


# What a person says


def _open(uow: UnitOfWork, batch: ScanBatch) -> None:
    batches.lock(uow, batch)
    batches.require(uow, batch, P.SCAN_UPLOAD)
    batches.require_state(batch, *BEFORE_LINKING)


def _say(uow: UnitOfWork, batch: ScanBatch, ids: Sequence[int], **words: Any) -> None:
    """Keeps what a person says of pages beside what they have said before; a word that is None is taken back."""
    found = of_batch(uow, batch, ids)
    for page in found:
        said: Mapping[str, Any] = {**(page.said or {}), **words}
        page.said = {name: value for name, value in said.items() if value is not None}
    uow.note(batch=batch.number, pages=sorted(ids), **words)
    split_again(uow, batch, changed=[page.ordinal for page in found])


@action("batch.pages_placed", needs=P.SCAN_UPLOAD)
def place(
    uow: UnitOfWork, batch: ScanBatch, ids: Sequence[int], *, volume: int, component: str | None = None
) -> None:
    """Says of which volume pages are, and of which component of it; what was said of them elsewhere is forgotten."""
    _open(uow, batch)
    volumes.one(uow, batch, volume)
    _check_component(uow, component)
    _say(
        uow, batch, ids, volume=volume, component=component, aside=None, fine=None, fine_for=None, sheet=None
    )


@action("batch.component_said", needs=P.SCAN_UPLOAD)
def begin(uow: UnitOfWork, batch: ScanBatch, ids: Sequence[int], *, component: str) -> None:
    """Says with which page a component begins; what lies behind it follows, up to the next title."""
    _open(uow, batch)
    _check_component(uow, component)
    _say(uow, batch, ids, component=component, aside=None, sheet=None)


@action("batch.pages_set_aside", needs=P.SCAN_UPLOAD)
def set_aside(
    uow: UnitOfWork, batch: ScanBatch, ids: Sequence[int], *, why: str, volume: int | None = None
) -> None:
    """Says why pages go into no record. A cover sheet says of which volume everything behind it is."""
    _open(uow, batch)
    if why not in set(Aside) or (why == Aside.COVER) != (volume is not None):
        raise Invalid(_("Say why the page goes into no record; of a cover sheet, of which volume it is."))
    if volume is not None:
        volumes.one(uow, batch, volume)
    _say(uow, batch, ids, aside=why, volume=volume, component=None, sheet=None)


@action("batch.pages_fine", needs=P.SCAN_UPLOAD)
def keep(uow: UnitOfWork, batch: ScanBatch, ids: Sequence[int]) -> None:
    """Says that pages are right where they are: whoever looked takes it upon themselves. Not while nobody knows where."""
    _open(uow, batch)
    found = of_batch(uow, batch, ids)
    for page in found:
        looked_at = [doubt for doubt in page.doubts if doubt not in {Doubt.LOOSE, Doubt.UNREAD}]
        said = page.said or {}
        before = said.get("fine", ()) if said.get("fine_for") == page.volume_id else ()
        fine = sorted({*before, *looked_at})
        page.said = {**(page.said or {}), "fine": fine, "fine_for": page.volume_id}
    uow.note(batch=batch.number, pages=sorted(ids))
    split_again(uow, batch, changed=[page.ordinal for page in found])


@action("batch.slips_lifted", needs=P.SCAN_UPLOAD)
def lift(uow: UnitOfWork, batch: ScanBatch, ids: Sequence[int]) -> None:
    """Says that pages are further pictures of a pasted sheet, its slips lifted: they stay, beside it, and count as one page.

    Raises Conflict where no page stands before one of them in its volume.
    """
    _open(uow, batch)
    found = of_batch(uow, batch, ids)
    for page in found:
        pasted.join(uow, batch, page)
    uow.note(batch=batch.number, pages=sorted(ids))
    split_again(uow, batch, changed=[page.ordinal for page in found])


@action("batch.pages_as_found", needs=P.SCAN_UPLOAD)
def take_back(uow: UnitOfWork, batch: ScanBatch, ids: Sequence[int]) -> None:
    """Takes back whatever has been said of pages: they go where the program puts them."""
    _open(uow, batch)
    found = of_batch(uow, batch, ids)
    for page in found:
        page.said = None
    uow.note(batch=batch.number, pages=sorted(ids))
    split_again(uow, batch, changed=[page.ordinal for page in found])


@action("batch.pages_turned", needs=P.SCAN_UPLOAD)
def turn(uow: UnitOfWork, batch: ScanBatch, ids: Sequence[int], *, degrees: int) -> None:
    """Turns the access copies of pages clockwise by a quarter or more; the scans stay as they are."""
    _open(uow, batch)
    if degrees not in {90, 180, 270}:
        raise Invalid(_("Turn by 90, 180 or 270 degrees."))
    for page in of_batch(uow, batch, ids):
        page.rotation = (page.rotation + degrees) % 360
    uow.note(batch=batch.number, pages=sorted(ids), degrees=degrees)


@action("batch.volume_confirmed", needs=P.SCAN_UPLOAD)
def confirm(uow: UnitOfWork, batch: ScanBatch, *, volume: int) -> None:
    """自检: a person has seen all pages of a volume and the components found in it. Raises Conflict while one is doubtful."""
    _open(uow, batch)
    found = volumes.one(uow, batch, volume)
    doubtful = select(func.count(BatchPage.id)).where(
        BatchPage.volume_id == volume, BatchPage.doubtful.is_(True)
    )
    if uow.session.scalar(doubtful, execution_options=TRUSTED):
        raise Conflict(_("Look at its doubtful pages first."))
    found.confirmed = True
    uow.about(uow.session.get_one(Node, found.node_id, execution_options=TRUSTED))
    uow.note(batch=batch.number)


@action("batch.difference_explained", needs=P.SCAN_UPLOAD)
def explain(uow: UnitOfWork, batch: ScanBatch, *, volume: int, because: str) -> None:
    """Says why a volume has more or fewer pages than were counted."""
    _open(uow, batch)
    if not (text := clean(because)) or len(text) > 200:
        raise Invalid(fields={"because": _("Say why, in at most 200 characters.")})
    found = volumes.one(uow, batch, volume)
    found.difference = text
    uow.about(uow.session.get_one(Node, found.node_id, execution_options=TRUSTED))
    uow.note(batch=batch.number, because=text)


def _check_component(uow: UnitOfWork, component: str | None) -> None:
    if component is not None and component not in policies.terms(uow, "component"):
        raise Invalid(_("There is no such component."))
