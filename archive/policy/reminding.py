"""催还规则: which reminder of a loan has been reached by a day. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field

from archive.policy.shape import Shape


class ReminderLimits(Shape):
    warn_before: Annotated[int, Field(ge=1, le=30)]
    warn_working: bool
    late_first: Annotated[int, Field(ge=1, le=30)]
    late_every: Annotated[int, Field(ge=1, le=90)]
    escalate_from: Annotated[int, Field(ge=1, le=365)]


class ReminderRules(Shape):
    """催还规则: how long before it is due, how soon and how often after it, and from when on it goes further up."""

    limits: ReminderLimits


@dataclass(frozen=True)
class Rules:
    """The limits in force; `warn_working`: the days before are working days, on which somebody can bring it back."""

    warn_before: int
    warn_working: bool
    late_first: int
    late_every: int
    escalate_from: int


@dataclass(frozen=True)
class Stage:
    """催还阶段: so many days after the day on which it was due; before that day, less than nothing."""

    day: int
    escalates: bool = False

    @property
    def code(self) -> str:
        """T-1, T+0, T+7."""
        return f"T{self.day:+d}"

    @property
    def is_late(self) -> bool:
        return self.day > 0


def stage(due: date, today: date, rules: Rules, working_days: Callable[[date, date], int]) -> Stage | None:
    """The last reminder that has been reached by `today`: whoever looks late tells that one, not all that were missed.

    `working_days` counts those after one day up to and with another.
    """
    late = (today - due).days
    if late == 0:
        return Stage(0)
    if late < 0:
        left = working_days(today, due) if rules.warn_working else -late
        # What is due on a day off is due before it, for whoever can bring it back on working days only.
        return Stage(-rules.warn_before) if left <= rules.warn_before else None
    if late < min(rules.late_first, rules.escalate_from):
        return Stage(0)
    reached = rules.late_first + (late - rules.late_first) // rules.late_every * rules.late_every
    if reached < rules.escalate_from <= late:
        reached = rules.escalate_from
    return Stage(reached, escalates=reached >= rules.escalate_from)
