"""Which tests ask PostgreSQL nothing that no other test asks it: found by running them, kept in ``postgres_in_soak.txt``.

Half of the time that tests spend on PostgreSQL went into statements that were sent there a moment before. Those tests go there
in the soak alone, and to SQLite always. A new test asks both until `make postgres-cover` has been run. A pytest plugin, which
records only where `JUANZONG_COVER` is set; then every test asks PostgreSQL.
"""

import os
import re
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

LIST = Path(__file__).parent / "postgres_in_soak.txt"
RECORDS = bool(os.environ.get("JUANZONG_COVER"))
"""From the environment, as the soak: the Makefile says it once, and each process that runs tests hears it."""
IN_SOAK = frozenset(LIST.read_text().split())
ALWAYS = ("tests/policy/",)
"""Who may do what is asked of both databases by every test."""
VALUES = (
    (re.compile(r"%\(\w+\)s(::\w+)?"), "?"),
    (re.compile(r"\((\?|\(\?\))(, (\?|\(\?\)))*\)"), "(?)"),
    (re.compile(r"juanzong_\w+|_\d+\b"), ""),
    (re.compile(r"\s+"), " "),
)
"""What differs between two times of one statement."""


def name_of(item: pytest.Item) -> str:
    """Its file and its function, without the values."""
    return item.nodeid.partition("[")[0]


@dataclass(frozen=True)
class Asked:
    """What a test sent to PostgreSQL, how long it took, in seconds, and whether several threads did it."""

    name: str
    seconds: float
    statements: frozenset[str]
    at_once: bool


class Recorder:
    """Writes the list when all tests have run."""

    def __init__(self) -> None:
        self.found: list[Asked] = []
        self.statements: set[str] = set()
        self.threads: set[int] = set()
        event.listen(Engine, "before_cursor_execute", self.sent)

    def sent(self, connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if connection.dialect.name == "postgresql":
            for pattern, sign in VALUES:
                statement = pattern.sub(sign, statement)
            self.statements.add(statement)
            self.threads.add(threading.get_ident())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.statements.clear()
        self.threads.clear()
        begin = time.perf_counter()
        result = yield
        always = item.nodeid.startswith(ALWAYS) or bool(item.get_closest_marker("each_on_both"))
        at_once = always or len(self.threads) > 1
        taken = time.perf_counter() - begin
        self.found.append(Asked(name_of(item), taken, frozenset(self.statements), at_once))
        return result

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        if exitstatus == pytest.ExitCode.OK:
            LIST.write_text("".join(f"{name}\n" for name in sorted(told_by_others(self.found))))


def told_by_others(found: Collection[Asked]) -> set[str]:
    """The tests that can stay away: each statement is still sent by one that does not. Those of several threads all stay."""
    left = [one for one in found if not one.at_once]
    sent = frozenset[str]().union(*(one.statements for one in found if one.at_once))
    while left:
        best = max(left, key=lambda one: len(one.statements - sent) / (one.seconds + 0.05))
        if best.statements <= sent:
            break
        sent |= best.statements
        left.remove(best)
    staying = {one.name for one in found if one not in left}
    return {one.name for one in left} - staying


def pytest_configure(config: pytest.Config) -> None:
    if RECORDS:
        config.pluginmanager.register(Recorder())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves the listed tests of PostgreSQL to the soak."""
    for item in items:
        if not RECORDS and item.get_closest_marker("postgres") and name_of(item) in IN_SOAK:
            item.add_marker(pytest.mark.soak)
