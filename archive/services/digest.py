"""每日汇总: once a day each subscriber is told what their saved searches find that they had not found before.

Each search is run as the person, with the rights of that moment: who has left or lost their rights is told nothing.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import or_, select

from archive.actor import Actor
from archive.errors import ArchiveError
from archive.models import SearchFollow
from archive.policy.permissions import P
from archive.services import actors, calendar, hits, notices, policies, queue, saved_searches
from archive.services.questions import Question
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


def daily(site: Site) -> int:
    """Tells whoever is due and has not been told today; gives how many people were looked after."""
    with site.uow(Actor.system("digest"), readonly=True) as uow:
        people = _due(uow) if _is_time(uow) else []
    for person in people:
        try:
            _look_after(site, person)
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


def _look_after(site: Site, person: int) -> None:
    """One person: looks as they would, and then, in one transaction, keeps what was seen and tells them."""
    with site.session(readonly=True) as session:
        actor = actors.load(session, person, site.clock())
    looks = _looks(site, actor) if actor else Looks()
    site.run(Actor.system("digest"), lambda uow: _note(uow, person, looks))


def _looks(site: Site, actor: Actor) -> Looks:
    looks = Looks()
    if P.DISCOVER not in actor.anywhere:
        return looks
    with site.uow(actor, readonly=True) as uow:
        mine = SearchFollow.person_id == actor.principal_id
        rows = select(SearchFollow.id, SearchFollow.search_id).where(mine, _waiting(uow.today))
        follows = uow.session.execute(rows, execution_options=TRUSTED).all()
        known = saved_searches.some(uow, [search for _follow, search in follows])
        for follow, search in follows:
            if search in known:
                _look(uow, follow, known[search].question, looks)
    return looks


def _look(uow: UnitOfWork, follow: int, question: Question, looks: Looks) -> None:
    try:
        files = hits.files(uow, question)
    except ArchiveError:  # too slow, or not understood any longer: the page of the search says so
        return
    if files is None:
        looks.waiting.add(follow)
    else:
        looks.found[follow] = files


def _note(uow: UnitOfWork, person: int, looks: Looks) -> None:
    """The subscriptions are locked and read again: another worker may have been quicker."""
    mine = select(SearchFollow).where(SearchFollow.person_id == person, _waiting(uow.today)).with_for_update()
    news: dict[int, int] = {}
    for follow in uow.session.scalars(mine, execution_options=TRUSTED).all():
        if follow.id in looks.waiting:
            continue
        follow.looked_on = uow.today
        if follow.id in looks.found:
            files, seen = looks.found[follow.id], opened_ids(uow, follow.seen) if follow.seen else None
            if seen is not None and (fresh := files - seen):
                news[follow.search_id] = len(fresh)
            follow.seen = sealed_ids(uow, _remembered(files, seen or set()))
    if news:
        notices.found(uow, person, news)


def _remembered(files: set[int], seen: set[int]) -> list[int]:
    return [*files, *sorted(seen - files, reverse=True)[: REMEMBERED - len(files)]]
