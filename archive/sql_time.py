"""What the two databases say each in their own way of points in time."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Float, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

HOUR = "%Y-%m-%d %H"


class Days(FunctionElement[float]):
    """The days from the first moment to the second, with their fractions."""

    type = Float()
    inherit_cache = True


class Hour(FunctionElement[str]):
    """The hour of a moment in UTC, as `hour_of` reads it."""

    type = String()
    inherit_cache = True


def hour_of(text: str) -> datetime:
    """The moment at which the hour began that `Hour` gave."""
    return datetime.strptime(text, HOUR).replace(tzinfo=UTC)


@compiles(Days, "sqlite")
def _days_on_sqlite(days: Days, compiler: SQLCompiler, **more: Any) -> str:
    first, second = (compiler.process(moment, **more) for moment in days.clauses)
    return f"(julianday({second}) - julianday({first}))"


@compiles(Days, "postgresql")
def _days_on_postgres(days: Days, compiler: SQLCompiler, **more: Any) -> str:
    first, second = (compiler.process(moment, **more) for moment in days.clauses)
    return f"(extract(epoch from {second} - {first}) / 86400.0)::float8"


@compiles(Hour, "sqlite")
def _hour_on_sqlite(hour: Hour, compiler: SQLCompiler, **more: Any) -> str:
    return f"substr({compiler.process(hour.clauses, **more)}, 1, 13)"


@compiles(Hour, "postgresql")
def _hour_on_postgres(hour: Hour, compiler: SQLCompiler, **more: Any) -> str:
    return f"to_char({compiler.process(hour.clauses, **more)} at time zone 'UTC', 'YYYY-MM-DD HH24')"
