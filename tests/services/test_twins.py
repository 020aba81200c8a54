"""Scanned twice: asked about while the other page is kept in the same volume, whatever becomes of either of them."""

from io import BytesIO

from PIL import Image, ImageDraw
from sqlalchemy import select, update

from archive.models import BatchFile, BatchPage, Job
from archive.services import jobs
from archive.services.queue import claim, perform
from archive.services.scanning import batches, files, pages
from tests import piles
from tests.archives import begins
from tests.conftest import Hospital
from tests.services.test_scanning import hand_in, leaves, once, state, step, work_off

TEST = {"scope": "test"}


@begins
def two(hospital: Hospital) -> list[int]:
    """Two records with a volume each."""
    return piles.records(hospital, 2)


def doubtful(hospital: Hospital, number: str) -> list[tuple[int, int | None]]:
    """The pages that somebody is asked about, and like which page each looks."""
    found = leaves(hospital, number)
    assert [page.doubtful for page in found] == [bool(page.doubts) for page in found]
    return [(page.ordinal, page.twin) for page in found if "duplicate" in page.doubts]


def scanned_again(hospital: Hospital) -> str:
    """A page without a title in two volumes, and the first volume once more in a second file."""
    number = piles.prepared(hospital, (2, 2))
    first, second = piles.covers(hospital, number)
    sheet = piles.sheet("续页，没有标题")
    forms = [piles.sheet(piles.form(patient, "入院记录")) for patient in (0, 1)]
    hand_in(hospital, number, piles.pile([first, forms[0], sheet, second, forms[1], sheet]), "one.pdf")
    hand_in(hospital, number, piles.pile([first, forms[0], sheet]), "two.pdf")
    work_off(hospital.site)
    return number


@once
def test_of_two_scans_of_a_sheet_one_is_asked_about_as_long_as_both_are_kept(
    hospital: Hospital, two: list[int]
) -> None:
    number = scanned_again(hospital)
    assert doubtful(hospital, number) == [(8, 2), (9, 3)], (
        "in another volume the same words are another sheet"
    )
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, number)
        third, eighth = (pages.of_batch(uow, batch)[place].id for place in (2, 7))
        pages.set_aside(uow, batch, [third], why="spoilt")
        pages.keep(uow, batch, [eighth])
    assert doubtful(hospital, number) == [], "the other one is the only one now, or somebody wants both"
    with hospital.uow("scanner") as uow:
        pages.take_back(uow, batches.find(uow, number), [third])
    assert doubtful(hospital, number) == [(9, 3)]


@once
def test_a_file_that_is_set_aside_leaves_nobody_like_its_pages(hospital: Hospital, two: list[int]) -> None:
    number = scanned_again(hospital)
    hand_in(
        hospital,
        number,
        piles.pile([*piles.covers(hospital, number)[:1], piles.sheet("续页，没有标题")]),
        "three.pdf",
    )
    work_off(hospital.site)
    assert doubtful(hospital, number) == [(8, 2), (9, 3), (11, 9)]
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, number)
        broken = files.listed(uow, batch)[0].id
        failed = update(BatchFile).where(BatchFile.id == broken).values(state="failed")
        uow.session.execute(failed, execution_options=TEST)
        files.withdraw(uow, batch, file=broken)
    assert doubtful(hospital, number) == [(11, 9)], "what was sent anew is not like what is gone"
    assert [page.twin for page in leaves(hospital, number)] == [0, 0, 0, 0, 9]


def curve(height: int) -> Image.Image:
    page = Image.new("L", (827, 1169), 255)
    ImageDraw.Draw(page).line([(x, height + x % 97) for x in range(827)], 0, 9)
    return page


@once
def test_whoever_stops_the_reading_of_a_pile_does_not_wait_for_its_pages_and_they_are_compared_all_the_same(
    hospital: Hospital, two: list[int]
) -> None:
    number, pile = piles.prepared(hospital, (3, 1)), BytesIO()
    curve(200).save(pile, "PDF", resolution=100, save_all=True, append_images=[curve(900), curve(200)])
    hand_in(hospital, number, piles.pile([piles.covers(hospital, number)[0], pile.getvalue()]))
    splitting = claim(hospital.site, "worker")
    assert splitting is not None
    perform(hospital.site, splitting)
    step(hospital, "scanner", number, "finish")
    with hospital.uow("scanner") as uow:
        jobs.cancel(uow, uow.session.scalars(select(Job).where(Job.kind == "batch.recognise")).one())
        heard = select(BatchPage.text_kind).where(BatchPage.ordinal > 1)
        assert set(uow.session.scalars(heard, execution_options=TEST)) == {None}
    assert state(hospital, number) == "image_processing"
    work_off(hospital.site)
    assert state(hospital, number) == "self_check"
    assert doubtful(hospital, number) == [(4, 2)]
    with hospital.uow("scanner", readonly=True) as uow:
        texts = select(BatchPage.text).where(BatchPage.ordinal > 1)
        assert set(uow.session.scalars(texts, execution_options=TEST)) == {""}
