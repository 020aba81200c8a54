"""Ranges as people write them: 2024..2026, 2024-05..2024-07, 2024 alone."""

import re
from calendar import monthrange
from datetime import date

from .fields import FieldSpec, Kind
from .query import Range

_DATE = re.compile(r"(\d{4})(?:[-/年](\d{1,2})(?:[-/月](\d{1,2})日?|月)?|年)?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,15}", re.ASCII)

Bound = int | date | None


def range_of(spec: FieldSpec, text: str) -> Range:
    """The range of a value such as 2024..2026. Raises ValueError with a sentence for the person who typed it."""
    return Range(spec.name, *_bounds(spec.kind, text))


def _bounds(kind: Kind, text: str) -> tuple[Bound, Bound]:
    read = _number if kind is Kind.INTEGER else _days
    low, *rest = (read(end.strip()) if end.strip() else (None, None) for end in re.split(r"\.{2,}|~", text))
    if len(rest) > 1:
        raise ValueError("Write a range as 2024..2026.")
    first, last = low[0], rest[0][1] if rest else low[1]
    if isinstance(first, int) and isinstance(last, int) and first > last:
        raise ValueError("The range ends before it begins.")
    if isinstance(first, date) and isinstance(last, date) and first > last:
        raise ValueError("The range ends before it begins.")
    return first, last


def _number(text: str) -> tuple[int, int]:
    if not _INTEGER.fullmatch(text):
        raise ValueError("Write a number, or a range as 2024..2026.")
    return int(text), int(text)


def _days(text: str) -> tuple[date, date]:
    """The first and the last day of a year, a month or a day."""
    sentence = "Write a date as 2024-05-31, or a range as 2024-05..2024-07."
    if not (found := _DATE.fullmatch(text)):
        raise ValueError(sentence)
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        if month is None:
            return date(year or 0, 1, 1), date(year or 0, 12, 31)
        last = day or monthrange(year or 0, month)[1]
        return date(year or 0, month, day or 1), date(year or 0, month, last)
    except ValueError:
        raise ValueError(sentence) from None
