"""催还规则: which reminder has been reached by a day (domain.md §22.8)."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from archive.policy.reminding import Rules, Stage, stage
from archive.services.calendar import WorkingCalendar

SHIPPED = Rules(warn_before=1, warn_working=True, late_first=1, late_every=3, escalate_from=7)
WEEKDAYS = WorkingCalendar({})
DAYS = st.integers(1, 30)


def at(due: date, today: date, rules: Rules = SHIPPED) -> Stage | None:
    return stage(due, today, rules, WEEKDAYS.between)


def test_a_day_before_on_the_day_a_day_after_then_every_three_and_up_after_seven() -> None:
    due = date(2026, 11, 25)  # a Wednesday
    told = [at(due, due + timedelta(days=late)) for late in range(-2, 12)]
    assert [one.code if one else None for one in told] == [
        None, "T-1", "T+0", "T+1", "T+1", "T+1", "T+4", "T+4", "T+4", "T+7", "T+7", "T+7", "T+10", "T+10",
    ]  # fmt: skip
    assert [one.escalates for one in told if one] == [False] * 8 + [True] * 5


def test_what_is_due_on_a_monday_is_told_on_the_friday_before() -> None:
    monday, friday = date(2026, 11, 30), date(2026, 11, 27)
    assert at(monday, friday) == Stage(-1)
    assert at(monday, friday - timedelta(days=1)) is None
    assert at(monday, friday, Rules(1, False, 1, 3, 7)) is None


@given(st.builds(Rules, DAYS, st.booleans(), DAYS, DAYS, DAYS), st.integers(-60, 400))
def test_reminders_go_forward_never_come_early_and_escalate_from_their_day_on(
    rules: Rules, late: int
) -> None:
    due = date(2026, 11, 25)
    now, next_day = (at(due, due + timedelta(days=late + more), rules) for more in (0, 1))
    if now is None:
        assert late < 0
        return
    assert next_day is not None
    assert next_day.day >= now.day
    assert late < 0 or now.day <= late
    assert now.escalates == (late >= rules.escalate_from)
    assert late < rules.late_first or late - now.day < rules.late_every
