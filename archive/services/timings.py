"""检索用时: how long searches took, by their shape; neither the words nor who asked are kept with it, and so cannot be seen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select

from archive.journal import READS, Cost
from archive.models import SearchTime
from archive.policy.permissions import P
from archive.services import audit
from archive.site import Site
from archive.uow import UnitOfWork
from index import And, Field, Not, Or, Phrase, Query, Range, Said, Term

SEARCHES = "search.run"
DAYS = 7
SLOWEST = 20
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Slow:
    """A search that took long: to the minute when, how many milliseconds, and what it was like."""

    at: datetime
    took: int
    kind: str
    shape: Mapping[str, Any]


@dataclass(frozen=True)
class Day:
    """The searches of one day in the hospital: how many, and what half and nineteen of twenty took at most; milliseconds."""

    day: date
    count: int
    half: int | None
    nearly_all: int | None


def cost(since: float, query: Query, filters: Mapping[str, object], order: str, **more: bool) -> Cost:
    """What a search took since that reading of the clock, with its shape and without any word of it."""
    parts = [(part, field) for part, field in _parts(query, None) if field not in filters]
    shape = {
        "words": sum(isinstance(part, Term) for part, _field in parts),
        "phrase": any(isinstance(part, Phrase) for part, _field in parts),
        "either": any(isinstance(part, Or | Said) for part, _field in parts),
        "without": any(isinstance(part, Not) for part, _field in parts),
        "fields": sorted({field for _part, field in parts if field}), "filters": sorted(filters), "sort": str(order),
    }  # fmt: skip
    return took(since, shape | more)


def took(since: float, shape: Mapping[str, object]) -> Cost:
    """Milliseconds since that reading of the clock; of the shape, only what is so."""
    return Cost(
        round((perf_counter() - since) * 1000), {name: value for name, value in shape.items() if value}
    )


def _parts(query: Query, within: str | None) -> Iterator[tuple[Query, str | None]]:
    """Every part of a query, with the field that it is asked of."""
    match query:
        case And() | Or() | Said():
            yield query, within
            for part in query.parts:
                yield from _parts(part, within)
        case Not(part):
            yield query, within
            yield from _parts(part, within)
        case Field(name, part):
            yield from _parts(part, name)
        case Range(name):
            yield query, name
        case _:
            yield query, within


def slowest(uow: UnitOfWork) -> list[Slow]:
    """The searches of the last days that took longest, the longest first. Needs system.operate."""
    uow.require(P.OPERATE)
    since = uow.now - timedelta(days=DAYS)
    statement = select(SearchTime).where(SearchTime.at >= since)
    with audit.reading(uow.site, READS) as session:
        rows = session.scalars(
            statement.order_by(SearchTime.took.desc(), SearchTime.at.desc(), SearchTime.id).limit(SLOWEST)
        )
        return [Slow(row.at, row.took, row.kind, row.shape) for row in rows]


def days(uow: UnitOfWork) -> list[Day]:
    """Today and the days before it, as far as anybody searched. Needs system.operate."""
    uow.require(P.OPERATE)
    each = (of_day(uow.site, uow.today - timedelta(days=ago)) for ago in range(DAYS))
    return [day for day in each if day.count]


def of_day(site: Site, day: date) -> Day:
    """The searches of one day; numbers alone."""
    zone = ZoneInfo(site.settings.timezone)
    begin = datetime.combine(day, time.min, zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
    these = (SearchTime.kind == SEARCHES, SearchTime.at >= begin, SearchTime.at < end)
    rising = select(SearchTime.took).where(*these).order_by(SearchTime.took).limit(1)
    with audit.reading(site, READS) as session:
        count = session.scalar(select(func.count(SearchTime.id)).where(*these)) or 0
        half, nearly_all = (
            session.scalar(rising.offset(max(0, -(-count * share // 100) - 1))) for share in (50, 95)
        )
    return Day(day, count, half, nearly_all)


def forget(site: Site) -> None:
    """Lets go of what is older than a month: it says nothing of how the archive does now."""
    with site.journal() as session:
        session.execute(delete(SearchTime).where(SearchTime.at < site.clock() - KEPT))
