"""What makes ten thousand pages bearable gives the same as looking at each of them."""

import random

from archive.models import BatchPage
from archive.services.scanning import batches, likeness, pages
from tests import piles
from tests.archives import begins
from tests.conftest import Hospital
from tests.services.test_scanning import hand_in, leaves, work_off


@begins
def two(hospital: Hospital) -> list[int]:
    """Two records with a volume each."""
    return piles.records(hospital, 2)


def test_a_text_that_is_read_late_changes_what_lies_up_to_the_next_cover_sheet(
    hospital: Hospital, two: list[int]
) -> None:
    number = piles.prepared(hospital, (4, 2))
    first, second = piles.covers(hospital, number)
    for place, pile in enumerate((
        [first, piles.sheet(piles.form(0, "入院记录"))],
        [piles.sheet("字迹不清"), piles.sheet("续页一")],
        [piles.sheet("续页二"), second, piles.sheet(piles.form(1, "入院记录")), piles.sheet("续页三")],
    )):  # fmt: skip
        hand_in(hospital, number, piles.pile(pile), f"{place}.pdf")
    work_off(hospital.site)
    assert parts(leaves(hospital, number)) == [None, "RY", "RY", "RY", "RY", None, "RY", "RY"]
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, number)
        unclear = pages.of_batch(uow, batch)[2]
        with uow.act("batch.text_given_up", unclear):
            pages.hear(uow, unclear, text=piles.form(0, "出院记录"), kind="machine")
            pages.split_again(uow, batch, file=unclear.file_id)
        found = parts(pages.of_batch(uow, batch))
        assert found == [None, "RY", "CY", "CY", "CY", None, "RY", "RY"]
        pages.split_again(uow, batch)
        assert parts(pages.of_batch(uow, batch)) == found, "looking at the whole batch finds nothing else"


def parts(found: list[BatchPage]) -> list[str | None]:
    return [page.component for page in found]


def test_near_fingerprints_are_those_that_differ_in_few_points() -> None:
    chance = random.Random(4)
    digits = likeness.SIDE**2 // 4
    one = f"{chance.getrandbits(likeness.SIDE**2):0{digits}x}"
    spoilt = [
        int(one, 16) ^ sum(1 << bit for bit in chance.sample(range(256), many)) for many in range(0, 256, 3)
    ]
    others = [f"{bits:0{digits}x}" for bits in spoilt]
    apart = [(place, likeness.distance(one, other)) for place, other in enumerate(others)]
    assert likeness.near(one, others) == [pair for pair in apart if pair[1] <= likeness.NEAR]
    assert len(likeness.near(one, others)) == likeness.NEAR // 3 + 1
    assert likeness.near(one, []) == []
