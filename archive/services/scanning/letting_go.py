"""清理批次扫描件: once a batch is back in the store, its piles have done their work, and go.

Every page that belongs somewhere lies in its record, with a master of its own. What stays behind in a pile belongs to several
patients at once: kept for ever, it would survive the destruction of their records.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import PurePath

from sqlalchemy import Select, and_, func, or_, select, update

from archive.actor import Actor
from archive.filed_names import ENDINGS
from archive.models import BatchFile, BatchPage, BatchStep, Blob, ScanBatch
from archive.services import policies
from archive.services.scanning import files
from archive.services.scanning.batches import TRUSTED
from archive.site import Site
from archive.uow import PROGRAM, UnitOfWork, action


def due(site: Site) -> None:
    """Once a day: lets go of what has lain for as many days as the policy says since its batch was checked in.

    A batch of which that fails holds no other up, and comes again tomorrow. Raises ExceptionGroup in the end.
    """
    actor, failures = Actor.system("batch.let_go"), []
    with site.uow(actor, readonly=True) as uow:
        numbers = uow.session.scalars(_due(uow), execution_options=TRUSTED).all()
    for number in numbers:
        try:
            _clear(site, actor, number)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other batches go
            failures.append(error)
    if failures:
        raise ExceptionGroup("piles that could not be let go", failures)


def _due(uow: UnitOfWork) -> Select[int]:
    days = policies.in_force(uow, "digitisation").body["limits"]["pile_days"]
    checked_in = BatchStep.batch_id == ScanBatch.id, BatchStep.name == "check_in"
    back = select(func.max(BatchStep.at)).where(*checked_in).correlate(ScanBatch)
    # A pile keeps its name until its pictures are gone: whoever is killed between the two finds it again.
    is_named = and_(BatchFile.filename != "", BatchFile.filename.not_like(".%"))
    kept = select(BatchFile.id).where(
        BatchFile.batch_id == ScanBatch.id, or_(BatchFile.blob_id.is_not(None), is_named)
    )
    return select(ScanBatch.id).where(
        ScanBatch.state == "checked_in", kept.correlate(ScanBatch).exists(),
        back.scalar_subquery() < uow.now - timedelta(days=days),
    ).order_by(ScanBatch.id)  # fmt: skip


def _clear(site: Site, actor: Actor, number: int) -> None:
    """Pictures go once it is committed that they do; as many as they are, no transaction waits for it."""
    site.run(actor, partial(_commit, number=number))
    with site.uow(actor, readonly=True) as uow:
        folder = uow.session.get_one(ScanBatch, number, execution_options=TRUSTED).uuid
        pages = select(BatchPage.image, BatchPage.thumbnail).where(BatchPage.batch_id == number)
        drawn = [name for both in uow.session.execute(pages, execution_options=TRUSTED) for name in both]
        gone = select(BatchFile.id).where(BatchFile.batch_id == number, BatchFile.state == "withdrawn")
        withdrawn = uow.session.scalars(gone, execution_options=TRUSTED).all()
    site.store.remove_derivatives(folder, drawn)
    for file in withdrawn:
        # The last first: where this is cut off, the next one finds again how many are left.
        site.store.remove_derivatives(folder, reversed(list(_left(site, str(folder), file))))
    site.run(actor, partial(_unname, number=number))


def _left(site: Site, folder: str, file: int) -> Iterator[str]:
    """Pictures of a file that was set aside: its pages are no more, and were drawn one after the other."""
    for page in count(1):
        image, thumbnail = files.names(file, page)
        if not site.store.has_derivative(folder, image):
            return
        yield from (image, thumbnail)


def _commit(uow: UnitOfWork, number: int) -> None:
    batch = uow.session.get_one(ScanBatch, number, execution_options=TRUSTED)
    kept = select(BatchFile.id).where(BatchFile.batch_id == number, BatchFile.blob_id.is_not(None))
    if uow.session.scalar(kept.limit(1), execution_options=TRUSTED) is not None:
        let_go(uow, batch)


def _unname(uow: UnitOfWork, number: int) -> None:
    """What a pile was called may name a patient whose record is destroyed one day: its ending is kept."""
    mine = select(BatchFile).where(BatchFile.batch_id == number)
    for file in uow.session.scalars(mine, execution_options=TRUSTED):
        ending = PurePath(file.filename).suffix.lower()
        file.filename = ending if ending in ENDINGS else ""


@action("batch.piles_let_go", needs=PROGRAM)
def let_go(uow: UnitOfWork, batch: ScanBatch) -> None:
    """The bytes go when backups no longer name them; pictures and texts at once. What was scanned, by whom, and what became
    of each page is still told.
    """
    after = timedelta(days=policies.in_force(uow, "trash").body["limits"]["bytes_days"])
    mine = select(BatchFile.blob_id).where(BatchFile.batch_id == batch.id, BatchFile.blob_id.is_not(None))
    going = update(Blob).where(Blob.id.in_(mine)).values(leaves_at=uow.now + after)
    uow.session.execute(going, execution_options=TRUSTED)
    of_batch = BatchPage.batch_id == batch.id
    pages = uow.session.scalar(select(func.count(BatchPage.id)).where(of_batch), execution_options=TRUSTED)
    silent = update(BatchPage).where(of_batch).values(text="", boxes=[], codes=[], records=[])
    uow.session.execute(silent, execution_options=TRUSTED)
    gone = update(BatchFile).where(BatchFile.batch_id == batch.id).values(blob_id=None)
    uow.session.execute(gone, execution_options=TRUSTED)
    uow.note(batch=batch.number, pages=pages)
