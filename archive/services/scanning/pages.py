"""批次页: what is found on the pages of a pile, where each goes, and what a person says of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import defer

from archive import piles
from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import BatchFile, BatchPage, BatchVolume, Holding, Node, Patient, ScanBatch
from archive.piles import Aside, Doubt, Leaf, Volume
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import policies
from archive.services.scanning import batches, likeness, volumes
from archive.services.scanning.batches import TRUSTED
from archive.uow import UnitOfWork, action

BEFORE_LINKING = ("scanning", "image_processing", "self_check")
"""States in which it is still decided where pages go."""
BY_HAND = (Aside.COVER, Aside.SEPARATOR, Aside.BLANK, Aside.DUPLICATE, Aside.FOREIGN, Aside.SPOILT)
MOST = 1000
"""Pages that are worked on at once."""
COMPARED = 200
"""Texts of other pages that are held at once, to be compared with that of a new one."""
LIGHT = (defer(BatchPage.text), defer(BatchPage.boxes))
"""What is not loaded with many pages at once: a batch of ten thousand would fill the memory with it."""


# What is found


def hear(uow: UnitOfWork, page: BatchPage, *, text: str, kind: str) -> None:
    """Part of a job: what stands on a page is known, and with it whose it may be."""
    page.text, page.text_kind = text, kind
    titles = policies.in_force(uow, "digitisation").body["titles"]
    page.is_sheet = piles.is_sheet(text)
    page.title = None if page.is_sheet else piles.titled(text, titles)
    uow.session.flush()
    perhaps = piles.records_on(page.codes) | piles.stays_in(text)
    page.records = sorted(piles.records_in(text) | _known(uow, perhaps))
    page.twin = None if page.is_sheet or is_blank(uow, page) else _twin(uow, page)


def _known(uow: UnitOfWork, numbers: Iterable[str]) -> set[str]:
    """Of numbers on barcodes those that are some patient's: the number of a specimen looks just like one."""
    wanted = sorted(numbers)
    if not wanted:
        return set()
    known = select(Patient.mrn).where(Patient.mrn.in_(wanted))
    return set(uow.session.scalars(known, execution_options=TRUSTED))


def is_blank(uow: UnitOfWork, page: BatchPage | Row[Any]) -> bool:
    """Whether next to nothing is on it, by the limit of the page checks; never where there is text."""
    limit: int = policies.in_force(uow, "page_checks").body["limits"]["blank_per_100000"]
    ink: float = page.quality["ink"]
    return ink * 100_000 < limit and not page.codes and not page.text


def _twin(uow: UnitOfWork, page: BatchPage) -> int | None:
    """The ordinal of the nearest earlier page that is the same sheet."""
    earlier = (
        select(BatchPage.id, BatchPage.ordinal, BatchPage.fingerprint)
        .where(
            BatchPage.batch_id == page.batch_id,
            BatchPage.ordinal < page.ordinal,
            BatchPage.is_sheet.is_(False),
            BatchPage.title.is_not_distinct_from(page.title),
        )
        .order_by(BatchPage.ordinal.desc())
    )
    rows = uow.session.execute(earlier, execution_options=TRUSTED).all()
    near = likeness.near(page.fingerprint, [row.fingerprint for row in rows])
    for start in range(0, len(near), COMPARED):
        part = near[start : start + COMPARED]
        texts = _texts(uow, [rows[place].id for place, _apart in part])
        for place, apart in part:
            text = texts.get(rows[place].id)
            if text is not None and likeness.is_same(apart, page.text or "", text):
                return int(rows[place].ordinal)
    return None


def _texts(uow: UnitOfWork, ids: Sequence[int]) -> dict[int, str | None]:
    wanted = select(BatchPage.id, BatchPage.text).where(BatchPage.id.in_(ids))
    return {row.id: row.text for row in uow.session.execute(wanted, execution_options=TRUSTED)}


def silent(uow: UnitOfWork, file: int) -> list[int]:
    """Ids of the pages of a file whose text is not known yet and which are not blank, in their order."""
    return _silent(uow, _without_text().where(BatchPage.file_id == file).order_by(BatchPage.ordinal))


def _without_text() -> Select[Any]:
    return select(BatchPage.id, BatchPage.text, BatchPage.codes, BatchPage.quality).where(
        BatchPage.text.is_(None)
    )


def _silent(uow: UnitOfWork, waiting: Select[Any]) -> list[int]:
    rows = uow.session.execute(waiting, execution_options=TRUSTED)
    return [row.id for row in rows if not is_blank(uow, row)]


def all_read(uow: UnitOfWork, batch: ScanBatch) -> bool:
    """Whether every page of a batch has been read that has something to read."""
    waiting = _without_text().join(BatchFile, BatchFile.id == BatchPage.file_id)
    return not _silent(uow, waiting.where(BatchPage.batch_id == batch.id, BatchFile.state == "ready"))


# Where it goes


def split_again(uow: UnitOfWork, batch: ScanBatch, *, file: int | None = None) -> None:
    """Part of an act: every page of a batch goes where its sheets, its text and what people have said put it.

    Where only pages of one `file` are new, those between the cover sheets around it alone are looked at.
    """
    uow.session.flush()
    rows = _around(uow, batch, file) if file is not None else of_batch(uow, batch)
    leaves = [_leaf(uow, page) for page in rows]
    for page, placed in zip(rows, piles.split(leaves, _volumes(uow, batch)), strict=True):
        doubts = list(placed.doubts)
        if (page.volume_id, page.component, page.aside, page.doubts) == (
            placed.volume, placed.component, placed.aside, doubts
        ):  # fmt: skip
            continue
        for volume in {page.volume_id, placed.volume} - {None}:
            changed = uow.session.get_one(BatchVolume, volume, execution_options=TRUSTED)
            changed.confirmed, changed.difference = False, None
        page.volume_id, page.component, page.aside = placed.volume, placed.component, placed.aside
        page.doubts, page.doubtful = doubts, bool(doubts)
    uow.session.flush()


def _around(uow: UnitOfWork, batch: ScanBatch, file: int) -> list[BatchPage]:
    """The pages of a file, back to the last cover sheet before it and on to the next one behind: what lies beyond a cover
    sheet is told by that alone.
    """
    ends = select(func.min(BatchPage.ordinal), func.max(BatchPage.ordinal)).where(BatchPage.file_id == file)
    found: Any = uow.session.execute(ends, execution_options=TRUSTED).one()
    first, last = found
    if first is None:
        return []
    cover = BatchPage.batch_id == batch.id, BatchPage.aside == Aside.COVER
    before = select(func.max(BatchPage.ordinal)).where(*cover, BatchPage.ordinal < first)
    behind = select(func.min(BatchPage.ordinal)).where(*cover, BatchPage.ordinal > last)
    statement = _pages(batch)
    if (start := uow.session.scalar(before, execution_options=TRUSTED)) is not None:
        statement = statement.where(BatchPage.ordinal >= start)
    if (end := uow.session.scalar(behind, execution_options=TRUSTED)) is not None:
        statement = statement.where(BatchPage.ordinal < end)
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
        records=frozenset(page.records), twin=page.twin is not None, said=page.said or {},
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
    for page in of_batch(uow, batch, ids):
        said: Mapping[str, Any] = {**(page.said or {}), **words}
        page.said = {name: value for name, value in said.items() if value is not None}
    uow.note(batch=batch.number, pages=sorted(ids), **words)
    split_again(uow, batch)


@action("batch.pages_placed", needs=P.SCAN_UPLOAD)
def place(
    uow: UnitOfWork, batch: ScanBatch, ids: Sequence[int], *, volume: int, component: str | None = None
) -> None:
    """Says of which volume pages are, and of which component of it; what was said of them elsewhere is forgotten."""
    _open(uow, batch)
    volumes.one(uow, batch, volume)
    _check_component(uow, component)
    _say(uow, batch, ids, volume=volume, component=component, aside=None, fine=None, fine_for=None)


@action("batch.component_said", needs=P.SCAN_UPLOAD)
def begin(uow: UnitOfWork, batch: ScanBatch, ids: Sequence[int], *, component: str) -> None:
    """Says with which page a component begins; what lies behind it follows, up to the next title."""
    _open(uow, batch)
    _check_component(uow, component)
    _say(uow, batch, ids, component=component, aside=None)


@action("batch.pages_set_aside", needs=P.SCAN_UPLOAD)
def set_aside(
    uow: UnitOfWork, batch: ScanBatch, ids: Sequence[int], *, why: str, volume: int | None = None
) -> None:
    """Says why pages go into no record. A cover sheet says of which volume everything behind it is."""
    _open(uow, batch)
    if why not in BY_HAND or (why == Aside.COVER) != (volume is not None):
        raise Invalid(_("Say why the page goes into no record; of a cover sheet, of which volume it is."))
    if volume is not None:
        volumes.one(uow, batch, volume)
    _say(uow, batch, ids, aside=why, volume=volume, component=None)


@action("batch.pages_fine", needs=P.SCAN_UPLOAD)
def keep(uow: UnitOfWork, batch: ScanBatch, ids: Sequence[int]) -> None:
    """Says that pages are right where they are: whoever looked takes it upon themselves. Not while nobody knows where."""
    _open(uow, batch)
    for page in of_batch(uow, batch, ids):
        looked_at = [doubt for doubt in page.doubts if doubt not in {Doubt.LOOSE, Doubt.UNREAD}]
        said = page.said or {}
        before = said.get("fine", ()) if said.get("fine_for") == page.volume_id else ()
        fine = sorted({*before, *looked_at})
        page.said = {**(page.said or {}), "fine": fine, "fine_for": page.volume_id}
    uow.note(batch=batch.number, pages=sorted(ids))
    split_again(uow, batch)


@action("batch.pages_as_found", needs=P.SCAN_UPLOAD)
def take_back(uow: UnitOfWork, batch: ScanBatch, ids: Sequence[int]) -> None:
    """Takes back whatever has been said of pages: they go where the program puts them."""
    _open(uow, batch)
    for page in of_batch(uow, batch, ids):
        page.said = None
    uow.note(batch=batch.number, pages=sorted(ids))
    split_again(uow, batch)


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
