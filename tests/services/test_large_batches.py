"""What makes ten thousand pages bearable gives the same as looking at each of them."""

import random

import numpy as np
from sqlalchemy import event

from archive.models import BatchPage
from archive.services.scanning import batches, likeness, pages
from tests import piles
from tests.archives import begins
from tests.conftest import Hospital
from tests.services.test_scanning import hand_in, leaves, once, work_off
from tests.services.test_whereabouts import statements


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


def test_pages_that_are_told_apart_without_reading_them_are_no_twins() -> None:
    chance = random.Random(4)
    points = likeness.SIDE**2
    one = chance.getrandbits(points)
    prints = [
        one ^ sum(1 << bit for bit in chance.sample(range(points), many))
        for many in (0, 3, 11, 12, 13, 47, 48, 49, 90)
    ]
    texts = [
        "",
        " ",
        "11月12日 体温36.5",
        "11月12日 体温36.6",
        "11月12日 体温３６.5",
        "患者安静",
        "患者安静。",
        "12" * 40,
        "12" * 41,
    ]
    pages = [(bits, text) for bits in prints for text in texts]
    traits = likeness.Traits((f"{bits:0{points // 4}x}", text) for bits, text in pages)
    others = np.arange(len(pages))
    for place, (bits, text) in enumerate(pages[: len(texts)]):
        same = {
            other
            for other, (also, said) in enumerate(pages)
            if likeness.is_same((bits ^ also).bit_count(), text, said)
        }
        perhaps = dict(traits.perhaps(place, others))
        assert same <= perhaps.keys(), "no twin is missed"
        assert all(perhaps[other] == (bits ^ pages[other][0]).bit_count() for other in perhaps)
        assert len(perhaps) < len(pages) / 2, "and few are left to be read"
    assert likeness.Traits([("00" * 32, "")]).perhaps(0, np.array([], np.intp)) == []


@once
def test_a_word_on_one_page_reads_what_lies_between_the_cover_sheets_and_no_text(
    hospital: Hospital, two: list[int]
) -> None:
    number = piles.prepared(hospital, (4, 2))
    first, second = piles.covers(hospital, number)
    blank, form = piles.sheet(""), piles.sheet(piles.form(1, "入院记录"))
    hand_in(hospital, number, piles.pile([first, blank, blank, second, form, blank, first, blank]))
    work_off(hospital.site)
    assert [page.aside for page in leaves(hospital, number)].count("blank") == 4
    fifth = leaves(hospital, number)[4].id
    read: list[int] = []

    def note(_session: object, row: object) -> None:
        read.extend([row.ordinal] if isinstance(row, BatchPage) else [])

    with hospital.uow("scanner") as uow, statements(hospital.site) as asked:
        event.listen(uow.session, "loaded_as_persistent", note)
        pages.begin(uow, batches.find(uow, number), [fifth], component="CY")
    assert set(read) == {4, 5, 6}
    assert not [statement for statement in asked if "batch_page.text AS" in statement]
    assert parts(leaves(hospital, number)) == [None, None, None, None, "CY", None, None, None]
