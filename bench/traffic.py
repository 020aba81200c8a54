"""Page reads, each with its event durable before the first byte, while a worker carries out a long import."""

import io
import time
from multiprocessing import get_context

from archive import create_app, worker
from archive.server import settle
from archive.services import imports
from archive.services.imports import Plan
from archive.settings import Settings
from archive.site import Site
from bench import pages
from bench.figures import percentiles
from bench.forest import Forest
from bench.gauge import Gauge, row
from bench.imports import discharges

ROWS = 20_000
LONGEST = 30.0
"""Seconds."""


def measure(gauge: Gauge, forest: Forest) -> None:
    """A senior archivist turns from record to folder and back; a process of its own imports discharges."""
    _order(gauge)
    client = pages.sign_in(create_app(gauge.site).test_client(), "senior")
    places = [pages.Asked(client, address) for address in pages.addresses(gauge, forest)]
    for place in places:
        place()
    settle()
    importing = get_context("spawn").Process(target=work, args=(gauge.site.settings,))
    importing.start()
    time.sleep(3)  # it starts, and reads its file
    times, begin = [], time.perf_counter()
    while importing.is_alive() and time.perf_counter() - begin < LONGEST:
        for place in places:
            with gauge.timing() as watch:
                place()
            times.append(watch.ms)
    seconds = time.perf_counter() - begin
    importing.terminate()
    importing.join()
    usual, late = percentiles(times, 99)
    row(f"audited page reads during an import of {ROWS:,} rows: p50", usual)
    row("… p99", late, aim="≤ 100 ms")
    row("… a second", len(times) / seconds, "/s")


def _order(gauge: Gauge) -> None:
    actor = gauge.actor("archivist")
    with gauge.site.uow(actor, readonly=True) as uow:
        token = imports.receive(uow, io.BytesIO(discharges(ROWS)), "discharges.csv").token
    with gauge.site.uow(actor) as uow:
        imports.order(uow, Plan("discharges", token), dry=False)


def work(settings: Settings) -> None:
    """The worker's process: one job."""
    site = Site(settings)
    worker.take_one(site, "bench")
    site.close()
