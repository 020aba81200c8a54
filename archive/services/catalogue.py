"""编目索引: keeps the index like the database, which is the truth: from the outbox, anew, and by comparing both."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from archive.actor import Actor
from archive.errors import Conflict
from archive.i18n import _, _l
from archive.models import Job, Node, Outbox
from archive.policy.permissions import P
from archive.services.entries import documents, searchable
from archive.services.handlers import JobRun, handles
from archive.site import Site
from archive.uow import IDS, UnitOfWork, action
from index import Busy, Damaged, Differences, Drop, Put, Stats

BATCH = 200
REBUILD = "catalogue.rebuild"
_UNDER_WAY = (Job.kind == REBUILD, Job.state.in_(("waiting", "running")))

Progress = Callable[[int, int], None]
"""Called with how many documents are made, and of how many."""

__all__ = ["check", "documents", "drain", "rebuild"]


@dataclass(frozen=True)
class Lag:
    """滞后: how many changes the index has not taken in yet, and since when the first of them waits."""

    changes: int
    since: datetime | None


def lag(uow: UnitOfWork) -> Lag:
    """How far the index is behind the database."""
    waiting = select(func.count(Outbox.id), func.min(Outbox.at)).where(Outbox.topic == "index")
    return Lag(*uow.session.execute(waiting).one())


@dataclass(frozen=True)
class State:
    """索引状况: how large the index is (nothing where it is damaged), how far behind, and whether it is being rebuilt."""

    stats: Stats | None
    wanted: int
    lag: Lag
    rebuilding: tuple[int, int] | None


def state(uow: UnitOfWork) -> State:
    """How the index is doing: numbers alone. Needs system.operate."""
    uow.require(P.OPERATE)
    try:
        stats = uow.site.index.stats()
    except Damaged:
        stats = None
    everything = select(func.count()).select_from(Node).where(searchable())
    job = uow.session.execute(select(Job.progress, Job.total).where(*_UNDER_WAY)).first()
    return State(
        stats, uow.session.scalar(everything, execution_options={"scope": "index"}) or 0, lag(uow),
        (job[0], job[1] or 0) if job else None,
    )  # fmt: skip


@action("catalogue.rebuild_asked", needs=P.OPERATE)
def order(uow: UnitOfWork) -> None:
    """Asks for a new index, made beside the old one. Raises Conflict while one is being made."""
    if not _ordered(uow):
        raise Conflict(_("The index is being rebuilt already."))


def _ordered(uow: UnitOfWork) -> bool:
    """Writes the job that makes a new index; false if it is there."""
    if uow.session.scalar(select(Job.id).where(*_UNDER_WAY)) is not None:
        return False
    uow.job(REBUILD, priority=2)
    return True


@contextmanager
def _reading(site: Site) -> Iterator[UnitOfWork]:
    with site.uow(Actor.system("index"), readonly=True) as uow, uow.unscoped("index"):
        yield uow


def drain(site: Site) -> int:
    """Takes a batch out of the outbox into the index; gives how many changes that were. Again is as good as once.

    While another process writes, nothing is taken; a damaged index is left to the job that makes a new one.
    """
    with _reading(site) as uow:
        due = (
            select(Outbox.id, Outbox.node_id).where(Outbox.topic == "index").order_by(Outbox.id).limit(BATCH)
        )
        rows = uow.session.execute(due).all()
        changes = list(documents(uow, sorted({node for _row, node in rows})))
    try:
        if not rows:
            site.index.generation()  # an index that is missing is noticed before anything changes
            return 0
        site.index.apply(changes)
    except Busy:
        return 0
    except Damaged:
        ask_for_rebuild(site)
        return 0
    with site.session() as session:
        session.execute(delete(Outbox).where(Outbox.id.in_([row for row, _node in rows])))
    return len(rows)


def ask_for_rebuild(site: Site) -> None:
    """Writes the job that makes a new index, unless it is there."""
    with site.uow(Actor.system("index")) as uow:
        _ordered(uow)


@handles(REBUILD, label=_l("Building the search index"))
def build(run: JobRun) -> dict[str, Any]:
    """The job: the old index is searched until the new one is there."""
    return {"documents": rebuild(run.site, run.progress)}


def rebuild(site: Site, progress: Progress | None = None) -> int:
    """Makes a new index of all nodes aside and puts it in the place of the old one. Raises Busy."""
    with _reading(site) as uow:
        total = uow.session.scalar(select(func.count()).select_from(Node).where(searchable())) or 0
    count = 0

    def all_documents() -> Iterator[Put]:
        nonlocal count
        for numbers in _in_steps(site):
            with _reading(site) as uow:
                made = list(documents(uow, [number for number, _stamp in numbers]))
            puts = [change for change in made if isinstance(change, Put)]
            count += len(puts)
            yield from puts
            if progress:
                progress(min(count, total), total)

    site.index.rebuild(all_documents())
    return count


def _in_steps(site: Site) -> Iterator[Sequence[tuple[int, int]]]:
    """Id and stamp of every node that has a document, some hundreds at a time.

    Each step is a transaction of its own: one that lasted for hours would keep SQLite from tidying its log.
    """
    last = 0
    while True:
        further = (
            select(Node.id, Node.revision).where(Node.id > last, searchable()).order_by(Node.id).limit(IDS)
        )
        with _reading(site) as uow:
            rows = uow.session.execute(further).all()
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def behind(site: Site) -> int:
    """How many changes the index has not taken in yet."""
    with _reading(site) as uow:
        return lag(uow).changes


def check(site: Site, *, mend: bool = False) -> Differences:
    """Compares the index with the database, once the outbox is empty; mends what differs. Raises Damaged, Busy."""
    while drain(site):
        pass
    if behind(site):
        raise Busy  # another process takes the changes in: until it has, everything that waits would seem to differ
    differences = site.index.check(row for step in _in_steps(site) for row in step)
    if mend and differences:
        # Stamps may have gone back with a restored database: an older put would be passed over.
        site.index.apply([Drop(number) for number in (*differences.stray, *differences.stale)])
        wanted = sorted({*differences.missing, *differences.stale})
        for start in range(0, len(wanted), IDS):
            with _reading(site) as uow:
                changes = list(documents(uow, wanted[start : start + IDS]))
            site.index.apply(changes)
    return differences
