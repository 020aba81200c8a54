"""The queue: which worker has which job, and how each ends. What people do with jobs is `services/jobs.py`."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from archive.actor import Actor
from archive.db import canonical, is_full
from archive.errors import ArchiveError, Full, Stale, Throttled, Unavailable
from archive.i18n import _l, speaking
from archive.journal import Origin
from archive.models import Job, User
from archive.services import notices
from archive.services.handlers import GaveWay, JobFailed, JobRun, Lost, Stopped, handlers, held
from archive.site import Site
from archive.uow import UnitOfWork

SILENT = timedelta(seconds=30)
"""A worker that has not spoken for so long is dead: its jobs wait again."""
BEAT = 5.0
TRIES = 3
PAUSE = timedelta(seconds=10)
"""After the first failure; four times as long after each further one."""
NO_ROOM = timedelta(seconds=20)
"""Between two tries while the disk is full: whoever makes room must not have to start every job again."""
PASSING = (Unavailable, Stale, Full, Throttled)
"""What may be otherwise in a minute."""

INTERRUPTED = _l(
    "This job was interrupted several times and has been stopped. Tell the system administrator."
)
WENT_WRONG = _l("Something went wrong. It has been noted; try again, or tell the system administrator.")
NOBODY_DOES_IT = _l("This version of the program does not know how to do this job.")

log = logging.getLogger("juanzong.worker")


def claim(site: Site, worker: str) -> Job | None:
    """Takes the most urgent job that is due, so that nobody else does."""
    now = site.clock()
    due = select(Job).where(Job.state == "waiting", Job.run_after <= now).limit(1)
    with site.session(readonly=True) as session:  # an idle worker must not take the write lock
        if session.scalar(due) is None:
            return None
    with site.session() as session:
        first = due.order_by(Job.priority, Job.run_after, Job.id).with_for_update(skip_locked=True)
        job = session.scalar(first)
        if job is not None:
            job.state, job.claimed_by, job.alive_at, job.tries = "running", worker, now, job.tries + 1
            job.started_at, job.started_with = now, job.progress
    return job


def revive(site: Site) -> int:
    """Puts the jobs of dead workers back into the queue; gives how many. Fails one that died too often."""
    silent = select(Job).where(Job.state == "running", Job.alive_at < site.clock() - SILENT)
    with site.session(readonly=True) as session:
        if session.scalar(silent.limit(1)) is None:
            return 0
    with site.uow(Actor.system("jobs")) as uow:
        dead = uow.session.scalars(silent.with_for_update(skip_locked=True)).all()
        for job in dead:
            if job.tries >= TRIES:
                end(uow, job, "failed", INTERRUPTED.message)
            else:
                job.state, job.claimed_by = "waiting", None
    return len(dead)


def end(uow: UnitOfWork, job: Job, state: str, message: str | None = None) -> None:
    """Ends a job as failed or cancelled; its handler tidies in the same transaction."""
    job.state, job.message, job.done_at, job.claimed_by = state, message, uow.now, None
    notices.ended(uow, job)
    handler = handlers().get(job.kind)
    if handler is None or handler.gives_up is None:
        return
    try:
        with uow.session.begin_nested():
            handler.gives_up(uow, job)
    except Exception as error:  # noqa: BLE001 - a job that cannot be tidied must still end, or it comes back for ever
        tell("job.untidy", job=str(job.uuid), kind=job.kind, **described(error))


def perform(site: Site, job: Job, leaving: Event | None = None) -> None:
    """Does a claimed job to its end, whatever that is. Raises nothing of what the job raises."""
    run = JobRun(site, job.id, job.kind, dict(job.args), job.node_id, job.owner_id, job.claimed_by or "",
                 done=job.progress, leaving=leaving or Event())  # fmt: skip
    try:
        with _beating(run):
            result = _work(run, job)
        _conclude(run, "done", result=result)
    except Lost:
        tell("job.lost", job=str(job.uuid), kind=job.kind)
    except GaveWay as wait:
        _again(run, timedelta(seconds=wait.seconds), tries=0)
    except Stopped:
        _conclude(run, "cancelled")
    except JobFailed as failure:
        _conclude(run, "failed", message=failure.sentence.message)
    except Exception as error:  # noqa: BLE001 - one job must not end the worker
        _failed(run, job, error)


def _work(run: JobRun, job: Job) -> dict[str, Any]:
    if job.cancel:
        raise Stopped
    handler = handlers().get(run.kind)
    if handler is None:
        raise JobFailed(NOBODY_DOES_IT)
    with run.site.session(readonly=True) as session:
        language = session.scalar(select(User.locale).where(User.id == (run.owner_id or 0)))
    with speaking(language or ""):
        return handler.work(run)


def _failed(run: JobRun, job: Job, error: Exception) -> None:
    if isinstance(error, ArchiveError) and not isinstance(error, PASSING):
        _conclude(run, "failed", message=str(error)[:500])
        return
    tell("job.error", job=str(job.uuid), kind=run.kind, tries=job.tries, **described(error))
    if is_full(error):
        _again(run, NO_ROOM, tries=0)
    elif job.tries < TRIES:
        _again(run, PAUSE * 4 ** (job.tries - 1))
    else:
        _conclude(
            run, "failed", message=str(error) if isinstance(error, ArchiveError) else WENT_WRONG.message
        )


def _conclude(
    run: JobRun, state: str, *, message: str | None = None, result: dict[str, Any] | None = None
) -> None:
    def close(uow: UnitOfWork) -> None:
        mine = select(Job).where(Job.id == run.id, Job.state == "running", Job.claimed_by == run.worker)
        job = uow.session.scalar(mine.with_for_update())
        if job is None:
            return
        if state != "done":
            end(uow, job, state, message)
            return
        job.state, job.result, job.done_at, job.claimed_by, job.message = state, result, uow.now, None, None
        notices.ended(uow, job)

    run.site.run(run.actor, close, Origin(channel="worker"))


def _again(run: JobRun, wait: timedelta, tries: int | None = None) -> None:
    counted = {} if tries is None else {"tries": tries}
    with run.site.session() as session:
        session.execute(
            held(run).values(state="waiting", claimed_by=None, run_after=run.site.clock() + wait, **counted)
        )


@contextmanager
def _beating(run: JobRun) -> Iterator[None]:
    """Says every few seconds that the job is in hand, however long a step of it takes."""
    over = Event()
    heart = Thread(target=_beat, args=(run, over), daemon=True)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()


def _beat(run: JobRun, over: Event) -> None:
    while not over.wait(BEAT):
        try:
            with run.site.session() as session:
                session.execute(held(run).values(alive_at=run.site.clock()))
        except DBAPIError as error:
            tell("job.silent", job=run.id, **described(error))


def tell(event: str, **facts: object) -> None:
    """One line for the log, as JSON."""
    log.warning("%s", canonical({"event": event, **facts}))


def described(error: BaseException) -> dict[str, object]:
    """Where an error comes from, without its message: that may carry what was typed."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "at": places}
