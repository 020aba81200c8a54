"""系统管理: how the archive is doing, and by which policies it works. Nothing of any record."""

import platform
import re
import shutil
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from sqlalchemy import extract, func, select

from archive.errors import Forbidden, NotFound
from archive.i18n import _
from archive.models import CalendarDay, Outbox, PolicyVersion, Principal, Session, Setting, User
from archive.policy.permissions import P
from archive.services import health, jobs, policies
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
class PolicyInForce:
    kind: str
    version: int
    source: str
    since: datetime


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
    behind: int
    oldest: datetime | None
    jobs: Mapping[str, int]
    failed: list[JobView]
    disk: Disk
    users: int
    disabled: int
    signed_in: int
    policies: list[PolicyInForce]
    calendar: list[Span]
    libraries: list[tuple[str, str]]
    database: str


def may_look(uow: UnitOfWork) -> None:
    """Raises Forbidden for whoever neither operates nor configures the system."""
    if not (uow.can(P.OPERATE) or uow.can(P.CONFIG_MANAGE)):
        raise Forbidden


def panel(uow: UnitOfWork) -> Panel:
    """The state of every part, at this moment."""
    may_look(uow)
    operates = uow.can(P.OPERATE)
    usage = shutil.disk_usage(uow.site.settings.var)
    behind, oldest = uow.session.execute(
        select(func.count(Outbox.id), func.min(Outbox.at)).where(Outbox.topic == "index")
    ).one()
    recent = uow.now - timedelta(minutes=uow.site.settings.idle_minutes)
    live = (
        Session.kind == "web",
        Session.ended_at.is_(None),
        Session.expires_at > uow.now,
        Session.seen_at > recent,
    )
    return Panel(
        health=health.check(uow.site, uow), workers=_workers(uow), behind=behind, oldest=oldest,
        jobs=jobs.tallies(uow) if operates else {},
        failed=jobs.everybodys(uow, "failed")[:FAILED] if operates else [], disk=Disk(usage.total, usage.free),
        users=_number(uow, User, User.disabled_at.is_(None)),
        disabled=_number(uow, User, User.disabled_at.is_not(None)),
        signed_in=_number(uow, Session, *live), policies=_policies(uow), calendar=calendar(uow, uow.today.year),
        libraries=libraries(), database=uow.site.engine.dialect.name,
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


def _policies(uow: UnitOfWork) -> list[PolicyInForce]:
    """Of each kind the version that is valid now."""
    rows = uow.session.scalars(
        select(PolicyVersion)
        .where(PolicyVersion.valid_from <= uow.now)
        .order_by(PolicyVersion.kind, PolicyVersion.version)
    )
    newest = {row.kind: PolicyInForce(row.kind, row.version, row.source, row.valid_from) for row in rows}
    return list(newest.values())


def calendar(uow: UnitOfWork, year: int) -> list[Span]:
    """The days of a year that are not what their weekday says: holidays, and weekends that are worked."""
    may_look(uow)
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


@dataclass(frozen=True)
class Table:
    """One part of a policy, laid out: each row begins with its code."""

    title: str
    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Version:
    version: int
    source: str
    since: datetime
    approved_by: str
    in_force: bool


@dataclass(frozen=True)
class PolicyPage:
    """制度页: the version in force, and all that there were."""

    kind: str
    version: int
    source: str
    tables: list[Table]
    versions: list[Version]


def policy(uow: UnitOfWork, kind: str) -> PolicyPage:
    """A policy to be read. Raises NotFound for an unknown kind."""
    may_look(uow)
    try:
        now = policies.in_force(uow, kind)
    except LookupError as error:
        raise NotFound from error
    rows = uow.session.execute(
        select(PolicyVersion, Principal.name)
        .outerjoin(Principal, Principal.id == PolicyVersion.approved_by)
        .where(PolicyVersion.kind == kind)
        .order_by(PolicyVersion.version.desc())
    )
    versions = [
        Version(row.version, row.source, row.valid_from, name or "", row.version == now.version)
        for row, name in rows
    ]
    return PolicyPage(kind, now.version, now.source, list(_laid_out(now.body)), versions)


def _laid_out(body: Mapping[str, Any]) -> Iterable[Table]:
    """Single values first, then a table for each part: of columns where its values are tables themselves."""
    single = [[name, _said(value)] for name, value in body.items() if not isinstance(value, dict)]
    if single:
        yield Table("", [], single)
    for name, part in body.items():
        if isinstance(part, dict):
            yield _table(name, part)


def _table(title: str, part: Mapping[str, Any]) -> Table:
    if not part or not all(isinstance(value, dict) for value in part.values()):
        return Table(title, [], [[name, _said(value)] for name, value in part.items()])
    columns = list(dict.fromkeys(column for value in part.values() for column in value))
    rows = [[name, *(_said(value.get(column, "")) for column in columns)] for name, value in part.items()]
    return Table(title, columns, rows)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, dict):
        return _(", ").join(f"{name} {_said(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return _(", ").join(" ".join(map(str, one)) if isinstance(one, list) else str(one) for one in value)
    return str(value)
