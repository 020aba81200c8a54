"""Working days: what is due when (domain §22.6)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.models import CalendarDay
from archive.services import calendar
from archive.services.calendar import WorkingCalendar
from archive.uow import UnitOfWork
from tests.conftest import Hospital

FRIDAY = date(2026, 11, 20)
DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))
CALENDARS = st.dictionaries(DAYS, st.booleans(), max_size=60).map(WorkingCalendar)


def test_two_working_days_after_a_friday_is_tuesday(hospital: Hospital) -> None:
    with hospital.uow("clerk", readonly=True) as uow:
        assert calendar.add_working_days(uow, FRIDAY, 2) == date(2026, 11, 24)


def test_a_working_sunday_moves_it_to_monday(hospital: Hospital) -> None:
    with hospital.site.session() as session:
        session.add(CalendarDay(day=date(2026, 11, 22), works=True, name="调休上班"))
    with hospital.uow("clerk", readonly=True) as uow:
        assert calendar.add_working_days(uow, FRIDAY, 2) == date(2026, 11, 23)


def test_national_day_week_does_not_count(hospital: Hospital) -> None:
    """Wednesday 30 September 2026: the next two working days are Thursday the 8th and Friday the 9th."""
    with hospital.uow("clerk", readonly=True) as uow:
        assert calendar.add_working_days(uow, date(2026, 9, 30), 2) == date(2026, 10, 9)
        assert calendar.working_days_between(uow, date(2026, 9, 30), date(2026, 10, 7)) == 0


def test_what_is_due_is_due_at_the_end_of_the_day_in_the_hospital(hospital: Hospital) -> None:
    with hospital.uow("clerk", readonly=True) as uow:
        due = calendar.due(uow, FRIDAY, 2)
        assert due == datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC)
        assert calendar.day_of(uow, due) == date(2026, 11, 24)


def test_the_calendar_is_read_once_a_transaction(hospital: Hospital) -> None:
    def both(uow: UnitOfWork) -> bool:
        return calendar.of(uow) is calendar.of(uow)

    with hospital.uow("clerk", readonly=True) as uow:
        assert both(uow)


def test_working_days_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError, match="forwards"):
        WorkingCalendar({}).add(FRIDAY, -1)


@given(CALENDARS, DAYS, st.integers(0, 30))
def test_adding_and_counting_agree(days: WorkingCalendar, start: date, n: int) -> None:
    end = days.add(start, n)
    assert days.between(start, end) == n
    assert end == start if n == 0 else days.works(end)


@given(CALENDARS, DAYS, st.integers(0, 15), st.integers(0, 15))
def test_days_can_be_added_in_two_steps(days: WorkingCalendar, start: date, first: int, second: int) -> None:
    assert days.add(days.add(start, first), second) == days.add(start, first + second)


@given(st.dictionaries(DAYS, st.just(False), max_size=60), DAYS, st.integers(1, 30))
def test_a_holiday_never_brings_a_day_forward(holidays: Mapping[date, bool], start: date, n: int) -> None:
    assert WorkingCalendar(holidays).add(start, n) >= WorkingCalendar({}).add(start, n)


@given(CALENDARS, DAYS, st.integers(-20, 0))
def test_nothing_lies_between_a_day_and_an_earlier_one(days: WorkingCalendar, start: date, back: int) -> None:
    assert days.between(start, start + timedelta(days=back)) == 0
