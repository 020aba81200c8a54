"""Volumes over the desk: out, back, undone, renewed, overdue; one volume is in one hand."""

import copy
from datetime import date
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import update

from archive.actor import Actor
from archive.errors import ArchiveError, Conflict, Forbidden, Invalid, NotFound
from archive.journal import Event
from archive.models import HoldingStatus, Request
from archive.policy.permissions import P
from archive.services import (
    adoption,
    calendar,
    circulation,
    handing_on,
    holdings,
    holds,
    in_hand,
    incidents,
    loans,
    notices,
    policies,
    rebuilding,
    request_counts,
    requests,
    slips,
    steps,
    volumes,
)
from archive.services.incidents import Noticed
from archive.services.scanning import batches
from archive.services.scanning import steps as batch_steps
from archive.services.scanning import volumes as scanned
from archive.services.sheet_counts import Seen
from archive.uow import UnitOfWork
from tests.archives import begins, once
from tests.conftest import CAST, Clock, Hospital
from tests.services import lending
from tests.services.lending import BARCODE, SHELF, another, approved, archive_it, ask, issue, state_of, step
from tests.services.sealing import PACKAGE, seal

TEST = {"scope": "test"}


pytestmark = pytest.mark.usefixtures("in_english")


@begins
def archived(hospital: Hospital, record: int) -> int:
    """An archived record of obstetrics on its shelf."""
    return archive_it(hospital, record, location=lending.shelf(hospital))


def test_a_volume_goes_out_for_three_working_days(hospital: Hospital, archived: int) -> None:
    """Handed out on Friday 20 November: due on Wednesday the 25th."""
    number = approved(hospital, "clinician", archived)
    issue(hospital, number)
    with hospital.uow("clerk", readonly=True) as uow:
        (loan,) = circulation.out(uow)
        assert calendar.day_of(uow, loan.due_at) == date(2026, 11, 25)
        assert (loan.borrower, loan.days_left, loan.is_overdue, loan.number) == (
            "clinician甲",
            3,
            False,
            number,
        )
        assert circulation.overdue(uow) == []
    with hospital.uow("senior", readonly=True) as uow:
        (volume,) = holdings.volumes(uow, uow.node(archived))
        assert (volume.status.name, volume.holder, volume.place) == ("lent", "clinician甲", SHELF)
    assert state_of(hospital, number) == "lent"


def test_what_comes_back_goes_to_its_place(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    issue(hospital, number)
    with hospital.uow("clerk") as uow:
        loans.take_back(uow, f" {BARCODE.lower()} ")
    assert state_of(hospital, number) == "returned"
    with hospital.uow("senior", readonly=True) as uow:
        (volume,) = holdings.volumes(uow, uow.node(archived))
        assert (volume.status.name, volume.holder, volume.place) == ("shelved", None, SHELF)
        way = volumes.trail(uow, uow.node(archived))
        assert [(trace.after.name, trace.to, trace.because) for trace in way[:2]] == [
            ("shelved", None, number), ("lent", "clinician甲", number),
        ]  # fmt: skip
        assert circulation.open_loan(uow, uow.node(archived)) is None


@pytest.mark.parametrize("account", sorted(CAST))
def test_only_the_desk_hands_out_and_takes_back(hospital: Hospital, archived: int, account: str) -> None:
    number = approved(hospital, "clinician", archived)
    handles = account in {"clerk", "archivist", "senior"}
    try:
        issue(hospital, number, at=account)
        with hospital.uow(account) as uow:
            loans.take_back(uow, BARCODE)
    except (Forbidden, NotFound):
        assert not handles
    else:
        assert handles


def test_the_wrong_volume_is_refused_in_words(hospital: Hospital, archived: int) -> None:
    another(hospital, mrn="00216166")
    with pytest.raises(Conflict, match="not the volume"):
        issue(hospital, approved(hospital, "clinician", archived), "B00216166-1")


def test_nothing_goes_out_that_is_not_approved(hospital: Hospital, archived: int) -> None:
    with pytest.raises((Conflict, NotFound)):
        issue(hospital, ask(hospital, "clinician", archived, kind="paper"), at="archivist")
    with pytest.raises((Conflict, NotFound)):
        issue(hospital, approved(hospital, "clinician2", archived, kind="eread"), at="archivist")


def test_a_button_hands_nothing_out(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    for name in ("issue", "return"):
        with pytest.raises(Conflict, match="desk"):
            step(hospital, "clerk", number, name)


def test_a_volume_that_is_out_is_not_handed_out_again(hospital: Hospital, archived: int) -> None:
    first, second = approved(hospital, "clinician", archived), approved(hospital, "clinician2", archived)
    issue(hospital, first)
    with pytest.raises(Conflict, match="out already"):
        issue(hospital, second)


def test_two_desks_hand_out_one_volume_at_once_and_one_succeeds(hospital: Hospital, archived: int) -> None:
    numbers = [approved(hospital, "clinician", archived)] * 3
    start, said = Barrier(len(numbers)), []

    def hand_out(number: str) -> None:
        actor = hospital.actor("clerk")
        start.wait()
        try:
            hospital.site.run(actor, lambda uow: loans.issue(uow, slips.one(uow, number), barcode=BARCODE))
            said.append("out")
        except ArchiveError as refusal:
            said.append(type(refusal).__name__)

    threads = [Thread(target=hand_out, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["Conflict", "Conflict", "out"]
    with hospital.uow("clerk", readonly=True) as uow:
        assert len(circulation.out(uow)) == 1
    assert state_of(hospital, numbers[0]) == "lent"


def test_two_decide_one_request_at_once_and_one_succeeds(hospital: Hospital, archived: int) -> None:
    number, said = ask(hospital, "clinician", archived, kind="paper"), []
    start = Barrier(2)

    def decide(account: str, name: str) -> None:
        actor = hospital.actor(account)
        start.wait()
        try:
            hospital.site.run(actor, lambda uow: _advance(uow, number, name))
            said.append(name)
        except Conflict:  # by the state that is read, or as Stale by the version
            said.append("late")

    threads = [Thread(target=decide, args=pair) for pair in (("senior", "approve"), ("archivist", "refuse"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count("late") == 1
    assert state_of(hospital, number) in {"approved", "refused"}


def _advance(uow: UnitOfWork, number: str, name: str) -> None:
    requests.advance(uow, slips.one(uow, number), name, reason="重复申请")


def test_a_sealed_volume_stays_though_it_was_approved_and_one_that_comes_later_is_lent(
    hospital: Hospital, archived: int
) -> None:
    number = approved(hospital, "clinician", archived)
    seal(hospital, archived)
    with pytest.raises(Conflict, match="sealed"):
        issue(hospital, number)
    with hospital.uow("clerk", readonly=True) as uow:
        assert circulation.pick_list(uow) == []
        assert request_counts.counts(uow).to_pick == 0
    with hospital.uow("archivist") as uow:
        later = holdings.register(uow, uow.node(archived), sheets=3).barcode
    with hospital.uow("clerk", readonly=True) as uow:
        assert [pick.barcode for pick in circulation.pick_list(uow)] == [later]
    issue(hospital, number, later)
    with pytest.raises(Conflict, match="lent"):
        seal(hospital, archived)


def test_a_record_that_is_trashed_while_it_is_out_can_come_back(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    issue(hospital, number)
    lending.cover(hospital, archived)
    with hospital.uow("clinician") as uow, pytest.raises(Conflict, match="trash"):
        loans.renew(uow, slips.one(uow, number))
    with hospital.uow("clerk") as uow:
        loans.take_back(uow, BARCODE)
    assert state_of(hospital, number) == "returned"


def test_missing_sheets_must_be_confirmed_and_are_kept(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    with pytest.raises(Conflict, match="1 sheet more than 64"), hospital.uow("clerk") as uow:
        loans.issue(uow, slips.one(uow, number), barcode=BARCODE, seen=Seen(65))
    with hospital.uow("clerk") as uow:
        loans.issue(uow, slips.one(uow, number), barcode=BARCODE, seen=Seen(64))
    with pytest.raises(Conflict, match="2 sheets of 64"), hospital.uow("clerk") as uow:
        loans.take_back(uow, BARCODE, seen=Seen(62))
    with hospital.uow("clerk") as uow:
        line = loans.take_back(uow, BARCODE, seen=Seen(62, confirmed=True))
        assert (line.sheets_out, line.sheets_in) == (64, 62)
    with hospital.uow("clerk", readonly=True) as uow:
        today = circulation.today(uow)
        assert (today.out, today.back) == (1, 1)
        assert [(passage.is_out, passage.missing) for passage in today.passages] == [(False, 2), (True, 0)]


def test_a_record_of_two_volumes_is_back_when_both_are(hospital: Hospital, archived: int) -> None:
    with hospital.uow("archivist") as uow:
        second = holdings.register(uow, uow.node(archived)).barcode
    number = approved(hospital, "clinician", archived)
    issue(hospital, number)
    issue(hospital, number, second)
    with hospital.uow("clerk") as uow:
        loans.take_back(uow, BARCODE)
    assert state_of(hospital, number) == "lent"
    with hospital.uow("clerk") as uow:
        loans.take_back(uow, second)
    assert state_of(hospital, number) == "returned"


def test_the_last_act_can_be_undone(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    issue(hospital, number)
    with hospital.uow("clerk") as uow:
        loans.undo(uow, BARCODE)
    assert state_of(hospital, number) == "approved"
    issue(hospital, number)
    with hospital.uow("clerk") as uow:
        loans.take_back(uow, BARCODE)
    with hospital.uow("clerk") as uow:
        loans.undo(uow, BARCODE)
    assert state_of(hospital, number) == "lent"
    with hospital.uow("clerk", readonly=True) as uow:
        assert [loan.barcode for loan in circulation.out(uow)] == [BARCODE]
    with hospital.uow("clerk") as uow:
        loans.take_back(uow, BARCODE)
    assert state_of(hospital, number) == "returned"


def test_an_act_is_undone_only_by_whoever_did_it_and_only_soon(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    issue(hospital, approved(hospital, "clinician", archived))
    with pytest.raises(Conflict, match="nothing to undo"), hospital.uow("senior") as uow:
        loans.undo(uow, BARCODE)
    clock.forward(minutes=11)
    with pytest.raises(Conflict, match="nothing to undo"), hospital.uow("clerk") as uow:
        loans.undo(uow, BARCODE)


def test_a_loan_is_renewed_as_often_as_the_rule_says(hospital: Hospital, archived: int) -> None:
    with hospital.uow("clinician") as uow:
        asked = requests.ask(
            uow, uow.node(archived), kind="paper", purpose="treatment", days=3, declared="none"
        )
        number = asked.number
    step(hospital, "senior", number, "approve")
    issue(hospital, number)
    with hospital.uow("clinician") as uow:
        loans.renew(uow, slips.one(uow, number))
    with hospital.uow("clinician", readonly=True) as uow:
        (loan,) = circulation.out(uow)
        assert calendar.day_of(uow, loan.due_at) == date(2026, 11, 30)
    with pytest.raises(Conflict, match="again"), hospital.uow("clinician") as uow:
        loans.renew(uow, slips.one(uow, number))


def test_a_rule_that_changes_leaves_what_was_granted_as_it_was(hospital: Hospital, archived: int) -> None:
    with hospital.uow("clinician") as uow:
        number = requests.ask(
            uow, uow.node(archived), kind="paper", purpose="treatment", days="", declared="none"
        ).number
    body = copy.deepcopy(policies.seeds()["loans"])
    body.pop("source")
    body["rules"]["treatment"] |= {"paper_working": False, "renewals": 0, "renew_days": 0}
    with hospital.uow("sysadmin") as uow:
        made = adoption.propose(uow, "loans", body=body, source="院发〔2026〕9号", day="2026-11-20", after=1)
        adoption.adopt(uow, made)
    step(hospital, "senior", number, "approve")
    issue(hospital, number)
    with hospital.uow("clinician") as uow:
        loans.renew(uow, slips.one(uow, number))
        (loan,) = circulation.out(uow)
        assert calendar.day_of(uow, loan.due_at) == date(2026, 11, 30)


def test_what_is_overdue_never_stops_treatment(hospital: Hospital, archived: int, clock: Clock) -> None:
    other = another(hospital, mrn="00216166")
    issue(hospital, approved(hospital, "clinician", archived))
    clock.forward(days=7)
    with pytest.raises(Conflict, match="overdue"):
        ask(hospital, "clinician", other, kind="paper")
    number = ask(hospital, "clinician", other, kind="paper", purpose="treatment")
    step(hospital, "senior", number, "approve")
    issue(hospital, number, "B00216166-1")
    assert state_of(hospital, number) == "lent"


def test_a_discussion_is_not_renewed(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    issue(hospital, number)
    with pytest.raises(Conflict, match="do not provide for renewing"), hospital.uow("clinician") as uow:
        loans.renew(uow, slips.one(uow, number))


@pytest.mark.parametrize("account", ["clinician2", "head", "auditor", "sysadmin", "stranger"])
def test_only_the_borrower_and_the_desk_renew(hospital: Hospital, archived: int, account: str) -> None:
    number = approved(hospital, "clinician", archived)
    issue(hospital, number)
    with pytest.raises((Forbidden, NotFound)), hospital.uow(account) as uow:
        loans.renew(uow, slips.one(uow, number))


def test_what_is_overdue_stands_in_the_list_and_blocks_the_borrower(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    other = another(hospital, mrn="00216166")
    late, waiting = approved(hospital, "clinician", archived), ask(hospital, "clinician", other, kind="paper")
    issue(hospital, late)
    clock.forward(days=7)
    step(hospital, "senior", waiting, "approve")
    with hospital.uow("clerk", readonly=True) as uow:
        (loan,) = circulation.overdue(uow)
        assert (loan.number, loan.days_left, loan.is_overdue) == (late, -2, True)
        assert request_counts.counts(uow).overdue == 1
    with hospital.uow("clinician", readonly=True) as uow:
        assert request_counts.counts(uow).mine_overdue == 1
        assert [slip.is_overdue for slip in requests.mine(uow)] == [False, True]
    with pytest.raises(Conflict, match="overdue"):
        issue(hospital, waiting, "B00216166-1")
    with pytest.raises(Conflict, match="overdue"), hospital.uow("clinician") as uow:
        loans.renew(uow, slips.one(uow, late))
    issue(hospital, waiting, "B00216166-1", at="senior")
    assert state_of(hospital, waiting) == "lent"


def test_the_pick_list_goes_along_the_shelves(hospital: Hospital, archived: int) -> None:
    for mrn in ("00137620", "00990019", "00137520"):
        approved(hospital, "clinician", another(hospital, mrn=mrn))
    approved(hospital, "clinician", archived)
    with hospital.uow("clerk", readonly=True) as uow:
        picks = circulation.pick_list(uow)
        assert [pick.barcode for pick in picks] == [BARCODE, "B00990019-1", "B00137520-1", "B00137620-1"]
        assert (picks[0].place, picks[0].slip.node.title, picks[1].place) == (SHELF, None, None)


def test_the_page_of_a_record_says_that_it_is_out_and_to_some_with_whom(
    hospital: Hospital, archived: int
) -> None:
    issue(hospital, approved(hospital, "clinician", archived))
    for account, told in {"clinician": True, "head": True, "archivist": True, "clinician2": False}.items():
        with hospital.uow(account, readonly=True) as uow:
            loan = circulation.open_loan(uow, uow.node(archived))
            assert loan is not None
            assert (loan.days_left, loan.is_overdue, loan.slip is not None) == (3, False, told)


@pytest.mark.parametrize(
    "account", ["auditor", "security", "sysadmin", "stranger", "desk", "scanner", "inspector"]
)
def test_whoever_has_nothing_to_do_with_loans_sees_none(
    hospital: Hospital, archived: int, account: str
) -> None:
    issue(hospital, approved(hospital, "clinician", archived))
    approved(hospital, "clinician2", archived)
    with hospital.uow(account, readonly=True) as uow:
        assert circulation.out(uow) == circulation.overdue(uow) == circulation.pick_list(uow) == []
        assert circulation.in_hand(uow, hospital.people["clinician"]) == []
        with pytest.raises(Forbidden):
            circulation.today(uow)


def test_nobody_acts_at_the_desk_without_having_signed_in(hospital: Hospital, archived: int) -> None:
    approved(hospital, "clinician", archived)
    with pytest.raises(Forbidden), hospital.site.uow(Actor.nobody()) as uow:
        loans.take_back(uow, BARCODE)


def test_a_volume_in_somebodys_hands_is_not_corrected_meanwhile(hospital: Hospital, archived: int) -> None:
    issue(hospital, approved(hospital, "clinician", archived))
    with pytest.raises(Conflict), hospital.uow("senior") as uow:
        steps.take(uow, uow.node(archived, P.EDIT_LIFECYCLE), "correct", reason="更正首页")


def test_what_is_taken_back_and_sealed_is_not_out_again_by_an_undo(hospital: Hospital, archived: int) -> None:
    issue(hospital, approved(hospital, "clinician", archived))
    with hospital.uow("clerk") as uow:
        loans.take_back(uow, BARCODE)
    seal(hospital, archived)
    with pytest.raises(Conflict, match="sealed"), hospital.uow("clerk") as uow:
        loans.undo(uow, BARCODE)
    with hospital.uow("clerk", readonly=True) as uow:
        assert circulation.out(uow) == []


def test_an_undo_leaves_a_volume_as_it_was_and_never_touches_what_has_become_of_it(
    hospital: Hospital, archived: int
) -> None:
    number = approved(hospital, "clinician", archived)
    with hospital.uow("archivist") as uow:
        holdings.move(uow, uow.holding(BARCODE)[0], to=HoldingStatus.WARD)
    issue(hospital, number)
    with hospital.uow("clerk") as uow:
        loans.undo(uow, BARCODE)
    assert _status(hospital, archived) == "ward"
    issue(hospital, number)
    with hospital.uow("clerk") as uow:
        loans.take_back(uow, BARCODE)
        volumes.lose(uow, uow.holding(BARCODE)[0], because="清点时不在架上")
    with pytest.raises(Conflict, match="nothing to undo"), hospital.uow("clerk") as uow:
        loans.undo(uow, BARCODE)


def _status(hospital: Hospital, record: int) -> str:
    with hospital.uow("senior", readonly=True) as uow:
        return holdings.volumes(uow, uow.node(record))[0].status.name


def test_a_missing_volume_that_is_handed_out_has_been_found(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    with hospital.uow("clerk") as uow:
        volumes.lose(uow, uow.holding(BARCODE)[0], because="清点时不在架上")
    issue(hospital, number)
    with hospital.uow("senior", readonly=True) as uow:
        way = volumes.trail(uow, uow.node(archived))
        assert [trace.act.name for trace in way[:3]] == ["issued", "found", "lost"]


def test_what_is_corrected_or_checked_out_for_scanning_goes_out_to_nobody(
    hospital: Hospital, archived: int
) -> None:
    number = approved(hospital, "clinician", archived)
    with hospital.uow("senior") as uow:
        steps.take(uow, uow.node(archived), "correct", reason="页码错误")
    with pytest.raises(Conflict, match="being corrected"):
        issue(hospital, number)
    with hospital.uow("archivist") as uow:
        batch = batches.make(uow)
        scanned.put_in(uow, batch, barcode=BARCODE)
    with hospital.uow("clerk") as uow:
        assert in_hand.lay(uow, BARCODE).batch is None  # only planned: it stands on its shelf
    with hospital.uow("archivist") as uow:
        batch_steps.take(uow, batches.find(uow, batch.number), "check_out")
        assert "SZ" in batches.told(uow, in_hand.lay(uow, BARCODE).batch or "")
    with hospital.uow("clinician", readonly=True) as uow:
        assert "SZ" not in batches.told(uow, batch.number)


def test_a_seal_and_a_desk_at_the_same_moment_do_not_both_succeed(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    sealing, said = Barrier(2), []

    def hand_out() -> None:
        actor = hospital.actor("clerk")
        sealing.wait()
        try:
            hospital.site.run(actor, lambda uow: loans.issue(uow, slips.one(uow, number), barcode=BARCODE))
            said.append("out")
        except ArchiveError as refusal:
            said.append(type(refusal).__name__)

    desk = Thread(target=hand_out)
    desk.start()
    try:
        with hospital.uow("archivist") as uow:
            node = uow.node(archived)
            sealing.wait()
            holds.apply(uow, node, **PACKAGE)
            said.append("sealed")
    except Conflict as refusal:
        said.append(type(refusal).__name__)
    desk.join()
    assert sorted(said) in (["Conflict", "out"], ["Conflict", "sealed"])


def test_what_a_borrower_has_lost_ends_the_loan_and_is_told_to_whom_the_policy_names(
    hospital: Hospital, archived: int
) -> None:
    number, second = approved(hospital, "clinician", archived), approved(hospital, "clinician2", archived)
    issue(hospital, number)
    with hospital.uow("clerk") as uow:
        noticed = Noticed("产科护士长", "2026-11-19")
        volumes.lose(uow, uow.holding(BARCODE)[0], because="随患者转院后未见", noticed=noticed)
    assert (state_of(hospital, number), state_of(hospital, second)) == ("lost", "approved")
    assert told(hospital, "clinician") == ["What you had on loan was written down as lost"]
    assert told(hospital, "senior") == ["A volume was written down as lost"]
    with hospital.uow("clerk") as uow:
        (lost,) = incidents.listed(uow)
        assert (lost.number, lost.borrower, lost.slip_number) == ("SG2026-0001", "clinician甲", number)
        assert (lost.noticed_by, str(lost.noticed_on), lost.state.name) == (
            "产科护士长",
            "2026-11-19",
            "open",
        )
        assert circulation.out(uow) == []
        assert circulation.of_request(uow, slips.one(uow, number))[0].is_lost
        with pytest.raises(Conflict):
            loans.undo(uow, BARCODE)
    with hospital.uow("archivist") as uow:
        volumes.find(uow, uow.holding(BARCODE)[0], because="在护士站抽屉", location=SHELF)
    with hospital.uow("clerk") as uow:
        assert incidents.listed(uow) == []
        assert incidents.one(uow, lost.uuid).state.name == "found"
        loans.issue(uow, slips.one(uow, second), barcode=BARCODE)
    assert state_of(hospital, second) == "lent"


def told(hospital: Hospital, account: str) -> list[str]:
    """What somebody has been told of lost volumes."""
    with hospital.uow(account, readonly=True) as uow:
        return [one.text for one in notices.mine(uow) if "lost" in one.text]


def test_what_is_lost_is_printed_from_the_electronic_copy_and_says_so(
    hospital: Hospital, archived: int
) -> None:
    with hospital.uow("clerk") as uow:
        volumes.lose(uow, uow.holding(BARCODE)[0], because="季度清点")
        (lost,) = incidents.listed(uow)
        with pytest.raises(Conflict):  # a clerk takes no pages away
            rebuilding.rebuild(uow, lost.uuid, sheets=64, version=lost.version)
    with hospital.uow("archivist") as uow:
        assert rebuilding.offered(uow, incidents.one(uow, lost.uuid))
        printed = rebuilding.rebuild(uow, lost.uuid, sheets=64, version=lost.version)
        holding, _node = uow.holding(printed)
        assert (printed, holding.condition) == (f"{BARCODE}-V2", "Reconstructed from the electronic copy")
        assert "SG2026-0001" in (volumes.way(uow, holding)[0].because or "")
    with pytest.raises(Conflict), hospital.uow("archivist") as uow:
        rebuilding.rebuild(uow, lost.uuid, sheets=64, version=lost.version)
    number = approved(hospital, "clinician", archived)
    issue(hospital, number, printed)
    with hospital.uow("archivist") as uow:
        row = incidents.one(uow, lost.uuid)
        assert (row.state.name, row.rebuilt) == ("reconstructed", printed)
        incidents.close(uow, lost.uuid, words="报主管部门备案", version=row.version)
    with hospital.uow("archivist") as uow:
        volumes.damage(uow, uow.holding(printed)[0], because="水渍")
        volumes.damage(uow, uow.holding(printed)[0], because="水渍扩大")
        (wet,) = incidents.listed(uow)
        assert (wet.kind, wet.borrower, wet.words) == ("damaged", "clinician甲", "水渍")
        volumes.mend(uow, uow.holding(printed)[0], because="已烘干")
        assert incidents.listed(uow) == []


def test_a_volume_goes_from_hand_to_hand_without_lying_between(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    """The giver names somebody, who confirms it. Whether whoever is named has asked for it, the giver is not told."""
    number, second = approved(hospital, "clinician", archived), approved(hospital, "clinician2", archived)
    issue(hospital, number)
    clock.forward(days=1)
    badges = {name: f"{place:04d}" for place, name in enumerate(CAST, start=1)}
    with hospital.uow("clinician") as uow:
        handing_on.offer(uow, slips.one(uow, number), barcode=BARCODE, staff_no=badges["head"])
        handing_on.offer(uow, slips.one(uow, number), barcode=BARCODE, staff_no=badges["clinician2"])
    with pytest.raises(Invalid), hospital.uow("clinician") as uow:
        handing_on.offer(uow, slips.one(uow, number), barcode=BARCODE, staff_no="9999")
    with pytest.raises(Forbidden), hospital.uow("clerk") as uow:
        handing_on.offer(uow, slips.one(uow, number), barcode=BARCODE, staff_no=badges["clinician2"])
    with hospital.uow("clinician2") as uow:
        asked = slips.one(uow, second)
        assert [one.giver for one in handing_on.given(uow, asked)] == ["clinician甲"]
        handing_on.accept(uow, asked, barcode=BARCODE)
    assert (state_of(hospital, number), state_of(hospital, second)) == ("returned", "lent")
    with hospital.uow("clerk") as uow:
        (loan,) = circulation.out(uow)
        assert (loan.borrower, calendar.day_of(uow, loan.due_at)) == ("clinician2甲", date(2026, 11, 25))
        holding, _node = uow.holding(BARCODE)
        (last, *_before) = volumes.way(uow, holding)
        assert (last.act.name, last.to, last.because) == ("handed_on", "clinician2甲", f"{number} → {second}")
        assert circulation.of_request(uow, slips.one(uow, number))[0].pass_to == "clinician2甲"
        with pytest.raises(Conflict):
            loans.undo(uow, BARCODE)
    with pytest.raises(Conflict), hospital.uow("clinician2") as uow:
        handing_on.accept(uow, slips.one(uow, second), barcode=BARCODE)


@once
def test_nothing_is_taken_over_on_a_slip_that_has_ended_meanwhile(hospital: Hospital, archived: int) -> None:
    """What the slip says is read when the volume is locked: the desk may have ended it a moment ago."""
    number, second = approved(hospital, "clinician", archived), approved(hospital, "clinician2", archived)
    issue(hospital, number)
    with hospital.uow("clinician") as uow:
        badge = f"{list(CAST).index('clinician2') + 1:04d}"
        handing_on.offer(uow, slips.one(uow, number), barcode=BARCODE, staff_no=badge)
    with hospital.uow("clinician2") as uow:
        asked = slips.one(uow, second)
        asked.state = "lent"  # of another volume of the record
        uow.session.flush()
        table: Any = Request.__table__
        uow.session.connection().execute(update(table).where(table.c.id == asked.id).values(state="returned"))
        with pytest.raises(Conflict, match="not approved"):
            handing_on.accept(uow, asked, barcode=BARCODE)
        uow.record(Event("test.ended"))
    assert state_of(hospital, number) == "lent"


def test_nothing_is_handed_on_that_the_desk_would_not_hand_out(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    issue(hospital, number)
    first, later = approved(hospital, "head", archived), approved(hospital, "clinician2", archived)
    badges = {name: f"{place:04d}" for place, name in enumerate(CAST, start=1)}
    for name, refusal in (("clinician2", Conflict), ("scanner", Invalid), ("clinician", Conflict)):
        with pytest.raises(refusal), hospital.uow("clerk") as uow:
            handing_on.at_desk(uow, barcode=BARCODE, staff_no=badges[name])
    with hospital.uow("senior") as uow:
        volumes.damage(uow, uow.holding(BARCODE)[0], because="水渍")
    with pytest.raises(Conflict, match="counted"), hospital.uow("clerk") as uow:
        handing_on.at_desk(uow, barcode=BARCODE, staff_no=badges["head"])
    with hospital.uow("senior") as uow:
        volumes.mend(uow, uow.holding(BARCODE)[0], because="已烘干")
    assert (state_of(hospital, first), state_of(hospital, later)) == ("approved", "approved")


@once
def test_another_institution_brings_it_back_in_three_working_days_and_what_is_consulted_the_same_day(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    """domain.md §22.7; rules on medical records 2013 art. 16. On Friday, 20 November."""
    other = another(hospital, mrn="00216166")
    outside = approved(hospital, "archivist", archived, purpose="outside")
    consult = approved(hospital, "archivist", other, purpose="consult", days=0)
    for number, barcode in ((outside, BARCODE), (consult, "B00216166-1")):
        with hospital.uow("clerk") as uow:
            loans.issue(uow, slips.one(uow, number), barcode=barcode, seen=Seen(sheets=64))

    def due(number: str) -> tuple[date, bool]:
        with hospital.uow("clerk", readonly=True) as uow:
            (loan,) = (one for one in circulation.out(uow) if one.number == number)
            return calendar.day_of(uow, loan.due_at), loan.is_overdue

    assert (due(outside), due(consult)) == ((date(2026, 11, 25), False), (date(2026, 11, 20), False))
    for number in (outside, consult):
        with pytest.raises(Conflict), hospital.uow("archivist") as uow:
            loans.renew(uow, slips.one(uow, number))
    clock.forward(hours=15)
    assert (due(outside)[1], due(consult)[1]) == (False, True)
