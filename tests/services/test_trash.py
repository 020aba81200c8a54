"""The trash: what goes there, what lies there, what comes back, and what is deleted for good."""

import io
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, select, update

from archive import worker
from archive.errors import Conflict, Forbidden, NotFound
from archive.models import (
    AuditEvent,
    Blob,
    Inspection,
    InspectionFinding,
    Job,
    Node,
    Outbox,
    Page,
    Representation,
)
from archive.services import (
    basket,
    desk_buttons,
    disputes,
    drafts,
    holdings,
    holds,
    intake,
    legal_holds,
    loans,
    notices,
    purge,
    sealed_objects,
    sharing,
    staying,
    steps,
    trash,
    tree,
)
from archive.services.desk import Memo
from archive.site import Site
from archive.worker import take_one
from tests import papers
from tests.archives import once
from tests.conftest import RECORD, Clock, Hospital
from tests.services import lending
from tests.services.sealing import BOTH, PACKAGE, release, seal
from tests.services.test_derive import work_off
from tests.services.test_holds import COURT
from tests.services.test_intake import upload as intake_upload

TRUSTED: Any = {"scope": "test"}


def throw(hospital: Hospital, number: int, account: str = "archivist") -> None:
    with hospital.uow(account) as uow:
        trash.trash(uow, uow.node(number))


def empty(site: Site) -> dict[str, Any]:
    """What the worker does once a day, and then with the job."""
    purge.order(site)
    while take_one(site, "test"):
        pass
    with site.session(readonly=True) as session:
        job = session.scalar(select(Job).where(Job.kind == purge.KIND).order_by(Job.id.desc()))
        return dict(job.result or {}) if job else {}


def is_there(site: Site, number: int) -> bool:
    with site.session(readonly=True) as session:
        return session.get(Node, number, execution_options=TRUSTED) is not None


def upload(hospital: Hospital, number: int, content: bytes = b"%PDF-1.4 a page") -> tuple[str, str]:
    """A file of a node: record and hash, as the store knows them. Its pages are never made here."""
    with hospital.uow("archivist") as uow:
        node = uow.node(number)
        intake.upload(uow, node, intake.stage(uow.site, io.BytesIO(content)), filename="a.pdf")
        blob = uow.session.scalars(select(Blob).order_by(Blob.id.desc()), execution_options=TRUSTED).first()
        assert blob is not None
        for job in uow.session.scalars(select(Job)):
            job.state = "cancelled"
        return blob.record, blob.sha256


def component(hospital: Hospital, record: int) -> int:
    with hospital.uow("senior") as uow:
        fields = {"title": "手术记录", "component": "SSJL", "date_from": "2026-11-10"}
        return tree.add(uow, uow.node(record), kind="component", fields=fields).id


def test_a_draft_lies_in_the_trash_with_place_person_and_days(hospital: Hospital, record: int) -> None:
    throw(hospital, record)
    with hospital.uow("archivist", readonly=True) as uow:
        found = trash.contents(uow)
        row = found.rows[0]
        assert (found.total, found.days, row.by, row.kept) == (1, 30, "archivist甲", [])
        assert row.place is not None
        assert row.place.href == row.view.href.rsplit("/", 1)[0]
        assert (row.goes_at - row.since).days == 30


@pytest.mark.parametrize(
    "account",
    ["clinician", "head", "scanner", "clerk", "desk", "auditor", "security", "sysadmin", "stranger"],
)
def test_whoever_does_not_catalogue_neither_trashes_nor_restores(
    hospital: Hospital, record: int, account: str
) -> None:
    with pytest.raises((Forbidden, NotFound)), hospital.uow(account) as uow:
        trash.trash(uow, uow.node(record))
    throw(hospital, record)
    with hospital.uow(account, readonly=True) as uow:
        assert trash.contents(uow).rows == []
    with pytest.raises((Forbidden, NotFound)), hospital.uow(account) as uow:
        trash.restore(uow, uow.node(record))


def test_what_is_archived_never_goes_into_the_trash(hospital: Hospital, record: int) -> None:
    lending.archive_it(hospital, record)
    with hospital.uow("senior") as uow:
        steps.take(uow, uow.node(record), "correct", reason="更正")
    with pytest.raises(Conflict), hospital.uow("senior") as uow:
        trash.trash(uow, uow.node(record))


def test_a_folder_goes_into_the_trash_only_when_it_is_empty(hospital: Hospital, record: int) -> None:
    with hospital.uow("senior", readonly=True) as uow:
        series = uow.node(record).parent_id
    with pytest.raises(Conflict), hospital.uow("senior") as uow:
        trash.trash(uow, uow.node(series))


def test_restored_in_bulk_each_row_says_what_became_of_it(hospital: Hospital, record: int) -> None:
    throw(hospital, record)
    with hospital.uow("archivist") as uow:
        uuid = str(uow.node(record).uuid)
        outcome = trash.restore_several(uow, [uuid, "nonsense"])
        assert [view.uuid for view in outcome.done] == [uuid]
    with hospital.uow("archivist", readonly=True) as uow:
        assert trash.contents(uow).total == 0
        assert uow.node(record).trashed_at is None
    with pytest.raises(Conflict), hospital.uow("archivist") as uow:
        trash.restore(uow, uow.node(record))


def test_an_item_of_a_trashed_record_comes_back_with_it(hospital: Hospital, record: int) -> None:
    item = component(hospital, record)
    throw(hospital, item)
    throw(hospital, record)
    with hospital.uow("archivist", readonly=True) as uow:
        assert [row.view.id for row in trash.contents(uow).rows] == [record]
    with hospital.uow("archivist") as uow:
        trash.restore(uow, uow.node(record))
    with hospital.uow("archivist", readonly=True) as uow:
        assert [row.view.id for row in trash.contents(uow).rows] == [item]


# Deleted for good


def test_nothing_goes_before_its_days_are_over(
    site: Site, hospital: Hospital, record: int, clock: Clock
) -> None:
    throw(hospital, record)
    clock.forward(days=29)
    assert empty(site) == {}
    assert is_there(site, record)


def test_after_its_days_a_draft_is_gone_with_all_that_hangs_on_it(
    site: Site, hospital: Hospital, record: int, clock: Clock
) -> None:
    item = component(hospital, record)
    upload(hospital, item)
    with hospital.uow("senior") as uow:
        sharing.share(uow, uow.node(record), principal_id=hospital.people["scanner"], role="reader")
    with hospital.uow("archivist") as uow:
        drafts.keep(uow, uow.node(record), "edit", {"title": "改了一半"})
        notices.sent_back(uow, uow.node(record))
        basket.put(uow, [uow.node(record).uuid])
    throw(hospital, record)
    clock.forward(days=31)
    assert empty(site)["records"] == 1
    assert not is_there(site, record)
    assert not is_there(site, item)
    with site.session(readonly=True) as session:
        for model in (Representation, Page):
            assert session.scalar(select(func.count()).select_from(model), execution_options=TRUSTED) == 0
        events = list(session.scalars(select(AuditEvent).where(AuditEvent.action == "node.purged")))
        assert [(event.object_id, event.actor) for event in events] == [(record, "system:trash.empty")]
        assert {record, item} <= set(session.scalars(select(Outbox.node_id)))


def test_bytes_stay_as_long_as_backups_may_name_them(
    site: Site, hospital: Hospital, record: int, clock: Clock
) -> None:
    where, sha256 = upload(hospital, record)
    throw(hospital, record)
    clock.forward(days=31)
    empty(site)
    assert site.store.verify(where, sha256).value == "ok"
    clock.forward(days=89)
    empty(site)
    assert site.store.verify(where, sha256).value == "ok"
    clock.forward(days=2)
    assert empty(site)["files"] == 1
    assert site.store.verify(where, sha256).value == "missing"
    assert list(site.store.iterate()) == []
    assert list(site.store.strays()) == []


def test_the_same_file_taken_in_again_is_kept(
    site: Site, hospital: Hospital, record: int, clock: Clock
) -> None:
    item = component(hospital, record)
    where, sha256 = upload(hospital, item)
    throw(hospital, item)
    clock.forward(days=31)
    empty(site)
    assert upload(hospital, record) == (where, sha256)
    clock.forward(days=100)
    empty(site)
    assert site.store.verify(where, sha256).value == "ok"
    worker.describe(site, "test")
    said = site.store.read_sidecar(where)
    assert [node["type"] for node in said["nodes"]] == ["medical_record"], (
        "the item is gone from the sidecar too"
    )


def test_a_draft_with_a_paper_volume_stays_and_says_so(
    site: Site, hospital: Hospital, record: int, clock: Clock
) -> None:
    with hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record), barcode="B00218647")
    throw(hospital, record)
    clock.forward(days=31)
    assert empty(site) == {"records": 0, "files": 0, "kept": 1}
    assert is_there(site, record)
    with hospital.uow("archivist", readonly=True) as uow:
        assert "纸质本" in trash.contents(uow).rows[0].kept[0]


@once
def test_what_is_in_somebodys_hands_or_in_a_case_does_not_go_out_of_sight(
    hospital: Hospital, record: int
) -> None:
    """A draft may be lent to its own ward, and be what a dispute is about."""
    with hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record), barcode="B00218647")
    with hospital.uow("clerk") as uow:
        desk_buttons.asked(
            uow, Memo("unasked", "B00218647", "0004"), {"purpose": "completion", "declared": "none"}
        )
    with pytest.raises(Conflict, match="借出"):
        throw(hospital, record)
    with hospital.uow("clerk") as uow:
        loans.take_back(uow, "B00218647")
    with hospital.uow("archivist") as uow:
        node = uow.node(record)
        sealed_objects.seal(uow, node, kind="drug", what="缩宫素一支", batch="", kept_at="药房冰箱", people=BOTH,
                            reason="家属提出异议")  # fmt: skip
        fields = {"title": "产后纠纷", "date_from": "2026-11-18", "claimant": "刘婷婷", "retention": "D30"}
        case, ref = disputes.open_case(uow, records="00218647-2", fields=fields).id, node.uuid
    with pytest.raises(Conflict, match="封存"):
        throw(hospital, record)
    with hospital.uow("senior") as uow:
        thing = sealed_objects.of_nodes(uow, [record])[0].row
        sealed_objects.open_up(uow, thing, ground="together", people=BOTH, reason="送检")
    with pytest.raises(Conflict, match="尚未办结"):
        throw(hospital, record)
    with hospital.uow("senior") as uow:
        disputes.unlink(uow, uow.node(case), record=ref)
        batch = Inspection(number="JC2026-0001", principal_id=hospital.people["inspector"], reason="抽查",
                           valid_from=uow.now, valid_until=uow.now, granted_at=uow.now)  # fmt: skip
        uow.session.add(batch)
        uow.session.flush()
        uow.session.add(
            InspectionFinding(inspection_id=batch.id, node_id=record, words="缺页", made_at=uow.now)
        )
    throw(hospital, record)
    with hospital.uow("senior", readonly=True) as uow:
        why = " ".join(trash.contents(uow).rows[0].kept)
    assert ("随之封存的实物已启封" in why, "有检查发现的问题" in why, "已封存。" in why) == (
        True,
        True,
        False,
    )


def test_a_killed_job_goes_on_and_a_second_run_changes_nothing(
    site: Site, hospital: Hospital, record: int, clock: Clock
) -> None:
    with hospital.uow("archivist") as uow:
        other = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record",
                         fields=RECORD | {"mrn": "00999999", "dept": str(hospital.wards["CK"])}).id  # fmt: skip
    for number in (record, other):
        throw(hospital, number)
    clock.forward(days=31)
    with site.uow(purge.Actor.system(purge.KIND)) as uow:
        assert purge.purge(uow, record)  # the first of two, and then the worker was killed
    assert empty(site)["records"] == 1
    assert empty(site)["records"] == 1, "there was nothing left to order a job for"
    assert not is_there(site, other)


def test_what_is_restored_at_the_last_moment_is_not_deleted(
    site: Site, hospital: Hospital, record: int, clock: Clock
) -> None:
    throw(hospital, record)
    clock.forward(days=31)
    with hospital.uow("archivist") as uow:
        trash.restore(uow, uow.node(record))
    with site.uow(purge.Actor.system(purge.KIND)) as uow:
        assert not purge.purge(uow, record)
    assert is_there(site, record)


def test_only_the_program_deletes(hospital: Hospital, record: int, clock: Clock) -> None:
    throw(hospital, record)
    clock.forward(days=31)
    with pytest.raises(Forbidden), hospital.uow("senior") as uow:
        purge.purge(uow, record)


def test_an_item_trashed_before_its_file_was_archived_gets_no_number_and_goes(
    site: Site, hospital: Hospital, record: int, clock: Clock
) -> None:
    item = component(hospital, record)
    throw(hospital, item)
    lending.archive_it(hospital, record)
    with hospital.uow("senior", readonly=True) as uow:
        assert uow.node(item).archival_no is None
    clock.forward(days=31)
    assert empty(site)["records"] == 1
    assert not is_there(site, item)
    assert is_there(site, record)


# What is sealed


@pytest.mark.parametrize("site", ["postgres"], indirect=True)
def test_a_part_of_a_record_that_is_being_sealed_does_not_slip_into_the_trash(
    site: Site, hospital: Hospital, record: int
) -> None:
    item = component(hospital, record)
    with hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record))
    said: list[str] = []

    def late() -> None:
        try:
            throw(hospital, item)
            said.append("thrown")
        except Conflict:
            said.append("refused")

    thread = Thread(target=late)
    with hospital.uow("senior") as uow:
        holds.apply(uow, uow.node(record), **PACKAGE)
        thread.start()
        thread.join(1)  # it waits for the seal
        assert said == []
    thread.join()
    assert said == ["refused"]
    assert is_there(site, item)


@pytest.mark.parametrize("under", ["seal", "legal hold"])
def test_a_part_in_the_trash_stays_while_its_record_is_sealed_or_held(
    site: Site, hospital: Hospital, record: int, clock: Clock, under: str
) -> None:
    item = component(hospital, record)
    with hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record))
    throw(hospital, item)
    laid = seal(hospital, record, kind=holds.COPY) if under == "seal" else None
    if laid is None:
        with hospital.uow("archivist") as uow:
            legal_holds.freeze(uow, uow.node(record), **COURT)
    clock.forward(days=31)
    assert empty(site) == {"records": 0, "files": 0, "kept": 1}
    assert is_there(site, item)
    with hospital.uow("archivist", readonly=True) as uow:
        assert len(trash.contents(uow).rows[0].kept) == 1
    if laid is not None:  # of the record it is written, and not of this part
        release(hospital, laid)
        assert (empty(site)["records"], is_there(site, item)) == (1, False)
        with hospital.uow("senior", readonly=True) as uow:
            assert "曾被封存" in " ".join(staying.reasons(uow, [uow.node(record)])[record])


def test_no_page_of_a_sealed_list_leaves_with_the_trash_however_it_came_there(
    site: Site, hospital: Hospital, record: int, clock: Clock
) -> None:
    item = component(hospital, record)
    intake_upload(hospital, "archivist", item, papers.pdf("首页"), "病历.pdf")
    work_off(site)
    with hospital.uow("archivist") as uow:
        other = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record",
                         fields=RECORD | {"mrn": "00999999", "dept": str(hospital.wards["CK"])}).id  # fmt: skip
    seal(hospital, record, kind=holds.COPY)
    with site.session() as session:
        session.execute(update(Page).values(node_id=other), execution_options=TRUSTED)
    throw(hospital, other)
    clock.forward(days=31)
    assert empty(site) == {"records": 0, "files": 0, "kept": 1}
