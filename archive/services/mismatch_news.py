"""新任务: whoever is made the owner of a mismatch is told once, however many there are; what is shown is counted when it is
read, among those that one may see then.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Exists, Select, delete, func, or_, select
from sqlalchemy.exc import IntegrityError

from archive.access import Access
from archive.i18n import ngettext
from archive.models import DualMismatch, Node, Notice
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.services import actors
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "mismatch news", "synchronize_session": False}
OWNED = "mismatch.owned"
"""The kind of such a notice, and its key: one person has one, which comes again when it has been read."""
HANDLING = (P.EDIT, P.EDIT_LIFECYCLE, P.SCAN_UPLOAD, P.SCAN_QC)
"""Any of these on a record that one reads lets one see to what does not agree in it."""


def visible(uow: UnitOfWork, *entities: Any) -> Select[Any]:
    """Mismatches of the records that the actor reads and works on."""
    working = or_(*(uow.access.clause(permission) for permission in HANDLING))
    found = uow.nodes(P.READ, *(entities or (DualMismatch, Node)))
    found = found.select_from(DualMismatch).join(Node, Node.id == DualMismatch.node_id)
    return found.where(working, Node.overlay != int(Overlay.TRASHED))


def tell(uow: UnitOfWork, node: Node, made: Iterable[DualMismatch]) -> None:
    """Part of an act: tells the owners of new mismatches of a record, but for whoever acts and whoever may not see it."""
    for person in sorted({row.owner_id for row in made if row.owner_id} - {uow.actor.principal_id}):
        if _sees(uow, node, person) and not _has_unread(uow, person):
            _tell(uow, person)


def _sees(uow: UnitOfWork, node: Node, person: int) -> bool:
    actor = actors.load(uow.session, person, uow.now)
    held = Access(uow.session, actor, uow.now).permissions(node) if actor else frozenset()
    return P.READ in held and any(permission in held for permission in HANDLING)


def _has_unread(uow: UnitOfWork, person: int) -> bool:
    unread = select(Notice.id).where(
        Notice.principal_id == person, Notice.key == OWNED, Notice.read_at.is_(None)
    )
    return uow.session.scalar(unread, execution_options=TRUSTED) is not None


def _tell(uow: UnitOfWork, person: int) -> None:
    """As the newest of their notices. Of two at once one is enough."""
    read = delete(Notice).where(
        Notice.principal_id == person, Notice.key == OWNED, Notice.read_at.is_not(None)
    )
    uow.session.execute(read, execution_options=TRUSTED)
    try:
        with uow.session.begin_nested():
            uow.session.add(Notice(principal_id=person, kind=OWNED, key=OWNED, at=uow.now))
    except IntegrityError:
        return


def _mine(uow: UnitOfWork, *entities: Any) -> Select[Any]:
    own = (DualMismatch.owner_id == uow.actor.principal_id, DualMismatch.closed_at.is_(None))
    return visible(uow, *entities).where(*own)


def of_notice(uow: UnitOfWork) -> Exists:
    """Whether any of one's own is open that one may see at this moment."""
    return _mine(uow, DualMismatch.id).exists()


def in_words(uow: UnitOfWork) -> str:
    """How many of one's own are open."""
    mine = _mine(uow, DualMismatch.id).subquery()
    many = uow.session.scalar(select(func.count()).select_from(mine), execution_options=TRUSTED) or 0
    return ngettext("%(num)d mismatch to be seen to", "%(num)d mismatches to be seen to", many)
