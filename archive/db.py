"""Engines, the declarative bases, column types and SQLite's manners."""

import errno
import json
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    CursorResult,
    DateTime,
    Engine,
    Executable,
    Integer,
    MetaData,
    String,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.orm import DeclarativeBase, Session

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

BigInt = BigInteger().with_variant(Integer, "sqlite")
"""SQLite gives row ids to INTEGER keys only."""

Ordered = String(400).with_variant(String(400, collation="C"), "postgresql")
"""Text compared byte by byte on both databases: paths, sort keys."""


PATIENCE = 20_000
"""Milliseconds that a transaction waits for SQLite's one writer."""


class Moment(TypeDecorator[datetime]):
    """A point in time: UTC, always aware. SQLite would forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its zone")
        return value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Code(TypeDecorator[str]):
    """What a person types in any case: kept, and compared, in capitals or in small letters."""

    impl = String
    cache_ok = True

    def __init__(self, length: int, *, capitals: bool) -> None:
        super().__init__(length)
        self.length, self.capitals = length, capitals

    def process_bind_param(self, value: str | None, _dialect: Any) -> str | None:
        if value is None:
            return None
        return value.upper() if self.capitals else value.lower()


class Base(DeclarativeBase):
    """Tables of the main database."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: Moment}


class ReadsBase(DeclarativeBase):
    """Tables of the reads journal: a file of its own on SQLite, so that readers never wait for writers."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: Moment}


def is_full(error: BaseException | None) -> bool:
    """Whether it comes of a disk or a quota that is used up: the store's, the database's, or that of temporary files."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if (
            getattr(error, "sqlite_errorname", "") == "SQLITE_FULL"
            or getattr(error, "sqlstate", "") == "53100"
        ):
            return True
        error = error.__cause__
    return False


def canonical(value: object) -> str:
    """JSON with one spelling: what is hashed and chained."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def executed(session: Session, statement: Executable, options: Any) -> CursorResult[Any]:
    """What the driver tells of a statement without entities: how many rows it changed, its rows as they come."""
    return cast(CursorResult[Any], session.execute(statement, execution_options=options))


def connect(url: str) -> Engine:
    """An engine with our manners: durable, foreign keys on, a write takes its lock at once, no values in error logs."""
    if not url.startswith("sqlite"):
        engine = create_engine(url, pool_pre_ping=True, pool_size=8, max_overflow=8, hide_parameters=True)
        event.listen(engine, "connect", _postgres_manners)
        return engine
    options = {"timeout": PATIENCE / 1000, "check_same_thread": False}
    engine = create_engine(
        url, connect_args=options, pool_size=8, max_overflow=8, pool_use_lifo=True, hide_parameters=True
    )
    event.listen(engine, "connect", _sqlite_manners)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _postgres_manners(connection: Any, _record: Any) -> None:
    # Many people ask little at once: a statement that starts processes of its own, or is compiled first, is slower.
    connection.execute("SET max_parallel_workers_per_gather = 0")
    connection.execute("SET jit = off")
    connection.commit()


def _sqlite_manners(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-4096",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Any) -> None:
    # A deferred transaction that reads and then writes fails at once under load: take the lock first.
    options = connection.get_execution_options()
    if options.get("readonly"):
        _set(connection, "query_only", 1)
        connection.exec_driver_sql("BEGIN")
    else:
        _set(connection, "query_only", 0)
        _set(connection, "busy_timeout", PATIENCE if options.get("patient", True) else 0)
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _set(connection: Any, name: str, value: int) -> None:
    """Sets what a connection keeps, unless it is so already: a page begins several transactions."""
    if connection.info.get(name) != value:
        connection.exec_driver_sql(f"PRAGMA {name}={value}")
        connection.info[name] = value
