"""年龄与住院天数: how old somebody was on a day and how long a stay lasted, as the front page counts them, and as SQL."""

from calendar import monthrange
from datetime import date
from typing import Any

from sqlalchemy import Date, Integer, String, case, cast, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from archive.i18n import _

MONTH = 30
"""The denominator of the months of an infant (domain §7)."""


class DaysBetween(FunctionElement[int]):
    """The days from the second day to the first; each a date, or text like one."""

    type = Integer()
    inherit_cache = True


@compiles(DaysBetween)
def _on_a_server(between: DaysBetween, compiler: SQLCompiler, **more: Any) -> str:
    last, first = (compiler.process(cast(day, Date), **more) for day in between.clauses)
    return f"({last} - {first})"


@compiles(DaysBetween, "sqlite")
def _on_sqlite(between: DaysBetween, compiler: SQLCompiler, **more: Any) -> str:
    last, first = (compiler.process(day, **more) for day in between.clauses)
    return f"CAST(julianday({last}) - julianday({first}) AS INTEGER)"


def age_in_sql(unit: str, birth: Any, on: Any) -> Any:
    """How old somebody was on a day, in whole years, months or days."""
    if unit == "days":
        return DaysBetween(on, birth)
    then, born = _digits(on), _digits(birth)
    if unit == "years":
        return (then - born) // 10_000
    months = (then // 10_000 - born // 10_000) * 12 + (then // 100 % 100 - born // 100 % 100)
    return months - case((then % 100 < born % 100, 1), else_=0)


def _digits(day: Any) -> Any:
    """20261108 for 2026-11-08."""
    return cast(func.replace(cast(day, String), "-", ""), Integer)


def days_of_stay(admitted: date, discharged: date) -> int:
    """住院天数: the difference of the dates, and one for whoever left on the same day."""
    return max(1, (discharged - admitted).days)


def age_said(birth: date, on: date) -> str:
    """年龄: in whole years; below one year in months, what is over as thirtieths (15/30 are 15 days)."""
    months = (on.year - birth.year) * 12 + on.month - birth.month - (on.day < birth.day)
    if months < 0:
        return ""
    if months >= 12:
        return _("%(years)d years", years=months // 12)
    year, month = divmod(birth.year * 12 + birth.month - 1 + months, 12)
    reached = date(year, month + 1, min(birth.day, monthrange(year, month + 1)[1]))
    rest = min((on - reached).days, MONTH - 1)
    whole = str(months) if months or not rest else ""
    return _("%(months)s months", months=" ".join(filter(None, (whole, f"{rest}/{MONTH}" if rest else ""))))
