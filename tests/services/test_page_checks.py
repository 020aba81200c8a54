"""Pages that somebody should look at: measured once, judged by the policy of the day, shown to whoever may read them."""

from io import BytesIO

import pytest
from PIL import Image, ImageDraw, ImageFilter
from sqlalchemy import delete, select

from archive import worker
from archive.actor import Actor
from archive.errors import ArchiveError
from archive.models import Page, PageCheck, PageText, Representation
from archive.policy.permissions import P
from archive.services import corrections, intake, page_checks, page_tiles, pages
from archive.services.page_checks import Checked
from archive.site import Site
from storage.confined.quality import measured
from tests import papers
from tests.archives import begins, once
from tests.conftest import CAST, Hospital
from tests.services.test_adoption import adopt, body_of
from tests.services.test_intake import upload
from tests.storage.test_quality import PAPER, WORDS, page, turned

TEST = {"scope": "test"}
READERS = {"archivist", "scanner", "senior"}
"""Of a draft."""


def scanned(*pictures: Image.Image, dpi: int | None = 200) -> bytes:
    out = BytesIO()
    told = {"dpi": (dpi, dpi)} if dpi else {}
    pictures[0].save(out, "TIFF", save_all=True, append_images=pictures[1:], **told)
    return out.getvalue()


def drawn(site: Site, files: int = 1) -> None:
    """Makes the pages of files; their text, which takes longest, is not wanted here."""
    for _file in range(files):
        assert worker.take_one(site, "test")


def leave_as_scanned(hospital: Hospital) -> None:
    """From now on pictures are neither straightened nor cleaned."""
    body = body_of("imaging")
    body["steps"] = dict.fromkeys(body["steps"], False)
    adopt(hospital, "imaging", body)


@begins
def pile(hospital: Hospital, record: int) -> int:
    """A record with a good page and four that somebody should look at, as nothing is done to them."""
    leave_as_scanned(hospital)
    good = page()
    edged = good.copy()
    edged.paste(0, (0, 0, 60, edged.height))
    blank, soft = Image.new("L", good.size, PAPER), good.filter(ImageFilter.GaussianBlur(3))
    upload(hospital, "archivist", record, scanned(good, turned(good, -2.4), blank, soft, edged))
    drawn(hospital.site)
    return record


def told(hospital: Hospital, record: int, account: str = "archivist") -> Checked:
    with hospital.uow(account, readonly=True) as uow:
        return page_checks.of(uow, uow.node(record, P.READ))


def said(checked: Checked) -> dict[int, str]:
    return {page.number: "、".join(page.findings) for page in checked.listed}


def test_what_a_person_would_see_is_listed_page_by_page(hospital: Hospital, pile: int) -> None:
    checked = told(hospital, pile)
    assert (checked.pages, checked.measured, checked.doubtful) == (5, 5, 4)
    assert said(checked) == {2: "歪斜 -2.4°", 3: "疑似空白页", 4: "疑似模糊", 5: "黑边"}
    assert all(page.href.endswith(f"/++page++{page.number}") for page in checked.listed)


@once
def test_too_coarse_a_scan_is_told_and_so_is_one_that_says_nothing(
    site: Site, hospital: Hospital, record: int
) -> None:
    upload(hospital, "archivist", record, scanned(page(150), dpi=150), "一.tif")
    upload(hospital, "archivist", record, scanned(page(300), dpi=300), "二.tif")
    upload(hospital, "archivist", record, papers.pdf("\n".join([WORDS[:18]] * 12)), "三.pdf")
    picture = BytesIO()
    page().save(picture, "PNG")
    upload(hospital, "archivist", record, picture.getvalue(), "四.png")
    drawn(site, 4)
    found = said(told(hospital, record))
    assert (found[1], found[4], 2 in found, 3 in found) == ("分辨率 150 dpi", "未注明分辨率", False, False)


def test_another_policy_judges_what_was_measured_before(hospital: Hospital, pile: int) -> None:
    body = body_of("page_checks")
    body["limits"] |= {"tilt_tenths": 30, "border_percent": 100, "sharpness_percent": 0}
    adopt(hospital, "page_checks", body)
    assert set(said(told(hospital, pile))) == {3, 5}


def test_pages_that_were_never_measured_are_said_to_be_so(hospital: Hospital, pile: int) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        last = select(PageCheck.page_id).order_by(PageCheck.page_id.desc()).limit(2)
        uow.session.execute(delete(PageCheck).where(PageCheck.page_id.in_(last)), execution_options=TEST)
    checked = told(hospital, pile)
    assert (checked.pages, checked.measured, checked.doubtful) == (5, 3, 2)


def test_whoever_may_not_read_the_pages_learns_nothing_of_them(hospital: Hospital, pile: int) -> None:
    for account in sorted(set(CAST) - READERS):
        with pytest.raises(ArchiveError):
            told(hospital, pile, account)
    for account in READERS:
        assert told(hospital, pile, account).doubtful == 4


def test_with_its_pages_go_their_measures(hospital: Hospital, pile: int) -> None:
    with hospital.uow("senior", readonly=True) as uow:
        (file,) = intake.files(uow, uow.node(pile))
    with hospital.site.uow(Actor.system("test")) as uow:
        made = uow.session.get_one(Representation, file.id, execution_options=TEST)
        pages.drop(uow, made)
        assert uow.session.scalar(select(PageCheck.page_id), execution_options=TEST) is None


@once
def test_text_that_the_machine_is_not_sure_of_is_told_until_somebody_corrects_it(
    hospital: Hospital, pile: int
) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        first, second = uow.session.scalars(
            select(Page.id).order_by(Page.id).limit(2), execution_options=TEST
        )
        for page, sure in ((first, 0.55), (second, 0.93)):
            uow.session.add(PageText(page_id=page, kind="machine", text="诊断", confidence=sure, at=uow.now))
    assert said(told(hospital, pile))[1] == "文字识别把握不足 55%"
    assert said(told(hospital, pile))[2] == "歪斜 -2.4°"
    with hospital.uow("archivist") as uow:
        corrections.correct(uow, uow.node(pile), 1, text="诊断", version=0)
    assert 1 not in said(told(hospital, pile))


@once
def test_what_was_mended_in_the_copy_is_told_and_no_defect_any_more(
    site: Site, hospital: Hospital, record: int
) -> None:
    edged = page()
    edged.paste(0, (0, 0, 60, edged.height))
    upload(hospital, "archivist", record, scanned(page(), turned(page(), -2.4), edged))
    drawn(hospital.site)
    checked = told(hospital, record)
    assert (checked.doubtful, checked.treated) == (0, 2)
    with hospital.uow("archivist", readonly=True) as uow:
        node = uow.node(record, P.READ)
        assert [pages.one(uow, node, number).steps for number in (1, 2, 3)] == ["", "拉直 +2.4°", "去黑边"]


@once
def test_a_lost_picture_comes_back_as_it_was_whatever_is_done_to_pictures_by_now(
    site: Site, hospital: Hospital, record: int
) -> None:
    upload(hospital, "archivist", record, scanned(turned(page(), -2.4)))
    drawn(hospital.site)
    with hospital.uow("archivist", readonly=True) as uow:
        node = uow.node(record, P.READ)
        row = uow.session.scalars(select(Page), execution_options=TEST).one()
        before, plain = pages.image(uow, node, 1), pages.image(uow, node, 1, as_scanned=True)
        site.store.remove_derivatives(node.uuid, [row.image, row.thumbnail])
    leave_as_scanned(hospital)
    with hospital.uow("archivist", readonly=True) as uow:
        node = uow.node(record, P.READ)
        assert pages.image(uow, node, 1) == before
        assert pages.image(uow, node, 1, as_scanned=True) == plain
    with Image.open(BytesIO(before)) as straight, Image.open(BytesIO(plain)) as askew:
        assert (measured(straight)["tilt"], measured(askew)["tilt"]) == (
            pytest.approx(0, abs=0.2), pytest.approx(-2.4, abs=0.2),
        )  # fmt: skip


def test_the_words_of_a_file_stay_where_they_stand_in_it(site: Site, hospital: Hospital, record: int) -> None:
    upload(hospital, "archivist", record, papers.pdf("\n".join([WORDS[:18]] * 12)))
    drawn(hospital.site)
    assert told(hospital, record).treated == 0


@once
def test_cut_edges_and_scans_in_black_and_white_are_told_as_the_hospital_wants(
    site: Site, hospital: Hospital, record: int
) -> None:
    upload(hospital, "archivist", record, scanned(page().crop((200, 0, 1654, 2339))), "一.tif")
    upload(hospital, "archivist", record, scanned(page().convert("1", dither=Image.Dither.NONE)), "二.tif")
    drawn(site, 2)
    assert said(told(hospital, record)) == {1: "疑似缺边"}
    body = body_of("page_checks")
    body["limits"] |= {"colour_expected": True, "cut_marks": 1000}
    adopt(hospital, "page_checks", body)
    assert said(told(hospital, record)) == {2: "黑白二值扫描"}


@once
def test_a_seal_is_told_and_no_defect(site: Site, hospital: Hospital, record: int) -> None:
    stamped = page().convert("RGB")
    ImageDraw.Draw(stamped).ellipse((900, 1900, 1200, 2200), outline=(200, 30, 40), width=14)
    upload(hospital, "archivist", record, scanned(page().convert("RGB"), stamped))
    drawn(hospital.site)
    assert told(hospital, record).doubtful == 0
    with hospital.uow("archivist", readonly=True) as uow:
        sheets = page_tiles.of(uow, uow.node(record, P.READ)).sheets
        assert [sheet.marks for sheet in sheets] == [[], ["印章"]]


def test_where_pages_cannot_be_read_they_cannot_be_read_as_scanned(hospital: Hospital, pile: int) -> None:
    for account in sorted(set(CAST) - READERS):
        with pytest.raises(ArchiveError), hospital.uow(account, readonly=True) as uow:
            pages.image(uow, uow.node(pile), 1, as_scanned=True)
