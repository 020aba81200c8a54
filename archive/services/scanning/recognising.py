"""批次识别: the text of the pages of a pile, by which they find their records, before anything is linked."""

from pathlib import Path
from typing import Any

from archive.i18n import _l
from archive.models import BatchFile, BatchPage, Job, ScanBatch
from archive.services import drawing
from archive.services.handlers import JobRun, handles
from archive.services.scanning import leaves, pages, steps
from archive.services.scanning.batches import TRUSTED
from archive.uow import UnitOfWork
from storage.limits import Refused
from storage.recognise import Recognised, Recogniser

ENOUGH = 20
"""Characters by which one can tell how a page lies: of a few letters it is easily misjudged."""
NOTHING = Recognised("", (), 0, 0.0)


def _give_up(uow: UnitOfWork, job: Job) -> None:
    """What is left of the file stays without text, and the batch goes on without it."""
    file = uow.session.get(BatchFile, job.args["file"], execution_options=TRUSTED)
    if file is None:
        return
    for number in pages.silent(uow, file.id):
        pages.hear(
            uow, uow.session.get_one(BatchPage, number, execution_options=TRUSTED), text="", kind="machine"
        )
    with uow.act("batch.text_given_up", file):
        uow.note(file=file.id, reason=job.message)
        _settle(uow, file.batch_id, file.id)


def _settle(uow: UnitOfWork, batch: int, file: int) -> None:
    found = uow.session.get_one(ScanBatch, batch, execution_options=TRUSTED)
    pages.split_again(uow, found, file=file)
    steps.go_on(uow, found)


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
    with run.uow() as uow:
        _settle(uow, batch, number)
    return {"pages": done, "unread": unread}


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
