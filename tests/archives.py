"""Archives at rest and their copies: each test gets one of its own, with all that it begins with planted already."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from inspect import signature
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.engine import make_url

from archive.settings import Settings
from archive.site import Site

START = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
"""Friday, half past nine in the morning at the hospital."""


once = pytest.mark.parametrize("site", ["sqlite"], indirect=True)
"""For what takes seconds and asks the databases nothing that other tests do not ask both of them."""


class Clock:
    """The only clock of a test: it stands until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass(frozen=True)
class Template:
    """An archive at rest, to be copied: its folder, and on PostgreSQL the URL of its database."""

    var: Path
    database_url: str = ""
    now: datetime = START
    """When the last of it was planted."""
    planted: dict[str, Any] = field(default_factory=dict)
    """What the fixtures that planted in it gave, by their names."""

    @contextmanager
    def copy(self, var: Path, clock: Clock) -> Iterator[Site]:
        """The same archive once more; from here on each goes its own way. A database goes when the block is left."""
        shutil.copytree(self.var, var)
        clock.now = self.now
        with ExitStack() as stack:
            url = self.database_url and stack.enter_context(_copied(self.database_url))
            made = Site(Settings(var=var, database_url=url), clock)
            yield made
            made.close()


@contextmanager
def _copied(url: str) -> Iterator[str]:
    name, old = f"juanzong_{uuid4().hex}", make_url(url).database
    on_server(url, f'CREATE DATABASE "{name}" TEMPLATE "{old}" STRATEGY FILE_COPY')
    yield url_of(url, name)
    on_server(url, f'DROP DATABASE "{name}" WITH (FORCE)')


def on_server(server: str, statement: str) -> None:
    """Runs what no database can run on itself."""
    url = make_url(server).set(drivername="postgresql", database="postgres")
    plain = url.render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        # psycopg takes literal statements only, as a defence; ours is made of names that we have made up.
        connection.execute(statement)  # type: ignore[arg-type]


def url_of(server: str, name: str) -> str:
    """The URL for SQLAlchemy of a database on the server."""
    return (
        make_url(server)
        .set(drivername="postgresql+psycopg", database=name)
        .render_as_string(hide_password=False)
    )


Plant = Callable[..., Any]
BEGINNINGS: dict[tuple[str, str], Plant] = {}
"""By module and name what fixtures plant in an archive."""


def begins(plant: Plant) -> Any:
    """A fixture that plants in the archive what many tests of its module begin with, once for all of them.

    Each test gets a copy of the archive in which it was planted, the clock as it stood then, and a copy of what `plant`
    gave: numbers or texts, nothing that holds the archive. It takes `hospital`, `record` and others of its kind, and may
    depend on nothing else; no other fixture has changed the archive before.
    """
    BEGINNINGS[plant.__module__, plant.__name__] = plant

    @pytest.fixture(name=plant.__name__)
    def planted(site: Site, begun: dict[str, Any]) -> Any:
        return begun[plant.__name__]

    planted.__doc__ = plant.__doc__
    return planted


def needed(module: str, asked: Iterable[str]) -> set[str]:
    """The fixtures asked for, with those that the ones that plant take."""
    names = set(asked)
    for name in asked:
        if (plant := BEGINNINGS.get((module, name))) is not None:
            names |= needed(module, signature(plant).parameters)
    return names


@dataclass
class Keeping:
    """The archives with which the tests of one module begin, kept to its end."""

    module: str
    folder: Path
    stack: ExitStack
    hospital_of: Callable[[Site], Any]
    known: dict[tuple[Path, str, frozenset[str]], Template] = field(default_factory=dict)

    def grown(self, base: Template, asked: Iterable[str]) -> Template:
        """The archive of `base` with all that is planted by those of the fixtures asked for that plant."""
        names = frozenset(name for name in asked if (self.module, name) in BEGINNINGS)
        if not names:
            return base
        key = (base.var, base.database_url, names)
        if key not in self.known:
            self.known[key] = self._planted(base, sorted(names))
        return self.known[key]

    def _planted(self, base: Template, names: Iterable[str]) -> Template:
        clock, planted = Clock(), deepcopy(base.planted)
        site = self.stack.enter_context(base.copy(self.folder / uuid4().hex, clock))
        hospital = self.hospital_of(site)

        def given(name: str) -> Any:
            if name == "hospital":
                return hospital
            if name not in planted:
                plant = BEGINNINGS[self.module, name]
                planted[name] = plant(*[given(taken) for taken in signature(plant).parameters])
            return planted[name]

        for name in names:
            given(name)
        site.close()  # PostgreSQL copies no database that somebody uses
        url = site.settings.database_url
        return replace(base, var=site.settings.var, database_url=url, now=clock.now, planted=planted)
