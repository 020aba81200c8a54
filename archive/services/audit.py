"""The journals as the log auditor reads them: codes and identifiers, never a title or a patient's name."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from archive import cursor
from archive.errors import Invalid
from archive.i18n import _
from archive.journal import CHANGES, JOURNALS, READS, Journal
from archive.models import Principal, User
from archive.policy.permissions import P
from archive.services import trails
from archive.services.trails import Trail
from archive.site import Site
from archive.uow import SIGNED_IN, UnitOfWork

PAGE = 50
CAP = 1_000
LATEST = timedelta(days=30)
"""How far back a list goes that names neither person, patient nor record, unless it says from which day: an act is
asked for by the beginning of its code, and an index of act and time would sort a year's readings for its first page."""
MOST_EXPORTED = 100_000
RANK = {CHANGES.name: 0, READS.name: 1}


@dataclass(frozen=True)
class Filters:
    """筛选. `patient` is a 病案号 or the code of a patient, `record` an archival number, a barcode or a uuid."""

    person: str = ""
    patient: str = ""
    record: str = ""
    action: str = ""
    result: str = ""
    start: date | None = None
    end: date | None = None
    book: str = ""
    lists: bool = False
    """For a record: also the lists in which it was shown."""

    @property
    def names_somebody(self) -> bool:
        return bool(self.person or self.patient or self.record)


@dataclass(frozen=True)
class Line:
    """One event: who, as what, did what, to which code, from where, with which outcome."""

    book: str
    id: int
    at: datetime
    actor: str
    name: str
    roles: list[str]
    action: str
    result: str
    object_kind: str | None
    object_ref: str | None
    patient: str | None
    shown: int
    address: str | None


@dataclass(frozen=True)
class Found:
    """One page of the journals; `total` is honest up to the cap."""

    lines: list[Line]
    total: int
    capped: bool
    next: str | None
    filters: Filters
    unknown: str = ""
    """What the filters name and nobody knows."""


@contextmanager
def reading(site: Site, book: Journal) -> Iterator[Session]:
    """A session that cannot write: on SQLite one that could would keep everybody's readings waiting."""
    if book is CHANGES:
        with site.session(readonly=True) as session:
            yield session
        return
    lite = site.journal_engine.dialect.name == "sqlite"
    options = {"readonly": True} if lite else {"postgresql_readonly": True}
    with Session(site.journal_engine.execution_options(**options)) as session:
        yield session


@dataclass
class _Asked:
    """What the filters mean: who, which patient, which things."""

    actors: list[int] | None = None
    system: str | None = None
    patient: str | None = None
    trail: Trail | None = None
    unknown: str = ""
    since: datetime | None = None
    until: datetime | None = None
    more: Filters = field(default_factory=Filters)


def listing(uow: UnitOfWork, filters: Filters, *, after: str | None = None) -> Found:
    """One page of both journals, newest first; of one record, oldest first. Needs audit.view."""
    uow.require(P.AUDIT_VIEW)
    return _page(uow, _understood(uow, filters), after)


def own(uow: UnitOfWork, filters: Filters, *, after: str | None = None) -> Found:
    """One's own acts and readings, newest first: for everybody."""
    uow.require(SIGNED_IN)
    mine = Filters(action=filters.action, start=filters.start, end=filters.end, person=uow.actor.account)
    asked = _Asked(actors=[uow.actor.principal_id or 0], more=mine)
    _bound(uow, asked)
    return _page(uow, asked, after)


def export(uow: UnitOfWork, filters: Filters) -> list[Line]:
    """Every event of a list. Raises Invalid for more than a spreadsheet should hold. Needs audit.export."""
    uow.require(P.AUDIT_EXPORT)
    asked = _understood(uow, filters)
    lines = _lines(uow, asked, None, MOST_EXPORTED + 1)
    if len(lines) > MOST_EXPORTED:
        raise Invalid(_("More than 100,000 events. Narrow the time, and export in several parts."))
    return lines


def _understood(uow: UnitOfWork, filters: Filters) -> _Asked:
    asked = _Asked(more=filters)
    if text := filters.person.strip():
        asked.system = text if text.startswith("system:") else None
        asked.actors = None if asked.system else _people(uow, text)
        asked.unknown = text if asked.actors == [] else asked.unknown
    if text := filters.patient.strip():
        known_by_code = len(text) == 64 and not text.isdigit()
        asked.patient = text.lower() if known_by_code else uow.site.keys.identity_hash(text)
    if text := filters.record.strip():
        asked.trail = trails.of(uow, text, with_lists=filters.lists)
        asked.unknown = asked.unknown or ("" if asked.trail.is_known else text)
    _bound(uow, asked)
    return asked


def _people(uow: UnitOfWork, text: str) -> list[int]:
    """By account, staff number or name; two may have one name."""
    statement = select(User.id).join(Principal, Principal.id == User.id)
    named = or_(User.account == text.lower(), User.staff_no == text, Principal.name == text)
    return list(uow.session.scalars(statement.where(named)))


def _bound(uow: UnitOfWork, asked: _Asked) -> None:
    zone, more = ZoneInfo(uow.site.settings.timezone), asked.more
    try:
        if more.start:
            asked.since = datetime.combine(more.start, time.min, zone).astimezone(UTC)
        elif not more.names_somebody:
            asked.since = uow.now - LATEST
        if more.end:
            asked.until = datetime.combine(more.end + timedelta(days=1), time.min, zone).astimezone(UTC)
    except OverflowError as error:  # the first day of the year 1, the last of 9999
        raise Invalid(_("This day is out of range. Choose another one.")) from error


def _page(uow: UnitOfWork, asked: _Asked, after: str | None) -> Found:
    purpose = f"audit:{asked.more}"
    begin = cursor.unpack(uow.site.keys, purpose, after)
    lines = _lines(uow, asked, begin, PAGE + 1)
    more, rows = len(lines) > PAGE, lines[:PAGE]
    last = [rows[-1].at, RANK[rows[-1].book], rows[-1].id] if more else None
    onward = cursor.pack(uow.site.keys, purpose, last) if last else None
    total = sum(_count(uow, asked, book) for book in _books(asked))
    return Found(rows, min(total, CAP), total > CAP, onward, asked.more, asked.unknown)


def _books(asked: _Asked) -> list[Journal]:
    return [book for book in JOURNALS if asked.more.book in ("", book.name)]


def _count(uow: UnitOfWork, asked: _Asked, book: Journal) -> int:
    few = _selected(asked, book).with_only_columns(book.event.id).limit(CAP + 1).subquery()
    with reading(uow.site, book) as session:
        return session.scalar(select(func.count()).select_from(few)) or 0


def _lines(uow: UnitOfWork, asked: _Asked, begin: list[Any] | None, most: int) -> list[Line]:
    """The events of both journals in one order: by time, then journal, then number."""
    rising = asked.trail is not None
    found = [_of_book(uow, asked, book, begin, most) for book in _books(asked)]
    rows = list(islice(merge(*found, key=lambda row: row[0], reverse=not rising), most))
    names = _names(uow, {event.actor_id for _key, _book, event in rows if event.actor_id})
    return [_line(book, event, names) for _key, book, event in rows]


def _of_book(uow: UnitOfWork, asked: _Asked, book: Journal, begin: list[Any] | None, most: int) -> list[Any]:
    event, rising = book.event, asked.trail is not None
    statement = _selected(asked, book)
    if begin is not None:
        statement = statement.where(_beyond(event, RANK[book.name], begin, rising=rising))
    order = (event.at, event.id) if rising else (event.at.desc(), event.id.desc())
    with reading(uow.site, book) as session:
        rows = session.scalars(statement.order_by(*order).limit(most)).all()
    return [((row.at, RANK[book.name], row.id), book.name, row) for row in rows]


def _beyond(event: Any, rank: int, begin: list[Any], *, rising: bool) -> ColumnElement[bool]:
    at, last_rank, number = begin
    further = event.at > at if rising else event.at < at
    if rank == last_rank:
        return or_(further, and_(event.at == at, event.id > number if rising else event.id < number))
    behind = rank > last_rank if rising else rank < last_rank
    return or_(further, event.at == at) if behind else further


def _selected(asked: _Asked, book: Journal) -> Select[Any]:
    event, more = book.event, asked.more
    conditions: list[ColumnElement[bool]] = []
    if asked.actors is not None:
        conditions.append(event.actor_id.in_(asked.actors))
    if asked.system is not None:
        conditions.append(event.actor == asked.system)
    if asked.patient is not None:
        conditions.append(event.patient_hash == asked.patient)
    if asked.trail is not None:
        conditions.append(asked.trail.clause(event))
    if more.action:
        conditions.append(event.action.startswith(more.action.strip(), autoescape=True))
    if more.result:
        conditions.append(event.result == more.result)
    if asked.since is not None:
        conditions.append(event.at >= asked.since)
    if asked.until is not None:
        conditions.append(event.at < asked.until)
    return select(event).where(*conditions)


def _names(uow: UnitOfWork, ids: set[int]) -> dict[int, str]:
    """The names of staff: those who act are named, those they act on are not."""
    known = select(Principal.id, Principal.name).where(Principal.id.in_(ids))
    return dict(uow.session.execute(known).all())


def _line(book: str, event: Any, names: dict[int, str]) -> Line:
    return Line(
        book, event.id, event.at, event.actor, names.get(event.actor_id or 0, ""), event.roles.split(), event.action,
        event.result, event.object_kind, event.object_ref, event.patient_hash, len(event.shown or ()), event.address,
    )  # fmt: skip
