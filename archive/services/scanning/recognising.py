"""批次识别: the text of the pages of a pile, by which they find their records, before anything is linked."""

from pathlib import Path
from typing import Any

from archive.i18n import _l
from archive.models import BatchFile, BatchPage, Job, ScanBatch
from archive.services import drawing
from archive.services.handlers import JobRun, handles
from archive.services.scanning import batches, leaves, pages, steps, twins
from archive.services.scanning.batches import TRUSTED
from archive.uow import UnitOfWork
from storage.limits import Refused
from storage.recognise import Recognised, Recogniser

ENOUGH = 20
"""Characters by which one can tell how a page lies: of a few letters it is easily misjudged."""
PORTION = 500
"""Pages that go on without text in one transaction."""
NOTHING = Recognised("", (), 0, 0.0)


def _give_up(uow: UnitOfWork, job: Job) -> None:
    """What is left of the file stays without text, and the batch goes on without it: by a job, since a person who stops this
    one must not wait for ten thousand pages.
    """
    file = uow.session.get(BatchFile, job.args["file"], execution_options=TRUSTED)
    if file is None:
        return
    with uow.act("batch.text_given_up", file):
        uow.note(file=file.id, reason=job.message)
        made = uow.job("batch.go_on", priority=7, file=file.id)
        made.owner_id = job.owner_id


@handles("batch.recognise", label=_l("Recognising a pile"), gives_up=_give_up)
def recognise(run: JobRun) -> dict[str, Any]:
    """Reads the pages of one file that have no text; one that cannot be read stays empty. Then all find their places."""
    with run.uow() as uow:
        file = uow.session.get_one(BatchFile, run.args["file"], execution_options=TRUSTED)
        batch, number, waiting = file.batch_id, file.id, pages.silent(uow, file.id)
    done, unread = run.done, 0
    run.progress(done, done + len(waiting))
    with Recogniser() as reader, drawing.working_folder(run.site) as folder:
        for page in waiting:
            said = _read(run, page, reader, folder / "page.jpg")
            unread += not said.text
            _keep(run, page, said, done := done + 1)
            run.give_way()
    _settle(run, batch, number)
    return {"pages": done, "unread": unread}


@handles("batch.go_on", label=_l("Going on without text"), stoppable=False)
def go_on(run: JobRun) -> dict[str, Any]:
    """What nobody has read of a file counts as read, some pages at a time. Then all find their places."""
    with run.uow() as uow:
        file = uow.session.get_one(BatchFile, run.args["file"], execution_options=TRUSTED)
        batch, number, waiting = file.batch_id, file.id, pages.silent(uow, file.id)
    done = run.done
    run.progress(done, done + len(waiting))
    for start in range(0, len(waiting), PORTION):
        some = waiting[start : start + PORTION]
        done += len(some)
        with run.uow() as uow:
            run.progress(done, uow=uow)
            pages.hear_nothing(uow, some)
    _settle(run, batch, number)
    return {"pages": done}


def _settle(run: JobRun, batch: int, number: int) -> None:
    """The pages of a file are compared with all others before anything is locked for it; then they find their places."""
    with run.site.uow(run.actor, readonly=True) as uow:
        alike = twins.search(uow, batch, number)
    with run.uow() as uow:
        found = uow.session.get_one(ScanBatch, batch, execution_options=TRUSTED)
        batches.lock(uow, found)
        twins.keep(uow, number, alike)
        pages.split_again(uow, found, file=number)
        steps.go_on(uow, found)


def _read(run: JobRun, number: int, reader: Recogniser, file: Path) -> Recognised:
    with run.site.uow(run.actor, readonly=True) as uow:
        page = uow.session.get(BatchPage, number, execution_options=TRUSTED)
        if page is None:
            return NOTHING
        batch = uow.session.get_one(ScanBatch, page.batch_id, execution_options=TRUSTED)
        file.write_bytes(leaves.stored(uow, batch, page, small=False))
    try:
        return reader.recognise(file)
    except Refused:
        return NOTHING


def _keep(run: JobRun, number: int, said: Recognised, done: int) -> None:
    with run.uow() as uow:
        run.progress(done, uow=uow)
        page = uow.session.get(BatchPage, number, execution_options=TRUSTED)
        if page is None:
            return  # set aside with its file meanwhile
        page.boxes, page.confidence = [list(line[:5]) for line in said.lines], said.confidence
        _turn(page, said)
        pages.hear(uow, page, text=said.text, kind="machine")


def _turn(page: BatchPage, said: Recognised) -> None:
    """A page that was laid in upside down is shown as it is read, unless a person has turned it."""
    if said.rotation and not page.rotation and len(said.text) >= ENOUGH:
        page.rotation = said.rotation
