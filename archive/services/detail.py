"""细部: a page in full detail: drawn once by a job, when somebody looks closer.

By their office people see it of every page; by a grant only of what is larger than A3, each square with their name burnt in.

What was drawn is no more than a cache: it goes with the picture of the page, and by itself after `KEPT`.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from archive import tickets
from archive.errors import Conflict, Forbidden, NotFound
from archive.i18n import _, _l
from archive.journal import Event
from archive.models import Blob, Job, Node, Page, PageCheck, Representation
from archive.policy.permissions import P
from archive.services import drawing, pages
from archive.services.handlers import LIVE, JobRun, handles
from archive.site import Site
from archive.uow import UnitOfWork, action
from storage import BlobMissing
from storage import detail as squares
from storage.limits import Refused
from storage.processing import Step

TRUSTED: Any = {"scope": "detail"}
KIND = "page.draw_detail"
FIRST = 1
"""The priority of what a person waits for."""
KEPT = timedelta(days=14)
"""Then it is drawn anew for whoever looks; shorter than the worker keeps the jobs that drew it."""


@dataclass(frozen=True)
class Detail:
    """细部: what is known of a page in full detail. Nothing is while it is not drawn; all 0 where there is no more to see."""

    width: int
    height: int
    limited: bool
    side: int = squares.SIDE
    ticket: str = ""


@dataclass(frozen=True)
class _Sheet:
    """A page with the file that it is of, and what its detail is called in the store."""

    id: int
    rotation: int
    record: str
    sha256: str
    number: int
    name: str
    steps: list[dict[str, Any]]


@action("page.detail_asked", needs=P.READ)
def ask(uow: UnitOfWork, node: Node, ordinal: int) -> None:
    """Has a page drawn in full detail, because somebody looks closer. Raises NotFound, and Forbidden for who may not.

    Nothing happens if it is drawn or asked for already.
    """
    uow.lock(node)  # of ten people who look at once, one has it drawn
    sheet = _of(uow, node, ordinal)
    uow.note(page=ordinal)
    if _known(uow.site, sheet) or _is_asked(uow, node, sheet):
        return
    job = uow.job(
        KIND, node=node, total=1, priority=FIRST, page=sheet.id, record=sheet.record, name=sheet.name
    )
    job.owner_id = None  # no notice when it is done


def of(uow: UnitOfWork, node: Node, ordinal: int, *, rotation: int) -> Detail | None:
    """What is known of a page, with a ticket for its squares; nothing while it is not drawn. One event where there is detail.

    Needs content.read, by office or of a large page. Raises NotFound, Forbidden, and Conflict when the page has been turned
    from `rotation`.
    """
    sheet = _turned_so(uow, node, ordinal, rotation)
    told = _known(uow.site, sheet)
    if told is None:
        return None
    if not told.width:
        return Detail(0, 0, told.limited)
    uow.read(_event(uow, node, ordinal))
    return Detail(told.width, told.height, told.limited, ticket=tickets.issue(uow, _purpose(node, ordinal)))


def square(
    uow: UnitOfWork, node: Node, ordinal: int, *, rotation: int, column: int, row: int, ticket: str | None = None
) -> bytes:  # fmt: skip
    """One square as JPEG, marked for whoever reads by a grant, under the same rule.

    Without the ticket of a page that was opened in detail, one event.
    """
    sheet = _turned_so(uow, node, ordinal, rotation)
    try:
        with uow.site.store.open_derivative(sheet.record, sheet.name) as file:
            found = squares.square(file, column, row)
    except (BlobMissing, ValueError) as error:
        raise NotFound from error
    if found is None:
        raise NotFound
    if not tickets.holds(uow, _purpose(node, ordinal), ticket):
        uow.read(_event(uow, node, ordinal))
    return pages.marked(uow, node, found)


def _purpose(node: Node, ordinal: int) -> str:
    return f"detail:{node.id}:{ordinal}"


def _event(uow: UnitOfWork, node: Node, ordinal: int) -> Event:
    return uow.event_about(node, Event("page.detail_viewed", words={"page": ordinal}))


def _turned_so(uow: UnitOfWork, node: Node, ordinal: int, rotation: int) -> _Sheet:
    sheet = _of(uow, node, ordinal)
    if sheet.rotation != rotation:
        raise Conflict(_("This page was turned meanwhile. Open it again."))
    return sheet


def _of(uow: UnitOfWork, node: Node, ordinal: int) -> _Sheet:
    page, blob = pages.located(uow, node, ordinal)
    if pages.is_marked(uow, node) and not drawing.is_over_a3(page):
        raise Forbidden(
            _("For a loan or an inspection, only what is larger than A3 is shown in full detail.")
        )
    return _sheet(page, blob)


def _sheet(page: Page, blob: Blob, check: PageCheck | None = None) -> _Sheet:
    name = drawing.detail_name(page.image, page.rotation)
    steps = check.steps if check else []
    return _Sheet(page.id, page.rotation, blob.record, blob.sha256, page.source_page, name, steps)


def _known(site: Site, sheet: _Sheet) -> squares.Detail | None:
    with suppress(BlobMissing, ValueError), site.store.open_derivative(sheet.record, sheet.name) as file:
        return squares.told(file)
    return None


def _is_asked(uow: UnitOfWork, node: Node, sheet: _Sheet) -> bool:
    waiting = select(Job.args).where(Job.kind == KIND, Job.node_id == node.id, Job.state.in_(LIVE))
    return any(args["name"] == sheet.name for args in uow.session.scalars(waiting))


# Drawing


@handles(KIND, label=_l("Drawing a page in full detail"))
def draw(run: JobRun) -> dict[str, Any]:
    """Draws one page as it is turned and treated now, unless somebody had it drawn meanwhile."""
    run.progress(0, 1)
    sheet = _standing(run)
    if sheet is not None and _known(run.site, sheet) is None:
        with suppress(BlobMissing):  # the record was destroyed meanwhile
            run.site.store.put_derivative(sheet.record, sheet.name, _drawn(run.site, sheet))
        if _standing(run) is None:  # or the page alone, after its pictures were taken away
            run.site.store.remove_derivatives(sheet.record, [sheet.name])
    return {}


def _standing(run: JobRun) -> _Sheet | None:
    asked = (
        select(Page, Blob, PageCheck)
        .join(Representation, Representation.id == Page.representation_id)
        .join(Blob, Blob.id == Representation.blob_id)
        .outerjoin(PageCheck, PageCheck.page_id == Page.id)
        .where(Page.id == run.args["page"], Page.node_id.is_not(None))
    )
    with run.site.session(readonly=True) as session:
        found = session.execute(asked, execution_options=TRUSTED).first()
        return None if found is None else _sheet(*found)


def _drawn(site: Site, sheet: _Sheet) -> bytes:
    """What cannot be drawn so finely says so."""
    with (
        site.store.materialise(sheet.record, sheet.sha256) as master,
        drawing.working_folder(site) as folder,
        drawing.working_folder(site) as place,
    ):
        try:
            return _cut(site, master, sheet, place)
        except Refused as refused:  # then its picture was drawn from a copy, if at all
            with suppress(Refused):
                return _cut(site, drawing.mended(master, folder, refused).path, sheet, place)
    return squares.packed(squares.NOTHING)


def _cut(site: Site, path: Path, sheet: _Sheet, place: Path) -> bytes:
    steps = tuple(map(Step.of, sheet.steps))
    fonts = (site.static / drawing.FONT).parent
    return squares.cut(path, sheet.number, place, steps=steps, rotation=sheet.rotation, fonts=fonts)


# Letting go


def forget(uow: UnitOfWork, page: int) -> None:
    """Takes away what was drawn of a page that nobody is shown any more, as it may be turned."""
    statement = (
        select(Page.image, Blob.record)
        .join(Representation, Representation.id == Page.representation_id)
        .join(Blob, Blob.id == Representation.blob_id)
        .where(Page.id == page)
    )
    for image, record in uow.session.execute(statement, execution_options=TRUSTED):
        uow.site.store.remove_derivatives(record, drawing.detail_names(image))


def clean_up(site: Site) -> None:
    """Takes away what was drawn long ago, and the jobs that drew it, by which it is found whatever became of the page."""
    over = Job.state.in_(("done", "cancelled")), Job.done_at < site.clock() - KEPT
    with site.session() as session:
        for job in session.scalars(select(Job).where(Job.kind == KIND, *over)):
            site.store.remove_derivatives(job.args["record"], [job.args["name"]])
            session.delete(job)
