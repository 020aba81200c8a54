"""Whether database, store, index and worker are well."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from archive.models import Setting
from archive.services import branches, catalogue
from archive.site import Site
from archive.uow import UnitOfWork
from storage import StorageError

QUIET = timedelta(seconds=30)


@dataclass(frozen=True)
class Health:
    """健康状况. status: ok; degraded when index or worker are not well; down when database or store fail."""

    status: str
    reasons: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        return {"status": self.status, "reasons": self.reasons}


def check(site: Site, uow: UnitOfWork) -> Health:
    """Asks each part; the database has answered already when this runs."""
    try:
        site.store.healthy()
    except (StorageError, OSError) as error:
        return Health("down", [f"store: {type(error).__name__}"])
    reasons = []
    if not worker_is_alive(uow):
        reasons.append("worker: not heard from")
    if (lag := catalogue.lag(uow)).changes > 10_000:
        reasons.append(f"index: {lag.changes} changes behind")
    if closed := branches.forgotten(uow):
        reasons.append(f"rights: {closed} closed branches, and no job works on them")
    return Health("degraded" if reasons else "ok", reasons)


def worker_is_alive(uow: UnitOfWork) -> bool:
    """Whether any worker has given a sign within the last half minute."""
    rows = uow.session.scalars(select(Setting).where(Setting.name.like("worker.%")))
    return any(uow.now - datetime.fromisoformat(str(row.value)) < QUIET for row in rows)
