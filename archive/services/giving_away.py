"""移入另一案卷: pages that were scanned into the wrong record go to the right one, with bytes of their own.

The bytes of a page lie in the folder of its record, so what goes over is taken out of its file, without loss, as a new
master there; here the page is kept among those taken out. Both in one transaction, file by file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import select

from archive.errors import ArchiveError, Conflict
from archive.i18n import Lazy, _, _l
from archive.journal import Origin
from archive.models import Blob, Job, Node, Page, Representation
from archive.policy.permissions import P
from archive.services import drawing, intake, masters, page_map, pinpoint
from archive.services.handlers import JobFailed, JobRun, handles
from archive.services.page_layout import Layout
from archive.uow import UnitOfWork, action
from storage import BlobMissing, Staged
from storage.extraction import extract
from storage.limits import Refused

TRUSTED: Any = {"scope": "giving_away"}


@dataclass(frozen=True)
class _Part:
    """Pages that follow one another and come from one file."""

    blob: Blob
    pages: list[int]
    numbers: list[int]


def target(uow: UnitOfWork, number: str) -> Node:
    """The record of a 病案号-次, archival number or barcode. Raises Conflict if there is none or several."""
    found = {intake.file_of(uow, node).id for node in pinpoint.by_number(uow, number)}
    if len(found) != 1:
        raise Conflict(_("Give the number of one record: 00218647-1, an archival number or a barcode."))
    return uow.node(found.pop())


@action("page.giving_ordered", needs=P.SCAN_REPLACE)
def order(uow: UnitOfWork, home: Node, *, pages: Sequence[int], to: Node, version: int) -> Job:
    """Writes the job that gives pages to another record. Needs scan.replace and scan.upload there."""
    if to.id == home.id:
        raise Conflict(_("The pages are in this record already."))
    for needed in (P.SCAN_REPLACE, P.SCAN_UPLOAD):
        uow.require(needed, to)
    intake.check_place(to)
    layout = Layout.of(page_map.entries(uow, home))
    if version != page_map.version(uow, home) or not all(layout.place_of(page) for page in pages):
        raise page_map.Moved
    if not pages:
        raise Conflict(_("Choose pages first."))
    uow.note(pages=list(pages), to=to.id)
    return uow.job("page.give", node=home, total=len(pages), pages=list(dict.fromkeys(pages)), to=to.id)


@handles("page.give", label=_l("Giving pages to another record"))
def give(run: JobRun) -> dict[str, Any]:
    """Gives the pages that still stand in the record, as the person who asked for it, with their rights of now."""
    done = run.done
    try:
        for part in _parts(run):
            _give(run, part)
            run.progress(done := done + len(part.pages))
            run.give_way()
    except Refused as refused:
        raise JobFailed(Lazy(refused.sentence)) from refused
    except ArchiveError as refused:
        raise JobFailed(Lazy(str(refused))) from refused
    except BlobMissing as missing:
        run.site.store.healthy()
        raise JobFailed(masters.GONE) from missing
    return {"pages": done}


def _parts(run: JobRun) -> Iterator[_Part]:
    wanted = run.args["pages"]
    with run.site.session(readonly=True) as session:
        rows = session.execute(
            select(Page.id, Page.source_page, Blob)
            .join(Representation, Representation.id == Page.representation_id)
            .join(Blob, Blob.id == Representation.blob_id)
            .where(Page.id.in_(wanted), Page.node_id.is_not(None)),
            execution_options=TRUSTED,
        ).all()
    found = {page: (number, blob) for page, number, blob in rows}
    standing = [page for page in wanted if page in found]
    for _blob, pages in groupby(standing, key=lambda page: found[page][1].id):
        together = list(pages)
        yield _Part(found[together[0]][1], together, [found[page][0] for page in together])


def _give(run: JobRun, part: _Part) -> None:
    with drawing.working_folder(run.site) as folder:
        with run.site.store.materialise(part.blob.record, part.blob.sha256) as master:
            (made,) = extract(drawing.opened(master, folder).path, [part.numbers], folder)
        staged = _staged(run, made.file)
        try:
            with run.site.uow(run.owner(), origin=Origin(channel="worker")) as uow:
                home, to = (
                    uow.node(run.node_id or 0, P.SCAN_REPLACE),
                    uow.node(run.args["to"], P.SCAN_REPLACE),
                )
                _take_in(uow, to, staged, filename=part.blob.filename, source=home)
                _let_go(uow, home, pages=part.pages, to=to)
        finally:
            intake.discard(run.site, staged)


def _staged(run: JobRun, file: Path) -> Staged:
    with file.open("rb") as stream:
        return intake.stage(run.site, stream)


@action("page.taken_over", needs=P.SCAN_UPLOAD)
def _take_in(uow: UnitOfWork, to: Node, staged: Staged, *, filename: str, source: Node) -> None:
    try:
        made, _job = intake.upload(uow, to, staged, filename=filename)
        uow.note(representation=made.id)
    except intake.AlreadyHere:
        uow.note(known=True)  # an earlier turn, or a person, has brought these very pages
    uow.note(source=source.id)


@action("page.given_away", needs=P.SCAN_REPLACE)
def _let_go(uow: UnitOfWork, home: Node, *, pages: list[int], to: Node) -> None:
    with page_map.changing(uow, home, version=None, act="taken_over") as layout:
        layout.set_aside([page for page in pages if layout.place_of(page)])
    uow.note(pages=pages, to=to.id)
