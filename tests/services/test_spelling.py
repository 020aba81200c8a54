"""Names by their sound: whatever somebody may type for one leads to it."""

from pathlib import Path

import pytest

from archive import spelling
from archive.names import name_key, readings
from archive.services import patients, whereabouts
from tests.conftest import Hospital
from tests.services.searching import patient

NAMES = Path(__file__).parents[3] / "shared/data/names/names.txt"

TYPED = (
    ("张三", "zhangsan zs Zhangsan ZhāngSān zhang1san1 ｚｈａｎｇｓａｎ"),
    ("吕布", "lvbu lübu lǚbù lu:bu lyubu lubu lv3bu4 LÜBU lb"),
    ("单晓明", "shanxiaoming danxiaoming sxm dxm Shan-Xiaoming"),
    ("仇英", "qiuying chouying qy cy"),
    ("曾国藩", "zengguofan cengguofan zgf cgf"),
    ("查良镛", "zhaliangyong chaliangyong zly cly"),
    ("区志远", "ouzhiyuan quzhiyuan ozy qzy"),
    ("任远", "renyuan ry"),
    ("解缙", "xiejin jiejin xj jj"),
    ("朴正", "piaozheng puzheng pz"),
    ("尉迟恭", "yuchigong weichigong ycg wcg"),
    ("万俟雪", "moqixue mqx"),
    ("覃小燕", "qinxiaoyan tanxiaoyan qxy txy"),
    ("卜算", "busuan bosuan bs"),
    ("張茜", "zhangqian zhangxi zq"),
    ("王乐", "wangle wangyue wl"),
    ("略萨", "lvesa lüesa luesa"),
    ("阿卜杜拉·买买提", "abudulamaimaiti abodula a·bu·du·la"),
    ("John Smith", "johnsmith js"),
)


def test_a_name_is_found_however_its_sound_is_typed(hospital: Hospital) -> None:
    for number, (name, _typed) in enumerate(TYPED):
        patient(hospital, f"0030{number:04d}", name)
    with hospital.uow("archivist", readonly=True) as uow:
        for name, typed in TYPED:
            for words in (*typed.split(), name):
                people = whereabouts.find(uow, words).people
                assert name in [person.name for person in people], (name, words)
        assert [person.name for person in whereabouts.find(uow, "danxiaoming").people] == ["单晓明"]


@pytest.mark.parametrize("typed", ["zhang san", "Zhāng Sān", "zhang1 san1", "zhang'san", " zhang  san "])
def test_spaces_tones_and_signs_between_syllables_do_not_matter(typed: str) -> None:
    assert spelling.letters(typed) == "zhangsan"


@pytest.mark.parametrize(
    "typed", ["", "z", "1", "ct2", "h1", "zs9", "张san", "a1b2c3d", "1zhang", "zhang/san", "O34.2"]
)
def test_what_is_no_pinyin_is_read_as_none(typed: str) -> None:
    assert spelling.letters(typed) is None


def test_the_index_knows_every_reading_of_a_name() -> None:
    assert readings("单晓明") == ("shanxiaoming", "sxm", "danxiaoming", "dxm")
    assert readings("张茜") == ("zhangqian", "zq", "zhangxi", "zx")
    assert len(readings("乐乐乐乐乐乐")) <= 2 * 9


def test_a_sound_is_confused_with_its_neighbours_one_at_a_time() -> None:
    assert {"zhangshang", "zhangsan"} <= {*spelling.alike("zhangshan")} | {*spelling.alike("zhangsang")}
    assert "zangshan" in spelling.alike("zhangshan")
    assert "liulin" not in spelling.alike("liuning"), "that would be two"
    assert "liuling" in spelling.alike("liuning")
    assert "zhalgshan" not in spelling.alike("zhangshan"), "no syllable ends in l"


@pytest.mark.skipif(not NAMES.exists(), reason="the list of other people's names lies beside the checkout")
def test_six_thousand_real_names_have_keys_of_letters_alone() -> None:
    names = NAMES.read_text(encoding="utf-8").split()
    assert len(names) == 6000
    for name in names:
        full, initials = name_key(name).split(" ")
        assert full.isascii(), name
        assert full.isalpha(), name
        assert spelling.letters(full) == full, name
        assert full[0] == initials[0], name


def test_a_name_is_kept_by_its_key_from_the_first(hospital: Hospital) -> None:
    with hospital.site.uow(hospital.actor("archivist")) as uow:
        made = patients.enrol(uow, patients.Person(mrn="00555555", name="欧阳 娜娜", sex="2"))
        assert made.name_key == "ouyangnana oynn"
        uow.undo()
