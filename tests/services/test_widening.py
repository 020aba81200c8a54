"""Other words for the same: synonyms by the hospital's list, codes and their terms; nothing of what is hidden."""

import pytest
from sqlalchemy import func, select

from archive.actor import Actor
from archive.errors import Forbidden, Invalid
from archive.models import AuditEvent, CodeList, CodeTerm, Node
from archive.policy.rights import Overlay
from archive.services import adoption, codes, hints, policies, search, setup
from archive.services.adoption import Unfit
from archive.services.codes import Coded, Loading
from tests.archives import begins
from tests.conftest import CAST, Hospital
from tests.services.searching import TEST, archived, found, indexed, patient, told, written


@begins
def ward(hospital: Hospital) -> dict[str, int]:
    """Three patients with the same disease, each said otherwise, and one whose record says something else."""
    said = {
        "term": ("00300001", "钱一", "急性心肌梗死", "I21.900", "胸痛 3 小时入院。"),
        "short": ("00300002", "孙二", "胸痛待查", "R07.400", "考虑急性心梗可能，拟行急诊 PCI。"),
        "latin": ("00300003", "李三", "胸痛", "R07.400", "诊断 AMI，予抗凝。"),
        "other": ("00300004", "周四", "前置胎盘", "O44.100", "无胸痛，atrial premature beats。"),
    }
    made = {}
    for name, (mrn, person, diagnosis, code, text) in said.items():
        made[name] = patient(hospital, mrn, person, diagnosis=diagnosis, diagnosis_code=code)
        written(hospital, made[name], text)
        archived(hospital, made[name])
    indexed(hospital)
    return made


EXPECTED = (
    ("心梗", {"term", "short", "latin"}), ("AMI", {"term", "short", "latin"}), ("ami", {"term", "short", "latin"}),
    ("急性心肌梗死", {"term", "short", "latin"}), ("“心梗”", {"short"}), ("“AMI”", {"latin"}),
    ("心梗 抗凝", {"latin"}), ("胸痛 -心梗", {"term", "latin", "other"}), ("主要诊断:心梗", {"term"}),
    ("心梗 OR 前置胎盘", {"term", "short", "latin", "other"}), ("胎盘前置", {"other"}),
    ("i21", {"term"}), ("I21.9", {"term"}), ("Ｉ21.900", {"term"}), ("“I21”", set()), ("诊断编码:I21", {"term"}),
    ("R07", {"short", "latin"}), ("I22", set()),
)  # fmt: skip


def test_a_word_is_found_as_whatever_else_is_said_for_it(hospital: Hospital, ward: dict[str, int]) -> None:
    for text, expected in EXPECTED:
        assert found(hospital, ward, text) == expected, text


def test_the_typed_word_stands_above_what_is_said_for_it(hospital: Hospital) -> None:
    """In titles and in texts, whichever of the words is typed; where it stands is all in which the records differ."""
    said = {"short": "心梗", "term": "急性心肌梗死", "latin": "AMI", "both": "心肌梗死"}
    made = {}
    for at, (name, word) in enumerate(said.items()):
        made[name] = patient(hospital, f"0031000{at}", f"赵{'甲乙丙丁'[at]}", diagnosis=word)
        written(hospital, made[name], f"胸痛 3 小时入院，考虑{word}，予抗凝，转入监护病房。")
        archived(hospital, made[name])
    indexed(hospital)
    with hospital.uow("archivist", readonly=True) as uow:
        for name, word in said.items():
            order = [group.view.id for group in search.find(uow, word).groups]
            assert sorted(order) == sorted(made.values()), word
            # The long word holds the short one: whoever types the short one finds it typed in both.
            assert order[0] in {made[name], made["term"] if name == "both" else made[name]}, word


def test_the_page_can_say_what_else_was_looked_for(hospital: Hospital, ward: dict[str, int]) -> None:
    hint = told(hospital, "心梗 抗凝")
    assert hint.beside == ("急性心肌梗死", "急性心梗", "心肌梗死", "心肌梗塞", "急性心肌梗塞", "AMI")
    assert hint.exactly == "“心梗” 抗凝"
    assert told(hospital, hint.exactly) == hints.Hints()
    assert told(hospital, "atrial  Fibrillation").exactly == "“atrial  Fibrillation”"
    assert told(hospital, "i21").beside == ("I21.900", "急性心肌梗死")
    for plain in ("前置", "刘婷婷", "", "(", "“心梗”", "-心梗", "00300001"):
        assert told(hospital, plain).beside == (), plain


def test_two_words_that_are_one_are_taken_together(hospital: Hospital, ward: dict[str, int]) -> None:
    hint = told(hospital, "atrial fibrillation 抗凝")
    assert hint.beside == ("心房颤动", "房颤", "心房纤颤")
    assert hint.exactly == "“atrial fibrillation” 抗凝"
    assert found(hospital, ward, "atrial fibrillation") == set()


def test_nobody_reads_more_by_another_word(hospital: Hospital, ward: dict[str, int]) -> None:
    """Only the archivists read; a code that nobody else may read is not so much as named to them."""
    for account in CAST:
        reads = account in {"archivist", "senior"}
        assert bool(found(hospital, ward, "心梗", account)) == reads, account
        assert ("I21.900" in told(hospital, "I21", account).beside) == reads, account


def test_a_code_of_a_hidden_record_leaves_no_trace(hospital: Hospital, ward: dict[str, int]) -> None:
    before = told(hospital, "I21").beside
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.get_one(Node, ward["term"], execution_options=TEST).overlay = int(Overlay.TRASHED)
        uow.enqueue_ids("index", [ward["term"]])
    indexed(hospital)
    assert (before, told(hospital, "I21").beside) == (("I21.900", "急性心肌梗死"), ("急性心肌梗死",))
    assert found(hospital, ward, "I21") == set()


def test_the_hospital_changes_its_list_and_the_next_search_knows(
    hospital: Hospital, ward: dict[str, int]
) -> None:
    groups = {"前置胎盘": ["PP征"], "胸痛": ["心口痛"]}
    with hospital.uow("sysadmin") as uow:
        adoption.adopt(uow, adoption.propose(uow, "synonyms", body={"groups": groups}, source="病案科〔2026〕3号",
                                             day="2026-11-20", after=1))  # fmt: skip
    assert found(hospital, ward, "心口痛") == {"term", "short", "latin", "other"}
    assert found(hospital, ward, "心梗") == {"short"}


@pytest.mark.parametrize("groups", [
    {"甲病": ["乙"]}, {"甲病": []}, {"甲病": ["乙病"], "丙病": ["乙病"]}, {"甲病": ["ami"], "AMI": ["心梗"]},
    {"甲病": ['“乙”病']}, {"甲病": ["(乙病)"]}, {"甲病": "乙病"}, {"甲病": [1]},
])  # fmt: skip
def test_a_list_that_would_confuse_is_not_adopted(hospital: Hospital, groups: object) -> None:
    with hospital.uow("sysadmin", readonly=True) as uow, pytest.raises(Unfit):
        adoption.propose(uow, "synonyms", body={"groups": groups}, source="依据", day="2026-11-20", after=1)


def test_the_shipped_list_has_no_word_twice_and_finds_every_word_of_a_group(hospital: Hospital) -> None:
    groups = policies.seeds()["synonyms"]["groups"]
    assert len(groups) > 60
    for name, words in groups.items():
        for word in words:
            assert name in told(hospital, word).beside, word


def test_a_term_shows_its_code_and_a_code_its_term(hospital: Hospital) -> None:
    assert told(hospital, "急性心肌梗死").codes[0] == Coded("I21", "急性心肌梗死")
    assert told(hospital, "心梗").codes[0] == Coded("I21", "急性心肌梗死"), "by its synonym"
    assert told(hospital, "i21.900").codes == [Coded("I21", "急性心肌梗死")], "by the code above it"
    assert Coded("O44", "前置胎盘") in told(hospital, "胎盘").codes
    assert len(told(hospital, "感染").codes) == 5
    for text in ("刘婷婷", "前置胎盘 出血", "Z999", "死", "ab", "%%"):
        assert told(hospital, text).codes == [], text


FINER = [
    Coded("I21.900", "急性心肌梗死 NOS"),
    Coded("I21.001", "急性前壁心肌梗死"),
    Coded("I21.900", "急性心肌梗死 NOS"),
]


def test_a_hospital_loads_its_own_version_of_the_codes(hospital: Hospital) -> None:
    with hospital.uow("sysadmin") as uow:
        assert codes.load(uow, Loading("ICD-10", "国家临床版 2.0", "国卫办医函〔2016〕", FINER)) == 2
    with hospital.uow("archivist", readonly=True) as uow:
        assert codes.meant(uow, "前壁心肌梗死") == [Coded("I21.001", "急性前壁心肌梗死")]
        assert codes.named(uow, codes.SYSTEMS["ICD-10"], "I21.900") == Coded("I21.900", "急性心肌梗死 NOS")
        assert codes.named(uow, codes.SYSTEMS["ICD-10"], "O44") is None, "the version before is gone"
        assert uow.session.scalar(select(func.count()).select_from(CodeTerm)) == 2
        assert uow.session.scalars(select(CodeList.version)).all() == ["国家临床版 2.0"]
    with hospital.site.uow(Actor.system("init")) as uow:
        setup.catch_up(uow)
        assert codes.named(uow, codes.SYSTEMS["ICD-10"], "O44") is None, (
            "an upgrade does not bring the shipped ones back"
        )
        event = uow.session.scalars(select(AuditEvent).where(AuditEvent.action == "codes.loaded")).one()
        assert event.actor_id == hospital.people["sysadmin"]


def test_codes_are_loaded_by_the_system_administrator_alone(hospital: Hospital) -> None:
    for account in set(CAST) - {"sysadmin"}:
        with pytest.raises(Forbidden), hospital.uow(account) as uow:
            codes.load(uow, Loading("ICD-10", "1", "依据", FINER))


def test_a_table_of_codes_is_read_by_its_headings() -> None:
    rows = [
        ["疾病分类代码国家临床版"],
        ["序号", "编码", "名称"],
        ["1", "ａ00.000", "霍乱"],
        ["", "", ""],
        ["2", "A00.100", "埃尔托型"],
    ]
    assert list(codes.told(rows)) == [Coded("A00.000", "霍乱"), Coded("A00.100", "埃尔托型")]
    for wrong in ([["A00", "霍乱"]], [["编码", "名称"], ["A00", ""]], [["编码", "名称"], ["A00"]], []):
        with pytest.raises(Invalid):
            list(codes.told(wrong))


def test_nothing_is_loaded_that_does_not_say_where_it_is_from(hospital: Hospital) -> None:
    for version, source, terms in (("", "依据", FINER), ("2.0", " ", FINER), ("2.0", "依据", [])):
        with hospital.uow("sysadmin", readonly=True) as uow, pytest.raises(Invalid):
            codes.load(uow, Loading("ICD-10", version, source, terms))
