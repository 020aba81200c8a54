"""去标识化数据: what a study is given of a stay instead of the record, and how coarse it is made. Pure.

Nothing that is not named here is given: no name, no number, no day, no text that somebody has written. What still tells people
apart is made coarser in the cases that would stand alone (GB/T 37964-2019, 去标识化 by generalisation and suppression).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from archive.policy.shape import Shape

Apart = Literal["sex", "age", "admitted", "dept"]
"""What is known of somebody from elsewhere, and by which they could be told from others."""
HIDDEN = "*"
"""Stands where a value would leave too few alike."""


class Columns(Shape):
    """数据项目: whether each is given, and how fine."""

    patient: bool
    sex: bool
    age: Literal["years", "fives", "tens", "none"]
    admitted: Literal["month", "quarter", "year", "none"]
    days: bool
    dept: bool
    outcome: bool
    diagnosis: Literal["code", "category", "none"]
    operations: Literal["code", "category", "none"]


class Limits(Shape):
    """颗粒度: how many must be alike, from which age on all are one, and whether infants are given in months."""

    alike: Annotated[int, Field(ge=2, le=50)]
    oldest: Annotated[int, Field(ge=60, le=120)]
    infants_in_months: bool


class StudyData(Shape):
    """科研数据去标识化: what is given, how fine, and in which order it is hidden where too few are alike."""

    limits: Limits
    given: Columns
    hidden_first: Annotated[list[Apart], Field(min_length=4, max_length=4)]


@dataclass(frozen=True)
class Stay:
    """What the front page of one stay says, as far as any of it may be given. `patient`: the same for every stay of one person,
    and of no use outside the table.
    """

    patient: str
    sex: str
    birth: date | None
    admitted: date | None
    discharged: date | None
    dept: str
    outcome: str
    diagnosis: str
    operations: Sequence[str]


Row = dict[str, str | int]
"""Column → what is given; a column that is not given is not there."""


def rows(rule: StudyData, stays: Iterable[Stay]) -> list[Row]:
    """The stays as the rule gives them, those of one patient together, in an order that tells nothing of their list."""
    found = sorted((_row(rule, stay) for stay in stays), key=lambda row: (str(row["patient"]), _told(row)))
    result = hidden(found, rule.hidden_first, rule.limits.alike)
    if not rule.given.patient:
        for row in result:
            del row["patient"]
    return result


def _told(row: Row) -> tuple[str, ...]:
    return tuple(str(value) for value in row.values())


def hidden(found: Sequence[Row], order: Sequence[str], alike: int) -> list[Row]:
    """The rows, of which each is like those of at least so many patients in the columns of `order`, or says nothing in any.

    Column by column in that order, what stands in too small a group loses the value of that column.
    """
    apart = [column for column in order if found and column in found[0]]
    result = [dict(row) for row in found]
    for column in apart:
        for row in _in_small_groups(result, apart, alike):
            row[column] = HIDDEN
    for row in _in_small_groups(result, apart, alike):
        row.update(dict.fromkeys(apart, HIDDEN))
    return result


def _in_small_groups(found: Sequence[Row], apart: Sequence[str], alike: int) -> list[Row]:
    groups = defaultdict[tuple[str | int, ...], set[str | int]](set)
    for row in found:
        groups[tuple(row[column] for column in apart)].add(row["patient"])
    return [row for row in found if len(groups[tuple(row[column] for column in apart)]) < alike]


def _row(rule: StudyData, stay: Stay) -> Row:
    give, row = rule.given, Row(patient=stay.patient)
    if give.sex:
        row["sex"] = stay.sex
    if give.age != "none":
        row["age"] = _age(rule, stay)
    if give.admitted != "none":
        row["admitted"] = _when(give.admitted, stay.admitted)
    if give.days:
        row["days"] = _days(stay)
    if give.dept:
        row["dept"] = stay.dept
    if give.outcome:
        row["outcome"] = stay.outcome
    if give.diagnosis != "none":
        row["diagnosis"] = _code(give.diagnosis, stay.diagnosis)
    if give.operations != "none":
        row["operations"] = "；".join(_code(give.operations, one) for one in stay.operations)
    return row


def _days(stay: Stay) -> int | str:
    """住院天数: whoever leaves on the day they came has stayed one."""
    if stay.admitted is None or stay.discharged is None:
        return ""
    return max(1, (stay.discharged - stay.admitted).days)


def _age(rule: StudyData, stay: Stay) -> str:
    """In whole years on the day of admission, or the range of years; the oldest are one group."""
    if stay.birth is None or stay.admitted is None or stay.admitted < stay.birth:
        return ""
    born, then = stay.birth, stay.admitted
    months = (then.year - born.year) * 12 + then.month - born.month - (then.day < born.day)
    years = months // 12
    if years >= rule.limits.oldest:
        return f"≥{rule.limits.oldest}"
    if not years and rule.limits.infants_in_months and rule.given.age == "years":
        return f"0-{months:02d}"
    wide = {"fives": 5, "tens": 10}.get(rule.given.age)
    if wide is None:
        return str(years)
    low = years - years % wide
    return f"{low}–{min(low + wide, rule.limits.oldest) - 1}"


def _when(how: str, day: date | None) -> str:
    if day is None:
        return ""
    return {
        "year": f"{day.year}",
        "quarter": f"{day.year}Q{(day.month + 2) // 3}",
        "month": f"{day.year}-{day.month:02d}",
    }[how]


def _code(how: str, code: str) -> str:
    """A code as it was given, or its category: the three characters of ICD-10, the two figures of ICD-9-CM-3."""
    if how == "code":
        return code
    return code[:3] if code[:1].isalpha() else code[:2]


def given(rule: StudyData) -> Mapping[str, str | bool]:
    """Column → how it is given; those that are not are not there."""
    every: dict[str, str | bool] = rule.given.model_dump()
    return {column: how for column, how in every.items() if how not in {False, "none"}}
