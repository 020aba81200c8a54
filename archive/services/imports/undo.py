"""Undoing an import: what it made is removed where nothing has touched it since; the rest is kept and told by row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import and_, case, delete, func, or_, select

from archive.actor import Actor
from archive.i18n import Lazy, _l
from archive.journal import Origin
from archive.models import ImportRow, Job
from archive.policy.permissions import P
from archive.services.imports import kinds, plans
from archive.services.imports.plans import Plan
from archive.services.imports.removal import REMOVERS
from archive.services.imports.restoring import restore
from archive.services.imports.run import Progress
from archive.site import Site
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"synchronize_session": False}
BATCH = 500
USED = _l("It has been used since and is kept.")
CHANGED = _l("It has been changed since and is kept.")

# Nodes first: what they alone held on to can go after them.
ORDER = ("node", "holding", "container", "encounter", "alias", "patient", "membership", "user", "principal")
_rank = case({kind: place for place, kind in enumerate(ORDER)}, value=ImportRow.kind, else_=len(ORDER))


@dataclass(frozen=True)
class Undone:
    """撤销结果: how many things of each kind were removed or put back, and which rows were kept, why."""

    things: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    kept: dict[int, Lazy] = field(default_factory=dict)

    def plus(self, other: "Undone") -> "Undone":
        counts = {
            name: self.counts.get(name, 0) + other.counts.get(name, 0)
            for name in {**self.counts, **other.counts}
        }
        return Undone(self.things + other.things, counts, {**other.kept, **self.kept})

    def as_json(self) -> dict[str, Any]:
        return {
            "counts": self.counts, "rows": self.things, "errors": len(self.kept),
            "problems": [[row, "", str(why)] for row, why in sorted(self.kept.items())[:500]],
        }  # fmt: skip


Place = tuple[int, int]
"""Rank of the kind and id: where the next batch begins."""


def undo(site: Site, actor: Actor, plan: Plan, job_id: int, progress: Progress) -> Undone:
    """Takes an import back as far as it can, so many things at a time; may be called again for what was kept."""
    with site.session(readonly=True) as session:
        total = session.scalar(select(func.count(ImportRow.id)).where(ImportRow.job_id == job_id)) or 0
    act = _undo_people if kinds.KINDS[plan.kind].needs is P.USER_MANAGE else _undo_records
    last: Place = (-1, 0)
    result = Undone()
    while True:

        def step(
            uow: UnitOfWork, after: Place = last, before: Undone = result
        ) -> tuple[Place | None, Undone]:
            job = uow.session.get_one(Job, job_id)
            rows = _next(uow, job, after)
            if not rows:
                return None, before
            done = before.plus(act(uow, job, plan, rows))
            progress(done.things, total, uow)
            return (ORDER.index(rows[-1].kind), rows[-1].id), done

        further, result = site.run(actor, step, Origin(channel="worker"))
        if further is None:
            return result
        last = further


def _next(uow: UnitOfWork, job: Job, after: Place) -> list[ImportRow]:
    """Kind after kind, what was made last first: a folder goes after what lies in it."""
    rank, number = after
    further = or_(_rank > rank, and_(_rank == rank, ImportRow.id < number))
    statement = select(ImportRow).where(ImportRow.job_id == job.id, further)
    return list(uow.session.scalars(statement.order_by(_rank, ImportRow.id.desc()).limit(BATCH)))


@action("import.undone", needs=P.USER_MANAGE)
def _undo_people(uow: UnitOfWork, _job: Job, plan: Plan, rows: Sequence[ImportRow]) -> Undone:
    return _undo(uow, plan, rows)


@action("import.undone", needs=P.ADD)
def _undo_records(uow: UnitOfWork, _job: Job, plan: Plan, rows: Sequence[ImportRow]) -> Undone:
    """The right on the category itself is asked for again, in this transaction."""
    plans.entitled(uow, plan)
    return _undo(uow, plan, rows)


def _undo(uow: UnitOfWork, plan: Plan, rows: Sequence[ImportRow]) -> Undone:
    result, finished = Undone(), []
    for kind, alike in groupby(rows, key=lambda row: row.kind):
        for row, why in _each(uow, kind, list(alike)):
            if why is None:
                finished.append(row.id)
            name = "kept" if why else "removed" if row.before is None else "restored"
            result = result.plus(Undone(1, {f"{name}_{kind}": 1}, {row.row: why} if why else {}))
    uow.session.flush()
    uow.session.execute(delete(ImportRow).where(ImportRow.id.in_(finished)), execution_options=TRUSTED)
    uow.note(kind=plan.kind, **result.counts)
    return result


def _each(uow: UnitOfWork, kind: str, rows: Sequence[ImportRow]) -> Iterator[tuple[ImportRow, Lazy | None]]:
    """Each row with the reason why what it made or changed is kept; none when it was taken back."""
    gone = REMOVERS[kind](uow, [row.target_id for row in rows if row.before is None])
    for row in rows:
        if row.before is None:
            yield row, None if row.target_id in gone else USED
        else:
            yield row, None if restore(uow, row) else CHANGED
