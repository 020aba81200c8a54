"""Making pages: a master becomes page images, thumbnails and text, page by page; what has no text is recognised."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import func, select

from archive.i18n import _l
from archive.models import Blob, Job, Node, Page, PageCheck, PageText, Representation
from archive.services import drawing, giving_away, intake, masters, pages, rescans, viruses
from archive.services.handlers import GaveWay, JobRun, handles
from archive.uow import PROGRAM, UnitOfWork, action
from storage.antivirus import Verdict
from storage.pages import PageImage

TRUSTED: Any = {"scope": "derive"}
STOPPED = _l("It was stopped before all pages were made.")


@dataclass(frozen=True)
class Task:
    """One file whose pages are to be made, and how far that is."""

    representation: int
    node: int
    record: str
    sha256: str
    made: int
    verdict: Verdict | None
    """What a virus scanner has said already."""


def _give_up(uow: UnitOfWork, job: Job) -> None:
    """The job has ended: the file is kept, and says why it has not all its pages."""
    found = uow.session.get(Representation, job.args["representation"], execution_options=TRUSTED)
    if found is not None and found.state == "pending":
        with uow.act("representation.failed", found):  # of whoever stops the job, or of the program
            _fail(uow, found, job.message or STOPPED.message)


@handles("page.derive", label=_l("Making pages"), gives_up=_give_up)
def derive(run: JobRun) -> dict[str, Any]:
    """Makes the pages of one file that are not made yet. Raises JobFailed with the reason why it cannot be read."""
    task = _begin(run)
    if task is None:
        return {"pages": 0}
    _examine(run, task)
    source = masters.draw(run, task.record, task.sha256, task.made, partial(_keep, task=task))
    with run.uow() as uow:
        run.progress(source.facts.page_count, source.facts.page_count, uow=uow)
        found = uow.session.get_one(Representation, task.representation, execution_options=TRUSTED)
        complete(uow, found, mime=source.facts.mime, owner=run.owner_id, repair=source.repair)
        if page := run.args.get("instead_of"):
            rescans.put_in_place(uow, found, page)
        if given := run.args.get("given"):
            giving_away.follow(uow, found, given)
    return {"pages": source.facts.page_count, **({"repaired": True} if source.repair else {})}


def _begin(run: JobRun) -> Task | None:
    """Marks the file as being worked on. Waits for an earlier file of the node: pages are numbered in their order."""
    with run.uow() as uow:
        found = uow.session.get(Representation, run.args["representation"], execution_options=TRUSTED)
        if found is None or found.state in {"ready", "withdrawn"}:
            return None
        earlier = select(Representation.id).where(
            Representation.node_id == found.node_id,
            Representation.state == "pending",
            Representation.id < found.id,
        )
        if uow.session.scalar(earlier.limit(1), execution_options=TRUSTED) is not None:
            raise GaveWay(1)
        found.state, found.failure = "pending", None
        blob = uow.session.get_one(Blob, found.blob_id, execution_options=TRUSTED)
        made = select(func.count(Page.id)).where(Page.representation_id == found.id)
        count = uow.session.scalar(made, execution_options=TRUSTED) or 0
        return Task(found.id, found.node_id, blob.record, blob.sha256, count, viruses.known(blob))


def _examine(run: JobRun, task: Task) -> None:
    """Has a virus scanner look at the bytes before anything opens them. Raises JobFailed where it finds something."""

    def keep(uow: UnitOfWork, verdict: Verdict) -> None:
        viruses.keep(
            uow, uow.session.get_one(Representation, task.representation, execution_options=TRUSTED), verdict
        )

    masters.examine(run, task.record, task.sha256, task.verdict, keep)


def _keep(uow: UnitOfWork, page: PageImage, *, task: Task) -> None:
    """One page: its pictures, then its rows, in the transaction that also counts it."""
    image, thumbnail = drawing.keep(uow.site, task.record, task.representation, page)
    last = select(func.max(Page.ordinal)).where(Page.node_id == task.node)
    made = Page(
        node_id=task.node, ordinal=(uow.session.scalar(last, execution_options=TRUSTED) or 0) + 1,
        representation_id=task.representation, source_page=page.number, width=page.width, height=page.height,
        dpi=page.dpi, image=image, thumbnail=thumbnail,
    )  # fmt: skip
    uow.session.add(made)
    uow.session.flush()
    uow.session.add(PageCheck(page_id=made.id, at=uow.now, **page.check))
    if text := page.text:
        boxes = [list(line[:5]) for line in page.lines]
        uow.session.add(PageText(page_id=made.id, kind="layer", text=text, boxes=boxes, at=uow.now))


@action("representation.ready", needs=PROGRAM)
def complete(
    uow: UnitOfWork,
    representation: Representation,
    *,
    mime: str,
    owner: int | None,
    repair: str | None = None,
) -> None:
    """All pages are made. Those without text are recognised next, behind whatever is more urgent."""
    representation.state, representation.failure, representation.repair = "ready", None, repair
    uow.session.get_one(Blob, representation.blob_id, execution_options=TRUSTED).mime = mime
    node = uow.session.get_one(Node, representation.node_id, execution_options=TRUSTED)
    intake.settle(uow, node)
    silent = pages.without_text(uow, representation.id)
    uow.note(representation=representation.id, silent=len(silent), **({"repair": repair} if repair else {}))
    if silent:
        job = uow.job(
            "page.recognise", node=node, total=len(silent), priority=8, representation=representation.id
        )
        job.owner_id = owner


def _fail(uow: UnitOfWork, representation: Representation, reason: str) -> None:
    """The file is kept as it came, with the reason why it has not all its pages."""
    representation.state, representation.failure = "failed", reason[:300]
    node = uow.session.get_one(Node, representation.node_id, execution_options=TRUSTED)
    pages.recount(uow, node)
    uow.enqueue("index", node)
    uow.note(representation=representation.id, reason=reason)
