"""What people of the hospital did, and when: noted in any order, carried out in the order of the clock.

Each sitting of a person is one transaction, at its own moment: every date, number and line of the journals is then
what the services themselves have made of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import groupby
from random import Random
from zoneinfo import ZoneInfo

from archive.actor import Actor
from archive.services import actors
from archive.services.calendar import WorkingCalendar
from archive.site import Site
from archive.uow import UnitOfWork

DAY = timedelta(days=1)

Act = Callable[[UnitOfWork], object]
Errand = Callable[[Site], object]
Told = Callable[[int, int], None]


@dataclass
class Clock:
    """The clock of the story: it stands where the story is."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Days:
    """The working days up to today, by the hospital's own calendar."""

    calendar: WorkingCalendar
    zone: ZoneInfo
    now: datetime

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def on(self, day: date) -> date:
        """The day itself, or the next one on which the offices work."""
        while not self.calendar.works(day):
            day += DAY
        return day

    def after(self, day: date, working_days: int) -> date:
        return self.calendar.add(day, working_days)

    def ago(self, working_days: int) -> date:
        """So many working days before today; 1 is the last one."""
        day = self.today
        while working_days:
            day -= DAY
            working_days -= self.calendar.works(day)
        return day

    def moment(self, day: date, hour: float) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC) + timedelta(hours=hour)


@dataclass(frozen=True)
class Entry:
    """One act in the diary, or an errand of the program itself; what falls on one moment keeps its order."""

    at: datetime
    account: str
    act: Act | None = None
    errand: Errand | None = None


@dataclass
class Diary:
    """日志: all acts of the story, those after its end left out."""

    days: Days
    entries: list[Entry] = field(default_factory=list)

    def note(self, day: date, hour: float, account: str, act: Act) -> None:
        """Somebody did this on that day, some minutes after that hour. What would lie in the future is left out."""
        self._keep(day, hour, Entry(self.days.now, account, act=act))

    def errand(self, day: date, hour: float, errand: Errand) -> None:
        """What the program did by itself, in transactions of its own."""
        self._keep(day, hour, Entry(self.days.now, "", errand=errand))

    def _keep(self, day: date, hour: float, entry: Entry) -> None:
        minute = Random(f"{day} {hour} {entry.account}").randrange(28)
        at = self.days.moment(day, hour) + timedelta(minutes=minute, seconds=minute * 7 % 60)
        if at < self.days.now:
            self.entries.append(replace(entry, at=at))

    def play(self, site: Site, clock: Clock, told: Told) -> None:
        """Carries everything out, each sitting of a person in one transaction. `told` hears how far the story is."""
        actor, done = cache(lambda account: _actor(site, account)), 0
        in_order = sorted(self.entries, key=lambda entry: entry.at)
        for (at, account), group in groupby(in_order, key=lambda entry: (entry.at, entry.account)):
            clock.now, sitting = at, list(group)
            if acts := [entry.act for entry in sitting if entry.act]:
                with site.uow(actor(account)) as uow:
                    for act in acts:
                        act(uow)
            for errand in (entry.errand for entry in sitting if entry.errand):
                errand(site)
            done += len(sitting)
            told(done, len(in_order))
        clock.now = self.days.now


def _actor(site: Site, account: str) -> Actor:
    with site.session(readonly=True) as session:
        found = actors.by_account(session, account, site.clock())
    if found is None:
        raise LookupError(f"nobody signs in as {account}")
    return found
