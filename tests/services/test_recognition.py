"""What a person has open is read first, once, and the reading of whole files gives way to it."""

from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import select

from archive import worker
from archive.errors import ArchiveError, NotFound
from archive.models import Job, Node
from archive.services import page_desk, page_map, page_tiles, pages, recognition, trash
from archive.services.handlers import GaveWay, JobRun
from archive.services.queue import claim
from archive.site import Site
from tests.archives import begins, once
from tests.conftest import CAST, Hospital
from tests.services.test_intake import upload
from tests.services.test_trash import throw
from tests.storage.test_quality import WORDS, page

READERS = {"archivist", "scanner", "senior"}
"""Of a draft."""


@begins
def scanned(hospital: Hospital, record: int) -> int:
    """A record of three pages without text; nothing stands on them, so that they are read at once."""
    out = BytesIO()
    blank = [Image.new("L", (400, 300), shade) for shade in (250, 251, 252)]
    blank[0].save(out, "TIFF", save_all=True, append_images=blank[1:], dpi=(200, 200))
    upload(hospital, "archivist", record, out.getvalue(), "扫描.tif")
    assert worker.take_one(hospital.site, "test")
    return record


def ask(hospital: Hospital, record: int, ordinal: int, account: str = "archivist") -> None:
    with hospital.uow(account) as uow:
        recognition.ask(uow, uow.node(record), ordinal)


def waiting(hospital: Hospital, record: int) -> list[int]:
    """The pages that are still to be read."""
    with hospital.uow("archivist", readonly=True) as uow:
        node = uow.node(record)
        return [number for number in (1, 2, 3) if recognition.awaits_text(uow, node, number)]


@once
def test_the_page_that_is_open_is_read_before_the_rest_of_its_file(
    site: Site, hospital: Hospital, scanned: int
) -> None:
    ask(hospital, scanned, 3)
    assert waiting(hospital, scanned) == [1, 2, 3]
    worker.take_one(site, "test")
    assert waiting(hospital, scanned) == [1, 2]
    worker.take_one(site, "test")
    assert waiting(hospital, scanned) == []


def test_the_reading_of_a_file_gives_way_after_a_page(site: Site, hospital: Hospital, scanned: int) -> None:
    job = claim(site, "slow")
    assert job
    assert job.kind == "page.recognise"
    ask(hospital, scanned, 3)
    run = JobRun(site, job.id, job.kind, dict(job.args), job.node_id, job.owner_id, "slow")
    with pytest.raises(GaveWay):
        recognition.recognise(run)
    assert waiting(hospital, scanned) == [2, 3]


@once
def test_a_page_is_asked_for_once_and_not_when_it_has_been_read(
    site: Site, hospital: Hospital, scanned: int
) -> None:
    for account in ("archivist", "senior", "archivist"):
        ask(hospital, scanned, 2, account)
    with site.session(readonly=True) as session:
        jobs = session.scalars(select(Job).where(Job.kind == recognition.ONE)).all()
        assert [(job.priority, job.owner_id) for job in jobs] == [(1, None)]
    worker.work(site, once=True)
    ask(hospital, scanned, 2)
    with site.session(readonly=True) as session:
        assert len(session.scalars(select(Job).where(Job.kind == recognition.ONE)).all()) == 1
    with hospital.uow("archivist", readonly=True) as uow:
        assert pages.one(uow, uow.node(scanned), 2).kind == "machine"


def test_only_a_reader_may_ask(hospital: Hospital, scanned: int) -> None:
    for account in sorted(set(CAST) - READERS):
        with pytest.raises(ArchiveError):
            ask(hospital, scanned, 1, account)
        with pytest.raises(ArchiveError), hospital.uow(account, readonly=True) as uow:
            recognition.awaits_text(uow, uow.node(scanned), 1)
    with pytest.raises(NotFound):
        ask(hospital, scanned, 4)


@once
def test_a_page_that_lies_on_its_head_is_shown_upright_also_when_its_record_lay_in_the_trash(
    site: Site, hospital: Hospital, record: int
) -> None:
    upside_down = page().rotate(180)
    out = BytesIO()
    upside_down.save(out, "TIFF", dpi=(200, 200))
    upload(hospital, "archivist", record, out.getvalue(), "倒置.tif")
    assert worker.take_one(site, "test")
    throw(hospital, record)
    worker.work(site, once=True)
    with hospital.uow("archivist") as uow:
        trash.restore(uow, uow.session.get_one(Node, record, execution_options={"scope": "test"}))
    with hospital.uow("archivist", readonly=True) as uow:
        seen = pages.one(uow, uow.node(record), 1)
        shown = Image.open(BytesIO(pages.image(uow, uow.node(record), 1))).convert("L")
    assert seen.text.startswith(WORDS[:6])
    first = seen.boxes[0]
    assert first[1] < seen.height / 4, "the first line is at the top"
    middles = [(box[1] + box[3]) / 2 for box in seen.boxes]
    assert middles == sorted(middles)
    assert shown.crop(first[:4]).getextrema()[0] < 128, "and there is ink where it is said to be"
    with hospital.uow("archivist") as uow:
        node = uow.node(record)
        desk = page_tiles.of(uow, node)
        assert (page_map.version(uow, node), page_map.undoable(uow, node)) == (0, None), "nobody's act"
        page_desk.rotate(uow, node, pages=[desk.sheets[0].page], degrees=180, version=0)
        assert pages.one(uow, node, 1).boxes[0][1] > seen.height / 2
