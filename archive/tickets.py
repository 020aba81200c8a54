"""A ticket says that the journal has noted already what somebody is being shown: their pictures then leave no second line."""

from archive import cursor
from archive.errors import Invalid
from archive.uow import UnitOfWork

MINUTES = 60
"""A page that lies open for longer is looked at anew."""


def issue(uow: UnitOfWork, what: str) -> str:
    """For the pictures of `what`, whose showing is written down with this answer; of use to this session alone."""
    return cursor.pack(uow.site.keys, _purpose(uow, what), [int(uow.now.timestamp())])


def holds(uow: UnitOfWork, what: str, given: str | None) -> bool:
    """Whether `given` is such a ticket and not too old."""
    try:
        values = cursor.unpack(uow.site.keys, _purpose(uow, what), given)
    except Invalid:
        return False
    return values is not None and uow.now.timestamp() - values[0] < MINUTES * 60


def _purpose(uow: UnitOfWork, what: str) -> str:
    return f"{what}:{uow.actor.principal_id}:{uow.actor.session_id}"
