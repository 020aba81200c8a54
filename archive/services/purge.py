"""清理回收站: drafts whose days are over go for good, each in a transaction of its own; their bytes follow later.

Bytes stay for as long as backups are kept (`bytes_days`): a backup of the database that still names them must find them.
Until then they have a row that says when they go. Whatever is killed is done by the next run.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, or_, select, update

from archive.actor import Actor
from archive.i18n import _l
from archive.models import (
    AccessGrant,
    BasketItem,
    BatchFile,
    Blob,
    DualMismatch,
    HoldPage,
    ImportRow,
    Job,
    Keying,
    LocalRole,
    Milestone,
    Node,
    NodeAlias,
    NodeDraft,
    NodeVersion,
    Notice,
    Page,
    PageCheck,
    PageMap,
    PageText,
    Record,
    Representation,
)
from archive.services import drawing, frozen, page_keeping, pages, policies, trash
from archive.services.handlers import LIVE, JobRun, handles
from archive.services.imports.removal import referenced
from archive.services.intake import file_of
from archive.site import Site
from archive.uow import PROGRAM, UnitOfWork, action

TRUSTED: Any = {"scope": "purge", "synchronize_session": False}
KIND = "trash.empty"
OF_A_DRAFT: tuple[Any, ...] = (
    BasketItem, NodeDraft, Notice, Milestone, Record, NodeVersion, LocalRole, AccessGrant, PageMap,
    Keying, DualMismatch,
)  # fmt: skip
"""What hangs on a draft and goes with it. Patient and stay are the hospital's, and remain."""
LET_GO: tuple[Any, ...] = (*OF_A_DRAFT, Node, NodeAlias, Representation, Page, Job)


def order(site: Site) -> None:
    """Once a day: writes the job if anything is due and none is waiting."""
    with site.session(readonly=True) as session:
        live = select(Job.id).where(Job.kind == KIND, Job.state.in_(LIVE)).limit(1)
        if session.scalar(live) is not None:
            return
    actor = Actor.system(KIND)
    with site.uow(actor, readonly=True) as uow:
        if next(_due(uow), None) is None and next(_leaving(uow), None) is None:
            return
    with site.uow(actor) as uow:
        uow.job(KIND, priority=8)


def _due(uow: UnitOfWork, after: int = 0) -> Iterator[int]:
    over = (Node.trashed_at.is_not(None), Node.trashed_at <= trash.deadline(uow), Node.id > after)
    found = select(Node.id).where(*over).order_by(Node.id).limit(1_000)
    yield from uow.session.scalars(found, execution_options=TRUSTED)


def _leaving(uow: UnitOfWork, after: int = 0) -> Iterator[int]:
    found = select(Blob.id).where(Blob.leaves_at <= uow.now, Blob.id > after).order_by(Blob.id).limit(1_000)
    yield from uow.session.scalars(found, execution_options=TRUSTED)


@handles(KIND, label=_l("Emptying the trash"))
def empty(run: JobRun) -> dict[str, Any]:
    """Removes what is due, one by one; what has to stay is counted, and looked at again tomorrow."""
    counts = {"records": 0, "files": 0, "kept": 0}
    for number in _each(run, _due):
        gone = run.site.run(run.actor, partial(purge, number=number))
        counts["records" if gone else "kept"] += 1
        run.progress(sum(counts.values()))
        run.give_way()
    for number in _each(run, _leaving):
        gone = run.site.run(run.actor, partial(remove_bytes, number=number))
        counts["files"] += int(gone)
        run.progress(sum(counts.values()))
        run.give_way()
    return counts


def _each(run: JobRun, due: Any) -> Iterator[int]:
    """The ids, some at a time: no transaction is open while one of them is worked on."""
    last = 0
    while True:
        with run.site.uow(run.actor, readonly=True) as uow:
            numbers = list(due(uow, last))
        if not numbers:
            return
        yield from numbers
        last = numbers[-1]


def purge(uow: UnitOfWork, number: int) -> bool:
    """Deletes a draft of the trash if it is still due and nothing holds it; gives whether it is gone."""
    mine = select(Node).where(Node.id == number).with_for_update().execution_options(populate_existing=True)
    node = uow.session.scalar(mine, execution_options=TRUSTED)
    if node is None or node.trashed_at is None or node.trashed_at > trash.deadline(uow):
        return False
    numbers = list(uow.session.scalars(select(Node.id).where(*_branch(node)), execution_options=TRUSTED))
    # Also whatever table points to it that this version knows nothing of.
    if trash.kept_for(uow, [node]) or frozen.below(uow, node) or referenced(uow, Node, numbers, but=LET_GO):
        return False
    _delete(uow, node, numbers)
    return True


def _branch(node: Node) -> tuple[Any, Any]:
    return Node.path >= node.path, Node.path < node.path_end


@action("node.purged", needs=PROGRAM)
def _delete(uow: UnitOfWork, node: Node, numbers: list[int]) -> None:
    """The rows of a branch, in the order of their keys; a file that loses an item says so beside its bytes."""
    home = file_of(uow, node)
    kept = _let_bytes_go(uow, numbers)
    uow.note(nodes=len(numbers), files=kept, trashed_at=node.trashed_at)
    for model in OF_A_DRAFT:
        _drop(uow, model, model.node_id.in_(numbers))
    _drop(uow, NodeAlias, or_(NodeAlias.node_id.in_(numbers), NodeAlias.parent_id.in_(numbers)))
    _drop(uow, ImportRow, ImportRow.kind == "node", ImportRow.target_id.in_(numbers))
    uow.session.execute(
        update(Job).where(Job.node_id.in_(numbers)).values(node_id=None), execution_options=TRUSTED
    )
    uow.enqueue_ids("index", numbers)
    _drop(uow, Node, Node.id.in_(numbers))
    if home.id != node.id:
        uow.enqueue("index", home)
        if kept:
            uow.enqueue("sidecar", home)


def _drop(uow: UnitOfWork, model: Any, *where: Any) -> None:
    uow.session.execute(delete(model).where(*where), execution_options=TRUSTED)


def _let_bytes_go(uow: UnitOfWork, numbers: list[int]) -> int:
    """Pages, texts and pictures go now: pictures can be drawn again. Gives how many files will go later."""
    page_keeping.leave(uow, numbers)
    mine = Representation.node_id.in_(numbers)
    files = uow.session.execute(
        select(Blob.id, Blob.record).join(Representation, Representation.blob_id == Blob.id).where(mine),
        execution_options=TRUSTED,
    ).all()
    _remove_pictures(uow, numbers)
    theirs = select(Page.id).where(page_keeping.pages_of(numbers))
    for beside in (PageText, PageCheck, HoldPage):  # of seals that are off: the lists themselves stay
        _drop(uow, beside, beside.page_id.in_(theirs))
    pages.forget_in_batches(uow, theirs)
    _drop(uow, Page, page_keeping.pages_of(numbers))
    _drop(uow, Representation, mine)
    named = exists().where(Representation.blob_id == Blob.id)
    after = timedelta(days=int(policies.in_force(uow, "trash").body["limits"]["bytes_days"]))
    going = update(Blob).where(Blob.id.in_([number for number, _record in files]), ~named)
    uow.session.execute(going.values(leaves_at=uow.now + after), execution_options=TRUSTED)
    return len(files)


def _remove_pictures(uow: UnitOfWork, numbers: list[int]) -> None:
    rows = uow.session.execute(
        select(Blob.record, Page.image, Page.thumbnail)
        .join(Representation, Representation.id == Page.representation_id)
        .join(Blob, Blob.id == Representation.blob_id)
        .where(page_keeping.pages_of(numbers)),
        execution_options=TRUSTED,
    )
    for record, *names in rows:
        made = [one for name in names for one in drawing.all_names(name)]
        uow.site.store.remove_derivatives(record, made)


def remove_bytes(uow: UnitOfWork, number: int) -> bool:
    """Removes the bytes of a file that nothing names any more, if their time has come; gives whether they are gone.

    The row is locked, so that nobody takes the same file in again meanwhile; it goes only with the bytes.
    """
    mine = select(Blob).where(Blob.id == number, Blob.leaves_at <= uow.now).with_for_update()
    blob = uow.session.scalar(mine, execution_options=TRUSTED)
    if blob is None:
        return False
    used = (
        select(Representation.id).where(Representation.blob_id == blob.id).limit(1),
        select(BatchFile.id).where(BatchFile.blob_id == blob.id).limit(1),
    )
    if any(uow.session.scalar(one, execution_options=TRUSTED) is not None for one in used):
        blob.leaves_at = None
        return False
    record, sha256 = blob.record, blob.sha256
    _drop(uow, Blob, Blob.id == number)
    uow.site.store.remove(record, sha256)
    if not _is_needed(uow, record):
        uow.site.store.remove_record(record)
    return True


def _is_needed(uow: UnitOfWork, record: str) -> bool:
    """Whether a record is still described, or other bytes of it are kept."""
    described = select(Node.id).where(Node.uuid == UUID(record)).limit(1)
    others = select(Blob.id).where(Blob.record == record).limit(1)
    return any(
        uow.session.scalar(asked, execution_options=TRUSTED) is not None for asked in (described, others)
    )


def is_leaving(uow: UnitOfWork, record: object, sha256: str) -> bool:
    """Whether the bytes of a deleted draft are on their way out: that they are missing is no fault of the store."""
    leaving = select(Blob.id).where(
        Blob.record == str(record), Blob.sha256 == sha256, Blob.leaves_at.is_not(None)
    )
    return uow.session.scalar(leaving, execution_options=TRUSTED) is not None
