"""Sharing a search that names a patient: refused in whatever way they are named, and without telling of hidden ones."""

import pytest
from sqlalchemy import select

from archive.actor import Actor
from archive.errors import Invalid
from archive.models import Patient, PatientAlias
from archive.names import name_key
from archive.services import saved_searches
from archive.services.questions import Question
from tests.archives import begins
from tests.conftest import Hospital
from tests.services.searching import TEST, patient
from tests.services.test_saved_searches import stay

MRN, IDENTITY = "00012345", "11010519491231002X"


@begins
def known(hospital: Hospital) -> int:
    """刘婷婷, once 刘小妹, daughter of 李四, with an identity number and an old number; and 王芳, a namesake of many."""
    number = stay(hospital, MRN, "刘婷婷", "前置胎盘")
    stay(hospital, "00218650", "王芳", "前置胎盘", admitted_on="2020-01-03", discharged_on="2020-01-09")
    with hospital.site.uow(Actor.system("test")) as uow:
        mine = uow.session.scalars(select(Patient).where(Patient.mrn == MRN), execution_options=TEST).one()
        mine.mother, mine.mother_key = "李四", name_key("李四")
        mine.id_hash = uow.site.keys.identity_hash(IDENTITY)
        uow.session.add(PatientAlias(patient_id=mine.id, kind="former_name", value="刘小妹"))
        uow.session.add(PatientAlias(patient_id=mine.id, kind="old_number", value="A-778/2"))
    return number


def is_shared(hospital: Hospital, account: str, words: str, name: str = "病例") -> bool:
    try:
        with hospital.uow(account) as uow:
            saved_searches.save(uow, Question(words), name=name, audience="all")
    except Invalid as error:
        return "audience" not in error.fields
    return True


NAMED = (
    "刘婷婷", "姓名:刘婷婷", "姓名:=刘婷婷", "姓名：＝刘婷婷", "刘婷婷，出血", "出血、刘婷婷。", "「刘婷婷」", "『刘婷婷』",
    "＂刘婷婷＂", "刘婷婷/出血", "出血？刘婷婷!", "(出血 OR 刘婷婷)", "-刘婷婷 出血", "姓名:(刘婷婷 OR 赵六)", "(刘婷婷",
    "患者刘婷婷复查", "刘 婷 婷", "刘\u3000婷婷", "liutingting", "Liu Tingting", "liu ting ting 出血", "LIÚ TÍNGTÍNG",
    "姓名:liutingting", "\uff4c\uff49\uff55tingting", "母亲姓名:李四", "母亲:=李四", "李四", "lisi", "曾用名:刘小妹", "刘小妹",
    IDENTITY, IDENTITY.lower(), "110105 19491231 002X", f"身份证{IDENTITY}出血", "\uff11\uff110105194912310\uff10\uff12X",
    MRN, "12345", "012345", "出血 12345", "12345-1", "病案号:=00012345", "病案号:12345", "mrn:(12345 OR 77)",
    "12345，出血", "病案00012345", "A-778/2", "旧号 a-778/2",
)  # fmt: skip


def test_whoever_is_named_in_a_search_keeps_it_from_being_shared(hospital: Hospital, known: int) -> None:
    assert [words for words in NAMED if is_shared(hospital, "head", words)] == []


@pytest.mark.parametrize(
    "name", ["刘婷婷 复查", "刘婷婷的病案", "给李四看", "liu tingting", "12345 复查", IDENTITY]
)
def test_the_name_of_a_search_is_read_by_everybody_too(hospital: Hospital, known: int, name: str) -> None:
    assert not is_shared(hospital, "head", "出血", name)
    with hospital.uow("head") as uow:
        row = saved_searches.save(uow, Question("出血"), name="出血", audience="all")
        saved = saved_searches.one(uow, row.uuid)
        with pytest.raises(Invalid):
            saved_searches.change(uow, saved.row, question=saved.question, name=name, audience="all")
        saved_searches.change(uow, saved.row, question=saved.question, name=name, audience="private")


def test_a_number_that_a_label_calls_one_may_be_short(hospital: Hospital, known: int) -> None:
    stay(hospital, "00000120", "赵六", "前置胎盘")
    assert is_shared(hospital, "head", "血压 120")
    for words in ("120", "病案号:120", "住院 120-1"):
        assert not is_shared(hospital, "head", words), words


def test_words_that_name_nobody_are_shared(hospital: Hospital, known: int) -> None:
    for words in (
        "刘",
        "婷婷",
        "前置胎盘",
        "2026",
        "ltt",
        "年度:2024..2026",
        "出血 1000 ml",
        "科室:产科",
        "刘婷",
        "四光",
    ):
        assert is_shared(hospital, "head", words), words


def test_who_has_many_younger_namesakes_is_named_all_the_same(hospital: Hospital, known: int) -> None:
    """Their records are newer, and their names begin with hers."""
    for number in range(52):
        patient(hospital, f"004{number:05d}", "王芳芳")
    assert not is_shared(hospital, "archivist", "王芳")


def test_whether_it_may_be_shared_tells_nothing_of_who_is_hidden(hospital: Hospital, known: int) -> None:
    """Nobody is refused by a name, a mother or a number of whom they may not know: they might try them all."""
    special = {"diagnosis": "人类免疫缺陷病毒病", "diagnosis_code": "B20.900"}
    stay(hospital, "00400001", "毛晓燕", "前置胎盘", **special)
    words = ("李四", IDENTITY, "刘婷婷", "毛晓燕", "00400001", "400001-1")
    told = {
        account: [is_shared(hospital, account, each) for each in words]
        for account in ("senior", "clinician2")
    }
    assert told == {"senior": [False] * 6, "clinician2": [True] * 6}
