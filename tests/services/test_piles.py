"""Splitting a pile: whatever lies in it, each page has one place, and none is taken for another patient's in silence."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from archive import piles
from archive.piles import Alike, Aside, Doubt, Leaf, Placed, Volume

VOLUMES = [Volume(1, "B30000000-1", "30000000"), Volume(2, "B30000001-1", "30000001"), Volume(3, "B7-1")]
COVERS = {volume.id: f"COVER:{volume.barcode}" for volume in VOLUMES}


def placed(*leaves: Leaf) -> list[Placed]:
    numbered = [replace(leaf, id=number) for number, leaf in enumerate(leaves)]
    return list(piles.split(numbered, VOLUMES))


def cover(volume: int) -> Leaf:
    return Leaf(0, codes=(COVERS[volume],))


def page(title: str | None = None, *records: str, **more: object) -> Leaf:
    return Leaf(0, title=title, records=frozenset(records), **more)  # type: ignore[arg-type]


def test_what_lies_behind_a_cover_sheet_is_its_volumes_until_the_next_one() -> None:
    found = placed(cover(1), page("RY"), page(), cover(2), page("SY"), page("CY"))
    assert [(one.volume, one.component, one.aside) for one in found] == [
        (1, None, "cover"), (1, "RY", None), (1, "RY", None), (2, None, "cover"), (2, "SY", None), (2, "CY", None),
    ]  # fmt: skip
    assert not any(one.doubts for one in found)


def test_a_separator_names_the_component_of_what_lies_behind_it() -> None:
    found = placed(cover(1), Leaf(0, codes=("PART:YX",)), page(), page("CY"))
    assert [(one.component, one.aside) for one in found[1:]] == [
        (None, "separator"),
        ("YX", None),
        ("CY", None),
    ]


def test_behind_a_sheet_that_cannot_be_read_nothing_is_taken_for_the_last_ones() -> None:
    found = placed(cover(1), page("RY"), page(is_sheet=True), page("SY"), cover(2), page("SY"))
    assert [one.doubts for one in found] == [(), (), (Doubt.UNREAD,), (Doubt.LOOSE,), (), ()]
    assert [one.volume for one in found] == [1, 1, None, None, 2, 2]


def test_a_person_says_of_such_a_sheet_whose_it_is_and_all_behind_it_follow() -> None:
    said = page(is_sheet=True, said={"aside": Aside.COVER, "volume": 2})
    found = placed(cover(1), page("RY"), said, page("SY"), page())
    assert [(one.volume, one.doubts) for one in found[2:]] == [(2, ()), (2, ()), (2, ())]


def test_a_cover_sheet_of_another_batch_is_a_stranger_and_so_is_another_patients_page() -> None:
    found = placed(
        Leaf(0, codes=("COVER:B99-1",)), page(), cover(1), page(None, "30000000"), page(None, "99999999")
    )
    assert [one.doubts for one in found] == [(Doubt.STRANGER,), (Doubt.LOOSE,), (), (), (Doubt.STRANGER,)]


def test_a_page_that_lies_with_the_wrong_patient_of_the_batch_is_doubtful_until_a_person_has_looked() -> None:
    found = placed(
        cover(1), page(None, "30000001"), page(None, "30000001", said={"fine": ["elsewhere"], "fine_for": 1})
    )
    assert [one.doubts for one in found[1:]] == [(Doubt.ELSEWHERE,), ()]


def test_a_blank_side_is_set_aside_with_its_volume() -> None:
    found = placed(cover(1), page("RY"), page(is_blank=True), page("RY"))
    assert [(one.volume, one.aside) for one in found[2:]] == [(1, "blank"), (1, None)]


def test_a_page_that_looks_like_one_of_its_volume_is_asked_about_as_long_as_that_one_is_kept() -> None:
    def alike(*kept: bool, volumes: tuple[int, ...] = (1, 1, 1)) -> dict[int, int]:
        return piles.doubled(
            Alike(place, twin or None, volumes[place - 2], kept[place - 2])
            for place, twin in ((2, 0), (3, 2), (4, 3))
        )

    assert alike(True, True, True) == {3: 2, 4: 3}
    assert alike(True, False, True) == {4: 2}, "like what the one set aside was like"
    assert alike(False, True, True) == {4: 3}
    assert alike(False, True, False) == {}, "the only one that is kept"
    assert alike(True, True, True, volumes=(1, 2, 1)) == {4: 2}, "in another volume it is another sheet"


def test_a_page_that_was_placed_by_hand_takes_nothing_along_unless_that_was_said() -> None:
    alone = placed(cover(1), page(said={"volume": 2}), page())
    onwards = placed(cover(1), page(said={"volume": 2, "onwards": True}), page())
    assert [one.volume for one in alone] == [1, 2, 1]
    assert [one.volume for one in onwards] == [1, 2, 2]


TITLES = {"RY": ["入院记录"], "RC24": ["24小时内入出院记录"], "CY": ["出院记录"], "BC": ["病程记录"]}


def test_a_component_is_known_by_the_longest_title_at_the_head_of_the_page() -> None:
    assert piles.titled("云川县妇幼保健院\n入 院 记 录", TITLES) == "RY"
    assert piles.titled("24小时内入出院记录", TITLES) == "RC24"
    assert piles.titled("首次病程记录 第1页", TITLES) == "BC"
    assert piles.titled("患者的入院记录已经写好并交给上级医师审核", TITLES) is None, "a sentence is no title"
    assert piles.titled("\n".join([*"一二三四五六七八九", "出院记录"]), TITLES) is None, "far down it is text"


def test_only_numbers_that_are_called_so_are_record_numbers() -> None:
    assert piles.records_in("姓名：王  病案号：00218647 床号 12345678") == {"00218647"}
    assert piles.stays_in("住院号 123456789012") == set(), "too long to be one"
    assert piles.records_on(["B00218647-2", "00218647", "COVER:B00218647-2", "LAB-77"]) == {"00218647"}


LEAVES = st.builds(
    Leaf,
    id=st.just(0),
    codes=st.lists(st.sampled_from([*COVERS.values(), "COVER:B99-1", "PART:RY", "4711"]), max_size=2).map(
        tuple
    ),
    is_blank=st.booleans(),
    is_sheet=st.booleans(),
    title=st.sampled_from([None, "RY", "CY"]),
    records=st.frozensets(st.sampled_from(["30000000", "30000001", "99999999"]), max_size=2),
)


@given(st.lists(LEAVES, max_size=30))
def test_every_page_has_one_place_and_goes_to_a_record_only_behind_the_cover_of_its_volume(
    leaves: list[Leaf],
) -> None:
    found = placed(*leaves)
    assert [one.id for one in found] == list(range(len(leaves))), "none lost, none doubled, none out of order"
    last: int | None = None
    known = {barcode: volume for volume, barcode in COVERS.items()}
    for leaf, one in zip(leaves, found, strict=True):
        codes = [code for code in leaf.codes if code.startswith("COVER:")]
        if codes:
            last = known.get(codes[0])
        elif leaf.is_sheet and not any(code.startswith("PART:") for code in leaf.codes):
            last = None
        assert one.volume == last
        sure = one.volume is not None and not one.doubts and not one.aside
        record = next((volume.record for volume in VOLUMES if volume.id == one.volume), None)
        assert not sure or leaf.records <= {record} or (record is None and not leaf.records)


def test_a_cover_sheet_that_is_called_something_else_still_ends_the_volume_before_it() -> None:
    for sheet in (
        page(is_sheet=True, said={"aside": Aside.SPOILT}),
        replace(cover(2), said={"aside": Aside.BLANK}),
    ):
        found = placed(cover(1), page("RY"), sheet, page("SY"))
        assert (found[3].volume, found[3].doubts) == (None, (Doubt.LOOSE,))


def test_what_was_looked_at_in_one_volume_is_doubtful_again_in_another() -> None:
    fine = {"fine": ["elsewhere", "stranger"], "fine_for": 1}
    assert placed(cover(1), page(None, "99999999", said=fine))[1].doubts == ()
    assert placed(cover(2), page(None, "99999999", said=fine))[1].doubts == (Doubt.STRANGER,)


def test_the_number_of_a_stay_is_not_the_number_of_a_patient() -> None:
    text = "病 案 号：10000001   住院号：20261234"
    assert (piles.records_in(text), piles.stays_in(text)) == ({"10000001"}, {"20261234"})
