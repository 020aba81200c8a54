"""Judging a batch: what is drawn, by whom it may be judged, and what becomes of what was found."""

from io import BytesIO

import pytest
from sqlalchemy import event, select

from archive.errors import Conflict
from archive.models import BatchDefect, BatchPage, Node
from archive.services import intake, levels, page_desk, page_map, rescans
from archive.services.scanning import batches, quality, sampling, steps
from archive.uow import UnitOfWork
from tests import piles
from tests.archives import begins
from tests.conftest import Hospital
from tests.services.test_scanning import (
    confirm_all,
    linked_all,
    looked_at,
    once,
    scanned,
    state,
    step,
    tick_all,
    work_off,
)

TEST = {"scope": "test"}


@begins
def two(hospital: Hospital) -> list[int]:
    """Two records with a volume each."""
    return piles.records(hospital, 2)


def pages_of(uow: UnitOfWork, number: str) -> list[BatchPage]:
    """The pages of a batch that were linked."""
    linked = select(BatchPage).where(BatchPage.page_id.is_not(None)).order_by(BatchPage.ordinal)
    return list(uow.session.scalars(linked, execution_options=TEST))


@begins
def sampled(hospital: Hospital, two: list[int]) -> str:
    """A batch of both, linked: its sample is to be looked at."""
    return linked_all(hospital, scanned(hospital, len(two)))


@once
def test_the_figures_of_a_sample_and_its_next_page_load_no_page(
    hospital: Hospital, two: list[int], sampled: str
) -> None:
    with hospital.uow("senior") as uow:  # the whole of the batch is drawn
        for record in two:
            levels.change(uow, uow.node(record), level=3, reason="涉密")
        batch = batches.find(uow, sampled)
        with uow.act("batch.draw", batch):
            sampling.sample(uow, batch)
        first, *_others = pages_of(uow, sampled)
        quality.look(uow, batch, page=first.id, defects=["tilted", "cut"])
        last, home = pages_of(uow, sampled)[-1], uow.node(two[1])
        page_desk.set_aside(uow, home, pages=[last.page_id or 0], version=page_map.version(uow, home))
    loaded: list[int] = []

    def note(_session: object, row: object) -> None:
        loaded.extend([row.ordinal] if isinstance(row, BatchPage) else [])

    with hospital.uow("senior", readonly=True) as uow:
        event.listen(uow.session, "loaded_as_persistent", note)
        batch = batches.find(uow, sampled)
        assert quality.tally(uow, batch) == quality.Tally(3, 3, 1, 1, ()), "what was taken out is not counted"
        assert quality.next_one(uow, batch) == 3
        assert [offer.step.name for offer in steps.offers(uow, batch)] == ["accept", "send_back"]
    assert loaded == []


@once
def test_a_component_that_is_closer_than_its_record_is_looked_at_as_a_whole(
    hospital: Hospital, two: list[int], sampled: str
) -> None:
    with hospital.uow("senior") as uow:
        for item in uow.session.scalars(select(Node).where(Node.parent_id.in_(two)), execution_options=TEST):
            levels.change(uow, item, level=3, reason="涉密")
        batch = batches.find(uow, sampled)
        with uow.act("batch.draw", batch):
            sampling.sample(uow, batch)
        assert [page.ordinal for page in quality.drawn(uow, batch)] == [2, 3, 5, 6]


@once
def test_whoever_scanned_a_page_anew_in_its_record_does_not_judge_the_batch(
    hospital: Hospital, two: list[int], sampled: str
) -> None:
    with hospital.uow("archivist") as uow:
        batch, home = batches.find(uow, sampled), uow.node(two[0])
        assert quality.not_the_scanner(uow, batch) is None
        page, staged = pages_of(uow, sampled)[0], intake.stage(uow.site, BytesIO(piles.sheet("重扫")))
        said = {"page": page.page_id or 0, "version": page_map.version(uow, home)}
        rescans.replace(uow, home, staged, filename="重扫.pdf", **said)
    work_off(hospital.site)
    with hospital.uow("archivist", readonly=True) as uow:
        assert quality.not_the_scanner(uow, batches.find(uow, sampled))
    with hospital.uow("senior", readonly=True) as uow:
        assert quality.not_the_scanner(uow, batches.find(uow, sampled)) is None


@once
def test_a_page_in_the_wrong_place_sends_the_batch_back(hospital: Hospital, sampled: str) -> None:
    looked_at(hospital, sampled, "misplaced")
    with pytest.raises(Conflict, match="错挂"):
        step(hospital, "archivist", sampled, "accept")


@once
def test_what_is_mended_by_scanning_more_is_ticked_until_it_is_linked(
    hospital: Hospital, sampled: str
) -> None:
    looked_at(hospital, sampled, "missing")
    step(hospital, "archivist", sampled, "send_back", reason="漏页")
    step(hospital, "scanner", sampled, "scan_more")
    step(hospital, "scanner", sampled, "finish")
    confirm_all(hospital, sampled)
    with pytest.raises(Conflict, match="缺陷"):
        step(hospital, "scanner", sampled, "link")
    tick_all(hospital, sampled)
    step(hospital, "scanner", sampled, "link")
    work_off(hospital.site)
    assert state(hospital, sampled) == "sampling"


@once
def test_what_is_wrong_with_a_page_is_told_to_whoever_may_see_it_or_saw_it_before_it_was_taken_out(
    hospital: Hospital, two: list[int], sampled: str
) -> None:
    with hospital.uow("senior") as uow:
        batch, home = batches.find(uow, sampled), uow.node(two[1])
        first, _second, third, _fourth = pages_of(uow, sampled)
        with uow.act("batch.page_looked_at", batch):
            for page in (first, third):
                uow.session.add(
                    BatchDefect(
                        batch_id=batch.id,
                        batch_page_id=page.id,
                        code="double",
                        note="见上页",
                        round=1,
                        at=uow.now,
                    )
                )
        page_desk.set_aside(uow, home, pages=[third.page_id or 0], version=page_map.version(uow, home))
        items = select(Node).where(Node.parent_id == two[0]).order_by(Node.position)
        levels.change(
            uow, uow.session.scalars(items, execution_options=TEST).all()[0], level=3, reason="涉及隐私"
        )
    for account, seen in (("scanner", [5]), ("archivist", [5]), ("senior", [2, 5])):
        with hospital.uow(account, readonly=True) as uow:
            told = quality.defects(uow, batches.find(uow, sampled))
            assert [defect.ordinal for defect in told] == seen
