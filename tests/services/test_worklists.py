"""What waits for whom: each list holds what its worker may act on, until it is done."""

from datetime import date

import pytest

from archive.errors import Forbidden, NotFound
from archive.services import holdings, policies, records, steps, tree, worklists
from tests.conftest import RECORD, Hospital


def names(hospital: Hospital, account: str) -> dict[str, int]:
    with hospital.uow(account, readonly=True) as uow:
        return {kind.name: worklists.count(uow, kind) for kind in worklists.mine(uow)}


def waiting(hospital: Hospital, account: str) -> set[str]:
    return {name for name, count in names(hospital, account).items() if count}


def discharged(hospital: Hospital, day: str, mrn: str, **more: str) -> int:
    with hospital.uow("archivist") as uow:
        fields = RECORD | {"dept": str(hospital.wards["CK"]), "mrn": mrn, "discharged_on": day} | more
        return tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields).id


def test_a_discharged_record_waits_to_be_collected_then_to_be_scanned(
    hospital: Hospital, record: int
) -> None:
    assert waiting(hospital, "archivist") >= {"uncollected", "draft"}
    assert waiting(hospital, "scanner") == set()
    with hospital.uow("archivist") as uow:
        kind = worklists.find(uow, "uncollected")
        assert [one.refusal for one in worklists.act(uow, kind, [uow.node(record).uuid])] == [None]
    assert "uncollected" not in waiting(hospital, "archivist")
    assert names(hospital, "scanner") == {"to_scan": 1}
    with hospital.uow("archivist") as uow, uow.act("test.prepared", None):
        records.reach(uow, uow.node(record), "scan", "linked")
    assert waiting(hospital, "scanner") == set()


def test_filing_is_overdue_after_three_working_days_and_a_week_after_a_death(
    hospital: Hospital, clock: object
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        today = uow.today
        assert policies.in_force(uow, "gates").body["deadlines"]["hard_working_days"] == 3
    assert today == date(2026, 11, 20), "a Friday"
    late = discharged(hospital, "2026-11-16", "00300001")
    discharged(hospital, "2026-11-17", "00300002")
    discharged(hospital, "2026-11-13", "00300003", outcome="5")
    dead = discharged(hospital, "2026-11-12", "00300004", outcome="5")
    with hospital.uow("archivist", readonly=True) as uow:
        kind = worklists.find(uow, "late")
        found = worklists.page(uow, kind).rows
        assert [view.id for view in found] == [dead, late], "the longest waiting first"
        assert [worklists.deadline(uow, view) for view in found] == [date(2026, 11, 19), date(2026, 11, 19)]


def test_what_was_sent_back_is_listed_with_the_reason_until_it_is_submitted_again(
    hospital: Hospital, record: int
) -> None:
    with hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record), sheets=3)
        for name in ("catalogue", "submit"):
            steps.take(uow, uow.node(record), name)
    assert "returned" not in waiting(hospital, "archivist")
    assert "review" in waiting(hospital, "archivist")
    with hospital.uow("senior") as uow:
        steps.take(uow, uow.node(record), "send_back", reason="缺少手术记录")
    with hospital.uow("archivist") as uow:
        kind = worklists.find(uow, "returned")
        found = worklists.page(uow, kind).rows
        assert worklists.why_returned(uow, found) == {record: "缺少手术记录"}
        worklists.act(uow, kind, [uow.node(record).uuid])
    assert "returned" not in waiting(hospital, "archivist")


def test_nobody_else_has_these_lists(hospital: Hospital, record: int) -> None:
    for account in ("clinician", "auditor", "sysadmin", "security", "stranger", "clerk"):
        assert waiting(hospital, account) == set(), account
    with pytest.raises(Forbidden), hospital.uow("scanner", readonly=True) as uow:
        worklists.find(uow, "draft")
    with pytest.raises(NotFound), hospital.uow("archivist", readonly=True) as uow:
        worklists.find(uow, "invented")


def test_a_refused_row_does_not_hold_up_the_others(hospital: Hospital, record: int) -> None:
    other = discharged(hospital, "2026-11-16", "00300001")
    with hospital.uow("archivist") as uow:
        steps.take(uow, uow.node(record), "catalogue")
        refs = [uow.node(record).uuid, uow.node(other).uuid]
        outcomes = worklists.act(uow, worklists.find(uow, "draft"), refs)
    assert [one.refusal is None for one in outcomes] == [False, True]
    with hospital.uow("archivist", readonly=True) as uow:
        assert uow.node(other).state == "cataloguing"
