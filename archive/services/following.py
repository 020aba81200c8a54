"""关注: keeping a saved search on one's workbench, and being told once a day of what it finds anew."""

from contextlib import suppress
from typing import Any

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from archive.errors import Conflict
from archive.i18n import _
from archive.journal import Event
from archive.models import SearchFollow
from archive.services import hits, saved_searches
from archive.services.questions import Question
from archive.services.saved_searches import Saved
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "following", "synchronize_session": False}
MOST_SUBSCRIBED = 20
"""Subscriptions of one person: each is a search a day."""


def pin(uow: UnitOfWork, saved: Saved, *, on: bool) -> None:
    """Keeps one on the actor's workbench, or takes it from there. Raises Conflict where there are too many."""
    if on:
        _room(uow, saved, SearchFollow.pinned, saved_searches.MOST_PINNED)
    _follow(uow, saved, pinned=on)


def known_now(uow: UnitOfWork, question: Question) -> set[int] | None:
    """What a search finds at this moment: whatever it finds later is new. Nothing while there is no index.

    For before the transaction of `subscribe`, which must not last as long as a search. Raises what `hits.files` raises.
    """
    uow.read(Event("search.counted", words={"query": question.text, "filters": question.filters.said()}))
    return hits.files(uow, question)


def subscribe(uow: UnitOfWork, saved: Saved, known: set[int] | None) -> None:
    """The actor is told once a day of what it finds beyond what is `known`; where that is not, from the first digest on.

    Whoever is told already goes on being told of the same. Raises Conflict where there are too many.
    """
    if saved.subscribed:
        return
    _room(uow, saved, SearchFollow.subscribed, MOST_SUBSCRIBED)
    seen = None if known is None else saved_searches.sealed_ids(uow, known)
    _follow(uow, saved, subscribed=True, seen=seen, looked_on=uow.today if seen else None)


def unsubscribe(uow: UnitOfWork, saved: Saved) -> None:
    """The actor is told no longer."""
    _follow(uow, saved, subscribed=False, seen=None, looked_on=None)


def _room(uow: UnitOfWork, saved: Saved, column: Any, most: int) -> None:
    others = (SearchFollow.person_id == uow.actor.principal_id, SearchFollow.search_id != saved.id)
    count = select(func.count(SearchFollow.id)).where(*others, column.is_(True))
    if (uow.session.scalar(count, execution_options=TRUSTED) or 0) >= most:
        raise Conflict(_("That is possible for %(num)d saved searches. Take one off first.", num=most))


def _follow(uow: UnitOfWork, saved: Saved, **values: Any) -> None:
    mine = (SearchFollow.search_id == saved.id, SearchFollow.person_id == uow.actor.principal_id)
    if not _changed(uow, mine, values):
        with suppress(IntegrityError), uow.session.begin_nested():  # a second click may have come before
            uow.session.add(SearchFollow(search_id=saved.id, person_id=uow.actor.principal_id, **values))
        _changed(uow, mine, values)
    idle = (SearchFollow.pinned.is_(False), SearchFollow.subscribed.is_(False))
    uow.session.execute(delete(SearchFollow).where(*mine, *idle), execution_options=TRUSTED)


def _changed(uow: UnitOfWork, mine: Any, values: dict[str, Any]) -> bool:
    done: Any = uow.session.execute(
        update(SearchFollow).where(*mine).values(values), execution_options=TRUSTED
    )
    return isinstance(done, CursorResult) and done.rowcount > 0
