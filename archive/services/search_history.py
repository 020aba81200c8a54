"""检索历史: the searches that somebody ran of late, for nobody but themselves.

It is drawn from the journal of reads, where every search stands anyway, its words encrypted. There is no second store:
what is kept here is only what one does not want to be shown again. The journal itself forgets nothing.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from archive.db import canonical
from archive.journal import READS
from archive.models import ReadDetail, ReadEvent, SearchHistory
from archive.services import audit, questions
from archive.services.questions import Question
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "search history"}
FRESH: Any = {"populate_existing": True}
KEPT = timedelta(days=30)
"""An older search is no help to one's memory; to the auditor it stays."""
MOST = 50
"""Searches on the page, each once: more would have to be searched itself."""
LOOKED_THROUGH = 400
"""Events that are decrypted for it: a search is run some times over, page by page."""


@dataclass(frozen=True)
class Entry:
    """A search that was run, once or several times; `id`: the newest event of it."""

    id: int
    at: datetime
    question: Question
    times: int


def is_kept(uow: UnitOfWork) -> bool:
    """Whether the actor wants to be shown what they searched for."""
    mark = _mark(uow)
    return mark is None or mark.kept


def recent(uow: UnitOfWork, most: int = MOST) -> list[Entry]:
    """The actor's own searches, the newest first, each once. Nobody can ask for somebody else's."""
    mark = _mark(uow) or SearchHistory(kept=True, since=None, forgotten=[])
    if not mark.kept:
        return []
    since = max(uow.now - KEPT, mark.since) if mark.since else uow.now - KEPT
    with audit.reading(uow.site, READS) as journal:
        ran = _read(uow, journal, _own(uow).where(ReadEvent.at > since).limit(LOOKED_THROUGH))
        over = _read(uow, journal, _own(uow).where(ReadEvent.id.in_(mark.forgotten)))
    forgotten: dict[str, int] = {}
    for number, _at, words in over:
        key = _key(words)
        forgotten[key] = max(number, forgotten.get(key, 0))
    return _grouped(uow, [each for each in ran if each[0] > forgotten.get(_key(each[2]), 0)])[:most]


Ran = tuple[int, datetime, dict[str, Any]]


def _own(uow: UnitOfWork) -> Select[int, datetime, bytes]:
    return (
        select(ReadEvent.id, ReadEvent.at, ReadDetail.sealed)
        .join(ReadDetail, ReadDetail.event_id == ReadEvent.id)
        .where(ReadEvent.actor_id == uow.actor.principal_id, ReadEvent.action == "search.run")
        .order_by(ReadEvent.at.desc(), ReadEvent.id.desc())
    )


def _read(uow: UnitOfWork, journal: Session, statement: Select[int, datetime, bytes]) -> list[Ran]:
    keys = uow.site.keys
    return [(number, at, json.loads(keys.decrypt("detail-enc", sealed)))
            for number, at, sealed in journal.execute(statement)]  # fmt: skip


def _key(words: dict[str, Any]) -> str:
    """By what two searches are the same."""
    return canonical([words.get("query"), words.get("filters") or {}])


def _grouped(uow: UnitOfWork, ran: list[Ran]) -> list[Entry]:
    found: dict[str, Entry] = {}
    for number, at, words in ran:
        key = _key(words)
        if known := found.get(key):
            found[key] = Entry(known.id, known.at, known.question, known.times + 1)
        else:
            beside = {name: str(value) for name, value in (words.get("filters") or {}).items()}
            found[key] = Entry(number, at, questions.of(uow, str(words.get("query", "")), beside), 1)
    return [entry for entry in found.values() if entry.question]


def forget(uow: UnitOfWork, number: int) -> None:
    """One's own search of this event is not shown again, until it is run once more. Other people's numbers do nothing."""
    with audit.reading(uow.site, READS) as journal:
        known = journal.scalar(_own(uow).with_only_columns(ReadEvent.id).where(ReadEvent.id == number))
        if known is None:
            return
        mark = _own_mark(uow)
        fresh = _own(uow).with_only_columns(ReadEvent.id).where(ReadEvent.at > uow.now - KEPT)
        still = set(journal.scalars(fresh.where(ReadEvent.id.in_(mark.forgotten))))
    mark.forgotten = sorted(still | {known})


def forget_all(uow: UnitOfWork) -> None:
    """Nothing that was run until now is shown again."""
    mark = _own_mark(uow)
    mark.since, mark.forgotten = uow.now, []


def keep(uow: UnitOfWork, *, on: bool) -> None:
    """Whether searches are shown from now on. What was run before, or while it was off, stays forgotten."""
    forget_all(uow)
    _own_mark(uow).kept = on


def _mark(uow: UnitOfWork) -> SearchHistory | None:
    return uow.session.get(SearchHistory, uow.actor.principal_id, execution_options=TRUSTED)


def _own_mark(uow: UnitOfWork) -> SearchHistory:
    """The actor's mark, locked and as it is now: what another window of theirs forgets meanwhile is not lost."""
    person = uow.actor.principal_id
    mine = select(SearchHistory).where(SearchHistory.person_id == person).with_for_update()
    mark = uow.session.scalar(mine, execution_options=TRUSTED | FRESH)
    if mark is None:
        with suppress(IntegrityError), uow.session.begin_nested():  # that window may have come before
            uow.session.add(SearchHistory(person_id=person, kept=True, since=None, forgotten=[]))
        mark = uow.session.scalars(mine, execution_options=TRUSTED | FRESH).one()
    return mark
