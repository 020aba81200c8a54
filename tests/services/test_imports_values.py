"""What people write into spreadsheets, as the archive keeps it."""

import pytest

from archive.services.imports import mapping, values
from archive.services.imports.kinds import DISCHARGES, INDEX, KINDS, kind_of
from archive.services.imports.values import Wrong

UNNAMED = 3
"""The name of a column and its label in two languages: no heading of its own."""


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-21", "2026/11/21", "2026.11.21", "20261121", "2026年11月21日", "２０２６－１１－２１",
        "2026-11-21 10:30:00", "2026年11月21日 10点30分", "二〇二六年十一月二十一日", "46347", "2026-11-21T10:30:00Z",
    ],
)  # fmt: skip
def test_a_date_is_read_in_every_form_in_use(written: str) -> None:
    assert values.day(written) == "2026-11-21"


@pytest.mark.parametrize(
    "written",
    ["2026-02-30", "21/11/2026", "26-11-21", "昨天", "2026-11", "1996", "20261121001", "0001-01-01"],
)
def test_what_could_be_several_days_or_none_is_no_date(written: str) -> None:
    with pytest.raises(Wrong):
        values.day(written)


@pytest.mark.parametrize(
    ("written", "read"), [("1996", "1996-01-01"), ("199605", "1996-05-01"), ("19960500", "1996-05-01")]
)
def test_an_old_catalogue_may_know_no_day(written: str, read: str) -> None:
    assert values.old_day(written) == read
    assert not values.is_exact(written)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("永久", "Y"),
        ("30年", "D30"),
        ("定期10年", "D10"),
        ("D15", "D15"),
        ("长期", "D30"),
        ("短期", "D10"),
        ("y", "Y"),
    ],
)
def test_a_retention_period_is_read_in_old_and_new_words(written: str, code: str) -> None:
    assert values.retention(written) == code


@pytest.mark.parametrize(
    ("written", "code"), [("男", "1"), ("女性", "2"), ("未知", "0"), ("9", "9"), ("F", "2")]
)
def test_the_sex_is_read_as_word_or_code(written: str, code: str) -> None:
    assert values.sex(written) == code


@pytest.mark.parametrize("written", ["990101199404123", "990101199304121238", "99010119930412123", ""])
def test_an_identity_number_has_eighteen_digits_and_its_check_digit(written: str) -> None:
    with pytest.raises(Wrong):
        values.identity_number(written)


def test_what_only_guards_a_number_is_taken_away() -> None:
    assert values.plain("'00218647") == "00218647"
    assert values.plain("\t00218647 ") == "00218647"
    assert values.plain("甲\u202e乙") == "甲乙"


def test_a_cell_in_which_excel_shows_an_error_is_wrong() -> None:
    with pytest.raises(Wrong):
        values.text("#REF!")


def test_columns_are_found_by_their_headings_in_chinese_and_english() -> None:
    found = mapping.guess(
        DISCHARGES, ["住院号*（必填）", "患者姓名", "第几次", "Sex", "入院时间", "出院 日期", "出院科室"]
    )
    assert found == {
        "mrn": 0, "patient_name": 1, "times": 2, "sex": 3, "admitted_on": 4, "discharged_on": 5, "dept": 6,
    }  # fmt: skip


def test_headings_are_found_below_a_title() -> None:
    rows = [(1, ["云川县妇幼保健院出院登记表"]), (3, ["病案号", "姓名", "出院日期"]), (4, ["1", "2", "3"])]
    heading = mapping.heading_of(DISCHARGES, rows)
    assert heading is not None
    assert heading.row == 3


def test_what_the_person_says_of_the_columns_counts_more_than_the_guess() -> None:
    guessed = mapping.guess(DISCHARGES, ["病案号", "姓名", "甲"])
    assert mapping.chosen(DISCHARGES, guessed, {"dept": 2, "patient_name": None, "nonsense": 1}) == {
        "mrn": 0,
        "dept": 2,
    }


def test_every_category_can_have_its_old_index_and_every_column_a_heading() -> None:
    for name in INDEX.types:
        kind = kind_of("index", name)
        assert {"archival_no", "retention"} <= {column.name for column in kind.columns}
        assert [column.name for column in kind.columns if len(kind.headings(column)) == UNNAMED] == []
    for kind in KINDS.values():
        assert [column.name for column in kind.columns if len(kind.headings(column)) == UNNAMED] == []
