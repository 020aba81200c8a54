"""A worker is killed in the middle, comes back, and nothing is lost or doubled."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import func, select

from archive import journal, worker
from archive.models import Job, Page, Representation, Setting
from archive.policy.permissions import P
from archive.services import intake
from archive.site import Site
from tests import papers
from tests.conftest import Hospital
from tests.services.test_intake import TEST, upload

WORKER = """
import sys
from pathlib import Path
from archive.settings import Settings
from archive.site import Site
from archive.worker import work
work(Site(Settings(var=Path(sys.argv[1]), database_url=sys.argv[2])))
"""


def start(site: Site) -> subprocess.Popen[bytes]:
    """A worker in a process of its own, as `juanzong work` starts it."""
    arguments = [str(site.settings.var), site.settings.database_url]
    return subprocess.Popen([sys.executable, "-c", WORKER, *arguments], cwd=Path(__file__).parents[2])


def wait_until(true: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def made(site: Site) -> int:
    with site.session(readonly=True) as session:
        return session.scalar(select(func.count(Page.id)), execution_options=TEST) or 0


def test_a_worker_killed_in_the_middle_of_a_file_is_followed_by_one_that_goes_on(
    site: Site, hospital: Hospital, record: int
) -> None:
    texts = [f"第 {number} 页" for number in range(1, 41)]
    upload(hospital, "archivist", record, papers.pdf(*texts))
    process = start(site)
    try:
        wait_until(lambda: made(site) >= 3)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    before = made(site)
    assert before < len(texts)
    later = Site(site.settings, lambda: datetime.now(UTC) + timedelta(minutes=1))
    worker.work(later, once=True)
    later.close()
    with hospital.uow("archivist", readonly=True) as uow:
        found = uow.of(Page, uow.node(record), P.READ).with_only_columns(Page.ordinal, Page.source_page)
        rows = uow.session.execute(found.order_by(Page.ordinal)).all()
        assert [tuple(row) for row in rows] == [(number, number) for number in range(1, 41)]
        assert intake.files(uow, uow.node(record))[0].kind == "ok"
        assert uow.session.scalar(select(Job.state).where(Job.kind == "page.derive")) == "done"


def test_one_round_of_work_leaves_the_journals_sealed_and_signed(
    site: Site, hospital: Hospital, record: int
) -> None:
    upload(hospital, "archivist", record, papers.pdf("一"))
    worker.work(site, once=True)
    with site.session(readonly=True) as session:
        verdict = journal.verify(session, journal.CHANGES, site.settings.checkpoint_folder, site.keys)
        assert verdict.whole
        assert verdict.sealed > 0
        assert verdict.waiting == 0
        assert verdict.checkpoints == 1
        assert session.scalars(select(Representation.state), execution_options=TEST).all() == ["ready"]


def test_a_worker_gives_signs_of_life_and_takes_its_sign_along_when_it_leaves(
    site: Site, hospital: Hospital
) -> None:
    def signs() -> list[str]:
        with site.session(readonly=True) as session:
            return list(session.scalars(select(Setting.name).where(Setting.name.like("worker.%"))))

    stop = Event()
    thread = Thread(target=worker.work, args=(site,), kwargs={"stop": stop})
    thread.start()
    try:
        wait_until(signs)
    finally:
        stop.set()
        thread.join()
    assert signs() == []


def test_a_worker_survives_a_store_that_is_away_and_works_again_when_it_is_back(
    site: Site, hospital: Hospital, record: int, caplog: pytest.LogCaptureFixture
) -> None:
    upload(hospital, "archivist", record, papers.pdf("一"))
    folder = site.settings.var / "blobs"
    folder.rename(folder.with_name("unmounted"))
    worker.work(site, once=True)
    assert "job.error" in [json.loads(line)["event"] for line in caplog.messages]
    assert "unmounted" not in caplog.text
    folder.with_name("unmounted").rename(folder)
    hospital.clock.forward(seconds=60)
    worker.work(site, once=True)
    assert made(site) == 1


def test_one_worker_at_a_time_seals(site: Site) -> None:
    with worker.alone(site, "seal") as first, worker.alone(site, "seal") as second:
        assert (first, second) == (True, False)
        with worker.alone(site, "index") as other:
            assert other
    with worker.alone(site, "seal") as again:
        assert again


def test_cleaning_takes_what_killed_processes_left_and_nothing_younger(site: Site) -> None:
    work = site.settings.var / "work"
    for name, age in (("old", 2), ("young", 0)):
        (work / name).mkdir(parents=True)
        moment = time.time() - age * 86_400
        os.utime(work / name, (moment, moment))
    with site.session() as session:
        session.add(Setting(name="worker.dead-1", value=(site.clock() - timedelta(days=2)).isoformat()))
        for days in (40, 2):
            day = site.clock() - timedelta(days=days)
            session.add(
                Job(kind="page.derive", args={}, state="done", run_after=day, created_at=day, done_at=day)
            )
    worker.clean(site, "me")
    assert [folder.name for folder in work.iterdir()] == ["young"]
    with site.session(readonly=True) as session:
        assert session.scalar(select(Setting).where(Setting.name == "worker.dead-1")) is None
        assert session.scalar(select(func.count(Job.id))) == 1
