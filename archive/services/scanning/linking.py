"""挂接: the pages of a batch become pages of their records, each with a master of its own (domain §13)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from archive.actor import Actor
from archive.i18n import Lazy, _l
from archive.journal import Origin
from archive.models import (
    BatchFile,
    BatchPage,
    BatchVolume,
    Blob,
    Job,
    Node,
    Page,
    PageCheck,
    PageText,
    Representation,
    ScanBatch,
)
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.services import drawing, intake, policies, tree
from archive.services.handlers import JobFailed, JobRun, handles
from archive.services.scanning import leaves, steps
from archive.services.scanning.batches import TRUSTED
from archive.uow import UnitOfWork, action
from storage.extraction import Extract, extract
from storage.limits import Reason, Refused

ORIGIN = Origin(channel="worker")
STOPPED = _l("Linking was stopped. What is linked stays so.")
CHANGED = _l("The batch was changed meanwhile. Look at it, and link it again.")


@dataclass(frozen=True)
class Part:
    """The pages of one file of a pile that go to one place: a record, or a component of it."""

    node: int
    volume: int | None
    component: str | None
    pages: tuple[int, ...]
    """Ids, in the order of the pile."""
    numbers: tuple[int, ...]
    """Their places in the file."""


@dataclass(frozen=True)
class Pile:
    """One file of a batch, with all that is still to be linked of it."""

    file: int
    folder: str
    sha256: str
    batch: str
    is_copied: bool
    """A damaged file, of which pages are cut from a copy that was put in order, as they were drawn from it."""
    parts: tuple[Part, ...]


def _give_up(uow: UnitOfWork, job: Job) -> None:
    found = uow.session.get(ScanBatch, job.args["batch"], execution_options=TRUSTED)
    if found is not None:
        steps.interrupt(uow, found, job.message or STOPPED.message)


@handles("batch.link", label=_l("Linking a batch"), gives_up=_give_up)
def link(run: JobRun) -> dict[str, Any]:
    """Links every page that is not linked yet, as the person who asked for it, with the rights they have now."""
    owner, done = run.owner(), run.done
    with run.uow() as uow:
        files = _files(uow, run.args["batch"])
        total = _left(uow, run.args["batch"])
    run.progress(done, done + total)
    for file in files:
        pile = run.site.run(owner, partial(_pile, number=file), ORIGIN)
        if pile.parts:
            done = _link_file(run, owner, pile, done)
    with run.uow() as uow:
        steps.go_on(uow, uow.session.get_one(ScanBatch, run.args["batch"], execution_options=TRUSTED))
    return {"pages": done}


def _files(uow: UnitOfWork, batch: int) -> list[int]:
    ready = select(BatchFile.id).where(BatchFile.batch_id == batch, BatchFile.state == "ready")
    return list(uow.session.scalars(ready.order_by(BatchFile.seq), execution_options=TRUSTED))


def _left(uow: UnitOfWork, batch: int) -> int:
    waiting = select(func.count(BatchPage.id)).where(BatchPage.batch_id == batch, *_WAITING)
    return uow.session.scalar(waiting, execution_options=TRUSTED) or 0


_WAITING = (BatchPage.aside.is_(None), BatchPage.linked_at.is_(None))


@action("batch.linking", needs=P.SCAN_UPLOAD)
def _pile(uow: UnitOfWork, number: int) -> Pile:
    """What of a file goes where; components that a record has not got yet are made. Raises Forbidden, Conflict."""
    file = uow.session.get_one(BatchFile, number, execution_options=TRUSTED)
    batch = uow.session.get_one(ScanBatch, file.batch_id, execution_options=TRUSTED)
    uow.about(batch)
    blob = uow.session.get_one(Blob, file.blob_id, execution_options=TRUSTED)
    waiting = select(BatchPage.id, BatchPage.source_page, BatchPage.volume_id, BatchPage.component).where(
        BatchPage.file_id == file.id, *_WAITING
    )
    groups: dict[tuple[int | None, str | None], list[Any]] = {}
    for page in uow.session.execute(waiting.order_by(BatchPage.ordinal), execution_options=TRUSTED):
        groups.setdefault((page.volume_id, page.component), []).append(page)
    parts = [
        Part(_target(uow, volume, component).id, volume, component, tuple(page.id for page in pages),
             tuple(page.source_page for page in pages))
        for (volume, component), pages in groups.items()
    ]  # fmt: skip
    uow.note(batch=batch.number, file=file.id)
    return Pile(file.id, blob.record, blob.sha256, batch.number, file.repair == drawing.COPY, tuple(parts))


def _target(uow: UnitOfWork, volume: int | None, component: str | None) -> Node:
    """The record of a volume, or the item of it that is this component. Raises Forbidden."""
    found = uow.session.get_one(BatchVolume, volume, execution_options=TRUSTED)
    record = uow.session.get_one(Node, found.node_id, execution_options=TRUSTED)
    uow.require(P.SCAN_UPLOAD, record)
    intake.check_place(record)
    if component is None or record.type != "medical_record":
        return record
    items = select(Node).where(
        Node.parent_id == record.id, Node.type == "component", Node.trashed_at.is_(None)
    )
    for item in uow.session.scalars(items.order_by(Node.position), execution_options=TRUSTED):
        if item.data.get("component") == component:
            return item
    title = policies.said(policies.terms(uow, "component")[component])
    made = tree.plant(uow, record, TYPES["component"], {"title": title, "component": component})
    uow.note(component=component, item=made.id)
    return made


def _link_file(run: JobRun, owner: Actor, pile: Pile, done: int) -> int:
    try:
        with (
            run.site.store.materialise(pile.folder, pile.sha256) as path,
            drawing.working_folder(run.site) as folder,
        ):
            source = path if not pile.is_copied else drawing.mended(path, folder, Refused(Reason.BROKEN)).path
            for part, extracted in _cut(source, pile, folder):
                _link_part(run, owner, pile, part, extracted)
                done += len(part.pages)
                run.progress(done)
    except Refused as refused:
        raise JobFailed(Lazy(refused.sentence)) from refused
    return done


def _cut(source: Path, pile: Pile, folder: Path) -> Iterator[tuple[Part, Extract]]:
    """Each part with its pages as a file: all in one go, and one by one where one of them cannot be cut out, so that this one
    alone stays behind. Raises Refused for it when the others are done.
    """
    try:
        whole = extract(source, [part.numbers for part in pile.parts], folder)
    except Refused:
        whole = []
    if whole:
        yield from zip(pile.parts, whole, strict=True)
        return
    refusal: Refused | None = None
    for part in pile.parts:
        try:
            (alone,) = extract(source, [part.numbers], folder)
        except Refused as refused:
            refusal = refused
        else:
            yield part, alone
    if refusal is not None:
        raise refusal


ENDINGS = {
    "application/pdf": ".pdf",
    "image/tiff": ".tif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/jp2": ".jp2",
}


def _link_part(run: JobRun, owner: Actor, pile: Pile, part: Part, extracted: Extract) -> None:
    with extracted.file.open("rb") as stream:
        staged = intake.stage(run.site, stream)
    # Named by us: what a pile was called may name another of its patients.
    filename = f"{pile.batch}-{pile.file}-{part.numbers[0]:04d}{ENDINGS.get(extracted.mime, '')}"

    def act(uow: UnitOfWork) -> None:
        node = uow.session.get_one(Node, part.node, execution_options=TRUSTED)
        _link_pages(uow, node, part, staged, filename, extracted.mime)

    try:
        run.site.run(owner, act, ORIGIN)
    finally:
        intake.discard(run.site, staged)


@action("representation.linked", needs=P.SCAN_UPLOAD)
def _link_pages(uow: UnitOfWork, node: Node, part: Part, staged: Any, filename: str, mime: str) -> None:
    """The pages get a master of their own in their record, with the pictures and the text that they have already."""
    pages = _still(uow, part)
    made = intake.add_master(uow, node, staged, filename, state="ready")
    uow.session.get_one(Blob, made.blob_id, execution_options=TRUSTED).mime = mime
    last = select(func.max(Page.ordinal)).where(Page.node_id == node.id)
    before = uow.session.scalar(last, execution_options=TRUSTED) or 0
    for number, page in enumerate(pages, start=1):
        page.page_id, page.linked_at = _become(uow, node, made, page, number, before + number), uow.now
    uow.note(batch_pages=[page.ordinal for page in pages])
    uow.session.flush()
    intake.settle(uow, node)


def _still(uow: UnitOfWork, part: Part) -> list[BatchPage]:
    """The pages as they are now, locked. Raises JobFailed when a person has changed their minds meanwhile."""
    linking = select(ScanBatch.id).where(ScanBatch.state == "linked")
    meant = BatchPage.volume_id == part.volume, BatchPage.component.is_not_distinct_from(part.component)
    rows = select(BatchPage).where(
        BatchPage.id.in_(part.pages), BatchPage.batch_id.in_(linking), *meant, *_WAITING
    )
    locked = rows.order_by(BatchPage.ordinal).with_for_update()
    found = list(uow.session.scalars(locked, execution_options=TRUSTED))
    if len(found) != len(part.pages):
        raise JobFailed(CHANGED)
    return found


def _become(
    uow: UnitOfWork, node: Node, made: Representation, page: BatchPage, number: int, ordinal: int
) -> int:
    home = intake.file_of(uow, node)
    batch = uow.session.get_one(ScanBatch, page.batch_id, execution_options=TRUSTED)
    image, thumbnail = drawing.names(made.id, number)
    for name, small in ((image, False), (thumbnail, True)):
        uow.site.store.put_derivative(home.uuid, name, leaves.stored(uow, batch, page, small=small))
    row = Page(
        node_id=node.id, ordinal=ordinal, representation_id=made.id, source_page=number, width=page.width,
        height=page.height, dpi=page.dpi, image=image, thumbnail=thumbnail, rotation=page.rotation,
    )  # fmt: skip
    uow.session.add(row)
    uow.session.flush()
    uow.session.add(PageCheck(page_id=row.id, at=uow.now, **page.quality))
    if page.text is not None:
        uow.session.add(
            PageText(page_id=row.id, kind=page.text_kind or "machine", text=page.text, boxes=page.boxes,
                     confidence=page.confidence, at=uow.now)
        )  # fmt: skip
    return row.id
