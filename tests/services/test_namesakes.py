"""是否要找: names like the one that was typed, told only to those who may read them in full."""

import pytest

from archive.actor import Actor
from archive.models import Node
from archive.policy.rights import Overlay
from archive.services import branches, namesakes, pinpoint
from tests.conftest import Hospital
from tests.services.searching import TEST, archived, component, patient, written

CLOSED = 3
"""A level above that of the archivist."""


def named(hospital: Hospital, *names: str) -> list[int]:
    """Records of patients who are called so."""
    return [patient(hospital, f"{40_000_000 + number}", name) for number, name in enumerate(names)]


def offered(hospital: Hospital, typed: str, account: str = "archivist") -> tuple[str, ...]:
    with hospital.uow(account, readonly=True) as uow:
        return namesakes.of(uow, typed)


def hide(hospital: Hospital, number: int, level: int, overlay: Overlay) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        node = uow.session.get_one(Node, number, execution_options=TEST)
        node.level_own, node.overlay_own = level, int(overlay)
        uow.session.flush()
        branches.reclassify(uow, node)


def test_the_same_sound_comes_first_then_sounds_taken_for_one_another_then_another_character(
    hospital: Hospital,
) -> None:
    named(hospital, "刘晨婷", "牛晓婷", "刘小廷", "李春燕")
    assert offered(hospital, "刘晓婷") == ("刘小廷", "牛晓婷", "刘晨婷")


@pytest.mark.parametrize("typed", ["张珊", "张 珊", "张　珊", " 张珊 "])
def test_a_name_of_two_characters_is_compared_by_its_sound(hospital: Hospital, typed: str) -> None:
    named(hospital, "张姗", "章山", "张三", "张伟", "李珊")
    assert offered(hospital, typed) == ("张姗", "章山", "张三"), (
        "one character of two in common is no likeness"
    )


@pytest.mark.parametrize("typed", ["刘婷亭亭", "王婷亭婷", "刘春亭婷"])
def test_any_one_character_may_be_another_and_no_two(hospital: Hospital, typed: str) -> None:
    named(hospital, "刘婷春婷", "刘婷春天", "刘婷婷")
    assert offered(hospital, typed) == ()
    assert offered(hospital, "刘婷冬婷") == ("刘婷春婷",)


@pytest.mark.parametrize("typed", ["王晓芸", "毛小芸", "毛晓芳"])
def test_the_surname_or_any_later_character_may_have_been_another(hospital: Hospital, typed: str) -> None:
    named(hospital, "毛晓芸")
    assert offered(hospital, typed) == ("毛晓芸",)


def test_pinyin_with_a_sound_that_is_taken_for_another_finds_the_name(hospital: Hospital) -> None:
    named(hospital, "陈朵朵", "陈朵")
    assert offered(hospital, "cengduoduo") == ()
    assert offered(hospital, "chengduoduo") == ("陈朵朵",)
    assert offered(hospital, "Chéng duǒduǒ") == ("陈朵朵",)
    assert offered(hospital, "chenduo") == (), "whoever is found is not offered besides"


def test_what_is_found_is_not_offered_and_each_name_once(hospital: Hospital) -> None:
    named(hospital, "张姗", "张姗", "张珊", "张珊珊", "张山山")
    assert offered(hospital, "张珊") == ("张姗",)
    assert offered(hospital, "张姗珊") == ("张山山", "张珊珊")


def test_no_more_than_five_are_offered(hospital: Hospital) -> None:
    named(hospital, "张姗", "张山", "章珊", "章姗", "章山", "张杉", "张三")
    found = offered(hospital, "张珊")
    assert len(found) == len(set(found)) == namesakes.MOST
    assert "张三" not in found


@pytest.mark.parametrize(
    "typed",
    ["", "张", "前置胎盘出血", "40000000", "40000000-1", "张%", "张_", "姓名:张珊", "张珊 前置胎盘", "zs", "CT2", "x" * 60],
)  # fmt: skip
def test_what_is_no_name_gets_no_names(hospital: Hospital, typed: str) -> None:
    named(hospital, "张姗", "张三", "前置胎盘")
    assert offered(hospital, typed) == ()


def test_nobody_is_offered_a_name_that_they_would_read_masked_or_not_at_all(hospital: Hospital) -> None:
    (own,) = named(hospital, "张姗")
    written(hospital, component(hospital, own, "手术记录"), "术中诊断")
    archived(hospital, own)
    assert offered(hospital, "张珊", "senior") == ("张姗",)
    with hospital.uow("clinician", readonly=True) as uow:
        assert [node.id for node in pinpoint.by_name(uow, "张姗")] == [own], "their own ward's, masked"
    for account in ("clinician", "clinician2", "head", "clerk", "desk", "auditor", "sysadmin", "stranger"):
        assert offered(hospital, "张珊", account) == (), account


@pytest.mark.parametrize("cover", [(CLOSED, Overlay.NONE), (1, Overlay.TRASHED), (CLOSED, Overlay.SEALED)])
def test_names_of_hidden_patients_are_neither_offered_nor_take_a_place(
    hospital: Hospital, cover: tuple[int, Overlay]
) -> None:
    """Two worlds, with and without the hidden ones, answer alike."""
    asked = ("张珊", "张珊珊", "zhangshang", "章三", "张春珊", "张珊春")
    first = named(hospital, "张姗", "章山", "张三", "张姗珊", "张春山")
    before = {typed: offered(hospital, typed) for typed in asked}
    assert all(before[typed] for typed in asked[:2])
    hidden = ("张姗", "张闪", "张山", "张山山", "张春杉", "张扇", "张善", "张杉", "章姗", "章三山", "张珊秋")
    others = [patient(hospital, f"{50_000_000 + place}", name) for place, name in enumerate(hidden)]
    assert {typed: offered(hospital, typed) for typed in asked} != before, "they would be offered"
    for number in others:
        hide(hospital, number, *cover)
    assert {typed: offered(hospital, typed) for typed in asked} == before
    for number in first:
        hide(hospital, number, *cover)
    assert not any(offered(hospital, typed) for typed in asked)


def test_the_journal_says_through_which_records_names_were_told(hospital: Hospital) -> None:
    first, _other, again, _far = named(hospital, "张姗", "李娜", "章山", "王伟")
    with hospital.uow("archivist", readonly=True) as uow:
        assert namesakes.of(uow, "张珊") == ("张姗", "章山")
        (told,) = uow.readings
        assert (told.action, told.shown, told.words["query"]) == (
            "search.suggested",
            (first, again),
            "张珊",
        )
        assert namesakes.of(uow, "欧阳娜娜") == ()
        assert uow.readings == [told], "nobody was identified"
