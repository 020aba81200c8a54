"""Recognising the text of pages that came without: one child process reads many pages, and gives way to urgent work."""

from pathlib import Path
from typing import Any

from sqlalchemy import select

from archive.i18n import _l
from archive.models import Blob, Node, Page, PageText, Representation
from archive.services import corrections, drawing, pages
from archive.services.handlers import JobRun, handles
from storage import BlobMissing
from storage.limits import Refused
from storage.recognise import Recogniser

TRUSTED: Any = {"scope": "recognition"}


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
    return _finish(run, done, unread)


def _read(run: JobRun, page: int, reader: Recogniser, file: Path, done: int) -> bool:
    if not _fetch(run, page, file):
        return False
    try:
        said = reader.recognise(file)
        text, boxes, confidence = said.text, [list(line[:5]) for line in said.lines], said.confidence
    except Refused:
        text, boxes, confidence = "", [], 0.0
    with run.uow() as uow:
        run.progress(done, uow=uow)
        if uow.session.get(Page, page, execution_options=TRUSTED) is None:
            return False  # withdrawn meanwhile
        read = PageText(
            page_id=page, kind="machine", text=text, boxes=boxes, confidence=confidence, at=uow.now
        )
        corrections.add_read(uow, read)
    return bool(text)


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


def _finish(run: JobRun, done: int, unread: int) -> dict[str, Any]:
    with run.uow() as uow:
        node = uow.session.get(Node, run.node_id, execution_options=TRUSTED)
        if node is not None:
            uow.enqueue("index", node)
    return {"pages": done, "unread": unread}
