"""时限: a reading that takes too long is given up, so that one question of one person does not keep everybody else waiting."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

STEPS = 10_000
"""Steps of SQLite's machine between two looks at the clock: a millisecond or so."""
WAITING = 4
"""So many times as long a question may take by the clock, where others keep the processor or the disk busy."""
CANCELLED = "57014"
"""What PostgreSQL calls a statement that it has given up."""


class TookTooLong(Exception):
    """Statements did not come to an end in their time; the transaction can go on."""


@contextmanager
def at_most(session: Session, seconds: float) -> Iterator[None]:
    """Lets the statements of a block read for so long: on SQLite seconds of work, on PostgreSQL each by the clock.

    Raises TookTooLong.
    """
    inside = _on_sqlite if session.get_bind().dialect.name == "sqlite" else _on_a_server
    try:
        with inside(session, seconds):
            yield
    except OperationalError as error:
        if not is_given_up(error):
            raise
        raise TookTooLong from error


def is_given_up(error: OperationalError) -> bool:
    """Whether it was a time limit that ended the statement, and not something that went wrong."""
    return (
        getattr(error.orig, "sqlite_errorname", "") == "SQLITE_INTERRUPT"
        or getattr(error.orig, "sqlstate", "") == CANCELLED
    )


@contextmanager
def _on_sqlite(session: Session, seconds: float) -> Iterator[None]:
    connection = cast(sqlite3.Connection, session.connection().connection.driver_connection)
    # SQLite works in this thread. What a busy machine takes from it is no reason to give a short question up.
    worked, end = time.thread_time() + seconds, time.monotonic() + WAITING * seconds
    connection.set_progress_handler(lambda: time.thread_time() > worked or time.monotonic() > end, STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


@contextmanager
def _on_a_server(session: Session, seconds: float) -> Iterator[None]:
    # A statement that was given up spoils its transaction as far back as the last savepoint, and takes the setting along.
    with session.begin_nested():
        session.connection().exec_driver_sql(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
        yield
        session.connection().exec_driver_sql("SET LOCAL statement_timeout TO DEFAULT")
