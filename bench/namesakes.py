"""Names like one that was typed, among many patients: `make bench-namesakes`. Aim: 50 ms of CPU for 95 of a hundred.

The patients have the hundred most frequent surnames, the first of them eighty times as often as the last, and given
names of one or two of 120 characters.
"""

import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from sqlalchemy import select, text

from archive.actor import Actor
from archive.models import Patient
from archive.names import name_key
from archive.services import namesakes
from archive.services.namesakes import FREQUENT
from archive.settings import Settings
from archive.site import Site
from bench import forest
from bench.figures import Table, percentiles, size
from bench.forest import TRUSTED
from bench.gauge import Gauge

PATIENTS = size("PATIENTS", 200_000)
TURNS = 100
GIVEN = (
    "伟芳娜敏静丽强磊洋艳勇军杰娟涛超明霞秀兰刚平桂英华建国志红玉梅春小晓文婷婉晴雨欣思雅子涵梓宇轩浩然一诺佳怡嘉琪俊豪雪慧颖琳璐"
    "博睿泽楠晨曦阳光辉鹏飞龙斌峰林森海波江川宁安康健成功立新德福贵荣生根发祥瑞庆喜凤珍珠翠莲菊香月秋冬云霄"
)
DIAGNOSES = ("高血压", "前置胎盘", "肺炎", "黄疸", "阑尾炎", "糖尿病", "心肌梗死", "骨折")
RECORDS_TOO = """
UPDATE node SET data = json_set(data, '$.patient_name', (
    SELECT patient.name FROM record
    JOIN encounter ON encounter.id = record.encounter_id JOIN patient ON patient.id = encounter.patient_id
    WHERE record.node_id = node.id))
WHERE id IN (SELECT node_id FROM record)
"""
ROLES = ("senior", "archivist", "clinician", "auditor")
"""Who may identify all, many, a ward's own without their whole names, and none."""


def main() -> None:
    with TemporaryDirectory(prefix="juanzong-bench-") as folder:
        site = Site(Settings(var=Path(folder)))
        forest.plant(site, PATIENTS + forest.SMALL)
        names = _named(site)
        forest.analyse(site.engine)
        print(f"\n{len(names):,} patients with {len(set(names)):,} names")
        table = Table("milliseconds of CPU", "who", "p50", "p95", "offered", words=2)
        for what, asked in _asked(names).items():
            for role in ROLES:
                table.row(what, role, *_measured(Gauge(site), role, asked))
        site.close()


def _invented() -> Iterator[str]:
    chance = Random(7)
    weights = list(accumulate(1 / (place + 1.2) for place in range(len(FREQUENT))))
    while True:
        surname = chance.choices(FREQUENT, cum_weights=weights)[0]
        yield surname + "".join(chance.choices(GIVEN, k=chance.choice((1, 2, 2, 2))))


def _named(site: Site) -> list[str]:
    """Gives the patients, and their records, names that people have."""
    invented = _invented()
    with site.uow(Actor.system("bench")) as uow:
        ids = uow.session.scalars(select(Patient.id).order_by(Patient.id), execution_options=TRUSTED).all()
        names = [next(invented) for _patient in ids]
        rows = [
            {"id": number, "name": name, "key": name_key(name)}
            for number, name in zip(ids, names, strict=True)
        ]
        connection = uow.session.connection()
        connection.execute(text("UPDATE patient SET name = :name, name_key = :key WHERE id = :id"), rows)
        connection.execute(text(RECORDS_TOO))
    return names


def _asked(names: list[str]) -> dict[str, list[str]]:
    """What is typed, by its kind: names as patients have them are the dearest, for most others are like them."""
    chance = Random(8)
    two, three = ([name for name in names if len(name) == length] for length in (2, 3))
    return {
        "a name of two characters": chance.choices(two, k=TURNS),
        "a name of three": chance.choices(three, k=TURNS),
        "three, the most frequent surname": chance.choices(
            [name for name in three if name[0] == "王"], k=TURNS
        ),
        "pinyin": [name_key(name).split()[0] for name in chance.choices(three, k=TURNS)],
        "a word that is no name": [DIAGNOSES[turn % len(DIAGNOSES)] for turn in range(TURNS)],
    }


def _measured(gauge: Gauge, role: str, asked: list[str]) -> tuple[float, float, int]:
    """The percentiles, and for how many there was a name."""
    times, offered = list[float](), 0
    for typed in asked:
        with gauge.site.uow(gauge.actor(role), readonly=True) as uow:
            begin = time.process_time()
            offered += bool(namesakes.of(uow, typed))
            times.append((time.process_time() - begin) * 1000)
    return *percentiles(times), offered


if __name__ == "__main__":
    main()
