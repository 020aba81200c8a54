"""Who is asked in which order: the rule's chain of offices, what each may see, and what nobody is asked about."""

from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.models import AccessGrant, Encounter, Membership, Request, RequestApproval
from archive.policy.permissions import P
from archive.services import (
    approval_desk,
    approvals,
    lending_trial,
    request_counts,
    requests,
    setup,
    slips,
    tree,
)
from archive.uow import UnitOfWork
from tests.archives import begins
from tests.conftest import Hospital
from tests.services.lending import another, approved, archive_it, ask, issue, rules, state_of, step

pytestmark = pytest.mark.usefixtures("in_english")


@begins
def archived(hospital: Hospital, record: int) -> int:
    """An archived record of obstetrics, and somebody of medical affairs."""
    with hospital.site.uow(Actor.system("test")) as uow:
        setup.enlist(uow, account="affairs", name="苏文", staff_no="0098", password=None, roles=("medical_affairs",),
                     clearance=2)  # fmt: skip
    return archive_it(hospital, record)


@pytest.fixture
def affairs(hospital: Hospital, archived: int) -> str:
    """The account of that person."""
    return "affairs"


def said(hospital: Hospital, number: str) -> list[tuple[str, str | None, str | None]]:
    """What the offices of a slip have said, in their order."""
    with hospital.site.session(readonly=True) as session:
        rows = session.execute(
            select(RequestApproval.office, RequestApproval.verdict, RequestApproval.note)
            .join(Request, Request.id == RequestApproval.request_id)
            .where(Request.number == number)
            .order_by(RequestApproval.place)
        )
        return [(office, verdict, note) for office, verdict, note in rows]


def words(hospital: Hospital, account: str, number: str) -> list[str]:
    """What of the offices of a slip stands on its page for somebody."""
    with hospital.uow(account, readonly=True) as uow:
        row = slips.one(uow, number)
        return [one.verdict for one in approval_desk.said(uow, [row.id])[row.id]]


def waiting(hospital: Hospital, account: str) -> list[str]:
    """The slips that wait for somebody."""
    with hospital.uow(account, readonly=True) as uow:
        listed = [slip.number for slip in requests.to_decide(uow)]
        assert request_counts.counts(uow).to_decide == len(listed)
        return listed


def buttons(hospital: Hospital, account: str, number: str) -> tuple[list[str], list[str]]:
    """The steps that a slip offers somebody, and what it says of those that it does not."""
    with hospital.uow(account, readonly=True) as uow:
        row = slips.one(uow, number)
        return [one.name for one in requests.offers(uow, row)], requests.why_not(uow, row)


def move(hospital: Hospital, account: str, ward: str) -> None:
    """Somebody works in another ward, too."""
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.add(Membership(principal_id=hospital.people[account], group_id=hospital.wards[ward]))


def test_offices_are_asked_in_their_order_and_the_last_one_decides(
    hospital: Hospital, archived: int, affairs: str
) -> None:
    rules(hospital, discussion={"approvers": ["dept_head", "medical_affairs", "record_head"]})
    number = ask(hospital, "clinician", archived)
    assert [waiting(hospital, one) for one in ("head", affairs, "senior", "archivist")] == [
        [number],
        [],
        [],
        [],
    ]
    for account, refusal in (("senior", "First it is the turn of: Head of the asker"), (affairs, None)):
        with pytest.raises((Conflict, NotFound), match=refusal):
            step(hospital, account, number, "approve" if account == "senior" else "endorse")
    assert buttons(hospital, "head", number) == (["endorse", "object"], []), "one word is asked for, once"
    step(hospital, "head", number, "endorse", reason="同意")
    assert [waiting(hospital, one) for one in ("head", affairs, "senior")] == [[], [number], []]
    assert buttons(hospital, "head", number)[0] == [], "it is the turn of another"
    with pytest.raises(Conflict, match="decided by: Head of the record room"):
        step(hospital, "head", number, "refuse", reason="不同意")
    assert buttons(hospital, "senior", number)[0] == ["refuse"], "whoever decides in the end need not wait"
    with pytest.raises(Conflict, match="the turn of: Medical affairs"):
        step(hospital, "head", number, "endorse")
    rules(hospital, discussion={"approvers": ["record"]})
    step(hospital, affairs, number, "endorse")
    assert [waiting(hospital, one) for one in (affairs, "senior", "archivist")] == [[], [number], []]
    with pytest.raises(Conflict, match="decided by: Head of the record room"):
        step(hospital, "archivist", number, "approve")
    assert buttons(hospital, "senior", number) == (["approve", "refuse"], [])
    step(hospital, "senior", number, "approve")
    assert state_of(hospital, number) == "active"
    later = ask(hospital, "clinician", archived, kind="paper")
    assert buttons(hospital, "head", later) == (["approve", "refuse"], []), "and not whose turn it is besides"
    assert said(hospital, number) == [
        ("dept_head", "agreed", "同意"), ("medical_affairs", "agreed", None), ("record_head", "agreed", None),
    ]  # fmt: skip


def test_two_opinions_of_one_office_at_once_are_one_stage(
    hospital: Hospital, archived: int, affairs: str
) -> None:
    rules(hospital, discussion={"approvers": ["dept_head", "medical_affairs", "record_head"]})
    with hospital.site.uow(Actor.system("test")) as uow:
        made = setup.enlist(uow, account="head2", name="何静", staff_no="0097", password=None, roles=("head",),
                            clearance=1)  # fmt: skip
        hospital.people["head2"] = made.id
    move(hospital, "head2", "CK")
    number, start, outcomes = ask(hospital, "clinician", archived), Barrier(2), list[str]()

    def endorse(account: str) -> None:
        actor = hospital.actor(account)

        def one(uow: UnitOfWork) -> None:
            row = slips.one(uow, number)
            if uow.session.get_bind().dialect.name == "postgresql":
                start.wait(20)  # both have read the same stage
            requests.advance(uow, row, "endorse")

        try:
            hospital.site.run(actor, one)
            outcomes.append("said")
        except Conflict:
            outcomes.append("late")

    threads = [Thread(target=endorse, args=(account,)) for account in ("head", "head2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["late", "said"]
    assert [verdict for _office, verdict, _note in said(hospital, number)] == ["agreed", None, None]
    assert waiting(hospital, affairs) == [number]


def test_an_office_that_refuses_ends_it_and_says_why(hospital: Hospital, archived: int, affairs: str) -> None:
    number = ask(hospital, "clinician", archived, purpose="dispute")
    with pytest.raises(Invalid):
        step(hospital, affairs, number, "object")
    step(hospital, affairs, number, "object", reason="先登记纠纷")
    assert state_of(hospital, number) == "refused"
    with hospital.uow("clinician", readonly=True) as uow:
        (slip,) = requests.mine(uow)
        assert (slip.note, slip.decided_by) == ("先登记纠纷", "苏文")
    with pytest.raises(Conflict):
        step(hospital, "senior", number, "approve")


def test_whoever_decides_may_refuse_without_waiting_for_the_others(hospital: Hospital, archived: int) -> None:
    number = ask(hospital, "clinician", archived, purpose="research")
    step(hospital, "senior", number, "refuse", reason="已有人在用")
    assert said(hospital, number) == [("dept_head", None, None), ("record_head", "refused", "已有人在用")]


def test_an_office_in_which_nobody_sits_but_the_asker_is_passed_over_and_that_is_written_down(
    hospital: Hospital, archived: int
) -> None:
    for account in ("clinician2", "head"):
        number = ask(hospital, account, archived, purpose="research")
        assert said(hospital, number) == [("dept_head", "vacant", None), ("record_head", None, None)]
        assert waiting(hospital, "senior")[-1] == number
    mine = ask(hospital, "clinician", archived, purpose="research")
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.query(Membership).filter_by(principal_id=hospital.people["head"]).delete()
    approvals.pass_on(hospital.site)
    assert waiting(hospital, "senior")[-1] == mine
    step(hospital, "senior", mine, "approve")
    assert said(hospital, mine) == [("dept_head", "vacant", None), ("record_head", "agreed", None)]


def test_nobody_gives_an_opinion_on_their_own_request_nor_for_another_ward(
    hospital: Hospital, archived: int
) -> None:
    move(hospital, "clinician2", "CK")
    theirs = ask(hospital, "clinician2", archived, purpose="research")
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.query(Membership).filter_by(
            principal_id=hospital.people["clinician2"], group_id=hospital.wards["CK"]
        ).delete()
    with pytest.raises(Conflict, match="turn of"):
        step(hospital, "head", theirs, "endorse")
    with hospital.site.uow(Actor.system("test")) as uow:
        made = setup.enlist(uow, account="head2", name="何静", staff_no="0097", password=None, roles=("head",),
                            clearance=1)  # fmt: skip
        hospital.people["head2"] = made.id
    move(hospital, "head2", "CK")
    own = ask(hospital, "head", archived, purpose="research", kind="paper")
    with pytest.raises(Conflict, match="own request"):
        step(hospital, "head", own, "endorse")
    assert waiting(hospital, "head2") == [own]
    assert own not in waiting(hospital, "head")


def test_whoever_gives_an_opinion_sees_the_slip_by_their_own_tiers_and_no_record_that_they_may_not_know_of(
    hospital: Hospital, archived: int, affairs: str
) -> None:
    ours = another(hospital, mrn="00216166", ward="EK")
    seen = ask(hospital, "clinician", ours, purpose="research")
    with hospital.uow("head", readonly=True) as uow:
        slip = next(slip for slip in requests.to_decide(uow) if slip.number == seen)
        assert (slip.node.title, slip.node.label) == (None, "00216166-1")
        assert not uow.can(P.REQUEST_DECIDE, uow.node(ours))
    another(hospital, mrn="00217720", ward="EK", level=3)
    with hospital.uow("clinician") as uow:
        requests.ask_by_number(
            uow, number="00217720-1", kind="eread", purpose="research", days="", declared="none"
        )
    number = waiting(hospital, "senior")[-1]
    assert said(hospital, number) == [
        ("dept_head", "unaware", None), ("medical_affairs", "unaware", None), ("record_head", None, None),
    ]  # fmt: skip
    assert words(hospital, "senior", number)[0] == "Not asked: nobody there may know of this record"
    step(hospital, "senior", number, "approve")
    assert words(hospital, "clinician", number)[0] == "Nobody to ask", (
        "what others may know is not for the asker"
    )
    for account in ("head", affairs):
        assert number not in waiting(hospital, account)
        with hospital.uow(account, readonly=True) as uow, pytest.raises(NotFound):
            slips.one(uow, number)
    granted = another(hospital, mrn="00217721", ward="EK", level=3)
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.add(AccessGrant(principal_id=hospital.people["head"], node_id=granted, permission=P.READ, cause="eread",
                                    valid_from=uow.now, valid_until=uow.now + timedelta(days=3), max_level=3))  # fmt: skip
    with hospital.uow("clinician") as uow:
        requests.ask_by_number(
            uow, number="00217721-1", kind="eread", purpose="research", days="", declared="none"
        )
    (asked,) = set(waiting(hospital, "head")) - {seen}
    assert said(hospital, asked)[0] == ("dept_head", None, None), "who knows of it by a grant is asked"
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(ours), level=3, reason="锁定")
    with hospital.uow("head", readonly=True) as uow, pytest.raises(NotFound):
        slips.one(uow, seen)


@pytest.mark.parametrize("account", ["archivist", "clinician2", "scanner", "desk", "auditor", "stranger"])
def test_opinions_are_asked_of_the_offices_alone(hospital: Hospital, archived: int, account: str) -> None:
    number = ask(hospital, "clinician", archived, purpose="research")
    with pytest.raises((Forbidden, NotFound)):
        step(hospital, account, number, "endorse")


def treated(hospital: Hospital, ward: str, until: date | None) -> None:
    """The patient of the record has one more stay, which ended then or goes on."""
    with hospital.site.uow(Actor.system("test")) as uow, uow.unscoped("test"):
        old = uow.session.scalars(select(Encounter)).first()
        assert old is not None
        stay = Encounter(patient_id=old.patient_id, kind="inpatient", times=9, admitted_at=date(2026, 11, 10),
                         discharged_at=until, dept_id=hospital.wards[ward], created_at=uow.now)  # fmt: skip
        uow.session.add(stay)


@pytest.mark.parametrize(
    ("ward", "until", "at_once"),
    [
        ("EK", None, True),
        ("EK", date(2026, 11, 13), True),
        ("EK", date(2026, 11, 12), False),
        ("CK", None, False),
    ],
)
def test_treatment_of_a_patient_in_ones_own_ward_opens_at_once_by_the_rule_and_no_other(
    hospital: Hospital, archived: int, ward: str, until: date | None, *, at_once: bool
) -> None:
    treated(hospital, ward, until)
    number = ask(hospital, "clinician2", archived, purpose="treatment")
    assert state_of(hospital, number) == ("active" if at_once else "requested")
    with hospital.uow("clinician2", readonly=True) as uow:
        assert uow.can(P.READ, uow.node(archived)) == at_once
        (slip,) = requests.mine(uow)
        assert slip.decided_by == (
            "The lending rule “treatment, own ward's patient”, version 1" if at_once else None
        )
    assert bool(said(hospital, number)) != at_once


def test_nothing_that_is_asked_for_by_number_opens_at_once(hospital: Hospital, archived: int) -> None:
    treated(hospital, "EK", None)
    with hospital.uow("clinician2") as uow:
        requests.ask_by_number(
            uow, number="00218647-2", kind="eread", purpose="treatment", days="", declared="none"
        )
    assert waiting(hospital, "senior") == ["JY2026-000001"]


def test_all_that_a_decision_needs_stands_on_one_page(
    hospital: Hospital, archived: int, affairs: str
) -> None:
    issue(hospital, approved(hospital, "clinician2", archived))
    ask(hospital, "head", archived, kind="paper")
    number = ask(hospital, "clinician2", archived, purpose="research")
    dispute = ask(hospital, "clinician", archived, purpose="dispute")
    hospital.clock.forward(days=8)
    with hospital.uow("senior", readonly=True) as uow:
        one = next(one for one in approval_desk.mine(uow) if one.slip.number == number)
        assert (one.asker.note, one.asker.out, one.asker.overdue) == ("儿科 0006", 1, 1)
        assert [(said.office, said.verdict, said.by) for said in one.chain] == [
            ("Head of the asker's department", "Nobody to ask", None), ("Head of the record room", "Not yet", None),
        ]  # fmt: skip
        assert (one.office, one.slip.rule, one.rule) == (
            "Head of the record room",
            "research",
            "research and teaching",
        )
        assert one.source.startswith("Default borrowing matrix")
        assert one.paper is not None
        assert (one.paper.status.name, one.paper.is_overdue, one.others, one.hindrance) == (
            "lent",
            True,
            1,
            None,
        )
        (later,) = approval_desk.others_first(uow)
        assert (later.slip.number, later.hindrance) == (dispute, "First it is the turn of: Medical affairs.")
    with hospital.uow(affairs, readonly=True) as uow:
        (mine,) = approval_desk.mine(uow)
        assert mine.hindrance is None
        assert (mine.slip.number, mine.office, approval_desk.others_first(uow)) == (
            dispute,
            "Medical affairs",
            [],
        )
    with hospital.uow("head", readonly=True) as uow:
        assert approval_desk.mine(uow) == approval_desk.others_first(uow) == [], (
            "nothing waits that the rule lets others decide"
        )
        assert "Head of the record room" in str(requests.why_not(uow, slips.one(uow, number)))


def test_whoever_asks_declares_and_a_relative_is_not_lent_to_but_where_the_house_says_so(
    hospital: Hospital, archived: int
) -> None:
    def asked(declared: str, words: str = "", kind: str = "eread") -> str:
        with hospital.uow("clinician2") as uow:
            return requests.ask(uow, uow.node(archived), kind=kind, purpose="treatment", days="", declared=declared,
                                declared_words=words).number  # fmt: skip

    treated(hospital, "EK", None)
    for declared, words, field in (
        ("", "", "declared"), ("cousin", "", "declared"), ("relative", "表妹", "declared"),
        ("other", " ", "declared_words"), ("other", "因" * 201, "declared_words"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            asked(declared, words)
        assert set(refused.value.fields) == {field}
    number = asked("other", "曾为医患纠纷当事人")
    assert state_of(hospital, number) == "requested", "what somebody has declared somebody looks at first"
    with hospital.uow("senior", readonly=True) as uow:
        (one,) = approval_desk.mine(uow)
        assert (one.slip.number, one.slip.conflict) == (number, "曾为医患纠纷当事人")
    paper = asked("other", "曾为医患纠纷当事人", "paper")
    for account, reads in (("clinician2", True), ("senior", True), ("clerk", False)):
        with hospital.uow(account, readonly=True) as uow:
            assert bool(slips.slip(uow, slips.one(uow, paper)).conflict) == reads, account
    step(hospital, "senior", number, "approve")
    assert state_of(hospital, number) == "active"


def test_whoever_has_declared_a_relative_neither_decides_nor_gives_an_opinion(
    hospital: Hospital, archived: int, affairs: str
) -> None:
    def recuse(account: str, number: str, words: str = "患者是我的表妹") -> None:
        with hospital.uow(account) as uow:
            requests.recuse(uow, slips.one(uow, number), words=words)

    mine = ask(hospital, "clinician", archived, purpose="dispute")
    for account in ("clinician", "clerk", "stranger"):
        with pytest.raises((Forbidden, NotFound)):
            recuse(account, mine)
    with pytest.raises(Invalid):
        recuse(affairs, mine, " ")
    with pytest.raises(Conflict, match="Nobody else"):
        recuse("senior", mine)
    with hospital.site.uow(Actor.system("test")) as uow:
        setup.enlist(uow, account="senior2", name="沈佳", staff_no="0099", password=None, roles=("senior",),
                     clearance=3)  # fmt: skip
    start, outcomes = Barrier(2), list[str]()

    def click() -> None:
        def one(uow: UnitOfWork) -> None:
            row = slips.one(uow, mine)
            if uow.session.get_bind().dialect.name == "postgresql":
                start.wait(20)
            requests.recuse(uow, row, words="患者是我的表妹")

        try:
            hospital.site.run(hospital.actor("senior"), one)
            outcomes.append("said")
        except Conflict:
            outcomes.append("said before")

    threads = [Thread(target=click) for _time in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["said", "said before"]
    for name in ("approve", "refuse"):
        with pytest.raises(Conflict, match="stands between you"):
            step(hospital, "senior", mine, name, reason="不同意")
    with pytest.raises(Conflict):
        recuse("senior", mine)
    recuse(affairs, mine)
    assert said(hospital, mine) == [("medical_affairs", "vacant", None), ("record_head", None, None)]
    assert waiting(hospital, affairs) == waiting(hospital, "senior") == []
    other = ask(hospital, "clinician", archived, kind="paper")
    step(hospital, "senior", other, "approve")
    assert state_of(hospital, other) == "approved"


def test_the_page_says_beforehand_what_would_be_refused(hospital: Hospital, archived: int) -> None:
    number = ask(hospital, "clinician", archived)
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(archived), level=3, reason="锁定")
    with hospital.site.uow(Actor.system("test")) as uow:
        made = setup.enlist(uow, account="senior2", name="沈佳", staff_no="0099", password=None, roles=("senior",),
                            clearance=2)  # fmt: skip
        hospital.people["senior2"] = made.id
    for account, said_why in (("senior2", True), ("senior", False)):
        with hospital.uow(account, readonly=True) as uow:
            (one,) = approval_desk.mine(uow)
            assert (one.slip.number, bool(one.hindrance)) == (number, said_why)


def test_the_rules_can_be_tried_for_who_would_be_asked(hospital: Hospital, archived: int) -> None:
    with hospital.uow("sysadmin", readonly=True) as uow:
        special = lending_trial.tried(uow, role="clinician", purpose="research", level=2)
        chain = next(one for one in special.media if one.kind == "eread").chain
        assert [(stage.title, [office.names for office in stage.offices]) for stage in chain] == [
            ("Head of the asker's department", []), ("Medical affairs", [["苏文"]]),
            ("Head of the record room", [["senior甲"]]),
        ]  # fmt: skip
        own = lending_trial.tried(uow, role="clinician", purpose="treatment", level=1, treats=True)
        assert [one.chain for one in own.media] == [[], [], []]
