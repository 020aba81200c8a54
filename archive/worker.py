"""The worker: seals the journals, brings the index up to date, does jobs. Any number may run, on many machines."""

import fcntl
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from shutil import rmtree
from threading import Event, Thread
from time import monotonic, time
from zlib import crc32

from sqlalchemy import delete, select, text

from archive import access_map, journal
from archive.actor import Actor
from archive.models import Job, Setting
from archive.services import (
    approvals,
    arrivals,
    audit,
    catalogue,
    detail,
    digest,
    drafts,
    imports,
    inspection_reminders,
    leavers,
    mailing,
    notices,
    purge,
    queue,
    reading,
    reconciliation,
    reminders,
    reservations,
    sidecars,
    timings,
)
from archive.services.copying import bookings
from archive.services.scanning import letting_go
from archive.services.watched import Watch
from archive.site import Site

IDLE = 0.5
"""Seconds between two looks into an empty queue."""
PAUSE = 10.0
"""Seconds after something went wrong: a log full of the same line helps nobody."""
STAGING = timedelta(days=1)
"""Longer than any upload lasts from its last byte to its transaction."""
FORGOTTEN = timedelta(days=1)
KEPT = timedelta(days=30)


def work(site: Site, *, once: bool = False, stop: Event | None = None) -> None:
    """Works until `stop` is set (without one: until SIGTERM), or with `once` until nothing is due.

    Killed at any moment, another worker goes on.
    """
    me = f"{socket.gethostname()[:36]}-{os.getpid()}"
    if once:
        _once(site, me)
        return
    stop = stop or _asked_to_stop()
    threads = [Thread(target=_keep, args=(site, me, chores, stop), daemon=True) for chores in rounds(stop)]
    for thread in threads:
        thread.start()
    while not stop.is_set():
        found = _guarded("job", lambda: take_one(site, me, stop))
        if not found:
            stop.wait(PAUSE if found is None else IDLE)
    for thread in threads:
        thread.join()
    _guarded("leave", lambda: _forget(site, me))


def _asked_to_stop() -> Event:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def take_one(site: Site, me: str, leaving: Event | None = None) -> bool:
    """Does the most urgent job that is due; gives whether there was one."""
    job = queue.claim(site, me)
    if job is not None:
        queue.perform(site, job, leaving)
    return job is not None


def _once(site: Site, me: str) -> None:
    _round(site, me, (REVIVE, INDEX_CHORE))
    while take_one(site, me):
        pass
    _round(site, me, (INDEX_CHORE, SEAL, CHECKPOINT))


@dataclass(frozen=True)
class Chore:
    """例行工作: what comes round again. With `alone`, one worker of all does it at a time."""

    name: str
    seconds: float
    act: Callable[[Site, str], object]
    alone: bool = False


def _round(site: Site, me: str, chores: tuple[Chore, ...]) -> None:
    for chore in chores:
        _guarded(chore.name, partial(_do, site, me, chore))


def _keep(site: Site, me: str, chores: tuple[Chore, ...], stop: Event) -> None:
    due = dict.fromkeys(chores, 0.0)
    while not stop.wait(min(IDLE, max(0.0, min(due.values()) - monotonic()))):
        for chore in chores:
            if due[chore] <= monotonic():
                went_well = _guarded(chore.name, partial(_do, site, me, chore))
                due[chore] = monotonic() + (chore.seconds if went_well else max(chore.seconds, PAUSE))


def _do(site: Site, me: str, chore: Chore) -> bool:
    if not chore.alone:
        chore.act(site, me)
        return True
    with alone(site, chore.name) as mine:
        if mine:
            chore.act(site, me)
    return True


def _guarded(name: str, act: Callable[[], bool]) -> bool | None:
    """What goes wrong is noted, gives None, and the worker lives on: the database may be back in a minute."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001 - one chore must not end the worker
        queue.tell("worker.error", task=name, **queue.described(error))
        return None


@contextmanager
def alone(site: Site, task: str) -> Iterator[bool]:
    """Whether this process is the only one at `task` until the block is left; a killed holder lets go at once."""
    if site.engine.dialect.name == "postgresql":
        yield from _advisory(site, task)
        return
    folder = site.settings.var / "lock"
    folder.mkdir(exist_ok=True)
    with (folder / f"{task}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _advisory(site: Site, task: str) -> Iterator[bool]:
    number = {"number": crc32(f"juanzong {task}".encode())}
    with site.engine.connect() as connection:
        # A lock of the transaction: it goes with the connection, whatever happens to us.
        yield bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:number)"), number).scalar())


def seal(site: Site, _me: str) -> None:
    """Numbers and chains what has been committed to both journals since the last time."""
    most = 2_000
    for book, opened in ((journal.CHANGES, site.session), (journal.READS, site.journal)):
        count = most
        while count == most:
            with opened() as session:
                count = journal.seal(session, book, most=most)


def checkpoint(site: Site, _me: str) -> None:
    """Signs the heads of both journals into the folder outside the database."""
    folder = site.settings.checkpoint_folder
    for book in journal.JOURNALS:
        with audit.reading(site, book) as session:
            journal.write_checkpoint(session, book, folder, site.keys, site.clock())


def describe(site: Site, _me: str) -> None:
    """Writes beside the bytes of each record what has since been said of it."""
    while sidecars.follow(site):
        pass


def drain(site: Site, _me: str) -> None:
    """Brings the index up to date with the outbox."""
    while catalogue.drain(site):
        pass


def beat(site: Site, me: str) -> None:
    """A sign of life, for the page of health and status."""
    with site.session() as session:
        session.merge(Setting(name=f"worker.{me}", value=site.clock().isoformat()))


def _forget(site: Site, me: str) -> bool:
    with site.session() as session:
        session.execute(delete(Setting).where(Setting.name == f"worker.{me}"))
    return True


def clean(site: Site, _me: str) -> None:
    """Once a day: what killed processes left behind, uploads that nobody finished, the signs of dead workers, jobs that made
    pages long ago, what was drawn in full detail long ago, how long old searches took, what closed accounts had for themselves,
    and changes of access that every process has taken up.
    """
    site.store.clean_staging(STAGING)
    imports.sweep(site)
    detail.clean_up(site)
    drafts.clean_up(site)
    arrivals.clean_up(site)
    notices.clean_up(site)
    mailing.clean_up(site)
    leavers.clean_up(site)
    timings.forget(site)
    for folder in (site.settings.var / "work").glob("*"):
        if time() - folder.stat().st_mtime > STAGING.total_seconds():
            rmtree(folder, ignore_errors=True)
    with site.session() as session:
        over = (Job.state.in_(("done", "cancelled")), Job.done_at < site.clock() - KEPT)
        session.execute(delete(Job).where(Job.kind.like("page.%"), *over))
        access_map.forget(session)
        for sign in session.scalars(select(Setting).where(Setting.name.like("worker.%"))):
            if site.clock() - datetime.fromisoformat(str(sign.value)) > FORGOTTEN:
                session.delete(sign)


def expire(site: Site, _me: str) -> None:
    """Closes the requests of readings that the clock has ended, where access itself ended by the clock; forgets old bookings."""
    with site.uow(Actor.system("expire")) as uow:
        reading.tidy(uow)
        bookings.forget(uow)


def empty_trash(site: Site, _me: str) -> None:
    """Orders the job that deletes drafts whose days in the trash are over."""
    purge.order(site)


def let_go(site: Site, _me: str) -> None:
    """Once a day: lets go of the piles of batches that have long been back in the store."""
    letting_go.due(site)


def remind(site: Site, _me: str) -> None:
    """Tells borrowers what is due and overdue, and until when findings may be contested; what nobody collects or nobody is left
    to say goes on to the next.
    """
    with site.uow(Actor.system("remind")) as uow:
        reminders.remind(uow)
        inspection_reminders.remind(uow)
    reservations.pass_on(site)
    approvals.pass_on(site)


def tell_what_is_new(stop: Event, site: Site, _me: str) -> None:
    """Tells subscribers what their saved searches find anew: once a day, from the hour of the policy on."""
    digest.daily(site, stop)


def count_both(stop: Event, site: Site, _me: str) -> None:
    """Once a day: counts the paper and the pages of every file against each other."""
    reconciliation.sweep(site, stop)


def send_mail(stop: Event, site: Site, _me: str) -> None:
    """Sends by e-mail what people have not read and want to be told that way."""
    mailing.deliver(site, stop)


def revive(site: Site, _me: str) -> int:
    """Lets the jobs of dead workers wait again."""
    return queue.revive(site)


SEAL = Chore("seal", 1, seal, alone=True)
CHECKPOINT = Chore("checkpoint", 60, checkpoint, alone=True)
REVIVE = Chore("revive", 5, revive)
INDEX_CHORE = Chore("index", 0.5, drain, alone=True)
DAY = 86_400
UPKEEP = (
    SEAL, CHECKPOINT, REVIVE, Chore("beat", 10, beat), Chore("clean", DAY, clean, alone=True),
    Chore("expire", DAY, expire, alone=True), Chore("trash", DAY, empty_trash, alone=True),
    Chore("sidecars", 2, describe, alone=True), Chore("remind", 900, remind, alone=True),
)  # fmt: skip
INDEX = (INDEX_CHORE,)


def rounds(stop: Event) -> tuple[tuple[Chore, ...], ...]:
    """The chores, one thread each line: nothing waits for the index, the searches of all subscribers, what takes long once a day,
    a scanner's large file, or a mail server that is dead.
    """
    post = Chore("mail", 60, partial(send_mail, stop), alone=True)
    digests = Chore("digest", 900, partial(tell_what_is_new, stop), alone=True)
    both = Chore("reconcile", DAY, partial(count_both, stop), alone=True)
    piles = Chore("piles", DAY, let_go, alone=True)
    return UPKEEP, INDEX, (digests,), (both, piles), (post,), (Chore("watch", 3, Watch().look, alone=True),)
