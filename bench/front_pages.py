"""The front-page query among a million records, on both databases: `make bench-front-pages`. JUANZONG_BENCH_NODES sets the size.

Discharges of fifteen years with a diagnosis code, a doctor and a way of leaving each: what most have, what few have and
what nobody has. A page is the first one with its count and its line in the journal. Aim: 300 ms of CPU for the period with
which the form begins, and no question beyond its time limit.
"""

import time
from datetime import date, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import bindparam, func, select, update

from archive.actor import Actor
from archive.errors import Unavailable
from archive.models import Node
from archive.services import front_pages
from archive.site import Site
from archive.uow import UnitOfWork
from bench import forest, stays
from bench.__main__ import databases
from bench.figures import Table, percentiles, size
from bench.forest import TRUSTED
from bench.gauge import Gauge
from bench.names import mrn_of, name_of

TURNS = 5
STOPPED = "given up"
BATCH = 20_000
FIRST, LAST = date(2011, 12, 1), date(2026, 11, 20)
CODES = ("O34.201", "O44.100", "D25.900", "P59.900", "J18.000", "O42.900", "C50.900", "I21.900", "O00.900", "O24.400",
         "I10.x00", "K35.900")  # fmt: skip
"""One for each of stays.DIAGNOSES."""
RARE = "B20.900"
"""What one record in five thousand has."""
DOCTORS = tuple(
    f"{surname}{given}"
    for surname in "周吴郑王冯陈褚卫"
    for given in ("敏", "可欣", "良", "月", "文婷", "建国")
)
OPERATIONS = ("子宫下段剖宫产术", "", "腹腔镜阑尾切除术", "", "", "乳腺改良根治术")
ASKED: dict[str, dict[str, str]] = {
    "a diagnosis that many have": {"diagnosis": "O34"},
    "a letter of codes": {"diagnosis": "O"},
    "a diagnosis of one in 5,000": {"diagnosis": RARE},
    "a diagnosis that nobody has": {"diagnosis": "Z99"},
    "words of a diagnosis": {"diagnosis": "瘢痕"},
    "a doctor": {"attending": DOCTORS[7]},
    "a doctor whom nobody knows": {"attending": "龘靐"},
    "a doctor and a diagnosis": {"attending": DOCTORS[7], "diagnosis": "C50"},
    "an operation": {"operation": "剖宫产"},
    "an operation that nobody had": {"operation": "心脏移植"},
    "who died": {"outcome": "5"},
    "stays that few have": {"days_from": "13"},
    "an age that few have": {"age_from": "90"},
}
PERIODS = {"last year": {"discharged_from": "2025-11-21", "discharged_to": "2026-11-20"}, "any time": {}}
ROLES = ("senior", "clinician")
"""Who reads nearly all, and who knows of them and reads none."""


def main() -> None:
    nodes = size("NODES", 1_000_000)
    with TemporaryDirectory(prefix="juanzong-bench-") as name, databases(Path(name)) as wanted:
        for database, settings in wanted:
            site, begin = Site(settings), time.perf_counter()
            forest.plant(site, nodes)
            fill(site)
            forest.analyse(site.engine)
            print(
                f"\n{database}: {nodes:,} records, written in {time.perf_counter() - begin:,.0f} s\n",
                flush=True,
            )
            measure(site)
            site.close()


def fill(site: Site) -> None:
    """Gives every record a front page."""
    last, chance = 0, Random(11)
    with site.session(readonly=True) as session:
        most = session.scalar(select(func.max(Node.id)), execution_options=TRUSTED) or 1
    while True:
        with site.uow(Actor.system("bench")) as uow:
            records = select(Node.id).where(Node.type == "medical_record", Node.id > last).order_by(Node.id)
            ids = uow.session.scalars(records.limit(BATCH), execution_options=TRUSTED).all()
            if not ids:
                return
            _write(uow, [_front_page(number, number / most, chance) for number in ids])
            last = ids[-1]


def _write(uow: UnitOfWork, rows: list[dict[str, Any]]) -> None:
    table: Any = Node.__table__
    statement = (
        update(table)
        .where(table.c.id == bindparam("number"))
        .values(date_from=bindparam("admitted"), date_to=bindparam("discharged"), data=bindparam("said"))
    )
    uow.session.connection().execute(statement, rows, execution_options=TRUSTED)


def _front_page(number: int, share: float, chance: Random) -> dict[str, Any]:
    days = (LAST - FIRST).days
    # A series is a year of discharges: records lie about as they came, with half a year between neighbours at most.
    left = FIRST + timedelta(days=min(days, max(0, int(days * share) + chance.randrange(-182, 183))))
    came = left - timedelta(days=min(chance.randrange(1, 15), chance.randrange(1, 75)))
    place = stays.DIAGNOSES.index(stays.diagnosis_of(number))
    rare = chance.randrange(5_000) == 0
    return {
        "number": number, "admitted": came, "discharged": left,
        "said": {
            "mrn": mrn_of(number), "times": 1, "patient_name": name_of(number), "sex": "2",
            "birth": str(came - timedelta(days=chance.randrange(33_000))), "admitted_on": str(came), "discharged_on": str(left),
            "diagnosis": "人类免疫缺陷病毒病" if rare else stays.DIAGNOSES[place],
            "diagnosis_code": RARE if rare else CODES[place],
            "attending": chance.choice(DOCTORS), "outcome": "5" if chance.randrange(500) == 0 else "1",
            "operations": chance.choice(OPERATIONS),
        },
    }  # fmt: skip


def measure(site: Site) -> None:
    """One line a question, one column a role and period: the median of some turns, and how many were found."""
    table = Table(
        "ms a page (found)", *(f"{role}, {period}" for period in PERIODS for role in ROLES), width=26
    )
    for what, typed in ASKED.items():
        table.row(
            what, *(_cell(Gauge(site), role, typed | days) for days in PERIODS.values() for role in ROLES)
        )


def _cell(gauge: Gauge, role: str, typed: dict[str, str]) -> str:
    """On SQLite milliseconds of CPU; of a server by the clock, for its work is another process's."""
    times, told = list[float](), ""
    for _turn in range(TURNS):
        with gauge.timing() as watch:
            told = _asked(gauge, role, typed)
        times.append(watch.cpu if gauge.site.engine.dialect.name == "sqlite" else watch.ms)
        if told == STOPPED:
            break
    return f"{percentiles(times)[0]:,.0f} ({told})"


def _asked(gauge: Gauge, role: str, typed: dict[str, str]) -> str:
    try:
        with gauge.site.uow(gauge.actor(role), readonly=True) as uow:
            page = front_pages.find(uow, front_pages.checked(uow, typed))
            return f"{page.total:,}{'+' if page.capped else ''}"
    except Unavailable:
        return STOPPED


if __name__ == "__main__":
    main()
