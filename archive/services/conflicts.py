"""利害关系与回避: whoever is related to a patient neither gets the record in passing nor decides who does (domain §4.2)."""

from sqlalchemy import ColumnElement, exists, select

from archive.errors import Invalid
from archive.i18n import Lazy, _, _l
from archive.models import Request, RequestConflict
from archive.schema import clean
from archive.uow import UnitOfWork

NONE, RELATIVE, OTHER = "none", "relative", "other"
DECLARED: dict[str, Lazy] = {
    NONE: _l("The patient is no relative of mine, and nothing else stands between us"),
    RELATIVE: _l("The patient is a relative of mine"),
    OTHER: _l("Something else stands between us: I say what"),
}
LONGEST = 200


def declared(what: str, words: str | None, *, may_be_relative: bool) -> str | None:
    """What the asker declares, to be written down; nothing where there is nothing. Raises Invalid, field by field."""
    text = clean(words or "")
    if what not in DECLARED:
        raise Invalid(fields={"declared": _("Declare whether the patient is a relative of yours.")})
    if what == RELATIVE and not may_be_relative:
        raise Invalid(fields={"declared": _("By the lending rules nobody is lent the record of a relative. Ask a colleague to "
                                            "do what is to be done; the patient may ask for a copy.")})  # fmt: skip
    if what == OTHER and not text:
        raise Invalid(fields={"declared_words": _("Say what it is, in a few words.")})
    if len(text) > LONGEST:
        raise Invalid(fields={"declared_words": _("At most %(most)d characters, please.", most=LONGEST)})
    if what == NONE:
        return None
    return text or str(DECLARED[RELATIVE])


def objection(uow: UnitOfWork, request: Request) -> str | None:
    """Why the actor does not decide, for what they have declared themselves; or nothing."""
    mine = select(RequestConflict.id).where(
        RequestConflict.request_id == request.id, RequestConflict.principal_id == uow.actor.principal_id
    )
    if uow.session.scalar(mine) is None:
        return None
    return _("You have declared what stands between you and the patient. Somebody else decides this.")


def have_declared(uow: UnitOfWork, request: Request) -> frozenset[int]:
    """Whoever has declared that they do not decide a request."""
    rows = select(RequestConflict.principal_id).where(RequestConflict.request_id == request.id)
    return frozenset(uow.session.scalars(rows))


def is_mine(uow: UnitOfWork) -> ColumnElement[bool]:
    """Requests on which the actor has declared something."""
    return exists().where(
        RequestConflict.request_id == Request.id, RequestConflict.principal_id == uow.actor.principal_id
    )
