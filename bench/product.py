"""`make bench-search` ends with this: searches as the product makes them, records with items and pages, by role.

JUANZONG_BENCH_RECORDS sets how many records there are; each has 20 items of three pages.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from archive.actor import Actor
from archive.class_tokens import batched
from archive.models import Node
from archive.services import catalogue, completion, search
from archive.services.findings import Filters
from archive.settings import Settings
from archive.site import Site
from archive.uow import UnitOfWork
from bench import corpus, forest, papers, stays
from bench.figures import Table, percentiles, size
from bench.gauge import Gauge
from bench.names import beginnings, name_of
from index import Put

RECORDS = size("RECORDS", 2_000)
"""As many as a ward writes in a year."""
SEARCHES = 20
ROLES = ("senior", "archivist", "clinician", "auditor")
"""Who sees everything, who sees much, who sees a ward's, and who sees none."""
COMPLETED, SUGGESTED = "a number's beginning, completed", "a name's beginning, suggested"


def main() -> int:
    corpus.required()
    with tempfile.TemporaryDirectory(prefix="juanzong-bench-") as name:
        site = Site(Settings(var=Path(name)))
        forest.plant(site, RECORDS // 2)  # in each of two series
        count = papers.fill(site)
        begin = time.process_time()
        _index(site)
        rate = count / (time.process_time() - begin)
        print(f"\n{RECORDS:,} records of {papers.ITEMS} items of {papers.PAGES} pages of {papers.LETTERS} characters: "
              f"{count:,} documents, {rate:,.0f} a second of CPU read from the database and indexed")  # fmt: skip
        table = Table("milliseconds of CPU", "who", "first", "p50", "p95", "places", words=2)
        for role in ROLES:
            _measure(Gauge(site), role, table)
        site.close()
    return 0


def _index(site: Site) -> None:
    wanted = select(Node.id).where(Node.type.in_(("medical_record", "component"))).order_by(Node.id)
    with site.uow(Actor.system("index"), readonly=True) as uow, uow.unscoped("bench"):
        found = batched(uow.session.scalars(wanted).all())
        site.index.rebuild(
            put for part in found for put in catalogue.documents(uow, part) if isinstance(put, Put)
        )


def _measure(gauge: Gauge, role: str, table: Table) -> None:
    for what, asked in _kinds(_records(gauge.site)):
        times, places = [], 0
        for text, filters in asked:
            with gauge.site.uow(gauge.actor(role), readonly=True) as uow:
                begin = time.process_time()
                places = max(places, _asked(uow, what, text, filters))
                times.append((time.process_time() - begin) * 1000)
        first, *more = times
        table.row(what, role, first, *percentiles(more), places)


def _asked(uow: UnitOfWork, what: str, text: str, filters: Filters) -> int:
    """One search as its page makes it; gives how many places there are."""
    if what == "facets of one word":
        return sum(len(facet.counts) for facet in search.counted(uow, text, filters).facets)
    if what == COMPLETED:
        return len(completion.offers(uow, text))
    if what == SUGGESTED:
        return len(search.suggest(uow, text))
    found = search.find(uow, text, filters)
    if what == "one word, the second page" and found.next:
        found = search.find(uow, text, filters, after=found.next)
    return found.total.count


def _records(site: Site) -> list[int]:
    wanted = select(Node.id).where(Node.type == "medical_record").order_by(Node.id).limit(SEARCHES + 1)
    with site.session(readonly=True) as session:
        return list(session.scalars(wanted, execution_options=papers.TRUSTED))


def _kinds(records: list[int]) -> Iterator[tuple[str, list[tuple[str, Filters]]]]:
    """What is asked, by its kind; each search another one."""
    texts = [corpus.pool()]
    none = Filters()
    two, four = corpus.phrases(texts, 2, SEARCHES + 1), corpus.phrases(texts, 4, SEARCHES + 1)
    yield "one word, its hits with their passages", [(word, none) for word in two]
    yield (
        "one word of a year",
        [(word, Filters(year=year)) for word, year in zip(two, stays.YEARS, strict=False)],
    )
    yield "one word, the second page", [(word, none) for word in two]
    yield "a phrase of four characters", [(word, none) for word in four]
    yield "a name", [(name_of(number), none) for number in records]
    yield "facets of one word", [(word, none) for word in two]
    yield COMPLETED, [(f"病案号:{digits}", none) for digits in beginnings(10_000)[: SEARCHES + 1]]
    yield SUGGESTED, [(name_of(number)[:2], none) for number in records]


if __name__ == "__main__":
    sys.exit(main())
