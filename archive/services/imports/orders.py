"""Ordering an import, its dry run or its undoing: each is a job, seen by whoever ordered it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from archive.errors import Conflict, NotFound
from archive.i18n import Lazy, _, _l
from archive.models import ImportRow, Job
from archive.services import jobs
from archive.services.handlers import JobRun, handles
from archive.services.imports import kinds, plans, reading, run, undo
from archive.services.imports.plans import Plan
from archive.services.imports.rows import Outcome, Problem, Tally
from archive.uow import SIGNED_IN, UnitOfWork, action

CHECK, RUN, UNDO = "import.check", "import.run", "import.undo"
LATEST = 20


@dataclass(frozen=True)
class ImportView:
    """导入 as its owner sees it: the job, what it found, and what can be done next."""

    job: jobs.JobView
    kind: str
    label: Lazy
    filename: str
    step: str
    """check, run or undo."""
    counts: dict[str, int]
    problems: list[Problem]
    wrong: int
    can_run: bool
    can_undo: bool
    plan: Plan
    created_at: datetime


@action("import.ordered", needs=SIGNED_IN)
def order(uow: UnitOfWork, plan: Plan, *, dry: bool) -> Job:
    """Orders a dry run, or the import for good. Raises Conflict while a column is missing, NotFound for no file."""
    category, table = plans.entitled(uow, plan), reading.table(uow, plan.token)
    plan = replace(plan, filename=table.filename)
    found = plans.layout(uow, plan, table)
    plans.loader(uow, plan, found)
    uow.note(kind=plan.kind, file=plan.filename, dry=dry)
    return uow.job(CHECK if dry else RUN, node=category, plan=plan.as_args())


@action("import.undo_ordered", needs=SIGNED_IN)
def order_undo(uow: UnitOfWork, job: Job) -> Job:
    """Orders that an import be taken back. Raises Conflict where nothing of it is left."""
    plan = Plan.of_args(job.args["plan"])
    category = plans.entitled(uow, plan)
    if not _undoable(uow, job):
        raise Conflict(_("There is nothing left to undo."))
    uow.note(kind=plan.kind, file=plan.filename)
    return uow.job(UNDO, node=category, plan=plan.as_args(), import_id=job.id)


def _undoable(uow: UnitOfWork, job: Job) -> bool:
    ended = job.kind == RUN and job.state in ("done", "failed", "cancelled")
    left = select(ImportRow.id).where(ImportRow.job_id == job.id).limit(1)
    return ended and uow.session.scalar(left) is not None


def find(uow: UnitOfWork, uuid: UUID | str) -> Job:
    """The job of one's own import, dry run or undoing. Raises NotFound."""
    job = jobs.find(uow, uuid)
    if job.kind not in (CHECK, RUN, UNDO) or job.owner_id != uow.actor.principal_id:
        raise NotFound
    return job


def one(uow: UnitOfWork, uuid: UUID | str) -> ImportView:
    """One's own import, dry run or undoing, as it stands. Raises NotFound."""
    return _view(uow, find(uow, uuid))


def latest(uow: UnitOfWork) -> list[ImportView]:
    """One's own imports, newest first."""
    mine = select(Job).where(Job.owner_id == uow.actor.principal_id, Job.kind == RUN)
    return [_view(uow, job) for job in uow.session.scalars(mine.order_by(Job.id.desc()).limit(LATEST))]


def _view(uow: UnitOfWork, job: Job) -> ImportView:
    plan, result = Plan.of_args(job.args["plan"]), job.result or {}
    tally = Tally.of_json(result)
    ready = job.kind == CHECK and job.state == "done" and tally[Outcome.NEW] + tally[Outcome.CHANGED] > 0
    return ImportView(
        job=jobs.one(uow, job.uuid),
        kind=plan.kind,
        label=kinds.KINDS[plan.kind].label,
        filename=plan.filename,
        step=job.kind.removeprefix("import."),
        counts=dict(tally.counts),
        problems=list(tally.problems),
        wrong=int(result.get("errors", 0)),
        can_run=ready and _is_here(uow, plan),
        can_undo=_undoable(uow, job),
        plan=plan,
        created_at=job.created_at,
    )


def _is_here(uow: UnitOfWork, plan: Plan) -> bool:
    try:
        reading.table(uow, plan.token)
    except NotFound:
        return False
    return True


def _progress(job: JobRun) -> run.Progress:
    return lambda done, total, uow: job.progress(done, total, uow=uow)


@handles(CHECK, label=_l("Dry run of an import"))
def check(job: JobRun) -> dict[str, Any]:
    return run.check(job.site, job.owner(), Plan.of_args(job.args["plan"]), _progress(job)).as_json()


@handles(RUN, label=_l("Import"))
def bring_in(job: JobRun) -> dict[str, Any]:
    return run.run(job.site, job.owner(), Plan.of_args(job.args["plan"]), job.id, _progress(job)).as_json()


@handles(UNDO, label=_l("Undoing of an import"))
def take_back(job: JobRun) -> dict[str, Any]:
    plan = Plan.of_args(job.args["plan"])
    return undo.undo(job.site, job.owner(), plan, int(job.args["import_id"]), _progress(job)).as_json()
