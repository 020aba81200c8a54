"""批次扫描文件: the files of a pile come in, and become the pages of its batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from archive.errors import Conflict
from archive.i18n import _, _l
from archive.models import BatchFile, BatchPage, Blob, Job, ScanBatch
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import drawing, intake, masters, viruses
from archive.services.derive import STOPPED
from archive.services.handlers import GaveWay, JobFailed, JobRun, handles
from archive.services.scanning import batches, likeness, pages, twins
from archive.services.scanning.batches import TRUSTED
from archive.uow import PROGRAM, UnitOfWork, action
from storage import Staged
from storage.antivirus import Verdict
from storage.pages import PageImage

OVERTAKEN = _l("Later piles have been read meanwhile. Set this file aside, and send it again.")
COUNTED = ("pending", "ready", "failed")
"""The states of files that are not set aside."""


@dataclass(frozen=True)
class FileView:
    """A file of a pile as the page of its batch lists it."""

    id: int
    name: str
    size: int
    state: str
    label: str
    look: str
    pages: int
    failure: str
    virus: str
    repaired: bool
    created_at: Any


@action("batch.file_added", needs=P.SCAN_UPLOAD)
def take(
    uow: UnitOfWork, batch: ScanBatch, staged: Staged, *, filename: str, device: str = ""
) -> tuple[BatchFile, Job]:
    """Takes a staged file of a pile: its bytes, its row, and the job that makes its pages.

    Raises Conflict while nothing is being scanned or for a file that is here already, Invalid for an empty one, Full.
    """
    batches.lock(uow, batch)
    batches.require(uow, batch, P.SCAN_UPLOAD)
    batches.require_state(batch, "scanning")
    intake.check_size(staged.size)
    for node in batches.nodes(uow, batch):
        intake.check_place(node)
    if is_here(uow, batch, staged.sha256):
        raise intake.AlreadyHere
    blob = intake.keep(uow, batch.uuid, staged, filename)
    last = select(func.max(BatchFile.seq)).where(BatchFile.batch_id == batch.id)
    file = BatchFile(
        batch_id=batch.id, blob_id=blob.id, filename=blob.filename, size=blob.size, state="pending",
        seq=(uow.session.scalar(last, execution_options=TRUSTED) or 0) + 1, device=clean(device)[:60] or batch.device,
        created_at=uow.now, created_by=uow.actor.principal_id,
    )  # fmt: skip
    uow.session.add(file)
    uow.session.flush()
    uow.note(file=file.id, sha256=staged.sha256, size=staged.size, filename=blob.filename, device=file.device)
    return file, uow.job("batch.split", file=file.id)


def is_here(uow: UnitOfWork, batch: ScanBatch, sha256: str) -> bool:
    """Whether the batch has this very file."""
    same = (
        select(BatchFile.id)
        .join(Blob, Blob.id == BatchFile.blob_id)
        .where(BatchFile.batch_id == batch.id, BatchFile.state.in_(COUNTED), Blob.sha256 == sha256)
    )
    return uow.session.scalar(same.limit(1), execution_options=TRUSTED) is not None


@action("batch.file_withdrawn", needs=P.SCAN_UPLOAD)
def withdraw(uow: UnitOfWork, batch: ScanBatch, *, file: int) -> None:
    """Sets a file aside that could not be read whole, with the pages that were made of it. Its bytes are kept."""
    batches.lock(uow, batch)
    batches.require(uow, batch, P.SCAN_UPLOAD)
    batches.require_state(batch, "scanning")
    statement = select(BatchFile).where(BatchFile.id == file, BatchFile.batch_id == batch.id)
    found = uow.session.scalar(statement, execution_options=TRUSTED)
    if found is None or found.state != "failed":
        raise Conflict(_("Only a file that could not be read is set aside."))
    found.state = "withdrawn"
    uow.note(file=found.id)
    twins.forget(uow, batch, found.id)
    for page in uow.session.scalars(
        select(BatchPage).where(BatchPage.file_id == found.id), execution_options=TRUSTED
    ):
        uow.session.delete(page)
    uow.session.flush()
    pages.split_again(uow, batch)


def listed(uow: UnitOfWork, batch: ScanBatch) -> list[FileView]:
    """The files of a batch in the order in which they came."""
    many = select(func.count(BatchPage.id)).where(BatchPage.file_id == BatchFile.id).scalar_subquery()
    rows = uow.session.execute(
        select(BatchFile, Blob, many)
        .outerjoin(Blob, Blob.id == BatchFile.blob_id)
        .where(BatchFile.batch_id == batch.id)
        .order_by(BatchFile.seq),
        execution_options=TRUSTED,
    )
    return [
        FileView(
            file.id, _called(batch, file), file.size, file.state, str(intake.STATES[file.state][0]), intake.STATES[file.state][1],
            count, _(file.failure) if file.failure else "", viruses.said(blob) if blob and file.state != "pending" else "",
            bool(file.repair), file.created_at,
        )
        for file, blob, count in rows
    ]  # fmt: skip


def _called(batch: ScanBatch, file: BatchFile) -> str:
    """Its name; once the pile has been let go, the number that it had among the others, with the ending that is kept."""
    is_unnamed = file.filename[:1] in {"", "."}
    return f"{batch.number}-{file.seq}{file.filename}" if is_unnamed else file.filename


def pending(uow: UnitOfWork, batch: ScanBatch) -> bool:
    """Whether files wait to be read, or could not be."""
    waiting = select(BatchFile.id).where(
        BatchFile.batch_id == batch.id, BatchFile.state.in_(("pending", "failed"))
    )
    return uow.session.scalar(waiting.limit(1), execution_options=TRUSTED) is not None


# The job


@dataclass(frozen=True)
class Task:
    """One file of a pile, and how far it has been read."""

    batch: int
    file: int
    folder: str
    sha256: str
    made: int
    verdict: Verdict | None


def _give_up(uow: UnitOfWork, job: Job) -> None:
    found = uow.session.get(BatchFile, job.args["file"], execution_options=TRUSTED)
    if found is not None and found.state == "pending":
        with uow.act("batch.file_failed", found):
            found.state, found.failure = "failed", (job.message or STOPPED.message)[:300]
            uow.note(file=found.id, reason=found.failure)


@handles("batch.split", label=_l("Reading a pile"), gives_up=_give_up)
def split(run: JobRun) -> dict[str, Any]:
    """Makes the pages of one file that are not made yet, and finds out whose they are. Raises JobFailed."""
    task = _begin(run)
    if task is None:
        return {"pages": 0}
    _examine(run, task)
    source = masters.draw(run, task.folder, task.sha256, task.made, partial(_keep, task=task), codes=True)
    facts = source.facts
    with run.site.uow(run.actor, readonly=True) as uow:
        alike = twins.search(uow, task.batch, task.file)
    with run.uow() as uow:
        run.progress(facts.page_count, facts.page_count, uow=uow)
        file = uow.session.get_one(BatchFile, task.file, execution_options=TRUSTED)
        file.repair = source.repair
        _complete(uow, file, facts.mime, run.owner_id, alike)
    return {"pages": facts.page_count, **({"repaired": True} if source.repair else {})}


def _begin(run: JobRun) -> Task | None:
    """Waits for an earlier file of the batch: pages are numbered in the order of the piles. Raises JobFailed for one that failed
    before, once a later one has been read: its pages would lie behind the cover sheets of others.
    """
    with run.uow() as uow:
        found = uow.session.get(BatchFile, run.args["file"], execution_options=TRUSTED)
        if found is None or found.state in {"ready", "withdrawn"}:
            return None
        of_batch = select(BatchFile.id).where(BatchFile.batch_id == found.batch_id)
        earlier = of_batch.where(BatchFile.state == "pending", BatchFile.seq < found.seq)
        if uow.session.scalar(earlier.limit(1), execution_options=TRUSTED) is not None:
            raise GaveWay(1)
        later = of_batch.join(BatchPage, BatchPage.file_id == BatchFile.id).where(BatchFile.seq > found.seq)
        if (
            found.state == "failed"
            and uow.session.scalar(later.limit(1), execution_options=TRUSTED) is not None
        ):
            raise JobFailed(OVERTAKEN)
        found.state, found.failure = "pending", None
        blob = uow.session.get_one(Blob, found.blob_id, execution_options=TRUSTED)
        made = select(func.count(BatchPage.id)).where(BatchPage.file_id == found.id)
        count = uow.session.scalar(made, execution_options=TRUSTED) or 0
        return Task(found.batch_id, found.id, blob.record, blob.sha256, count, viruses.known(blob))


def _examine(run: JobRun, task: Task) -> None:
    def keep(uow: UnitOfWork, verdict: Verdict) -> None:
        viruses.keep(uow, uow.session.get_one(BatchFile, task.file, execution_options=TRUSTED), verdict)

    masters.examine(run, task.folder, task.sha256, task.verdict, keep)


def names(file: int, number: int) -> tuple[str, str]:
    """What the picture and the thumbnail of a page are called in the folder of the batch."""
    return f"f{file}-p{number:05}.jpg", f"f{file}-t{number:05}.webp"


def _keep(uow: UnitOfWork, page: PageImage, *, task: Task) -> None:
    fingerprint = likeness.fingerprint(page.thumbnail)
    image, thumbnail = drawing.put(uow.site, UUID(task.folder), names(task.file, page.number), page)
    last = select(func.max(BatchPage.ordinal)).where(BatchPage.batch_id == task.batch)
    made = BatchPage(
        batch_id=task.batch, file_id=task.file, source_page=page.number,
        ordinal=(uow.session.scalar(last, execution_options=TRUSTED) or 0) + 1, width=page.width, height=page.height,
        dpi=page.dpi, image=image, thumbnail=thumbnail, quality=page.check, codes=list(page.codes),
        fingerprint=fingerprint, boxes=[list(line[:5]) for line in page.lines],
    )  # fmt: skip
    uow.session.add(made)
    if page.text:
        pages.hear(uow, made, text=page.text, kind="layer")


@action("batch.file_ready", needs=PROGRAM)
def _complete(
    uow: UnitOfWork, file: BatchFile, mime: str, owner: int | None, alike: Mapping[int, int]
) -> None:
    """All its pages are made: they find their records, and what has no text is read next."""
    file.state, file.failure = "ready", None
    uow.session.get_one(Blob, file.blob_id, execution_options=TRUSTED).mime = mime
    batch = uow.session.get_one(ScanBatch, file.batch_id, execution_options=TRUSTED)
    uow.session.flush()
    twins.keep(uow, file.id, alike)
    pages.split_again(uow, batch, file=file.id)
    silent = pages.silent(uow, file.id)
    uow.note(file=file.id, silent=len(silent))
    if silent:
        job = uow.job("batch.recognise", total=len(silent), priority=7, file=file.id)
        job.owner_id = owner
