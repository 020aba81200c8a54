"""One running archive: its databases, keys, store and index, and the units of work on them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from archive import guard, journal
from archive.access_map import AccessMap
from archive.actor import Actor
from archive.db import connect, is_full
from archive.errors import Full, Stale, Unavailable
from archive.i18n import _
from archive.index_fields import FIELDS
from archive.journal import Event, Origin
from archive.keys import Keys
from archive.models import Setting
from archive.settings import Settings
from archive.uow import UnitOfWork
from index import Index
from storage import FolderStore

T = TypeVar("T")
TRIES = 3


class Site:
    """系统: what a process needs to serve one hospital's archive."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.settings, self.clock = settings, clock
        for folder in ("db", "index", "export", "log"):
            (settings.var / folder).mkdir(parents=True, exist_ok=True)
        self.keys = Keys(settings.var / "keys", settings.secret)
        self.engine = connect(settings.main_url)
        self.journal_engine = connect(settings.journal_url)
        self._writers = sessionmaker(self.engine, expire_on_commit=False)
        self._readers = sessionmaker(
            self.engine.execution_options(**self._readonly()), expire_on_commit=False
        )
        self._journal = sessionmaker(self.journal_engine, expire_on_commit=False)
        guard.install(self._writers)
        guard.install(self._readers)

    def _readonly(self) -> dict[str, object]:
        return {"readonly": True} if self.engine.dialect.name == "sqlite" else {"postgresql_readonly": True}

    @property
    def static(self) -> Path:
        return Path(__file__).parent / "static"

    @cached_property
    def hospital_name(self) -> str:
        """The name of the hospital, else of the product; read once a process."""
        with self.session(readonly=True) as session:
            kept = session.get(Setting, "hospital.name")
            return str(kept.value) if kept else _("Juanzong")

    @cached_property
    def demonstration(self) -> dict[str, Any] | None:
        """The password and the accounts of invented people, or nothing in an archive of real ones; read once a process."""
        with self.session(readonly=True) as session:
            kept = session.get(Setting, "demo")
            return dict(kept.value) if kept else None

    @cached_property
    def store(self) -> FolderStore:
        return FolderStore.create(self.settings.var)

    @cached_property
    def index(self) -> Index:
        return Index(self.settings.var / "index", FIELDS)

    @cached_property
    def access_map(self) -> AccessMap:
        return AccessMap()

    @contextmanager
    def session(self, *, readonly: bool = False, patient: bool = True) -> Iterator[Session]:
        """A bare session for what comes before there is an actor: sign-in, health, the worker's claims.

        One that is not patient fails at once while somebody else holds SQLite's lock.
        """
        with (self._readers if readonly else self._writers)() as session:
            if not patient:
                session.connection(execution_options={"patient": False})
            session.info["readonly"] = readonly
            yield session
            if not readonly:
                session.commit()

    @contextmanager
    def uow(
        self, actor: Actor, *, readonly: bool = False, origin: Origin | None = None
    ) -> Iterator[UnitOfWork]:
        """A unit of work for `actor`: commits when the block is left, rolls back when it raises."""
        with self.session(readonly=readonly) as session:
            work = self.work(session, actor, origin)
            yield work
            if not readonly:
                work.finish()

    def work(self, session: Session, actor: Actor, origin: Origin | None = None) -> UnitOfWork:
        return UnitOfWork(self, session, actor, origin or Origin(), self.clock())

    def run(self, actor: Actor, act: Callable[[UnitOfWork], T], origin: Origin | None = None) -> T:
        """Runs `act` in a unit of work, again when the database asks for it (a lock, a serialization conflict)."""
        return self.retrying(lambda: self._once(actor, act, origin))

    def _once(self, actor: Actor, act: Callable[[UnitOfWork], T], origin: Origin | None) -> T:
        with self.uow(actor, origin=origin) as work:
            return act(work)

    def retrying(self, attempt: Callable[[], T]) -> T:
        """Tries a whole transaction up to three times. Raises Stale where somebody else saved first."""
        for left in reversed(range(TRIES)):
            try:
                return attempt()
            except StaleDataError as error:
                raise Stale from error
            except DBAPIError as error:
                if not passing(error):
                    raise
                if not left:
                    raise Unavailable from error
        raise Unavailable

    def close(self) -> None:
        """Gives back the connections."""
        self.engine.dispose()
        self.journal_engine.dispose()

    @contextmanager
    def journal(self) -> Iterator[Session]:
        """A session of its own on the journal of reads; committed when the block is left."""
        with self._journal() as session:
            yield session
            session.commit()

    def record_read(self, event: Event, actor: Actor, origin: Origin) -> None:
        """Writes what was read or refused, durably, before the first byte. Raises Unavailable if it cannot."""
        try:
            with self.journal() as session:
                now = self.clock()
                journal.write(
                    session, journal.READS, event, actor=actor, origin=origin, at=now, keys=self.keys
                )
                journal.keep_cost(session, event, now)
        except DBAPIError as error:
            raise (Full if is_full(error) else Unavailable) from error


def passing(error: DBAPIError) -> bool:
    """Whether the same transaction may succeed when tried again."""
    text = str(error.orig).lower()
    return any(sign in text for sign in ("locked", "deadlock", "could not serialize", "busy"))
