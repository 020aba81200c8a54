"""Jobs: how far long work is."""

from uuid import UUID

from archive.blueprints.api import shapes
from archive.blueprints.api.operation import operation
from archive.blueprints.api.section import section
from archive.services import jobs
from archive.uow import SIGNED_IN, UnitOfWork


@operation(section, "/jobs/<uuid:uuid>", needs=SIGNED_IN, gives=shapes.Job)
def job(uow: UnitOfWork, uuid: UUID) -> shapes.Job:
    """One's own job: waiting, running, done, failed or cancelled."""
    row = jobs.find(uow, uuid)
    seen = jobs.one(uow, uuid)
    return shapes.Job(uuid=str(row.uuid), kind=row.kind, state=row.state, progress=row.progress, total=row.total,
                      message=seen.message)  # fmt: skip
