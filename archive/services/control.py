"""系统管理: how the archive is doing, and by which policies it works. Nothing of any record."""

import platform
import re
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from sqlalchemy import extract, func, select

from archive.models import CalendarDay, Session, Setting, User
from archive.policy.permissions import P
from archive.services import catalogue, codes, health, jobs, mailing, rulebook, viruses, watched
from archive.services.catalogue import Lag
from archive.services.codes import Listed
from archive.services.health import QUIET, Health
from archive.services.jobs import JobView
from archive.uow import UnitOfWork

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
FAILED = 8


@dataclass(frozen=True)
class Worker:
    """后台进程: when it was last heard from."""

    name: str
    seen_at: datetime
    is_alive: bool


@dataclass(frozen=True)
class Disk:
    """The disk on which the running data lies; sizes in bytes."""

    total: int
    free: int

    @property
    def used_percent(self) -> int:
        return round((self.total - self.free) * 100 / self.total) if self.total else 0


@dataclass(frozen=True)
class Span:
    """Days in a row of the calendar that are alike."""

    name: str
    first: date
    last: date
    works: bool


@dataclass(frozen=True)
class Panel:
    """All that the control panel shows."""

    health: Health
    workers: list[Worker]
    lag: Lag
    jobs: Mapping[str, int]
    failed: list[JobView]
    disk: Disk
    users: int
    disabled: int
    signed_in: int
    policies: list[rulebook.Version]
    calendar: list[Span]
    libraries: list[tuple[str, str]]
    database: str
    scanner: str
    watched: str
    codes: list[Listed]
    mail: mailing.State


def panel(uow: UnitOfWork) -> Panel:
    """The state of every part, at this moment."""
    rulebook.may_look(uow)
    operates = uow.can(P.OPERATE)
    usage = shutil.disk_usage(uow.site.settings.var)
    recent = uow.now - timedelta(minutes=uow.site.settings.idle_minutes)
    live = (
        Session.kind == "web",
        Session.ended_at.is_(None),
        Session.expires_at > uow.now,
        Session.seen_at > recent,
    )
    return Panel(
        health=health.check(uow.site, uow), workers=_workers(uow), lag=catalogue.lag(uow),
        jobs=jobs.tallies(uow) if operates else {},
        failed=jobs.everybodys(uow, "failed")[:FAILED] if operates else [], disk=Disk(usage.total, usage.free),
        users=_number(uow, User, User.disabled_at.is_(None)),
        disabled=_number(uow, User, User.disabled_at.is_not(None)),
        signed_in=_number(uow, Session, *live), policies=rulebook.overview(uow), calendar=calendar(uow, uow.today.year),
        libraries=libraries(), database=uow.site.engine.dialect.name,
        scanner=viruses.scanner(uow.site), watched=watched.counted(uow.site),
        codes=codes.listed(uow), mail=mailing.state(uow),
    )  # fmt: skip


def _number(uow: UnitOfWork, model: Any, *which: Any) -> int:
    return uow.session.scalar(select(func.count()).select_from(model).where(*which)) or 0


def _workers(uow: UnitOfWork) -> list[Worker]:
    """Every worker that has given a sign of life and was not forgotten, the latest first."""
    found = []
    for row in uow.session.scalars(select(Setting).where(Setting.name.like("worker.%"))):
        seen = datetime.fromisoformat(str(row.value))
        found.append(Worker(row.name.removeprefix("worker."), seen, uow.now - seen < QUIET))
    return sorted(found, key=lambda worker: worker.seen_at, reverse=True)


def calendar(uow: UnitOfWork, year: int) -> list[Span]:
    """The days of a year that are not what their weekday says: holidays, and weekends that are worked."""
    rulebook.may_look(uow)
    spans: list[Span] = []
    days = select(CalendarDay).where(extract("year", CalendarDay.day) == year).order_by(CalendarDay.day)
    for row in uow.session.scalars(days):
        last = spans[-1] if spans else None
        if last and (last.name, last.works, last.last + timedelta(days=1)) == (row.name, row.works, row.day):
            spans[-1] = Span(last.name, last.first, row.day, last.works)
        else:
            spans.append(Span(row.name, row.day, row.day, row.works))
    return spans


@lru_cache
def libraries() -> list[tuple[str, str]]:
    """Name and version of the program, of Python and of every library that runs with it."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[<>=!~\[; ]", line, maxsplit=1)[0] for line in project["dependencies"]]
    own = [(str(project["name"]), str(project["version"])), ("python", platform.python_version())]
    return own + [(name, version) for name in names if (version := _version(name))]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
