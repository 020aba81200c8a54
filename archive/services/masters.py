"""原件读取: what jobs do with the bytes of a master: have them examined, and draw the pages that are not drawn yet."""

from collections.abc import Callable
from pathlib import Path

from archive.i18n import Lazy, _l
from archive.services import drawing, imaging, viruses
from archive.services.drawing import Readable, Wanted
from archive.services.handlers import JobFailed, JobRun
from archive.uow import UnitOfWork
from storage import BlobMissing
from storage.antivirus import Verdict
from storage.limits import Refused
from storage.pages import FileFacts, PageImage

GONE = _l("The file is no longer kept.")
INFECTED = _l(
    "A virus was found in this file. Its bytes are kept and not opened. Tell the system administrator."
)


def examine(
    run: JobRun, folder: str, sha256: str, known: Verdict | None, keep: Callable[[UnitOfWork, Verdict], None]
) -> None:
    """Has a virus scanner look at the bytes before anything opens them. Raises JobFailed where it finds something.

    What it says is kept by `keep`; nothing is asked of a scanner that has said something already.
    """
    try:
        verdict = known or viruses.examine(run.site, folder, sha256)
    except BlobMissing as missing:
        raise _gone(run) from missing
    if verdict and not known:
        with run.uow() as uow:
            keep(uow, verdict)
    if verdict and verdict.virus:
        raise JobFailed(INFECTED)


def draw(
    run: JobRun, folder: str, sha256: str, made: int, keep: Callable[[UnitOfWork, PageImage], None], *,
    codes: bool = False,
) -> Readable:  # fmt: skip
    """Draws the pages of a file behind the first `made`; each is kept in the transaction that counts it.

    Gives what they were drawn from: the master, or a copy of a damaged one that was put in order. Raises JobFailed with the
    reason why it cannot be read, and whatever the run raises to end or to give way.
    """
    try:
        with (
            run.site.store.materialise(folder, sha256) as path,
            drawing.working_folder(run.site) as work,
        ):
            return _draw(run, path, work, made, keep, codes=codes)
    except Refused as refused:
        raise JobFailed(Lazy(refused.sentence)) from refused
    except BlobMissing as missing:
        raise _gone(run) from missing


def _draw(
    run: JobRun, master: Path, folder: Path, made: int, keep: Callable[[UnitOfWork, PageImage], None], *,
    codes: bool,
) -> Readable:  # fmt: skip
    """Draws what is not drawn yet; from a copy where the file cannot be opened or one of the pages not be drawn otherwise."""
    facts: list[FileFacts] = []

    def heard(page: PageImage) -> None:
        nonlocal made
        with run.uow() as uow:
            run.progress(page.number, facts[-1].page_count, uow=uow)
            keep(uow, page)
        made = page.number
        run.give_way()

    with run.uow() as uow:
        processing = imaging.in_force(uow)

    def drawn(path: Path) -> None:
        drawing.draw(run.site, path, heard, Wanted(made + 1, codes, processing), facts.append)

    try:
        drawn(master)
    except Refused as refused:
        copy = drawing.mended(master, folder, refused)
        if facts and copy.facts.page_count != facts[0].page_count:  # pages made already would be others
            raise
        drawn(copy.path)
        return copy
    return Readable.found(master, facts[0])


def _gone(run: JobRun) -> JobFailed:
    """A store that is away comes back, and says so; in one that is here, the file is gone."""
    run.site.store.healthy()
    return JobFailed(GONE)
