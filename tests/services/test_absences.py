"""While somebody is away: a deputy gives their opinion on requests, and gains no right by it."""

from datetime import timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from sqlalchemy import select

from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.journal import CHANGES, words_of
from archive.models import AuditEvent, Delegation, Principal, User
from archive.policy.permissions import P
from archive.services import (
    absences,
    approval_desk,
    breakglass,
    deciders,
    emergencies,
    people,
    requests,
    setup,
    slips,
)
from tests.archives import begins, once
from tests.conftest import Hospital
from tests.services.lending import another, archive_it, ask, state_of, step
from tests.services.test_approvals import move, said, waiting
from tests.services.test_breakglass import ASKED

pytestmark = pytest.mark.usefixtures("in_english")


@begins
def archived(hospital: Hospital, record: int) -> int:
    """An archived record of obstetrics; a head of paediatrics; somebody of medical affairs."""
    with hospital.site.uow(Actor.system("test")) as uow:
        for account, name, number, role, clearance in (
            ("head2", "何静", "0097", "head", 2), ("affairs", "苏文", "0098", "medical_affairs", 2),
            ("head3", "宋岩", "0096", "head", 1),
        ):  # fmt: skip
            hospital.people[account] = setup.enlist(
                uow,
                account=account,
                name=name,
                staff_no=number,
                password=None,
                roles=(role,),
                clearance=clearance,
            ).id
    move(hospital, "head2", "EK")
    return archive_it(hospital, record)


@pytest.fixture(autouse=True)
def _known(hospital: Hospital, archived: int) -> None:
    with hospital.site.session(readonly=True) as session:
        for account, number in session.execute(
            select(Principal.code, Principal.id).where(Principal.kind == "user")
        ):
            hospital.people.setdefault(account, number)


def named(
    hospital: Hospital, absent: str, who: str, *, first: int = 0, last: int = 2, **typed: str
) -> Delegation:
    """Somebody names a deputy from that many days on, up to and with that day."""
    with hospital.uow(absent) as uow:
        deputy = uow.session.get_one(Principal, hospital.people[who])
        days = {"start": str(uow.today + timedelta(first)), "end": str(uow.today + timedelta(last))}
        return absences.name(uow, {"deputy": str(deputy.uuid), "because": "外出进修", **days, **typed})


def test_a_deputy_gives_the_opinion_of_a_head_who_is_away_in_their_name_and_for_these_days_only(
    hospital: Hospital, archived: int
) -> None:
    number = ask(hospital, "clinician", archived, purpose="research")
    with pytest.raises(NotFound):
        step(hospital, "head2", number, "endorse")
    named(hospital, "head", "head2", first=1, last=2)
    assert waiting(hospital, "head2") == [], "not yet"
    hospital.clock.forward(days=1)
    assert waiting(hospital, "head2") == [number]
    with hospital.uow("clinician", readonly=True) as uow:
        told = deciders.of(uow, uow.node(archived), "eread", ["dept_head"])["dept_head"]
        assert told.deputies == [("何静", "head甲")]
        assert {name for office in told.offices for name in office.names} == {"head甲", "何静"}
    step(hospital, "head2", number, "endorse", reason="同意")
    assert said(hospital, number)[0] == ("dept_head", "agreed", "同意")
    with hospital.uow("senior", readonly=True) as uow:
        first = approval_desk.said(uow, [slips.one(uow, number).id]).popitem()[1][0]
        assert (first.by, first.behalf) == ("何静", "head甲")
        event = uow.session.scalars(select(AuditEvent).where(AuditEvent.action == "request.endorse")).one()
        assert words_of(uow.session, CHANGES, event.id, uow.site.keys)["on_behalf_of"] == "head甲"
    other = ask(hospital, "clinician", archived, purpose="research", kind="paper")
    hospital.clock.forward(days=2)
    assert waiting(hospital, "head2") == []
    with pytest.raises(NotFound):
        step(hospital, "head2", other, "endorse")
    named(hospital, "head", "head2")
    assert waiting(hospital, "head2") == [other]
    with hospital.uow("head") as uow:
        (mine,) = absences.listed(uow)
        absences.end(uow, mine.uuid)
    assert waiting(hospital, "head2") == []
    with hospital.uow("head") as uow, pytest.raises(Conflict):
        absences.end(uow, mine.uuid)


def test_a_deputy_gains_no_right_and_decides_nothing_of_their_own_nor_of_whom_they_represent(
    hospital: Hospital, archived: int
) -> None:
    hidden = another(hospital, mrn="00217720", ward="EK", level=2)
    named(hospital, "head", "head3")
    with hospital.uow("head3", readonly=True) as uow:
        assert not uow.can(P.REQUEST_DECIDE, uow.node(archived))
        with pytest.raises(NotFound):
            uow.node(hidden)
    with hospital.uow("clinician") as uow:
        requests.ask_by_number(
            uow, number="00217720-1", kind="eread", purpose="research", days="", declared="none"
        )
    assert waiting(hospital, "head3") == [], "what they may not know of"
    own = ask(hospital, "head", archived, purpose="research")
    with hospital.uow("head3", readonly=True) as uow, pytest.raises(NotFound):
        slips.one(uow, own)
    move(hospital, "head3", "CK")
    assert own not in waiting(hospital, "head3"), "of the same ward, and still their deputy"
    with pytest.raises((Conflict, NotFound)):
        step(hospital, "head3", own, "endorse")
    theirs = ask(hospital, "head3", archived, purpose="research")
    assert theirs not in waiting(hospital, "head3")
    with pytest.raises(Conflict, match="own request"):
        step(hospital, "head3", theirs, "endorse")


def test_whoever_decides_in_the_end_does_not_decide_for_whom_they_stand_in(
    hospital: Hospital, archived: int
) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        hospital.people["senior2"] = setup.enlist(
            uow,
            account="senior2",
            name="沈佳",
            staff_no="0099",
            password=None,
            roles=("senior",),
            clearance=3,
        ).id
    mine = ask(hospital, "senior", archived, kind="paper")
    named(hospital, "senior", "senior2")
    assert mine not in waiting(hospital, "senior2")
    for name in ("approve", "refuse"):
        with pytest.raises(Conflict, match="You stand in for senior甲"):
            step(hospital, "senior2", mine, name, reason="无")
    with hospital.uow("senior", readonly=True) as uow:
        stage = deciders.of(uow, uow.node(archived), "paper", ["record_head"])["record_head"]
        assert stage.offices == []
    step(hospital, "archivist", mine, "approve")
    assert state_of(hospital, mine) == "approved"


def test_a_deputy_has_no_deputy_and_what_the_absent_have_declared_binds_them(
    hospital: Hospital, archived: int
) -> None:
    number = ask(hospital, "clinician", archived, purpose="research")
    named(hospital, "head2", "head3")
    with pytest.raises(Invalid) as refused:
        named(hospital, "head", "head2")
    assert "away themselves" in refused.value.fields["deputy"]
    with hospital.uow("head2") as uow:
        absences.end(uow, absences.listed(uow)[0].uuid)
    named(hospital, "head", "head2")
    named(hospital, "head2", "head3")
    assert waiting(hospital, "head3") == [], "the deputy of a deputy is asked nothing"
    assert waiting(hospital, "head2") == [number]
    with hospital.uow("head") as uow:
        requests.recuse(uow, slips.one(uow, number), words="患者是我的表妹")
    assert waiting(hospital, "head2") == []
    other = ask(hospital, "clinician", another(hospital, mrn="00300009"), purpose="research")
    assert waiting(hospital, "head2") == [other], "what they have declared is of one request"
    assert said(hospital, number)[0][1] == "vacant"


def test_a_deputy_whose_role_or_an_absent_head_whose_account_has_ended_is_asked_no_more(
    hospital: Hospital, archived: int
) -> None:
    number = ask(hospital, "clinician", archived, purpose="research")
    named(hospital, "head", "head2")
    assert waiting(hospital, "head2") == [number]
    with hospital.uow("sysadmin") as uow:
        people.disable(uow, uow.session.get_one(User, hospital.people["head"]))
    assert waiting(hospital, "head2") == []


@once
def test_only_whom_it_fits_is_named_for_days_that_are_to_come(hospital: Hospital, archived: int) -> None:
    for deputy in ("head", "clinician", "senior", "auditor", "affairs"):
        with pytest.raises(Invalid) as refused:
            named(hospital, "head", deputy)
        assert set(refused.value.fields) == {"deputy"}
    move(hospital, "affairs", "CK")
    with hospital.uow("head", readonly=True) as uow:
        assert [one.name for one in absences.candidates(uow)] == ["何静", "宋岩", "苏文"]
    for typed, field in (
        ({"start": "昨天"}, "start"), ({"start": "2026-11-19"}, "start"), ({"end": "2026-11-01"}, "end"),
        ({"end": ""}, "end"), ({"because": " "}, "because"), ({"because": "因" * 201}, "because"),
        ({"deputy": str(uuid4())}, "deputy"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            named(hospital, "head", "head2", **typed)
        assert set(refused.value.fields) == {field}
    for account in ("clinician", "clerk", "auditor"):
        with pytest.raises(Forbidden):
            named(hospital, account, "head2")
    made = named(hospital, "head", "affairs")
    with pytest.raises(Conflict, match="named a deputy already"):
        named(hospital, "head", "head2", first=2, last=3)
    with hospital.uow("head3") as uow, pytest.raises(NotFound):
        absences.end(uow, made.uuid)
    with hospital.uow("affairs") as uow:
        (standing,) = absences.listed(uow)
        absences.end(uow, standing.uuid)


def test_two_that_are_named_at_once_are_one(hospital: Hospital, archived: int) -> None:
    start, outcomes = Barrier(2), list[str]()

    def name(deputy: str) -> None:
        start.wait()
        try:
            named(hospital, "head", deputy)
            outcomes.append("named")
        except Conflict:
            outcomes.append("late")

    threads = [Thread(target=name, args=(deputy,)) for deputy in ("head2", "head3")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["late", "named"]


def test_a_deputy_does_not_judge_the_break_glass_of_whom_they_represent(
    hospital: Hospital, archived: int
) -> None:
    move(hospital, "head3", "CK")
    with hospital.uow("head") as uow:
        made = breakglass.declare(uow, ASKED)
        assert made is not None
        number = made.number
    seen = {}
    for runs in (False, True):
        if runs:
            named(hospital, "head", "head3")
        with hospital.uow("head3", readonly=True) as uow:
            seen[runs] = [one.number for one in emergencies.listing(uow)], emergencies.to_judge(uow)[0]
    assert seen == {False: ([number], 1), True: ([], 0)}
