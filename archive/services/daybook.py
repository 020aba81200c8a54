"""The day in the journals, in numbers: readings by the hour, who, what was refused, what was taken away."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, distinct, func, or_, select

from archive.journal import READS
from archive.models import ReadEvent
from archive.policy.permissions import P
from archive.services.audit import reading
from archive.uow import UnitOfWork


@dataclass(frozen=True)
class Day:
    """当日概况: counts of readings since midnight in the hospital; `hours` has one number an hour."""

    hours: list[int]
    people: int
    refused: int
    exported: int
    until: datetime

    @property
    def total(self) -> int:
        return sum(self.hours)


def today(uow: UnitOfWork) -> Day:
    """The present day, in one statement over its events. Needs audit.view."""
    uow.require(P.AUDIT_VIEW)
    midnight = datetime.combine(uow.today, time.min, ZoneInfo(uow.site.settings.timezone)).astimezone(UTC)
    starts = [midnight + timedelta(hours=hour) for hour in range(25)]
    by_hour = [
        func.coalesce(func.sum(case((and_(ReadEvent.at >= start, ReadEvent.at < end), 1), else_=0)), 0)
        for start, end in pairwise(starts)
    ]
    refused = func.coalesce(func.sum(case((ReadEvent.result != "ok", 1), else_=0)), 0)
    taken = or_(ReadEvent.action.contains("export"), ReadEvent.action.contains("print"))
    exported = func.coalesce(func.sum(case((taken, 1), else_=0)), 0)
    statement = select(*by_hour, func.count(distinct(ReadEvent.actor_id)), refused, exported)
    with reading(uow.site, READS) as session:
        *hours, people, denied, out = session.execute(statement.where(ReadEvent.at >= midnight)).one()
    return Day([int(count) for count in hours], int(people), int(denied), int(out), uow.now)
