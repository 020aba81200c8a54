"""移入另一案卷: pages that were scanned into the wrong record go to the right one, with bytes of their own.

The bytes of a page lie in the folder of its record, so what goes over is taken out of its file, without loss, as a new
master there; here the page is kept among those taken out. Both in one transaction, file by file, of pages that stand here
at that moment: a page never stands in two records, nor in none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from archive.errors import ArchiveError, Conflict, NotFound
from archive.i18n import Lazy, _, _l
from archive.journal import Origin
from archive.models import Blob, Job, Node, Page, Representation
from archive.policy.permissions import P
from archive.services import drawing, frozen, intake, masters, page_map, pages, pinpoint, reconciliation
from archive.services.handlers import GaveWay, JobFailed, JobRun, handles
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
    if version != page_map.version(uow, home) or not layout.shown().issuperset(pages):
        raise page_map.Moved
    if not pages:
        raise Conflict(_("Choose pages first."))
    frozen.keep(uow, pages)
    uow.note(pages=list(pages), to=to.id)
    return uow.job("page.give", node=home, total=len(pages), pages=list(dict.fromkeys(pages)), to=to.id)


@handles("page.give", label=_l("Giving pages to another record"))
def give(run: JobRun) -> dict[str, Any]:
    """Gives the pages that still stand in the record, as the person who asked for it, with their rights of now."""
    done = run.done
    try:
        while part := _next(run):
            if _give(run, part, done + len(part.pages)):
                done += len(part.pages)
            run.give_way()
    except Refused as refused:
        raise JobFailed(Lazy(refused.sentence)) from refused
    except ArchiveError as refused:
        raise JobFailed(Lazy(str(refused))) from refused
    except BlobMissing as missing:
        run.site.store.healthy()
        raise JobFailed(masters.GONE) from missing
    return {"pages": done}


def _next(run: JobRun) -> _Part | None:
    """The first of the pages that stand in the record still, as far as they come from one file."""
    with run.site.session(readonly=True) as session:
        home = session.get(Node, run.node_id, execution_options=TRUSTED)
        if home is None:
            raise NotFound
        rows = session.execute(
            select(Page.id, Page.source_page, Blob)
            .join(Representation, Representation.id == Page.representation_id)
            .join(Blob, Blob.id == Representation.blob_id)
            .join(Node, Node.id == Page.node_id)
            .where(Page.id.in_(run.args["pages"]), Node.path >= home.path, Node.path < home.path_end),
            execution_options=TRUSTED,
        ).all()
    found = {page: (number, blob) for page, number, blob in rows}
    standing = [page for page in run.args["pages"] if page in found]
    for _blob, same in groupby(standing, key=lambda page: found[page][1].id):
        together = list(same)
        return _Part(found[together[0]][1], together, [found[page][0] for page in together])
    return None


def _give(run: JobRun, part: _Part, done: int) -> bool:
    """Gives the pages of one file; nothing, where one of them does not stand here any more."""
    with drawing.working_folder(run.site) as folder:
        with run.site.store.materialise(part.blob.record, part.blob.sha256) as master:
            (made,) = extract(drawing.opened(master, folder).path, [part.numbers], folder)
        staged = _staged(run, made.file)

        def hand_over(uow: UnitOfWork) -> bool:
            is_given = _hand_over(uow, run.node_id or 0, run.args["to"], part, staged)
            if is_given:
                run.progress(done, uow=uow)
            return is_given

        try:
            return run.site.run(run.owner(), hand_over, Origin(channel="worker"))
        finally:
            intake.discard(run.site, staged)


def _hand_over(uow: UnitOfWork, source: int, target: int, part: _Part, staged: Staged) -> bool:
    home, to = (uow.node(number, P.SCAN_REPLACE) for number in (source, target))
    for node in sorted((home, to), key=lambda node: node.id):  # two records that give to each other
        uow.lock(node)
    if not Layout.of(page_map.entries(uow, home)).shown().issuperset(part.pages):
        return False
    _let_go(uow, home, pages=part.pages, to=to)
    _take_in(uow, to, staged, filename=part.blob.filename, source=home, pages=part.pages)
    return True


def _staged(run: JobRun, file: Path) -> Staged:
    with file.open("rb") as stream:
        return intake.stage(run.site, stream)


@action("page.given_away", needs=P.SCAN_REPLACE)
def _let_go(uow: UnitOfWork, home: Node, *, pages: list[int], to: Node) -> None:
    with page_map.changing(uow, home, version=None, act=page_map.GIVEN) as layout:
        layout.set_aside(pages)
    uow.note(pages=pages, to=to.id)


@action("page.taken_over", needs=P.SCAN_UPLOAD)
def _take_in(
    uow: UnitOfWork, to: Node, staged: Staged, *, filename: str, source: Node, pages: list[int]
) -> None:
    uow.note(source=source.id)
    try:
        made, job = intake.upload(uow, to, staged, filename=filename)
    except intake.AlreadyHere:  # an earlier giving, or a person, has brought these very pages
        _show_again(uow, to, staged.sha256, pages)
    else:
        job.args = job.args | {"given": pages}
        uow.note(representation=made.id)


def _show_again(uow: UnitOfWork, to: Node, sha256: str, given: list[int]) -> None:
    """Has pages stand that a record has already: they may have been taken out there, or gone from there to elsewhere.

    Raises Conflict where not all of them can, GaveWay while they are being made.
    """
    same = Representation.node_id == to.id, Blob.sha256 == sha256, Representation.state != "withdrawn"
    file = uow.session.scalars(
        select(Representation).join(Blob, Blob.id == Representation.blob_id).where(*same),
        execution_options=TRUSTED,
    ).first()
    if file is None or file.state == "pending":
        raise GaveWay(1)
    made = _of(uow, file)
    with page_map.changing(uow, to, version=None, act="restored") as layout:
        if len(made) != len(given) or not set(made) <= layout.shown() | set(layout.aside):
            raise Conflict(
                _(
                    "That record has these very pages already, in a file of which not all can be shown. Look there."
                )
            )
        layout.restore([page for page in made if page in layout.aside])
    follow(uow, file, given)
    uow.note(known=True, pages=made)


def follow(uow: UnitOfWork, representation: Representation, given: list[int]) -> None:
    """Part of an act: the pages of a file stand for those that were given, also in the scan batch that these came from, and
    pictures of one sheet stay such where the one before them came along.
    """
    become = dict(zip(given, _of(uow, representation), strict=False))
    pages.follow_in_batches(uow, become)
    if lifted := [become[page] for page in _lifted(uow, given) if page in become]:
        uow.session.execute(
            update(Page).where(Page.id.in_(lifted)).values(lifted=True), execution_options=TRUSTED
        )
        node = uow.session.get_one(Node, representation.node_id, execution_options=TRUSTED)
        reconciliation.follow(uow, intake.file_of(uow, node))


def _lifted(uow: UnitOfWork, given: list[int]) -> list[int]:
    """Of pages that went those that are further pictures of a sheet and went behind the one before them."""
    places = select(Page.id, Page.aside_of_id, Page.ordinal, Page.lifted).where(Page.id.in_(given))
    stood = {row.id: row for row in uow.session.execute(places, execution_options=TRUSTED)}
    both = [(stood[one], stood[two]) for one, two in pairwise(given) if one in stood and two in stood]
    return [
        page.id
        for before, page in both
        if page.lifted and (before.aside_of_id, before.ordinal) == (page.aside_of_id, page.ordinal - 1)
    ]


def _of(uow: UnitOfWork, file: Representation) -> list[int]:
    mine = select(Page.id).where(Page.representation_id == file.id).order_by(Page.source_page)
    return list(uow.session.scalars(mine, execution_options=TRUSTED))
