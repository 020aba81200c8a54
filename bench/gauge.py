"""What measures: a clock, a counter of statements, and the table in which both are printed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from sqlalchemy import event

from archive.actor import Actor
from archive.services import actors
from archive.site import Site
from archive.uow import UnitOfWork

RUNS = 7
MANNERS = ("PRAGMA", "BEGIN", "COMMIT")
Act = Callable[[UnitOfWork], object]


def head(title: str) -> None:
    """Begins a table."""
    print(f"\n{title}\n")
    print(f"| {'what':<66} | {'median':>14} | {'our CPU':>9} | {'statements':>10} | {'aim':<14} |")
    print(f"|{'-' * 68}|{'-' * 15}:|{'-' * 10}:|{'-' * 11}:|{'-' * 16}|", flush=True)


def row(
    name: str, value: float, unit: str = "ms", *, aim: str = "", cpu: str = "", statements: str = ""
) -> None:
    """One line of it."""
    print(f"| {name:<66} | {value:>10,.1f} {unit:<3} | {cpu:>9} | {statements:>10} | {aim:<14} |", flush=True)


@dataclass
class Watch:
    """What a block took: milliseconds by the clock and of this process alone, and statements.

    On a machine where others work too, the second says more. It holds the work of SQLite, and not that of a server.
    """

    ms: float = 0.0
    cpu: float = 0.0
    statements: int = 0

    def row(self, name: str, *, aim: str = "") -> None:
        """Prints it."""
        row(name, self.ms, aim=aim, cpu=f"{self.cpu:,.1f}", statements=str(self.statements))


@dataclass
class Gauge:
    """An archive under measurement. Statements are counted on both databases, the archive's and the journal's."""

    site: Site
    _count: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        for engine in {self.site.engine, self.site.journal_engine}:
            event.listen(engine, "before_cursor_execute", self._seen)

    def _seen(self, _connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        self._count += not statement.startswith(MANNERS)

    @contextmanager
    def timing(self) -> Iterator[Watch]:
        """Times a block; the watch tells when it has been left."""
        watch, before, begin, worked = Watch(), self._count, time.perf_counter(), time.process_time()
        yield watch
        watch.ms = (time.perf_counter() - begin) * 1000
        watch.cpu = (time.process_time() - worked) * 1000
        watch.statements = self._count - before

    def actor(self, account: str) -> Actor:
        """A person as each request finds them."""
        with self.site.session(readonly=True) as session:
            found = actors.by_account(session, account, self.site.clock())
        assert found is not None
        return found

    def median(self, name: str, act: Callable[[], object], *, runs: int = RUNS, aim: str = "") -> None:
        """The median of several runs, and the statements of the last; the first, which warms what is kept, is left out."""
        act()
        watches = []
        for _run in range(runs):
            with self.timing() as watch:
                act()
            watches.append(watch)
        typical = Watch(
            median(one.ms for one in watches), median(one.cpu for one in watches), watches[-1].statements
        )
        typical.row(name, aim=aim)

    def read(self, name: str, account: str, act: Act, *, aim: str = "") -> None:
        """The median of a reading, each time with its actor loaded afresh."""

        def once() -> None:
            with self.site.uow(self.actor(account), readonly=True) as uow:
                act(uow)

        self.median(name, once, aim=aim)

    def write(self, name: str, account: str, act: Act, *, aim: str = "") -> None:
        """One change, with its commit."""
        with self.timing() as watch, self.site.uow(self.actor(account)) as uow:
            act(uow)
        watch.row(name, aim=aim)
