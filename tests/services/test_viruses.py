"""Files are looked at by a scanner before anything opens them; what was not looked at is never said to have passed."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from archive import worker
from archive.models import AuditEvent, Job, Page
from archive.services import intake, jobs, viruses
from archive.site import Site
from tests import papers
from tests.conftest import Hospital
from tests.scanner import EICAR, NAME, VERSION, clamd
from tests.services.test_intake import upload

TEST = {"scope": "test"}


def configured(site: Site, address: str) -> None:
    site.settings = site.settings.model_copy(update={"clamd": address})


@pytest.fixture
def scanner(site: Site) -> Iterator[str]:
    with clamd() as address:
        configured(site, address)
        yield address


def listed(hospital: Hospital, record: int) -> list[tuple[str, str, int]]:
    with hospital.uow("archivist", readonly=True) as uow:
        return [(file.kind, file.virus, file.pages) for file in intake.files(uow, uow.node(record))]


def events(hospital: Hospital) -> list[str]:
    wanted = (
        select(AuditEvent.action).where(AuditEvent.action.like("representation.%")).order_by(AuditEvent.id)
    )
    with hospital.uow("archivist", readonly=True) as uow:
        return list(uow.session.scalars(wanted, execution_options=TEST))


def test_without_a_scanner_the_check_is_said_not_to_have_run(
    site: Site, hospital: Hospital, record: int
) -> None:
    upload(hospital, "archivist", record, papers.pdf("一"))
    assert listed(hospital, record) == [("run", "", 0)]
    worker.work(site, once=True)
    assert listed(hospital, record) == [("ok", "病毒检查：未进行", 1)]
    assert viruses.scanner(site) == "未进行：没有配置"


def test_a_file_in_which_nothing_is_found_becomes_pages(
    site: Site, hospital: Hospital, record: int, scanner: str
) -> None:
    upload(hospital, "archivist", record, papers.pdf("一"))
    worker.work(site, once=True)
    assert listed(hospital, record) == [("ok", "病毒检查：未发现", 1)]
    assert events(hospital) == ["representation.added", "representation.examined", "representation.ready"]
    assert viruses.scanner(site) == VERSION


def test_a_file_with_a_virus_is_kept_and_never_opened(
    site: Site, hospital: Hospital, record: int, scanner: str
) -> None:
    upload(hospital, "archivist", record, papers.pdf("一") + EICAR, "坏.pdf")
    worker.work(site, once=True)
    assert listed(hospital, record) == [("bad", f"病毒检查：查出 {NAME}", 0)]
    with hospital.uow("archivist", readonly=True) as uow:
        (file,) = intake.files(uow, uow.node(record))
        assert file.failure.startswith("此文件查出病毒")
        assert uow.session.scalar(select(Page.id), execution_options=TEST) is None
    assert len(list(site.store.iterate())) == 1
    assert events(hospital)[1:] == ["representation.examined", "representation.failed"]
    configured(site, "")  # tried again where nobody looks, it is still what it was
    with hospital.uow("archivist") as uow:
        job = uow.session.scalars(select(Job).where(Job.kind == "page.derive")).one()
        jobs.retry(uow, job)
    worker.work(site, once=True)
    assert listed(hospital, record) == [("bad", f"病毒检查：查出 {NAME}", 0)]


def test_a_scanner_that_does_not_answer_lets_nothing_pass(
    site: Site, hospital: Hospital, record: int, caplog: pytest.LogCaptureFixture
) -> None:
    configured(site, "127.0.0.1:1")
    upload(hospital, "archivist", record, papers.pdf("一"))
    worker.work(site, once=True)
    assert listed(hospital, record) == [("ok", "病毒检查：未进行", 1)]
    assert "virus.not_run" in caplog.text
    assert viruses.scanner(site) == "未进行：没有应答"
