"""Asking at the desk: what whoever stands there could have asked for themselves, and nothing else."""

from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid
from archive.journal import Event
from archive.models import AuditEvent, Request
from archive.policy.rights import Overlay
from archive.services import (
    approval_desk,
    clearance,
    desk,
    desk_answers,
    desk_buttons,
    desk_requests,
    holdings,
    notices,
    reminders,
)
from archive.services.desk import Memo
from archive.services.desk_requests import Offer
from tests.archives import begins, once
from tests.conftest import CAST, Clock, Hospital
from tests.services import lending
from tests.services.lending import (
    BARCODE,
    another,
    approved,
    archive_it,
    ask,
    cover,
    rules,
    shelf,
    state_of,
    step,
)
from tests.services.sealing import seal

STAFF_NO = {account: f"{number:04d}" for number, account in enumerate(CAST, start=1)}
NONE = {"declared": "none"}

pytestmark = pytest.mark.usefixtures("in_english")


@begins
def archived(hospital: Hospital, record: int) -> int:
    """An archived record of obstetrics on its shelf, whose patient left a while ago."""
    return archive_it(hospital, record, location=shelf(hospital))


@begins
def at_once(hospital: Hospital, archived: int) -> int:
    """The same, in a hospital that gives records for treatment to everybody at once."""
    rules(hospital, treatment={"approvers": []})
    return archived


def scan(
    hospital: Hospital, typed: str, before: Memo | None = None, *, sheets: str = "", at: str = "clerk"
) -> Memo:
    with hospital.uow(at) as uow:
        return desk.hear(uow, typed, before or Memo(), sheets=sheets).memo


def stands(hospital: Hospital, account: str, *, barcode: str = BARCODE) -> Memo:
    """Somebody shows a badge and lays a volume down."""
    return scan(hospital, barcode, scan(hospital, STAFF_NO[account]))


def answer(hospital: Hospital, memo: Memo, *, at: str = "clerk") -> desk_answers.Answer:
    with hospital.uow(at, readonly=True) as uow:
        found = desk_answers.counter(uow, memo).answer
        assert found is not None
        return found


def offer(hospital: Hospital, memo: Memo, *, at: str = "clerk") -> Offer:
    found = answer(hospital, memo, at=at).offer
    assert found is not None
    return found


def press(
    hospital: Hospital, before: Memo, purpose: str = "treatment", *, at: str = "clerk", **said: str
) -> Memo:
    with hospital.uow(at) as uow:
        return desk_buttons.asked(uow, before, NONE | {"purpose": purpose} | said).memo


def last(hospital: Hospital) -> Request:
    with hospital.site.session(readonly=True) as session:
        found = session.scalar(select(Request).order_by(Request.id.desc()).limit(1))
        assert found is not None
        return found


def test_what_a_rule_gives_at_once_goes_out_with_one_press(hospital: Hospital, at_once: int) -> None:
    before = stands(hospital, "clinician2")
    shown = offer(hospital, before)
    assert (before.act, [(one.words, one.rule.paper_days, one.name) for one in shown.at_once]) == (
        "unasked", [("treatment", 3, "")],
    )  # fmt: skip
    assert [one.name for one in offer(hospital, before, at="senior").at_once] == ["treatment"]
    assert {one.purpose for one in shown.others} == {"discussion", "quality", "research", "dispute"}
    out = press(hospital, before)
    assert (out.act, out.borrower, press(hospital, out)) == ("issued", STAFF_NO["clinician2"], out)
    said = answer(hospital, out)
    assert said.loan is not None
    assert (said.loan.borrower, said.loan.purpose, said.loan.days_left, said.can_undo) == (
        "clinician2甲", "treatment", 3, True,
    )  # fmt: skip
    asked = last(hospital)
    assert (asked.requester_id, asked.decided_by) == (hospital.people["clinician2"], None)
    with hospital.site.session(readonly=True) as session:
        act = select(AuditEvent.actor_id).where(AuditEvent.action == "request.asked_at_desk")
        assert session.scalars(act).all() == [hospital.people["clerk"]]
    with hospital.uow("clinician2", readonly=True) as uow:
        assert [told.text for told in notices.mine(uow)] == [
            "This was asked for in your name at the lending desk"
        ]


def test_what_others_decide_is_filed_in_the_name_of_whoever_stands_there(
    hospital: Hospital, archived: int
) -> None:
    before = stands(hospital, "clinician2")
    shown = offer(hospital, before)
    assert ([one.purpose for one in shown.at_once], answer(hospital, before).look) == ([], "wait")
    assert [one.decided_by for one in shown.others if one.purpose == "treatment"] == [
        "Whoever decides on the record"
    ]
    for wrong, said in (
        ("declared", ""),
        ("declared", "relative"),
        ("days", "40"),
        ("purpose", "outside"),
        ("purpose", "completion"),
    ):
        with pytest.raises(Invalid) as refused:
            press(hospital, before, **{wrong: said})
        assert list(refused.value.fields) == [wrong]
    waits = press(hospital, before, reason="会诊", days="2")
    assert (waits.act, "Whoever decides on the record" in waits.words) == ("asked", True)
    shown_slip = answer(hospital, waits).asked
    assert shown_slip is not None
    with hospital.uow("archivist", readonly=True) as uow:
        assert [
            (one.slip.number, one.slip.requester, one.slip.reason) for one in approval_desk.mine(uow)
        ] == [(shown_slip.number, "clinician2甲", "会诊")]
    again = stands(hospital, "clinician2")
    known = offer(hospital, again).asked
    assert known is not None
    assert known.number == shown_slip.number
    assert press(hospital, again).act == "refused", "one person has one open request for one thing"
    step(hospital, "archivist", known.number, "approve")
    assert stands(hospital, "clinician2").act == "issued"


@once
def test_a_conflict_that_is_declared_is_looked_at_first(hospital: Hospital, at_once: int) -> None:
    waits = press(hospital, stands(hospital, "clinician2"), declared="other", declared_words="邻居")
    assert (waits.act, "Something was declared" in waits.words, last(hospital).state) == (
        "asked",
        True,
        "requested",
    )


@once
def test_what_keeps_the_volume_does_not_keep_from_asking(hospital: Hospital, at_once: int) -> None:
    """Those who come first, and a count that the rules want; then the volume goes out as any other."""
    rules(hospital, dispute={"approvers": []}, treatment={"approvers": []})
    first = approved(hospital, "head", at_once)
    before = stands(hospital, "clinician2")
    assert offer(hospital, before).waiting == 1
    waits = press(hospital, before)
    assert (waits.act, "before this one in line" in waits.words, last(hospital).state) == (
        "asked",
        True,
        "approved",
    )
    lending.issue(hospital, first)
    scan(hospital, BARCODE)
    hospital.clock.forward(minutes=2)
    assert stands(hospital, "clinician2").act == "issued"
    scan(hospital, BARCODE)
    due = press(hospital, stands(hospital, "clinician"), "dispute")
    assert (due.act, last(hospital).state) == ("count", "approved")
    assert scan(hospital, BARCODE, due, sheets="64").act == "issued"


@once
def test_nothing_is_offered_that_they_could_not_ask_for_themselves(
    hospital: Hospital, at_once: int, clock: Clock
) -> None:
    for account in ("stranger", "auditor", "desk", "clerk"):
        before = stands(hospital, account)
        assert (before.act, answer(hospital, before).offer) == ("unasked", None)
        assert press(hospital, before).act == "refused"
    secret = another(hospital, mrn="00216166", level=3, location=lending.SHELF)
    above = stands(hospital, "clinician2", barcode="B00216166-1")
    assert answer(hospital, above).offer is None
    assert press(hospital, above).words == press(hospital, stands(hospital, "stranger")).words, (
        "nobody is told why"
    )
    assert secret
    slip = approved(hospital, "clinician2", another(hospital, mrn="00216167"))
    for brought in (scan(hospital, slip), scan(hospital, STAFF_NO["head"], scan(hospital, slip))):
        by_slip = scan(hospital, BARCODE, brought)
        assert (answer(hospital, by_slip).offer, press(hospital, by_slip)) == (None, by_slip), (
            "no badge was shown"
        )
    rules(hospital, treatment={"approvers": [], "while_overdue": False})
    lending.issue(hospital, slip, "B00216167-1")
    clock.forward(days=30)
    late = stands(hospital, "clinician2")
    assert [one.purpose for one in offer(hospital, late).others] == ["dispute"]
    with pytest.raises(Invalid):
        press(hospital, late)
    cover(hospital, at_once, Overlay.TRASHED)
    assert press(hospital, stands(hospital, "clinician")).act == "refused"


@once
def test_limits_and_seals_hold_at_the_desk(hospital: Hospital, at_once: int) -> None:
    ask(hospital, "clinician2", another(hospital, mrn="00216167"))
    lending.numbers(hospital, "limits", open_requests=1)
    full = stands(hospital, "clinician2")
    assert "as many open requests" in offer(hospital, full).why_not
    assert "as many open requests" in press(hospital, full).words
    seal(hospital, at_once)
    sealed = stands(hospital, "clinician")
    assert "sealed" in offer(hospital, sealed).why_not
    assert press(hospital, sealed).act == "refused"


def test_of_two_presses_at_two_desks_one_has_the_volume(hospital: Hospital, at_once: int) -> None:
    start, said = Barrier(2), []
    memos = [
        (stands(hospital, account), at)
        for account, at in (("clinician2", "clerk"), ("clinician", "archivist"))
    ]

    def one(before: Memo, at: str) -> None:
        actor = hospital.actor(at)
        start.wait()
        said.append(
            hospital.site.run(
                actor, lambda uow: desk_buttons.asked(uow, before, NONE | {"purpose": "treatment"})
            ).memo.act
        )

    threads = [Thread(target=one, args=memo) for memo in memos]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["issued", "refused"]


def test_a_volume_goes_back_to_its_own_ward_for_completion(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    """Months after the patient has left: for the days of the rule, with its reminders."""
    clock.forward(days=100)
    other = stands(hospital, "clinician2")
    assert "completion" not in {
        one.purpose for one in (*offer(hospital, other).at_once, *offer(hospital, other).others)
    }
    with pytest.raises(Invalid):
        press(hospital, other, "completion")
    before = scan(hospital, "00218647-2", scan(hospital, STAFF_NO["clinician"]))
    assert [one.purpose for one in offer(hospital, before).at_once] == ["completion"]
    out = press(hospital, before, "completion")
    loan = answer(hospital, out).loan
    assert loan is not None
    assert (out.act, out.barcode, loan.purpose, loan.days_left) == (
        "issued", BARCODE, "taken back by the ward for completion", 3,
    )  # fmt: skip
    clock.forward(days=8)
    with hospital.site.uow(Actor.system("test")) as uow:
        assert reminders.remind(uow) == 1
        uow.record(Event("test.reminded"))
    assert scan(hospital, BARCODE).act == "returned"


def test_what_is_not_archived_yet_goes_back_to_the_ward_as_well(hospital: Hospital, record: int) -> None:
    with hospital.uow("senior") as uow:
        holdings.register(uow, uow.node(record))
    assert answer(hospital, stands(hospital, "clinician2")).offer is None
    before = stands(hospital, "clinician")
    assert [one.purpose for one in offer(hospital, before).at_once] == ["completion"]
    assert press(hospital, before, "completion").act == "issued"
    assert scan(hospital, BARCODE).act == "returned"


@once
def test_whoever_leaves_waits_no_more_and_is_told(hospital: Hospital, at_once: int) -> None:
    """What a rule has given at once the desk withdraws; what somebody has decided, whoever could have decided it."""
    approved(hospital, "head", at_once)
    assert press(hospital, stands(hospital, "clinician2")).act == "asked"
    with hospital.uow("clerk") as uow:
        assert clearance.of(uow, STAFF_NO["clinician2"]).may_withdraw == 1
        assert clearance.withdraw(uow, STAFF_NO["clinician2"]) == 1
        assert clearance.of(uow, STAFF_NO["head"]).may_withdraw == 0
    with hospital.uow("clerk") as uow, pytest.raises(Conflict):
        clearance.withdraw(uow, STAFF_NO["head"])
    with hospital.uow("senior") as uow:
        assert clearance.withdraw(uow, STAFF_NO["head"]) == 1
    for account in ("clinician2", "head"):
        with hospital.uow(account, readonly=True) as uow:
            assert "What you had asked for was withdrawn at the lending desk" in [
                one.text for one in notices.mine(uow)
            ]


@once
def test_only_the_desk_writes_down_what_others_ask_for(hospital: Hospital, at_once: int) -> None:
    for account in ("clinician", "head", "desk", "sysadmin"):
        with hospital.uow(account) as uow, pytest.raises(Forbidden):
            desk_requests.ask(
                uow, barcode=BARCODE, staff_no=STAFF_NO["clinician2"], purpose="treatment", declared="none"
            )
    assert state_of(hospital, "JY2026-000001") == "None"
