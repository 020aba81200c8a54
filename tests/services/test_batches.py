"""A batch and its volumes: whose rights count, where each volume goes afterwards, and what the board tells."""

from datetime import timedelta

import pytest

from archive.errors import Forbidden
from archive.models import AccessGrant, HoldingStatus, ScanBatch
from archive.policy.permissions import P
from archive.services import holdings, levels
from archive.services.scanning import batches, volumes
from tests import piles
from tests.archives import begins
from tests.conftest import Hospital
from tests.services import lending
from tests.services.test_scanning import once, scanned, step
from tests.services.test_whereabouts import statements


@begins
def two(hospital: Hospital) -> list[int]:
    """Two records with a volume each, both on a shelf."""
    made, shelf = piles.records(hospital, 2), lending.shelf(hospital)
    with hospital.uow("archivist") as uow:
        for number in (0, 1):
            holdings.move(
                uow, uow.holding(piles.barcode(number))[0], to=HoldingStatus.SHELVED, location=shelf
            )
    return made


def status(hospital: Hospital) -> list[HoldingStatus]:
    with hospital.uow("archivist", readonly=True) as uow:
        return [HoldingStatus(uow.holding(piles.barcode(number))[0].status) for number in (0, 1)]


@once
def test_what_was_lost_on_the_way_is_not_found_by_being_taken_out_of_its_batch(
    hospital: Hospital, two: list[int]
) -> None:
    with hospital.uow("archivist") as uow:
        batch = batches.make(uow)
        for place in (0, 1):
            volumes.put_in(uow, batch, barcode=piles.barcode(place))
        number = batch.number
    step(hospital, "archivist", number, "check_out")
    assert status(hospital) == [HoldingStatus.PROCESSING, HoldingStatus.PROCESSING]
    with hospital.uow("archivist") as uow:
        holdings.move(uow, uow.holding(piles.barcode(0))[0], to=HoldingStatus.MISSING)
        batch = batches.find(uow, number)
        volumes.take_out(uow, batch, volume=volumes.listed(uow, batch)[0].id)
    assert status(hospital) == [HoldingStatus.MISSING, HoldingStatus.PROCESSING]
    step(hospital, "archivist", number, "cancel", reason="遗失一卷")
    assert status(hospital) == [HoldingStatus.MISSING, HoldingStatus.SHELVED]


@once
def test_whoever_may_judge_a_batch_alone_puts_nothing_into_it_and_takes_nothing_out(
    hospital: Hospital, two: list[int]
) -> None:
    site = hospital.site
    with hospital.uow("senior") as uow:
        batch = batches.make(uow)
        for number in (0, 1):
            levels.change(uow, uow.node(two[number]), level=3, reason="涉密")
        volumes.put_in(uow, batch, barcode=piles.barcode(0))
        volume = volumes.listed(uow, batch)[0].id
    with hospital.uow("scanner") as uow, pytest.raises(Forbidden):
        unseen = uow.session.get_one(ScanBatch, batch.id, execution_options={"scope": "test"})
        batches.remark(uow, unseen, text="无权记录")
    with site.session() as session:
        session.add_all(
            AccessGrant(principal_id=hospital.people["scanner"], node_id=record, permission=permission, cause="eread",
                        valid_from=site.clock(), valid_until=site.clock() + timedelta(days=1), max_level=3)
            for record in two for permission in (P.DISCOVER, P.SCAN_QC)
        )  # fmt: skip
    with hospital.uow("scanner") as uow:
        batches.remark(uow, batches.find(uow, batch.number), text="可以记录")
    with hospital.uow("scanner") as uow, pytest.raises(Forbidden):
        volumes.take_out(uow, batches.find(uow, batch.number), volume=volume)
    with hospital.uow("scanner") as uow, pytest.raises(Forbidden):
        volumes.put_in(uow, batches.find(uow, batch.number), barcode=piles.barcode(1))


@once
def test_the_board_counts_the_pages_of_all_batches_in_one_go(hospital: Hospital, two: list[int]) -> None:
    number = scanned(hospital)
    with hospital.uow("archivist") as uow:
        empty = batches.make(uow).number
    with hospital.uow("archivist", readonly=True) as uow, statements(hospital.site) as asked:
        cards = {card.number: (card.volumes, card.pages, card.doubts) for card in batches.board(uow)}
    assert cards == {number: (2, 6, 0), empty: (0, 0, 0)}
    assert sum(statement.count("FROM batch_page") for statement in asked) == 1
