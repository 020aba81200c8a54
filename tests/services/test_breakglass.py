"""紧急调阅: one patient, for hours, told at once, judged by somebody else; and nothing for whoever guesses."""

import os
from typing import Any

import pytest
from sqlalchemy import func, select

from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid, NotFound, Throttled
from archive.journal import CHANGES, words_of
from archive.models import AccessGrant, AuditEvent, Emergency, Membership, Notice, PolicyVersion, ReadEvent
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.services import (
    breakglass,
    emergencies,
    explain,
    find_exact,
    listing,
    notice_words,
    notices,
    pages,
    setup,
    trails,
)
from archive.services.emergencies import Shown
from archive.site import Site
from tests.archives import Clock, begins, once
from tests.conftest import HASH, PASSWORD, Hospital
from tests.services.lending import another, archive_it, cover, merged

ASKED = {"mrn": "00218647", "patient_name": "刘婷婷", "cause": "rescue", "reason": "产后大出血，昏迷送入，需了解既往手术史",
         "password": PASSWORD}  # fmt: skip
TEST: dict[str, Any] = {"scope": "test"}


pytestmark = pytest.mark.usefixtures("in_english")


@begins
def archived(hospital: Hospital, record: int) -> int:
    """A restricted record of obstetrics: it exists for nobody of paediatrics."""
    number = archive_it(hospital, record, level=2)
    with hospital.site.uow(Actor.system("test")) as uow:
        affairs = setup.enlist(uow, account="affairs", name="何志远", staff_no="0090", password=None,
                               roles=("medical_affairs",), clearance=2)  # fmt: skip
        affairs.password = HASH
        head = setup.enlist(
            uow, account="head2", name="唐立", staff_no="0091", password=None, roles=("head",), clearance=1
        )
        uow.session.add(Membership(principal_id=head.id, group_id=hospital.wards["EK"]))
        uow.events.clear()
    return number


def everybody(hospital: Hospital) -> Hospital:
    """The cast, with those who were enlisted for these stories."""
    with hospital.site.session(readonly=True) as session:
        rows = session.execute(select(emergencies.User.account, emergencies.User.id))
        hospital.people.update(dict(rows.all()))
    return hospital


def opened(hospital_: Hospital, account: str = "clinician2", **other: str) -> Emergency:
    with hospital_.uow(account) as uow:
        made = breakglass.declare(uow, ASKED | other)
        assert made is not None
        return made


def readable(hospital: Hospital, account: str) -> list[int]:
    with hospital.uow(account, readonly=True) as uow:
        return [node.id for node in uow.list(uow.nodes(P.READ)) if uow.can(P.READ, node)]


def told(hospital: Hospital) -> dict[str, list[str]]:
    """Account → what they have been told, as they would read it."""
    by_account = {}
    for account in hospital.people:
        with hospital.uow(account, readonly=True) as uow:
            if said := [f"{one.text} {one.about}" for one in notices.mine(uow)]:
                by_account[account] = said
    return by_account


def seen(hospital: Hospital, account: str) -> list[Shown]:
    with hospital.uow(account, readonly=True) as uow:
        return emergencies.listing(uow)


def test_it_opens_one_patient_for_hours_and_whoever_must_know_is_told_at_once(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    everybody(hospital)
    beside = another(hospital, mrn="00300001", level=2)
    with hospital.uow("clinician2", readonly=True) as uow, pytest.raises(NotFound):
        uow.node(archived)
    made = opened(hospital)
    assert made.number == "JJ2026-0001"
    with hospital.uow("clinician2", readonly=True) as uow:
        node = uow.node(archived)
        assert uow.can(P.READ, node)
        assert pages.is_marked(uow, node)
        assert not any(uow.can(P(may_not), node) for may_not in (P.PRINT, P.DOWNLOAD, P.EDIT, P.HISTORY))
        with pytest.raises(NotFound):
            uow.node(beside)
    # The heads of both departments, medical affairs, security; nobody else, and no word of whose record it is.
    assert set(told(hospital)) == {"head", "head2", "affairs", "security"}
    assert told(hospital)["security"] == [
        "Break-glass was used: it waits to be judged JJ2026-0001 clinician2"
    ]
    with hospital.uow("senior", readonly=True) as uow:
        paths = explain.paths(uow, uow.node(archived))
        assert [(path.kind, path.why) for path in paths if path.kind == "grant"] == [
            ("grant", "Break-glass JJ2026-0001: rescue")
        ]
    clock.forward(hours=4)
    assert readable(hospital, "clinician2") == []


def test_whatever_is_lacking_or_does_not_fit_opens_nothing(hospital: Hospital, archived: int) -> None:
    cover(hospital, another(hospital, mrn="00300002"))
    another(hospital, mrn="00300003", level=3)
    for fault in (
        {"reason": "急"},
        {"cause": "curiosity"},
        {"password": ""},
        {"password": "x"},
        {"patient_name": ""},
    ):
        with hospital.uow("clinician2") as uow, pytest.raises(Invalid):
            breakglass.declare(uow, ASKED | fault)
    for unfit in ({"patient_name": "刘婷"}, {"mrn": "00218648"}, {"mrn": "00300002", "patient_name": "尹春燕"},
                  {"mrn": "00300003", "patient_name": "尹春燕"}):  # fmt: skip
        with hospital.uow("clinician2") as uow:
            assert breakglass.declare(uow, ASKED | unfit) is None
    for account in ("archivist", "senior", "security", "auditor", "sysadmin", "stranger"):
        with hospital.uow(account) as uow, pytest.raises(Forbidden):
            breakglass.declare(uow, ASKED)
    with hospital.site.session(readonly=True) as session:
        assert session.scalar(select(func.count()).select_from(Emergency), execution_options=TEST) == 0
    with hospital.site.journal() as session:
        missed = session.scalars(select(ReadEvent.action).where(ReadEvent.result == "denied"))
        assert sorted(missed) == ["emergency.missed"] * 4 + ["user.password_refused"]


def test_guessing_ends_soon_whichever_page_it_is_tried_on(hospital: Hospital, archived: int) -> None:
    asked = {"mrn": "00218647", "patient_name": "不是", "purpose": "treatment"}
    for _time in range(find_exact.MOST_MISSES - 1):
        with hospital.uow("clinician2") as uow:
            find_exact.find(uow, asked)
    with hospital.uow("clinician2") as uow:
        assert breakglass.declare(uow, ASKED | {"patient_name": "不是"}) is None
    for _time in range(2):
        with hospital.uow("clinician2") as uow, pytest.raises(find_exact.GuessedTooOften):
            breakglass.declare(uow, ASKED)
    for _time in range(5):
        with hospital.uow("clinician") as uow, pytest.raises(Invalid):
            breakglass.declare(uow, ASKED | {"password": "not this one"})
    with hospital.uow("clinician") as uow, pytest.raises(Throttled):
        breakglass.declare(uow, ASKED)


def test_a_patient_is_whole_what_lies_in_the_trash_stays_closed_and_what_is_sealed_opens(
    hospital: Hospital, archived: int
) -> None:
    earlier = another(hospital, mrn="00111111", name="刘婷婷")
    locked = another(hospital, mrn="00222222", name="刘婷婷")
    merged(hospital, "00111111", "00218647")
    merged(hospital, "00222222", "00218647")
    cover(hospital, locked)
    assert opened(hospital).records == 2
    assert readable(hospital, "clinician2") == sorted([archived, earlier])
    cover(hospital, earlier, Overlay.SEALED)
    cover(hospital, archived)
    assert readable(hospital, "clinician2") == [earlier]
    with pytest.raises(Conflict), hospital.uow("clinician2") as uow:
        breakglass.declare(uow, ASKED)


def test_it_is_ended_by_hand_at_once(hospital: Hospital, archived: int) -> None:
    everybody(hospital)
    made = opened(hospital)
    for stranger in ("clinician", "auditor", "security", "archivist"):
        with hospital.uow(stranger) as uow, pytest.raises((Forbidden, NotFound)):
            breakglass.end(uow, emergencies.one(uow, made.uuid))
    with hospital.uow("clinician2") as uow:
        breakglass.end(uow, emergencies.one(uow, made.uuid))
    assert readable(hospital, "clinician2") == []
    with hospital.uow("clinician2") as uow, pytest.raises(Conflict):
        breakglass.end(uow, emergencies.one(uow, made.uuid))
    again = opened(hospital)
    with hospital.uow("head2") as uow:
        breakglass.end(uow, emergencies.one(uow, again.uuid))
    assert readable(hospital, "clinician2") == []


def test_it_waits_until_somebody_else_has_judged_it(hospital: Hospital, archived: int, clock: Clock) -> None:
    """domain.md §22.13."""
    everybody(hospital)
    mine = opened(hospital, "head")
    made = opened(hospital)
    with hospital.uow("head") as uow:
        assert emergencies.to_judge(uow) == (1, 0)
        with pytest.raises(Forbidden):
            breakglass.judge(uow, emergencies.one(uow, mine.uuid), verdict="justified", note="本人")
    with hospital.uow("clinician2") as uow, pytest.raises(Forbidden):
        breakglass.judge(uow, emergencies.one(uow, made.uuid), verdict="justified", note="本人")
    with hospital.uow("affairs") as uow, pytest.raises(Invalid) as wrong:
        breakglass.judge(uow, emergencies.one(uow, made.uuid), verdict="perhaps", note=" ")
    assert set(wrong.value.fields) == {"verdict", "note"}
    clock.forward(hours=25)
    assert [row.is_overdue for row in seen(hospital, "affairs")] == [True, True]
    with hospital.uow("affairs") as uow:
        assert emergencies.to_judge(uow) == (2, 2)
        breakglass.judge(uow, emergencies.one(uow, mine.uuid), verdict="justified", note="抢救属实")
    with hospital.uow("affairs") as uow, pytest.raises(Conflict):
        breakglass.judge(uow, emergencies.one(uow, mine.uuid), verdict="unjustified", note="再看")
    assert [(row.number, row.verdict, row.judged_by) for row in seen(hospital, "affairs")] == [
        (made.number, None, ""), (mine.number, "justified", "何志远"),
    ]  # fmt: skip
    assert told(hospital)["head"][0].startswith("Your use of break-glass has been judged")


def test_what_was_not_justified_ends_with_the_judgement(hospital: Hospital, archived: int) -> None:
    everybody(hospital)
    made = opened(hospital)
    with hospital.uow("head") as uow:
        breakglass.judge(uow, emergencies.one(uow, made.uuid), verdict="unjustified", note="并无抢救")
    assert readable(hospital, "clinician2") == []


def test_whoever_only_watches_over_it_sees_codes_and_a_head_their_own_department(
    hospital: Hospital, archived: int
) -> None:
    everybody(hospital)
    elsewhere = another(hospital, mrn="00300004", ward="EK")
    made = opened(hospital, mrn="00300004", patient_name="尹春燕")
    code = hospital.site.keys.identity_hash("00300004")[:16]
    for account in ("auditor", "security"):
        (row,) = seen(hospital, account)
        assert (row.who, row.patient, row.reason, row.note, row.may_judge) == (
            "clinician2",
            code,
            "",
            "",
            False,
        )
        assert "甲" not in str(told(hospital).get(account))
        with hospital.uow(account, readonly=True) as uow:
            assert emergencies.opened(uow, emergencies.one(uow, made.uuid)) == []
    (row,) = seen(hospital, "head2")
    assert (row.who, row.reason, row.patient, row.may_judge) == (
        "clinician2甲 0006",
        ASKED["reason"],
        "",
        True,
    )
    with hospital.uow("head2") as uow:
        breakglass.judge(uow, emergencies.one(uow, made.uuid), verdict="justified", note="抢救属实")
    assert [seen(hospital, who)[0].judged_by for who in ("auditor", "security", "affairs")] == [
        "head2", "head2", "唐立",
    ]  # fmt: skip
    # The head of obstetrics: neither the reader nor the record is of their department.
    assert seen(hospital, "head") == seen(hospital, "archivist") == seen(hospital, "clinician") == []
    with hospital.uow("head", readonly=True) as uow, pytest.raises(NotFound):
        emergencies.one(uow, made.uuid)
    with hospital.uow("auditor", readonly=True) as uow:
        trail = trails.of(uow, "00300004-1")
        assert trail.things["emergency"] == [made.id]
    with hospital.site.session(readonly=True) as session:
        ours = AuditEvent.patient_hash == hospital.site.keys.identity_hash("00300004")
        told_of = session.scalars(
            select(AuditEvent.action).where(ours, AuditEvent.object_kind == "emergency")
        )
        assert list(told_of) == ["emergency.declared", "emergency.judged"]
        assert elsewhere in trail.things["node"]


def test_many_within_an_hour_raise_one_alarm_and_stop_nobody(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        row = uow.session.scalars(select(PolicyVersion).where(PolicyVersion.kind == "emergency")).one()
        row.body = row.body | {"limits": row.body["limits"] | {"alarm_from": 2}}
    for account in ("clinician", "clinician2", "head"):
        opened(hospital, account)
    with hospital.site.session(readonly=True) as session:
        alarms = select(Notice.principal_id).where(Notice.kind == notice_words.ALARM)
        assert set(session.scalars(alarms, execution_options=TEST)) == {
            hospital.people["security"], hospital.people["auditor"]
        }  # fmt: skip
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "emergency.alarm")).one()
        assert words_of(session, CHANGES, event.id, hospital.site.keys)["within_an_hour"] == 2
    clock.forward(hours=5)
    opened(hospital)
    opened(hospital, "clinician")
    assert len(told(hospital)["auditor"]) == 2


@once
def test_a_server_killed_before_it_answers_has_told_the_journal_and_one_killed_before_the_commit_has_opened_nothing(
    site: Site, hospital: Hospital, archived: int
) -> None:
    def die_at(moment: str) -> None:
        child = os.fork()
        if child:
            _pid, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == 9
            return
        with site.uow(actor) as uow:
            breakglass.declare(uow, ASKED)
            if moment == "before the commit":
                os._exit(9)
        os._exit(9)

    actor = hospital.actor("clinician2")
    for moment, events in (("before the commit", 0), ("before the answer", 1)):
        site.close()  # nothing of a connection is shared with the child
        die_at(moment)
        with site.session(readonly=True) as session:
            written = select(func.count()).where(AuditEvent.action == "emergency.declared")
            granted = select(func.count()).where(AccessGrant.cause == "breakglass")
            assert session.scalar(written) == events, moment
            assert session.scalar(granted) == events, moment


def test_nobody_lists_what_was_opened_longer_than_it_is_open(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    """Opening it makes nobody a reader of the branch above: only the record is there."""
    opened(hospital)
    with hospital.uow("clinician2", readonly=True) as uow:
        assert [node.id for node in uow.list(uow.nodes(P.READ))] == [archived]
        assert listing.has_top(uow)
