"""新结果: what a notice of the digest tells of each search; counted when it is read, among what one may know of then.

The ids of what was new are kept, encrypted, and no number: rights that were taken away after the digest would leave it
standing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Exists, Select, func, select, update

from archive.i18n import _, ngettext
from archive.models import Node, Notice, SavedSearch, SearchNews
from archive.policy.permissions import P
from archive.services import saved_searches
from archive.services.entries import searchable
from archive.uow import IDS, UnitOfWork

TRUSTED: Any = {"scope": "news", "synchronize_session": False}
FOUND = "search.new"
"""The kind of a notice of the digest."""


def keep(uow: UnitOfWork, notice: Notice, found: Mapping[int, Iterable[int]]) -> None:
    """Keeps beside a notice what each search, by its id, has found anew."""
    uow.session.add_all(
        SearchNews(notice_id=notice.id, search_id=search, sealed=saved_searches.sealed_ids(uow, set(ids)))
        for search, ids in found.items()
    )


def of_notice(uow: UnitOfWork) -> Exists:
    """Whether the notice of the row tells of a search that the actor may use at this moment."""
    told = select(SearchNews.search_id).join(SavedSearch, SavedSearch.id == SearchNews.search_id)
    mine = told.where(SearchNews.notice_id == Notice.id, saved_searches.within_reach(uow))
    return mine.correlate(Notice).exists()


def in_words(uow: UnitOfWork, notices: Sequence[int]) -> dict[int, dict[UUID, str]]:
    """For each notice the searches of which it tells, and how much is new that one may still know of."""
    told = _counted(uow, SearchNews.notice_id.in_(notices)) if notices else {}
    known = saved_searches.some(uow, {search for _notice, search in told})
    said: dict[int, dict[UUID, str]] = {}
    for (notice, search), count in told.items():
        if saved := known.get(search):
            new = ngettext("“%(name)s”: %(num)d new", "“%(name)s”: %(num)d new", count, name=saved.name)
            said.setdefault(notice, {})[saved.uuid] = new if count else _("“%(name)s”", name=saved.name)
    return said


def fresh(uow: UnitOfWork) -> dict[int, int]:
    """What the newest digest of one's own told and one has not opened since, by the id of the search."""
    mine = (Notice.principal_id == uow.actor.principal_id, Notice.kind == FOUND)
    newest = select(func.max(Notice.id)).where(*mine).scalar_subquery()
    told = _counted(uow, SearchNews.notice_id == newest, SearchNews.opened_at.is_(None))
    return {search: count for (_notice, search), count in told.items() if count}


def _counted(uow: UnitOfWork, *which: ColumnElement[bool]) -> dict[tuple[int, int], int]:
    """Notice and search → how many of the new results the actor may still know of."""
    rows: Select[int, int, bytes] = select(SearchNews.notice_id, SearchNews.search_id, SearchNews.sealed)
    found = {
        (notice, search): saved_searches.opened_ids(uow, sealed)
        for notice, search, sealed in uow.session.execute(rows.where(*which), execution_options=TRUSTED)
    }
    known = _known(uow, sorted(set().union(*found.values())))
    return {told: len(ids & known) for told, ids in found.items()}


def _known(uow: UnitOfWork, ids: Sequence[int]) -> set[int]:
    asked = uow.nodes(P.DISCOVER, Node.id).where(searchable())
    parts = (ids[start : start + IDS] for start in range(0, len(ids), IDS))
    return {number for part in parts for number in uow.session.scalars(asked.where(Node.id.in_(part)))}


def open_all(uow: UnitOfWork, *which: ColumnElement[bool]) -> None:
    """One has seen what is new: of all searches, or of those that are meant."""
    mine = select(Notice.id).where(Notice.principal_id == uow.actor.principal_id)
    unseen = (SearchNews.notice_id.in_(mine), SearchNews.opened_at.is_(None), *which)
    uow.session.execute(
        update(SearchNews).where(*unseen).values(opened_at=uow.now), execution_options=TRUSTED
    )


def is_opened() -> ColumnElement[bool]:
    """Whether nothing is left to open of the notice of the row."""
    left = select(SearchNews.search_id).where(
        SearchNews.notice_id == Notice.id, SearchNews.opened_at.is_(None)
    )
    return (Notice.kind == FOUND) & ~left.correlate(Notice).exists()
