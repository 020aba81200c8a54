"""Piles that have done their work go, each batch by itself; one that cannot be cleared holds up no other and comes again."""

from io import BytesIO

import pytest
from sqlalchemy import select

from archive.actor import Actor
from archive.models import BatchFile, BatchPage, BatchStep, ScanBatch
from archive.services import intake
from archive.services.scanning import files, letting_go
from archive.site import Site
from tests import piles
from tests.archives import begins
from tests.conftest import Hospital
from tests.services.test_scanning import checked_in, once

TEST = {"scope": "test"}


@begins
def two(hospital: Hospital) -> list[int]:
    """Two records with a volume each."""
    return piles.records(hospital, 2)


def with_a_file_set_aside(site: Site) -> tuple[int, list[str]]:
    """A batch that is back, of which one file was set aside when two of its pages had been drawn; and their pictures."""
    with site.uow(Actor.system("test")) as uow:
        batch = ScanBatch(number="SZ2026-0099", state="checked_in", created_at=uow.now)
        uow.session.add(batch)
        uow.session.flush()
        blob = intake.keep(uow, batch.uuid, intake.stage(site, BytesIO(b"pile")), "pile.pdf")
        file = BatchFile(batch_id=batch.id, blob_id=blob.id, seq=1, filename="王一一.李二二", size=4, state="withdrawn",
                         created_at=uow.now)  # fmt: skip
        uow.session.add(file)
        uow.session.add(BatchStep(batch_id=batch.id, name="check_in", state=batch.state, at=uow.now))
        uow.session.flush()
        drawn = [*files.names(file.id, 1), *files.names(file.id, 2)]
        for name in drawn:
            site.store.put_derivative(batch.uuid, name, b"picture")
        return batch.id, drawn


@once
def test_a_batch_that_cannot_be_cleared_holds_up_no_other_and_is_cleared_the_next_day(
    site: Site, hospital: Hospital, two: list[int]
) -> None:
    checked_in(hospital)
    other, drawn = with_a_file_set_aside(site)
    with site.session(readonly=True) as session:
        of_first = select(BatchPage.image).order_by(BatchPage.id)
        images = session.scalars(of_first, execution_options=TEST).all()
    (stuck,) = site.settings.var.rglob(images[0])
    stuck.unlink()
    stuck.mkdir()  # what no unlink takes away
    hospital.clock.forward(days=31)
    with pytest.raises(ExceptionGroup):
        letting_go.due(site)
    assert [list(site.settings.var.rglob(name)) for name in drawn] == [[]] * 4, "also of what was set aside"
    with site.uow(Actor.system("test"), readonly=True) as uow:
        (told,) = files.listed(uow, uow.session.get_one(ScanBatch, other, execution_options=TEST))
        assert told.name == "SZ2026-0099-1", "what is no ending may be a name"
        names = select(BatchFile.filename).order_by(BatchFile.id)
        assert uow.session.scalars(names, execution_options=TEST).all() == ["pile.pdf", ""]
    stuck.rmdir()
    letting_go.due(site)
    assert [list(site.settings.var.rglob(name)) for name in images] == [[]] * len(images)
    with site.session(readonly=True) as session:
        assert session.scalars(names, execution_options=TEST).all() == [".pdf", ""]
