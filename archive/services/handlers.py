"""What does a job: its handler, and all that a handler gets and may say. Who takes which job is `services/queue.py`."""

import pkgutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from threading import Event
from time import monotonic
from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from archive import services
from archive.actor import Actor
from archive.i18n import Lazy, _l
from archive.journal import Origin
from archive.models import Job
from archive.services import actors
from archive.site import Site
from archive.uow import UnitOfWork

LIVE = ("waiting", "running")
"""The states of a job that is not finished."""
BETWEEN_WRITES = 0.5
"""Seconds: a bar need not move more often, and each move is a transaction."""
OWNER_GONE = _l("The person who asked for this may not sign in any more.")


class Stopped(Exception):
    """The job's owner has stopped it."""


class Lost(Exception):
    """Another worker has the job now: this one was taken for dead. Whatever is not committed is thrown away."""


class GaveWay(Exception):
    """The job goes back into the queue, with what it has done so far."""

    def __init__(self, seconds: float = 0) -> None:
        super().__init__()
        self.seconds = seconds


class JobFailed(Exception):
    """The job cannot be done. `sentence` tells a person what to do next; it is translated when it is shown."""

    def __init__(self, sentence: Lazy) -> None:
        super().__init__(sentence.message)
        self.sentence = sentence


@dataclass
class JobRun:
    """任务执行: all that a handler gets: what to do, where, and how to say how far it is."""

    site: Site
    id: int
    kind: str
    args: dict[str, Any]
    node_id: int | None
    owner_id: int | None
    worker: str
    done: int = 0
    """How far an earlier worker came."""
    leaving: Event = field(default_factory=Event)
    _written: float = 0.0

    @property
    def actor(self) -> Actor:
        """The program at this task."""
        return Actor.system(self.kind)

    def uow(self) -> AbstractContextManager[UnitOfWork]:
        """A unit of work of the program itself."""
        return self.site.uow(self.actor, origin=Origin(channel="worker"))

    def owner(self) -> Actor:
        """The person who asked for the job, with the rights they have now. Raises JobFailed when they have left."""
        with self.site.session(readonly=True) as session:
            found = actors.load(session, self.owner_id or 0, self.site.clock())
        if found is None:
            raise JobFailed(OWNER_GONE)
        return found

    def progress(self, done: int, total: int | None = None, *, uow: UnitOfWork | None = None) -> None:
        """Says how far the job is. Raises Stopped when it has been stopped, Lost when another worker has it.

        Inside a unit of work, give it: the step and its count are then one transaction. Without it, call this
        between units of work only, since SQLite has one writer.
        """
        if uow is not None:
            self._write(uow.session, done, total)
        elif monotonic() - self._written >= BETWEEN_WRITES or done == total:
            with self.site.session() as session:
                self._write(session, done, total)
            self._written = monotonic()

    def _write(self, session: Session, done: int, total: int | None) -> None:
        known = {} if total is None else {"total": total}
        # A job that gets further is not the one that kills its worker: its tries begin anew.
        tries = case((Job.progress < done, 1), else_=Job.tries)
        statement = (
            held(self)
            .values(progress=done, alive_at=self.site.clock(), tries=tries, **known)
            .returning(Job.cancel)
        )
        self._heed(session.execute(statement).scalar_one_or_none())

    def cancelled(self) -> bool:
        """Whether the owner has asked to stop. A handler that works long between two calls of `progress` asks."""
        with self.site.session(readonly=True) as session:
            return bool(session.scalar(select(Job.cancel).where(Job.id == self.id)))

    def give_way(self) -> None:
        """Raises GaveWay when more urgent work waits or the worker is leaving; call it where the job can be resumed."""
        if self.leaving.is_set():
            raise GaveWay
        mine = select(Job.priority).where(Job.id == self.id).scalar_subquery()
        urgent = select(Job.id).where(
            Job.state == "waiting", Job.priority < mine, Job.run_after <= self.site.clock()
        )
        with self.site.session(readonly=True) as session:
            if session.scalar(urgent.limit(1)) is not None:
                raise GaveWay

    def _heed(self, cancel: bool | None) -> None:  # noqa: FBT001 - a column of the row
        if cancel is None:
            raise Lost
        if cancel:
            raise Stopped


def held(run: JobRun) -> Any:
    """An update of the job, which meets no row when this worker has it no longer."""
    return (
        update(Job)
        .where(Job.id == run.id, Job.state == "running", Job.claimed_by == run.worker)
        .execution_options(synchronize_session=False)
    )


Work = Callable[[JobRun], dict[str, Any]]
GivesUp = Callable[[UnitOfWork, Job], None]


@dataclass(frozen=True)
class Handler:
    """Who does a kind of job. `gives_up` tidies in the transaction in which a job fails or is cancelled."""

    kind: str
    label: Lazy
    work: Work
    gives_up: GivesUp | None
    stoppable: bool


_HANDLERS: dict[str, Handler] = {}


def handles(
    kind: str, *, label: Lazy, gives_up: GivesUp | None = None, stoppable: bool = True
) -> Callable[[Work], Work]:
    """Makes a function the handler of a kind of job. It may be called again after any step: a killed job is resumed."""

    def register(work: Work) -> Work:
        _HANDLERS[kind] = Handler(kind, label, work, gives_up, stoppable)
        return work

    return register


@cache
def handlers() -> Mapping[str, Handler]:
    """All handlers by kind. Every service is imported, so that none has to be listed anywhere."""
    for module in pkgutil.walk_packages(services.__path__, f"{services.__name__}."):
        import_module(module.name)
    return _HANDLERS
