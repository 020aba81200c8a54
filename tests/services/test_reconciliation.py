"""Paper and pages: what does not agree becomes somebody's task, and goes when it agrees."""

from contextlib import suppress
from io import BytesIO
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from archive import checklist, worker
from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.models import DualMismatch, Node, PolicyVersion
from archive.policy.shapes import problems
from archive.services import (
    components,
    dual_match,
    holdings,
    intake,
    lacking,
    levels,
    mismatches,
    notices,
    policies,
    purge,
    reconciliation,
    trash,
    tree,
    volumes,
)
from archive.services import steps as record_steps
from archive.services.queue import claim, perform
from archive.services.scanning import batches, steps
from archive.services.scanning import volumes as volumes_of_batch
from archive.uow import UnitOfWork
from tests import papers, piles
from tests.archives import begins, once
from tests.conftest import Hospital
from tests.services.test_steps import fulfil

TEST = {"scope": "test"}
BODY = {name: part for name, part in policies.seeds()["checklist"].items() if name != "source"}
CODES = list(BODY["components"])
stays = st.builds(
    checklist.Stay, admitted=st.none() | st.dates(), discharged=st.none() | st.dates(),
    outcome=st.sampled_from(["", "1", "5"]), sex=st.sampled_from(["", "1", "2"]),
    diagnosis=st.sampled_from(["", "O82.000", "I10.x00", "O36.400"]),
    operations=st.lists(st.sampled_from(["74.1x01", "45.1300", "99.0400", "73.5900"]), max_size=3).map(tuple),
)  # fmt: skip


@given(stays, st.sets(st.sampled_from(CODES)), st.sampled_from(CODES))
def test_completeness_lies_between_nothing_and_all_and_never_falls_by_what_is_added(
    stay: checklist.Stay, present: set[str], more: str
) -> None:
    before = checklist.completeness(checklist.expected(BODY, stay, present))
    after = checklist.completeness(checklist.expected(BODY, stay, present | {more}))
    assert 0 <= before <= after <= 1


@given(stays)
def test_a_record_with_every_component_is_complete_and_an_empty_one_lacks_what_it_must_have(
    stay: checklist.Stay,
) -> None:
    assert checklist.completeness(checklist.expected(BODY, stay, set(CODES))) == 1
    assert checklist.completeness(checklist.expected(BODY, stay, set())) == 0


def required(**more: object) -> set[str]:
    found = checklist.expected(BODY, checklist.Stay(**more), set())  # type: ignore[arg-type]
    return {one.code for one in found if one.required}


def test_what_is_required_follows_from_what_is_known_and_what_cannot_be_known_is_never_missing() -> None:
    assert {"SY", "RY", "TW", "YZ"} <= required()
    assert not required() & {"SSJL", "SW", "SXTY", "CK"}
    assert {"SSJL", "SSTY", "MZJL", "MZTY", "CK", "XSE"} <= required(operations=("74.1x01",), sex="2")
    assert "SSJL" not in required(operations=("45.1300",)), "looking into the stomach is no operation"
    assert {"SW", "SWTL"} <= required(outcome="5")
    assert "SXTY" in required(operations=("99.0400",))
    assert not required(sex="1", operations=("74.1x01",)) & {"CK", "XSE"}


def test_every_condition_that_a_policy_may_name_is_known() -> None:
    assert {rule["when"] for rule in BODY["components"].values()} <= set(checklist.CONDITIONS)
    with pytest.raises(KeyError):
        checklist.expected({"codes": {}, "components": {"SY": {"when": "never"}}}, checklist.Stay(), set())


def counted(hospital: Hospital, record: int, sheets: int | None) -> str:
    with hospital.uow("archivist") as uow:
        return holdings.register(uow, uow.node(record), sheets=sheets).barcode


def scan(hospital: Hospital, node: int, *texts: str) -> None:
    """Pages with these texts, as somebody at the scanner uploads them."""
    staged = intake.stage(hospital.site, BytesIO(papers.pdf(*texts)))
    with hospital.uow("scanner") as uow:
        intake.upload(uow, uow.node(node), staged, filename="scan.pdf")
    while job := claim(hospital.site, "worker"):
        if not job.kind.endswith("recognise"):
            perform(hospital.site, job)


def part(hospital: Hospital, record: int, code: str) -> int:
    with hospital.uow("archivist") as uow:
        fields = {"title": code, "component": code}
        return tree.add(uow, uow.node(record), kind="component", fields=fields).id


def open_kinds(hospital: Hospital, who: str = "archivist") -> list[str]:
    with hospital.uow(who, readonly=True) as uow:
        return [row.kind for row in rows(uow)]


def rows(uow: UnitOfWork) -> list[DualMismatch]:
    found = select(DualMismatch).where(DualMismatch.closed_at.is_(None)).order_by(DualMismatch.id)
    return list(uow.session.scalars(found, execution_options=TEST))


def rate(hospital: Hospital, who: str) -> tuple[int, int]:
    with hospital.uow(who, readonly=True) as uow:
        found = dual_match.rate(uow)
        return found.matched, found.total


def test_fewer_pages_than_were_counted_become_a_task_of_whoever_scanned_once_and_go_when_they_come(
    hospital: Hospital, record: int
) -> None:
    counted(hospital, record, 3)
    scan(hospital, record, "入院记录", "病程记录")
    assert open_kinds(hospital) == [], "while people are at it, nothing is opened"
    assert reconciliation.sweep(hospital.site) == 1
    assert reconciliation.sweep(hospital.site) == 0, "never two of one kind and cause"
    with hospital.uow("archivist", readonly=True) as uow:
        (shown,) = mismatches.page(uow).rows
        assert (shown.kind, shown.owner, shown.opened_by) == (
            str(mismatches.KINDS["missing_page"]),
            "scanner甲",
            None,
        )
        assert "3" in shown.about
        assert "2" in shown.about
        assert str(shown.due_on) == "2026-11-27", "five working days after a Friday"
    scan(hospital, record, "出院记录")
    assert open_kinds(hospital) == [], "the scan itself closes it"
    assert rate(hospital, "archivist") == (1, 1)


@once
@pytest.mark.parametrize(
    ("pages", "kinds", "outcome"),
    [
        (1, ["missing_page"], "differs"),
        (2, [], "matched"),
        (3, [], "uncounted"),
        (4, [], "uncounted"),
        (5, ["extra_page"], "differs"),
    ],
)
def test_sheets_whose_sides_nobody_has_counted_may_bear_two_pages_each(
    hospital: Hospital, record: int, pages: int, kinds: list[str], outcome: str
) -> None:
    counted(hospital, record, 2)
    scan(hospital, record, *[f"第{number}页" for number in range(pages)])
    reconciliation.sweep(hospital.site)
    assert open_kinds(hospital) == kinds
    with hospital.uow("archivist", readonly=True) as uow:
        assert uow.node(record).dual == outcome


@once
def test_nothing_is_missing_while_a_batch_still_scans_the_record(hospital: Hospital) -> None:
    (record,) = piles.records(hospital, 1)
    with hospital.uow("archivist") as uow:
        batch = batches.make(uow, note="外三科")
        volume = volumes_of_batch.put_in(uow, batch, barcode=piles.barcode(0))
        steps.take(uow, batch, "check_out")
        volumes_of_batch.count_sides(uow, batch, volume=volume.id, sides=5)
    scan(hospital, record, "入院记录")
    reconciliation.sweep(hospital.site)
    assert open_kinds(hospital) == []
    with hospital.uow("archivist") as uow:
        steps.take(uow, batches.find(uow, "SZ2026-0001"), "cancel", reason="错建")
    reconciliation.sweep(hospital.site)
    assert open_kinds(hospital) == ["missing_page"]


def test_what_a_person_has_closed_stays_closed_until_the_counts_change(
    hospital: Hospital, record: int
) -> None:
    barcode = counted(hospital, record, 3)
    scan(hospital, record, "入院记录", "病程记录")
    reconciliation.sweep(hospital.site)
    with hospital.uow("archivist") as uow:
        (row,) = rows(uow)
        with pytest.raises(Invalid):
            mismatches.close(uow, mismatches.find(uow, row.uuid)[0], reason="  ")
        uow.undo()
    with hospital.uow("archivist") as uow:
        mismatches.close(uow, mismatches.find(uow, rows(uow)[0].uuid)[0], reason="第三页为空白页")
    reconciliation.sweep(hospital.site)
    assert open_kinds(hospital) == []
    with hospital.uow("archivist") as uow:
        volumes.correct(uow, uow.holding(barcode)[0], barcode=barcode, sheets=4, condition=None)
    reconciliation.sweep(hospital.site)
    assert open_kinds(hospital) == ["missing_page"]


def news(hospital: Hospital, who: str) -> list[tuple[str, bool]]:
    with hospital.uow(who, readonly=True) as uow:
        told = [(one.about, one.unread) for one in notices.mine(uow) if one.mismatches]
        assert notices.waiting(uow).notices >= sum(unread for _about, unread in told)
        return told


@once
def test_the_owner_of_mismatches_is_told_once_of_all_that_they_may_see(
    hospital: Hospital, record: int
) -> None:
    counted(hospital, record, 3)
    scan(hospital, part(hospital, record, "SY"), "住院病案首页")
    other = piles.records(hospital, 1)[0]
    scan(hospital, other, "入院记录")
    noted(hospital, other)
    reconciliation.sweep(hospital.site)
    with hospital.uow("scanner") as uow:
        many = mismatches.count(uow, "mine")
        assert many > 3
        assert mismatches.count(uow) == many
        (notice,) = [one for one in notices.mine(uow) if one.mismatches]
        assert notice.about == f"{many} 项待处理"
        notices.read(uow, notice.id)
    assert news(hospital, "archivist") == [], "nobody else is told"
    with hospital.uow("senior") as uow:
        levels.change(uow, uow.node(other), level=3, reason="涉密")
    noted(hospital, other, "senior", page=1)
    assert news(hospital, "scanner") == [(f"{many - 1} 项待处理", False)], "what they may not see is not told"
    noted(hospital, record)
    assert news(hospital, "scanner") == [(f"{many} 项待处理", True)]
    noted(hospital, record, "scanner", page=1)
    with hospital.uow("scanner") as uow:
        for row in mismatches.page(uow, "mine").rows:
            mismatches.close(uow, mismatches.find(uow, row.uuid)[0], reason="已核对")
    assert news(hospital, "scanner") == [], "what is done is over"


def test_half_a_scan_settles_nothing(hospital: Hospital, record: int) -> None:
    counted(hospital, record, 3)
    scan(hospital, record, "入院记录", "病程记录")
    reconciliation.sweep(hospital.site)
    staged = intake.stage(hospital.site, BytesIO(papers.pdf("出院记录")))
    with hospital.uow("scanner") as uow:
        intake.upload(uow, uow.node(record), staged, filename="more.pdf")
    reconciliation.sweep(hospital.site)
    assert open_kinds(hospital) == ["missing_page"]


def test_a_component_that_must_be_there_is_missed_only_where_the_record_is_parted(
    hospital: Hospital, record: int
) -> None:
    counted(hospital, record, 1)
    scan(hospital, part(hospital, record, "SY"), "住院病案首页")
    reconciliation.sweep(hospital.site)
    with hospital.uow("archivist", readonly=True) as uow:
        missing = {row.cause for row in rows(uow)}
        assert {row.kind for row in rows(uow)} == {"missing_component"}
        assert {"RY", "CY", "TW"} <= missing
        assert not missing & {"SY", "SSJL", "SXTY"}
        card = components.card(uow, uow.node(record))
        assert card.completeness is not None
        assert 0 < card.completeness < 1
        assert [line.label for line in card.lines if line.present] == ["住院病案首页"]
        assert card.total.pages == 1
        assert "输血治疗知情同意书" in card.maybe
    scan(hospital, part(hospital, record, "TW"), "体温单")
    with hospital.uow("archivist", readonly=True) as uow:
        assert "TW" not in {row.cause for row in rows(uow)}


def test_a_record_that_is_not_wholly_parted_lacks_nothing(hospital: Hospital, record: int) -> None:
    counted(hospital, record, 2)
    scan(hospital, part(hospital, record, "SY"), "住院病案首页")
    scan(hospital, record, "其余各页")
    reconciliation.sweep(hospital.site)
    assert open_kinds(hospital) == []
    with hospital.uow("archivist", readonly=True) as uow:
        assert components.card(uow, uow.node(record)).completeness is None


def refusal(hospital: Hospital, record: int) -> str | None:
    """Why the record is not archived, if it is not; as one of several at once, which is no way around it."""
    with hospital.uow("archivist") as uow:
        (outcome,) = record_steps.take_many(uow, [uow.node(record).uuid], "archive")
        with suppress(Conflict):
            record_steps.take(uow, uow.node(record), "archive")
        assert (uow.node(record).state == "archived") == (outcome.refusal is None)
        return outcome.refusal


@once
def test_a_record_is_not_archived_while_a_component_lacks_that_nobody_has_explained(
    hospital: Hospital, record: int
) -> None:
    counted(hospital, record, 1)
    with hospital.uow("archivist") as uow, uow.act("test.prepared", None):
        node = uow.node(record)
        node.data = node.data | {"operation_codes": "74.1x01"}
        assert lacking.components(uow, node) == [], "on paper alone nobody can tell"
    scan(hospital, part(hospital, record, "SY"), "住院病案首页")
    fulfil(hospital, record)
    with hospital.uow("archivist") as uow:
        for name in ("catalogue", "submit"):
            record_steps.take(uow, uow.node(record), name)
    assert (refusal(hospital, record) or "").startswith(
        "缺少：入院记录、病程记录、手术同意书、麻醉同意书、辅助检查报告单、体温单、医嘱单。"
    )
    with hospital.uow("archivist") as uow:
        node = uow.node(record)
        assert "CY" in lacking.components(uow, node), "missed, and yet it holds nothing up"
        with pytest.raises(Conflict):
            mismatches.explain(uow, node, component="SY", reason="在卷中")
        with pytest.raises(Invalid):
            mismatches.explain(uow, node, component="RY", reason=" ")
        mismatches.explain(uow, node, component="RY", reason="外院转入，原件在外院")
    reconciliation.sweep(hospital.site)
    with hospital.uow("archivist") as uow:
        assert "RY" not in {row.cause for row in rows(uow)}, "what is explained is not opened again"
        with pytest.raises(Conflict):
            mismatches.explain(uow, uow.node(record), component="TW", reason="已是待办")
    assert "入院记录" not in (refusal(hospital, record) or "")
    with hospital.uow("archivist") as uow:
        for row in rows(uow):
            if row.cause in {"BC", "SSTY", "MZTY", "FZ", "TW"}:
                mismatches.close(uow, mismatches.find(uow, row.uuid)[0], reason="原件受潮，已说明")
    assert (refusal(hospital, record) or "").startswith("缺少：医嘱单。")
    with hospital.site.session() as session:
        known = session.scalars(select(PolicyVersion).where(PolicyVersion.kind == "checklist")).one()
        session.add(PolicyVersion(kind="checklist", version=2, body=known.body | {"archive": {"blocks": [], "late": []}},
                                  source={"zh": "院发"}, adopted_at=known.valid_from, valid_from=known.valid_from))  # fmt: skip
    assert refusal(hospital, record) is None, "a hospital that names nothing waits for nothing"


def test_what_may_come_late_holds_nothing_up_and_what_holds_up_is_a_component() -> None:
    assert not problems("checklist", BODY)
    for wrong in ({"blocks": ["BL"], "late": ["BL"]}, {"blocks": ["XX"], "late": []}):
        (problem,) = problems("checklist", BODY | {"archive": wrong})
        assert problem.place == ("archive", "blocks")


def noted(hospital: Hospital, record: int, who: str = "archivist", **more: int) -> UUID:
    with hospital.uow(who) as uow:
        return mismatches.open_one(
            uow, uow.node(record), kind="wrong_patient", note="第一页是他人的化验单", **more
        ).uuid


def test_a_person_notes_what_the_program_cannot_see_once_a_page(hospital: Hospital, record: int) -> None:
    scan(hospital, record, "入院记录", "化验单")
    noted(hospital, record, page=2)
    with pytest.raises(Conflict):
        noted(hospital, record, page=2)
    with pytest.raises(Invalid):
        noted(hospital, record, page=3)
    noted(hospital, record, "scanner", page=1)
    reconciliation.sweep(hospital.site)
    assert open_kinds(hospital) == ["wrong_patient", "wrong_patient"], (
        "the program does not close what it did not open"
    )


def test_somebody_makes_it_their_task(hospital: Hospital, record: int) -> None:
    scan(hospital, record, "入院记录")
    uuid = noted(hospital, record)
    with hospital.uow("archivist") as uow:
        assert mismatches.count(uow, "mine") == 0, "it is the scanner's"
        mismatches.take(uow, mismatches.find(uow, uuid)[0])
    with hospital.uow("archivist", readonly=True) as uow:
        assert mismatches.count(uow, "mine") == 1
        assert mismatches.count(uow, "late") == 0
    hospital.clock.forward(days=30)
    with hospital.uow("archivist", readonly=True) as uow:
        assert mismatches.count(uow, "late") == 1


@begins
def differing(hospital: Hospital, record: int) -> UUID:
    """A mismatch that somebody noted, of a record that has others besides."""
    counted(hospital, record, 3)
    scan(hospital, record, "入院记录")
    reconciliation.sweep(hospital.site)
    return noted(hospital, record)


@pytest.mark.parametrize("who", ["clinician", "clerk", "desk", "auditor", "security", "sysadmin", "stranger"])
def test_whoever_does_not_work_on_a_record_knows_nothing_of_what_does_not_agree(
    hospital: Hospital, record: int, differing: UUID, who: str
) -> None:
    with hospital.uow(who, readonly=True) as uow:
        assert mismatches.count(uow) == 0
        assert mismatches.page(uow).rows == []
        with pytest.raises(NotFound):
            mismatches.find(uow, differing)
    with hospital.uow(who) as uow, pytest.raises((Forbidden, NotFound)):
        node = uow.session.get_one(Node, record, execution_options=TEST)
        mismatches.open_one(uow, node, kind="order", note="顺序不对")
    assert rate(hospital, who) == (0, 0)


def test_a_record_above_ones_clearance_leaves_no_trace_in_counts(hospital: Hospital, record: int) -> None:
    counted(hospital, record, 1)
    scan(hospital, record, "入院记录")
    noted(hospital, record)
    assert rate(hospital, "archivist") == (1, 1)
    with hospital.uow("senior") as uow:
        levels.change(uow, uow.node(record), level=3, reason="HIV")
    for who, known in (("archivist", 0), ("scanner", 0), ("senior", 1)):
        with hospital.uow(who, readonly=True) as uow:
            assert mismatches.count(uow) == known, who
    assert rate(hospital, "archivist") == (0, 0)
    assert rate(hospital, "senior") == (1, 1)


def test_the_rate_says_what_each_record_comes_to(hospital: Hospital, record: int) -> None:
    assert rate(hospital, "senior") == (0, 0)
    barcode = counted(hospital, record, None)
    assert parts(hospital) == {"paper": 1}
    scan(hospital, record, "入院记录")
    assert parts(hospital) == {"uncounted": 1}
    with hospital.uow("archivist") as uow:
        volumes.correct(uow, uow.holding(barcode)[0], barcode=barcode, sheets=2, condition=None)
    assert parts(hospital) == {"differs": 1}
    with hospital.uow("senior", readonly=True) as uow:
        assert [view.id for view in dual_match.records(uow, "differs").rows] == [record]
        assert dual_match.records(uow, "matched").rows == []
        with pytest.raises(NotFound):
            dual_match.records(uow, "no such part")


def parts(hospital: Hospital) -> dict[str, int]:
    with hospital.uow("senior", readonly=True) as uow:
        return dual_match.rate(uow).counts


def test_what_does_not_agree_in_a_draft_goes_with_it_when_the_trash_is_emptied(
    hospital: Hospital, record: int
) -> None:
    noted(hospital, record)
    with hospital.uow("archivist") as uow:
        trash.trash(uow, uow.node(record))
    with hospital.uow("archivist", readonly=True) as uow:
        assert mismatches.count(uow) == 0
    hospital.clock.forward(days=31)
    with hospital.site.uow(Actor.system(purge.KIND)) as uow:
        assert purge.purge(uow, record)
        assert rows(uow) == []


def test_the_worker_comes_round_to_it(hospital: Hospital, record: int) -> None:
    counted(hospital, record, 3)
    scan(hospital, record, "入院记录")
    names = {chore.name for chores in worker.rounds(_never()) for chore in chores}
    assert "reconcile" in names
    worker.count_both(_never(), hospital.site, "test")
    assert open_kinds(hospital) == ["missing_page"]


def _never() -> "worker.Event":
    return worker.Event()
