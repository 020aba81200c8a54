"""Fields are checked as the type says."""

from hypothesis import given
from hypothesis import strategies as st

from archive.policy.types import TYPES
from archive.schema import check, clean
from tests import naughty

RECORD = TYPES["medical_record"]
GOOD = {
    "mrn": "00218647", "patient_name": "刘婷婷", "times": "2", "sex": "2", "admitted_on": "2026-11-08", "dept": "1",
}  # fmt: skip


def words(name: str) -> dict[str, str]:
    return {"departments": {"1": "产科"}, "sex": {"1": "男", "2": "女"}}.get(name, {})


def test_what_must_be_given_must_be_given() -> None:
    assert set(check(RECORD, {}, words).errors) == {
        "mrn",
        "patient_name",
        "times",
        "dept",
        "sex",
        "admitted_on",
    }


def test_dates_are_understood_as_people_write_them() -> None:
    for typed in ("2026-11-08", "2026/11/8", "2026年11月8日", "20261108", "2026.11.08"):
        assert check(RECORD, GOOD | {"admitted_on": typed}, words).values["admitted_on"] == "2026-11-08"


def test_a_date_that_does_not_exist_is_refused() -> None:
    for typed in (
        "2026-02-30",
        "2026-13-01",
        "0000-01-01",
        "2147483648",
        "9223372036854775808",
        "1-2",
        "1-2-3-4",
        "日",
        "-",
    ):
        assert "admitted_on" in check(RECORD, GOOD | {"admitted_on": typed}, words).errors, typed


def test_signs_that_turn_the_writing_round_do_not_get_into_a_title() -> None:
    assert clean("\u202e题\u200b名\x00\ufeff") == "题名"


TYPED = st.text(max_size=600) | st.integers().map(str) | st.sampled_from(naughty.VALUES)


@given(st.dictionaries(st.sampled_from([field.name for field in RECORD.fields]), TYPED))
def test_whatever_is_typed_gives_values_or_errors_and_never_a_crash(typed: dict[str, str]) -> None:
    outcome = check(RECORD, typed, words)
    assert not set(outcome.values) & set(outcome.errors)
