"""Long work as people see it: their own jobs with progress, stopping one, trying again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from archive.errors import Conflict, NotFound
from archive.i18n import Lazy, _, _l, ngettext
from archive.models import Job, Node, Principal
from archive.policy.permissions import P
from archive.services.handlers import LIVE, JobFailed, JobRun, Stopped, handlers, handles
from archive.services.queue import end
from archive.sight import NodeView, views
from archive.uow import SIGNED_IN, UnitOfWork, action

MOST = 100


@dataclass(frozen=True)
class Look:
    """What a state is called, and its kind of chip."""

    label: Lazy
    kind: str


LOOKS = {
    "waiting": Look(_l("Waiting"), "idle"),
    "running": Look(_l("Running"), "run"),
    "done": Look(_l("Done"), "ok"),
    "failed": Look(_l("Failed"), "bad"),
    "cancelled": Look(_l("Stopped"), "gone"),
}
COUNTED = {
    "pages": _l("Pages"),
    "files": _l("Files"),
    "characters": _l("Characters"),
    "rows": _l("Rows"),
    "records": _l("Records"),
    "errors": _l("Errors"),
}
"""The numbers of a job's result that its card shows."""


@dataclass(frozen=True)
class Count:
    label: Lazy
    value: int
    kind: str = ""


@dataclass(frozen=True)
class JobView:
    """A job as one person sees it. Whoever only operates the system learns neither subject nor message."""

    uuid: UUID
    label: str
    state: Look
    progress: int
    total: int | None
    left: str
    running: bool
    message: str
    counts: list[Count]
    subject: NodeView | None
    owner: str
    created_at: datetime
    done_at: datetime | None
    can_stop: bool
    can_retry: bool


def find(uow: UnitOfWork, uuid: UUID | str) -> Job:
    """One's own job, or any for whoever operates the system. Raises NotFound."""
    try:
        wanted = UUID(str(uuid))
    except ValueError as error:
        raise NotFound from error
    job = uow.session.scalar(select(Job).where(Job.uuid == wanted))
    if job is None or not (_owns(uow, job) or uow.can(P.OPERATE)):
        raise NotFound
    return job


def _owns(uow: UnitOfWork, job: Job) -> bool:
    return job.owner_id is not None and job.owner_id == uow.actor.principal_id


def one(uow: UnitOfWork, uuid: UUID | str) -> JobView:
    """The card of one job. Raises NotFound."""
    return _shown(uow, [find(uow, uuid)])[0]


def mine(uow: UnitOfWork) -> list[JobView]:
    """What the actor has asked for, newest first."""
    return _shown(
        uow, uow.session.scalars(_newest().where(Job.owner_id == (uow.actor.principal_id or 0))).all()
    )


def everybodys(uow: UnitOfWork, state: str | None = None) -> list[JobView]:
    """All jobs, newest first, for whoever operates the system: kind, state and pace, nothing of any record."""
    uow.require(P.OPERATE)
    statement = _newest() if state is None else _newest().where(Job.state == state)
    return _shown(uow, uow.session.scalars(statement).all())


def tallies(uow: UnitOfWork) -> dict[str, int]:
    """How many jobs wait, run or have failed, for whoever operates the system."""
    uow.require(P.OPERATE)
    rows = uow.session.execute(
        select(Job.state, func.count()).where(Job.state.in_((*LIVE, "failed"))).group_by(Job.state)
    )
    return dict(rows.all())


def _newest() -> Select[Job]:
    return select(Job).order_by(Job.id.desc()).limit(MOST)


def _shown(uow: UnitOfWork, jobs: Sequence[Job]) -> list[JobView]:
    own = {job.node_id for job in jobs if job.node_id and _owns(uow, job)}
    nodes = uow.list(uow.nodes(P.DISCOVER).where(Node.id.in_(own))) if own else []
    subjects = {view.id: view for view in views(uow, nodes)}
    owners = {job.owner_id for job in jobs if job.owner_id}
    names: dict[int, str] = dict(
        uow.session.execute(select(Principal.id, Principal.name).where(Principal.id.in_(owners))).all()
    )
    return [_view(uow, job, subjects, names) for job in jobs]


def _view(uow: UnitOfWork, job: Job, subjects: dict[int, NodeView], names: dict[int, str]) -> JobView:
    handler, own = handlers().get(job.kind), _owns(uow, job)
    return JobView(
        uuid=job.uuid, label=str(handler.label) if handler else job.kind, state=LOOKS[job.state],
        progress=job.progress, total=job.total, left=_left(uow, job), running=job.state in LIVE,
        message=_(job.message) if own and job.message else "", counts=_counts(job),
        subject=subjects.get(job.node_id or 0) if own else None, owner=names.get(job.owner_id or 0, ""),
        created_at=job.created_at, done_at=job.done_at, can_stop=_can_stop(job),
        can_retry=job.state in ("failed", "cancelled"),
    )  # fmt: skip


def _can_stop(job: Job) -> bool:
    handler = handlers().get(job.kind)
    return job.state in LIVE and not job.cancel and (handler is None or handler.stoppable)


def _counts(job: Job) -> list[Count]:
    result: dict[str, Any] = job.result or {}
    return [
        Count(label, int(result[name]), "bad" if name == "errors" else "")
        for name, label in COUNTED.items()
        if result.get(name)
    ]


def _left(uow: UnitOfWork, job: Job) -> str:
    """The time that the rest will take at the pace since the last start."""
    done = job.progress - job.started_with
    if job.state != "running" or not job.total or done <= 0 or job.started_at is None:
        return ""
    seconds = (uow.now - job.started_at).total_seconds() / done * (job.total - job.progress)
    if seconds < 60:
        return _("less than a minute left")
    return ngettext("about %(num)d minute left", "about %(num)d minutes left", round(seconds / 60))


@action("job.cancelled", needs=SIGNED_IN)
def cancel(uow: UnitOfWork, job: Job) -> None:
    """Stops a job: at once when it waits, after its present step when it runs. Raises Conflict when it has ended."""
    job = _locked(uow, job)
    if not _can_stop(job):
        raise Conflict(_("This job has ended already, or must not be stopped half-way."))
    job.cancel = True
    if job.state == "waiting":
        end(uow, job, "cancelled")


@action("job.retried", needs=SIGNED_IN)
def retry(uow: UnitOfWork, job: Job) -> None:
    """Puts a failed or stopped job back into the queue. It goes on where it ended."""
    job = _locked(uow, job)
    if job.state not in ("failed", "cancelled"):
        raise Conflict(_("Only a job that failed or was stopped can be tried again."))
    job.state, job.cancel, job.tries, job.message = "waiting", False, 0, None
    job.run_after, job.done_at = uow.now, None


def _locked(uow: UnitOfWork, job: Job) -> Job:
    """The row as it is now: a worker changes it too. Raises NotFound for somebody else's."""
    mine = select(Job).where(Job.id == job.id).with_for_update().execution_options(populate_existing=True)
    job = uow.session.scalars(mine).one()
    if not (_owns(uow, job) or uow.can(P.OPERATE)):
        raise NotFound
    return job


__all__ = [
    "JobFailed", "JobRun", "JobView", "Stopped", "cancel", "everybodys", "find", "handles", "mine", "one", "retry",
    "tallies",
]  # fmt: skip
