"""制作: the copy as a PDF of stamped pages, a list of contents on top. What stands on the paper is never changed later.

The text of the pages is left out: a certified copy shows what the paper shows, and no machine's reading of it. That of the
stamp is there, so that the code can be copied.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import select

from archive.actor import Actor
from archive.errors import Forbidden
from archive.i18n import _, _l, speaking
from archive.journal import Event
from archive.models import Blob, CopyItem, CopyRequest, Job, Node, Page, Patient, Representation
from archive.policy.permissions import P
from archive.services import actors, drawing, intake, pages, policies, printing
from archive.services.copying import applications, handing, slips, trail, verifying, withholding
from archive.services.handlers import JobFailed, JobRun, handles
from archive.site import Site
from archive.uow import PROGRAM, UnitOfWork, action
from storage import Staged
from storage.searchable import Sheet, searchable_pdf
from storage.stamps import Stamp, listed, stamped

TRUSTED: Any = {"scope": "copying making"}
PDF = "application/pdf"
"""Of a finished copy; what else lies in the folder of a slip are pictures of papers, which stay."""
GONE = _l("Nobody may copy these records any more, or the slip has been gone on with.")
TOO_MANY = _l("The copy has more pages than the hospital's rule allows. Split it into several slips.")
NOTHING = _l(
    "There is nothing to copy: the pages have been taken out or moved. Refuse the slip and take it down anew."
)

MOVED = _l(
    "Pages that were asked for have been taken out or moved since. Refuse the slip and take it down anew."
)


@dataclass(frozen=True)
class Plan:
    """What is copied: the pages of each item in their order, and what stands on the cover."""

    copy: int
    number: str
    title: str
    pages: dict[int, list[int]]
    facts: list[tuple[str, str]]
    rows: list[tuple[str, ...]]
    sheets: int
    address: str

    @property
    def total(self) -> int:
        return sum(len(one) for one in self.pages.values())


def _give_up(uow: UnitOfWork, job: Job) -> None:
    copy = uow.session.get(CopyRequest, job.args["copy"], execution_options=TRUSTED)
    if copy is not None and copy.state == "making":
        _back(uow, copy)


@action("copy.not_made", needs=PROGRAM)
def _back(uow: UnitOfWork, copy: CopyRequest) -> None:
    """The job has failed or was stopped: the slip waits to be made again."""
    uow.note(state=[copy.state, "accepted"])
    copy.state = "accepted"


@handles(handing.KIND, label=_l("Making a copy"), gives_up=_give_up)
def make(run: JobRun) -> dict[str, Any]:
    """Draws and stamps every page with the rights of that moment, and keeps the file under its hash."""
    owner, site = run.owner(), run.site
    with speaking("zh_CN"):  # it goes to a patient of this hospital, whatever the clerk's screen speaks
        with site.uow(owner, readonly=True) as uow:
            plan = _planned(uow, run.args["copy"])
        code = verifying.code()
        covers = list(listed(plan.title, plan.facts, plan.rows, site.static / drawing.FONT))
        staged = intake.stage(site, _Stream(_file(site, owner, plan, code, covers, run.progress)))
    try:
        site.run(run.actor, partial(_keep, plan=plan, code=code, staged=staged, covers=len(covers)))
    finally:
        intake.discard(site, staged)
    return {"pages": plan.total}


def _planned(uow: UnitOfWork, number: int) -> Plan:
    copy = uow.session.get_one(CopyRequest, number, execution_options=TRUSTED)
    nodes = slips.nodes_of(uow, copy)
    if copy.state != "making" or not all(uow.can(P.REQUEST_COPY, node) for node in nodes):
        raise JobFailed(GONE)
    if copy.kind == applications.TRAIL:
        return _trail(uow, copy, nodes)
    limits = policies.of_version(uow, "copying", copy.rules)["limits"]
    chosen, have = slips.items(uow, copy), handing.copied_before(uow, copy)
    standing = {item.id: slips.pages_of(uow, item.node_id) for item in chosen if item.source == "scan"}
    if any(set(item.pages or ()).difference(standing[item.id]) for item in chosen if item.id in standing):
        raise JobFailed(MOVED)
    found = {item: [page for page in pages if page not in have] for item, pages in standing.items()}
    sheets = sum(item.sheets or 0 for item in chosen)
    total = sum(len(one) for one in found.values())
    if total > limits["most_pages"]:
        raise JobFailed(TOO_MANY)
    if not total and not sheets:
        raise JobFailed(NOTHING)
    facts = [(_("Pages of scans"), str(total)), (_("Sheets of paper"), str(sheets))]
    return Plan(
        copy.id, copy.number, _("List of copied pages"), found, [*_facts(uow, copy), *facts],
        list(_rows(slips.lines(uow, copy), chosen, found)), sheets, _address(uow),
    )  # fmt: skip


def _trail(uow: UnitOfWork, copy: CopyRequest, nodes: list[Node]) -> Plan:
    """谁看过我的病历: no page of the record, but what the journals know of it. That it was drawn stands there, too."""
    told = Event("copy.trail_drawn", object_kind="copy_request", object_id=copy.id, object_ref=copy.number,
                 patient_hash=uow.site.keys.identity_hash(copy.mrn))  # fmt: skip
    uow.site.record_read(told, uow.actor, uow.origin)
    head = (_("Day"), _("What happened"), _("By which office"), _("Times"))
    facts = [*_facts(uow, copy), *((_("Record"), line.stay) for line in slips.lines(uow, copy))]
    rows: list[tuple[str, ...]] = [head, *trail.rows(uow, copy, nodes)]
    return Plan(copy.id, copy.number, _("Who has seen my record"), {}, facts, rows, 0, _address(uow))


def _address(uow: UnitOfWork) -> str:
    return str(policies.in_force(uow, "copying").body["public"]["address"])


def _facts(uow: UnitOfWork, copy: CopyRequest) -> list[tuple[str, str]]:
    name = uow.session.scalar(
        select(Patient.name).where(Patient.id == copy.patient_id), execution_options=TRUSTED
    )
    slip = slips.shown(uow, copy)
    return [
        (_("Copying slip"), copy.number), (_("Record number"), f"{copy.mrn}  {name}"),
        (_("Applicant"), f"{slip.applicant}  {copy.applicant_name}"), (_("Purpose"), slip.purpose),
        (_("Date"), str(uow.today)),
        *((_("Withheld by a doctor’s decision"), label) for label in withholding.labels(copy)),
    ]  # fmt: skip


def _rows(
    lines: list[slips.Line], chosen: list[CopyItem], found: dict[int, list[int]]
) -> Iterator[tuple[str, str, str]]:
    first = 1
    for line, item in zip(lines, chosen, strict=True):
        if item.source == "scan":
            many = len(found[item.id])
            if many:
                yield line.stay, line.label, f"{first}–{first + many - 1}" if many > 1 else str(first)
            first += many
        else:
            said = _("%(num)s sheets", num=item.sheets) if item.source == "paper" else _("to follow")
            yield line.stay, line.label, said


def _file(
    site: Site, owner: Actor, plan: Plan, code: str, covers: list[bytes], progress: Callable[[int, int], None]
) -> Iterator[bytes]:
    font = site.static / drawing.FONT
    target = (
        f"{plan.address.rstrip('/')}/{verifying.spoken(code)}" if plan.address else verifying.spoken(code)
    )
    stamp = partial(Stamp, squares=printing.squares(target), font=font)
    said = _("Copy: conforms with the original") if plan.total else plan.title
    title = f"{said}  {site.hospital_name}"
    ends = _("%(number)s · code %(code)s", number=plan.number, code=verifying.spoken(code))

    def sheets() -> Iterator[Sheet]:
        for cover in covers:
            first = stamped(cover, stamp(title, ends))
            yield Sheet(first.jpeg, 150, first.lines)
        for place, (picture, dpi) in enumerate(_pictures(site, owner, plan), start=1):
            line = _("%(number)s · page %(page)d of %(pages)d · code %(code)s", number=plan.number, page=place,
                     pages=plan.total, code=verifying.spoken(code))  # fmt: skip
            page = stamped(picture, stamp(title, line))
            yield Sheet(page.jpeg, dpi, page.lines)
            progress(place, plan.total)

    return searchable_pdf(sheets(), title=plan.number, subject=said)


def _pictures(site: Site, owner: Actor, plan: Plan) -> Iterator[tuple[bytes, int | None]]:
    """Each page as it is shown, when its turn comes, with the rights of that moment. Raises Forbidden where they have ended."""
    with_item = [(item, page) for item, found in plan.pages.items() for page in found]
    for item, number in with_item:
        with site.session(readonly=True) as session:
            uow = site.work(session, actors.renewed(session, owner, site.clock()))
            page, blob = _page(uow, item, number)
        yield pages.picture(site, page, blob, page.image), page.dpi


def _page(uow: UnitOfWork, item: int, number: int) -> tuple[Page, Blob]:
    found = uow.session.execute(
        select(Page, Blob, CopyItem.node_id)
        .join(Representation, Representation.id == Page.representation_id)
        .join(Blob, Blob.id == Representation.blob_id)
        .join(CopyItem, CopyItem.node_id == Page.node_id)
        .where(Page.id == number, CopyItem.id == item),
        execution_options=TRUSTED,
    ).first()
    if found is None or not uow.can(P.REQUEST_COPY, _node(uow, found[2])):
        raise Forbidden
    return found[0], found[1]


def _node(uow: UnitOfWork, number: int) -> Any:
    return uow.node(number, P.REQUEST_COPY)


def _keep(uow: UnitOfWork, plan: Plan, code: str, staged: Staged, covers: int) -> None:
    copy = uow.session.get_one(
        CopyRequest, plan.copy, with_for_update=True, populate_existing=True, execution_options=TRUSTED
    )
    if copy.state != "making":
        raise JobFailed(GONE)
    _finish(uow, copy, plan, code, staged, covers)


@action("copy.made", needs=PROGRAM)
def _finish(uow: UnitOfWork, copy: CopyRequest, plan: Plan, code: str, staged: Staged, covers: int) -> None:
    blob = intake.keep(uow, copy.uuid, staged, f"{plan.number}.pdf")
    blob.mime = PDF
    for item in slips.items(uow, copy):
        if item.source == "scan":
            item.pages = plan.pages[item.id]
    _replace(uow, copy, blob.sha256)
    copy.state, copy.made_at, copy.digest, copy.code_hash = (
        "made",
        uow.now,
        blob.sha256,
        verifying.hashed(code),
    )
    copied = plan.total + plan.sheets
    copy.pages = copied or covers  # of who has seen a record there is the list alone, and it costs nothing
    copy.fee_fen = copied * policies.of_version(uow, "copying", copy.rules)["limits"]["fee_fen"]
    uow.note(digest=blob.sha256, pages=plan.total, sheets=plan.sheets, fee_fen=copy.fee_fen)


def _replace(uow: UnitOfWork, copy: CopyRequest, digest: str) -> None:
    """A copy that was made before on the same slip goes when backups no longer need it."""
    after = timedelta(days=int(policies.in_force(uow, "trash").body["limits"]["bytes_days"]))
    before = select(Blob).where(Blob.record == str(copy.uuid), Blob.sha256 != digest, Blob.mime == PDF)
    for blob in uow.session.scalars(before, execution_options=TRUSTED):
        blob.leaves_at = uow.now + after


class _Stream:
    """The pieces of a file as something that is read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def read(self, size: int, /) -> bytes:
        while len(self._rest) < size and (piece := next(self._pieces, b"")):
            self._rest += piece
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken
