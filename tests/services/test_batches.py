"""A batch and its volumes: whose rights count, where each volume goes afterwards, and what the board tells."""

from datetime import timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader

from archive.errors import Forbidden, Invalid
from archive.models import AccessGrant, HoldingStatus, ScanBatch
from archive.policy.permissions import P
from archive.services import holdings, levels
from archive.services.scanning import batches, care, sheets, steps, volumes
from tests import piles
from tests.archives import begins
from tests.conftest import Hospital
from tests.services import lending
from tests.services.test_scanning import hand_in, once, scanned, step, work_off
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
def test_a_batch_with_what_fades_passes_those_of_its_own_state_alone(
    hospital: Hospital, two: list[int]
) -> None:
    first, second = piles.begun(hospital, [0], "check_out"), piles.begun(hospital, [1], "check_out")
    with hospital.uow("archivist") as uow:
        third = batches.make(uow).number
        batch = batches.find(uow, second)
        volume = volumes.listed(uow, batch)[0].id
        assert [card.number for card in batches.board(uow)] == [first, second, third]
        volumes.tell_papers(uow, batch, volume=volume, kinds=["thermal"])
        cards = batches.board(uow)
        assert [card.number for card in cards] == [second, first, third]
        assert [card.urgent for card in cards] == [care.Urgent(1, "热敏纸"), None, None]
        volumes.tell_papers(uow, batch, volume=volume, kinds=[])
        assert [card.number for card in batches.board(uow)] == [first, second, third]


@once
def test_the_board_counts_the_pages_of_all_batches_in_one_go(hospital: Hospital, two: list[int]) -> None:
    number = scanned(hospital)
    with hospital.uow("archivist") as uow:
        empty = batches.make(uow).number
    with hospital.uow("archivist", readonly=True) as uow, statements(hospital.site) as asked:
        cards = {card.number: (card.volumes, card.pages, card.doubts) for card in batches.board(uow)}
    assert cards == {number: (2, 6, 0), empty: (0, 0, 0)}
    assert sum(statement.count("FROM batch_page") for statement in asked) == 1


@once
def test_what_fades_is_scanned_first(hospital: Hospital, two: list[int]) -> None:
    number = piles.begun(hospital, (0, 1), "check_out")
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, number)
        plain, fading = volumes.listed(uow, batch)
        volumes.tell_papers(uow, batch, volume=plain.id, kinds=["pasted", "strip"])
        volumes.tell_papers(uow, batch, volume=fading.id, kinds=["pasted", "thermal"])
        with pytest.raises(Invalid):
            volumes.tell_papers(uow, batch, volume=fading.id, kinds=["parchment"])
        for volume in (plain, fading):
            volumes.count_sides(uow, batch, volume=volume.id, sides=1)
        assert [one.id for one in volumes.listed(uow, batch)] == [fading.id, plain.id]
        slip = PdfReader(BytesIO(sheets.handover(uow, batch))).pages[0].extract_text()
        assert "先扫：热敏纸、粘贴单" in slip
        assert slip.index(fading.barcode) < slip.index(plain.barcode)
        assert care.waiting(uow, [batch.id]) == {batch.id: care.Urgent(1, "热敏纸")}
        steps.take(uow, batch, "prepare")
        steps.take(uow, batch, "scan")
    covers = piles.covers(hospital, number)
    hand_in(hospital, number, piles.pile([covers[0], piles.sheet(piles.form(1, "入院记录"))]))
    work_off(hospital.site)
    with hospital.uow("scanner", readonly=True) as uow:
        assert not care.waiting(uow, [batch.id]), "its pages have come"
