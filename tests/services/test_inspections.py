"""Records opened to an inspector: just these, for these days, by their name on every page; nothing beside them."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pypdfium2
import pytest
from sqlalchemy import select

from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.journal import CHANGES, Event, words_of
from archive.models import AuditEvent, Inspection, Node, Principal, User
from archive.policy.permissions import P
from archive.services import (
    explain,
    history,
    inspection_checks,
    inspection_findings,
    inspection_noting,
    inspection_reminders,
    inspections,
    listing,
    notices,
    pages,
    tree,
    workbench,
)
from archive.services.inspection_noting import Typed
from tests.archives import begins, once
from tests.conftest import CAST, Clock, Hospital
from tests.services.lending import another, archive_it
from tests.services.sealing import seal
from tests.services.searching import archived as archived_with_pages
from tests.services.searching import component, written

BATCH = {"start": "2026-11-20", "end": "2026-11-22", "reason": "县卫生健康局病历质量检查"}


pytestmark = pytest.mark.usefixtures("in_english")


@begins
def archived(hospital: Hospital, record: int) -> int:
    return archive_it(hospital, record)


@begins
def beside(hospital: Hospital, archived: int) -> int:
    """Another record, which is not in the batch."""
    return another(hospital, mrn="00300001")


def give(
    hospital_: Hospital, records: str = "00218647-2", /, *, by: str = "senior", **other: Any
) -> Inspection:
    with hospital_.uow(by) as uow:
        who = uow.session.scalars(
            select(Principal.uuid).where(Principal.id == hospital_.people["inspector"])
        ).one()
        return inspections.grant(uow, **{"who": str(who), "records": records} | BATCH | other)


def readable(hospital: Hospital) -> list[int]:
    with hospital.uow("inspector", readonly=True) as uow:
        return [node.id for node in uow.list(uow.nodes(P.DISCOVER)) if uow.can(P.READ, node)]


def found(hospital: Hospital, account: str, batch: Inspection) -> inspections.Shown:
    with hospital.uow(account, readonly=True) as uow:
        return inspections.shown(uow, inspections.one(uow, batch.uuid))


def test_the_inspector_reads_the_records_of_the_batch_and_knows_of_no_other(
    hospital: Hospital, archived: int, beside: int
) -> None:
    assert readable(hospital) == []
    batch = give(hospital)
    assert readable(hospital) == [archived]
    with hospital.uow("inspector", readonly=True) as uow:
        assert [one.number for one in inspections.mine(uow)] == [batch.number] == ["JC2026-0001"]
        assert workbench.readable_now(uow) == []
        assert not listing.has_top(uow)
        assert pages.is_marked(uow, uow.node(archived))
        with pytest.raises(NotFound):
            uow.node(beside)
        for may_not in (P.PRINT, P.DOWNLOAD, P.EDIT, P.HISTORY, P.REQUEST_CREATE):
            assert not uow.can(may_not, uow.node(archived))
    assert [view.id for view in found(hospital, "inspector", batch).records] == [archived]


def test_at_the_end_everything_is_gone_at_once(hospital: Hospital, archived: int, clock: Clock) -> None:
    batch = give(hospital)
    clock.forward(days=3)
    assert readable(hospital) == []
    with hospital.uow("inspector", readonly=True) as uow:
        assert inspections.mine(uow) == []
    with pytest.raises(NotFound):
        found(hospital, "inspector", batch)
    assert found(hospital, "senior", batch).batch.state == "over"


def test_it_begins_on_its_first_day(hospital: Hospital, archived: int, clock: Clock) -> None:
    batch = give(hospital, start="2026-11-21")
    assert readable(hospital) == []
    assert found(hospital, "senior", batch).batch.state == "coming"
    with pytest.raises(NotFound):
        found(hospital, "inspector", batch)
    clock.forward(hours=20)
    assert readable(hospital) == [archived]


def test_whoever_gave_it_ends_it_before_the_time(hospital: Hospital, archived: int) -> None:
    batch = give(hospital)
    for account in ("inspector", "archivist"):
        with hospital.uow(account) as uow, pytest.raises(Forbidden):
            inspections.end(uow, uow.session.get_one(Inspection, batch.id))
    with hospital.uow("senior") as uow:
        inspections.end(uow, inspections.one(uow, batch.uuid))
    assert readable(hospital) == []
    with hospital.uow("senior") as uow, pytest.raises(Conflict):
        inspections.end(uow, inspections.one(uow, batch.uuid))


@pytest.mark.parametrize("account", sorted(set(CAST) - {"senior"}))
def test_nobody_else_gives_records_to_an_inspector(hospital: Hospital, archived: int, account: str) -> None:
    batch = give(hospital)
    with pytest.raises(Forbidden):
        give(hospital, by=account)
    with hospital.uow(account, readonly=True) as uow, pytest.raises(Forbidden):
        inspections.listing(uow)
    if account != "inspector":
        with pytest.raises(NotFound):
            found(hospital, account, batch)


def test_a_more_sensitive_record_opens_too_when_it_is_given_and_closes_when_it_rises(
    hospital: Hospital, archived: int
) -> None:
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(archived), level=2, reason="特殊病案")
    give(hospital)
    assert readable(hospital) == [archived]
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(archived), level=3, reason="涉诉")
    assert readable(hospital) == []


def test_a_sealed_record_is_inspected_on_the_screen(hospital: Hospital, archived: int, beside: int) -> None:
    seal(hospital, archived)
    give(hospital, "00218647-2\n00300001-1")
    assert readable(hospital) == [archived, beside]


def test_numbers_of_every_kind_name_a_record_and_each_counts_once(
    hospital: Hospital, archived: int, beside: int
) -> None:
    with hospital.uow("senior", readonly=True) as uow:
        number, uuid = uow.node(archived).archival_no, uow.node(archived).uuid
        assert inspections.numbers_of(uow, [uuid, uuid4()]) == "00218647-2"
    batch = give(hospital, f"{number}，B00218647-2\n 00300001 \n\n00218647-2")
    assert [view.id for view in found(hospital, "senior", batch).records] == [archived, beside]


@pytest.mark.parametrize(
    ("field", "value"),
    [("who", ""), ("who", "nobody"), ("records", " "), ("records", "00999999-1"), ("reason", ""), ("start", "today"),
     ("end", ""), ("end", "2026-11-19"), ("end", "2027-01-20")],
)  # fmt: skip
def test_a_batch_says_whom_what_when_and_why(
    hospital: Hospital, archived: int, field: str, value: str
) -> None:
    records = {"records": "00218647-2"} | ({field: value} if field == "records" else {})
    others = {field: value} if field != "records" else {}
    with pytest.raises(Invalid) as refused:
        give(hospital, records["records"], **others)
    assert set(refused.value.fields) == {field}


def test_a_draft_is_not_inspected(hospital: Hospital, record: int) -> None:
    with pytest.raises(Invalid):
        give(hospital)


def test_the_record_tells_to_whom_it_was_opened(hospital: Hospital, archived: int) -> None:
    batch = give(hospital)
    with hospital.uow("senior") as uow:
        (path,) = [path for path in explain.paths(uow, uow.node(archived)) if path.kind == "grant"]
        assert path.name == "inspector甲"
        assert batch.number in path.why
        inspections.end(uow, inspections.one(uow, batch.uuid))
    with hospital.uow("archivist", readonly=True) as uow:
        acts = [act.action for act in history.acts(uow, uow.node(archived))]
        assert acts[:2] == ["inspection.closed", "inspection.opened"]
    with hospital.site.session(readonly=True) as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "inspection.granted")).one()
        words = words_of(session, CHANGES, event.id, hospital.site.keys)
        assert (event.actor, words["reason"], words["records"]) == ("senior", BATCH["reason"], [archived])


def test_the_pages_of_a_component_open_with_their_file(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        fields = {"title": "手术记录", "component": "SSJL", "date_from": "2026-11-10"}
        item = tree.add(uow, uow.node(record), kind="component", fields=fields).id
    archive_it(hospital, record)
    give(hospital)
    with hospital.uow("inspector", readonly=True) as uow:
        assert uow.node(item, P.READ).parent_id == record
        (part,) = listing.contents(uow, uow.node(record)).rows
        assert part.id == item
        assert [node.id for node in uow.list(uow.nodes(P.DISCOVER).order_by(Node.id))] == [record, item]


def findings(hospital: Hospital, account: str, batch: Inspection) -> inspection_findings.Findings:
    with hospital.uow(account, readonly=True) as uow:
        return inspection_findings.of(uow, inspections.one(uow, batch.uuid))


def note(hospital: Hospital, batch: Inspection, record: int, /, *, by: str = "senior", **other: str) -> UUID:
    with hospital.uow("senior", readonly=True) as uow:
        ref = str(uow.node(record).uuid)
    said = {"words": "手术记录无主刀签名", "points": "2.5", "yuan": "300", "appeal_until": "2026-11-30"}
    with hospital.uow(by) as uow:
        found = inspections.one(uow, batch.uuid)
        return inspection_noting.note(uow, found, record=ref, said=Typed(**said | other)).uuid


def test_what_was_found_stands_with_what_it_costs_and_until_when_it_may_be_contested(
    hospital: Hospital, archived: int, beside: int, clock: Clock
) -> None:
    batch = give(hospital)
    first, second = note(hospital, batch, archived), note(hospital, batch, archived, points="", yuan="0.50")
    found = findings(hospital, "inspector", batch)
    assert (found.points, found.yuan, found.records) == (Decimal("2.5"), Decimal("300.5"), 1)
    assert [(one.is_open, one.is_late) for one in found.rows] == [(True, False)] * 2
    for wrong, said in ({"points": "viele"}, "points"), ({"yuan": "-1"}, "yuan"), ({"words": " "}, "words"), (
        {"appeal_until": "soon"}, "appeal_until"), ({"points": "NaN"}, "points"):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            note(hospital, batch, archived, **wrong)
        assert list(refused.value.fields) == [said]
    with pytest.raises(NotFound):
        note(hospital, batch, beside)
    clock.forward(days=11)
    with hospital.uow("senior") as uow:
        inspection_findings.answer(uow, first, words="已补签，附影像", version=1)
    assert [(one.is_open, one.is_late) for one in findings(hospital, "senior", batch).rows] == [
        (False, False),
        (True, True),
    ]
    for ref, version in ((first, 2), (second, 7)):
        with pytest.raises(Conflict), hospital.uow("senior") as uow:
            inspection_findings.answer(uow, ref, words="再答", version=version)
    # Over, the batch is nothing to the inspector; of a record that is closed to them nobody reads what was found in it.
    with pytest.raises(NotFound):
        findings(hospital, "inspector", batch)
    with hospital.uow("archivist") as uow, pytest.raises(NotFound):
        inspections.one(uow, batch.uuid)


def test_until_when_a_finding_may_be_contested_is_told_before_and_on_the_day(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    batch = give(hospital)
    ref = note(hospital, batch, archived, appeal_until="2026-11-24")
    note(hospital, batch, archived, appeal_until="2026-12-20")

    def remind() -> int:
        with hospital.site.uow(Actor.system("remind")) as uow:
            return inspection_reminders.remind(uow)

    def told(account: str) -> list[tuple[str, UUID | None]]:
        with hospital.uow(account, readonly=True) as uow:
            assert notices.waiting(uow).notices == len(notices.unread(uow))
            return [(one.about, one.inspection) for one in notices.mine(uow) if one.appeals]

    assert remind() == 0
    clock.forward(days=1)
    assert (remind(), remind()) == (1, 0)
    assert told("senior") == [("1 finding of JC2026-0001, until 2026-11-24", batch.uuid)]
    clock.forward(days=3)
    assert told("senior") == [], "it is the last day, which is told anew"
    assert (remind(), len(told("senior")), told("archivist")) == (1, 1, [])
    with hospital.uow("senior") as uow:
        inspection_findings.answer(uow, ref, words="已补签", version=1)
    assert told("senior") == []


@once
def test_a_list_goes_on_without_what_cannot_be_opened_and_says_room_and_sample_on_its_pick_list(
    hospital: Hospital, archived: int
) -> None:
    with pytest.raises(Invalid):
        give(hospital, "00218647-2 99999999-1", without=False)
    with pytest.raises(Invalid):
        give(hospital, "99999999-1", without=True)
    batch = give(
        hospital, "00218647-2 99999999-1", without=True, room="三楼阅览室", drawn="120 份抽 2 份，种子 7"
    )
    shown = found(hospital, "senior", batch)
    assert [view.id for view in shown.records] == [archived]
    assert (shown.batch.room, shown.batch.drawn) == ("三楼阅览室", "120 份抽 2 份，种子 7")
    with hospital.uow("senior", readonly=True) as uow:
        document = pypdfium2.PdfDocument(inspection_findings.pick_list(uow, inspections.one(uow, batch.uuid)))
        words = document[0].get_textpage().get_text_range()
    assert all(said in words for said in (batch.number, "三楼阅览室", "B00218647-2", "00218647-2"))
    assert "刘" not in words


@once
def test_the_rules_of_insurers_are_run_over_what_may_be_read_and_say_what_cannot_be_told(
    hospital: Hospital, record: int
) -> None:
    orders, slip = component(hospital, record, "医嘱单"), component(hospital, record, "辅助检查报告单")
    with hospital.site.uow(Actor.system("test")) as uow:
        for number, code in ((orders, "YZ"), (slip, "FZ")):
            node = uow.session.get_one(Node, number, execution_options={"scope": "test"})
            node.data = node.data | {"component": code}
        uow.record(Event("test.changed"))
    written(hospital, orders, "一次性耗材 自费")
    written(hospital, slip, "血常规 刘婷婷", "")
    written(hospital, record, "未分页")
    archived_with_pages(hospital, record)
    batch = give(hospital)
    with hospital.uow("senior", readonly=True) as uow:
        checked = inspection_checks.of(uow, inspections.one(uow, batch.uuid), str(uow.node(record).uuid))
    assert [(one.component, one.is_known) for one in checked.found] == [
        ("laboratory and examination reports page 1", True),
        ("laboratory and examination reports page 2", False),
        ("orders page 1", True),
    ]
    assert (checked.pages, checked.unread, checked.unsplit, checked.told) == (4, 1, 1, 2)
    with hospital.uow("senior", readonly=True) as uow, pytest.raises(NotFound):
        inspection_checks.of(uow, inspections.one(uow, batch.uuid), str(uuid4()))
    # Whoever gives batches and may not read this record learns nothing of its text.
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(record), level=3, reason="特殊病案")
        uow.session.get_one(User, hospital.people["senior"]).clearance = 2
    with hospital.uow("senior", readonly=True) as uow, pytest.raises(NotFound):
        inspection_checks.of(uow, inspections.one(uow, batch.uuid), str(uow.node(record).uuid))
