"""Who is to have a volume: in the order of approval, offered until a day, passed on, recalled, and never two at once."""

from datetime import date

import pytest
from sqlalchemy import select, text

from archive.errors import Conflict
from archive.models import Hold, HoldingStatus, User
from archive.services import (
    calendar,
    circulation,
    desk,
    holdings,
    holds,
    loans,
    notices,
    people,
    request_counts,
    reservations,
    slips,
    steps,
    unsealing,
    workdays,
)
from archive.services.desk import Memo
from tests.archives import begins, once
from tests.conftest import CAST, Clock, Hospital
from tests.services import lending
from tests.services.lending import BARCODE, approved, archive_it, ask, issue, state_of, step
from tests.services.sealing import OPENED, PACKAGE

STAFF_NO = {account: f"{number:04d}" for number, account in enumerate(CAST, start=1)}
pytestmark = [once, pytest.mark.usefixtures("in_english")]


class Undone(Exception):
    """What a story only tries is taken back."""


@begins
def lent(hospital: Hospital, record: int) -> list[str]:
    """The first volume of a record is out; a discussion and then a treatment wait for it."""
    archive_it(hospital, record, location=lending.shelf(hospital))
    first = approved(hospital, "clinician", record, purpose="treatment")
    issue(hospital, first)
    waiting = [
        approved(hospital, "head", record),
        approved(hospital, "clinician2", record, purpose="treatment"),
    ]
    return [first, *waiting, str(record)]


def place(hospital: Hospital, account: str, number: str) -> reservations.Place:
    with hospital.uow(account, readonly=True) as uow:
        found = reservations.place(uow, slips.one(uow, number))
    assert found is not None
    return found


def stands(hospital: Hospital, account: str, number: str) -> tuple[str, int]:
    """How a slip is called to somebody, and how many their workbench counts as ready."""
    with hospital.uow(account, readonly=True) as uow:
        slip = slips.slip(uow, slips.one(uow, number))
        return str(slip.state.title), request_counts.counts(uow).ready


def back(hospital: Hospital) -> desk.Done:
    with hospital.uow("clerk") as uow:
        return desk.hear(uow, BARCODE, Memo())


def scan(hospital: Hospital, account: str, *, at: str = "clerk", because: str = "") -> Memo:
    with hospital.uow(at) as uow:
        return desk.hear(uow, BARCODE, Memo("badge", borrower=STAFF_NO[account]), because=because).memo


def status(hospital: Hospital, record: str) -> str:
    with hospital.uow("senior", readonly=True) as uow:
        return holdings.volumes(uow, uow.node(int(record)))[0].status.name


def told(hospital: Hospital, account: str) -> list[str]:
    with hospital.uow(account, readonly=True) as uow:
        return [notice.text for notice in notices.mine(uow)]


def test_what_comes_back_is_kept_for_the_first_in_line_and_goes_to_nobody_else(
    hospital: Hospital, lent: list[str], clock: Clock
) -> None:
    _first, discussion, treatment, record = lent
    assert [
        place(hospital, who, number).position
        for who, number in (("clinician2", treatment), ("head", discussion))
    ] == [1, 2]
    assert place(hospital, "head", discussion).due_at is not None
    assert "approved: ready to collect" in " ".join(told(hospital, "clinician"))
    for account in ("clinician2", "head"):
        assert "you stand in line" in " ".join(told(hospital, account)), "nobody comes to the desk in vain"
    assert stands(hospital, "clinician2", treatment) == ("In line", 0)
    clock.forward(minutes=5)
    done = back(hospital)
    assert stands(hospital, "clinician2", treatment) == ("Ready to collect", 1)
    assert stands(hospital, "head", discussion) == ("In line", 0)
    assert (done.memo.act, status(hospital, record)) == ("returned", HoldingStatus.HELD)
    assert "it lies ready" in " ".join(told(hospital, "clinician2"))
    assert "it lies ready" not in " ".join(told(hospital, "head"))
    clock.forward(minutes=5)
    other = scan(hospital, "head")
    assert (other.act, "kept for somebody else until 2026-11-25" in other.words) == ("refused", True)
    assert scan(hospital, "head", at="senior").act == "turn"
    assert state_of(hospital, discussion) == "approved"
    assert scan(hospital, "clinician2").act == "issued"
    assert place(hospital, "head", discussion).position == 1


def test_whoever_may_pass_others_over_says_why_and_their_place_is_kept(
    hospital: Hospital, lent: list[str], clock: Clock
) -> None:
    _first, _discussion, treatment, _record = lent
    clock.forward(minutes=5)
    back(hospital)
    clock.forward(minutes=5)
    assert scan(hospital, "head", at="senior", because="急诊会诊").act == "issued"
    waits = place(hospital, "clinician2", treatment)
    assert (waits.position, waits.ready_until) == (1, None)


@pytest.mark.parametrize("worker", [True, False])
def test_what_is_not_collected_in_time_is_the_next_ones_whether_or_not_the_program_runs(
    hospital: Hospital, lent: list[str], clock: Clock, *, worker: bool
) -> None:
    _first, discussion, treatment, record = lent
    clock.forward(minutes=5)
    back(hospital)
    clock.forward(days=6)
    if worker:
        reservations.pass_on(hospital.site)
        assert state_of(hospital, treatment) == "expired"
        assert "not collected in time" in " ".join(told(hospital, "clinician2"))
        assert place(hospital, "head", discussion).ready_until is not None
        assert "it lies ready" in " ".join(told(hospital, "head"))
        assert status(hospital, record) == HoldingStatus.HELD
    late = scan(hospital, "clinician2")
    assert late.act == ("unasked" if worker else "refused"), "what has lapsed may be asked for anew"
    assert scan(hospital, "head").act == "issued"
    assert state_of(hospital, treatment) == "expired"


@pytest.mark.parametrize("state", ["lent", "expired"])
def test_whoever_is_let_off_for_coming_late_borrows_it_and_brings_it_back(
    hospital: Hospital, lent: list[str], clock: Clock, state: str
) -> None:
    """And whatever had become of the slip in between: what lies on the desk is back."""
    _first, _discussion, treatment, record = lent
    clock.forward(minutes=5)
    back(hospital)
    clock.forward(days=6)
    assert scan(hospital, "clinician2", at="senior", because="刚下手术").act == "issued"
    assert state_of(hospital, treatment) == "lent"
    assert "not collected in time" not in " ".join(told(hospital, "clinician2"))
    lending.stands(hospital, treatment, state)
    clock.forward(minutes=5)
    assert back(hospital).memo.act == "returned"
    assert status(hospital, record) == HoldingStatus.HELD
    assert "it lies ready" in " ".join(told(hospital, "head"))


def test_whoever_is_handed_another_volume_leaves_none_behind_that_is_kept_for_nobody(
    hospital: Hospital, lent: list[str], clock: Clock
) -> None:
    _first, discussion, treatment, record = lent
    step(hospital, "head", discussion, "cancel")
    clock.forward(minutes=5)
    back(hospital)
    with hospital.uow("senior") as uow:
        holdings.register(uow, uow.node(int(record)), barcode="B7000001", location=lending.SHELF)
    issue(hospital, treatment, "B7000001")
    assert status(hospital, record) == HoldingStatus.SHELVED


def test_a_promise_does_not_lapse_while_the_volume_is_not_to_be_had(
    hospital: Hospital, lent: list[str], clock: Clock
) -> None:
    _first, discussion, treatment, record = lent
    clock.forward(days=40)
    reservations.pass_on(hospital.site)
    assert [state_of(hospital, number) for number in (discussion, treatment)] == ["approved", "approved"]
    back(hospital)
    lending.cover(hospital, int(record))
    clock.forward(days=10)
    reservations.pass_on(hospital.site)
    assert [state_of(hospital, number) for number in (discussion, treatment)] == ["approved", "approved"]


def test_whoever_withdraws_makes_way_for_the_next(hospital: Hospital, lent: list[str], clock: Clock) -> None:
    _first, discussion, treatment, record = lent
    clock.forward(minutes=5)
    back(hospital)
    step(hospital, "clinician2", treatment, "cancel")
    assert place(hospital, "head", discussion).ready_until is not None
    assert "it lies ready" in " ".join(told(hospital, "head"))
    assert status(hospital, record) == HoldingStatus.HELD
    step(hospital, "head", discussion, "cancel")
    assert status(hospital, record) == HoldingStatus.SHELVED


def test_nobody_waits_behind_an_account_that_is_closed(
    hospital: Hospital, lent: list[str], clock: Clock
) -> None:
    _first, discussion, treatment, record = lent
    clock.forward(minutes=5)
    back(hospital)
    with hospital.uow("sysadmin") as uow:
        gone = uow.session.scalars(select(User).where(User.staff_no == STAFF_NO["clinician2"])).one()
        people.disable(uow, gone)
    assert place(hospital, "head", discussion).position == 1
    with hospital.uow("clerk", readonly=True) as uow:
        assert reservations.place(uow, slips.one(uow, treatment)) is None
    with (
        pytest.raises(Undone),
        hospital.uow("senior") as uow,
    ):  # nobody else waits, and another volume comes back
        slips.one(uow, discussion).state = "cancelled"
        node = uow.node(int(record))
        other = holdings.register(uow, node)
        other.status = HoldingStatus.LENT
        assert reservations.settle(uow, node, at_hand=other) is False
        assert holdings.volumes(uow, node)[0].status.name == HoldingStatus.SHELVED, (
            "it is kept for nobody any more"
        )
        raise Undone
    for _time in range(2):
        reservations.pass_on(hospital.site)
        assert place(hospital, "head", discussion).ready_until is not None, "what lay ready is the next one's"
    assert "it lies ready" in " ".join(told(hospital, "head"))
    assert scan(hospital, "clinician2").act == "refused"
    assert scan(hospital, "head").act == "issued"
    assert status(hospital, record) == HoldingStatus.LENT


def test_a_recall_shortens_and_nothing_lengthens_it_again(
    hospital: Hospital, lent: list[str], clock: Clock
) -> None:
    """Lent on Friday until Wednesday; asked back on Friday, it is due on Monday, though that becomes a holiday."""
    first, *_waiting = lent
    with pytest.raises(Conflict, match="Somebody else is waiting"), hospital.uow("clinician") as uow:
        loans.renew(uow, slips.one(uow, first))
    with hospital.uow("clerk") as uow:
        loans.recall(uow, slips.one(uow, first))
    with pytest.raises(Conflict, match="asked back already"), hospital.uow("clerk") as uow:
        loans.recall(uow, slips.one(uow, first))
    with hospital.uow("sysadmin") as uow:
        workdays.enter(uow, workdays.changes(uow, "2026-11-23 休 停电"), because="通知")
    with hospital.uow("clerk", readonly=True) as uow:
        (loan,) = circulation.out(uow)
        assert calendar.day_of(uow, loan.due_at) == date(2026, 11, 23)
    assert "bring it back sooner" in " ".join(told(hospital, "clinician"))


def test_a_second_volume_on_its_shelf_serves_whoever_waits_and_the_first_is_renewed(
    hospital: Hospital, lent: list[str]
) -> None:
    first, discussion, treatment, record = lent
    step(hospital, "head", discussion, "cancel")
    with hospital.uow("senior") as uow:
        holdings.register(uow, uow.node(int(record)), barcode="B7000001", location=lending.SHELF)
    with hospital.uow("clinician") as uow:
        loans.renew(uow, slips.one(uow, first))
    with pytest.raises(Conflict, match="Nobody waits"), hospital.uow("clerk") as uow:
        loans.recall(uow, slips.one(uow, first))
    issue(hospital, treatment, "B7000001")
    assert ask(hospital, "head", int(record), kind="paper")


@pytest.mark.parametrize("kept_by", ["seal", "correction"])
def test_the_queue_goes_on_when_what_kept_the_volume_in_the_house_is_over(
    hospital: Hospital, lent: list[str], clock: Clock, kept_by: str
) -> None:
    """And as long as it is not to be had, nobody is sent for it."""
    _first, _discussion, treatment, record = lent
    clock.forward(minutes=5)
    back(hospital)
    with hospital.uow("archivist") as uow:
        if kept_by == "seal":
            holds.apply(uow, uow.node(int(record)), **PACKAGE)
    with hospital.uow("senior") as uow:
        if kept_by == "correction":
            steps.take(uow, uow.node(int(record)), "correct", reason="更正")
    clock.forward(minutes=5)
    assert picks(hospital) == []
    clock.forward(days=6)
    reservations.pass_on(hospital.site)
    assert status(hospital, record) == HoldingStatus.SHELVED
    with hospital.uow("senior") as uow:
        if kept_by == "correction":
            steps.take(uow, uow.node(int(record)), "finish")
    if kept_by == "seal":
        with hospital.uow("senior") as uow:
            (seal,) = uow.session.scalars(select(Hold), execution_options={"scope": "test"})
            unsealing.release(uow, seal, **OPENED)
    else:
        reservations.pass_on(hospital.site)
    assert place(hospital, "clinician2", treatment).ready_until is not None
    assert picks(hospital) == [("B00218647-2", treatment)]


def picks(hospital: Hospital) -> list[tuple[str, str]]:
    with hospital.uow("clerk", readonly=True) as uow:
        return [(pick.barcode, pick.slip.number) for pick in circulation.pick_list(uow)]


def test_the_pick_list_names_the_one_whose_turn_it_is(
    hospital: Hospital, lent: list[str], clock: Clock
) -> None:
    _first, discussion, treatment, record = lent
    clock.forward(minutes=5)
    assert picks(hospital) == []
    back(hospital)
    assert picks(hospital) == [(BARCODE, treatment)]
    with hospital.uow("clerk", readonly=True) as uow:
        people = {
            who: uow.session.scalar(select(User.id).where(User.staff_no == STAFF_NO[who]))
            for who in ("head", "clinician2")
        }
        assert circulation.pick_list(uow, for_person=people["head"]) == []
        assert len(circulation.pick_list(uow, for_person=people["clinician2"])) == 1
    with hospital.uow("senior") as uow:
        holdings.register(uow, uow.node(int(record)), barcode="B7000001", location=lending.SHELF)
    reservations.pass_on(hospital.site)
    assert sorted(picks(hospital)) == [(BARCODE, treatment), ("B7000001", discussion)]
    clock.forward(days=6)
    assert picks(hospital) == []


def test_one_record_whose_queue_cannot_be_passed_on_does_not_hold_up_the_others(
    hospital: Hospital, lent: list[str], clock: Clock
) -> None:
    _first, discussion, treatment, _record = lent
    step(hospital, "head", discussion, "cancel")
    other = lending.another(hospital, mrn="00300001", location=lending.SHELF)
    number = approved(hospital, "head", other)
    clock.forward(minutes=5)
    back(hospital)
    clock.forward(days=6)
    with hospital.site.engine.begin() as connection:
        stuck = f"CREATE TRIGGER stuck BEFORE UPDATE ON request WHEN old.number = '{treatment}' "
        connection.execute(text(stuck + "BEGIN SELECT RAISE(ABORT, 'stuck'); END"))
    reservations.pass_on(hospital.site)
    assert [state_of(hospital, one) for one in (treatment, number)] == ["approved", "expired"]
