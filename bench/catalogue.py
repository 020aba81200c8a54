"""An archive of which nothing but the catalogue is there: `python -m bench.catalogue [nodes]`, a million unless told otherwise.

Each step is a process of its own, so that the memory that is told is its alone. Aim: the first page within 50 ms for 95
of a hundred searches in the service, and a new index within 30 minutes on two cores.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from archive.actor import Actor
from archive.services import actors, catalogue, search
from archive.services.findings import Filters, Order
from archive.settings import Settings
from archive.site import Site
from bench import forest, stays
from bench.names import NAMES

RUNS = 40
"""Searches of each kind."""
PEOPLE = ("senior", "clinician", "clerk")
MEGABYTE = 2**10
"""Of what the system counts in kilobytes."""


@dataclass(frozen=True)
class Search:
    """One kind of search: what is typed the nth time, and by what it is narrowed and sorted."""

    name: str
    text: Callable[[int], str]
    filters: Filters = search.NOTHING
    order: Order = Order.RELEVANCE


def kinds() -> Iterator[Search]:
    """What people look for where there are no texts."""
    yield Search("a record number", lambda turn: stays.mrn_of(1_000 + 37 * turn))
    yield Search("a name", lambda turn: NAMES[turn * 97 % len(NAMES)])
    yield Search("a name's initials", lambda turn: ("swq", "xyq", "zqx", "qcy")[turn % 4])
    yield Search("two characters of a name", lambda turn: NAMES[turn * 89 % len(NAMES)][1:])
    yield Search("one character", lambda turn: NAMES[turn * 83 % len(NAMES)][0])
    yield Search("a diagnosis", lambda turn: stays.DIAGNOSES[turn % len(stays.DIAGNOSES)])
    yield Search(
        "a diagnosis in its field", lambda turn: f"主要诊断:{stays.DIAGNOSES[turn % len(stays.DIAGNOSES)]}"
    )
    yield Search(
        "a diagnosis without another", lambda turn: f"妊娠 -{stays.DIAGNOSES[turn % len(stays.DIAGNOSES)]}"
    )
    yield Search("one of two diagnoses", lambda turn: " OR ".join(stays.DIAGNOSES[turn % 3 : turn % 3 + 2]))
    yield Search("a year", lambda _turn: "年度:2020")
    yield Search("a diagnosis, newest first", lambda _turn: "子宫瘢痕", order=Order.DATE)
    yield Search("a diagnosis, by number", lambda _turn: "子宫瘢痕", order=Order.NUMBER)
    yield Search("one type", lambda _turn: "", Filters(type="medical_record"))
    yield Search("drafts of a year", lambda _turn: "", Filters(state="draft", year=2020))
    yield Search("what nobody has", lambda turn: f"龘靐{turn}齉")


def main() -> int:
    nodes = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with TemporaryDirectory(prefix="juanzong-bench-") as name:
        var = Path(name) / "var"
        for step in (plant, rebuild, look):
            process = get_context("spawn").Process(target=step, args=(var, nodes))
            process.start()
            process.join()
            if process.exitcode:
                return process.exitcode
    return 0


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
    site, begin, worked = _site(var), time.perf_counter(), time.process_time()
    count = catalogue.rebuild(site)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - worked
    stats = site.index.stats()
    print(
        f"rebuild: {count:,} documents in {seconds:,.0f} s ({seconds / 60:.1f} min, aim ≤ 30), {cpu:,.0f} s of CPU, "
        f"{count / cpu:,.0f} a second of CPU; {stats.segments} segments, {stats.size / 2**20:,.0f} MB; memory at most "
        f"{memory():,.0f} MB", flush=True,
    )  # fmt: skip
    site.close()


def look(var: Path, _nodes: int) -> None:
    """Searches as the page does: hits with their names, the total and the facets, one journal line each."""
    site = _site(var)
    print(
        f"\n| {'first page in the service, ms':<34} |"
        + "".join(f" {name + ': p50 / p95 (CPU)':>31} |" for name in PEOPLE)
    )
    print(f"|{'-' * 36}|" + f"{'-' * 32}:|" * len(PEOPLE), flush=True)
    slowest = dict.fromkeys(PEOPLE, 0.0)
    for kind in kinds():
        cells = []
        for account in PEOPLE:
            times, cpu = timed(site, account, kind)
            slowest[account] = max(slowest[account], p95(times))
            cells.append(f" {times[len(times) // 2]:>8,.1f} / {p95(times):>8,.1f} ({p95(cpu):>8,.1f}) |")
        print(f"| {kind.name:<34} |" + "".join(cells), flush=True)
    print(
        f"| {'slowest p95 (aim ≤ 50)':<34} |" + "".join(f" {value:>31,.1f} |" for value in slowest.values())
    )
    print(f"\nmemory of the searching process at most {memory():,.0f} MB", flush=True)
    site.close()


def timed(site: Site, account: str, kind: Search) -> tuple[list[float], list[float]]:
    """Milliseconds by the clock and of CPU of each search, ascending; the first, which warms what is kept, is left out."""
    times, cpu = list[float](), list[float]()
    for turn in range(RUNS + 1):
        with site.session(readonly=True) as session:
            actor = actors.by_account(session, account, site.clock())
        assert isinstance(actor, Actor)
        begin, worked = time.perf_counter(), time.process_time()
        with site.uow(actor, readonly=True) as uow:
            search.find(uow, kind.text(turn), kind.filters, kind.order)
        if turn:
            times.append((time.perf_counter() - begin) * 1000)
            cpu.append((time.process_time() - worked) * 1000)
    return sorted(times), sorted(cpu)


def p95(ascending: list[float]) -> float:
    """Of 40 the 39th."""
    return ascending[min(len(ascending) - 1, int(len(ascending) * 0.95))]


def memory() -> float:
    """Megabytes that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE


def _site(var: Path) -> Site:
    return Site(Settings(var=var), lambda: datetime.now(UTC))


if __name__ == "__main__":
    sys.exit(main())
