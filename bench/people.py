"""Eight people who search at once, over HTTP: `python -m bench.people [documents]`, a hundred thousand unless told otherwise.

A real server with its worker, and clients in a process of their own, on this machine. JUANZONG_BENCH_THINK: seconds that
each person reads before they search again, 2 on the average unless told otherwise; JUANZONG_BENCH_SECONDS: how long they do.
Aim: a whole page within 100 ms for 95 of a hundred, what is saved found within 3 seconds, a web process of 500 MB at most.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from threading import Thread
from urllib.parse import urljoin

import requests
from sqlalchemy import select

from archive.actor import Actor
from archive.journal import Event
from archive.models import Node, User
from archive.services import catalogue, sessions, setup
from archive.settings import Settings
from archive.site import Site
from bench import corpus, forest, papers, stays
from bench.forest import PASSWORD, TRUSTED
from bench.names import NAMES, mrn_of

ROOT = Path(__file__).parents[1]
PORT = int(os.environ.get("JUANZONG_BENCH_PORT", "8317"))
"""Another than that of `make run`, which may be running meanwhile; nobody answers for what else uses this one."""
URL = f"http://127.0.0.1:{PORT}"
THINK = float(os.environ.get("JUANZONG_BENCH_THINK", "2"))
"""People read what they found. Without a pause eight programs share two cores, and their queue is what is measured."""
SECONDS = float(os.environ.get("JUANZONG_BENCH_SECONDS", "60"))
"""So long they search: with less, nineteen of twenty would be a handful of pages."""
PEOPLE = ("clinician",) * 5 + ("archivist",) * 2 + ("senior",)
SAVES = 10
BATCH = 1_000
TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    corpus.required()
    with TemporaryDirectory(prefix="juanzong-bench-") as name:
        var = Path(name) / "var"
        texts = plant(var, count)
        with subprocess.Popen([sys.executable, "-m", "archive.cli", "serve"], cwd=ROOT, env=_environment(var),
                              start_new_session=True, stdout=subprocess.DEVNULL) as server:  # fmt: skip
            try:
                measure(var, server.pid, texts)
            finally:
                server.terminate()
    return 0


def _environment(var: Path) -> dict[str, str]:
    """That of this process: the server needs its path, and the locale; and what tells it of this archive alone."""
    return os.environ | {"JUANZONG_VAR": str(var), "JUANZONG_PORT": str(PORT), "PYTHONPATH": str(ROOT)}


def plant(var: Path, count: int) -> list[str]:
    """An archive of so many records, each with a page of text, its people, and its index; gives some of the texts."""
    site, begin = Site(Settings(var=var), lambda: datetime.now(UTC)), time.perf_counter()
    forest.plant(site, count)
    with site.uow(Actor.system("bench")) as uow:
        ward = setup.department(uow, code="CK", name="产科")
        for number in range(len(PEOPLE)):
            forest.enlist(uow, _account(number), PEOPLE[number], number=900 + number, ward=ward)
    texts = list(_written(site, count))
    forest.analyse(site.engine)
    written = time.perf_counter() - begin
    begin = time.perf_counter()
    indexed = catalogue.rebuild(site)
    print(
        f"\nSQLite: {indexed:,} documents, {len(texts):,} with a text of {corpus.LETTERS:,} characters; written in "
        f"{written:,.0f} s, indexed in {time.perf_counter() - begin:,.0f} s", flush=True,
    )  # fmt: skip
    site.close()
    return texts[:: max(1, len(texts) // 2_000)]


def _account(number: int) -> str:
    return f"searcher{number}"


def _written(site: Site, count: int) -> Iterator[str]:
    """Gives records a page of text each, until there are so many."""
    with site.session(readonly=True) as session:
        records = select(Node.id).where(Node.type == "medical_record").order_by(Node.id).limit(count)
        nodes = session.scalars(records, execution_options=TRUSTED).all()
    told = corpus.documents(len(nodes))
    for start in range(0, len(nodes), BATCH):
        part = nodes[start : start + BATCH]
        texts = [next(told).text for _node in part]
        with site.uow(Actor.system("bench")) as uow:
            papers.write(uow, part, [[text] for text in texts])
        yield from texts


@dataclass
class Person:
    """Somebody at a browser; the milliseconds of each of their pages, with and without the way to its address."""

    account: str
    session: requests.Session = field(default_factory=requests.Session)
    csrf: str = ""
    pages: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)

    def enter(self) -> None:
        form = {"csrf_token": self._token("/sign-in"), "account": self.account, "password": PASSWORD}
        assert self.session.post(URL + "/sign-in", data=form, allow_redirects=False).status_code == 302
        self.csrf = self._token("/sessions")

    def _token(self, page: str) -> str:
        found = TOKEN.search(self.session.get(URL + page).text)
        assert found is not None
        return found[1]

    def ask(self, words: str) -> str:
        """Types words into the search box and waits for the whole page."""
        begin = time.perf_counter()
        sealed = self.session.post(
            URL + "/search", data={"csrf_token": self.csrf, "q": words}, allow_redirects=False
        )
        middle = time.perf_counter()
        page = self.session.get(urljoin(URL, sealed.headers["Location"]))
        now = time.perf_counter()
        if page.status_code != 200:
            raise LookupError(f"{words} answers {page.status_code}")
        self.pages.append((now - middle) * 1000)
        self.whole.append((now - begin) * 1000)
        return page.text


def queries(chance: Random, texts: list[str]) -> Iterator[str]:
    """What people type: names and numbers first, then words of the text, then phrases and what combines them."""
    while True:
        node, two, four = (
            chance.randrange(5_000),
            *(corpus.phrases(chance.choices(texts, k=9), size, 1)[0] for size in (2, 4)),
        )
        yield chance.choice((
            NAMES[node % len(NAMES)], mrn_of(1_000 + node), two, four, chance.choice(stays.DIAGNOSES),
            f"{two} {corpus.phrases(texts, 2, 1)[0]}", f"{four} -{two}", f"“{four}”", f"年度:2020 {four}", "swq",
        ))  # fmt: skip


def measure(var: Path, server: int, texts: list[str]) -> None:
    """Lets them search, and beside that saves records until they are found."""
    _wait()
    people = [Person(_account(number)) for number in range(len(PEOPLE))]
    for person in people:
        person.enter()
        person.ask("胎盘")  # what a process reads once is read
    for person in people:
        person.pages.clear(), person.whole.clear()
    before = memory_of(server)
    for think in (THINK, 0.0):
        with ThreadPoolExecutor(len(people)) as pool:
            searching = [
                pool.submit(search, person, texts, think, seed) for seed, person in enumerate(people)
            ]
        for one in searching:
            one.result()
        told = f"reading {think:.0f} s between" if think else "without a pause"
        row(
            f"page of hits, {len(people)} people {told}",
            [ms for person in people for ms in person.pages],
            "aim p95 ≤ 100",
        )
        row(
            "… with the way from the words to its address",
            [ms for person in people for ms in person.whole],
            "",
        )
        for person in people:
            person.pages.clear(), person.whole.clear()
    beside = Thread(target=search, args=(people[0], texts, 0.5, 99))
    beside.start()
    row(
        "from saved to found, while another searches",
        list(saved_and_found(var, people[-1])),
        "aim ≤ 3,000 ms",
    )
    beside.join()
    print(
        f"memory of the web process: {before:,.0f} MB at first, {memory_of(server):,.0f} MB after {SAVES} new states of the "
        f"index (aim ≤ 500); of the worker {memory_of(server, worker=True):,.0f} MB", flush=True,
    )  # fmt: skip


def search(person: Person, texts: list[str], think: float, seed: int) -> None:
    chance, end = Random(seed), time.perf_counter() + SECONDS
    asked = queries(chance, texts)
    while time.perf_counter() < end:
        person.ask(next(asked))
        time.sleep(chance.uniform(0.5, 1.5) * think)


def row(name: str, times: list[float], aim: str) -> None:
    times.sort()
    print(f"| {name:<56} | p50 {times[len(times) // 2]:>9,.0f} ms | p95 {times[int(len(times) * 0.95)]:>9,.0f} ms | "
          f"{len(times):>6,} times | {aim} |", flush=True)  # fmt: skip


def saved_and_found(var: Path, person: Person) -> Iterator[float]:
    """Milliseconds from the answer that it is saved until words of it are found in the index."""
    token, ward = _program(var)
    for number in range(SAVES):
        word = f"查无{chr(0x9F00 + number * 7)}{chr(0x9E00 + number * 11)}"
        fields = {
            "mrn": f"{60_000_000 + number}", "patient_name": "新来", "times": "1", "sex": "2", "dept": ward,
            "admitted_on": "2026-01-01", "discharged_on": "2026-01-05", "diagnosis": f"前置胎盘{word}", "outcome": "1",
            "attending": "周敏",
        }  # fmt: skip
        body = {"parent": "/h001/zy-bl", "type": "medical_record", "fields": fields}
        made = requests.post(
            f"{URL}/api/v1/nodes", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=60
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


def memory_of(server: int, *, worker: bool = False) -> float:
    """Megabytes that the process which answers, or the worker, holds now."""
    found = [server]
    for one in found:
        found += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
    held = {
        pid: int(size[1]) / 1024 for pid in found
        if Path(f"/proc/{pid}/cmdline").read_bytes().endswith(b"work\0") is worker
        and (size := re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()))
    }  # fmt: skip
    return max(held.values(), default=0.0)


def _wait() -> None:
    for _turn in range(600):
        try:
            if requests.get(f"{URL}/healthz", timeout=2).status_code in {200, 503}:
                return
        except requests.RequestException:
            time.sleep(0.2)
    raise LookupError("the server never answered")


if __name__ == "__main__":
    sys.exit(main())
