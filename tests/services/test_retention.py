"""保管期限: chosen in the description, part of the series and the number, changed afterwards with a reason."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from archive.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from archive.models import Node
from archive.services import history, holdings, retention, steps, tree
from archive.services.retention import beginning
from archive.sight import NodeView, href
from tests.conftest import CAST, Hospital

NOTICE = {
    "title": "关于病历借阅的通知", "date_from": "2026-03-05", "responsible": "医务科", "open_status": "open",
}  # fmt: skip


def add(hospital: Hospital, *, below: str = "WS", kind: str = "document", **more: Any) -> int:
    with hospital.uow("senior") as uow:
        return tree.add(uow, hospital.category(uow, below), kind=kind, fields=NOTICE | more).id


def archive_it(hospital: Hospital, number: int) -> str:
    with hospital.uow("senior") as uow:
        node = uow.node(number)
        steps.take(uow, node, "catalogue")
        holdings.register(uow, node, sheets=2)
        steps.take(uow, node, "submit")
        steps.take(uow, node, "archive")
        return node.archival_no or ""


def series_of(hospital: Hospital, number: int) -> str:
    with hospital.uow("senior", readonly=True) as uow:
        return href(uow, uow.node(number)).split("/")[-2]


def test_a_document_is_kept_as_long_as_its_type_says_until_somebody_says_otherwise(
    hospital: Hospital,
) -> None:
    assert series_of(hospital, add(hospital)) == "2026-d30"
    assert series_of(hospital, add(hospital, retention="Y")) == "2026-y"
    assert series_of(hospital, add(hospital, below="ZP", kind="photo")) == "2026-y"


def test_the_period_chosen_stands_in_the_number_and_on_the_page(hospital: Hospital) -> None:
    number = add(hospital, retention="D10")
    assert archive_it(hospital, number) == "H001-WS·2026·D10-00001"
    with hospital.uow("senior", readonly=True) as uow:
        node = uow.node(number)
        assert node.retain_until == date(2036, 3, 5)
        shown = {one.field.name: one.text for one in NodeView(uow, node).fields}
        assert shown["retention"] == "10年"


@pytest.mark.parametrize("said", ["", "inpatient", "D99"])
def test_a_period_that_cannot_be_chosen_is_refused(hospital: Hospital, said: str) -> None:
    with pytest.raises(Invalid) as found:
        add(hospital, retention=said)
    assert list(found.value.fields) == ["retention"]


def test_a_draft_follows_its_period_and_its_year_into_their_series(hospital: Hospital) -> None:
    number = add(hospital)
    for said, expected in (
        ({"retention": "Y"}, "2026-y"), ({"date_from": "2025-12-30"}, "2025-y"), ({"title": "通知"}, "2025-y"),
    ):  # fmt: skip
        with hospital.uow("senior") as uow:
            node = uow.node(number)
            now = {**NOTICE, "date_from": str(node.date_from)}
            tree.edit(uow, node, fields=now | said, version=node.version)
        assert series_of(hospital, number) == expected
    with hospital.uow("senior", readonly=True) as uow:
        changed = [one for change in history.changes(uow, uow.node(number)) for one in change.differences]
        assert ("保管期限", "30年", "永久") in [(one.label, one.before, one.after) for one in changed]


def test_a_node_added_in_a_series_goes_where_its_period_belongs(hospital: Hospital) -> None:
    first = add(hospital)
    with hospital.uow("senior") as uow:
        series = uow.session.get_one(Node, uow.node(first).parent_id, execution_options={"scope": "test"})
        kind = tree.TYPES["document"]
        assert beginning(uow, series, kind, {})["retention"] == "D30"
        other = tree.add(uow, series, kind="document", fields=NOTICE | {"retention": "Y"})
        within = uow.session.get_one(Node, other.parent_id, execution_options={"scope": "test"})
        assert beginning(uow, within, kind, {})["retention"] == "Y"
        made = other.id
    assert series_of(hospital, made) == "2026-y"


def test_a_number_that_was_given_stays_when_the_period_changes(hospital: Hospital) -> None:
    number = add(hospital)
    given, series = archive_it(hospital, number), series_of(hospital, number)
    with hospital.uow("senior") as uow:
        node = uow.node(number)
        retention.change(uow, node, rule="Y", reason="鉴定小组决定延长", version=node.version)
    with hospital.uow("senior", readonly=True) as uow:
        node = uow.node(number)
        assert (node.archival_no, node.retention_rule, node.retain_until) == (given, "Y", None)
        assert history.changes(uow, node)[0].comment == "鉴定小组决定延长"
    assert series_of(hospital, number) == series
    assert archive_it(hospital, add(hospital)).endswith("D30-00002")


def test_correcting_a_description_does_not_change_the_period_by_the_way(hospital: Hospital) -> None:
    number = add(hospital)
    archive_it(hospital, number)
    with hospital.uow("senior") as uow:
        steps.take(uow, uow.node(number), "correct", reason="题名有误")
    with pytest.raises(Invalid) as found, hospital.uow("senior") as uow:
        node = uow.node(number)
        tree.edit(uow, node, fields=NOTICE | {"retention": "Y"}, version=node.version)
    assert list(found.value.fields) == ["retention"]
    with hospital.uow("senior") as uow:
        node = uow.node(number)
        tree.edit(
            uow, node, fields=NOTICE | {"title": "题名更正", "date_from": "2025-03-05"}, version=node.version
        )
        assert (node.retention_rule, node.archival_no) == ("D30", "H001-WS·2026·D30-00001")


@pytest.mark.parametrize(
    ("rule", "reason", "field"),
    [("Y", " ", "reason"), ("D30", "同前", "retention"), ("D9", "不", "retention")],
)
def test_a_reason_and_another_period_are_asked_for(
    hospital: Hospital, rule: str, reason: str, field: str
) -> None:
    number = add(hospital)
    archive_it(hospital, number)
    with pytest.raises(Invalid) as found, hospital.uow("senior") as uow:
        retention.change(uow, uow.node(number), rule=rule, reason=reason)
    assert list(found.value.fields) == [field]


def test_a_draft_and_a_medical_record_have_no_such_form(hospital: Hospital, record: int) -> None:
    for number in (add(hospital), record):
        with pytest.raises(Conflict), hospital.uow("senior") as uow:
            retention.change(uow, uow.node(number), rule="Y", reason="试")


def test_nobody_overwrites_what_they_have_not_seen(hospital: Hospital) -> None:
    number = add(hospital)
    archive_it(hospital, number)
    with pytest.raises(Stale), hospital.uow("senior") as uow:
        retention.change(uow, uow.node(number), rule="Y", reason="试", version=1)


def test_only_whoever_classifies_changes_it(hospital: Hospital) -> None:
    number = add(hospital)
    archive_it(hospital, number)
    for account in set(CAST) - {"senior"}:
        with pytest.raises((Forbidden, NotFound)), hospital.uow(account) as uow:
            node = uow.session.scalar(
                select(Node).where(Node.id == number), execution_options={"scope": "test"}
            )
            retention.change(uow, node, rule="Y", reason="试")
