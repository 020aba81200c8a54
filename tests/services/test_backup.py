"""Backup and restore, with PostgreSQL's own programs where the archive lies there."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

from archive import backup, journal, worker
from archive.backup import BackupFailed
from archive.models import Blob
from archive.services import audit, intake, search
from archive.settings import Settings
from archive.site import Site
from tests import papers
from tests.conftest import Clock, Hospital, hospital_of
from tests.servers import fresh_database

TEXT = "妊娠合并子宫瘢痕"


def quiet(_what: str, _count: int) -> None:
    """Nobody looks at the progress."""


@pytest.fixture
def kept(hospital: Hospital, record: int) -> int:
    """The record with a page, read by the worker and sealed in the journal."""
    site = hospital.site
    with hospital.uow("archivist") as uow:
        staged = intake.stage(site, io.BytesIO(papers.pdf(TEXT)))
        intake.upload(uow, uow.node(record), staged, filename="病案.pdf")
    worker.work(site, once=True)
    return record


@pytest.fixture
def saved(kept: int, hospital: Hospital, tmp_path: Path, postgres_programs: None) -> Path:
    folder = tmp_path / "backup"
    done = backup.back_up(hospital.site, folder, quiet)
    assert done.files >= 2
    return folder


@pytest.fixture
def elsewhere(site: Site, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """An empty place of the same kind as the archive's own."""
    place = Settings(var=tmp_path / "elsewhere")
    if site.engine.dialect.name == "sqlite":
        yield place
        return
    with fresh_database(request.getfixturevalue("postgres_server")) as url:
        yield place.model_copy(update={"database_url": url})


def test_what_is_restored_is_whole_and_goes_on(
    saved: Path, elsewhere: Settings, kept: int, clock: Clock
) -> None:
    assert backup.restore(saved, elsewhere, quiet).problems == ()
    other = Site(elsewhere, clock)
    hospital = hospital_of(other)
    with hospital.uow("archivist", readonly=True) as uow:
        assert intake.files(uow, uow.node(kept))[0].name == "病案.pdf"
    worker.work(other, once=True)  # the index is a cache: no backup holds it
    with hospital.uow("archivist", readonly=True) as uow:
        found = search.find(uow, TEXT)
        assert [group.view.id for group in found.groups] == [kept]
    with hospital.uow("archivist") as uow:
        staged = intake.stage(other, io.BytesIO(papers.pdf("再住院")))
        intake.upload(uow, uow.node(kept), staged, filename="二.pdf")
    worker.work(other, once=True)
    with hospital.uow("auditor", readonly=True) as uow:
        assert journal.verify(uow.session, journal.CHANGES, elsewhere.checkpoint_folder, other.keys).whole
    with audit.reading(other, journal.READS) as session:
        assert journal.verify(session, journal.READS, elsewhere.checkpoint_folder, other.keys).whole
    other.close()


def test_a_file_that_the_backup_lost_or_changed_is_named_and_nothing_is_restored_over_it(
    saved: Path, elsewhere: Settings, site: Site
) -> None:
    with site.session(readonly=True) as session:
        sha256 = session.scalars(select(Blob.sha256), execution_options={"scope": "test"}).first()
    (master,) = (path for path in saved.rglob("*") if path.name.startswith(str(sha256)) and path.is_file())
    master.chmod(0o600)
    master.write_bytes(b"something else")
    with pytest.raises(BackupFailed, match="damaged.*" + str(sha256)[:12]):
        backup.restore(saved, elsewhere, quiet)
    master.unlink()
    with pytest.raises(BackupFailed):
        backup.restore(saved, elsewhere, quiet)


def test_a_backup_goes_only_into_an_empty_place_and_so_does_a_restore(
    saved: Path, elsewhere: Settings, site: Site
) -> None:
    with pytest.raises(BackupFailed):
        backup.back_up(site, saved, quiet)
    with pytest.raises(BackupFailed):
        backup.restore(saved, site.settings, quiet)
    (saved / backup.MANIFEST).unlink()
    with pytest.raises(BackupFailed, match="no manifest"):
        backup.restore(saved, elsewhere, quiet)


def test_the_password_of_the_database_is_no_argument_of_its_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    tells = f'echo "$@" > {tmp_path}/arguments; echo "$PGPASSWORD" > {tmp_path}/given; exit 1'
    (programs / "pg_dump").write_text(f"#!/bin/sh\n{tells}\n")
    (programs / "pg_dump").chmod(0o700)
    monkeypatch.setenv("PATH", f"{programs}:/bin:/usr/bin")
    secret = make_url("postgresql+psycopg://somebody@localhost/archive").set(password="geheim 3")
    with pytest.raises(BackupFailed):
        backup._run(["pg_dump"], secret)
    assert "geheim" not in (tmp_path / "arguments").read_text()
    assert (tmp_path / "given").read_text() == "geheim 3\n"
