"""案卷内查找: every place in the file, in order, over the pages that one may read and over no others."""

import pytest
from sqlalchemy import select, update

from archive import envelope
from archive.actor import Actor
from archive.errors import Forbidden, NotFound
from archive.journal import Event
from archive.models import Page, PageText
from archive.services import tree, viewer
from archive.services.viewer import Open
from tests.archives import begins
from tests.conftest import CAST, Clock, Hospital
from tests.services.lending import approved, step
from tests.services.searching import TEST, archived, component, written


@begins
def items(hospital: Hospital, record: int) -> list[int]:
    """Three items of an archived record: eight pages, six places of 粘连, one of them over the end of a line."""
    first, second, third = (
        component(hospital, record, title) for title in ("手术记录", "病程记录", "出院记录")
    )
    written(hospital, first, "见条索状粘连，予松解粘连", "术后第一日")
    written(hospital, second, "平稳", "盆腔粘\n连已松解", "平稳", "无粘連")
    written(hospital, third, "出院诊断：肠粘连", "嘱随诊，防再粘 连")
    archived(hospital, record)
    return [first, second, third]


def opened(
    hospital: Hospital,
    account: str,
    node: int,
    ordinal: int = 1,
    words: str = "粘连",
    place: int | None = None,
) -> Open:
    with hospital.uow(account, readonly=True) as uow:
        return viewer.open_page(uow, uow.node(node), ordinal, words, place)


def numbers(seen: Open) -> list[int]:
    return [hit.number for hit in seen.places.hits]


def test_all_places_of_the_file_are_found_in_their_order_however_they_are_written(
    hospital: Hospital, items: list[int]
) -> None:
    seen = opened(hospital, "archivist", items[0])
    assert (seen.places.total, seen.places.current, seen.total) == (6, 1, 8)
    assert numbers(seen) == [1, 1, 4, 6, 7, 8]
    assert [hit.match for hit in seen.places.hits] == ["粘连", "粘连", "粘\n连", "粘連", "粘连", "粘 连"]
    assert [(number, count) for number, count, _href in seen.places.marks] == [
        (1, 2), (4, 1), (6, 1), (7, 1), (8, 1)
    ]  # fmt: skip
    assert [part.hits for part in seen.parts] == [2, 2, 2]
    assert [leaf.hits for leaf in seen.parts[0].leaves] == [2, 0]


def test_a_step_leads_from_item_to_item_and_from_the_last_place_to_the_first(
    hospital: Hospital, items: list[int]
) -> None:
    seen = opened(hospital, "archivist", items[0], 1, place=2)
    assert seen.places.current == 2
    way = [seen.number]
    for _step in range(5):
        assert seen.places.next
        page, place = (
            seen.places.next.rpartition("/++page++")[2].split("?")[0],
            seen.places.next.rpartition("at=")[2],
        )
        item = next(part for part in seen.parts if f"{part.view.href}/" in seen.places.next).view.id
        seen = opened(hospital, "archivist", item, int(page), place=int(place))
        way.append(seen.number)
    assert way == [1, 4, 6, 7, 8, 1]
    assert seen.places.current == 1
    assert seen.places.previous
    assert seen.places.previous.endswith("at=6")


def test_from_a_page_without_a_place_one_goes_to_the_ones_around_it(
    hospital: Hospital, items: list[int]
) -> None:
    seen = opened(hospital, "archivist", items[1], 3, place=2)
    assert (seen.number, seen.places.current) == (5, None)
    assert seen.places.previous
    assert seen.places.next
    assert seen.places.previous.endswith("at=3")
    assert seen.places.next.endswith("at=4")
    assert not any(hit.current for hit in seen.places.hits)


def test_a_place_over_the_end_of_a_line_is_marked_in_both_lines_of_text_and_image(
    hospital: Hospital, items: list[int]
) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        page = select(Page.id).where(Page.node_id == items[1], Page.ordinal == 2).scalar_subquery()
        lines = [[100, 50, 300, 90, "盆腔粘"], [100, 100, 400, 140, "连已松解，BP"]]
        uow.session.execute(
            update(PageText).where(PageText.page_id == page).values(boxes=lines),
            execution_options=TEST | {"synchronize_session": False},
        )
    seen = opened(hospital, "archivist", items[1], 2)
    assert seen.paragraphs == [[("盆腔", None), ("粘", 3)], [("连", 3), ("已松解", None)]]
    assert [(round(box.x), box.y, round(box.width), box.place) for box in seen.boxes] == [
        (233, 50, 67, 3), (100, 100, 50, 3)
    ]  # fmt: skip


def test_where_the_image_no_longer_says_what_the_text_says_no_place_of_it_is_the_current_one(
    hospital: Hospital, items: list[int]
) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        page = select(Page.id).where(Page.node_id == items[0], Page.ordinal == 1).scalar_subquery()
        uow.session.execute(
            update(PageText).where(PageText.page_id == page).values(boxes=[[0, 0, 90, 9, "松解粘连"]]),
            execution_options=TEST | {"synchronize_session": False},
        )
    seen = opened(hospital, "archivist", items[0])
    assert [box.place for box in seen.boxes] == [None]
    assert seen.places.total == 6


def test_several_words_are_each_looked_for_and_quoted_ones_together(
    hospital: Hospital, items: list[int]
) -> None:
    assert numbers(opened(hospital, "archivist", items[0], words="术后 出院")) == [2, 7]
    assert numbers(opened(hospital, "archivist", items[0], words='"术后 第一日"')) == [2]
    assert numbers(opened(hospital, "archivist", items[0], words="松解 -粘连")) == [1, 4]
    assert numbers(opened(hospital, "archivist", items[0], words="(松解")) == [1, 4], (
        "no search: as it stands"
    )
    assert opened(hospital, "archivist", items[0], words="……").places.total == 0
    assert opened(hospital, "archivist", items[0], words="").places.total == 0


def test_another_word_for_the_same_is_found_and_said_and_a_quoted_one_is_not(
    hospital: Hospital, items: list[int]
) -> None:
    written(hospital, items[2], "考虑心梗，急查心肌酶", "急性心肌梗死")
    seen = opened(hospital, "archivist", items[2], words="心梗")
    assert [hit.match for hit in seen.places.hits] == ["心梗", "急性心肌梗死"]
    assert "急性心肌梗死" in seen.places.beside
    assert "心梗" not in seen.places.beside
    quoted = opened(hospital, "archivist", items[2], words="“心梗”")
    assert ([hit.match for hit in quoted.places.hits], quoted.places.beside) == (["心梗"], ())


def test_a_word_that_was_asked_of_a_field_marks_no_page(hospital: Hospital, items: list[int]) -> None:
    assert opened(hospital, "archivist", items[0], words="题名:粘连 松解").places.total == 2
    assert opened(hospital, "archivist", items[0], words="题名:粘连").places.total == 0


def test_a_list_shows_a_hundred_places_and_leads_to_those_around(
    hospital: Hospital, items: list[int]
) -> None:
    written(hospital, items[2], "痛" * 150, "痛" * 80)
    first = opened(hospital, "archivist", items[0], words="痛")
    assert (first.places.total, len(first.places.hits), first.places.earlier) == (230, 100, None)
    assert first.places.later
    assert first.places.later.endswith("at=101")
    last = opened(hospital, "archivist", items[2], 4, words="痛", place=205)
    assert [last.places.hits[0].place, last.places.hits[-1].place, last.places.later] == [201, 230, None]
    assert last.places.earlier
    assert last.places.earlier.endswith("at=200")


def test_finding_leads_to_the_first_place_behind_and_leaves_one_line_in_the_journal(
    hospital: Hospital, record: int, items: list[int]
) -> None:
    def target(number: int, words: str) -> tuple[str, list[Event]]:
        with hospital.uow("archivist", readonly=True) as uow:
            address = viewer.find(uow, uow.node(items[0]), number, words)
            page, _mark, query = address.partition("?")
            sealed = query.partition("=")[2].partition("&")[0]
            assert envelope.opened(uow, sealed) == ({"q": words} if words else None)
            assert words not in address or not words
            return f"{page.rpartition('/a/')[2].split('/', 3)[3]} {query.partition('&')[2]}", uow.readings

    place, events = target(2, "粘连")
    assert place.endswith("/002/++page++2 at=3")
    (event,) = events
    assert (event.action, event.object_id) == ("record.searched", record)
    assert event.words == {"query": "粘连", "places": 6}
    assert event.patient_hash
    assert target(8, "松解")[0].endswith("/001/++page++1 at=1"), "from the end one goes on at the beginning"
    assert target(5, "前置血管")[0].endswith("/002/++page++3 ")
    with pytest.raises(NotFound):
        target(9, "前置血管")


def test_an_item_above_ones_clearance_adds_neither_page_nor_place(
    hospital: Hospital, items: list[int]
) -> None:
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(items[1]), level=3, reason="特殊病程")
    seen = opened(hospital, "archivist", items[0])
    assert (seen.total, seen.places.total, numbers(seen)) == (4, 4, [1, 1, 3, 4])
    assert len(seen.parts) == 2
    assert opened(hospital, "senior", items[0]).places.total == 6


def test_whoever_may_not_read_the_record_finds_nothing_in_it(
    hospital: Hospital, record: int, items: list[int]
) -> None:
    readers = {"archivist", "senior", "scanner"}
    for account in sorted(set(CAST) - readers):
        for number in (record, items[0]):
            with hospital.uow(account, readonly=True) as uow, pytest.raises((NotFound, Forbidden)):
                viewer.open_page(uow, uow.node(number), 1, "粘连")


def test_a_borrower_finds_all_of_it_until_the_reading_ends(
    hospital: Hospital, record: int, items: list[int], clock: Clock
) -> None:
    slip = approved(hospital, "clinician2", record, kind="eread")
    seen = opened(hospital, "clinician2", items[0])
    assert (seen.places.total, seen.marked) == (6, True)
    step(hospital, "senior", slip, "revoke", reason="不再需要")
    with pytest.raises((NotFound, Forbidden)):
        opened(hospital, "clinician2", items[0])
    approved(hospital, "clinician2", record, kind="eread", days=1)
    assert opened(hospital, "clinician2", items[0]).places.total == 6
    clock.forward(days=3)
    with pytest.raises((NotFound, Forbidden)):
        opened(hospital, "clinician2", items[0])
