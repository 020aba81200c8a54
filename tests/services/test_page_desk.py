"""The page desk: many pages at once, nothing lost, everything taken back; masters stay byte for byte."""

import hashlib
from contextlib import suppress
from io import BytesIO
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader
from sqlalchemy import select

from archive.actor import Actor
from archive.errors import ArchiveError, Conflict, Forbidden, Invalid, NotFound
from archive.models import Blob, Job, Node, Page, PageMap
from archive.services import (
    giving_away,
    holds,
    intake,
    page_desk,
    page_map,
    page_tiles,
    pages,
    rescans,
    tracks,
    tree,
    viewer,
)
from archive.services.page_layout import Layout
from archive.site import Site
from tests import papers
from tests.archives import begins, once
from tests.conftest import CAST, RECORD, Hospital
from tests.services.sealing import release, seal
from tests.services.test_derive import work_off
from tests.services.test_intake import component, upload
from tests.services.test_page_checks import drawn
from tests.services.test_trash import empty, is_there, throw

TEST: dict[str, Any] = {"scope": "test"}
NAMES = ["首页", "入院记录", "病程记录", "体温单", "医嘱单"]


@begins
def pile(hospital: Hospital, record: int) -> int:
    """A record with five pages of one file that say which they are."""
    upload(hospital, "scanner", record, papers.pdf(*NAMES))
    drawn(hospital.site)
    return record


def desk(hospital: Hospital, record: int, account: str = "archivist") -> page_tiles.Desk:
    with hospital.uow(account, readonly=True) as uow:
        return page_tiles.of(uow, uow.node(record))


def told(hospital: Hospital, record: int) -> list[str]:
    """What each page of the file says, in the order in which it is read."""
    with hospital.uow("archivist", readonly=True) as uow:
        home = uow.node(record)
        places = []
        number = 1
        with suppress(NotFound):
            while True:
                places.append(viewer.address(uow, home, number))
                number += 1
        return [pages.one(uow, node, ordinal).text for node, ordinal in places]


def ids(hospital: Hospital, record: int) -> list[int]:
    return [sheet.page for sheet in desk(hospital, record).sheets]


def do(hospital: Hospital, verb: Any, record: int, account: str = "archivist", **said: Any) -> None:
    with hospital.uow(account) as uow:
        home = uow.node(record)
        verb(uow, home, **{"version": page_map.version(uow, home)} | said)


def masters(site: Site) -> dict[str, str]:
    """The SHA-256 of what each master holds now."""
    with site.session(readonly=True) as session:
        blobs = session.execute(select(Blob.record, Blob.sha256), execution_options=TEST).all()
    found = {}
    for record, sha256 in blobs:
        with site.store.materialise(record, sha256) as path:
            found[sha256] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


# One act after another


def test_pages_are_put_in_another_order_and_the_reader_sees_it(hospital: Hospital, pile: int) -> None:
    all_five = ids(hospital, pile)
    do(hospital, page_desk.move, pile, pages=[all_five[3], all_five[4]], beside=all_five[1])
    assert told(hospital, pile) == ["首页", "体温单", "医嘱单", "入院记录", "病程记录"]
    do(hospital, page_desk.move, pile, pages=[all_five[0]], beside=all_five[2], behind=True)
    assert told(hospital, pile) == ["体温单", "医嘱单", "入院记录", "病程记录", "首页"]


def test_a_page_that_was_taken_out_is_read_by_nobody_and_comes_back_to_its_place(
    hospital: Hospital, pile: int
) -> None:
    all_five = ids(hospital, pile)
    do(hospital, page_desk.set_aside, pile, pages=[all_five[1], all_five[3]])
    assert told(hospital, pile) == ["首页", "病程记录", "医嘱单"]
    lying = desk(hospital, pile)
    assert [page.page for page in lying.aside] == [all_five[1], all_five[3]]
    with hospital.uow("archivist", readonly=True) as uow:
        assert uow.node(pile).page_count == 3
        assert Image.open(BytesIO(page_tiles.picture(uow, uow.node(pile), all_five[1], small=True))).width
        with pytest.raises(NotFound):
            page_tiles.picture(uow, uow.node(pile), all_five[0], small=True)
    do(hospital, page_desk.restore, pile, pages=[all_five[3], all_five[1]])
    assert told(hospital, pile) == NAMES


def test_a_turned_page_is_shown_turned_with_the_lines_where_they_are_then(
    hospital: Hospital, pile: int
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        before = pages.one(uow, uow.node(pile), 2)
        as_it_was = Image.open(BytesIO(pages.image(uow, uow.node(pile), 2))).convert("L")
    do(hospital, page_desk.rotate, pile, pages=[ids(hospital, pile)[1]], degrees=90)
    with hospital.uow("archivist", readonly=True) as uow:
        turned = pages.one(uow, uow.node(pile), 2)
        picture = Image.open(BytesIO(pages.image(uow, uow.node(pile), 2))).convert("L")
        small = Image.open(BytesIO(pages.thumbnail(uow, uow.node(pile), 2)))
    assert (turned.width, turned.height) == (before.height, before.width) == picture.size
    assert small.width > small.height
    x0, y0, x1, y1, _words = before.boxes[0]
    left, top, right, bottom, words = turned.boxes[0]
    assert (right - left, bottom - top, words) == (y1 - y0, x1 - x0, "入院记录")
    assert ink(picture, (left, top, right, bottom)) == pytest.approx(
        ink(as_it_was, (x0, y0, x1, y1)), rel=0.1
    )
    do(hospital, page_desk.rotate, pile, pages=[ids(hospital, pile)[1]], degrees=270)
    with hospital.uow("archivist", readonly=True) as uow:
        assert (
            Image.open(BytesIO(pages.image(uow, uow.node(pile), 2))).convert("L").tobytes()
            == as_it_was.tobytes()
        )


def ink(picture: Image.Image, box: tuple[int, int, int, int]) -> int:
    return sum(picture.crop(box).histogram()[:128])


def test_pages_go_into_components_from_their_first_page_on(hospital: Hospital, pile: int) -> None:
    all_five = ids(hospital, pile)
    with hospital.uow("archivist") as uow:
        home = uow.node(pile)
        front = page_desk.new_part(uow, home, "SY", "住院病案首页")
        notes = page_desk.new_part(uow, home, "BC", "病程记录")
        page_desk.begin_part(uow, home, pages=[all_five[0]], part=front, version=0)
        page_desk.begin_part(uow, home, pages=[all_five[2]], part=notes, version=page_map.version(uow, home))
    lying = desk(hospital, pile)
    assert [(sheet.node.id, sheet.number, sheet.ordinal) for sheet in lying.sheets] == [
        (front.id, 1, 1), (front.id, 2, 2), (notes.id, 3, 1), (notes.id, 4, 2), (notes.id, 5, 3),
    ]  # fmt: skip
    assert told(hospital, pile) == NAMES
    do(hospital, page_desk.put_into, pile, pages=[all_five[4]], part=front)
    assert told(hospital, pile) == ["首页", "入院记录", "医嘱单", "病程记录", "体温单"]
    with hospital.uow("archivist", readonly=True) as uow:
        assert [uow.node(number).page_count for number in (pile, front.id, notes.id)] == [0, 3, 2]


def test_the_words_of_pages_in_a_component_are_found_there_and_nowhere_else(
    site: Site, hospital: Hospital, pile: int
) -> None:
    part = component(hospital, pile)
    do(hospital, page_desk.put_into, pile, pages=ids(hospital, pile)[2:3], part=node_of(hospital, part))
    with hospital.uow("archivist", readonly=True) as uow:
        assert viewer.find(uow, uow.node(pile), 1, "病程记录").split("?")[0].endswith("++page++1")
        assert viewer.find(uow, uow.node(pile), 1, "病程记录").startswith(
            desk(hospital, pile).sheets[4].node.href
        )


def node_of(hospital: Hospital, number: int) -> Node:
    with hospital.uow("archivist", readonly=True) as uow:
        return uow.node(number)


# Undoing, and two people at once


def test_each_act_is_taken_back_one_after_another(hospital: Hospital, pile: int) -> None:
    all_five = ids(hospital, pile)
    do(hospital, page_desk.rotate, pile, pages=all_five[:2], degrees=180)
    do(hospital, page_desk.set_aside, pile, pages=all_five[1:3])
    do(hospital, page_desk.move, pile, pages=all_five[:1], beside=all_five[4], behind=True)
    assert desk(hospital, pile).undoes
    do(hospital, page_desk.undo, pile)
    assert told(hospital, pile) == ["首页", "体温单", "医嘱单"]
    do(hospital, page_desk.undo, pile)
    assert told(hospital, pile) == NAMES
    assert [sheet.rotation for sheet in desk(hospital, pile).sheets] == [180, 180, 0, 0, 0]
    do(hospital, page_desk.undo, pile)
    assert [sheet.rotation for sheet in desk(hospital, pile).sheets] == [0] * 5
    assert desk(hospital, pile).undoes is None
    with pytest.raises(Conflict):
        do(hospital, page_desk.undo, pile)


def test_what_is_done_after_an_undoing_can_be_undone_too(hospital: Hospital, pile: int) -> None:
    all_five = ids(hospital, pile)
    do(hospital, page_desk.set_aside, pile, pages=all_five[:1])
    do(hospital, page_desk.undo, pile)
    do(hospital, page_desk.set_aside, pile, pages=all_five[4:])
    do(hospital, page_desk.undo, pile)
    assert told(hospital, pile) == NAMES
    assert desk(hospital, pile).undoes is None


@once
def test_what_the_program_has_turned_upright_stays_so_and_makes_nobodys_order_old(
    site: Site, hospital: Hospital, pile: int
) -> None:
    all_five = ids(hospital, pile)
    do(hospital, page_desk.rotate, pile, pages=all_five[:1], degrees=90)
    do(hospital, page_desk.set_aside, pile, pages=all_five[4:])
    seen = desk(hospital, pile).version
    for page in all_five[:3]:
        with site.uow(Actor.system("test")) as uow:
            home = uow.session.get_one(Node, pile, execution_options=TEST)
            page_desk.set_upright(uow, home, page=page, degrees=180)
    do(hospital, page_desk.move, pile, pages=all_five[:1], beside=all_five[3], version=seen)
    for _act in ("move", "set aside", "rotate"):
        do(hospital, page_desk.undo, pile)
    assert desk(hospital, pile).undoes is None
    assert [(sheet.page, sheet.rotation) for sheet in desk(hospital, pile).sheets] == list(
        zip(all_five, [0, 180, 180, 0, 0], strict=True)
    )


def test_pages_that_came_later_stay_when_an_older_order_comes_back(
    site: Site, hospital: Hospital, pile: int
) -> None:
    do(hospital, page_desk.set_aside, pile, pages=ids(hospital, pile)[:1])
    upload(hospital, "scanner", pile, papers.pdf("病理报告"), "病理.pdf")
    work_off(site)
    do(hospital, page_desk.undo, pile)
    assert told(hospital, pile) == [*NAMES, "病理报告"]


def test_of_two_people_at_once_the_second_is_told_and_nothing_is_lost(hospital: Hospital, pile: int) -> None:
    all_five = ids(hospital, pile)
    seen = desk(hospital, pile).version
    do(hospital, page_desk.set_aside, pile, pages=all_five[:1], version=seen)
    with pytest.raises(page_map.Moved):
        do(
            hospital,
            page_desk.move,
            pile,
            account="senior",
            pages=all_five[1:2],
            beside=all_five[4],
            version=seen,
        )
    assert told(hospital, pile) == NAMES[1:]


def test_nothing_is_arranged_while_pages_are_being_made(site: Site, hospital: Hospital, pile: int) -> None:
    upload(hospital, "scanner", pile, papers.pdf("病理报告"), "病理.pdf")
    with pytest.raises(Conflict):
        do(hospital, page_desk.set_aside, pile, pages=ids(hospital, pile)[:1])
    work_off(site)
    do(hospital, page_desk.set_aside, pile, pages=ids(hospital, pile)[:1])


def test_an_order_with_a_component_that_is_in_the_trash_does_not_come_back(
    hospital: Hospital, pile: int
) -> None:
    part = component(hospital, pile)
    do(hospital, page_desk.put_into, pile, pages=ids(hospital, pile)[:1], part=node_of(hospital, part))
    do(hospital, page_desk.put_into, pile, pages=ids(hospital, pile)[-1:], part=node_of(hospital, pile))
    throw(hospital, part)
    with pytest.raises(Conflict):
        do(hospital, page_desk.undo, pile)


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        (page_desk.set_aside, {"pages": []}),
        (page_desk.set_aside, {"pages": [987_654]}),
        (page_desk.restore, {"pages": [1]}),
        (page_desk.rotate, {"pages": [1], "degrees": 45}),
        (page_desk.move, {"pages": [1], "beside": 987_654}),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    verb: Any, said: dict[str, Any], hospital: Hospital, pile: int
) -> None:
    given_pages = [ids(hospital, pile)[0] if page == 1 else page for page in said["pages"]]
    with pytest.raises((Invalid, Conflict)):
        do(hospital, verb, pile, **said | {"pages": given_pages})
    assert told(hospital, pile) == NAMES
    assert desk(hospital, pile).version == 0


# A re-scan


def rescan(hospital: Hospital, record: int, page: int, content: bytes, account: str = "scanner") -> None:
    with hospital.uow(account) as uow:
        home = uow.node(record)
        staged = intake.stage(uow.site, BytesIO(content))
        said = {"page": page, "version": page_map.version(uow, home)}
        rescans.replace(uow, home, staged, filename="重扫.pdf", **said)


def test_a_rescan_stands_where_the_old_page_stood_and_both_are_kept(
    site: Site, hospital: Hospital, pile: int
) -> None:
    old = ids(hospital, pile)[2]
    before = masters(site)
    rescan(hospital, pile, old, papers.pdf("病程记录（重扫）", "病程记录背面"))
    assert told(hospital, pile) == NAMES, "nothing changes while its pages are being made"
    work_off(site)
    assert told(hospital, pile) == [*NAMES[:2], "病程记录（重扫）", "病程记录背面", *NAMES[3:]]
    (lying,) = desk(hospital, pile).aside
    assert (lying.page, lying.superseded_by) == (old, 3)
    with hospital.uow("scanner", readonly=True) as uow:
        assert page_tiles.picture(uow, uow.node(pile), old, small=False)
    assert before.items() <= masters(site).items()
    do(hospital, page_desk.undo, pile)
    assert told(hospital, pile) == [*NAMES, "病程记录（重扫）", "病程记录背面"]
    assert desk(hospital, pile).aside == []


def test_a_rescan_that_cannot_be_read_replaces_nothing(site: Site, hospital: Hospital, pile: int) -> None:
    rescan(hospital, pile, ids(hospital, pile)[2], b"this is no picture")
    work_off(site)
    assert told(hospital, pile) == NAMES


def test_a_rescan_of_a_page_that_was_taken_out_meanwhile_stands_behind_the_others(
    site: Site, hospital: Hospital, pile: int
) -> None:
    old = ids(hospital, pile)[2]
    rescan(hospital, pile, old, papers.pdf("病程记录（重扫）"))
    with site.uow(Actor.system("test")) as uow, uow.act("page.set_aside", None):
        home = uow.session.get_one(Node, pile, execution_options=TEST)
        with page_map.changing(uow, home, version=None, act="set_aside") as layout:
            layout.set_aside([old])
    work_off(site)
    assert told(hospital, pile) == [*NAMES[:2], *NAMES[3:], "病程记录（重扫）"]


# To another record


@pytest.fixture
def another(hospital: Hospital) -> int:
    with hospital.uow("archivist") as uow:
        fields = RECORD | {"mrn": "00777777", "dept": str(hospital.wards["CK"])}
        return tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields).id


def test_pages_of_another_patient_go_to_their_record_without_loss_and_nothing_else_does(
    site: Site, hospital: Hospital, pile: int, another: int
) -> None:
    before, chosen = masters(site), ids(hospital, pile)[1:3]
    with hospital.uow("archivist") as uow:
        home = uow.node(pile)
        found = giving_away.target(uow, "00777777-2")
        giving_away.order(uow, home, pages=chosen, to=found, version=page_map.version(uow, home))
    work_off(site)
    assert told(hospital, another) == NAMES[1:3]
    assert told(hospital, pile) == [NAMES[0], *NAMES[3:]]
    assert [page.page for page in desk(hospital, pile).aside] == chosen
    after = masters(site)
    assert before.items() <= after.items()
    assert all(name == content for name, content in after.items())
    with site.session(readonly=True) as session:
        uuid = session.scalar(select(Node.uuid).where(Node.id == another), execution_options=TEST)
        (blob,) = session.scalars(select(Blob).where(Blob.record == str(uuid)), execution_options=TEST).all()
    with site.store.materialise(blob.record, blob.sha256) as path:
        assert len(PdfReader(path).pages) == 2
        held = "".join(page.extract_text() for page in PdfReader(path).pages)
    assert "入院记录" in held
    assert "医嘱单" not in held


def give(hospital: Hospital, source: int, pages_: list[int], to: int) -> None:
    with hospital.uow("archivist") as uow:
        home = uow.node(source)
        giving_away.order(uow, home, pages=pages_, to=uow.node(to), version=page_map.version(uow, home))


@once
def test_pages_that_go_there_and_back_and_there_again_stand_in_one_record_each_time(
    site: Site, hospital: Hospital, pile: int, another: int
) -> None:
    first, rest = NAMES[:1], NAMES[1:]
    give(hospital, pile, ids(hospital, pile)[:1], another)
    work_off(site)
    assert (told(hospital, pile), told(hospital, another)) == (rest, first)
    assert desk(hospital, pile).undoes is None, "undone, they would stand in both"
    with pytest.raises(Conflict):
        do(hospital, page_desk.restore, pile, pages=[page.page for page in desk(hospital, pile).aside])
    give(hospital, another, ids(hospital, another), pile)
    work_off(site)
    assert (told(hospital, pile), told(hospital, another)) == ([*rest, *first], [])
    give(hospital, pile, ids(hospital, pile)[-1:], another)
    work_off(site)
    assert (told(hospital, pile), told(hospital, another)) == (rest, first)
    do(hospital, page_desk.set_aside, another, pages=ids(hospital, another))
    do(hospital, page_desk.restore, another, pages=[page.page for page in desk(hospital, another).aside])
    assert told(hospital, another) == first, "what was only taken out comes back"


@once
def test_a_page_that_is_taken_out_while_it_is_given_away_stays_and_the_others_go(
    site: Site, hospital: Hospital, pile: int, another: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, extract = ids(hospital, pile)[1:3], giving_away.extract
    give(hospital, pile, chosen, another)

    def meanwhile(*given: Any) -> Any:
        if page_map_of(hospital, pile) == 0:
            do(hospital, page_desk.set_aside, pile, pages=chosen[:1])
        return extract(*given)

    # The real thing runs, but somebody acts at exactly this moment, which no test could hit from outside.
    monkeypatch.setattr(giving_away, "extract", meanwhile)
    work_off(site)
    assert told(hospital, another) == NAMES[2:3]
    assert told(hospital, pile) == [NAMES[0], *NAMES[3:]]
    do(hospital, page_desk.restore, pile, pages=chosen[:1])
    assert told(hospital, pile) == [*NAMES[:2], *NAMES[3:]]


def page_map_of(hospital: Hospital, record: int) -> int:
    with hospital.uow("archivist", readonly=True) as uow:
        return page_map.version(uow, uow.node(record))


def test_pages_go_only_to_a_record_that_one_may_scan_into(
    hospital: Hospital, pile: int, another: int
) -> None:
    locked(hospital, another)
    with pytest.raises((Forbidden, NotFound)), hospital.uow("archivist") as uow:
        giving_away.order(uow, uow.node(pile), pages=ids(hospital, pile)[:1], to=uow.node(another), version=0)
    assert told(hospital, pile) == NAMES


def locked(hospital: Hospital, record: int) -> None:
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(record), level=3, reason="涉诉")


def test_pages_stay_where_they_are_when_the_other_record_was_locked_meanwhile(
    site: Site, hospital: Hospital, pile: int, another: int
) -> None:
    with hospital.uow("archivist") as uow:
        giving_away.order(uow, uow.node(pile), pages=ids(hospital, pile)[:1], to=uow.node(another), version=0)
    locked(hospital, another)
    work_off(site)
    assert told(hospital, pile) == NAMES
    with site.session(readonly=True) as session:
        assert session.scalar(select(Job.state).where(Job.kind == "page.give")) == "failed"


def counted(hospital: Hospital, record: int) -> tuple[int, int]:
    """How many pages are counted against the paper, and how many further pictures there are beside them."""
    with hospital.uow("archivist", readonly=True) as uow:
        (found,) = tracks.of(uow, [uow.node(record)])
        return found.pages, found.lifted


@once
def test_pictures_of_a_pasted_sheet_count_as_one_wherever_they_go(
    site: Site, hospital: Hospital, pile: int, another: int
) -> None:
    first, second, third, fourth, _last = ids(hospital, pile)
    with pytest.raises(Conflict):
        do(hospital, page_desk.join_sheet, pile, pages=[first])
    do(hospital, page_desk.join_sheet, pile, pages=[third, fourth])
    assert counted(hospital, pile) == (3, 2)
    assert [sheet.lifted for sheet in desk(hospital, pile).sheets] == [False, False, True, True, False]
    do(hospital, page_desk.set_aside, pile, pages=[second])
    assert counted(hospital, pile) == (3, 1), "the next picture stands for the sheet"
    do(hospital, page_desk.undo, pile)
    assert counted(hospital, pile) == (3, 2)
    do(hospital, page_desk.part_sheet, pile, pages=[fourth])
    assert counted(hospital, pile) == (4, 1)
    do(hospital, page_desk.undo, pile)
    give(hospital, pile, [second, third, fourth], another)
    work_off(site)
    assert counted(hospital, pile) == (2, 0)
    assert counted(hospital, another) == (1, 2)
    for place in (0, 2):
        rescan(hospital, another, ids(hospital, another)[place], papers.pdf(f"重扫{place}"), "archivist")
        work_off(site)
    assert counted(hospital, another) == (1, 2), "what was scanned anew is of the same sheet"


def test_what_comes_between_the_pictures_of_a_sheet_takes_none_of_them() -> None:
    layout = Layout.of([[page, 7, page + 1, 0, None, None, page in {1, 2, 4}] for page in range(6)])
    layout.move([3, 4], 7, 2)
    layout.set_aside([0])
    assert layout.standing[7] == [3, 4, 1, 2, 5]
    assert layout.lifted == {4, 2}, "the first of the two stands for their sheet"


# Any series of acts

ACTS = st.lists(
    st.tuples(st.sampled_from(["rotate", "set_aside", "restore", "move", "put_into"]), st.sets(st.integers(0, 5)),
              st.integers(0, 5)), max_size=8,
)  # fmt: skip


@given(ACTS)
def test_whatever_is_done_each_page_is_somewhere_once_and_no_sheet_is_lost(
    acts: list[tuple[str, set[int], int]],
) -> None:
    layout = Layout.of([[page, 7, page + 1, 0, None, None, page in {1, 2, 4}] for page in range(6)])
    for act, chosen, other in acts:
        standing = [page for page in sorted(chosen) if layout.place_of(page)]
        if act == "rotate":
            layout.turn(chosen, 90)
        elif act == "set_aside":
            layout.set_aside(standing)
        elif act == "restore":
            layout.restore([page for page in chosen if page in layout.aside])
        elif act == "move" and (there := layout.place_of(other)):
            layout.move(standing, *there)
        elif act == "put_into":
            layout.move(standing, 8, len(layout.standing.get(8, [])) + 1)
        entries = layout.entries()
        assert [entry[0] for entry in entries] == list(range(6))
        for node in (7, 8):
            places = sorted(entry[2] for entry in entries if entry[1] == node)
            assert places == list(range(1, len(places) + 1))
        assert Layout.of(entries).entries() == entries
        counted = layout.shown() - layout.lifted
        assert all(sheet & counted for sheet in ({0, 1, 2}, {3, 4}, {5}) if sheet & layout.shown())


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(acts=ACTS)
def test_any_series_of_acts_is_taken_back_to_the_same_order_and_masters_never_change(
    acts: list[tuple[str, set[int], int]], site: Site, hospital: Hospital, pile: int
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        begun, files = page_map.entries(uow, uow.node(pile)), masters(site)
    all_five = [entry[0] for entry in begun]
    for act, chosen, other in acts:
        some, one = [all_five[place % 5] for place in sorted(chosen)], all_five[other % 5]
        said: dict[str, Any] = {"pages": some}
        said |= {
            "rotate": {"degrees": 90},
            "move": {"beside": one},
            "put_into": {"part": node_of(hospital, pile)},
        }.get(act, {})
        with suppress(ArchiveError):
            do(hospital, getattr(page_desk, act), pile, **said)
    while desk(hospital, pile).undoes:
        do(hospital, page_desk.undo, pile)
    with hospital.uow("archivist", readonly=True) as uow:
        assert page_map.entries(uow, uow.node(pile)) == begun
    assert masters(site) == files
    assert all(name == content for name, content in files.items())
    with site.session(readonly=True) as session:
        versions = session.scalars(
            select(PageMap.version).order_by(PageMap.version), execution_options=TEST
        ).all()
    assert all(after == before + 1 for before, after in pairwise(versions))


# Who may


def test_who_may_arrange_pages(hospital: Hospital, pile: int) -> None:
    first = ids(hospital, pile)[:1]
    for account in CAST:
        try:
            do(hospital, page_desk.rotate, pile, account=account, pages=first, degrees=90)
            may = True
        except (Forbidden, NotFound):
            may = False
        assert may == (account in {"archivist", "senior", "scanner"}), account


def test_a_sealed_page_is_turned_and_moved_and_neither_taken_out_nor_replaced_by_anybody(
    site: Site, hospital: Hospital, pile: int, another: int
) -> None:
    all_five = ids(hospital, pile)
    do(hospital, page_desk.set_aside, pile, pages=all_five[4:])
    rescan(hospital, pile, all_five[3], papers.pdf("重扫"))
    made = seal(hospital, pile, kind=holds.COPY)
    work_off(site)
    assert len(ids(hospital, pile)) == 5, (
        "what was scanned before the seal came is added, and replaces nothing"
    )
    assert all_five[3] in ids(hospital, pile)
    with pytest.raises(Conflict, match=SEALED):
        do(hospital, page_desk.set_aside, pile, pages=all_five[:2])
    with pytest.raises(Conflict, match=SEALED):
        rescan(hospital, pile, all_five[1], papers.pdf("再扫"))
    with hospital.uow("archivist") as uow, pytest.raises(Conflict, match=SEALED):
        version = page_map.version(uow, uow.node(pile))
        giving_away.order(uow, uow.node(pile), pages=all_five[:1], to=uow.node(another), version=version)
    do(hospital, page_desk.rotate, pile, pages=all_five[:1], degrees=90)
    do(hospital, page_desk.move, pile, pages=all_five[2:3], beside=all_five[0])
    do(hospital, page_desk.restore, pile, pages=all_five[4:])
    do(hospital, page_desk.set_aside, pile, pages=all_five[4:])
    release(hospital, made)
    do(hospital, page_desk.set_aside, pile, pages=all_five[:2])
    assert not set(all_five[:2]) & set(ids(hospital, pile))


SEALED = "封存"


# What is deleted for good


def test_a_page_in_a_component_that_is_purged_comes_back_to_the_pages_taken_out(
    site: Site, hospital: Hospital, pile: int
) -> None:
    part = component(hospital, pile)
    do(hospital, page_desk.put_into, pile, pages=ids(hospital, pile)[2:3], part=node_of(hospital, part))
    moved = ids(hospital, pile)[-1]
    purged(site, hospital, part)
    lying = desk(hospital, pile)
    assert [page.page for page in lying.aside] == [moved]
    do(hospital, page_desk.restore, pile, pages=[moved])
    assert sorted(told(hospital, pile)) == sorted(NAMES)


def test_a_page_that_was_put_from_a_component_into_the_record_outlives_the_component(
    site: Site, hospital: Hospital, pile: int
) -> None:
    part = component(hospital, pile)
    upload(hospital, "scanner", part, papers.pdf("病理报告", "会诊记录"), "病理.pdf")
    work_off(site)
    do(hospital, page_desk.put_into, pile, pages=ids(hospital, pile)[-1:], part=node_of(hospital, pile))
    purged(site, hospital, part)
    assert told(hospital, pile) == [*NAMES, "会诊记录"]
    assert len(masters(site)) == 2


def test_a_purged_record_takes_all_its_pages_along(site: Site, hospital: Hospital, pile: int) -> None:
    part = component(hospital, pile)
    do(hospital, page_desk.put_into, pile, pages=ids(hospital, pile)[2:3], part=node_of(hospital, part))
    do(hospital, page_desk.set_aside, pile, pages=ids(hospital, pile)[:1])
    purged(site, hospital, pile)
    with site.session(readonly=True) as session:
        assert session.scalars(select(Page.id), execution_options=TEST).all() == []
        assert session.scalars(select(PageMap.id), execution_options=TEST).all() == []


def purged(site: Site, hospital: Hospital, node: int) -> None:
    """Moved to the trash, and 31 days later deleted for good."""
    throw(hospital, node)
    hospital.clock.forward(days=31)
    empty(site)
    assert not is_there(site, node)
