"""Files of other people, good and bad, as piles of one batch: no worker dies, none is stuck, and the bytes stay as they came."""

import hashlib
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.models import BatchFile, BatchPage, Blob, Job
from archive.services import intake
from archive.services.handlers import LIVE
from archive.services.scanning import batches, files
from archive.settings import Settings
from archive.site import Site
from tests import piles
from tests.conftest import hospital_of
from tests.services.test_scanning import work_off

DATA = Path(__file__).parents[3] / "shared/data"
TEST = {"scope": "test"}
SCANNED = {".pdf", ".png", ".jpg", ".webp", ".gif", ".tif", ".tiff", ".ico"}


def given(*folders: str) -> list[Path]:
    found = sorted(path for name in folders for path in (DATA / name).glob("*") if path.suffix in SCANNED)
    if not found:
        pytest.skip(f"the files of {DATA} are not here")
    return found


@pytest.fixture
def scanning(sqlite_template: Path, tmp_path: Path) -> Iterator[tuple[Site, str]]:
    """An archive with a batch that is being scanned."""
    shutil.copytree(sqlite_template, tmp_path / "var")
    site = Site(Settings(var=tmp_path / "var"))
    hospital = hospital_of(site)
    piles.records(hospital, 1)
    yield site, piles.prepared(hospital, [1])
    site.close()


def taken(site: Site, number: str, paths: list[Path]) -> dict[str, str]:
    """Hands in each file and has its pages made; gives what each is called by the SHA-256 of its bytes."""
    sent = {}
    for path in paths:
        content = path.read_bytes()
        staged = intake.stage(site, BytesIO(content))
        with hospital_of(site).uow("scanner") as uow:
            files.take(uow, batches.find(uow, number), staged, filename=path.name)
        sent[hashlib.sha256(content).hexdigest()] = path.name
    work_off(site)
    return sent


def test_every_file_comes_to_an_end_and_its_bytes_stay_as_they_came(scanning: tuple[Site, str]) -> None:
    site, number = scanning
    paths = given("pdf", "images")
    sent = taken(site, number, paths)
    with site.session(readonly=True) as session:
        rows = session.execute(
            select(BatchFile, Blob).join(Blob, Blob.id == BatchFile.blob_id), execution_options=TEST
        ).all()
        made = session.scalars(select(BatchPage.file_id), execution_options=TEST).all()
        waiting = session.scalars(select(Job.kind).where(Job.state.in_(LIVE))).all()
        died = session.scalars(
            select(Job.message).where(Job.state == "failed", Job.kind == "batch.split")
        ).all()
    assert {blob.sha256 for _file, blob in rows} == set(sent)
    for _file, blob in rows:
        with site.store.open(UUID(blob.record), blob.sha256) as master:
            assert hashlib.sha256(master.read()).hexdigest() == blob.sha256
    assert set(waiting) <= {"batch.recognise"}, "none is stuck"
    assert {file.state for file, _blob in rows} <= {"ready", "failed"}
    assert {file.id for file, _blob in rows if file.state == "ready"} == set(made), (
        "each that was read has pages"
    )
    failed = {sent[blob.sha256] for file, blob in rows if file.state == "failed"}
    assert len(died) == len(failed)
    assert all(file.failure for file, _blob in rows if file.state == "failed"), (
        "and each that was not says why"
    )
    assert failed <= {path.name for path in paths if is_bad(path)}, failed


def is_bad(path: Path) -> bool:
    """Bombs, and files that nobody reads without their password."""
    return path.name.startswith(("decompression_bomb", "oom-")) or "password" in path.name


def test_every_code_128_is_read(scanning: tuple[Site, str]) -> None:
    site, number = scanning
    told = {path.name: path.with_suffix(".txt").read_text() for path in given("barcodes")
            if path.name.startswith("code128") and path.with_suffix(".txt").exists()}  # fmt: skip
    sent = taken(site, number, [path for path in given("barcodes") if path.name in told])
    with site.session(readonly=True) as session:
        rows = session.execute(
            select(Blob.sha256, BatchPage.codes)
            .join(BatchFile, BatchFile.blob_id == Blob.id)
            .join(BatchPage, BatchPage.file_id == BatchFile.id),
            execution_options=TEST,
        ).all()
    read = {sent[sha256]: codes for sha256, codes in rows}
    assert told
    assert read == {name: [text.rstrip("\n")] for name, text in told.items()}
