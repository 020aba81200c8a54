"""每日汇总: once a day each subscriber is told what their saved searches find that they had not found before.

Each search is run as the person, with the rights of that moment: who has left or lost their rights is told nothing.
"""

from dataclasses import dataclass, field
from datetime import date
from threading import Event
from typing import Any

from sqlalchemy import or_, select

from archive import journal
from archive.actor import Actor
from archive.errors import ArchiveError
from archive.models import SearchFollow
from archive.policy.permissions import P
from archive.services import actors, calendar, hits, notices, policies, queue, saved_searches
from archive.services.saved_searches import opened_ids, sealed_ids
from archive.site import Site
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "digest", "populate_existing": True}
REMEMBERED = 5 * hits.FOLLOWED
"""Files that stay known: what falls behind the newest hits and comes back is not new."""


@dataclass
class Looks:
    """What the subscriptions of one person find now; `waiting`: those for which the index cannot be asked just now."""

    found: dict[int, set[int]] = field(default_factory=dict)
    waiting: set[int] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    """The searches that were run, by their uuid."""
    left: bool = False
    """Whether the worker was asked to stop before all were run."""


def daily(site: Site, leaving: Event | None = None) -> int:
    """Tells whoever is due and has not been told today; gives how many people were looked after.

    With `leaving` set it ends after the search under way: whoever is looked after only in part is told later.
    """
    with site.uow(Actor.system("digest"), readonly=True) as uow:
        people = _due(uow) if _is_time(uow) else []
    for person in people:
        if leaving and leaving.is_set():
            break
        try:
            _look_after(site, person, leaving)
        except Exception as error:  # noqa: BLE001 - one person's searches must not keep everybody else waiting
            queue.tell("digest.error", person=person, **queue.described(error))
    return len(people)


def _is_time(uow: UnitOfWork) -> bool:
    """Whether the hour of the digest has come, on a day on which there is one."""
    rule = policies.in_force(uow, "digest").body["daily"]
    if rule["working_days_only"] and not calendar.of(uow).works(uow.today):
        return False
    return uow.local(uow.now).hour >= int(rule["hour"])


def _waiting(today: date) -> Any:
    return SearchFollow.subscribed & or_(SearchFollow.looked_on.is_(None), SearchFollow.looked_on < today)


def _due(uow: UnitOfWork) -> list[int]:
    people = (
        select(SearchFollow.person_id).where(_waiting(uow.today)).distinct().order_by(SearchFollow.person_id)
    )
    return list(uow.session.scalars(people, execution_options=TRUSTED))


def _look_after(site: Site, person: int, leaving: Event | None) -> None:
    """One person: looks as they would, and then, in one transaction, keeps what was seen and tells them."""
    with site.session(readonly=True) as session:
        actor = actors.load(session, person, site.clock())
    looks = _looks(site, actor, leaving) if actor else Looks()
    if looks.left:
        return
    if actor and looks.asked:
        asked = journal.Event(
            "search.digested",
            object_kind="user",
            object_id=person,
            object_ref=actor.account,
            words={"searches": looks.asked},
        )
        site.record_read(asked, Actor.system("digest"), journal.Origin())
    site.run(Actor.system("digest"), lambda uow: _note(uow, person, looks))


def _looks(site: Site, actor: Actor, leaving: Event | None) -> Looks:
    looks = Looks()
    if P.DISCOVER not in actor.anywhere:
        return looks
    with site.uow(actor, readonly=True) as uow:
        mine = SearchFollow.person_id == actor.principal_id
        rows = select(SearchFollow.id, SearchFollow.search_id).where(mine, _waiting(uow.today))
        follows = uow.session.execute(rows, execution_options=TRUSTED).all()
    for follow, search in follows:
        if leaving and leaving.is_set():
            looks.left = True
            break
        try:
            # A transaction each: what breaks one on PostgreSQL breaks all that is asked in it.
            with site.uow(actor, readonly=True) as uow:
                _look(uow, follow, search, looks)
        except Exception as error:  # noqa: BLE001 - one search must not keep the others of its subscriber waiting
            queue.tell("digest.error", person=actor.principal_id, search=search, **queue.described(error))
    return looks


def _look(uow: UnitOfWork, follow: int, search: int, looks: Looks) -> None:
    known = saved_searches.some(uow, [search])
    if search not in known:
        return
    looks.asked.append(str(known[search].uuid))
    try:
        files = hits.files(uow, known[search].question)
    except ArchiveError:  # too slow, or not understood any longer: the page of the search says so
        return
    if files is None:
        looks.waiting.add(follow)
    else:
        looks.found[follow] = files


def _note(uow: UnitOfWork, person: int, looks: Looks) -> None:
    """The subscriptions are locked and read again: another worker may have been quicker.

    A search that failed is looked for again with the next digest, and not with the next round of the worker.
    """
    mine = select(SearchFollow).where(SearchFollow.person_id == person, _waiting(uow.today)).with_for_update()
    new: dict[int, set[int]] = {}
    for follow in uow.session.scalars(mine, execution_options=TRUSTED).all():
        if follow.id in looks.waiting:
            continue
        follow.looked_on = uow.today
        if follow.id in looks.found:
            files, seen = looks.found[follow.id], _seen(uow, follow)
            if seen is not None and (fresh := files - seen):
                new[follow.search_id] = fresh
            follow.seen = sealed_ids(uow, _remembered(files, seen or set()))
    if new:
        notices.found(uow, person, new)


def _seen(uow: UnitOfWork, follow: SearchFollow) -> set[int] | None:
    """What it has found before; nothing where that is not known or cannot be read: then it begins anew."""
    try:
        return opened_ids(uow, follow.seen) if follow.seen else None
    except ValueError as error:
        queue.tell("digest.error", person=follow.person_id, search=follow.search_id, **queue.described(error))
        return None


def _remembered(files: set[int], seen: set[int]) -> list[int]:
    return [*files, *sorted(seen - files, reverse=True)[: REMEMBERED - len(files)]]
