"""A pile of paper through the whole line: `make bench-intake`. What a page costs, and how long a hospital's stock would take.

A server with its worker, as `juanzong serve` starts them, does everything; scans come in by the services. CPU seconds are
those of the worker and of every child that it starts. Aims: recognition within 5 CPU seconds a page and 700 MB, everything
else within 0.6 a page of 300 dpi, the first page of 352 within 3 seconds, no growth of memory over 10,000 pages, and web
pages that answer within twice the time that they take while nothing else is done.
"""

import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from sqlalchemy import func, select

from archive.models import BatchPage, Job, ScanBatch
from archive.services import intake
from archive.services.handlers import LIVE
from archive.services.scanning import batches, files, pages, steps, volumes
from archive.settings import Settings
from archive.site import Site
from bench import corpus, scans, served
from bench.figures import Table, own, percentiles, size
from bench.forest import TRUSTED
from bench.gauge import Gauge
from bench.looks import Looks
from bench.searchers import Person
from bench.worked import REST, Watch, worked

RECORDS, PAGES = size("RECORDS", 4), size("PAGES", 12)
"""Of the pile that is recognised: records, and pages of each."""
FIRST = size("FIRST", 352)
"""Pages of the file of which the first is waited for."""
MANY = size("MANY", 10_000)
"""Small pages with a text of their own, over which the memory of the worker is watched."""
FILE, STEP = 500, 1_000
LOOKS = size("LOOKS", 60)
"""Web pages that somebody looks at when all is done, to be compared with those looked at meanwhile."""
STOCK, STOCK_GB = 190_228, 666
"""Pages that a hospital has already, and the room that their scans take."""
CORES = 2
LONGEST = 6 * 3600.0
NAMES = {
    "batch.split": "pages made and split",
    "batch.recognise": "recognition",
    "batch.link": "linking to records",
    REST: "index, journal, waiting",
}


def main() -> int:
    corpus.required()
    with tempfile.TemporaryDirectory(prefix="juanzong-bench-") as name:
        site = Site(Settings(var=Path(name) / "var"))
        scans.furnish(site)
        with served.serving(site.settings.var) as server:
            worker = served.worker_of(server)
            if RECORDS:
                _line(site, worker, Path(name))
            if MANY:
                _many(site, worker)
            if FIRST:
                _first(site, worker, Path(name))
        _gone(worker)
        site.close()
    return 0


# The whole line


def _line(site: Site, worker: int, folder: Path) -> None:
    number, person = scans.batch(site, RECORDS, PAGES), Person("scanner")
    leaves = iter(scans.pages(RECORDS * PAGES))
    sheets = scans.scanned(scans.covers(site, number))
    pile = scans.pile(
        (leaf for sheet in sheets for leaf in (sheet, *(next(leaves) for _ in range(PAGES)))), folder
    )
    person.enter()
    pages_of = ("/", "/batches", f"/batches/{number}", f"/batches/{number}/pages")
    addresses = [served.URL + path for path in pages_of]
    for address in addresses:
        person.session.get(address).raise_for_status()  # the first look compiles the template
    before, begin = _weight(site), time.perf_counter()
    with Watch(site, worker) as watch, Looks(person, addresses, watch.kind) as looks:
        _hand_in(site, number, [pile.read_bytes()])
        _through(site, number)
    seconds = time.perf_counter() - begin
    count = RECORDS * PAGES
    _told(watch, count, seconds)
    lying = _weight(site, _folder(site, number))
    _stock(
        sum(watch.cpu.values()) / count, pile.stat().st_size / count, (_weight(site) - before - lying) / count
    )
    print(f"Until the batch is let go, its pile takes {lying / count / 1e6:.2f} MB a page besides.")
    _latency(person, addresses, looks)


def _latency(person: Person, addresses: list[str], busy: Looks) -> None:
    """The same pages of the same batch, when all is done, beside those that were looked at while the worker was at it."""
    idle = Looks(person, addresses, lambda: "nothing")
    while len(idle.times.get("nothing", ())) < LOOKS:
        idle.once()
    table = Table("a web page of the batch, ms (aim: twice at most)", "p50", "p95", "looks")
    table.row("when all is done", *percentiles(idle.times["nothing"]), len(idle.times["nothing"]))
    for kind, times in busy.times.items():
        table.row(f"while the worker is at {NAMES.get(kind, kind)}", *percentiles(times), len(times))


def _told(watch: Watch, count: int, seconds: float) -> None:
    print(
        f"\n{count} pages of A4 at 300 dpi and {RECORDS} cover sheets, whose cost the pages bear, in one PDF."
    )
    table = Table("a page", "CPU s", "worker MB", "child MB")
    for kind, name in NAMES.items():
        aim = " (aim 5 s, 700 MB)" if kind == "batch.recognise" else ""
        table.row(name + aim, f"{watch.cpu[kind] / count:.2f}", watch.held[kind], watch.child[kind])
    rest = sum(watch.cpu.values()) - watch.cpu["batch.recognise"]
    table.row("all but recognition (aim 0.6 s)", f"{rest / count:.2f}", "", "")
    whole = sum(watch.cpu.values()) / count
    by_cpu, by_clock = 60 * CORES / whole, 60 * count / seconds
    print(
        f"\n{by_cpu:.1f} pages a minute on {CORES} cores by CPU; {by_clock:.1f} by the clock with one worker"
    )


def _stock(cpu: float, scanned: float, kept: float) -> None:
    days, room = STOCK * cpu / CORES / 86_400, STOCK * kept / 1e9
    print(
        f"{STOCK:,} pages: {days:.1f} days on {CORES} cores by CPU; {room:,.0f} GB, beside the {STOCK_GB} GB of their scans."
    )
    print(f"A scan of these takes {scanned / 1e6:.2f} MB, all that is kept of it {kept / 1e6:.2f} MB.")


def _weight(site: Site, part: str = "") -> int:
    """Bytes of all files, or of those of one folder of the store."""
    each = (path for path in site.settings.var.rglob("*") if path.is_file() and part in str(path))
    return sum(path.stat().st_size for path in each)


def _folder(site: Site, number: str) -> str:
    with site.uow(Gauge(site).actor("scanner"), readonly=True) as uow:
        return str(batches.find(uow, number).uuid)


# Memory over many pages


def _many(site: Site, worker: int) -> None:
    many = -(-MANY // FILE)
    number = scans.batch(site, many, FILE)
    sheets = scans.apart(scans.covers(site, number))
    _hand_in(site, number, (scans.small(sheet, place, FILE) for place, sheet in enumerate(sheets)))
    table = Table(f"{many * (FILE + 1):,} small pages", "CPU s/page", "worker MB", "most MB")
    done, before = 0, worked(worker)
    with Watch(site, worker) as watch:
        while _is_busy(site):
            time.sleep(0.5)
            now = _made(site, number)
            if now // STEP > done // STEP:
                cpu = worked(worker)
                most = max(watch.held.values(), default=0)
                table.row(f"after {now:,}", f"{(cpu - before) / (now - done):.3f}", own(worker), most)
                done, before = now, cpu
        _through(site, number)
    table.row(
        "and linked", f"{watch.cpu['batch.link'] / many / FILE:.3f}", own(worker), max(watch.held.values())
    )


def _made(site: Site, number: str) -> int:
    with site.session(readonly=True) as session:
        many = select(func.count(BatchPage.id)).join(ScanBatch, ScanBatch.id == BatchPage.batch_id)
        return session.scalar(many.where(ScanBatch.number == number), execution_options=TRUSTED) or 0


# The first page of many


def _first(site: Site, worker: int, folder: Path) -> None:
    """The others are left: the server ends with this."""
    number = scans.batch(site, 1, FIRST)
    eight = list(scans.pages(8))
    pile = scans.pile((eight[place % 8] for place in range(FIRST)), folder).read_bytes()
    time.sleep(2)
    begin, before = time.perf_counter(), worked(worker)
    _hand_in(site, number, [pile])
    taken = time.perf_counter()
    while not _made(site, number):
        time.sleep(0.02)
    now = time.perf_counter()
    table = Table(
        f"{FIRST} pages of A4 at 300 dpi, {len(pile) / 2**20:.0f} MB", "s", "worker's CPU s", width=14
    )
    table.row("staged and taken in, by the services", taken - begin, "")
    table.row("from then to its first page (aim 3 s)", f"{now - taken:.2f}", f"{worked(worker) - before:.2f}")


def _gone(worker: int) -> None:
    """Waits until a worker that was told to leave has put its job back."""
    for _turn in range(300):
        with suppress(OSError):
            if Path(f"/proc/{worker}/cmdline").read_bytes():
                time.sleep(0.1)
                continue
        return


# What people do between


def _hand_in(site: Site, number: str, contents: Iterable[bytes]) -> None:
    actor = Gauge(site).actor("scanner")
    for place, content in enumerate(contents):
        staged = intake.stage(site, BytesIO(content))
        with site.uow(actor) as uow:
            files.take(uow, batches.find(uow, number), staged, filename=f"{place:04d}.pdf")


def _is_busy(site: Site) -> bool:
    with site.session(readonly=True) as session:
        return session.scalar(select(Job.id).where(Job.state.in_(LIVE)).limit(1)) is not None


def _through(site: Site, number: str) -> None:
    """Waits, finishes the scanning, takes every page as it is, and links; to the end."""
    _wait(site)
    actor = Gauge(site).actor("scanner")
    with site.uow(actor) as uow:
        steps.take(uow, batches.find(uow, number), "finish")
    _wait(site)
    with site.uow(actor) as uow:
        batch = batches.find(uow, number)
        if doubtful := [page.id for page in pages.of_batch(uow, batch) if page.doubtful][: pages.MOST]:
            pages.keep(uow, batch, doubtful)
        for volume in volumes.listed(uow, batch):
            if not volume.agrees:
                pages.explain(uow, batch, volume=volume.id, because="as it came")
            pages.confirm(uow, batch, volume=volume.id)
        steps.take(uow, batch, "link")
    _wait(site)
    with site.uow(actor, readonly=True) as uow:
        state = batches.find(uow, number).state
    if state != "sampling":
        raise LookupError(f"{number} is in state {state}")


def _wait(site: Site) -> None:
    end = time.monotonic() + LONGEST
    while _is_busy(site):
        if time.monotonic() > end:
            raise LookupError("the worker does not come to an end")
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
