import re
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.demo import cases, wording
from archive.demo.hospital import ADMITTING
from archive.demo.scene import Scene
from tests.demo.conftest import ADMITTED, ALL_CASES

ICD10 = re.compile(r"^[A-Z]\d{2}(?:\.\d{1,3})?$")
ICD9CM3 = re.compile(r"^\d{2}(?:\.\d{1,2})?$")
# The checklist of an inpatient record, domain §5.
CHECKLIST = {
    "SY", "RY", "RC24", "BC", "SQTL", "SSTY", "MZTY", "MZSQ", "AQHC", "QDJL", "MZJL", "SSJL", "MZSH", "SHBC", "HL",
    "CY", "SW", "SWTL", "SXTY", "TSTY", "HZ", "BWTZ", "BL", "FZ", "YX", "TW", "YZ", "CK", "XSE", "TJ", "CSZ", "QT",
}  # fmt: skip
TABLES = {"TW", "YZ", "FZ", "SY"}
NOTE = re.compile(r"^(\d{4}-\d{2}-\d{2} \d{2}:\d{2})", re.MULTILINE)


def record(scene: Scene, seed: int = 5) -> dict[str, str]:
    """All papers of a stay."""
    return {
        code: wording.component_text(code, scene.who, scene.stay, scene.case, Random(seed))
        for code in wording.components(scene.case)
    }


@pytest.fixture(scope="module")
def records(stay_of: Callable[..., Scene]) -> list[tuple[Scene, dict[str, str]]]:
    return [(scene, record(scene)) for scene in (stay_of(dept, key) for dept, key in ALL_CASES)]


def test_every_component_of_the_checklist_has_a_heading_and_a_text(records) -> None:
    assert set(wording.TITLES) == CHECKLIST
    assert {code for _, papers in records for code in papers} == CHECKLIST


def test_the_papers_of_a_record_are_as_long_as_papers_are(records) -> None:
    for scene, papers in records:
        for code, text in papers.items():
            low, high = (120, 1300) if code in TABLES else (200, 1000)
            assert low <= len(text) <= high, (scene.case.key, code, len(text))


def test_no_hole_of_a_template_is_left_open(records) -> None:
    for _, papers in records:
        for code, text in papers.items():
            assert not re.search(r"[{}]|None|<archive|\bTrue\b", text), code


def test_the_same_seed_gives_the_same_record(stay_of) -> None:
    assert record(stay_of("CK", "scar")) == record(stay_of("CK", "scar"))


def test_phrasing_varies_but_facts_do_not(stay_of) -> None:
    scene = stay_of("CK", "scar")
    one, other = record(scene, 1), record(scene, 2)
    assert one["RY"] != other["RY"]
    assert one["SSJL"] == other["SSJL"]
    weight = f"{scene.case.birth.weight_g}g"
    assert all(weight in one[code] for code in ("CK", "XSE", "CSZ", "CY"))


def test_a_progress_note_is_never_dated_outside_the_stay(records) -> None:
    for scene, papers in records:
        notes = NOTE.findall(papers.get("BC", "") + "\n" + papers.get("SHBC", ""))
        first, last = f"{scene.stay.admitted_at:%Y-%m-%d %H:%M}", f"{scene.stay.discharged_at:%Y-%m-%d %H:%M}"
        assert all(first <= at <= last for at in notes), (scene.case.key, notes)


def test_progress_notes_follow_each_other_in_time(records) -> None:
    for scene, papers in records:
        notes = NOTE.findall(papers.get("BC", ""))
        assert notes == sorted(notes), scene.case.key


def test_an_operation_leaves_all_its_papers_and_a_local_one_none_of_anaesthesia(stay_of) -> None:
    surgical = {"SQTL", "SSTY", "AQHC", "QDJL", "SSJL", "SHBC"}
    assert surgical | {"MZTY", "MZJL"} <= set(wording.components(stay_of("FK", "myoma").case))
    local = set(wording.components(stay_of("FK", "cin").case))
    assert surgical <= local
    assert not local & {"MZTY", "MZSQ", "MZJL", "MZSH"}


def test_a_stay_of_hours_has_one_note_in_place_of_three(stay_of) -> None:
    codes = set(wording.components(stay_of("EK", "gastro-short").case))
    assert "RC24" in codes
    assert not codes & {"RY", "BC", "CY"}


def test_a_death_has_a_death_note_and_discussion_and_no_discharge_note(stay_of) -> None:
    scene = stay_of("XSEK", "asphyxia")
    codes = set(wording.components(scene.case))
    assert {"SW", "SWTL"} <= codes
    assert "CY" not in codes
    assert "5 死亡" in record(scene)["SY"]


def test_components_come_in_the_order_of_binding(stay_of) -> None:
    codes = wording.components(stay_of("CK", "previa").case)
    assert list(codes) == sorted(codes, key=list(wording.TITLES).index)
    assert codes[0] == "SY"


def test_a_paper_that_the_case_does_not_have_is_refused(stay_of) -> None:
    scene = stay_of("EK", "pneumonia")
    for code in ("SSJL", "MZJL", "QDJL", "CK", "HL", "SXTY", "SW", "BL", "XX"):
        with pytest.raises(LookupError):
            wording.component_text(code, scene.who, scene.stay, scene.case, Random(1))


def test_a_caesarean_is_not_headed_as_a_delivery(stay_of) -> None:
    assert wording.title("CK", stay_of("CK", "scar").case) == "剖宫产记录"
    assert wording.title("CK", stay_of("CK", "vaginal").case) == "分娩记录"


def test_codes_are_of_the_two_classifications() -> None:
    for dept, key in ALL_CASES:
        case = cases.case(Random(1), dept, key=key)
        assert all(ICD10.match(code) for code in (case.code, *(other.code for other in case.others))), key
        assert all(ICD9CM3.match(done.code) for done in case.procedures), key


def test_the_front_page_names_every_diagnosis_and_procedure_with_its_code(records) -> None:
    for scene, papers in records:
        for one in (*scene.case.others, *scene.case.procedures):
            assert one.code in papers["SY"]
            assert one.term in papers["SY"]
        assert scene.who.mrn in papers["SY"]


def test_a_laboratory_value_out_of_range_is_marked(stay_of) -> None:
    text = record(stay_of("EK", "pneumonia"))["FZ"]
    assert re.search(r"^WBC\t白细胞\t[\d.]+\t↑\t", text, re.MULTILINE)


def test_a_fever_falls_over_the_stay(stay_of) -> None:
    rows = [line.split("\t") for line in record(stay_of("EK", "pneumonia"))["TW"].splitlines()[1:]]
    warm = [float(row[2]) for row in rows if len(row) == 5 and re.match(r"\d\d-\d\d$", row[0])]
    assert warm[0] > 38
    assert warm[-1] < 37.6


def test_some_cases_are_more_sensitive_than_ordinary_ones() -> None:
    levels = {cases.case(Random(1), dept, key=key).level for dept, key in ALL_CASES}
    assert levels == {1, 2}


@given(seed=st.integers(0, 2**32), dept=st.sampled_from(ADMITTING))
def test_a_case_suits_the_age_that_it_is_asked_for(seed: int, dept: str) -> None:
    first = cases.case(Random(seed), dept)
    again = cases.case(Random(seed + 1), dept, age_days=first.age_days)
    assert again.age_days == first.age_days


def test_no_case_of_the_childrens_ward_is_a_grown_womans() -> None:
    with pytest.raises(LookupError):
        cases.case(Random(1), "EK", age_days=30 * 365)


def test_the_first_diagnosis_does_not_know_how_it_ends(records) -> None:
    for scene, papers in records:
        if scene.case.birth and "RY" in papers:
            assert "单一活产" not in papers["RY"]
            assert "单一活产" in papers["CY"]


def test_a_stay_late_at_night_keeps_its_order(stay_of, everybody) -> None:
    scene = stay_of("CK", "prom")
    late = replace(scene, stay=replace(scene.stay, admitted_at=ADMITTED.replace(hour=23, minute=50)))
    notes = NOTE.findall(record(late)["BC"])
    assert notes == sorted(notes)
    assert notes[0] >= f"{late.stay.admitted_at:%Y-%m-%d %H:%M}"
