"""Carrying an import out, dry or for good, so many rows at a time; each batch is a transaction and has its event."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from archive.actor import Actor
from archive.journal import Origin
from archive.models import ImportRow, Job
from archive.policy.permissions import P
from archive.services.imports import bulk, kinds, plans, reading
from archive.services.imports.plans import Layout, Plan
from archive.services.imports.reading import Table
from archive.services.imports.rows import Loader, Made, Outcome, Row, Tally, batches
from archive.site import Site
from archive.uow import UnitOfWork, action

BATCH = 500
"""Rows in one transaction: others write in between, and SQLite has one writer."""

Progress = Callable[[int, int | None, UnitOfWork | None], None]
"""Told how many rows are done, of how many, and in which transaction; what it raises ends the import."""


@dataclass(frozen=True)
class Prepared:
    """A file, how it is read, and what judges and brings its rows."""

    plan: Plan
    table: Table
    layout: Layout
    loader: Loader
    total: int


def prepare(site: Site, actor: Actor, plan: Plan) -> Prepared:
    """Opens the file of a plan as its owner. Raises NotFound, Forbidden or Conflict where it cannot be carried out."""
    with site.uow(actor, readonly=True) as uow:
        table = reading.table(uow, plan.token)
        layout = plans.layout(uow, plan, table)
        return Prepared(
            plan, table, layout, plans.loader(uow, plan, layout), plans.total(layout.heading, table)
        )


def _rows(ready: Prepared, numbered: list[tuple[int, list[str]]]) -> list[Row]:
    return [ready.loader.reader.row(number, cells) for number, cells in numbered]


def check(site: Site, actor: Actor, plan: Plan, progress: Progress) -> Tally:
    """试运行: judges every row and writes nothing."""
    ready, tally = prepare(site, actor, plan), Tally()
    for numbered in batches(plans.rows_below(ready.layout, ready.table), BATCH):
        rows = _rows(ready, numbered)
        with site.uow(actor, readonly=True) as uow:
            ready.loader.judge(uow, rows)
        tally = tally.plus(rows)
        progress(tally.rows, ready.total, None)
    return tally


def run(site: Site, actor: Actor, plan: Plan, job_id: int, progress: Progress) -> Tally:
    """Brings in what is right and leaves out what is wrong. After a stop it goes on where it was."""
    ready, origin = prepare(site, actor, plan), Origin(channel="worker")
    with site.session(readonly=True) as session:
        tally = Tally.of_json(session.get_one(Job, job_id).result)
    done = tally.rows
    for numbered in batches(plans.rows_below(ready.layout, ready.table), BATCH):
        if done >= len(numbered):  # an earlier worker brought these; their keys still count as seen
            done -= len(numbered)
            with site.uow(actor, readonly=True) as uow:
                ready.loader.judge(uow, _rows(ready, numbered))
            continue

        written = _rows(ready, numbered)

        def step(uow: UnitOfWork, read: list[Row] = written, before: Tally = tally) -> Tally:
            job, rows = uow.session.get_one(Job, job_id), [row.afresh() for row in read]
            bring = _bring_people if kinds.KINDS[plan.kind].needs is P.USER_MANAGE else _bring_records
            bring(uow, job, ready, rows)
            job.result = before.plus(rows).as_json()
            progress(before.rows + len(rows), ready.total, uow)
            return before.plus(rows)

        tally = site.run(actor, step, origin)
    ready.table.discard()
    return tally


@action("import.run", needs=P.USER_MANAGE)
def _bring_people(uow: UnitOfWork, job: Job, ready: Prepared, rows: list[Row]) -> None:
    _bring(uow, job, ready, rows)


@action("import.run", needs=P.ADD)
def _bring_records(uow: UnitOfWork, job: Job, ready: Prepared, rows: list[Row]) -> None:
    """The right on the category itself is asked for again, in this transaction."""
    plans.entitled(uow, ready.plan)
    _bring(uow, job, ready, rows)


def _bring(uow: UnitOfWork, job: Job, ready: Prepared, rows: list[Row]) -> None:
    made: list[Made] = []
    ready.loader.judge(uow, rows)
    ready.loader.bring(uow, rows, made.append)
    uow.session.flush()
    bulk.write(uow, ImportRow, [_kept(job, one) for one in made])
    counts: dict[str, Any] = {
        outcome.value: sum(row.outcome is outcome for row in rows) for outcome in Outcome
    }
    uow.note(kind=ready.plan.kind, file=ready.plan.filename, rows=[rows[0].number, rows[-1].number], **counts)


def _kept(job: Job, one: Made) -> dict[str, Any]:
    return {"job_id": job.id, "row": one.row, "kind": one.kind, "target_id": one.target, "before": one.before}
