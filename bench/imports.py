"""How many discharges a second an import brings in, on SQLite: `python -m bench.imports`."""

import csv
import io
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic

from archive import worker
from archive.actor import Actor
from archive.services import actors, imports, setup
from archive.services.imports import Plan
from archive.settings import Settings
from archive.site import Site
from archive.start import prepare
from bench import forest
from bench.figures import size

HEADINGS = (
    "病案号", "姓名", "性别", "出生日期", "住院次数", "入院日期", "出院日期", "出院科室", "主治医师", "离院方式",
    "主要诊断", "诊断编码", "联系电话", "病案条码", "页数",
)  # fmt: skip
SURNAMES, GIVEN = "舒辛逄訾仝昝妘亓笪", "婉晴若溪小满秋月春苗慕白听雪知夏远航"
CODES = ("O34.201", "D25.900", "P59.901", "O80.000", "C50.900", "J18.000", "B24.x00", "O00.900")


def discharges(count: int) -> bytes:
    """A list of stays, a third of them readmissions; all people are invented."""
    rng, text = Random(count), io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    for number in range(count):
        again = number > 0 and number % 3 == 0
        person = number - 1 if again else number
        dice = Random(person)
        name = dice.choice(SURNAMES) + dice.choice(GIVEN) + dice.choice(GIVEN)
        came = date(2024, 1, 1) + timedelta(days=rng.randrange(900))
        writer.writerow((
            f"{1_000_000 + person:08d}", name, "女", "1990-05-05", 1 + again, came, came + timedelta(days=5), "产科",
            "范可欣", "医嘱离院", "妊娠合并子宫瘢痕", rng.choice(CODES), f"1{number:010d}", f"B{number:08d}", 40,
        ))  # fmt: skip
    return text.getvalue().encode()


def hospital(folder: Path) -> tuple[Site, Actor]:
    """An empty hospital with an archivist."""
    site = Site(Settings(var=folder), lambda: datetime.now(UTC))
    prepare(site)
    with site.uow(Actor.system("bench")) as uow:
        setup.department(uow, code="CK", name="产科")
        person = forest.enlist(uow, "archivist", "archivist")
        setup.found(uow, code="H001", name="云川县妇幼保健院")
    with site.session(readonly=True) as session:
        actor = actors.load(session, person.id, site.clock())
    if actor is None:
        raise LookupError("the archivist is gone")
    return site, actor


def timed(site: Site, actor: Actor, content: bytes, *, dry: bool) -> tuple[float, float, str]:
    """Seconds to read the file and to carry the job out, and how it ended."""
    start = monotonic()
    with site.uow(actor, readonly=True) as uow:
        token = imports.receive(uow, io.BytesIO(content), "discharges.csv").token
    with site.uow(actor) as uow:
        uuid = imports.order(uow, Plan("discharges", token), dry=dry).uuid
    received = monotonic()
    worker.take_one(site, "bench")
    done = monotonic()
    with site.uow(actor, readonly=True) as uow:
        seen = imports.one(uow, str(uuid))
    return received - start, done - received, f"{seen.job.state.label} {seen.counts}"


def main() -> None:
    """Prints rows a second of a dry run and of an import."""
    count = size("ROWS", 5_000)
    with TemporaryDirectory() as name:
        site, actor = hospital(Path(name) / "var")
        content = discharges(count)
        for label, dry in (("dry run", True), ("import", False)):
            reading, carrying, result = timed(site, actor, content, dry=dry)
            sys.stdout.write(
                f"{label}: {count} rows, file read in {reading:.1f} s, then {carrying:.1f} s, "
                f"{count / carrying:.0f} rows a second; {result}\n"
            )
        site.close()


if __name__ == "__main__":
    main()
