"""离岗人员的常用检索: what becomes of saved searches whose owner may search no longer, and so may not delete them either.

There is nobody over all saved searches, and there shall be none: their words may tell of patients. A shared one goes on
being used by those whom it is shared with, who rely on it, so that nobody loses it when somebody leaves; and any of them
may take it over as their own, with all that its owner could do, deleting included. They read its words already: nothing
is disclosed by it. What was private nobody else may know of, and it goes with the account: not at once, since an account
may be opened again, but after as many days as a draft lies in the trash.
"""

from functools import partial
from typing import Any, cast

from sqlalchemy import delete, func, or_, select

from archive.actor import Actor
from archive.errors import Conflict, NotFound
from archive.i18n import _
from archive.models import SavedSearch, SearchFollow, User
from archive.policy.permissions import P
from archive.services import saved_searches, trash
from archive.services.saved_searches import PRIVATE, Saved
from archive.site import Site
from archive.uow import PROGRAM, UnitOfWork, action

TRUSTED: Any = {"scope": "leavers", "synchronize_session": False}


def take_over(uow: UnitOfWork, saved: Saved) -> None:
    """Makes a shared search the actor's own; it stays shared as it was. Raises Conflict while its owner may search."""
    if not saved.owner_left:
        raise Conflict(_("It belongs to somebody who still works with it."))
    if saved.audience not in saved_searches.audiences(uow):
        raise NotFound
    saved_searches.room_for_one_more(uow)
    _taken(uow, saved.row)


@action("saved_search.taken_over", needs=P.DISCOVER)
def _taken(uow: UnitOfWork, row: SavedSearch) -> None:
    uow.note(audience=row.audience, before=row.owner_id)
    row.owner_id = cast(int, uow.actor.principal_id)


def clean_up(site: Site) -> None:
    """Once a day: private searches, pins and subscriptions of accounts that were closed long enough ago are deleted."""
    actor = Actor.system("leavers")
    with site.uow(actor, readonly=True) as uow:
        people = _long_gone(uow)
    for person in people:
        site.run(actor, partial(_clear, person=person))


def _long_gone(uow: UnitOfWork) -> list[int]:
    """Those of whom anything is left to delete."""
    private = select(SavedSearch.owner_id).where(SavedSearch.audience == PRIVATE)
    gone = select(User.id).where(
        User.disabled_at <= trash.deadline(uow),
        or_(User.id.in_(private), User.id.in_(select(SearchFollow.person_id))),
    )
    return list(uow.session.scalars(gone.order_by(User.id), execution_options=TRUSTED))


def _clear(uow: UnitOfWork, person: int) -> None:
    """The account is locked and looked at again: it may have been opened meanwhile."""
    found = select(User).where(User.id == person, User.disabled_at <= trash.deadline(uow)).with_for_update()
    if (user := uow.session.scalar(found)) is not None:
        _cleared(uow, user)


@action("saved_search.cleared", needs=PROGRAM)
def _cleared(uow: UnitOfWork, user: User) -> None:
    mine = SavedSearch.owner_id == user.id, SavedSearch.audience == PRIVATE
    count = uow.session.scalar(select(func.count(SavedSearch.id)).where(*mine), execution_options=TRUSTED)
    uow.note(searches=count)
    uow.session.execute(
        delete(SearchFollow).where(SearchFollow.person_id == user.id), execution_options=TRUSTED
    )
    uow.session.execute(delete(SavedSearch).where(*mine), execution_options=TRUSTED)
