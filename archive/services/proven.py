"""再次验证密码: whoever does what the law asks to be sure of gives their own password again."""

from sqlalchemy import func, select

from archive import journal
from archive.errors import Invalid
from archive.i18n import _
from archive.journal import Event
from archive.models import ReadEvent, User
from archive.services import audit, passwords, sessions
from archive.uow import SIGNED_IN, UnitOfWork

REFUSED = "user.password_refused"


def again(uow: UnitOfWork, password: str, field: str) -> User:
    """The actor's own account, whose password this is. Raises Invalid at `field`; Throttled after too many wrong ones, which
    stand in the journal of refusals: whoever finds a computer unlocked may not try on until one fits.
    """
    uow.require(SIGNED_IN)
    _throttle(uow)
    user = uow.session.get_one(User, uow.actor.principal_id)
    if not passwords.matches(user.password, password):
        uow.site.record_read(Event(REFUSED, result="denied"), uow.actor, uow.origin)
        raise Invalid(fields={field: _("This is not your password.")})
    return user


def _throttle(uow: UnitOfWork) -> None:
    missed = select(func.count()).where(
        ReadEvent.actor_id == uow.actor.principal_id, ReadEvent.at > uow.now - sessions.LOCK,
        ReadEvent.action == REFUSED,
    )  # fmt: skip
    with audit.reading(uow.site, journal.READS) as session:
        misses = session.scalar(missed) or 0
    if misses >= sessions.FREE_TRIES:
        raise sessions.TooManyAttempts
