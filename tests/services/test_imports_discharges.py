"""Discharges from a list: each stay becomes a draft record."""

from typing import Any

import pytest
from sqlalchemy import func, select

from archive import worker
from archive.errors import Conflict, Forbidden, NotFound
from archive.journal import CHANGES, words_of
from archive.models import (
    AuditEvent,
    Encounter,
    Holding,
    ImportRow,
    Job,
    Milestone,
    Node,
    NodeVersion,
    Outbox,
    Patient,
    Record,
    RoleAssignment,
)
from archive.services import holdings, imports, records, steps, volumes
from archive.services.imports import run
from archive.sight import NodeView
from archive.uow import UnitOfWork
from tests.conftest import Hospital
from tests.services.importing import Desk, discharges, sample

MINE = {"scope": "test"}


@pytest.fixture
def desk(hospital: Hospital) -> Desk:
    return Desk(hospital, "archivist")


def stays(hospital: Hospital) -> list[Node]:
    with hospital.site.session(readonly=True) as session:
        found = select(Node).where(Node.type == "medical_record").order_by(Node.id)
        return list(session.scalars(found, execution_options=MINE))


def counts(hospital: Hospital) -> dict[str, int]:
    """How many rows there are of everything that an import writes."""
    tables: tuple[Any, ...] = (
        Node,
        NodeVersion,
        Patient,
        Encounter,
        Record,
        Milestone,
        Holding,
        ImportRow,
        Outbox,
    )
    with hospital.site.session(readonly=True) as session:
        return {
            table.__tablename__: session.scalar(
                select(func.count()).select_from(table), execution_options=MINE
            )
            or 0
            for table in tables
        }


def steps_of(uow: UnitOfWork, number: int) -> set[tuple[str, str]]:
    reached = select(Milestone.track, Milestone.step).where(Milestone.node_id == number)
    return {(track, step) for track, step in uow.session.execute(reached, execution_options=MINE)}


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_sample_comes_in_is_known_the_second_time_and_goes_again(
    hospital: Hospital, desk: Desk, ending: str
) -> None:
    Desk(hospital, "sysadmin").run("departments", sample("departments.csv"))
    before = counts(hospital)
    done = desk.run("discharges", sample(f"discharges.{ending}"))
    assert (done.counts, done.problems) == ({"new": 9}, [])
    assert desk.check("discharges", sample(f"discharges.{ending}")).counts == {"unchanged": 9}
    titles = {node.title for node in stays(hospital)}
    assert "00300105-2 · 仝春苗 · 2026-11-19" in titles
    desk.undo(done)
    after = counts(hospital)
    assert {name: after[name] for name in after if name != "outbox"} == {
        n: before[n] for n in before if n != "outbox"
    }


def test_an_imported_record_is_as_one_that_was_typed(hospital: Hospital, desk: Desk, record: int) -> None:
    typed = stays(hospital)[0]
    desk.run("discharges", discharges({"次": "3"}))
    imported = stays(hospital)[1]
    alike = [
        "parent_id", "depth", "type", "workflow", "state", "date_from", "date_to", "year", "dept_id", "level_own",
        "level", "overlay", "policy_id", "scope_id", "access_class", "retention_rule", "created_by", "version",
        "inherits", "shared",
    ]  # fmt: skip
    assert {name: getattr(imported, name) for name in alike} == {name: getattr(typed, name) for name in alike}
    assert imported.data == typed.data | {"times": 3}
    with hospital.uow("archivist", readonly=True) as uow:
        seen = NodeView(uow, uow.node(imported.id))
        assert uow.node(seen.href.removeprefix("/a/")).id == imported.id
        assert steps_of(uow, imported.id) == steps_of(uow, record)
        patient = records.patient_of(uow, uow.node(imported.id))
        assert patient is not None
        assert patient.mrn == "00218647"


def test_a_dry_run_writes_nothing_and_foretells_the_real_run(
    hospital: Hospital, desk: Desk, record: int
) -> None:
    content = discharges(
        {}, {"次": "3"}, {"次": "3"}, {"次": "1", "科室": "妇科"}, {"主要诊断": "足月妊娠", "次": "2"}
    )
    before = counts(hospital)
    dry = desk.check("discharges", content)
    assert counts(hospital) == before
    real = desk.run("discharges", content)
    assert real.counts == dry.counts == {"unchanged": 1, "new": 1, "wrong": 3}
    assert real.problems == dry.problems


def test_errors_are_told_row_by_row_in_the_words_of_the_file(desk: Desk) -> None:
    seen = desk.check("discharges", discharges(
        {"出院日期": "2026-11-01"}, {"次": "3", "出院日期": "2027-01-05"}, {"次": "4", "性别": "?"},
        {"次": "5", "姓名": ""}, {"次": "6", "姓名": "别人"}, {"次": "7", "诊断编码": "流感"},
        {"次": "8", "离院方式": "走了"}, {"病案号": "12", "次": "9"}, {"次": "10", "出院日期": "十一月"},
        {"次": "11", "条码": "B1"}, {"次": "12", "条码": "B1!"}, more=("条码",),
    ))  # fmt: skip
    assert [(one.row, one.column) for one in seen.problems] == [
        (2, "出院日期"), (3, "出院日期"), (4, "性别"), (5, "姓名"), (6, "病案号"), (7, "诊断编码"), (8, "离院方式"),
        (9, "病案号"), (10, "出院日期"), (11, "条码"), (12, "条码"),
    ]  # fmt: skip
    assert "医嘱离院" in seen.problems[6].text
    assert "2026-11-21" in seen.problems[8].text


def test_a_stay_twice_in_the_file_is_told_with_the_first_row(desk: Desk) -> None:
    seen = desk.check("discharges", discharges({}, {"主要诊断": "别的"}))
    assert seen.counts == {"new": 1, "wrong": 1}
    assert "第 2 行" in seen.problems[0].text


def test_a_text_that_looks_like_a_formula_stays_a_text(hospital: Hospital, desk: Desk) -> None:
    desk.run("discharges", discharges({"主要诊断": '=HYPERLINK("http://x","甲")', "主治医师": "@周敏"}))
    assert stays(hospital)[0].data["diagnosis"] == '=HYPERLINK("http://x","甲")'
    assert stays(hospital)[0].data["attending"] == "@周敏"


def test_a_special_diagnosis_raises_the_level_and_hides_the_record(hospital: Hospital, desk: Desk) -> None:
    desk.run("discharges", discharges({"诊断编码": "B24.x00"}, {"次": "3"}))
    special, ordinary = stays(hospital)
    assert (special.level, ordinary.level) == (2, 1)
    with hospital.uow("scanner", readonly=True) as uow:
        assert uow.node(ordinary.id).id == ordinary.id
        with pytest.raises(NotFound):
            uow.node(special.id)


def test_a_stay_of_another_year_goes_into_the_series_of_that_year(hospital: Hospital, desk: Desk) -> None:
    desk.run("discharges", discharges({}, {"次": "1", "入院日期": "2019-12-28", "出院日期": "2020-01-03"}))
    with hospital.uow("archivist", readonly=True) as uow:
        hrefs = {NodeView(uow, uow.node(node.id)).href.rsplit("/", 1)[0] for node in stays(hospital)}
    assert hrefs == {"/a/h001/zy-bl/2026-d30", "/a/h001/zy-bl/2020-d30"}


def test_a_barcode_makes_a_volume_on_the_ward(hospital: Hospital, desk: Desk) -> None:
    desk.run("discharges", discharges({"条码": "b00218647-2", "页数": "46"}, more=("条码", "页数")))
    with hospital.uow("archivist", readonly=True) as uow:
        holding, node = uow.holding("B00218647-2")
        assert (holding.status, holding.sheets, node.id) == ("ward", 46, stays(hospital)[0].id)
        assert len(volumes.trail(uow, node)) == 1


def test_a_known_record_takes_what_is_new_and_leaves_what_the_file_does_not_say(
    hospital: Hospital, desk: Desk, record: int
) -> None:
    done = desk.run(
        "discharges",
        discharges({"主要诊断": "足月妊娠", "主治医师": "", "条码": "B00218647-2"}, more=("条码",)),
    )
    assert done.counts == {"changed": 1}
    changed = stays(hospital)[0]
    assert (changed.data["diagnosis"], changed.data["attending"]) == ("足月妊娠", "周敏")
    undone = desk.undo(done)
    assert undone.counts == {"restored_node": 1, "removed_holding": 1}
    assert stays(hospital)[0].data["diagnosis"] == "妊娠合并子宫瘢痕"


def test_a_record_in_review_is_left_as_it_is(hospital: Hospital, desk: Desk, record: int) -> None:
    with hospital.uow("archivist") as uow:
        node = uow.node(record)
        holdings.register(uow, node, sheets=46)
        steps.take(uow, node, "catalogue")
        steps.take(uow, node, "submit")
    seen = desk.run("discharges", discharges({"主要诊断": "足月妊娠"}))
    assert seen.counts == {"wrong": 1}
    assert stays(hospital)[0].data["diagnosis"] == "妊娠合并子宫瘢痕"
    assert desk.check("discharges", discharges({})).counts == {"unchanged": 1}


def test_what_somebody_has_touched_since_is_kept_and_told(hospital: Hospital, desk: Desk, clock: Any) -> None:
    done = desk.run(
        "discharges", discharges({}, {"次": "3"}, {"次": "4"}, {"病案号": "00999001", "姓名": "甲甲"})
    )
    edited, lent, _free, _other = (node.id for node in stays(hospital))
    clock.forward(minutes=1)
    with hospital.uow("archivist") as uow:
        steps.take(uow, uow.node(edited), "catalogue")
        holdings.register(uow, uow.node(lent), sheets=4)
    undone = desk.undo(done)
    assert {one.row for one in undone.problems} == {2, 3}
    assert undone.counts["removed_node"] == 2
    assert undone.counts["removed_patient"] == 1
    assert {node.id for node in stays(hospital)} == {edited, lent}


def test_an_import_is_one_event_with_its_counts(hospital: Hospital, desk: Desk) -> None:
    desk.run("discharges", discharges({}, {"次": "3"}, {"次": "4", "科室": "妇科"}))
    with hospital.site.session(readonly=True) as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "import.run")).all()
        assert [(event.actor, event.object_kind, event.result) for event in events] == [
            ("archivist", "job", "ok")
        ]
        words = words_of(session, CHANGES, events[0].id, hospital.site.keys)
        assert (words["new"], words["wrong"], words["rows"], words["file"]) == (2, 1, [2, 4], "list.csv")
        assert session.scalar(select(func.count()).where(AuditEvent.action == "node.added")) == 0


def test_an_import_that_was_stopped_goes_on_where_it_was(
    hospital: Hospital, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH", 2)
    content = discharges(*({"次": str(number)} for number in range(1, 6)), {"次": "1"})
    with hospital.uow("archivist") as uow:
        uuid = imports.order(uow, desk.plan("discharges", content), dry=False).uuid
        job_id = uow.session.scalar(select(Job.id).where(Job.uuid == uuid))
    whole, done = run.run, []

    def killed(*given: Any) -> Any:
        progress = given[-1]

        def fail_after_two(rows: int, total: int | None, uow: Any) -> None:
            progress(rows, total, uow)
            if rows == 4 and not done:
                done.append(rows)
                raise ConnectionError

        return whole(*given[:-1], fail_after_two)

    monkeypatch.setattr(run, "run", killed)
    assert worker.take_one(hospital.site, "first")
    assert len(stays(hospital)) == 2
    hospital.clock.forward(minutes=5)
    assert worker.take_one(hospital.site, "second")
    with hospital.uow("archivist", readonly=True) as uow:
        seen = imports.one(uow, uuid)
    assert seen.counts == {"new": 5, "wrong": 1}
    assert len(stays(hospital)) == 5
    with hospital.site.session(readonly=True) as session:
        made = select(func.count()).where(ImportRow.job_id == job_id, ImportRow.kind == "encounter")
        assert session.scalar(made) == 5


def test_a_file_without_a_needed_column_is_not_begun(desk: Desk) -> None:
    content = "\n".join(
        line.rsplit(",", 5)[0] for line in discharges({}).decode("gb18030").splitlines()
    ).encode()
    with pytest.raises(Conflict, match="科室"):
        desk.check("discharges", content)


def test_the_file_is_thrown_away_when_it_has_been_brought_in(hospital: Hospital, desk: Desk) -> None:
    desk.run("discharges", discharges({}))
    assert list((hospital.site.settings.var / "imports").iterdir()) == []


def test_nobody_sees_or_runs_the_file_of_another(hospital: Hospital, desk: Desk) -> None:
    plan = desk.plan("discharges", discharges({}))
    with hospital.uow("senior") as uow, pytest.raises(NotFound):
        imports.order(uow, plan, dry=True)
    done = desk.order(plan, dry=False)
    with hospital.uow("senior", readonly=True) as uow, pytest.raises(NotFound):
        imports.one(uow, done.job.uuid)


def test_a_right_that_was_taken_away_meanwhile_is_missing_when_the_work_begins(
    hospital: Hospital, desk: Desk
) -> None:
    plan = desk.plan("discharges", discharges({}))
    with hospital.uow("archivist") as uow:
        uuid = imports.order(uow, plan, dry=False).uuid
    with hospital.site.session() as session:
        role = session.scalar(
            select(RoleAssignment).where(RoleAssignment.principal_id == hospital.people["archivist"])
        )
        session.delete(role)
    worker.take_one(hospital.site, "test")
    with hospital.uow("archivist", readonly=True) as uow:
        assert imports.one(uow, uuid).job.state.kind == "bad"
    assert stays(hospital) == []


ELSEWHERE = [
    "clinician",
    "head",
    "scanner",
    "clerk",
    "inspector",
    "auditor",
    "security",
    "sysadmin",
    "stranger",
]


@pytest.mark.parametrize("account", ELSEWHERE)
def test_whoever_does_not_catalogue_records_imports_no_discharges(hospital: Hospital, account: str) -> None:
    with pytest.raises((Forbidden, NotFound)):
        Desk(hospital, account).run("discharges", discharges({}))
    with hospital.uow(account, readonly=True) as uow:
        assert "discharges" not in {choice.name for choice in imports.choices(uow)}


def test_more_rows_than_one_transaction_takes_come_in_whole(hospital: Hospital, desk: Desk) -> None:
    many = run.BATCH + 7
    content = discharges(
        *({"病案号": f"{700000 + number:08d}", "姓名": f"甲{number}", "次": "1"} for number in range(many))
    )
    done = desk.run("discharges", content)
    assert done.counts == {"new": many}
    with hospital.site.session(readonly=True) as session:
        assert session.scalar(select(func.count()).where(AuditEvent.action == "import.run")) == 2
    assert desk.undo(done).counts["removed_node"] == many + 1
    assert stays(hospital) == []
