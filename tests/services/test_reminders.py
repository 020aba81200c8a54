"""催还 (domain.md §22.8): one notice a day, to whom it concerns, set-based, and no record in it."""

import pytest
from sqlalchemy import event

from archive.actor import Actor
from archive.errors import Conflict, Forbidden
from archive.models import Membership
from archive.services import loans, notices, reminders, requests, setup, slips, tree
from tests.archives import Clock, begins
from tests.conftest import Hospital
from tests.services.lending import BARCODE, another, approved, archive_it, issue

DUE, OVERDUE = "您借阅的病案即将到期", "您借阅的病案已逾期"
LATE, LONG = "本科室有人逾期未还", "有病案长期逾期未还"


@begins
def lent(hospital: Hospital, record: int) -> str:
    """What has become a restricted record is out with somebody of paediatrics until Wednesday; gives the slip."""
    with hospital.site.uow(Actor.system("test")) as uow:
        setup.enlist(uow, account="affairs", name="何志远", staff_no="0090", password=None, roles=("medical_affairs",),
                     clearance=1)  # fmt: skip
        head = setup.enlist(
            uow, account="head2", name="唐立", staff_no="0091", password=None, roles=("head",), clearance=1
        )
        uow.session.add(Membership(principal_id=head.id, group_id=hospital.wards["EK"]))
        uow.events.clear()
    archive_it(hospital, record)
    number = approved(hospital, "clinician2", record, days=3)
    issue(hospital, number)
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(record), level=2, reason="特殊病案")
    return number


def told(hospital: Hospital, account: str) -> list[tuple[str, str]]:
    """What somebody is told of loans, and what it is about."""
    with hospital.uow(account, readonly=True) as uow:
        found = [one for one in notices.mine(uow) if one.loans]
        assert notices.waiting(uow).notices == sum(one.unread for one in notices.mine(uow))
        return [(one.text, one.about) for one in found]


def leads_to(hospital: Hospital, account: str) -> set[str | None]:
    """The slips to which somebody's notices of loans lead; none: to a list."""
    with hospital.uow(account, readonly=True) as uow:
        found = [one.request for one in notices.mine(uow) if one.loans]
        return {ref and slips.one(uow, ref).number for ref in found}


def remind(hospital: Hospital) -> int:
    with hospital.site.uow(Actor.system("remind")) as uow:
        return reminders.remind(uow)


def test_the_borrower_the_head_and_then_medical_affairs_are_told_and_nothing_of_the_record(
    hospital: Hospital, lent: str, clock: Clock
) -> None:
    everybody = ("clinician2", "head2", "affairs")
    assert remind(hospital) == 0
    expected = {
        4: ([DUE], [], []), 5: ([DUE], [], []), 6: ([OVERDUE], [LATE], []), 9: ([OVERDUE], [LATE], []),
        12: ([OVERDUE], [LONG], [LONG]), 15: ([OVERDUE], [LONG], [LONG]),
    }  # fmt: skip
    for day in range(1, 16):
        clock.forward(days=1)
        assert remind(hospital) == (1 if day in expected else 0), day
        assert remind(hospital) == 0, "once a day"
        if day in expected:
            said = [told(hospital, account) for account in everybody]
            assert tuple([text for text, _about in one] for one in said) == expected[day], day
            assert {about for one in said for _text, about in one} == {lent}
            assert leads_to(hospital, "clinician2") == {lent}
    assert leads_to(hospital, "head2") == {None}, "whoever sees to others' loans has a list"
    for account in ("head", "archivist", "senior", "auditor", "stranger"):
        assert told(hospital, account) == [], account
    with hospital.uow("head2", readonly=True) as uow:
        (row,) = reminders.late(uow)
        assert (row.number, row.borrower, row.days, row.node) == (lent, "clinician2甲 0006", 10, None)
        assert reminders.count(uow) == 1
    for account, many in (("affairs", 1), ("head", 0)):
        with hospital.uow(account, readonly=True) as uow:
            assert len(reminders.late(uow)) == many
    with hospital.uow("clinician2", readonly=True) as uow, pytest.raises(Forbidden):
        reminders.late(uow)
    with hospital.uow("clerk") as uow:
        loans.take_back(uow, BARCODE)
    assert [told(hospital, account) for account in everybody] == [[], [], []], "over once it is back"


def test_a_newer_and_milder_reminder_hides_no_graver_one_and_the_long_overdue_are_counted_alone(
    hospital: Hospital, lent: str, clock: Clock
) -> None:
    """One is due on Wednesday, the other so much later that it is late when the first is overdue for long."""
    everybody = ("clinician2", "head2", "affairs")
    clock.forward(days=1)
    later = approved(hospital, "clinician2", another(hospital, mrn="00300009"), purpose="treatment", days=3)
    clock.forward(days=4)
    issue(hospital, later, "B00300009-1")
    for _day in range(2):
        remind(hospital)
        clock.forward(days=1)
    said = {}
    for _day in range(20):
        remind(hospital)
        found = [told(hospital, account) for account in everybody]
        said[tuple(tuple(one) for one in found)] = True
        assert [text for text, _about in found[0]] == [OVERDUE], "and not that something else is due"
        clock.forward(days=1)
    kinds = [tuple(text for ((text, _about),) in filter(None, one[1:])) for one in said]
    assert kinds.index((LONG, LONG)) > 0
    assert all(one == (LONG, LONG) for one in kinds[kinds.index((LONG, LONG)) :])
    counted = [[about for _text, about in one[2]] for one in said if one[2]]
    assert [about.replace(" ", "") for (about,) in counted] == [lent, "2卷"]


def test_whoever_has_something_overdue_opens_no_second_loan_but_for_treatment_and_dispute(
    hospital: Hospital, lent: str, clock: Clock
) -> None:
    second = another(hospital, mrn="00300001")
    clock.forward(days=6)
    asked = {"kind": "paper", "days": 1, "reason": "会诊", "declared": "none"}
    with hospital.uow("clinician2") as uow, pytest.raises(Conflict):
        requests.ask(uow, uow.node(second), purpose="discussion", **asked)
    for purpose, number in (("treatment", second), ("dispute", another(hospital, mrn="00300002"))):
        with hospital.uow("clinician2") as uow:
            assert requests.ask(uow, uow.node(number), purpose=purpose, **asked).number


def test_many_volumes_make_one_notice_and_no_more_statements_and_a_renewed_one_is_told_anew(
    hospital: Hospital, lent: str, clock: Clock
) -> None:
    further = []
    for n in range(4):
        number = approved(
            hospital, "clinician2", another(hospital, mrn=f"0030000{n}"), purpose="treatment", days=3
        )
        further.append(number)
        issue(hospital, number, f"B0030000{n}-1")
    clock.forward(days=4)
    statements: list[str] = []
    heard = ("before_cursor_execute", lambda *told: statements.append(told[2]))
    event.listen(hospital.site.engine, *heard)
    assert remind(hospital) == 5
    event.remove(hospital.site.engine, *heard)
    assert len([one for one in statements if not one.startswith(("PRAGMA", "BEGIN"))]) <= 16
    assert [about.replace(" ", "") for _text, about in told(hospital, "clinician2")] == ["5卷"]
    assert leads_to(hospital, "clinician2") == {None}
    with hospital.uow("clinician2") as uow:
        loans.renew(uow, slips.one(uow, further[0]))
    clock.forward(days=1)
    assert remind(hospital) == 4
    clock.forward(days=4)
    assert remind(hospital) == 5, "four are late, and the renewed one is due"
    assert [text for text, _about in told(hospital, "clinician2")] == [OVERDUE]
