"""断点续传: a large file comes in pieces, and goes on where it was cut off, whatever was reloaded, lost or killed meanwhile.

The sender names the file by its SHA-256: by it an upload that was begun is found again, a file that is here already is not
sent twice, and what came is compared with what was meant.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from archive import errors
from archive.actor import Actor
from archive.errors import ArchiveError, Conflict, Invalid, NotFound
from archive.i18n import _
from archive.models import Arrival, Job
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import intake, policies
from archive.services.intake import AlreadyHere
from archive.services.targets import TARGETS, Target
from archive.site import Site
from archive.uow import UnitOfWork
from storage import Staged, StagedGone, StoreFull

TRUSTED: Any = {"scope": "arrivals", "synchronize_session": False}
PIECE = 4 * 2**20
"""Bytes of each piece but the last: little is lost with a network, and a request is not all overhead."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Elsewhere(Conflict):
    """The piece does not go on where the others end; `received` says where that is."""

    def __init__(self, received: int) -> None:
        self.received = received
        super().__init__()

    def sentence(self) -> str:
        return _("Sending goes on at another place of the file.")


@dataclass(frozen=True)
class Begun:
    """Where an upload goes on."""

    uuid: UUID
    received: int


@dataclass(frozen=True)
class UnderWay:
    """未传完的文件: how far it has come, what it is for, and where its sender goes on."""

    uuid: UUID
    filename: str
    size: int
    received: int
    place: str
    href: str | None
    """Nothing where its sender may put no files any longer."""

    @property
    def percent(self) -> int:
        return self.received * 100 // self.size


def begin(uow: UnitOfWork, kind: str, target: str, *, filename: str, size: int, sha256: str) -> Begun | None:
    """Begins to receive a file, or goes on with it; gives nothing where this very file is there already.

    Raises NotFound, Forbidden and Conflict as the target does; Invalid, TooLarge; Throttled above what one person may leave
    lying.
    """
    place = _target(kind)
    intake.check_size(size)
    if size < 0 or _SHA256.fullmatch(sha256) is None:
        raise Invalid
    if size > uow.site.settings.upload_limit:
        raise errors.TooLarge
    found = place.find(uow, target)
    if place.has(uow, found, sha256):
        return None
    mine = Arrival.kind == kind, Arrival.target == target, Arrival.sha256 == sha256
    row = _one(uow, *mine) or _begun(uow, kind, target, clean(filename)[-400:] or "upload", size, sha256)
    return Begun(row.uuid, uow.site.store.arriving.received(row.uuid))


def _begun(uow: UnitOfWork, kind: str, target: str, filename: str, size: int, sha256: str) -> Arrival:
    _room_for(uow, size)
    row = Arrival(
        owner_id=uow.actor.principal_id, kind=kind, target=target, filename=filename, size=size, sha256=sha256,
        begun_at=uow.now, at=uow.now,
    )  # fmt: skip
    try:
        with uow.session.begin_nested():
            uow.session.add(row)
    except IntegrityError as error:  # another window was quicker
        raise Conflict(_("The same file is being sent from another window.")) from error
    return row


def _room_for(uow: UnitOfWork, size: int) -> None:
    limits = policies.in_force(uow, "uploads").body["limits"]
    mine = select(func.count(Arrival.id), func.coalesce(func.sum(Arrival.size), 0)).where(_owned(uow))
    files, lying = uow.session.execute(mine, execution_options=TRUSTED).one()
    if files >= limits["unfinished_files"] or (files and lying + size > limits["unfinished_gb"] * 2**30):
        raise errors.Throttled(
            _(
                "Too many of your uploads are unfinished. Finish or discard them first, under Unfinished uploads."
            )
        )


def append(uow: UnitOfWork, uuid: UUID, offset: int, piece: Staged) -> int:
    """Keeps the next piece of one's own upload, durably; gives how much has come. Raises Elsewhere, NotFound, Invalid, Full."""
    row = _mine(uow, uuid)
    received = uow.site.store.arriving.received(row.uuid)
    if offset != received or received == row.size:
        raise Elsewhere(received)
    if piece.size != min(PIECE, row.size - offset):
        raise Invalid(
            _("The piece is too short or too long. Load the page again and send the file once more.")
        )
    try:
        uow.site.store.arriving.keep(row.uuid, offset // PIECE, piece)
    except StoreFull as error:
        raise errors.Full from error
    except StagedGone as error:
        raise Elsewhere(received) from error
    row.at = uow.now
    return received + piece.size


def finish(uow: UnitOfWork, uuid: UUID) -> Job | None:
    """Puts the pieces together and takes the file in, as its target does. The transaction is its own, and begins late:
    while gigabytes are put together, everybody else goes on writing.

    Raises Elsewhere while pieces are missing, AlreadyHere, Invalid where it is not the file that was meant, NotFound, Full.
    """
    row, site = _mine(uow, uuid), uow.site
    _target(row.kind).find(uow, row.target)
    if (received := site.store.arriving.received(row.uuid)) != row.size:
        raise Elsewhere(received)
    try:
        staged = site.store.arriving.joined(row.uuid)
    except StoreFull as error:
        raise errors.Full from error
    try:
        _as_meant(row, staged)
        job = site.run(uow.actor, lambda own: _taken(own, uuid, staged), uow.origin)
    except (AlreadyHere, Damaged):
        with suppress(NotFound):  # the same upload was finished from another window
            site.run(uow.actor, lambda own: discard(own, uuid), uow.origin)
        raise
    finally:
        intake.discard(site, staged)
    site.store.arriving.forget(uuid)
    return job


def _as_meant(row: Arrival, staged: Staged) -> None:
    if staged.sha256 != row.sha256:
        raise Damaged


class Damaged(Invalid):
    """What came is not what was sent."""

    def sentence(self) -> str:
        return _("The file did not arrive as it was sent. Nothing was kept; send it again.")


def _taken(uow: UnitOfWork, uuid: UUID, staged: Staged) -> Job | None:
    row = _mine(uow, uuid)
    place = _target(row.kind)
    job = place.take(uow, place.find(uow, row.target), staged, row.filename)
    uow.session.delete(row)
    return job


def discard(uow: UnitOfWork, uuid: UUID) -> None:
    """Gives up one's own upload; what has come of it is removed. Raises NotFound."""
    uow.session.delete(_mine(uow, uuid))
    uow.session.flush()
    uow.site.store.arriving.forget(uuid)


def under_way(uow: UnitOfWork, kind: str | None = None, target: str | None = None) -> list[UnderWay]:
    """One's own uploads that are not whole yet, of one target or of all, the oldest first."""
    wanted = select(Arrival).where(_owned(uow)).order_by(Arrival.id)
    if kind is not None:
        wanted = wanted.where(Arrival.kind == kind, Arrival.target == target)
    return [_seen(uow, row) for row in uow.session.scalars(wanted, execution_options=TRUSTED)]


def _seen(uow: UnitOfWork, row: Arrival) -> UnderWay:
    place, href = "", None
    try:
        target = _target(row.kind)
        place, href = target.shown(uow, target.find(uow, row.target))
    except ArchiveError:  # what it was for may not be known of, or takes no files now
        place = ""
    received = uow.site.store.arriving.received(row.uuid)
    return UnderWay(row.uuid, row.filename, row.size, received, place, href)


def _target(kind: str) -> Target:
    if kind not in TARGETS:
        raise NotFound
    return TARGETS[kind]


def _owned(uow: UnitOfWork) -> Any:
    return Arrival.owner_id == uow.actor.principal_id


def _one(uow: UnitOfWork, *which: Any) -> Arrival | None:
    found: Arrival | None = uow.session.scalar(
        select(Arrival).where(_owned(uow), *which), execution_options=TRUSTED
    )
    return found


def _mine(uow: UnitOfWork, uuid: UUID) -> Arrival:
    """Anybody else's is as if it were not there."""
    uow.require(P.SCAN_UPLOAD)
    if (row := _one(uow, Arrival.uuid == uuid)) is None:
        raise NotFound
    return row


def clean_up(site: Site) -> None:
    """Once a day: uploads that nobody has gone on with, and pieces that belong to none."""
    # Listed first: pieces come only after their row, so those that lie here without one are of an upload that has ended.
    lying = list(site.store.arriving.all())
    with site.uow(Actor.system("arrivals")) as uow:
        days = policies.in_force(uow, "uploads").body["limits"]["unfinished_days"]
        too_old = Arrival.at < uow.now - timedelta(days=days)
        uow.session.execute(delete(Arrival).where(too_old), execution_options=TRUSTED)
        known = set(uow.session.scalars(select(Arrival.uuid), execution_options=TRUSTED))
    for arrival in lying:
        if arrival not in known:
            site.store.arriving.forget(arrival)
