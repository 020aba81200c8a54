"""随附照片: pictures that belong to a seal or to a slip of the copying window, drawn anew in the sandbox and kept encrypted."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.i18n import _
from archive.journal import Event
from archive.models import Blob, CopyRequest, Hold, HoldNode, KeptPicture, Node, Principal
from archive.policy.permissions import P
from archive.services import drawing, intake
from archive.services.copying import slips
from archive.site import Site
from archive.uow import UnitOfWork, action
from storage import BlobMissing, Staged
from storage.limits import Refused
from storage.pages import Rendition, render

TRUSTED: Any = {"scope": "pictures"}
ENVELOPE = "envelope"
PURPOSE = "identity-enc"
MOST = 20
"""Pictures of one seal or slip."""
PLAIN = Rendition(long_edge=2400, quality=75)
NEEDS = (P.HOLD_APPLY, P.HOLD_RELEASE, P.NIGHT_SEAL, P.REQUEST_COPY)


@dataclass(frozen=True)
class Shown:
    """A picture as its page lists it."""

    uuid: UUID
    kind: str
    sha256: str
    at: datetime
    by: str


def drawn(site: Site, staged: Staged) -> bytes:
    """The one picture of a file as a JPEG of ours, without what a telephone writes beside it. Takes a second: no transaction.

    Raises Invalid for what is no picture, or more than one page.
    """
    try:
        with site.store.materialise_staged(staged) as path, drawing.working_folder(site) as folder:
            pages = render(path, folder, fonts=(site.static / drawing.FONT).parent, rendition=PLAIN)
            if len(pages) != 1:
                raise Invalid(fields={"photo": _("One picture at a time, please.")})
            return pages[0].image.read_bytes()
    except Refused as refused:
        raise Invalid(fields={"photo": refused.sentence}) from refused


@action("hold.photographed", needs=(P.HOLD_APPLY, P.NIGHT_SEAL))
def of_envelope(uow: UnitOfWork, hold: Hold, jpeg: bytes) -> KeptPicture:
    """封袋照片: kept with the seal. Raises Forbidden for whoever neither seals the record nor sealed it that night; Conflict."""
    node = _under(uow, hold)
    if not _may_add(uow, hold, node):
        raise Forbidden
    uow.about(node if node is not None and uow.can(P.HOLD_APPLY, node) else hold)
    return _keep(uow, KeptPicture(hold_id=hold.id, kind=ENVELOPE), hold.uuid, hold.number, jpeg)


@action("copy.proof_photographed", needs=P.REQUEST_COPY)
def of_proof(uow: UnitOfWork, copy: CopyRequest, jpeg: bytes, *, kind: str) -> KeptPicture:
    """证明材料照片: kept with the slip as long as its file. Raises Invalid for a paper the slip does not ask for, Conflict."""
    for node in slips.nodes_of(uow, copy):
        uow.require(P.REQUEST_COPY, node)
    uow.session.refresh(copy, with_for_update=True)
    if copy.ended_at is not None:
        raise Conflict(_("This slip has ended: nothing is added to it."))
    if kind not in {paper.kind for paper in slips.shown(uow, copy).papers}:
        raise Invalid(fields={"photo": _("Choose which paper it shows.")})
    return _keep(uow, KeptPicture(copy_id=copy.id, kind=kind), copy.uuid, copy.number, jpeg)


def _keep(uow: UnitOfWork, made: KeptPicture, folder: UUID, number: str, jpeg: bytes) -> KeptPicture:
    mine = select(func.count(KeptPicture.id)).where(
        KeptPicture.hold_id == made.hold_id if made.hold_id else KeptPicture.copy_id == made.copy_id
    )
    if (uow.session.scalar(mine, execution_options=TRUSTED) or 0) >= MOST:
        raise Conflict(_("At most %(most)d pictures.", most=MOST))
    hidden = uow.site.keys.encrypt(PURPOSE, base64.b64encode(jpeg).decode("ascii"))
    staged = intake.stage(uow.site, BytesIO(hidden))
    try:
        blob = intake.keep(uow, folder, staged, f"{number}-{made.kind}")
    finally:
        intake.discard(uow.site, staged)
    made.sha256, made.stored = hashlib.sha256(jpeg).hexdigest(), blob.sha256
    made.at, made.by = uow.now, uow.actor.principal_id
    uow.session.add(made)
    uow.session.flush()
    uow.note(number=number, kind=made.kind, digest=made.sha256)
    return made


def _under(uow: UnitOfWork, hold: Hold) -> Node | None:
    mine = select(Node).join(HoldNode, HoldNode.node_id == Node.id).where(HoldNode.hold_id == hold.id)
    node: Node | None = uow.session.scalar(mine, execution_options=TRUSTED)
    return node


def _may_add(uow: UnitOfWork, hold: Hold, node: Node | None) -> bool:
    waits = hold.night and hold.taken_over_at is None
    if waits and (uow.can(P.HOLD_APPLY) or hold.sealed_by == uow.actor.principal_id):
        return True
    return node is not None and uow.can(P.HOLD_APPLY, node)


def _may_see(uow: UnitOfWork, picture: KeptPicture) -> bool:
    if picture.copy_id is not None:
        mine = slips.visible(uow, CopyRequest.id).where(CopyRequest.id == picture.copy_id)
        return uow.can(P.REQUEST_COPY) and uow.session.scalar(mine) is not None
    hold = uow.session.get_one(Hold, picture.hold_id, execution_options=TRUSTED)
    node = _under(uow, hold)
    own = hold.night and hold.sealed_by == uow.actor.principal_id
    return own or _may_add(uow, hold, node) or (node is not None and uow.can(P.HOLD_RELEASE, node))


def of_hold(uow: UnitOfWork, hold: Hold) -> list[Shown]:
    """The pictures of a seal that the actor was found to see, the oldest first."""
    return _shown(uow, KeptPicture.hold_id == hold.id)


def of_slip(uow: UnitOfWork, copy: CopyRequest) -> list[Shown]:
    """The pictures of the papers of a slip that the actor was found to see."""
    return _shown(uow, KeptPicture.copy_id == copy.id)


def _shown(uow: UnitOfWork, which: Any) -> list[Shown]:
    everything: tuple[Any, ...] = (KeptPicture, Principal.name)
    rows = uow.session.execute(
        select(*everything)
        .outerjoin(Principal, Principal.id == KeptPicture.by)
        .where(which)
        .order_by(KeptPicture.id),
        execution_options=TRUSTED,
    )
    return [Shown(one.uuid, one.kind, one.sha256, one.at, name or "") for one, name in rows]


def opened(uow: UnitOfWork, ref: UUID) -> bytes:
    """A picture to be looked at; leaves one event. Raises NotFound for one that is hidden or whose days are over."""
    picture: KeptPicture | None = uow.session.scalar(
        select(KeptPicture).where(KeptPicture.uuid == ref), execution_options=TRUSTED
    )
    if picture is None or not _may_see(uow, picture):
        raise NotFound
    blob: Blob | None = uow.session.scalar(
        select(Blob).where(Blob.sha256 == picture.stored), execution_options=TRUSTED
    )
    if blob is None:
        raise NotFound
    kind, number = ("hold", picture.hold_id) if picture.hold_id else ("copy_request", picture.copy_id)
    uow.read(Event("picture.viewed", object_kind=kind, object_id=number, words={"digest": picture.sha256}))
    try:
        with uow.site.store.open(blob.record, blob.sha256) as bytes_of:
            hidden = bytes_of.read()
    except BlobMissing as missing:
        raise NotFound from missing
    return base64.b64decode(uow.site.keys.decrypt(PURPOSE, hidden))
