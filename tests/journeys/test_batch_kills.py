"""kill -9 of the worker while a pile is read, recognised and linked: no page is lost or doubled, and the batch goes on."""

import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import Select, and_, func, select

from archive.models import BatchFile, BatchPage, Blob, Job, Page, Representation
from archive.services import jobs, queue
from archive.services.handlers import LIVE
from archive.services.scanning import batches, files
from archive.settings import Settings
from archive.site import Site
from tests import papers, piles
from tests.conftest import hospital_of
from tests.journeys.conftest import ROOT, wait_for
from tests.journeys.test_kills import family, kill
from tests.services.test_scanning import confirm_all, hand_in, state, step
from tests.soaking import how_many

TEST = {"scope": "test"}
FORMS, SCANS = 4, 1
"""Of each of two records: pages with a text of their own, and pages that must be recognised."""
PILES = 2
FAILED = and_(Job.state == "failed", Job.kind != "batch.link")
"""Jobs that are put back as they are."""
BELONG = 2 * PILES * (FORMS + SCANS)
LONGEST = 600.0
"""Seconds for a part of the way; a job that failed on a busy machine waits up to a minute by itself."""


@dataclass
class Batch:
    """A batch on its way, and the worker that is killed on it."""

    site: Site
    kills: int
    chance: random.Random
    number: str = ""
    sent: list[bytes] = field(default_factory=list)
    given_up: list[UUID] = field(default_factory=list)
    """Jobs of piles that were set aside and sent again."""
    killed: list[str] = field(default_factory=list)

    def go_through(self) -> None:
        """From the store to the sample, with a third of the kills in each part of the way."""
        hospital = hospital_of(self.site)
        piles.records(hospital, 2)
        self.number = piles.prepared(hospital, (PILES * (FORMS + SCANS),) * 2)
        covers = piles.covers(hospital, self.number)
        for place in range(PILES):
            content = piles.pile(
                [leaf for patient in (0, 1) for leaf in (covers[patient], *_pages(patient, place))]
            )
            self.sent.append(content)
            hand_in(hospital, self.number, content, f"{place}.pdf")
        self._drive(self.kills // 3)
        step(hospital, "scanner", self.number, "finish")
        self._drive(2 * self.kills // 3)
        confirm_all(hospital, self.number)
        while state(hospital, self.number) == "self_check":  # linking that died too often is asked for anew
            step(hospital, "scanner", self.number, "link")
            self._drive(self.kills)

    def _drive(self, kills: int) -> None:
        """Works until nothing is left to do; kills the worker on its jobs until it has been killed so often."""
        end = time.monotonic() + LONGEST
        while self._live():
            assert time.monotonic() < end, "the batch does not come to an end"
            worker = self._started()
            try:
                if len(self.killed) < kills:
                    self._kill_at_work(worker)
                else:
                    wait_for(
                        lambda: not self._live() or self._failed() != [],
                        "the worker to end its jobs",
                        LONGEST,
                    )
            finally:
                kill(worker.pid)
                worker.wait()
            self._taken_up()

    def _kill_at_work(self, worker: subprocess.Popen[bytes]) -> None:
        wait_for(lambda: self._running() is not None or not self._live(), "a job to be taken", LONGEST)
        time.sleep(self.chance.uniform(0, 1.5))
        if (kind := self._running()) is not None:
            self.killed.append(kind)
            for process in self.chance.choice((family, lambda pid: [pid]))(worker.pid):
                kill(process)

    def _started(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {"JUANZONG_VAR": str(self.site.settings.var), "PYTHONPATH": str(ROOT)}
        with (self.site.settings.var / "worker.log").open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", "archive.cli", "work"], cwd=ROOT, env=environment, stdout=log,
                                    stderr=log, start_new_session=True)  # fmt: skip

    def _taken_up(self) -> None:
        """As after half a minute: what the dead left waits again, and somebody asks again for what was given up."""
        later = Site(self.site.settings, lambda: datetime.now(UTC) + timedelta(minutes=1))
        queue.revive(later)
        later.close()
        for uuid in self._failed():
            with hospital_of(self.site).uow("sysadmin") as uow:
                job = jobs.find(uow, uuid)
                if job.message != files.OVERTAKEN.message:
                    jobs.retry(uow, job)
                    continue
            self._sent_again(uuid, job.args["file"])

    def _sent_again(self, job: UUID, file: int) -> None:
        """A later pile was read, while this one was given up: as its page says, it is set aside and scanned anew."""
        hospital = hospital_of(self.site)
        with hospital.uow("scanner") as uow:
            filename = uow.session.get_one(BatchFile, file, execution_options=TEST).filename
            files.withdraw(uow, batches.find(uow, self.number), file=file)
        hand_in(hospital, self.number, self.sent[int(Path(filename).stem)], filename)
        self.given_up.append(job)

    def _live(self) -> bool:
        return self._one(select(Job.id).where(Job.state.in_(LIVE))) is not None or self._failed() != []

    def _running(self) -> str | None:
        found: str | None = self._one(select(Job.kind).where(Job.state == "running"))
        return found

    def _one(self, statement: Select[Any]) -> Any:
        with self.site.session(readonly=True) as session:
            return session.scalar(statement.limit(1))

    def _failed(self) -> list[UUID]:
        with self.site.session(readonly=True) as session:
            return list(session.scalars(select(Job.uuid).where(FAILED, Job.uuid.not_in(self.given_up))))

    def is_whole(self) -> None:
        """Pages counted in are pages accounted for, each once, and every master is the bytes that it says."""
        assert state(hospital_of(self.site), self.number) == "sampling"
        with self.site.session(readonly=True) as session:
            rows = session.scalars(
                select(BatchPage).order_by(BatchPage.ordinal), execution_options=TEST
            ).all()
            assert len(rows) == BELONG + 2 * PILES, "every page was made, and none twice"
            assert len({row.ordinal for row in rows}) == len(rows)
            linked = [row.page_id for row in rows if row.aside is None]
            assert len(linked) == len(set(linked)) == BELONG
            assert None not in linked
            assert {row.aside for row in rows} == {None, "cover"}
            assert set(session.scalars(select(Page.id), execution_options=TEST)) == set(linked), (
                "no other page is in a record"
            )
            assert set(session.scalars(select(Representation.state), execution_options=TEST)) == {"ready"}
            assert (
                session.scalar(
                    select(func.count(Page.id)).where(Page.node_id.is_(None)), execution_options=TEST
                )
                == 0
            )
            blobs = session.execute(select(Blob.record, Blob.sha256), execution_options=TEST).all()
        sent = {hashlib.sha256(content).hexdigest() for content in self.sent}
        assert sent <= {sha256 for _record, sha256 in blobs}
        for record, sha256 in blobs:
            with self.site.store.open(UUID(record), sha256) as master:
                assert hashlib.sha256(master.read()).hexdigest() == sha256


def _pages(patient: int, place: int) -> list[bytes]:
    forms = [
        piles.sheet(
            piles.form(patient, "入院记录", f"{place + 1}月{day + 11}日 脉搏{61 + 7 * day + 3 * place}")
        )
        for day in range(FORMS)
    ]
    return forms + [_scan(patient, place, number) for number in range(SCANS)]


def _scan(patient: int, place: int, number: int) -> bytes:
    out = BytesIO()
    lines = (
        f"病案号：{piles.mrn(patient)}",
        f"护理记录 {place}{number}{patient}",
        "今日体温正常，饮食可，睡眠好。",
    )
    Image.open(BytesIO(papers.scan(*lines))).save(out, "PDF", resolution=200)
    return out.getvalue()


def _gone_through(template: Path, folder: Path, kills: int, seed: int) -> list[str]:
    shutil.copytree(template, folder)
    batch = Batch(Site(Settings(var=folder)), kills, random.Random(seed))
    batch.go_through()
    batch.is_whole()
    batch.site.close()
    return batch.killed


def test_a_batch_goes_on_after_three_kills_with_every_page_once(
    sqlite_template: Path, tmp_path: Path
) -> None:
    killed = _gone_through(sqlite_template, tmp_path / "var", 3, 4)
    assert "batch.split" in killed


@pytest.mark.soak
def test_a_hundred_kills_during_batches_lose_and_double_no_page(
    sqlite_template: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    wanted, killed, rounds = how_many("batch_kills", usual=100), list[str](), 0
    while len(killed) < wanted:
        killed += _gone_through(
            sqlite_template, tmp_path / f"var{rounds}", min(12, wanted - len(killed)), rounds
        )
        rounds += 1
    kinds = ", ".join(f"{killed.count(kind)} at {kind}" for kind in sorted(set(killed)))
    record_property("soak", f"{len(killed)} kills of a worker ({kinds}) in {rounds} batches of {BELONG} pages: "
                            "none lost, none twice, every batch went on")  # fmt: skip
