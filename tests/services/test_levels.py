"""The sensitivity level: where it comes from, and raising or lowering it with a reason."""

import pytest
from sqlalchemy import select

from archive.errors import Forbidden, Invalid, NotFound
from archive.models import ClosedBranch
from archive.services import branches, history, levels, steps, tree
from archive.site import Site
from archive.worker import take_one
from tests.conftest import RECORD, Hospital


def raise_to(hospital: Hospital, number: int, level: int | None, reason: str = "家属要求保密") -> bool:
    with hospital.uow("senior") as uow:
        return levels.change(uow, uow.node(number), level=level, reason=reason)


def component(hospital: Hospital, record: int) -> int:
    with hospital.uow("senior") as uow:
        fields = {"title": "手术记录", "component": "SSJL", "date_from": "2026-11-10"}
        return tree.add(uow, uow.node(record), kind="component", fields=fields).id


def test_it_says_what_asks_for_the_level_and_who_decided(hospital: Hospital, record: int) -> None:
    raise_to(hospital, record, 2)
    item = component(hospital, record)
    with hospital.uow("senior", readonly=True) as uow:
        why = levels.why(uow, uow.node(record))
        assert (why.level, why.own, why.by_type, why.by_code, why.inherited, why.below) == (2, 2, 1, 0, 0, 1)
        assert [(one.before, one.after, one.reason, one.by) for one in why.decisions] == [
            (1, 2, "家属要求保密", "senior甲")
        ]
        below = levels.why(uow, uow.node(item))
        assert (below.level, below.own, below.inherited) == (2, 0, 2)
        assert [(source.level, source.view.id if source.view else None) for source in below.sources] == [
            (2, record)
        ]


def test_a_change_stands_in_the_history_with_its_reason(hospital: Hospital, record: int) -> None:
    raise_to(hospital, record, 3)
    with hospital.uow("senior", readonly=True) as uow:
        change = history.changes(uow, uow.node(record))[0]
        assert change.comment == "家属要求保密"
        assert [(d.label, d.before, d.after) for d in change.differences] == [
            ("敏感级别", "S1 普通", "S3 锁定")
        ]
        assert history.acts(uow, uow.node(record))[0].action == "node.reclassified"


def test_raised_it_is_closed_to_a_lower_clearance_at_once_and_open_when_lowered(
    hospital: Hospital, record: int
) -> None:
    raise_to(hospital, record, 3)
    with hospital.uow("archivist") as uow, pytest.raises(NotFound):
        uow.node(record)
    raise_to(hospital, record, 1, "期限已过")
    with hospital.uow("archivist", readonly=True) as uow:
        assert uow.node(record).level == 1


@pytest.mark.parametrize("level", [0, None, 4, -1, 1])
def test_a_level_below_its_kind_or_the_same_is_refused(hospital: Hospital, record: int, level: int) -> None:
    with pytest.raises(Invalid) as refused:
        raise_to(hospital, record, level)
    assert set(refused.value.fields) == {"level"}


def test_an_item_only_raises_what_its_file_says(hospital: Hospital, record: int) -> None:
    item = component(hospital, record)
    raise_to(hospital, record, 2)
    with pytest.raises(Invalid):
        raise_to(hospital, item, 1)
    raise_to(hospital, item, 3)
    raise_to(hospital, item, 2, "与案卷一致")
    raise_to(hospital, record, 1, "期限已过")
    with hospital.uow("senior", readonly=True) as uow:
        assert uow.node(item).level == 1, "what has no level of its own falls again with its file"


def test_a_reason_is_asked_for(hospital: Hospital, record: int) -> None:
    with pytest.raises(Invalid) as refused:
        raise_to(hospital, record, 2, "  ")
    assert set(refused.value.fields) == {"reason"}


@pytest.mark.parametrize(
    "account", ["archivist", "clinician", "head", "scanner", "clerk", "desk", "auditor", "security", "sysadmin", "stranger"]
)  # fmt: skip
def test_only_a_senior_archivist_decides(hospital: Hospital, record: int, account: str) -> None:
    with pytest.raises((Forbidden, NotFound)), hospital.uow(account) as uow:
        levels.change(uow, uow.node(record), level=2, reason="试")


def test_an_edit_does_not_undo_what_a_person_has_decided(hospital: Hospital) -> None:
    fields = RECORD | {"diagnosis_code": "B20.001", "dept": str(hospital.wards["CK"])}
    with hospital.uow("senior") as uow:
        record = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields).id
        assert uow.node(record).level == 2
    raise_to(hospital, record, 1, "编码有误，待更正")
    with hospital.uow("senior") as uow:
        node = uow.node(record)
        tree.edit(uow, node, fields=fields | {"diagnosis": "待查"}, version=node.version)
        assert node.level == 1
        tree.edit(uow, node, fields=fields | {"diagnosis_code": "A50.001"}, version=node.version)
        assert node.level == 2
        steps.take(uow, node, "catalogue")


def test_a_large_branch_is_closed_until_a_job_has_worked_it_out(
    site: Site, hospital: Hospital, record: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(branches, "INLINE", 1)
    item = component(hospital, record)
    assert not raise_to(hospital, record, 3)
    with hospital.uow("senior") as uow, pytest.raises(NotFound):
        uow.node(item)
    while take_one(site, "test"):
        pass
    with hospital.uow("senior", readonly=True) as uow:
        assert uow.node(item).level == 3
        assert uow.session.scalar(select(ClosedBranch.id)) is None
