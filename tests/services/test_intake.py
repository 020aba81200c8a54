"""Taking in files: whatever is acknowledged is kept, and whoever may not upload does not."""

from io import BytesIO

import pytest
from sqlalchemy import select

from archive import classes, errors, worker
from archive.errors import ArchiveError, Conflict, Forbidden, Invalid, NotFound
from archive.models import Blob, Milestone, Node, Representation
from archive.policy.permissions import P
from archive.services import intake, jobs, steps, tree, typed
from archive.site import Site
from storage import BlobStatus
from tests import papers
from tests.conftest import CAST, RECORD, Hospital

TEST = {"scope": "test"}


def upload(hospital: Hospital, account: str, node: int, content: bytes, filename: str = "扫描 1.pdf") -> int:
    """Stages and uploads as one request does; gives the id of the representation."""
    staged = intake.stage(hospital.site, BytesIO(content))
    try:
        with hospital.uow(account) as uow:
            return intake.upload(uow, uow.node(node, P.DISCOVER), staged, filename=filename)[0].id
    finally:
        intake.discard(hospital.site, staged)


def component(hospital: Hospital, record: int, title: str = "手术记录") -> int:
    with hospital.uow("archivist") as uow:
        steps.take(uow, uow.node(record), "catalogue")
        return tree.add(
            uow, uow.node(record), kind="component", fields={"title": title, "component": "SSJL"}
        ).id


def test_an_acknowledged_file_is_safe_in_the_folder_of_its_record(
    site: Site, hospital: Hospital, record: int
) -> None:
    made = upload(hospital, "archivist", record, papers.pdf("出院记录"))
    with hospital.uow("archivist", readonly=True) as uow:
        node = uow.node(record)
        shown = intake.files(uow, node)
        assert [(file.name, file.kind, file.pages) for file in shown] == [("扫描 1.pdf", "run", 0)]
        blob = uow.session.get_one(
            Blob,
            uow.session.get_one(Representation, made, execution_options=TEST).blob_id,
            execution_options=TEST,
        )
        assert blob.record == str(node.uuid)
        assert site.store.verify(blob.record, blob.sha256) is BlobStatus.OK
        job = jobs.mine(uow)[0]
        assert shown[0].job == job.uuid
        assert job.subject
        assert job.subject.id == record


def test_a_folder_says_enough_to_rebuild_its_record(site: Site, hospital: Hospital, record: int) -> None:
    item = component(hospital, record)
    upload(hospital, "archivist", record, papers.pdf("病案首页"))
    upload(hospital, "archivist", item, papers.pdf("手术记录"), "手术.pdf")
    with hospital.uow("archivist", readonly=True) as uow:
        home, part = uow.node(record).uuid, uow.node(item).uuid
    worker.describe(site, "test")
    said = site.store.read_sidecar(home)
    assert [node["title"] for node in said["nodes"]] == ["00218647-2 · 刘婷婷 · 2026-11-12", "手术记录"]
    assert said["nodes"][0]["fields"]["diagnosis_code"] == RECORD["diagnosis_code"]
    assert {(file["filename"], file["node"]) for file in said["files"]} == {
        ("扫描 1.pdf", str(home)), ("手术.pdf", str(part))
    }  # fmt: skip
    stored = set(site.store.iterate())
    assert {(home, file["sha256"]) for file in said["files"]} == stored, "an item's bytes lie with its file"


def test_what_is_said_of_a_record_later_is_said_beside_its_bytes_too(
    site: Site, hospital: Hospital, record: int
) -> None:
    upload(hospital, "archivist", record, papers.pdf("病案首页"))
    with hospital.uow("archivist") as uow:
        node = uow.node(record)
        node.page_count = 1
        fields = {**typed.form_values(uow, node), "diagnosis": "足月妊娠"}
        tree.edit(uow, node, fields=fields, version=node.version)
        home = node.uuid
    worker.describe(site, "test")
    assert site.store.read_sidecar(home)["nodes"][0]["fields"]["diagnosis"] == "足月妊娠"


def test_the_record_is_being_scanned_from_its_first_file_on(hospital: Hospital, record: int) -> None:
    upload(hospital, "archivist", record, papers.pdf("一"))
    with hospital.uow("archivist", readonly=True) as uow:
        reached = select(Milestone.track, Milestone.step).where(
            Milestone.node_id == record, Milestone.track == "scan"
        )
        assert uow.session.execute(reached, execution_options=TEST).all() == [("scan", "scanning")]


def test_the_same_file_twice_is_told_apart_from_a_new_one(hospital: Hospital, record: int) -> None:
    first = papers.pdf("一")
    upload(hospital, "archivist", record, first)
    with pytest.raises(Conflict):
        upload(hospital, "senior", record, first, "renamed.pdf")
    upload(hospital, "archivist", record, papers.pdf("二"))
    item = component(hospital, record)
    upload(hospital, "archivist", item, first)
    with hospital.uow("archivist", readonly=True) as uow:
        assert len(intake.files(uow, uow.node(record))) == 2
        assert len(intake.files(uow, uow.node(item))) == 1


def test_an_empty_file_is_refused_in_a_sentence(site: Site, hospital: Hospital, record: int) -> None:
    with pytest.raises(Invalid) as refused:
        upload(hospital, "archivist", record, b"")
    assert refused.value.status == 422
    assert str(refused.value)
    assert list(site.store.iterate()) == []


def test_a_file_above_the_limit_is_refused_and_not_kept(site: Site, hospital: Hospital, record: int) -> None:
    site.settings = site.settings.model_copy(update={"upload_limit": 1_000})
    with pytest.raises(errors.TooLarge):
        upload(hospital, "archivist", record, bytes(1_001))
    assert list((site.settings.var / "staging").iterdir()) == []


def test_a_refused_file_leaves_no_trace_in_staging(site: Site, hospital: Hospital, record: int) -> None:
    with pytest.raises(ArchiveError):
        upload(hospital, "clinician", record, papers.pdf("一"))
    assert list((site.settings.var / "staging").iterdir()) == []
    assert list(site.store.iterate()) == []


def test_a_paper_with_a_secrecy_mark_is_never_uploaded(hospital: Hospital) -> None:
    with hospital.uow("senior") as uow:
        fields = {"title": "关于保密工作的通知", "date_from": "2026-03-02", "responsible": "办公室",
                  "secrecy": "秘密★10年", "open_status": next(iter(tree.vocabulary(uow, "open_status")))}  # fmt: skip
        made = tree.add(uow, hospital.category(uow, "WS"), kind="document", fields=fields).id
    with pytest.raises(Conflict):
        upload(hospital, "senior", made, papers.pdf("机密"))


def test_files_do_not_belong_to_folders(hospital: Hospital, record: int) -> None:
    with hospital.uow("senior", readonly=True) as uow:
        series = uow.node(record).parent_id
    with pytest.raises((Conflict, Forbidden)):
        upload(hospital, "senior", series, papers.pdf("一"))


def test_a_name_that_disguises_itself_is_made_plain(hospital: Hospital, record: int) -> None:
    upload(hospital, "archivist", record, papers.pdf("一"), "C:\\scans\\../\u202efdp.exe\x00")
    upload(hospital, "archivist", record, papers.pdf("二"), "很" * 400 + ".pdf")
    with hospital.uow("archivist", readonly=True) as uow:
        names = [file.name for file in intake.files(uow, uow.node(record))]
    assert names[0] == "fdp.exe"
    assert len(names[1]) <= 200
    assert names[1].endswith(".pdf")


def test_whoever_catalogues_or_scans_may_upload_and_nobody_else(hospital: Hospital, record: int) -> None:
    allowed = {"scanner", "archivist", "senior"}
    for account in sorted(set(CAST) - allowed):
        with pytest.raises((Forbidden, NotFound)):
            upload(hospital, account, record, papers.pdf("一"))
    for account in sorted(allowed):
        assert upload(hospital, account, record, papers.pdf(account))
    with hospital.uow("archivist", readonly=True) as uow:
        assert len(intake.files(uow, uow.node(record))) == len(allowed)


def test_an_archived_record_takes_no_more_files(hospital: Hospital, record: int) -> None:
    with hospital.site.session() as session:
        session.get_one(Node, record, execution_options=TEST).state = "archived"
    with hospital.site.session() as session:
        classes.classify_branch(session, session.get_one(Node, record, execution_options=TEST))
    with pytest.raises((Forbidden, NotFound)):
        upload(hospital, "archivist", record, papers.pdf("一"))
