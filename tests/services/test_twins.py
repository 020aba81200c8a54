"""Scanned twice: asked about while the other page is kept in the same volume, whatever becomes of either of them."""

from io import BytesIO

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import select, update

from archive.errors import Conflict
from archive.models import BatchFile, BatchPage, Job, Node, Page
from archive.services import jobs, tracks
from archive.services.queue import claim, perform
from archive.services.scanning import batches, files, pages, volumes
from archive.services.scanning import leaves as leaf_views
from tests import piles
from tests.archives import begins
from tests.conftest import Hospital
from tests.services.test_scanning import hand_in, leaves, linked_all, once, state, step, work_off

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


def agreeing(hospital: Hospital, number: str) -> list[tuple[int | None, int]]:
    """Of each volume the pages that were counted, and those that were scanned."""
    with hospital.uow("scanner", readonly=True) as uow:
        return [(one.sides, one.pages) for one in volumes.listed(uow, batches.find(uow, number))]


def of_one_sheet(hospital: Hospital, number: str, *ordinals: int) -> None:
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, number)
        pages.lift(uow, batch, [page.id for page in pages.of_batch(uow, batch) if page.ordinal in ordinals])


@once
def test_pictures_of_a_pasted_sheet_stay_and_count_as_one(hospital: Hospital, two: list[int]) -> None:
    number = scanned_again(hospital)
    with pytest.raises(Conflict):
        of_one_sheet(hospital, number, 2)
    of_one_sheet(hospital, number, 8, 9)
    assert doubtful(hospital, number) == []
    assert agreeing(hospital, number) == [(2, 2), (2, 2)]
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, number)
        assert leaf_views.one(uow, batch, 9).marks == ["与第 3 页同一张，已揭开粘贴单"]
        sheet, other = (page.id for page in pages.of_batch(uow, batch) if page.ordinal in {3, 8})
        pages.set_aside(uow, batch, [sheet], why="spoilt")
        assert agreeing(hospital, number) == [(2, 2), (2, 2)], "the picture stands for the sheet now"
        pages.take_back(uow, batch, [sheet, other])
    assert doubtful(hospital, number) == [(8, 2), (9, 3)], "what was said of them is taken back"
    of_one_sheet(hospital, number, 8, 9)
    linked_all(hospital, number)
    assert state(hospital, number) == "sampling"
    with hospital.uow("archivist", readonly=True) as uow:
        (found,) = tracks.of(uow, [uow.node(two[0])])
        assert (found.outcome, found.pages, found.lifted) == ("matched", 2, 2)
        stands = select(BatchPage.ordinal, Page.lifted).join(Page, Page.id == BatchPage.page_id)
        mine = stands.join(Node, Node.id == Page.node_id).where(Node.parent_id == two[0])
        assert uow.session.execute(mine.order_by(Page.ordinal), execution_options=TEST).all() == [
            (2, False), (8, True), (3, False), (9, True),
        ]  # fmt: skip


@once
def test_a_picture_of_a_pasted_sheet_goes_where_its_sheet_goes(hospital: Hospital, two: list[int]) -> None:
    number = scanned_again(hospital)
    of_one_sheet(hospital, number, 8)
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, number)
        found = {page.ordinal: page for page in pages.of_batch(uow, batch)}
        mine = found[9].volume_id
        pages.place(uow, batch, [found[2].id], volume=found[5].volume_id or 0, component="CY")
        pages.keep(uow, batch, [found[7].id])
        after = {page.ordinal: (page.volume_id, page.component) for page in pages.of_batch(uow, batch)}
        assert after[8] == after[2] == (found[5].volume_id, "CY")
        assert after[9] == (mine, "RY"), "what is behind it in the pile does not"


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
