"""挂接: the pages of a batch become pages of their records, each with a master of its own (domain §13)."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select

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
from archive.services import drawing, intake, masters, policies, tree
from archive.services.handlers import GaveWay, JobFailed, JobRun, handles
from archive.services.scanning import pasted, steps
from archive.services.scanning.batches import TRUSTED, WAITING
from archive.uow import UnitOfWork, action
from storage import BlobMissing, Staged
from storage.extraction import Extract, extract
from storage.limits import Reason, Refused

ORIGIN = Origin(channel="worker")
STOPPED = _l("Linking was stopped. What is linked stays so.")
CHANGED = _l("The batch was changed meanwhile. Look at it, and link it again.")


@dataclass(frozen=True)
class Part:
    """The pages of one file of a pile that go to one place: a record, or a component of it."""

    volume: int | None
    component: str | None
    pages: tuple[int, ...]
    """Ids, in the order of the pile, but for further pictures of a pasted sheet, which lie beside it."""
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


@dataclass(frozen=True)
class Pictures:
    """Of pages that were linked: the folder of their record, and what each picture of the pile is called there."""

    folder: UUID
    names: list[tuple[str, str]]


def _give_up(uow: UnitOfWork, job: Job) -> None:
    found = uow.session.get(ScanBatch, job.args["batch"], execution_options=TRUSTED)
    if found is not None:
        steps.interrupt(uow, found, job.message or STOPPED.message)


@handles("batch.link", label=_l("Linking a batch"), gives_up=_give_up)
def link(run: JobRun) -> dict[str, Any]:
    """Links every page that is not linked yet, as the person who asked for it, with the rights they have now."""
    owner, done = run.owner(), run.done
    with run.uow() as uow:
        if uow.session.get_one(ScanBatch, run.args["batch"], execution_options=TRUSTED).state != "linked":
            raise JobFailed(CHANGED)
        files = _files(uow, run.args["batch"])
        total = _left(uow, run.args["batch"])
    run.progress(done, done + total)
    for file in files:
        pile = _pile(run, file)
        if pile.parts:
            done = _link_file(run, owner, pile, done)
            run.give_way()
    with run.uow() as uow:
        steps.go_on(uow, uow.session.get_one(ScanBatch, run.args["batch"], execution_options=TRUSTED))
    return {"pages": done}


def _files(uow: UnitOfWork, batch: int) -> list[int]:
    ready = select(BatchFile.id).where(BatchFile.batch_id == batch, BatchFile.state == "ready")
    return list(uow.session.scalars(ready.order_by(BatchFile.seq), execution_options=TRUSTED))


def _left(uow: UnitOfWork, batch: int) -> int:
    waiting = select(func.count(BatchPage.id)).where(BatchPage.batch_id == batch, *WAITING)
    return uow.session.scalar(waiting, execution_options=TRUSTED) or 0


def _pile(run: JobRun, number: int) -> Pile:
    """What of a file is still to be linked, and to where."""
    light = (BatchPage.id, BatchPage.source_page, BatchPage.volume_id, BatchPage.component, BatchPage.ordinal)
    waiting = select(*light, BatchPage.said).where(BatchPage.file_id == number, *WAITING)
    groups: dict[tuple[int | None, str | None], list[Any]] = {}
    with run.site.session(readonly=True) as session:
        file = session.get_one(BatchFile, number, execution_options=TRUSTED)
        batch = session.get_one(ScanBatch, file.batch_id, execution_options=TRUSTED)
        blob = session.get_one(Blob, file.blob_id, execution_options=TRUSTED)
        for page in sorted(session.execute(waiting, execution_options=TRUSTED), key=pasted.order):
            groups.setdefault((page.volume_id, page.component), []).append(page)
    parts = [
        Part(volume, component, tuple(page.id for page in pages), tuple(page.source_page for page in pages))
        for (volume, component), pages in groups.items()
    ]
    return Pile(file.id, blob.record, blob.sha256, batch.number, file.repair == drawing.COPY, tuple(parts))


def _link_file(run: JobRun, owner: Actor, pile: Pile, done: int) -> int:
    try:
        with (
            run.site.store.materialise(pile.folder, pile.sha256) as path,
            drawing.working_folder(run.site) as folder,
        ):
            source = path if not pile.is_copied else drawing.mended(path, folder, Refused(Reason.BROKEN)).path
            for part, extracted in _cut(source, pile, folder):
                done += len(part.pages)
                _link_part(run, owner, pile, part, extracted, done)
                if run.leaving.is_set():  # for others only behind the file: it would be cut anew
                    raise GaveWay
    except Refused as refused:
        raise JobFailed(Lazy(refused.sentence)) from refused
    except BlobMissing as missing:
        run.site.store.healthy()
        raise JobFailed(masters.GONE) from missing
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


def _link_part(run: JobRun, owner: Actor, pile: Pile, part: Part, extracted: Extract, done: int) -> None:
    with extracted.file.open("rb") as stream:
        staged = intake.stage(run.site, stream)
    # Named by us: what a pile was called may name another of its patients.
    filename = f"{pile.batch}-{pile.file}-{part.numbers[0]:04d}{ENDINGS.get(extracted.mime, '')}"

    def act(uow: UnitOfWork) -> Pictures:
        volume = uow.session.get_one(BatchVolume, part.volume, execution_options=TRUSTED)
        record = uow.session.get_one(Node, volume.node_id, execution_options=TRUSTED)
        pictures = _link_pages(uow, record, part, staged, filename, extracted.mime)
        run.progress(done, uow=uow)
        return pictures

    try:
        pictures = run.site.run(owner, act, ORIGIN)
    finally:
        intake.discard(run.site, staged)
    _copy(run, pile, pictures)


def _copy(run: JobRun, pile: Pile, pictures: Pictures) -> None:
    """Behind the transaction, since thousands take seconds. One that does not come is drawn from the master of its record
    when somebody looks at it, as any picture that was lost.
    """
    for name, there in pictures.names:
        with suppress(BlobMissing), run.site.store.open_derivative(pile.folder, name) as stream:
            if found := stream.read():
                run.site.store.put_derivative(pictures.folder, there, found)


@action("representation.linked", needs=P.SCAN_UPLOAD)
def _link_pages(
    uow: UnitOfWork, record: Node, part: Part, staged: Staged, filename: str, mime: str
) -> Pictures:
    """The pages get a master of their own in their record, with the text that they have already."""
    intake.check_place(record)
    home = intake.file_of(uow, record)
    uow.lock(home)  # whoever orders its pages waits
    pages = _still(uow, part)
    node = _place(uow, record, part.component)
    uow.require(P.SCAN_UPLOAD, node)
    uow.about(node)
    _alone_in(uow, node)
    made = intake.add_master(uow, node, staged, filename, state="ready")
    uow.session.get_one(Blob, made.blob_id, execution_options=TRUSTED).mime = mime
    there = _become(uow, node, made, pages)
    pasted.gather(uow, pages, node.id)
    uow.note(batch_pages=[page.ordinal for page in pages])
    uow.session.flush()
    intake.settle(uow, node)
    here = [name for page in pages for name in (page.image, page.thumbnail)]
    return Pictures(home.uuid, list(zip(here, there, strict=True)))


def _place(uow: UnitOfWork, record: Node, component: str | None) -> Node:
    """The record, or the item of it that is this component; made where it has none yet."""
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


def _alone_in(uow: UnitOfWork, node: Node) -> None:
    """Nobody uploads there meanwhile. Raises GaveWay while the pages of a file are being made: two files would interleave."""
    uow.lock(node)
    pending = select(Representation.id).where(
        Representation.node_id == node.id, Representation.state == "pending"
    )
    if uow.session.scalar(pending.limit(1), execution_options=TRUSTED) is not None:
        raise GaveWay(1)


def _still(uow: UnitOfWork, part: Part) -> list[BatchPage]:
    """The pages as they are now, locked. Raises JobFailed when a person has changed their minds meanwhile."""
    linking = select(ScanBatch.id).where(ScanBatch.state == "linked")
    meant = BatchPage.volume_id == part.volume, BatchPage.component.is_not_distinct_from(part.component)
    rows = select(BatchPage).where(
        BatchPage.id.in_(part.pages), BatchPage.batch_id.in_(linking), *meant, *WAITING
    )
    locked = rows.order_by(BatchPage.ordinal).with_for_update()
    found = sorted(uow.session.scalars(locked, execution_options=TRUSTED), key=pasted.order)
    if len(found) != len(part.pages):
        raise JobFailed(CHANGED)
    return found


def _become(uow: UnitOfWork, node: Node, made: Representation, pages: list[BatchPage]) -> list[str]:
    """The pages of the record that these are now, in one go: a volume without titles has thousands in one part.

    Gives the names of their pictures, each image with its thumbnail.
    """
    last = select(func.max(Page.ordinal)).where(Page.node_id == node.id)
    before = uow.session.scalar(last, execution_options=TRUSTED) or 0
    pictures = [drawing.names(made.id, number) for number, _page in enumerate(pages, start=1)]
    rows = [
        {"node_id": node.id, "ordinal": before + number, "representation_id": made.id, "source_page": number,
         "width": page.width, "height": page.height, "dpi": page.dpi, "image": image, "thumbnail": thumbnail,
         "rotation": page.rotation, "lifted": pasted.sheet_of(page) is not None}
        for number, (page, (image, thumbnail)) in enumerate(zip(pages, pictures, strict=True), start=1)
    ]  # fmt: skip
    uow.session.execute(insert(Page), rows, execution_options=TRUSTED)
    mine = select(Page.id).where(Page.representation_id == made.id).order_by(Page.source_page)
    ids = uow.session.scalars(mine, execution_options=TRUSTED).all()
    for page, number in zip(pages, ids, strict=True):
        page.page_id, page.linked_at = number, uow.now
        uow.session.add(PageCheck(page_id=number, at=uow.now, **page.quality))
        if page.text is not None:
            uow.session.add(
                PageText(page_id=number, kind=page.text_kind or "machine", text=page.text, boxes=page.boxes,
                         confidence=page.confidence, at=uow.now)
            )  # fmt: skip
    return [name for both in pictures for name in both]
