"""The lending desk among a million volumes: `make bench-desk`. JUANZONG_BENCH_NODES sets how many records with a volume.

First one desk alone, on both databases: what a scan takes and how many statements, by the page as a browser asks for it. Then
64 desks on PostgreSQL, two and two after the same volume in the same moment, first each at the pace of a clerk and then as fast
as they can; and what the tables say afterwards: no volume in two hands, an event for each time that one went out or came back.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import insert, select, text

from archive import create_app
from archive.actor import Actor
from archive.class_tokens import batched
from archive.models import Holding, Location, Node, Request, User
from archive.server import settle
from archive.services.imports import bulk
from archive.settings import Settings
from archive.site import Site
from archive.uow import UnitOfWork
from bench import business, forest
from bench.__main__ import databases
from bench.figures import Table, percentiles, size
from bench.forest import TRUSTED
from bench.gauge import Gauge, Watch
from bench.names import mrn_of
from bench.pages import TOKEN, sign_in

NODES = size("NODES", 1_000_000)
SECONDS, THINK = size("SECONDS", 60), size("THINK", 4)
PROCESSES, DESKS = 4, 16
"""So many processes, and in each so many desks."""
ALONE = 100
SHARED = 50
"""Volumes that two desks are after."""
NAME = "juanzong"
"""Of the cookie that holds a session."""
AIM = "≤ 60 ms, ≤ 15"


@dataclass(frozen=True)
class Wanted:
    """One person is waiting for a volume, or two."""

    barcode: str
    badges: tuple[str, str]


def main() -> int:
    with TemporaryDirectory(prefix="juanzong-bench-") as name, databases(Path(name)) as wanted:
        for database, settings in wanted:
            site, begin = Site(settings), time.perf_counter()
            volumes = plant(site)
            print(
                f"\n{database}: {NODES:,} records, each with a volume, written in {time.perf_counter() - begin:.0f} s"
            )
            alone(site, volumes[:ALONE])
            site.close()
            if database == "PostgreSQL":
                together(settings, volumes[ALONE:])
    return 0


def plant(site: Site) -> list[Wanted]:
    """The archive, its volumes, a year's business, and what is wanted now."""
    forest.plant(site, NODES)
    with site.uow(Actor.system("bench")) as uow:
        _bind(uow)
    business.fill(site)
    with site.uow(Actor.system("bench")) as uow:
        wanted = _approve(uow, ALONE + 2 * SHARED * PROCESSES * DESKS // 2)
    forest.analyse(site.engine)
    return wanted


def _bind(uow: UnitOfWork) -> None:
    """A volume for each record that has none yet."""
    bound = select(Holding.node_id)
    bare = select(Node.id).where(Node.type == "medical_record", Node.id.not_in(bound)).order_by(Node.id)
    shelf = uow.session.scalars(select(Location.id)).first()
    for part in batched(uow.session.scalars(bare, execution_options=TRUSTED).all()):
        rows = [{"node_id": node, "barcode": f"B{mrn_of(node)}", "location_id": shelf, "status": "shelved", "sheets": 40,
                 "version": 1} for node in part]  # fmt: skip
        uow.session.execute(insert(Holding), rows, execution_options=TRUSTED)


def _approve(uow: UnitOfWork, count: int) -> list[Wanted]:
    """Two approved requests for each of so many archived records whose volume stands on its shelf, one for the first of them."""
    people = uow.session.execute(select(User.id, User.staff_no).where(User.account.like("u0%"))).all()
    free = (
        select(Node.id, Holding.barcode)
        .join(Holding, Holding.node_id == Node.id)
        .where(Holding.status == "shelved", Node.state == "archived", Node.id.not_in(select(Request.node_id)))
        .order_by(Node.id.desc())
        .limit(count)
    )
    random, wanted, rows = Random(5), [], list[dict[str, Any]]()
    ready: list[dict[str, Any]] = [{"offered_until": uow.now + timedelta(days=30)}, {"offered_until": None}]
    for node, barcode in uow.session.execute(free, execution_options=TRUSTED):
        two = random.sample(people, 2)
        wanted.append(Wanted(barcode, (two[0].staff_no, two[1].staff_no)))
        for (number, _staff_no), offered in zip(two[: 1 + (len(wanted) > ALONE)], ready, strict=False):
            rows.append(
                business.request(uow.now, 500_000 + len(rows), "paper", "approved", number, node) | offered
            )
    bulk.write(uow, Request, rows)
    return wanted


@dataclass
class Desk:
    """借阅台 of one clerk, as a browser with its script asks for it."""

    client: FlaskClient
    token: str

    @classmethod
    def opened(cls, app: Any, count: int = 1) -> "list[Desk]":
        """Several desks of one clerk, who signs in once; each goes on with its own cookies."""
        first = sign_in(app.test_client(), "clerk")
        found = TOKEN.search(first.get("/desk").text)
        assert found is not None
        clients = [first, *(app.test_client() for _more in range(count - 1))]
        kept = first.get_cookie(NAME)
        assert kept is not None
        for client in clients[1:]:
            client.set_cookie(NAME, kept.value)
        return [cls(client, found[1]) for client in clients]

    def scan(self, code: str) -> str:
        """One shot of the gun; gives the answer. Anything but an answer is a fault of the measurement."""
        heads = {"HX-Request": "true", "X-CSRFToken": self.token}
        answer = self.client.post("/desk", data={"barcode": code}, headers=heads)
        if answer.status_code != 200:
            raise LookupError(f"{code} answers {answer.status}")
        return answer.text

    def beside(self) -> None:
        """What the page fetches once the answer stands."""
        assert self.client.get("/desk/beside").status_code == 200


def alone(site: Site, volumes: Sequence[Wanted]) -> None:
    """One desk: what each kind of scan takes."""
    gauge, (desk,) = Gauge(site), Desk.opened(create_app(site))
    settle()
    times: dict[str, list[Watch]] = {}
    for one in volumes:
        steps = (("badge", one.badges[0]), ("handed out", one.barcode), ("", ""), ("taken back", one.barcode))
        for what, code in steps:
            with gauge.timing() as watch:
                desk.scan(code)
            times.setdefault(what, []).append(watch)
        with gauge.timing() as watch:
            desk.beside()
        times.setdefault("counters and the day, fetched then", []).append(watch)
    table = Table("one desk, milliseconds", "p50", "p95", "our CPU", "statements", "aim")
    for what, found in times.items():
        if what:
            usual, late = percentiles(one.ms for one in found[1:])
            cpu = median(one.cpu for one in found[1:])
            aim = AIM if what in {"handed out", "taken back"} else ""
            table.row(what, usual, late, cpu, max(one.statements for one in found[1:]), aim)


def together(settings: Settings, volumes: Sequence[Wanted]) -> None:
    """All desks at once: at a clerk's pace, then without a pause; and what is in the tables then."""
    half = len(volumes) // 2
    table = Table(f"{PROCESSES * DESKS} desks for {SECONDS} s", "scans/s", "p50 ms", "p95 ms", "scans")
    for what, think, mine in (
        (f"a scan every {THINK} s at each", THINK, volumes[:half]), ("without a pause", 0, volumes[half:])
    ):  # fmt: skip
        begin = time.perf_counter()
        times = list(_scanned(settings, mine, think))
        seconds = time.perf_counter() - begin
        usual, late = percentiles(times)
        table.row(what, len(times) / min(seconds, SECONDS), usual, late, len(times))
    site = Site(settings)
    for what, wrong in faults(site).items():
        print(f"{what}: {wrong}")
    site.close()


def _scanned(settings: Settings, volumes: Sequence[Wanted], think: int) -> Iterator[float]:
    """What each scan of a volume took, over all desks."""
    context = get_context("spawn")
    told = context.Queue()
    parts = [list(volumes[place::PROCESSES]) for place in range(PROCESSES)]
    workers = [
        context.Process(target=work, args=(settings, part, think, place, told))
        for place, part in enumerate(parts)
    ]
    for worker in workers:
        worker.start()
    for _worker in workers:
        yield from told.get()
    for worker in workers:
        worker.join()


def work(settings: Settings, volumes: list[Wanted], think: int, seed: int, told: Any) -> None:
    """The desks of one process; desks 0 and 1 are after the same volumes, and so on."""
    site = Site(settings)
    app = create_app(site)
    desks = Desk.opened(app, DESKS)
    times: list[float] = []
    end = time.perf_counter() + SECONDS

    def lend(place: int) -> None:
        desk, random = desks[place], Random(seed * DESKS + place)
        for one in volumes[place // 2 :: DESKS // 2]:
            for code in (one.badges[place % 2], one.barcode):
                time.sleep(random.uniform(0, 2 * think))
                if time.perf_counter() > end:
                    return
                begin = time.perf_counter()
                desk.scan(code)
                if code == one.barcode:
                    times.append((time.perf_counter() - begin) * 1000)

    threads = [Thread(target=lend, args=(place,)) for place in range(DESKS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    site.close()
    told.put(times)


def faults(site: Site) -> dict[str, int]:
    """What must be nothing: looked up in the tables themselves."""
    asked = {
        "volumes in two hands": "SELECT count(*) FROM (SELECT holding_id FROM request_line WHERE in_at IS NULL "
                                "GROUP BY holding_id HAVING count(*) > 1) AS twice",
        "volumes that are out and have no loan, or the other way round":
            "SELECT count(*) FROM holding h LEFT JOIN request_line l ON l.holding_id = h.id AND l.in_at IS NULL "
            "WHERE (h.status = 'lent') != (l.id IS NOT NULL)",
        "hand-outs without an event":
            "SELECT abs((SELECT count(*) FROM request_line WHERE out_by IS NOT NULL) - "
            "(SELECT count(*) FROM audit_event WHERE action = 'loan.issued'))",
        "returns without an event":
            "SELECT abs((SELECT count(*) FROM request_line WHERE in_by IS NOT NULL) - "
            "(SELECT count(*) FROM audit_event WHERE action = 'loan.returned'))",
        "hand-outs without a line on the tracer card":
            "SELECT abs((SELECT count(*) FROM request_line WHERE out_by IS NOT NULL) - "
            "(SELECT count(*) FROM holding_event WHERE kind = 'issued'))",
    }  # fmt: skip
    with site.engine.connect() as connection:
        return {
            what: int(connection.execute(text(statement)).scalar_one()) for what, statement in asked.items()
        }


if __name__ == "__main__":
    sys.exit(main())
