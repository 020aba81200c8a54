"""Eight people who search at once, over HTTP: `make bench-people`. JUANZONG_BENCH_TEXTS sets how many texts they search.

A real server with its worker, and clients in a process of their own, on this machine. JUANZONG_BENCH_THINK: seconds that
each person reads before they search again, 2 on the average unless told otherwise; JUANZONG_BENCH_SECONDS: how long they do.
Aim: a whole page within 100 ms for 95 of a hundred, what is saved found within 3 seconds, a web process of 500 MB at most.
"""

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import requests
from sqlalchemy import func, select

from archive.actor import Actor
from archive.journal import Event
from archive.models import Node, PageText, User
from archive.services import catalogue, sessions, setup
from archive.settings import Settings
from archive.site import Site
from bench import corpus, forest, kept, papers, served, warm
from bench.figures import Table, percentiles, size
from bench.forest import TRUSTED
from bench.searchers import Person

TEXTS = size("TEXTS", 100_000)
THINK = float(os.environ.get("JUANZONG_BENCH_THINK", "2"))
"""People read what they found. Without a pause eight programs share two cores, and their queue is what is measured."""
SECONDS = float(os.environ.get("JUANZONG_BENCH_SECONDS", "60"))
"""So long they search: with less, nineteen of twenty would be a handful of pages."""
PEOPLE = ("clinician",) * 5 + ("archivist",) * 2 + ("senior",)
SAVES = 10
BATCH = 1_000
SAMPLE = 2_000
"""Texts from which is drawn what people type."""
RARE = str.maketrans("0123456789", "龘靐齉龖龗麤爨癵驫鱻")
"""Digits to characters that stand in no text."""


def main() -> int:
    corpus.required()
    with kept.archive(lambda var: plant(var, TEXTS)) as var:
        if not (texts := texts_of(var)):
            print("NOT RUN: in this archive there are no texts.")
            return 1
        with warm.kept_in_memory(var / "db", var / "index"), served.serving(var) as server:
            measure(var, server, texts)
    return 0


def plant(var: Path, count: int) -> list[str]:
    """An archive of so many records, each with a page of text, its people, and its index; gives some of the texts."""
    site, begin = Site(Settings(var=var), lambda: datetime.now(UTC)), time.perf_counter()
    forest.plant(site, count)
    with site.uow(Actor.system("bench")) as uow:
        ward = setup.department(uow, code="CK", name="产科")
        for number, role in enumerate(PEOPLE):
            forest.enlist(uow, _account(number), role, number=900 + number, ward=ward)
    _write(site, count)
    forest.analyse(site.engine)
    written, begin = time.perf_counter() - begin, time.perf_counter()
    catalogue.rebuild(site)
    print(
        f"\nSQLite: {count:,} texts of {corpus.LETTERS:,} characters written in {written:,.0f} s, indexed in "
        f"{time.perf_counter() - begin:,.0f} s", flush=True,
    )  # fmt: skip
    site.close()
    return texts_of(var)


def _account(number: int) -> str:
    return f"searcher{number}"


def _write(site: Site, count: int) -> None:
    """Gives records a page of text each, until there are so many."""
    records = select(Node.id).where(Node.type == "medical_record").order_by(Node.id).limit(count)
    with site.session(readonly=True) as session:
        nodes = session.scalars(records, execution_options=TRUSTED).all()
    told = corpus.documents(len(nodes))
    for start in range(0, len(nodes), BATCH):
        part = nodes[start : start + BATCH]
        with site.uow(Actor.system("bench")) as uow:
            papers.write(uow, part, [[next(told).text] for _node in part])


def texts_of(var: Path) -> list[str]:
    """Some of the texts of an archive, from all over it."""
    site = Site(Settings(var=var))
    with site.session(readonly=True) as session:
        count = session.scalar(select(func.count(PageText.page_id)), execution_options=TRUSTED) or 0
        some = select(PageText.text).where(PageText.page_id % max(1, count // SAMPLE) == 0)
        texts = list(session.scalars(some.order_by(PageText.page_id), execution_options=TRUSTED))
    site.close()
    return texts


def measure(var: Path, server: int, texts: list[str]) -> None:
    """Lets them search, and beside that saves records until they are found."""
    site = Site(Settings(var=var))
    stats = site.index.stats()
    site.close()
    print(f"\n{stats.documents:,} documents, {stats.size / 2**20:,.0f} MB of index; {len(PEOPLE)} people")
    people = [Person(_account(number)) for number in range(len(PEOPLE))]
    for person in people:
        person.enter()
        person.ask("胎盘")  # what a process reads once is read
    before = served.most_held_by(server)
    table = Table("milliseconds", "p50", "p95", "times", "aim of p95")
    for think in (THINK, 0.0):
        _together(people, texts, think)
        told = f"reading {think:g} s between" if think else "without a pause"
        pages = [ms for person in people for ms in person.pages]
        whole = [ms for person in people for ms in person.whole]
        table.row(f"page of hits, {told}", *percentiles(pages), len(pages), "≤ 100" if think else "")
        counts = [ms for person in people for ms in person.counts]
        table.row("… with the way from the words to its address", *percentiles(whole), len(whole), "")
        table.row("… the counts beside the hits, fetched then", *percentiles(counts), len(counts), "")
    others = {"seconds": SECONDS, "think": 0.5, "seed": 99}
    beside = Thread(target=people[0].search, args=(texts,), kwargs=others)
    beside.start()
    waited = list(saved_and_found(var, people[-1]))
    beside.join()
    table.row("from saved to found, while another searches", *percentiles(waited), len(waited), "≤ 3,000")
    print(
        f"\nThe most memory that the web process held: {before:,.0f} MB at first, {served.most_held_by(server):,.0f} MB after "
        f"{SAVES} new states of the index (aim ≤ 500), {served.own_of(server):,.0f} MB of it its own at the end, the rest "
        f"files of the index that are mapped; the worker {served.most_held_by(server, worker=True):,.0f} MB", flush=True,
    )  # fmt: skip


def _together(people: list[Person], texts: list[str], think: float) -> None:
    for person in people:
        person.forget()
    with ThreadPoolExecutor(len(people)) as pool:
        searching = [
            pool.submit(person.search, texts, seconds=SECONDS, think=think, seed=seed)
            for seed, person in enumerate(people)
        ]
    for one in searching:
        one.result()


def saved_and_found(var: Path, person: Person) -> Iterator[float]:
    """Milliseconds from the answer that it is saved until words of it are found in the index."""
    token, ward = _program(var)
    first = 60_000_000 + int(time.time()) % 10_000_000  # an archive that is kept has those of the last time
    for number in range(first, first + SAVES):
        word = str(number).translate(RARE)
        fields = {
            "mrn": str(number), "patient_name": "新来", "times": "1", "sex": "2", "dept": ward, "admitted_on": "2026-01-01",
            "discharged_on": "2026-01-05", "diagnosis": f"前置胎盘{word}", "outcome": "1", "attending": "周敏",
        }  # fmt: skip
        body: Any = {"parent": "/h001/zy-bl", "type": "medical_record", "fields": fields}
        made = requests.post(
            f"{served.URL}/api/v1/nodes", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=60
        )
        assert made.status_code == 201, made.text
        begin = time.perf_counter()
        while fields["mrn"] not in person.ask(word):
            assert time.perf_counter() - begin < 60, "saved, and never found"
            time.sleep(0.05)
        yield (time.perf_counter() - begin) * 1000


def _program(var: Path) -> tuple[str, str]:
    """The token of a program of the archivist's, and the department of its records."""
    site = Site(Settings(var=var))
    with site.uow(Actor.system("bench")) as uow:
        archivist = uow.session.scalars(select(User).where(User.account == "archivist")).one()
        token = sessions.issue_token(uow, archivist, "bench")
        uow.record(Event("token.issued", object_kind="user", object_id=archivist.id))
        ward = setup.department(uow, code="CK", name="产科")
    site.close()
    return token, str(ward)


if __name__ == "__main__":
    sys.exit(main())
