"""Old indexes from a list: each line is archived under the number that it has."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from archive.errors import Forbidden, Invalid, NotFound
from archive.models import Container, Counter, Holding, Node
from archive.services import holdings, imports, places, records, steps, tree
from archive.sight import NodeView
from tests.conftest import Hospital
from tests.services.importing import Desk, sample, table

MINE = {"scope": "test"}
HEADINGS = ("档号", "题名", "日期", "责任者")


@pytest.fixture
def desk(hospital: Hospital) -> Desk:
    return Desk(hospital, "archivist")


def nodes(hospital: Hospital, kind: str) -> dict[str, Node]:
    with hospital.site.session(readonly=True) as session:
        found = session.scalars(
            select(Node).where(Node.type == kind).order_by(Node.id), execution_options=MINE
        )
        return {node.archival_no or "": node for node in found}


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_sample_is_archived_is_known_the_second_time_and_goes_again(
    hospital: Hospital, desk: Desk, ending: str
) -> None:
    done = desk.run("index", sample(f"index.{ending}"), category="WS")
    assert (done.counts, done.problems) == ({"new": 6}, [])
    assert desk.check("index", sample(f"index.{ending}"), category="WS").counts == {"unchanged": 6}
    found = nodes(hospital, "document")
    first = found["H001-WS·2018·D30-00001"]
    assert (first.state, first.retention_rule, first.retain_until, first.year) == (
        "archived",
        "D30",
        date(2048, 1, 15),
        2018,
    )
    assert found["H001-WS·2018·Y-00002"].date_from == date(1996, 1, 1)
    assert "19960000" in found["H001-WS·2018·Y-00002"].data["note"]
    assert found["H001-WS·2018·Y-00001"].retain_until is None
    assert first.data["open_status"] == "unreviewed"
    desk.undo(done)
    assert nodes(hospital, "document") == {}


def test_a_number_given_later_comes_after_those_that_were_brought(hospital: Hospital, desk: Desk) -> None:
    brought = [(f"H001-WS·2026·D30-000{number}", "一", "2026-01-01", "院办") for number in (41, 40)]
    desk.run("index", table(HEADINGS, *brought), category="WS")
    fields = {"title": "三", "date_from": "2026-05-05", "responsible": "院办", "open_status": "open"}
    with hospital.uow("senior") as uow:
        node = tree.add(uow, hospital.category(uow, "WS"), kind="document", fields=fields)
        holdings.register(uow, node, sheets=2)
        for step in ("catalogue", "submit", "archive"):
            steps.take(uow, node, step)
        assert node.archival_no == "H001-WS·2026·D30-00042"


def test_a_counter_is_never_set_back(hospital: Hospital, desk: Desk) -> None:
    desk.run("index", table(HEADINGS, ("H001-WS·2018·D30-00041", "一", "2018", "院办")), category="WS")
    desk.run("index", table(HEADINGS, ("H001-WS·2018·D30-00007", "二", "2018", "院办")), category="WS")
    with hospital.site.session(readonly=True) as session:
        assert session.get_one(Counter, "no:H001-WS·2018·D30").value == 41


def test_errors_are_told_row_by_row_in_the_words_of_the_file(desk: Desk) -> None:
    content = table(
        (*HEADINGS, "保管期限", "库位", "密级"),
        ("2018-3", "甲", "2018", "院办", "", "", ""),
        ("A439-WS·2018·D30-00001", "甲", "2018", "院办", "", "", ""),
        ("H001-KU·2018·D30-00001", "甲", "2018", "院办", "", "", ""),
        ("H001-WS·2018·D30-00002", "甲", "2018", "院办", "永久", "", ""),
        ("H001-WS·2018·D25-00001", "甲", "2018", "院办", "", "", ""),
        ("H001-WS·2018·D30-00003", "", "2018", "", "", "", ""),
        ("H001-WS·2018·D30-00004", "甲", "往年", "院办", "", "", ""),
        ("H001-WS·2018·D30-00005", "甲", "2018", "院办", "", "R01", ""),
        ("H001-WS·2018·D30-00006", "甲", "2018", "院办", "", "", "绝密"),
    )
    seen = desk.check("index", content, category="WS")
    assert [(one.row, one.column) for one in seen.problems] == [
        (2, "档号"), (3, "档号"), (4, "档号"), (5, "保管期限"), (6, "保管期限"), (7, "题名"), (7, "责任者"),
        (8, "日期"), (9, "库位"), (10, "密级"),
    ]  # fmt: skip
    assert "H001-WS" in seen.problems[1].text


def test_a_number_is_never_given_twice(desk: Desk) -> None:
    desk.run("index", table(HEADINGS, ("H001-WS·2018·D30-00001", "甲", "2018", "院办")), category="WS")
    seen = desk.check(
        "index", table(HEADINGS, ("H001-WS.2018.D30-00001", "乙", "2018", "院办")), category="WS"
    )
    assert [(one.row, one.column) for one in seen.problems] == [(2, "档号")]


def test_both_syntaxes_stand_side_by_side_and_each_has_its_address(hospital: Hospital, desk: Desk) -> None:
    numbers = (
        "H001-WS·2012-Y-BGS-0001",
        "H001-WS·2012-Y-RSC-0001",
        "H001-WS·2012·Y·办公室-0001",
        "H001-WS·2012·Y-0001",
    )
    content = table(HEADINGS, *((number, f"题名{number}", "2012", "院办") for number in numbers))
    done = desk.run("index", content, category="WS")
    assert (done.counts, done.problems) == ({"new": 4}, [])
    with hospital.uow("archivist", readonly=True) as uow:
        for node in nodes(hospital, "document").values():
            address = NodeView(uow, uow.node(node.id)).href
            assert address.isascii()
            assert uow.node(address.removeprefix("/a/")).id == node.id


def test_box_and_place_make_a_volume_on_the_shelf(hospital: Hospital, desk: Desk) -> None:
    with hospital.uow("archivist") as uow:
        places.add(uow, code="R01-S02", title="一号架", kind="shelf")
    done = desk.run("index", table(
        (*HEADINGS, "盒号", "库位", "条码"), ("H001-WS·2018·D30-00001", "甲", "2018", "院办", "WS-1", "r01-s02", ""),
        ("H001-WS·2018·D30-00002", "乙", "2018", "院办", "WS-1", "R01-S02", "X-0002"),
    ), category="WS")  # fmt: skip
    assert done.counts == {"new": 2}
    with hospital.uow("archivist", readonly=True) as uow:
        holding, node = uow.holding("X-0002")
        assert (holding.status, node.title) == ("shelved", "乙")
        assert [volume.container for volume in holdings.volumes(uow, node)] == ["WS-1"]
        assert uow.session.scalars(select(Container.barcode)).all() == ["WS-1"]
        assert len(uow.session.scalars(select(Holding.id), execution_options=MINE).all()) == 2
    assert desk.undo(done).counts["removed_container"] == 1


OLD = ("档号", "病案号", "姓名", "次", "性别", "入院日期", "出院日期", "科室")


def old_record(number: str, times: int, left: str, **more: Any) -> tuple[object, ...]:
    return (number, "00218647", "刘婷婷", times, "女", left, left, "产科", *more.values())


def test_old_records_belong_to_their_patients_whose_last_discharge_decides(
    hospital: Hospital, desk: Desk
) -> None:
    done = desk.run(
        "index", table(OLD, old_record("H001-ZY·BL·1996·D30-000123", 1, "1996-05-05")), category="ZY·BL"
    )
    assert (done.counts, done.problems) == ({"new": 1}, [])
    first = nodes(hospital, "medical_record")["H001-ZY·BL·1996·D30-000123"]
    assert (first.title, first.state, first.retention_rule) == (
        "00218647-1 · 刘婷婷 · 1996-05-05",
        "archived",
        "inpatient",
    )
    assert first.retain_until == date(2026, 5, 5)
    desk.run("index", table(OLD, old_record("H001-ZY·BL·2019·D30-000009", 2, "2019-05-05")), category="ZY·BL")
    kept = nodes(hospital, "medical_record")
    assert {node.retain_until for node in kept.values()} == {date(2049, 5, 5)}
    assert kept["H001-ZY·BL·1996·D30-000123"].version == 1
    with hospital.uow("archivist", readonly=True) as uow:
        found = records.siblings(uow, uow.node(first.id))
        assert {node.archival_no for node in found} == set(kept)


def test_a_stay_has_one_record_and_papers_are_not_volumes(desk: Desk) -> None:
    seen = desk.check("index", table(
        OLD, old_record("H001-ZY·BL·1996·D30-000001", 1, "1996-05-05"),
        old_record("H001-ZY·BL·1996·D30-000002", 1, "1996-05-05"),
        old_record("H001-ZY·BL·1996·D30-000003-004", 2, "1996-06-05"),
    ), category="ZY·BL")  # fmt: skip
    assert seen.counts == {"new": 1, "wrong": 2}
    assert [(one.row, one.column) for one in seen.problems] == [(3, "次"), (4, "档号")]


def test_an_old_index_goes_into_the_category_that_was_chosen(desk: Desk) -> None:
    with pytest.raises(Invalid):
        desk.check("index", sample("index.csv"))


@pytest.mark.parametrize(
    "account",
    ["clinician", "head", "scanner", "clerk", "inspector", "auditor", "security", "sysadmin", "stranger"],
)
def test_whoever_does_not_catalogue_imports_no_index(hospital: Hospital, account: str) -> None:
    with pytest.raises((Forbidden, NotFound)):
        Desk(hospital, account).run("index", sample("index.csv"), category="WS")
    with hospital.uow(account, readonly=True) as uow:
        assert "index" not in {choice.name for choice in imports.choices(uow)}
