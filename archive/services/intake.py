"""Taking in files: an acknowledged file is never lost, and each belongs to one record (architecture §4)."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from archive import errors
from archive.errors import Conflict, Invalid
from archive.i18n import _, _l
from archive.models import Blob, Job, Node, Representation
from archive.policy.permissions import P
from archive.policy.types import INHERITING, TYPES
from archive.schema import clean
from archive.services import pages, reconciliation, records, viruses
from archive.services.handlers import LIVE
from archive.site import Site
from archive.uow import UnitOfWork, action
from storage import Staged, StagedGone, StoreFull, TooLarge
from storage.blobs import ByteSource

TRUSTED: Any = {"scope": "intake"}
UNKNOWN = "application/octet-stream"
"""Until the file has been looked at in a child process: a name proves nothing."""
STATES = {
    "pending": (_l("Making pages"), "run"),
    "ready": (_l("Ready"), "ok"),
    "failed": (_l("Failed"), "bad"),
    "withdrawn": (_l("Withdrawn"), "gone"),
}


class AlreadyHere(Conflict):
    """The record has this very file."""

    def sentence(self) -> str:
        return _("This very file is here already. Nothing was added.")


def stage(site: Site, stream: ByteSource) -> Staged:
    """Reads a file to its end, durably, before any transaction begins. Raises TooLarge or Full, and keeps nothing."""
    try:
        return site.store.stage(stream, site.settings.upload_limit)
    except TooLarge as error:
        raise errors.TooLarge from error
    except StoreFull as error:
        raise errors.Full from error


def discard(site: Site, staged: Staged) -> None:
    """Forgets a staged file, whether it was taken in or refused."""
    site.store.discard(staged)


def file_of(uow: UnitOfWork, node: Node) -> Node:
    """The file whose folder in the store a node's bytes lie in: an item's parent, else the node itself."""
    if node.type not in INHERITING:
        return node
    return uow.session.get_one(Node, node.parent_id, execution_options=TRUSTED)


@action("representation.added", needs=P.SCAN_UPLOAD)
def upload(uow: UnitOfWork, node: Node, staged: Staged, *, filename: str) -> tuple[Representation, Job]:
    """Takes a staged file into the record: its bytes first, then its row and the job that makes its pages.

    Raises Invalid for an empty file, Conflict for one that is here already or may not be here, Full.
    """
    check_place(node)
    check_size(staged.size)
    _alone_with(uow, node)
    if is_here(uow, node, staged.sha256):
        raise AlreadyHere
    made = add_master(uow, node, staged, filename, state="pending")
    home = file_of(uow, node)
    job = uow.job("page.derive", node=node, representation=made.id)
    uow.enqueue("index", node)
    uow.enqueue("sidecar", home)
    return made, job


def add_master(uow: UnitOfWork, node: Node, staged: Staged, filename: str, *, state: str) -> Representation:
    """Part of an act: a staged file is a master of `node` now. Raises Conflict, Full."""
    home = file_of(uow, node)
    blob = keep(uow, home.uuid, staged, filename)
    masters = Representation.role == "master"
    last = select(func.max(Representation.seq)).where(Representation.node_id == node.id, masters)
    made = Representation(
        node_id=node.id, role="master", seq=(uow.session.scalar(last, execution_options=TRUSTED) or 0) + 1,
        blob_id=blob.id, state=state, created_at=uow.now, created_by=uow.actor.principal_id,
    )  # fmt: skip
    uow.session.add(made)
    uow.session.flush()
    if home.type == "medical_record":
        records.reach(uow, home, "scan", "scanning")
    uow.note(representation=made.id, sha256=staged.sha256, size=staged.size, filename=blob.filename)
    return made


def check_place(node: Node) -> None:
    """Raises Conflict where no files belong."""
    kind = TYPES.get(node.type)
    if kind is None or not kind.pages:
        raise Conflict(_("Files belong to records and items. Open one, and upload there."))
    if node.data.get("secrecy"):
        # 国家秘密不进系统: such a paper is described here, its pages are not (domain §22.21).
        raise Conflict(_("This entry has a secrecy mark. Its pages may not be uploaded."))


def check_size(size: int) -> None:
    """Raises Invalid for an empty file."""
    if size == 0:
        raise Invalid(_("The file is empty. Scan or export it again."))


def _alone_with(uow: UnitOfWork, node: Node) -> None:
    """Two uploads at once must not take the same number."""
    uow.session.execute(
        select(Node.id).where(Node.id == node.id).with_for_update(), execution_options=TRUSTED
    )


def is_here(uow: UnitOfWork, node: Node, sha256: str) -> bool:
    """Whether the node has this very file."""
    same = (
        select(Representation.id)
        .join(Blob, Blob.id == Representation.blob_id)
        .where(Representation.node_id == node.id, Blob.sha256 == sha256, Representation.state != "withdrawn")
        .limit(1)
    )
    return uow.session.scalar(same, execution_options=TRUSTED) is not None


def keep(uow: UnitOfWork, folder: UUID, staged: Staged, filename: str) -> Blob:
    """Part of an act: the bytes are durable in a folder of the store, and registered. Raises Full, Conflict."""
    try:
        ref = uow.site.store.place(staged, folder)
    except StoreFull as error:
        raise errors.Full from error
    except StagedGone as error:
        raise Conflict(_("The upload took too long and was cleaned away. Send the file again.")) from error
    known = select(Blob).where(Blob.record == str(ref.record), Blob.sha256 == ref.sha256)
    blob = uow.session.scalar(known, execution_options=TRUSTED)
    if blob is None:
        blob = Blob(record=str(ref.record), sha256=ref.sha256, size=ref.size, mime=UNKNOWN,
                    filename=_plain_name(filename))  # fmt: skip
        uow.session.add(blob)
    blob.leaves_at = None  # it may have been waiting to be removed with a deleted draft
    uow.session.flush()
    return blob


def _plain_name(filename: str) -> str:
    """The last part of the name that the browser sent, without anything that could disguise it."""
    name = clean(PurePosixPath(filename.replace("\\", "/")).name).replace("\n", " ")
    if len(name) > 200:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[:180]}{dot}{ending[:15]}" if dot else name[:200]
    return name or "upload"


@dataclass(frozen=True)
class FileView:
    """A file of a node as its page lists it, with the job that works on it."""

    id: int
    name: str
    size: int
    state: str
    look: str
    kind: str
    pages: int
    failure: str
    virus: str
    repaired: bool
    job: UUID | None
    created_at: datetime


def files(uow: UnitOfWork, node: Node) -> list[FileView]:
    """The files of a node in their order. Needs content.read."""
    found = uow.of(Representation, node, P.READ).with_only_columns(Representation, Blob).join(
        Blob, Blob.id == Representation.blob_id
    )  # fmt: skip
    rows = uow.session.execute(found.order_by(Representation.role, Representation.seq)).all()
    made = pages.counts(uow, [representation.id for representation, _blob in rows])
    under_way = _jobs(uow, node)
    return [
        FileView(
            representation.id, blob.filename, blob.size, representation.state, str(STATES[representation.state][0]),
            STATES[representation.state][1], made.get(representation.id, 0),
            _(representation.failure) if representation.failure else "",
            viruses.said(blob) if representation.state != "pending" else "", bool(representation.repair),
            under_way.get(representation.id),
            representation.created_at,
        )
        for representation, blob in rows
    ]  # fmt: skip


def _jobs(uow: UnitOfWork, node: Node) -> dict[int, UUID]:
    """The newest job of each file that is not done; only one's own can be opened."""
    mine = (
        select(Job)
        .where(
            Job.node_id == node.id, Job.state.in_((*LIVE, "failed")), Job.owner_id == uow.actor.principal_id
        )
        .order_by(Job.id)
    )
    return {
        job.args["representation"]: job.uuid
        for job in uow.session.scalars(mine)
        if "representation" in job.args
    }


@action("representation.withdrawn", needs=P.SCAN_REPLACE)
def withdraw(uow: UnitOfWork, node: Node, *, representation: int) -> None:
    """Sets a file aside that could not be read, so that it no longer holds the record up. Its bytes are kept."""
    found = uow.session.scalar(
        uow.of(Representation, node, P.SCAN_REPLACE)
        .where(Representation.id == representation)
        .with_for_update()
    )
    if found is None or found.state != "failed":
        raise Conflict(_("Only a file that could not be read is set aside."))
    found.state = "withdrawn"
    uow.note(representation=found.id)
    pages.drop(uow, found)
    settle(uow, node)


def settle(uow: UnitOfWork, node: Node) -> None:
    """What follows when a file of `node` is ready, or no longer counts: page count, milestone, sidecar, index."""
    pages.recount(uow, node)
    home = file_of(uow, node)
    records.link(uow, home)
    reconciliation.follow(uow, home)
    uow.enqueue("sidecar", home)
    uow.enqueue("index", node)
