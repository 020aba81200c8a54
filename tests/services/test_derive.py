"""From a file to pages: in order, once each, with their text; and what happens when a file cannot be read."""

import hashlib
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from archive.errors import Forbidden, NotFound
from archive.models import AccessGrant, Job, Milestone, Node, Page, Representation
from archive.policy.permissions import P
from archive.services import intake, jobs, pages, trash, tree, viewer
from archive.services.queue import claim, perform
from archive.sight import NodeView
from archive.site import Site
from tests import papers
from tests.archives import once
from tests.conftest import CAST, Clock, Hospital
from tests.services.test_intake import TEST, component, upload

REAL = Path(__file__).parents[3] / "shared/data"


def work_off(site: Site, *, recognising: bool = False) -> None:
    """Does all jobs that are due; recognition only where a test is about it, since it takes seconds a page."""
    while job := claim(site, "worker"):
        if job.kind == "page.recognise" and not recognising:
            continue
        perform(site, job)


def files(hospital: Hospital, node: int) -> list[intake.FileView]:
    with hospital.uow("archivist", readonly=True) as uow:
        return intake.files(uow, uow.node(node))


def text_of(hospital: Hospital, node: int, ordinal: int) -> pages.PageView:
    with hospital.uow("archivist", readonly=True) as uow:
        return pages.one(uow, uow.node(node), ordinal)


def test_each_page_is_made_once_in_order_with_its_text(site: Site, hospital: Hospital, record: int) -> None:
    upload(hospital, "archivist", record, papers.pdf("出院记录\n诊断：妊娠合并子宫瘢痕", "体温单", "医嘱单"))
    upload(hospital, "scanner", record, papers.pdf("病理报告"), "病理.pdf")
    work_off(site)
    assert [(file.kind, file.pages) for file in files(hospital, record)] == [("ok", 3), ("ok", 1)]
    with hospital.uow("archivist", readonly=True) as uow:
        node = uow.node(record)
        assert node.page_count == 4
        assert [pages.one(uow, node, n).text.splitlines()[0] for n in range(1, 5)] == [
            "出院记录", "体温单", "医嘱单", "病理报告"
        ]  # fmt: skip
        first = pages.one(uow, node, 1)
        assert first.kind == "layer"
        assert [box[4] for box in first.boxes] == ["出院记录", "诊断：妊娠合并子宫瘢痕"]
        picture = Image.open(BytesIO(pages.image(uow, node, 1)))
        assert picture.size == (first.width, first.height)
        with pytest.raises(NotFound):
            pages.one(uow, node, 5)


def test_the_record_is_linked_when_every_file_of_it_is_ready(
    site: Site, hospital: Hospital, record: int
) -> None:
    def linked() -> bool:
        with site.session(readonly=True) as session:
            reached = select(Milestone.id).where(Milestone.node_id == record, Milestone.step == "linked")
            return session.scalar(reached, execution_options=TEST) is not None

    item = component(hospital, record)
    upload(hospital, "archivist", item, papers.pdf("手术记录"))
    upload(hospital, "archivist", record, b"this is no picture")
    work_off(site)
    assert not linked(), "one file could not be read"
    with hospital.uow("archivist") as uow:
        broken = intake.files(uow, uow.node(record))[0]
        intake.withdraw(uow, uow.node(record), representation=broken.id)
    assert linked()


def test_a_record_with_a_component_without_pages_is_not_linked_until_it_has_some_or_goes(
    site: Site, hospital: Hospital, record: int
) -> None:
    def linked() -> bool:
        with site.session(readonly=True) as session:
            reached = select(Milestone.id).where(Milestone.node_id == record, Milestone.step == "linked")
            return session.scalar(reached, execution_options=TEST) is not None

    scanned = component(hospital, record)
    with hospital.uow("archivist") as uow:
        fields = {"title": "病理报告", "component": "RY"}
        bare = tree.add(uow, uow.node(record), kind="component", fields=fields).id
    upload(hospital, "archivist", scanned, papers.pdf("手术记录"))
    work_off(site)
    assert not linked(), "one component has no page"
    with hospital.uow("archivist") as uow:
        trash.trash(uow, uow.node(bare))
    assert linked()


def test_a_scan_finished_meanwhile_leaves_open_forms_valid(
    site: Site, hospital: Hospital, record: int
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        seen = uow.node(record).version
    upload(hospital, "scanner", record, papers.pdf("一"))
    work_off(site)
    with hospital.uow("archivist", readonly=True) as uow:
        assert (uow.node(record).version, uow.node(record).page_count) == (seen, 1)


def test_a_file_that_cannot_be_read_is_kept_and_says_why(site: Site, hospital: Hospital, record: int) -> None:
    broken = {
        "a program": b"MZ this is a program",
        "locked": papers.pdf("一", password="secret"),
        "cut off": papers.pdf("一", "二")[:600],
        "64,000 pixels wide and high": papers.bomb(),
    }
    for name, content in broken.items():
        upload(hospital, "archivist", record, content, name)
    work_off(site)
    found = files(hospital, record)
    assert [(file.kind, file.pages) for file in found] == [("bad", 0)] * 4
    assert len({file.failure for file in found} - {""}) == 4, "each its own sentence"
    with hospital.uow("archivist", readonly=True) as uow:
        assert {job.message for job in jobs.mine(uow)} == {file.failure for file in found}
        assert uow.node(record).page_count == 0
    kept = {sha256 for _record, sha256 in site.store.iterate()}
    assert kept == {hashlib.sha256(content).hexdigest() for content in broken.values()}


def test_a_stopped_job_leaves_its_file_marked_and_trying_again_finishes_it(
    site: Site, hospital: Hospital, record: int
) -> None:
    upload(hospital, "archivist", record, papers.pdf("一", "二"))
    with hospital.uow("archivist") as uow:
        job = jobs.mine(uow)[0].uuid
        jobs.cancel(uow, jobs.find(uow, job))
    stopped = files(hospital, record)[0]
    assert stopped.kind == "bad"
    assert stopped.failure
    with hospital.uow("archivist") as uow:
        jobs.retry(uow, jobs.find(uow, job))
    work_off(site)
    assert [(file.kind, file.pages, file.failure) for file in files(hospital, record)] == [("ok", 2, "")]


def test_a_file_set_aside_takes_its_pages_along_and_leaves_no_gap(
    site: Site, hospital: Hospital, record: int
) -> None:
    made = upload(hospital, "archivist", record, papers.pdf("一", "二"))
    upload(hospital, "archivist", record, papers.pdf("三"), "三.pdf")
    work_off(site)
    with site.session() as session:  # as if its third page had been damaged
        session.get_one(Representation, made, execution_options=TEST).state = "failed"
    with hospital.uow("scanner") as uow:
        intake.withdraw(uow, uow.node(record), representation=made)
    with hospital.uow("archivist", readonly=True) as uow:
        assert uow.node(record).page_count == 1
        assert pages.one(uow, uow.node(record), 1).text == "三"


@once
def test_a_scan_is_recognised_behind_more_urgent_work(site: Site, hospital: Hospital, record: int) -> None:
    upload(hospital, "archivist", record, papers.scan("出院诊断：剖宫产术后", "病案号 00218647"), "page.png")
    work_off(site, recognising=True)
    page = text_of(hospital, record, 1)
    assert page.kind == "machine"
    assert "剖宫产术后" in page.text
    assert "00218647" in page.text
    assert page.confidence
    assert page.confidence > 0.8
    assert len(page.boxes) == 2
    with hospital.uow("archivist", readonly=True) as uow:
        assert [job.state.kind for job in jobs.mine(uow)] == ["ok", "ok"]


def assert_drawn_again(hospital: Hospital, record: int) -> None:
    """Loses the picture of the second page, and looks at the page."""
    with hospital.site.session(readonly=True) as session:
        second = session.scalar(select(Page).where(Page.ordinal == 2), execution_options=TEST)
        assert second
    for kept in (hospital.site.settings.var / "derived").rglob(second.image):
        kept.unlink()
    with hospital.uow("archivist", readonly=True) as uow:
        picture = Image.open(BytesIO(pages.image(uow, uow.node(record), 2)))
    assert picture.size == (second.width, second.height)


def test_a_picture_that_the_disk_lost_is_drawn_again(site: Site, hospital: Hospital, record: int) -> None:
    upload(hospital, "archivist", record, papers.pdf("一", "二"))
    work_off(site)
    assert_drawn_again(hospital, record)


def test_each_page_that_is_read_is_one_line_in_the_journal(
    site: Site, hospital: Hospital, record: int
) -> None:
    upload(hospital, "archivist", record, papers.pdf("一", "二"))
    work_off(site)
    with hospital.uow("archivist", readonly=True) as uow:
        node = uow.node(record)
        pages.image(uow, node, 1)
        ticket = pages.ticket(uow, node, 2)
        pages.image(uow, node, 2, ticket=ticket)
        assert [(event.action, event.object_id, event.words) for event in uow.readings] == [
            ("page.viewed", record, {"page": 1})
        ]  # fmt: skip
        pages.image(uow, node, 1, ticket=ticket)
        assert len(uow.readings) == 2, "a ticket is for one page"
    with hospital.uow("senior", readonly=True) as uow:
        pages.image(uow, uow.node(record), 2, ticket=ticket)
        assert len(uow.readings) == 1, "and for one reader"


def test_a_file_reads_as_one_sequence_through_its_items(site: Site, hospital: Hospital, record: int) -> None:
    first, second = component(hospital, record, "手术记录"), None
    with hospital.uow("archivist") as uow:
        fields = {"title": "出院记录", "component": "CY"}
        second = tree.add(uow, uow.node(record), kind="component", fields=fields).id
    upload(hospital, "archivist", second, papers.pdf("切口愈合良好", "粘连已松解"))
    upload(hospital, "archivist", first, papers.pdf("松解粘连，见粘连带"))
    work_off(site)
    with hospital.uow("archivist", readonly=True) as uow:
        assert viewer.address(uow, uow.node(record), 3) == (uow.node(second), 2)
        seen = viewer.open_page(uow, uow.node(first), 1, "粘连")
        assert (seen.number, seen.total, seen.previous) == (1, 3, None)
        assert seen.next
        assert seen.next.startswith(f"{NodeView(uow, uow.node(second)).href}/++page++1")
        assert [(part.view.title, part.first, part.current) for part in seen.parts] == [
            ("手术记录", 1, True), ("出院记录", 2, False)
        ]  # fmt: skip
        assert [(hit.number, hit.before, hit.match) for hit in seen.places.hits] == [
            (1, "松解", "粘连"), (1, "松解粘连，见", "粘连"), (3, "", "粘连")
        ]  # fmt: skip
        left, right = sorted(box.x for box in seen.boxes)
        assert right - left == pytest.approx(4 * seen.boxes[0].width / 2, rel=0.1), "four characters apart"
        with pytest.raises(NotFound):
            viewer.address(uow, uow.node(record), 4)


def test_a_borrower_sees_their_name_burnt_in_and_only_while_the_loan_lasts(
    site: Site, hospital: Hospital, record: int, clock: Clock
) -> None:
    upload(hospital, "archivist", record, papers.pdf("手术经过顺利"))
    work_off(site)
    with site.session() as session:
        session.add(
            AccessGrant(principal_id=hospital.people["clinician"], node_id=record, permission=P.READ, cause="eread",
                        valid_from=site.clock(), valid_until=site.clock() + timedelta(days=3), max_level=3)
        )  # fmt: skip
    with hospital.uow("archivist", readonly=True) as uow:
        plain = pages.image(uow, uow.node(record), 1)
        assert not pages.is_marked(uow, uow.node(record))
    with hospital.uow("clinician", readonly=True) as uow:
        node = uow.node(record)
        assert pages.is_marked(uow, node)
        marked = Image.open(BytesIO(pages.image(uow, node, 1))).convert("L")
        assert pages.thumbnail(uow, node, 1)
    inked = [sum(picture.histogram()[:250]) for picture in (Image.open(BytesIO(plain)).convert("L"), marked)]
    assert inked[1] > 3 * inked[0], "the mark covers the page"
    clock.forward(days=4)
    with hospital.uow("clinician", readonly=True) as uow, pytest.raises(NotFound):
        pages.image(uow, uow.node(record), 1)


READERS = {"archivist", "senior", "scanner"}


def test_nobody_without_the_right_to_read_gets_a_byte(site: Site, hospital: Hospital, record: int) -> None:
    upload(hospital, "archivist", record, papers.pdf("一"))
    work_off(site)
    for account in sorted(set(CAST) - READERS):
        with hospital.uow(account, readonly=True) as uow:
            node = uow.session.get_one(Node, record, execution_options=TEST)
            for look in (pages.image, pages.thumbnail, pages.one, viewer.open_page):
                with pytest.raises((Forbidden, NotFound)):
                    look(uow, node, 1)  # type: ignore[operator]
            with pytest.raises((Forbidden, NotFound)):
                intake.files(uow, node)


@pytest.mark.skipif(
    not REAL.exists(), reason="the files of other people lie beside the checkout, and are not here"
)
@once
def test_the_files_of_many_producers_become_pages_or_are_refused_in_a_sentence(
    site: Site, hospital: Hospital, record: int
) -> None:
    names = ["pdf/pdflatex-4-pages.pdf", "pdf/libreoffice-writer-password.pdf", "images/multipage.tiff",
             "images/decompression_bomb.gif", "images/g4_orientation_6.tif"]  # fmt: skip
    for name in names:
        upload(hospital, "archivist", record, (REAL / name).read_bytes(), name)
    work_off(site)
    found = {file.name: (file.kind, file.pages, bool(file.failure)) for file in files(hospital, record)}
    assert found["pdflatex-4-pages.pdf"] == ("ok", 4, False)
    assert found["libreoffice-writer-password.pdf"] == ("bad", 0, True)
    assert found["multipage.tiff"] == ("ok", 3, False)
    assert found["g4_orientation_6.tif"] == ("ok", 1, False)
    assert found["decompression_bomb.gif"][0] == "bad"
    with site.session(readonly=True) as session:
        assert session.scalars(select(Job.state).where(Job.kind == "page.derive").distinct()).all() != [
            "running"
        ]


@once
def test_a_file_that_was_cut_off_is_read_from_a_copy_and_says_so(
    site: Site, hospital: Hospital, record: int
) -> None:
    whole = papers.pdf("一", "二", "三")
    cut = whole[: whole.rindex(b"xref\n0")]
    upload(hospital, "archivist", record, cut)
    upload(hospital, "archivist", record, whole, "完整.pdf")
    work_off(site)
    assert [(file.kind, file.pages, file.repaired) for file in files(hospital, record)] == [
        ("ok", 3, True), ("ok", 3, False)
    ]  # fmt: skip
    assert [text_of(hospital, record, n).text for n in (1, 2, 3)] == ["一", "二", "三"]
    kept = {sha256 for _home, sha256 in site.store.iterate()}
    assert hashlib.sha256(cut).hexdigest() in kept, "the master is what came"
    assert_drawn_again(hospital, record)


@once
def test_a_table_of_contents_that_was_made_anew_in_reading_is_told(
    site: Site, hospital: Hospital, record: int
) -> None:
    whole = papers.pdf("一")
    upload(hospital, "archivist", record, whole[: whole.rindex(b"startxref")] + b"startxref\n7\n%%EOF\n")
    work_off(site)
    assert [(file.kind, file.repaired) for file in files(hospital, record)] == [("ok", True)]
