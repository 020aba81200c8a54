"""扫描进卷: a record's pages from a scanner on the network, each kept as it came. Only addresses that the policy
names are asked.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from archive.errors import ArchiveError, Conflict, Invalid, NotFound
from archive.i18n import Lazy, _, _l
from archive.journal import Origin
from archive.models import Job, Node
from archive.policy.permissions import P
from archive.services import intake, policies, queue
from archive.services.handlers import JobFailed, JobRun, Lost, Stopped, handles
from archive.services.intake import AlreadyHere
from archive.services.queue import PASSING
from archive.uow import UnitOfWork, action
from storage.blobs import ByteSource
from storage.escl import Capabilities, Scanner, ScannerTrouble, Settings, Source, Trouble

WORDS: Mapping[Trouble, Lazy] = {
    Trouble.UNREACHABLE: _l(
        "The scanner does not answer. See whether it is switched on and in the network, then try again."
    ),
    Trouble.BUSY: _l("The scanner is busy. Wait until it has finished, then try again."),
    Trouble.EMPTY: _l("No paper lies in the feeder. Put the pages in, then try again."),
    Trouble.JAM: _l(
        "The paper is jammed. Clear the scanner; what came before is kept. Put in what is left, then try again."
    ),
    Trouble.OPEN: _l("The scanner's cover is open. Close it, then try again."),
    Trouble.STOPPED: _l("The scanner has stopped. Look at its display; what came before is kept."),
    Trouble.NOT_TAKEN: _l("The scanner does not take these settings. Choose others."),
    Trouble.NONSENSE: _l(
        "What answers at this address is no scanner that speaks eSCL. Ask the system administrator."
    ),
    Trouble.TOO_MUCH: _l(
        "The scanner gives more than one order takes. What came is kept: look which page was the last, then scan the rest."
    ),
}
INTERRUPTED = _l(
    "Scanning was interrupted. What has come is kept: look which page was the last, put in what is left, then try again."
)
NOT_OFFERED = _l("The scanner does not offer this. Choose again.")
NOTHING_USABLE = _l(
    "The scanner offers nothing that can be used here: JPEG or PDF in colour, greyscale or black and white. Choose another one."
)
COLOUR_WORDS = {"RGB24": _l("Colour"), "Grayscale8": _l("Greyscale"), "BlackAndWhite1": _l("Black and white")}
SOURCES = {"feeder": _l("Feeder, one side"), "duplex": _l("Feeder, both sides"), "glass": _l("Glass")}
FORMAT_WORDS = {"image/jpeg": _l("JPEG, a file a page"), "application/pdf": "PDF"}
ENDINGS = {"image/jpeg": "jpg", "application/pdf": "pdf"}
KIND = "scan.fetch"
PAUSES = (1.0, 5.0, 20.0)
"""Seconds before a page is tried again that could not be kept: its sheet is through, and only its bytes are left."""


@dataclass(frozen=True)
class Known:
    """登记的扫描仪: a scanner that the hospital has written down."""

    code: str
    name: str
    address: str


@dataclass(frozen=True)
class Asked:
    """What a scanner said of itself just now: what can be chosen, and what would keep it from scanning."""

    scanner: Known
    model: str
    sources: dict[str, Source]
    trouble: str

    def choices(self, source: str) -> Source:
        """What can be chosen with paper lying there. Raises Invalid."""
        if source not in self.sources:
            raise Invalid(str(NOT_OFFERED))
        return self.sources[source]


def known(uow: UnitOfWork) -> list[Known]:
    """The scanners of the policy, in its order."""
    listed = policies.in_force(uow, "scanners").body["scanners"]
    return [Known(code, policies.said(one), one["address"]) for code, one in listed.items()]


def find(uow: UnitOfWork, code: str) -> Known:
    """Raises NotFound."""
    if (found := next((one for one in known(uow) if one.code == code), None)) is None:
        raise NotFound
    return found


def ask(uow: UnitOfWork, code: str) -> Asked:
    """Asks a scanner what it can do and how it is.

    Raises NotFound; Conflict where it does not answer as a scanner, or offers nothing that could be taken in.
    """
    scanner = find(uow, code)
    line = Scanner(scanner.address)
    try:
        said = line.capabilities()
        trouble = line.trouble(feeder=False)
    except ScannerTrouble as error:
        raise Conflict(str(WORDS[error.trouble])) from error
    sources = _sources(said)
    if not sources:
        raise Conflict(str(NOTHING_USABLE))
    return Asked(scanner, said.model, sources, str(WORDS[trouble]) if trouble else "")


def _sources(said: Capabilities) -> dict[str, Source]:
    each = {"feeder": said.feeder, "duplex": said.duplex, "glass": said.glass}
    return {name: source for name, source in each.items() if source and _usable(source)}


def _usable(source: Source) -> bool:
    return bool(source.colours and source.resolutions and source.formats)


@action("scan.ordered", needs=P.SCAN_UPLOAD)
def order(uow: UnitOfWork, node: Node, asked: Asked, *, source: str, colour: str, dpi: int, kind: str) -> Job:
    """Orders a scan into a record. Raises Invalid for what the scanner has not offered, Conflict as an upload does."""
    intake.check_place(node)
    offered = asked.choices(source)
    if colour not in offered.colours or dpi not in offered.resolutions or kind not in offered.formats:
        raise Invalid(str(NOT_OFFERED))
    chosen: dict[str, Any] = {
        "scanner": asked.scanner.code,
        "source": source,
        "colour": colour,
        "dpi": dpi,
        "format": kind,
    }
    uow.note(**chosen)
    # Before the pages of others: somebody stands beside the machine.
    return uow.job(KIND, node=node, priority=1, **chosen)


def _told(_uow: UnitOfWork, job: Job) -> None:
    """A person has been told how it ended: whoever tries again knows which pages lie in the feeder."""
    job.args = {**job.args, "begun": False}


@handles(KIND, label=_l("Scanning"), gives_up=_told)
def fetch(run: JobRun) -> dict[str, Any]:
    """Has the scanner scan and takes each page in as it comes, by the rights of whoever ordered it.

    Whatever ends it in the middle is told to a person: a sheet that has gone through and was not kept can be had again
    only by hand, and by itself the machine would go on with the next.
    """
    with run.uow() as uow:
        job = uow.session.get_one(Job, run.id)
        begun, scanner = bool(job.args.get("begun")), find(uow, run.args["scanner"])
        job.args = {**job.args, "begun": True}
    if begun:  # by a worker that was killed
        raise JobFailed(INTERRUPTED)
    try:
        return _scan(run, Scanner(scanner.address))
    except (JobFailed, Stopped, Lost):
        raise
    except ScannerTrouble as error:
        raise JobFailed(WORDS[error.trouble]) from error
    except ArchiveError as error:
        raise JobFailed(Lazy(f"{error} {INTERRUPTED}")) from error
    except Exception as error:
        queue.tell("scan.interrupted", job=run.id, **queue.described(error))
        raise JobFailed(INTERRUPTED) from error


def _scan(run: JobRun, line: Scanner) -> dict[str, Any]:
    feeder = run.args["source"] != "glass"
    if trouble := line.trouble(feeder=feeder):
        raise ScannerTrouble(trouble)
    settings = _settings(run, line.capabilities())
    job = line.begin(settings)
    came = 0

    def wanted() -> bool:
        return not run.leaving.is_set() and not run.cancelled()

    try:
        for kind, page in line.pages(job, wanted, feeder=settings.feeder):
            came += 1
            _take(run, page, f"{_('Scan')} {run.id}-{run.done + came:03}.{ENDINGS[kind]}")
            _count(run, run.done + came)
        _heed(run)
    except BaseException:
        line.cancel(job)
        raise
    if not came:
        raise ScannerTrouble(Trouble.EMPTY)
    return {"files": run.done + came}


def _heed(run: JobRun) -> None:
    """Why nobody wants further pages, if so."""
    if run.cancelled():
        raise Stopped
    if run.leaving.is_set():
        raise JobFailed(INTERRUPTED)


def _settings(run: JobRun, said: Capabilities) -> Settings:
    source = _sources(said).get(run.args["source"])
    if source is None:
        raise ScannerTrouble(Trouble.NOT_TAKEN)
    return Settings(
        source=source, feeder=run.args["source"] != "glass", duplex=run.args["source"] == "duplex",
        colour=run.args["colour"], dpi=run.args["dpi"], format=run.args["format"],
    )  # fmt: skip


def _take(run: JobRun, page: ByteSource, filename: str) -> None:
    staged = intake.stage(run.site, page)

    def keep(uow: UnitOfWork) -> None:
        intake.upload(uow, uow.node(run.node_id or 0, P.SCAN_UPLOAD), staged, filename=filename)

    try:
        for pause in PAUSES:
            with suppress(*PASSING):
                return run.site.run(run.owner(), keep, Origin(channel="worker"))
            run.leaving.wait(pause)
        run.site.run(run.owner(), keep, Origin(channel="worker"))
    except AlreadyHere:
        return None  # the same sheet to the last bit, as from a machine's test page: the record has it
    finally:
        intake.discard(run.site, staged)


def _count(run: JobRun, pages: int) -> None:
    """Each page counts: by this number the next ones are called, also after a jam."""
    run.site.run(run.actor, lambda uow: run.progress(pages, uow=uow), Origin(channel="worker"))
