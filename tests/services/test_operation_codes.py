"""手术操作编码: a second classification, whose codes and terms find operations as those of diagnoses find diagnoses."""

import pytest

from archive.errors import Invalid
from archive.services import codes, front_pages
from archive.services.codes import Coded, Loading
from archive.services.imports import values
from tests.archives import begins
from tests.conftest import CAST, Hospital
from tests.services.searching import archived, found, indexed, patient, told, written

TERMS = [
    Coded("74.1", "子宫下段剖宫产术"),
    Coded("74.1x01", "子宫下段横切口剖宫产术"),
    Coded("66.3200", "双侧输卵管结扎术"),
]


@begins
def ward(hospital: Hospital) -> dict[str, int]:
    """Two operations of one stay, one said in words alone, and one whose front page names another."""
    said = {
        "two": ("00300001", "钱一", "横切口剖宫产；输卵管结扎", "74.1x01；66.3200"),
        "words": ("00300002", "孙二", "子宫下段剖宫产术", ""),
        "other": ("00300003", "李三", "阑尾切除术", "47.0901"),
    }
    made = {}
    for name, (mrn, person, operations, coded) in said.items():
        made[name] = patient(hospital, mrn, person, operations=operations, operation_codes=coded)
        written(hospital, made[name], "手术顺利")
        archived(hospital, made[name])
    indexed(hospital)
    return made


def load(hospital: Hospital, system: str = "ICD-9-CM-3", terms: list[Coded] = TERMS) -> int:
    with hospital.uow("sysadmin") as uow:
        return codes.load(uow, Loading(system, "国家临床版 3.0", "国卫办医函", terms))


def test_a_code_finds_finer_ones_at_any_place_and_its_term(hospital: Hospital, ward: dict[str, int]) -> None:
    assert found(hospital, ward, "74.1") == {"two"}, "without a list the codes of the records are known"
    assert load(hospital) == 3
    expected = {
        "74.1": {"two", "words"}, "７４．１Ｘ01": {"two"}, "66.32": {"two"}, "66.3200": {"two"}, "47.0": {"other"},
        "手术操作编码:74.1": {"two"}, "诊断编码:74.1": set(), "“74.1”": set(), "88.7": set(),
    }  # fmt: skip
    for text, names in expected.items():
        assert found(hospital, ward, text) == names, text
    assert told(hospital, "74.1").beside == ("74.1x01", "子宫下段剖宫产术")


def test_a_term_shows_the_code_of_its_own_classification(hospital: Hospital) -> None:
    load(hospital)
    assert [(one.code, one.system) for one in told(hospital, "输卵管结扎").codes] == [
        ("66.3200", "ICD-9-CM-3")
    ]
    assert [(one.code, one.system) for one in told(hospital, "前置胎盘").codes] == [("O44", "ICD-10")]
    assert told(hospital, "74.1x09").codes == [Coded("74.1", "子宫下段剖宫产术")], "by the code above it"


def test_nobody_reads_an_operation_by_its_code(hospital: Hospital, ward: dict[str, int]) -> None:
    load(hospital)
    for account in CAST:
        reads = account in {"archivist", "senior"}
        assert bool(found(hospital, ward, "66.32", account)) == reads, account
        assert ("66.3200" in told(hospital, "66.32", account).beside) == reads, account


def test_either_list_stays_when_the_other_is_loaded(hospital: Hospital) -> None:
    load(hospital)
    with hospital.uow("archivist", readonly=True) as uow:
        listed = {one.system.name: one for one in codes.listed(uow)}
        assert (listed["ICD-10"].version, listed["ICD-10"].terms > 1_000) == ("三位类目", True)
        mine = listed["ICD-9-CM-3"]
        assert (mine.version, mine.source, mine.terms) == ("国家临床版 3.0", "国卫办医函", 3)
        assert mine.loaded_at
    load(hospital, terms=TERMS[:1])
    with hospital.uow("archivist", readonly=True) as uow:
        assert [one.terms for one in codes.listed(uow) if one.system.name == "ICD-9-CM-3"] == [1]


def test_one_list_is_not_loaded_in_the_place_of_the_other(hospital: Hospital) -> None:
    diagnoses = [Coded("I21.900", "急性心肌梗死"), TERMS[0], Coded("O44", "前置胎盘")]
    for system, terms in (("ICD-10", TERMS), ("ICD-9-CM-3", diagnoses), ("ICD-11", TERMS)):
        with pytest.raises(Invalid):
            load(hospital, system, terms)
    assert told(hospital, "前置胎盘").codes == [Coded("O44", "前置胎盘")]


def test_the_front_page_query_asks_for_the_beginning_of_any_operation_code(
    hospital: Hospital, ward: dict[str, int]
) -> None:
    names = {number: name for name, number in ward.items()}
    for typed, expected in (("74.1", {"two"}), ("74", {"two"}), ("66.3", {"two"}), ("74.1X01", {"two"}), ("4.1", set()),
                            ("47", {"other"}), ("剖宫产", {"two", "words"})):  # fmt: skip
        with hospital.uow("archivist", readonly=True) as uow:
            asked = front_pages.checked(uow, {"operation": typed})
            assert {names[line.view.id] for line in front_pages.find(uow, asked).lines} == expected, typed


@pytest.mark.parametrize(("cell", "kept"), [
    ("74.1x01", "74.1x01"), ("74.1x01; 66.3200", "74.1x01；66.3200"),
    ("７４．１x01、66.3200，47.0901", "74.1x01；66.3200；47.0901"),
    ("", ""),
])  # fmt: skip
def test_several_codes_of_a_cell_are_told_apart_however_they_are_written(cell: str, kept: str) -> None:
    assert values.codes(cell) == kept
