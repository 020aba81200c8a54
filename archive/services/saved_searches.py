"""常用检索: searches with a name, one's own or shared. Whoever runs one finds what they themselves may see.

No administrator reads them: whoever may not search is shown none, and in the database they lie encrypted.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select

from archive.db import canonical
from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.i18n import _
from archive.journal import Event
from archive.models import Principal, SavedSearch, SearchFollow
from archive.names import sort_key
from archive.policy.permissions import P
from archive.policy.roles import CONTENT_ROLES, ROLES
from archive.schema import clean
from archive.services import actors, hits, naming, questions
from archive.services.findings import Tally
from archive.services.questions import Question
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "saved searches", "synchronize_session": False}
PRIVATE, EVERYBODY = "private", "all"
LONGEST = 60
"""Characters of a name."""
MOST = 100
"""Saved searches of one person: a list of more is not looked through any more."""
MOST_PINNED = 6
"""Figures on the workbench: as many as stand side by side at 1366 pixels, and each is a search."""


@dataclass(frozen=True)
class Saved:
    """A saved search as one person sees it."""

    row: SavedSearch
    name: str
    question: Question
    owner: str
    own: bool
    audience: str
    pinned: bool
    subscribed: bool
    owner_left: bool
    """Its owner may search no longer: whoever it is shared with may take it over (services/leavers.py)."""

    @property
    def id(self) -> int:
        return self.row.id

    @property
    def uuid(self) -> UUID:
        return self.row.uuid


# Reading


def within_reach(uow: UnitOfWork) -> ColumnElement[bool]:
    """Which saved searches the actor may use: their own, and those shared with them at this moment."""
    actor = uow.actor
    if not uow.can(P.DISCOVER):
        return SavedSearch.id.in_(())
    with_them = [
        EVERYBODY,
        *(f"role:{role}" for role in actor.roles),
        *(f"dept:{dept}" for dept in actor.departments),
    ]
    return or_(SavedSearch.owner_id == actor.principal_id, SavedSearch.audience.in_(with_them))


def listing(uow: UnitOfWork) -> list[Saved]:
    """Everything that the actor may use: first their own, then what is shared with them, each by its name."""
    found = _seen(uow, _rows(uow))
    return sorted(found, key=lambda saved: (not saved.own, sort_key(saved.name)))


def one(uow: UnitOfWork, uuid: UUID) -> Saved:
    """One that the actor may use. Raises NotFound."""
    found = _seen(uow, _rows(uow).where(SavedSearch.uuid == uuid))
    if not found:
        raise NotFound
    return found[0]


def own(uow: UnitOfWork, uuid: UUID) -> Saved:
    """One of the actor's own, which nobody else may change. Raises NotFound, Forbidden."""
    saved = one(uow, uuid)
    if not saved.own:
        raise Forbidden
    return saved


def pinned(uow: UnitOfWork) -> list[Saved]:
    """What the actor keeps on the workbench, by its name."""
    found = _seen(uow, _rows(uow).where(SearchFollow.pinned.is_(True)).limit(MOST_PINNED))
    return sorted(found, key=lambda saved: sort_key(saved.name))


def tallied(uow: UnitOfWork) -> list[tuple[Saved, Tally | None]]:
    """What the actor keeps on the workbench, with how many places each finds for them: several searches, and one event."""
    if found := pinned(uow):
        uow.read(Event("search.tallied", words={"searches": [str(saved.uuid) for saved in found]}))
    allowed = uow.site.access_map.allowed(uow)
    return [(saved, hits.tally(uow, saved.question, allowed)) for saved in found]


def some(uow: UnitOfWork, ids: Iterable[int]) -> dict[int, Saved]:
    """Those among `ids` that the actor may use, by id."""
    return {saved.id: saved for saved in _seen(uow, _rows(uow).where(SavedSearch.id.in_(list(ids))))}


def _rows(uow: UnitOfWork) -> Select[SavedSearch, SearchFollow, str, bool]:
    follows = (SearchFollow.search_id == SavedSearch.id) & (SearchFollow.person_id == uow.actor.principal_id)
    left = SavedSearch.owner_id.not_in(actors.who_hold(P.DISCOVER, uow.now))
    return (
        select(SavedSearch, SearchFollow, Principal.name, left)
        .join(Principal, Principal.id == SavedSearch.owner_id)
        .outerjoin(SearchFollow, follows)
        .where(within_reach(uow))
        .order_by(SavedSearch.id)
    )


def _seen(uow: UnitOfWork, statement: Select[SavedSearch, SearchFollow, str, bool]) -> list[Saved]:
    rows = uow.session.execute(statement, execution_options=TRUSTED).all()
    return [_saved(uow, row, follow, owner, left=left) for row, follow, owner, left in rows]


def _saved(
    uow: UnitOfWork, row: SavedSearch, follow: SearchFollow | None, owner: str, *, left: bool
) -> Saved:
    words = json.loads(uow.site.keys.decrypt("detail-enc", row.sealed))
    return Saved(
        row, words["name"], questions.again(uow, words), owner, row.owner_id == uow.actor.principal_id, row.audience,
        bool(follow and follow.pinned), bool(follow and follow.subscribed), left,
    )  # fmt: skip


def audiences(uow: UnitOfWork, present: str = PRIVATE) -> dict[str, str]:
    """With whom the actor may share: nobody, their departments, the people of a role, everybody who may search; and
    with whom they share at `present`, though they may have left that department."""
    departments = actors.department_names(uow.session)
    own = {f"dept:{dept}": departments[dept] for dept in sorted(uow.actor.departments) if dept in departments}
    roles = {f"role:{name}": str(role.title) for name, role in ROLES.items() if name in CONTENT_ROLES}
    found = {PRIVATE: _("Only myself"), **own, **roles, EVERYBODY: _("Everybody who may search")}
    return found if present in found else {present: audience_label(uow, present), **found}


def audience_label(uow: UnitOfWork, audience: str) -> str:
    """An audience in words, also one with which the actor could not share."""
    kind, _colon, value = audience.partition(":")
    if kind == "dept":
        return actors.department_names(uow.session).get(int(value), "")
    return audiences(uow).get(audience, "")


# Changing


@action("saved_search.saved", needs=P.DISCOVER)
def save(uow: UnitOfWork, question: Question, *, name: str, audience: str) -> SavedSearch:
    """Keeps a search under a name. Raises Invalid, Conflict where there are too many."""
    if not question:
        raise Invalid(_("Search for something first, then save it."))
    room_for_one_more(uow)
    row = SavedSearch(
        owner_id=uow.actor.principal_id, audience=_checked(uow, question, name, audience), created_at=uow.now,
        sealed=_sealed(uow, _named(name), question),
    )  # fmt: skip
    uow.session.add(row)
    uow.session.flush()
    uow.about(row)
    uow.note(audience=audience)
    return row


@action("saved_search.changed", needs=P.DISCOVER)
def change(uow: UnitOfWork, row: SavedSearch, *, question: Question, name: str, audience: str) -> None:
    """Gives one's own another name or shares it otherwise; what it asks stays. Raises Invalid, Forbidden."""
    _mine(uow, row)
    uow.note(audience=audience, before=row.audience)
    row.audience = _checked(uow, question, name, audience, row.audience)
    row.sealed = _sealed(uow, _named(name), question)


@action("saved_search.removed", needs=P.DISCOVER)
def remove(uow: UnitOfWork, row: SavedSearch) -> None:
    """Deletes one's own, and with it what others have of it. Raises Forbidden."""
    _mine(uow, row)
    uow.note(audience=row.audience)
    uow.session.delete(row)


def room_for_one_more(uow: UnitOfWork) -> None:
    """Raises Conflict where the actor owns as many as anybody may."""
    count = select(func.count(SavedSearch.id)).where(SavedSearch.owner_id == uow.actor.principal_id)
    if (uow.session.scalar(count, execution_options=TRUSTED) or 0) >= MOST:
        raise Conflict(_("You have %(num)d saved searches. Delete one that you no longer need.", num=MOST))


def _mine(uow: UnitOfWork, row: SavedSearch) -> None:
    if row.owner_id != uow.actor.principal_id:
        raise Forbidden


def _named(name: str) -> str:
    cleaned = clean(name)
    if not cleaned:
        raise Invalid(fields={"name": _("Give it a name.")})
    if len(cleaned) > LONGEST:
        raise Invalid(fields={"name": _("At most %(most)s characters.", most=LONGEST)})
    return cleaned


def _sealed(uow: UnitOfWork, name: str, question: Question) -> bytes:
    return uow.site.keys.encrypt("detail-enc", canonical({"name": name, **question.kept()}))


def _checked(uow: UnitOfWork, question: Question, name: str, audience: str, present: str = PRIVATE) -> str:
    if audience not in audiences(uow, present):
        raise Invalid(fields={"audience": _("Choose one of the list.")})
    if audience != PRIVATE and any(naming.names_a_patient(uow, words) for words in (question.text, name)):
        raise Invalid(
            fields={
                "audience": _(
                    "Its name or its words name a patient: whoever it is shared with would read that. Keep it to yourself."
                )
            }
        )
    return audience


def sealed_ids(uow: UnitOfWork, ids: Sequence[int] | set[int]) -> bytes:
    """Ids of what a search has found, as they are kept."""
    return uow.site.keys.encrypt("detail-enc", json.dumps(sorted(ids)))


def opened_ids(uow: UnitOfWork, sealed: bytes) -> set[int]:
    return set(json.loads(uow.site.keys.decrypt("detail-enc", sealed)))
