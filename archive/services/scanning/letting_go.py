"""清理批次扫描件: once a batch is back in the store, its piles have done their work, and go.

Every page that belongs somewhere lies in its record, with a master of its own. What stays behind in a pile belongs to several
patients at once: kept for ever, it would survive the destruction of their records.
"""

from datetime import timedelta

from sqlalchemy import func, select, update

from archive.actor import Actor
from archive.models import BatchFile, BatchPage, BatchStep, Blob, ScanBatch
from archive.services import policies
from archive.services.scanning.batches import TRUSTED
from archive.site import Site
from archive.uow import PROGRAM, UnitOfWork, action


def due(site: Site) -> None:
    """Once a day: lets go of what has lain for as many days as the policy says since its batch was checked in."""
    with site.uow(Actor.system("batch.let_go")) as uow:
        days = policies.in_force(uow, "digitisation").body["limits"]["pile_days"]
        checked_in = BatchStep.batch_id == ScanBatch.id, BatchStep.name == "check_in"
        back = select(func.max(BatchStep.at)).where(*checked_in).correlate(ScanBatch)
        kept = select(BatchFile.id).where(BatchFile.batch_id == ScanBatch.id, BatchFile.blob_id.is_not(None))
        done = select(ScanBatch).where(
            ScanBatch.state == "checked_in", kept.correlate(ScanBatch).exists(),
            back.scalar_subquery() < uow.now - timedelta(days=days),
        )  # fmt: skip
        for batch in uow.session.scalars(done, execution_options=TRUSTED).all():
            let_go(uow, batch)


@action("batch.piles_let_go", needs=PROGRAM)
def let_go(uow: UnitOfWork, batch: ScanBatch) -> None:
    """The bytes go when backups no longer name them; pictures and texts at once. What was scanned, by whom, and what became
    of each page is still told.
    """
    after = timedelta(days=policies.in_force(uow, "trash").body["limits"]["bytes_days"])
    mine = select(BatchFile.blob_id).where(BatchFile.batch_id == batch.id, BatchFile.blob_id.is_not(None))
    going = update(Blob).where(Blob.id.in_(mine)).values(leaves_at=uow.now + after)
    uow.session.execute(going, execution_options=TRUSTED)
    pages = select(BatchPage.image, BatchPage.thumbnail).where(BatchPage.batch_id == batch.id)
    names = [name for both in uow.session.execute(pages, execution_options=TRUSTED) for name in both]
    of_batch = BatchPage.batch_id == batch.id
    silent = update(BatchPage).where(of_batch).values(text="", boxes=[], codes=[], records=[])
    uow.session.execute(silent, execution_options=TRUSTED)
    gone = update(BatchFile).where(BatchFile.batch_id == batch.id).values(blob_id=None)
    uow.session.execute(gone, execution_options=TRUSTED)
    uow.note(batch=batch.number, pages=len(names) // 2)
    uow.site.store.remove_derivatives(batch.uuid, names)
