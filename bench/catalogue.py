"""An archive of which nothing but the catalogue is there: `make bench-catalogue`. JUANZONG_BENCH_NODES sets its size.

Each step is a process of its own, so that the memory that is told is its alone. Aim: the first page within 50 ms for 95
of a hundred searches in the service, and a new index within 30 minutes on two cores.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import select

from archive.actor import Actor
from archive.models import PageText
from archive.services import actors, catalogue
from archive.settings import Settings
from archive.site import Site
from bench import forest, kept, warm
from bench.figures import Table, most_held, percentiles, size
from bench.questions import Kind, Question, kinds

NODES = size("NODES", 1_000_000)
PEOPLE = ("senior", "clinician", "clerk")
AIM = 50.0
"""Milliseconds."""
Step = Callable[[Path, int], None]
TRUSTED: Any = {"scope": "bench"}


def main() -> int:
    with kept.archive(lambda var: _apart(plant, var)) as var:
        _apart(rebuild, var)
        with warm.kept_in_memory(var / "db", var / "index"):
            _apart(look, var)
    return 0


def _apart(step: Step, var: Path) -> None:
    process = get_context("spawn").Process(target=step, args=(var, NODES))
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(process.exitcode)


def plant(var: Path, nodes: int) -> None:
    """Writes the archive."""
    site, begin = _site(var), time.perf_counter()
    forest.plant(site, nodes)
    forest.analyse(site.engine)
    print(
        f"\nSQLite: {nodes:,} nodes without a text, written in {time.perf_counter() - begin:,.0f} s",
        flush=True,
    )
    site.close()


def rebuild(var: Path, _nodes: int) -> None:
    """Makes the index, and tells how long that took and how much memory this process held at most."""
    site = _site(var)
    with site.session(readonly=True) as session:
        if session.scalar(select(PageText.page_id).limit(1), execution_options=TRUSTED):
            print("NOT RUN: in this archive there are texts.")
            sys.exit(1)
    begin, worked = time.perf_counter(), time.process_time()
    count = catalogue.rebuild(site)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - worked
    stats = site.index.stats()
    print(
        f"rebuild: {count:,} documents in {seconds:,.0f} s ({seconds / 60:.1f} min, aim ≤ 30), {cpu:,.0f} s of CPU, "
        f"{count / cpu:,.0f} a second of CPU; {stats.segments} segments, {stats.size / 2**20:,.0f} MB; memory at most "
        f"{most_held():,.0f} MB", flush=True,
    )  # fmt: skip
    site.close()


def look(var: Path, _nodes: int) -> None:
    """Searches as the page does: hits with their names and the total, with a line in the journal.

    Each question is another. They are asked of an index just opened, so that nothing is kept of them, and then again.
    """
    site, late, worked = _site(var), list[float](), list[float]()
    table = Table(
        "first page in the service, ms", "who", "first p50", "first p95", "CPU p95", "again p50", "again p95", "found",
        words=2,
    )  # fmt: skip
    for kind in kinds():
        for account in PEOPLE:
            vars(site).pop("index", None)  # opened anew, as by a process that has just begun
            _once(site, account, Kind("", (), kind.ask), Question("龘靐齉"))
            first, again = (_asked(site, account, kind) for _time in range(2))
            clock, cpu = percentiles(first[0]), percentiles(first[1])
            table.row(kind.name, account, *clock, cpu[1], *percentiles(again[0]), first[2])
            late.append(clock[1])
            worked.append(cpu[1])
    print(
        f"\nOf {len(late)} rows {_within(late)} keep {AIM:.0f} ms for 95 of a hundred asked for the first time, "
        f"{_within(worked)} of CPU alone; the slowest {max(late):,.1f} ms. Memory of the searching process at most "
        f"{most_held():,.0f} MB, after {len(late)} openings of the index", flush=True,
    )  # fmt: skip
    site.close()


def _within(times: list[float]) -> int:
    return sum(one <= AIM for one in times)


def _asked(site: Site, account: str, kind: Kind) -> tuple[list[float], list[float], int]:
    """Milliseconds by the clock and of CPU of each question, and the most that one of them found."""
    asked = [_once(site, account, kind, question) for question in kind.questions]
    times, cpu, found = zip(*asked, strict=True)
    return list(times), list(cpu), max(found)


def _once(site: Site, account: str, kind: Kind, question: Question) -> tuple[float, float, int]:
    with site.session(readonly=True) as session:
        actor = actors.by_account(session, account, site.clock())
    assert isinstance(actor, Actor)
    begin, worked = time.perf_counter(), time.process_time()
    with site.uow(actor, readonly=True) as uow:
        found = kind.ask(uow, question)
    return (time.perf_counter() - begin) * 1000, (time.process_time() - worked) * 1000, found


def _site(var: Path) -> Site:
    return Site(Settings(var=var), lambda: datetime.now(UTC))


if __name__ == "__main__":
    sys.exit(main())
