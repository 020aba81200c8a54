"""Working days: Monday to Friday, unless the hospital's calendar says otherwise (domain §5.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from archive.models import CalendarDay
from archive.uow import UnitOfWork

SATURDAY = 5
DAY = timedelta(days=1)
LAST_SECOND = time(23, 59, 59)


@dataclass(frozen=True)
class WorkingCalendar:
    """工作日历: the weekdays, and the days that are not what their weekday says: holidays, working weekends 调休."""

    exceptions: Mapping[date, bool]

    def works(self, day: date) -> bool:
        return self.exceptions.get(day, day.weekday() < SATURDAY)

    def add(self, day: date, n: int) -> date:
        """The n-th working day after `day`, which is day 0 whatever it is. Raises ValueError for a negative n."""
        if n < 0:
            raise ValueError("working days are counted forwards")
        while n:
            day += DAY
            n -= self.works(day)
        return day

    def between(self, start: date, end: date) -> int:
        """How many working days come after `start`, up to and with `end`; none when `end` is not later."""
        return sum(self.works(start + DAY * n) for n in range(1, (end - start).days + 1))


def of(uow: UnitOfWork) -> WorkingCalendar:
    """The hospital's calendar, read once a transaction: some thirty rows a year."""
    kept: WorkingCalendar | None = uow.session.info.get("calendar")
    if kept is None:
        rows = uow.session.scalars(select(CalendarDay))
        kept = uow.session.info["calendar"] = WorkingCalendar({row.day: row.works for row in rows})
    return kept


def add_working_days(uow: UnitOfWork, day: date, n: int) -> date:
    """The n-th working day after `day`."""
    return of(uow).add(day, n)


def working_days_between(uow: UnitOfWork, start: date, end: date) -> int:
    """How many working days come after `start`, up to and with `end`."""
    return of(uow).between(start, end)


def day_of(uow: UnitOfWork, moment: datetime) -> date:
    """The date in the hospital at `moment`."""
    return moment.astimezone(ZoneInfo(uow.site.settings.timezone)).date()


def begin_of(uow: UnitOfWork, day: date) -> datetime:
    """The first moment of `day` in the hospital."""
    return datetime.combine(day, time.min, ZoneInfo(uow.site.settings.timezone)).astimezone(UTC)


def end_of(uow: UnitOfWork, day: date) -> datetime:
    """The last second of `day` in the hospital: whatever is due on a day is due then."""
    return datetime.combine(day, LAST_SECOND, ZoneInfo(uow.site.settings.timezone)).astimezone(UTC)


def due(uow: UnitOfWork, day: date, n: int) -> datetime:
    """When something is due that must be done within n working days after `day`."""
    return end_of(uow, add_working_days(uow, day, n))
