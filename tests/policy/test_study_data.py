"""去标识化: whatever a study is given, nobody stands alone in it, and nothing is in it that the policy does not name."""

import tomllib
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.policy.shapes import problems
from archive.policy.study_data import HIDDEN, Row, Stay, StudyData, rows
from archive.services.policies import SEEDS

SEED = {
    name: value
    for name, value in tomllib.loads((SEEDS / "study_data.toml").read_text(encoding="utf-8")).items()
    if name != "source"
}
APART = ("sex", "age", "admitted", "dept")


def rule(**columns: object) -> StudyData:
    return StudyData(**SEED | {"given": SEED["given"] | {"age": "years"} | columns})


STAY = Stay(
    patient="a", sex="女", birth=date(1996, 2, 29), admitted=date(2026, 2, 28), discharged=date(2026, 3, 2), dept="产科",
    outcome="医嘱离院", diagnosis="O34.201", operations=("74.1x01", "66.3200"),
)  # fmt: skip


days = st.dates(date(1930, 1, 1), date(2026, 12, 31))
stays = st.builds(
    Stay, patient=st.sampled_from("abcdefgh"), sex=st.sampled_from(("男", "女")), birth=days | st.none(),
    admitted=days | st.none(), discharged=days | st.none(), dept=st.sampled_from(("产科", "儿科")),
    outcome=st.just("医嘱离院"), diagnosis=st.sampled_from(("O34.201", "Z34.900")), operations=st.just(("74.1x01",)),
)  # fmt: skip
fineness = st.fixed_dictionaries({
    "patient": st.booleans(), "sex": st.booleans(), "dept": st.booleans(),
    "age": st.sampled_from(("years", "fives", "tens", "none")),
    "admitted": st.sampled_from(("month", "quarter", "year", "none")),
})  # fmt: skip


@given(st.lists(stays, max_size=40), fineness, st.integers(2, 6), st.permutations(APART))
def test_nobody_can_be_told_from_fewer_than_the_policy_wants_to_be_alike(
    found: list[Stay], columns: dict[str, object], alike: int, order: list[str]
) -> None:
    limits = SEED["limits"] | {"alike": alike}
    body = SEED | {"limits": limits, "hidden_first": order, "given": SEED["given"] | columns}
    with_codes = StudyData(**body | {"given": body["given"] | {"patient": True}})
    groups = defaultdict[tuple[object, ...], set[object]](set)
    given_out = rows(with_codes, found)
    for row in given_out:
        groups[tuple(row.get(column) for column in APART)].add(row["patient"])
    for said, patients in groups.items():
        assert len(patients) >= alike or set(said) <= {HIDDEN, None}
    assert len(given_out) == len(found)
    bare = rows(StudyData(**body), found)
    kept = [{name: value for name, value in row.items() if name != "patient"} for row in given_out]
    assert bare == (given_out if columns["patient"] else kept)


@pytest.mark.parametrize(
    ("said", "columns", "age"),
    [
        ({}, {}, "29"),
        ({"admitted": date(2026, 3, 1)}, {}, "30"),
        ({}, {"age": "fives"}, "25–29"),
        ({}, {"age": "tens"}, "20–29"),
        ({"birth": date(1930, 1, 1)}, {}, "≥90"),
        ({"birth": date(1938, 1, 1)}, {"age": "tens"}, "80–89"),
        ({"birth": date(2026, 1, 31)}, {}, "0-00"),
        ({"birth": date(2025, 4, 30)}, {}, "0-09"),
        ({"birth": date(2025, 4, 30)}, {"age": "fives"}, "0–4"),
        ({"birth": None}, {}, ""),
        ({"birth": date(2026, 3, 1)}, {}, ""),
    ],
)
def test_an_age_is_that_of_the_day_of_admission_as_coarse_as_the_policy_wants(
    said: dict[str, Any], columns: dict[str, object], age: str
) -> None:
    assert _one(rule(**columns), **said)["age"] == age


@pytest.mark.parametrize(
    ("columns", "name", "value"),
    [
        ({}, "admitted", "2026"),
        ({"admitted": "quarter"}, "admitted", "2026Q1"),
        ({"admitted": "month"}, "admitted", "2026-02"),
        ({}, "days", 2),
        ({}, "diagnosis", "O34.201"),
        ({"diagnosis": "category"}, "diagnosis", "O34"),
        ({}, "operations", "74.1x01；66.3200"),
        ({"operations": "category"}, "operations", "74；66"),
    ],
)
def test_what_is_given_is_as_fine_as_the_policy_says(
    columns: dict[str, object], name: str, value: object
) -> None:
    assert _one(rule(**columns))[name] == value


def _one(by: StudyData, **said: Any) -> Row:
    """One of as many alike as nobody has to be hidden among."""
    patients = [chr(97 + number) for number in range(by.limits.alike)]
    return rows(by, [replace(STAY, patient=patient, **said) for patient in patients])[0]


def test_no_day_no_name_and_no_text_is_among_the_columns() -> None:
    assert set(_one(rule())) == {
        "patient",
        "sex",
        "age",
        "admitted",
        "days",
        "dept",
        "outcome",
        "diagnosis",
        "operations",
    }
    assert not any(str(date(2026, 2, 28) + timedelta(days=n)) in str(_one(rule())) for n in range(3))


def test_stays_of_one_patient_do_not_hide_each_other() -> None:
    """Five stays of one person are alike, and still one person."""
    assert {row["sex"] for row in rows(rule(), [STAY] * 5)} == {HIDDEN}


def test_a_policy_that_would_never_hide_a_column_is_not_adopted() -> None:
    assert not problems("study_data", SEED)
    twice = SEED | {"hidden_first": ["dept", "dept", "age", "sex"]}
    assert [one.place for one in problems("study_data", twice)] == [("hidden_first",)]
    assert [one.place for one in problems("study_data", SEED | {"hidden_first": ["dept"]})] == [
        ("hidden_first",)
    ]
