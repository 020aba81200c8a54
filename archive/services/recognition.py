"""Recognising the text of pages that came without: one child process reads many pages, and gives way to urgent work.

A page that somebody has open is a task of its own, before all others: the reading of a file gives way after each page.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from archive.errors import NotFound
from archive.i18n import _l
from archive.models import Blob, Job, Node, Page, PageText, Representation
from archive.policy.permissions import P
from archive.services import corrections, drawing, intake, page_desk, pages
from archive.services.handlers import LIVE, JobRun, handles
from archive.uow import UnitOfWork, action
from storage import BlobMissing
from storage.limits import Refused
from storage.recognise import Recognised, Recogniser

TRUSTED: Any = {"scope": "recognition"}
ONE = "page.recognise_one"
LINES, SURE = 3, 0.8
"""So much must be read, and so surely, before a page is turned by what was read."""
FIRST = 1
"""The priority of what a person waits for; making pages has 5, reading whole files 8."""


@handles("page.recognise", label=_l("Recognising text"))
def recognise(run: JobRun) -> dict[str, Any]:
    """Reads the pages of one file that have no text. A page that cannot be read stays empty, and is counted."""
    with run.uow() as uow:
        waiting = pages.without_text(uow, run.args["representation"])
    done, unread = run.done, 0
    run.progress(done, done + len(waiting))
    with Recogniser() as reader, drawing.working_folder(run.site) as folder:
        for page in waiting:
            unread += not _read(run, page, reader, folder / "page.jpg", done := done + 1)
            run.give_way()
    return _finish(run, Page.representation_id == run.args["representation"], done, unread)


@handles(ONE, label=_l("Recognising the page that is open"))
def recognise_one(run: JobRun) -> dict[str, Any]:
    """Reads one page, for whoever has it open."""
    page = run.args["page"]
    run.progress(0, 1)
    with Recogniser() as reader, drawing.working_folder(run.site) as folder:
        unread = not _read(run, page, reader, folder / "page.jpg", 1)
    return _finish(run, Page.id == page, 1, int(unread))


@action("page.recognition_asked", needs=P.READ)
def ask(uow: UnitOfWork, node: Node, ordinal: int) -> None:
    """Has a page read before all others, because somebody waits for its text. Raises NotFound.

    Nothing happens if it has been read or asked for already.
    """
    page = uow.session.scalar(uow.of(Page, node, P.READ).where(Page.ordinal == ordinal))
    if page is None:
        raise NotFound
    uow.note(page=ordinal)
    if _is_read(uow, page.id) or _is_asked(uow, node, page.id):
        return
    uow.job(
        ONE, node=node, total=1, priority=FIRST, page=page.id
    ).owner_id = None  # no notice when it is done


def awaits_text(uow: UnitOfWork, node: Node, ordinal: int) -> bool:
    """Whether a page is still to be read; shows nothing of it. Needs content.read; raises NotFound."""
    page = uow.session.scalar(uow.of(Page, node, P.READ).where(Page.ordinal == ordinal))
    if page is None:
        raise NotFound
    return not _is_read(uow, page.id)


def _is_asked(uow: UnitOfWork, node: Node, page: int) -> bool:
    waiting = select(Job.args).where(Job.kind == ONE, Job.node_id == node.id, Job.state.in_(LIVE))
    return any(args["page"] == page for args in uow.session.scalars(waiting))


def _is_read(uow: UnitOfWork, page: int) -> bool:
    machine = select(PageText.page_id).where(PageText.page_id == page, PageText.kind != "human")
    return uow.session.scalar(machine, execution_options=TRUSTED) is not None


def _read(run: JobRun, page: int, reader: Recogniser, file: Path, done: int) -> bool:
    with run.uow() as uow:
        if _is_read(uow, page):  # meanwhile, because somebody had it open
            run.progress(done, uow=uow)
            return True
    if not _fetch(run, page, file):
        return False
    try:
        said = reader.recognise(file)
    except Refused:
        said = Recognised("", (), 0, 0.0)
    with run.uow() as uow:
        run.progress(done, uow=uow)
        row = uow.session.get(Page, page, execution_options=TRUSTED)
        if row is None or _is_read(uow, page):
            return False  # withdrawn meanwhile, or read by another worker
        boxes = [list(line[:5]) for line in said.lines]
        corrections.add_read(uow, PageText(
            page_id=page, kind="machine", text=said.text, boxes=boxes, confidence=said.confidence, at=uow.now
        ))  # fmt: skip
        _set_upright(uow, row, said)
    return bool(said.text)


def _set_upright(uow: UnitOfWork, page: Page, said: Recognised) -> None:
    """A page that lies on its side or head is shown upright from now on; its picture and its master stay as they are."""
    is_sure = len(said.lines) >= LINES and said.confidence >= SURE
    node = uow.session.get(Node, page.node_id, execution_options=TRUSTED) if page.node_id else None
    if said.rotation and is_sure and node is not None:
        page_desk.set_upright(uow, intake.file_of(uow, node), page=page.id, degrees=said.rotation)


def _fetch(run: JobRun, page: int, file: Path) -> bool:
    where = (
        select(Blob.record, Page.image)
        .join(Representation, Representation.id == Page.representation_id)
        .join(Blob, Blob.id == Representation.blob_id)
        .where(Page.id == page)
    )
    with run.site.session(readonly=True) as session:
        found = session.execute(where, execution_options=TRUSTED).first()
    if found is None:
        return False
    try:
        with run.site.store.open_derivative(found.record, found.image) as picture:
            file.write_bytes(picture.read())
    except BlobMissing:
        return False
    return True


def _finish(run: JobRun, read: ColumnElement[bool], done: int, unread: int) -> dict[str, Any]:
    """Has everything followed in which the pages that were `read` stand now: some may have been put into an item."""
    with run.uow() as uow:
        standing = select(Page.node_id).where(read, Page.node_id.is_not(None))
        nodes = select(Node).where(or_(Node.id == run.node_id, Node.id.in_(standing)))
        uow.enqueue("index", *uow.session.scalars(nodes, execution_options=TRUSTED))
    return {"pages": done, "unread": unread}
