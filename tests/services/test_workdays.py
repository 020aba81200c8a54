"""工作日历的维护: a person enters the holidays of a year, and volumes that are out follow."""

from datetime import date

import pytest

from archive.errors import Forbidden, Invalid
from archive.models import AuditEvent, RequestLine
from archive.services import calendar, loans, slips, workdays
from tests.archives import begins
from tests.conftest import CAST, Hospital
from tests.services import lending

NOTICE = "国办发明电〔2026〕9号"
SPRING = "2027-02-05..2027-02-11 休 春节\n2027-02-14 班 春节调休"


def enter(
    hospital: Hospital, text: str, *, whole: int | None = None, because: str = NOTICE
) -> workdays.Effect:
    with hospital.uow("sysadmin") as uow:
        return workdays.enter(uow, workdays.changes(uow, text, whole=whole), because=because)


def test_a_list_from_the_notice_is_entered_with_its_source_and_its_author(hospital: Hospital) -> None:
    enter(hospital, SPRING)
    with hospital.uow("sysadmin", readonly=True) as uow:
        year = workdays.year(uow, 2027)
        assert [(one.first.on, one.last.on, one.first.look, one.first.name) for one in year.exceptions] == [
            (date(2027, 2, 5), date(2027, 2, 11), "holiday", "春节"),
            (date(2027, 2, 14), date(2027, 2, 14), "makeup", "春节调休"),
        ]
        first = year.exceptions[0].first
        assert (first.because, first.by, first.at is not None) == (NOTICE, "sysadmin甲", True)
        assert calendar.add_working_days(uow, date(2027, 2, 4), 2) == date(2027, 2, 14)
        assert (
            uow.session.query(AuditEvent).order_by(AuditEvent.id.desc()).first().action == "calendar.changed"
        )


def test_a_year_is_twelve_months_of_whole_weeks(hospital: Hospital) -> None:
    with hospital.uow("sysadmin", readonly=True) as uow:
        year = workdays.year(uow, 2026)
        days = [day for month in year.months for week in month.weeks for day in week if day]
        assert len(year.months) == 12
        assert len(days) == 365
        assert all(len(week) == 7 for month in year.months for week in month.weeks)
        assert {day.look for day in days} == {"work", "rest", "holiday", "makeup"}
        assert year.worked == sum(calendar.of(uow).works(day.on) for day in days)


@pytest.mark.parametrize(
    ("line", "days", "works"),
    [
        ("2027年2月5日至2027年2月7日 放假 春节", 3, False),
        ("2027/2/6 上班 调休", 1, True),
        ("2027-02-05~2027-02-06 休 春节", 2, False),
        ("# a remark\n\n2027.02.05 休 春节", 1, False),
    ],
)
def test_lines_are_read_as_people_write_them(hospital: Hospital, line: str, days: int, works: object) -> None:
    with hospital.uow("sysadmin", readonly=True) as uow:
        found = workdays.changes(uow, line)
        assert len(found) == days
        assert {one.after[0] for one in found if one.after} == {works}


def test_every_line_that_cannot_be_read_is_named(hospital: Hospital) -> None:
    text = "2027-02-05 休 春节\n2027-02-30 休 春节\nnonsense\n2027-02-09..2027-02-05 休 春节\n2027-02-06 休"
    with hospital.uow("sysadmin", readonly=True) as uow, pytest.raises(Invalid) as found:
        workdays.changes(uow, text)
    lines = found.value.fields["text"].splitlines()
    assert [line.split("：")[0] for line in lines] == ["第 2 行", "第 3 行", "第 4 行", "第 5 行"]


def test_a_day_goes_back_to_what_its_weekday_says(hospital: Hospital) -> None:
    enter(hospital, "2026-10-10 平", because="原通知有误")
    with hospital.uow("sysadmin", readonly=True) as uow:
        assert not calendar.of(uow).works(date(2026, 10, 10))


def test_a_whole_list_drops_what_it_does_not_name_of_its_year_alone(hospital: Hospital) -> None:
    enter(hospital, SPRING)
    enter(hospital, "2027-02-06..2027-02-12 休 春节\n2026-12-31 休 元旦", whole=2027)
    with hospital.uow("sysadmin", readonly=True) as uow:
        assert calendar.of(uow).works(date(2027, 2, 5))
        assert not calendar.of(uow).works(date(2027, 2, 14))
        assert not calendar.of(uow).works(date(2026, 10, 1))


def test_the_same_list_again_and_an_empty_one_change_nothing(hospital: Hospital) -> None:
    enter(hospital, SPRING)
    for text in (SPRING, "", "# nothing"):
        with pytest.raises(Invalid), hospital.uow("sysadmin") as uow:
            workdays.changes(uow, text)


def test_a_reason_is_asked_for(hospital: Hospital) -> None:
    with pytest.raises(Invalid) as found:
        enter(hospital, SPRING, because="  ")
    assert list(found.value.fields) == ["because"]


def test_only_whoever_configures_the_system_changes_the_calendar(hospital: Hospital) -> None:
    with hospital.uow("sysadmin", readonly=True) as uow:
        found = workdays.changes(uow, SPRING)
    for account in set(CAST) - {"sysadmin"}:
        with pytest.raises(Forbidden), hospital.uow(account) as uow:
            workdays.enter(uow, found, because=NOTICE)
        with pytest.raises(Forbidden), hospital.uow(account, readonly=True) as uow:
            workdays.year(uow, 2027)


@begins
def slip(hospital: Hospital, record: int) -> str:
    """A volume went out on Friday, 20 November for three working days: it is due on Wednesday."""
    lending.shelf(hospital)
    lending.archive_it(hospital, record, location=lending.SHELF)
    number = lending.approved(hospital, "clinician", record, purpose="treatment")
    lending.issue(hospital, number)
    assert due(hospital) == date(2026, 11, 25)
    return number


def due(hospital: Hospital) -> date:
    with hospital.uow("sysadmin", readonly=True) as uow:
        return calendar.day_of(uow, uow.session.query(RequestLine).one().due_at)


def test_a_new_holiday_puts_off_what_is_out(hospital: Hospital, slip: str) -> None:
    moved = enter(hospital, "2026-11-23 休 停电检修", because="院长办公会")
    assert (len(moved.later), moved.kept) == (1, 0)
    assert due(hospital) == date(2026, 11, 26)


def test_a_promised_day_never_comes_earlier(hospital: Hospital, slip: str) -> None:
    moved = enter(hospital, "2026-11-21 班 补班", because="院长办公会")
    assert (moved.later, moved.kept) == ({}, 1)
    assert due(hospital) == date(2026, 11, 25)


def test_a_renewed_loan_is_put_off_too(hospital: Hospital, slip: str) -> None:
    with hospital.uow("sysadmin", readonly=True) as uow:
        line = uow.session.query(RequestLine).one()
        line_id = line.id
    with hospital.site.session() as session:
        session.get_one(RequestLine, line_id).renewals = 1
    enter(hospital, "2026-11-27 休 停电检修", because="院长办公会")
    assert due(hospital) == date(2026, 12, 1)


def test_what_has_come_back_is_left_alone(hospital: Hospital, slip: str) -> None:
    with hospital.uow("clerk") as uow:
        loans.take_back(uow, lending.BARCODE, only=slips.one(uow, slip))
    assert enter(hospital, "2026-11-23 休 停电检修", because="院长办公会").later == {}
