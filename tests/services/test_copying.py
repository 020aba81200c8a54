"""复制窗口: who is found, what is missing, what is copied, what is handed over, and what the code confirms."""

import hashlib
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pypdfium2
import pytest
from sqlalchemy import select, update

from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.journal import Event, Origin
from archive.models import (
    AuditEvent,
    Blob,
    CopyProof,
    CopyRequest,
    Job,
    Patient,
    PolicyVersion,
    ReadEvent,
    SignInAttempt,
)
from archive.policy.rights import Overlay
from archive.services import breakglass, find_exact, page_desk, page_map, policies, purge, tree
from archive.services.copying import (
    applications,
    finding,
    handing,
    making,
    slips,
    trail,
    turnaround,
    verifying,
)
from archive.services.copying.applications import Application
from archive.services.find_exact import GuessedTooOften
from tests import papers
from tests.archives import begins, once
from tests.conftest import CAST, PASSWORD, Hospital
from tests.services.lending import another, cover
from tests.services.searching import archived, component
from tests.services.test_derive import work_off
from tests.services.test_intake import upload

TEST = {"scope": "test", "synchronize_session": False}
WINDOW = {"archivist", "senior", "desk"}
ASKED = {"number": "00218647", "patient_name": "刘婷婷"}
CARD = "513401199403020026"
WANTED = Application(
    applicant="patient", applicant_name="刘婷婷", purpose="reimbursement", package="reimbursement",
    papers=frozenset({"patient_id"}),
)  # fmt: skip


@begins
def scanned(hospital: Hospital, record: int) -> tuple[int, int]:
    """An archived record: one page in no component, and two of an operation note."""
    item = component(hospital, record, "手术记录")
    upload(hospital, "archivist", record, papers.pdf("住院病案首页"))
    upload(hospital, "archivist", item, papers.pdf("术中粘连已松解", "手术记录续页"), "手术.pdf")
    work_off(hospital.site)
    archived(hospital, record)
    return record, item


def found(hospital: Hospital, account: str = "desk", **asked: str) -> finding.Found | None:
    with hospital.uow(account, readonly=True) as uow:
        return finding.find(uow, asked or ASKED)


def applied(hospital: Hospital, *records: int, account: str = "desk", **other: Any) -> str:
    """Takes an application down; gives the number of its slip."""
    with hospital.uow(account) as uow:
        patient = finding.find(uow, ASKED)
        assert patient is not None
        wanted = Application(**{**WANTED.__dict__, "records": frozenset(records), **other})
        return applications.apply(uow, patient, wanted).number


def of(uow: Any, number: str) -> CopyRequest:
    made: CopyRequest = uow.session.scalar(
        select(CopyRequest).where(CopyRequest.number == number), execution_options=TEST
    )
    return slips.one(uow, made.uuid)


def made(hospital: Hospital, number: str, account: str = "desk") -> bytes:
    """Has the copy made; gives its file."""
    with hospital.uow(account) as uow:
        handing.make(uow, of(uow, number))
    work_off(hospital.site)
    with hospital.uow(account, readonly=True) as uow:
        _name, opened = handing.file(uow, of(uow, number))
        with opened as file:
            return file.read()


def confirmed(hospital: Hospital, number: str) -> None:
    with hospital.uow("desk") as uow:
        handing.confirm(uow, of(uow, number), clerk=True, applicant=True)


def test_the_patient_is_found_by_number_and_factor_or_by_the_card_and_never_else(
    hospital: Hospital, scanned: tuple[int, int]
) -> None:
    hidden = another(hospital, mrn="00300001", level=2)
    with hospital.site.uow(Actor.system("test")) as uow:
        card = update(Patient).where(Patient.mrn == "00218647")
        uow.session.execute(
            card.values(id_hash=hospital.site.keys.identity_hash(CARD)), execution_options=TEST
        )
    for account in sorted(WINDOW):
        seen = found(hospital, account)
        assert seen is not None
        assert [stay.stay for stay in seen.stays] == ["00218647-2"]
        assert [(part.label, part.pages) for part in seen.stays[0].parts] == [
            ("未分件", 1),
            ("手术记录", 2),
        ]
    for account in sorted(set(CAST) - WINDOW):
        with pytest.raises(Forbidden):
            found(hospital, account)
    assert found(hospital, number=CARD.lower()) is not None
    assert found(hospital, number="00218647", birth="1994-03-02") is not None
    for wrong in ({"number": "00218647", "patient_name": "刘婷"}, {"number": "00999999", "patient_name": "刘婷婷"},
                  {"number": "513401199403020018"}, {"number": "00300001", "patient_name": "尹春燕"}):  # fmt: skip
        assert found(hospital, **wrong) is None
    assert found(hospital, "archivist", number="00300001", patient_name="尹春燕") is not None, (
        "a higher clearance"
    )
    for asked in (
        {"number": "00218647"},
        {"patient_name": "刘婷婷"},
        {"number": "00218647", "birth": "1994-13-01"},
    ):
        with pytest.raises(Invalid):
            found(hospital, **asked)
    cover(hospital, hidden, Overlay.TRASHED)
    assert found(hospital, "archivist", number="00300001", patient_name="尹春燕") is None
    with hospital.site.journal() as journal:
        told = journal.scalars(select(ReadEvent).where(ReadEvent.action == finding.FOUND)).all()
    assert {one.result for one in told} == {"ok", "denied"}
    assert all(one.patient_hash for one in told)


@once
def test_whoever_guesses_is_stopped(hospital: Hospital, record: int) -> None:
    for _time in range(10):
        assert found(hospital, number="00218647", patient_name="不是她") is None
        with hospital.uow("desk", readonly=True) as uow:
            find_exact.find(uow, {"mrn": "00218647", "patient_name": "不是她", "purpose": "treatment"})
    with pytest.raises(GuessedTooOften):
        found(hospital)
    assert found(hospital, "archivist") is not None, "one person's guesses stop nobody else"


def test_what_is_missing_makes_it_incomplete_and_what_is_brought_later_completes_it(
    hospital: Hospital, scanned: tuple[int, int]
) -> None:
    brought = frozenset({"patient_id", "agent_id", "agency"})
    number = applied(hospital, scanned[0], applicant="agent", applicant_name="刘建国", papers=brought)
    police = applied(
        hospital,
        scanned[0],
        applicant="authority",
        applicant_name="民警",
        papers=frozenset({"certificate", "handler_id"}),
    )
    with hospital.uow("desk") as uow:
        slip = slips.shown(uow, of(uow, number))
        assert (slip.state.name, slip.missing, slip.copy.queue) == ("incomplete", ["授权委托书"], 1)
        other = slips.shown(uow, of(uow, police))
        assert (other.state.name, other.missing, other.copy.queue) == (
            "incomplete",
            ["经办人本单位有效工作证明"],
            2,
        )
        with pytest.raises(Conflict):
            handing.make(uow, slip.copy)
        uow.session.rollback()
    with hospital.uow("desk") as uow:
        applications.complete(uow, of(uow, number), ["attorney"])
    with hospital.uow("desk") as uow:
        copy = of(uow, number)
        assert (copy.state, str(copy.ready_by)) == ("accepted", "2026-12-04")
        with pytest.raises(Conflict):
            applications.complete(uow, copy, ["attorney"])
        uow.session.rollback()


@once
def test_nobody_applies_for_whom_they_cannot_speak_and_all_faults_are_said_at_once(
    hospital: Hospital, scanned: tuple[int, int]
) -> None:
    def faults(**other: Any) -> set[str]:
        with pytest.raises(Invalid) as error:
            applied(hospital, *other.pop("records", (scanned[0],)), **other)
        return set(error.value.fields)

    assert faults(applicant="heir", papers=frozenset()) == {"applicant"}
    assert faults(died=True) == {"applicant"}, "the patient cannot stand there"
    assert faults(applicant="nobody", applicant_name=" ", purpose="x", package="y", by_mail=True) == {
        "applicant", "applicant_name", "purpose", "package", "mail", "records",
    }  # fmt: skip
    assert faults(records=()) == {"records"}
    assert faults(sheets={scanned[0]: "many"}) == {"sheets"}
    assert faults(records=(), sheets={scanned[0]: "3"}) == {"sheets"}
    assert faults(package="chosen") == {"records"}
    with hospital.site.uow(Actor.system("test")) as uow:
        young = update(Patient).where(Patient.mrn == "00218647").values(birth=uow.today.replace(year=2020))
        uow.session.execute(young, execution_options=TEST)
    assert faults() == {"applicant"}


def test_the_copy_is_stamped_page_by_page_confirmed_by_both_handed_over_and_verified(
    hospital: Hospital, scanned: tuple[int, int]
) -> None:
    number = applied(hospital, scanned[0], sheets={scanned[0]: "３"})
    pdf = made(hospital, number)
    assert len(pypdfium2.PdfDocument(pdf)) == 3, "a list of pages, and two pages of the operation note"
    with hospital.uow("desk") as uow:
        copy = of(uow, number)
        assert (copy.digest, copy.pages, copy.fee_fen) == (hashlib.sha256(pdf).hexdigest(), 5, 250)
        assert [(line.label, line.pages) for line in slips.lines(uow, copy)] == [
            ("手术记录", 2),
            ("取自纸质案卷", 3),
        ]
        for clerk, applicant in ((True, False), (False, True)):
            with pytest.raises(Invalid):
                handing.confirm(uow, copy, clerk=clerk, applicant=applicant)
            uow.undo()
            copy = of(uow, number)
    confirmed(hospital, number)
    with pytest.raises(Invalid), hospital.uow("desk") as uow:
        handing.deliver(uow, of(uow, number), paid=False)
    hospital.clock.forward(minutes=7)
    with hospital.uow("desk") as uow:
        handing.deliver(uow, of(uow, number), paid=True)
    with hospital.uow("desk", readonly=True) as uow:
        assert of(uow, number).state == "delivered"
        figures = turnaround.figures(uow)
        assert (figures.done, figures.in_time, figures.days, figures.open, figures.today) == (1, 1, 0.0, 0, 1)
        assert figures.minutes is not None
        assert 7 <= figures.minutes <= 8
        acts = uow.session.scalars(
            select(AuditEvent).where(AuditEvent.action.startswith("copy.")).order_by(AuditEvent.id)
        ).all()
    assert [one.action for one in acts] == [
        "copy.applied",
        "copy.making_ordered",
        "copy.made",
        "copy.confirmed",
        "copy.delivered",
    ]
    assert len({one.patient_hash for one in acts}) == 1
    assert acts[0].patient_hash


@once
def test_a_code_confirms_number_day_pages_and_hash_and_all_else_answers_alike(
    hospital: Hospital, scanned: tuple[int, int]
) -> None:
    number = applied(hospital, scanned[0])
    spoken = papers.code_on(made(hospital, number))
    code = spoken.replace("-", "")
    assert len(code) == 26

    def asked(typed: str, address: str = "203.0.113.7") -> verifying.Confirmed | None:
        return verifying.verify(hospital.site, typed, Origin(address=address))

    assert asked(code) is None, "not before both have confirmed it"
    confirmed(hospital, number)
    told = asked(spoken.lower())
    assert told is not None
    assert (told.number, str(told.day), told.pages, len(told.digest)) == (number, "2026-11-20", 2, 64)
    for wrong in (number, "", "x" * 5000, code[:-1], f"{code}A", "\0"):
        assert asked(wrong, "203.0.113.8") is None
    with hospital.uow("desk") as uow:
        handing.revoke(uow, of(uow, number), reason="页序有误")
    assert asked(code, "203.0.113.9") is None
    with hospital.uow("desk", readonly=True) as uow, pytest.raises(Conflict):
        handing.file(uow, of(uow, number))
    for _time in range(30):
        asked("no code", "203.0.113.10")
    with pytest.raises(verifying.TooManyCodes):
        asked(code, "203.0.113.10")
    assert asked(code, "203.0.113.11") is None
    hospital.clock.forward(minutes=16)
    assert asked(code, "203.0.113.10") is None
    with hospital.site.session(readonly=True) as session:
        assert code not in str([row.key for row in session.scalars(select(SignInAttempt))])


@once
def test_of_an_unfinished_record_the_finished_part_is_copied_now_and_the_rest_later(
    hospital: Hospital, record: int
) -> None:
    upload(hospital, "archivist", component(hospital, record, "入院记录", "RY"), papers.pdf("入院记录"))
    work_off(hospital.site)
    number = applied(hospital, record, package="whole", later=frozenset({record}))
    made(hospital, number)
    confirmed(hospital, number)
    with hospital.uow("desk") as uow:
        with pytest.raises(Conflict):
            handing.follow(uow, of(uow, number), sheets={})
        uow.undo()
        handing.deliver(uow, of(uow, number), paid=True)
    item = component(hospital, record, "手术记录")
    upload(hospital, "archivist", item, papers.pdf("术中粘连已松解", "手术记录续页"), "手术.pdf")
    work_off(hospital.site)
    with hospital.uow("desk", readonly=True) as uow:
        assert [row.can_follow for row in slips.listing(uow, "owing")] == [False]
        assert slips.counts(uow) == slips.Counts(open=0, today=1, ready=0)
    archived(hospital, record)
    with hospital.uow("desk", readonly=True) as uow:
        assert [row.can_follow for row in slips.listing(uow, "owing")] == [True]
        assert slips.counts(uow).ready == 1
    with hospital.uow("desk") as uow:
        second = handing.follow(uow, of(uow, number), sheets={}).number
    made(hospital, second)
    with hospital.uow("desk", readonly=True) as uow:
        copy = of(uow, second)
        assert (copy.state, copy.pages, copy.owes, of(uow, number).owes) == ("made", 2, False, False)
        assert slips.listing(uow, "owing") == []
        assert slips.shown(uow, copy).missing == []


@once
def test_a_slip_is_seen_by_whoever_may_copy_all_of_it_and_its_file_goes_when_its_days_are_over(
    hospital: Hospital, scanned: tuple[int, int]
) -> None:
    number = applied(hospital, scanned[0])
    made(hospital, number)
    for account in sorted(set(CAST) - WINDOW):
        with pytest.raises(Forbidden), hospital.uow(account, readonly=True) as uow:
            of(uow, number)
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(scanned[0]), level=2, reason="特殊病案")
    with pytest.raises(NotFound), hospital.uow("desk", readonly=True) as uow:
        of(uow, number)
    with hospital.uow("desk", readonly=True) as uow:
        assert slips.listing(uow) == []
        assert turnaround.figures(uow).open == 0
    with hospital.uow("archivist") as uow:
        handing.refuse(uow, of(uow, number), reason="申请人撤回")
    with hospital.uow("archivist", readonly=True) as uow, pytest.raises(Conflict):
        handing.file(uow, of(uow, number))
    hospital.clock.forward(days=91)
    with hospital.site.uow(Actor.system("test")) as uow:
        blob = uow.session.scalars(
            select(Blob).where(Blob.filename == f"{number}.pdf"), execution_options=TEST
        ).one()
        assert purge.remove_bytes(uow, blob.id)
    with hospital.uow("archivist", readonly=True) as uow, pytest.raises(Conflict):
        handing.file(uow, of(uow, number))


@once
def test_the_patient_is_told_who_has_seen_the_record_by_office_and_of_no_other_record(
    hospital: Hospital, scanned: tuple[int, int]
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        for number in scanned:
            event = uow.event_about(uow.node(number), Event("page.viewed"))
            hospital.site.record_read(event, uow.actor, uow.origin)
    hidden = another(hospital, mrn="00218647", name="刘婷婷", level=2)
    with hospital.uow("senior", readonly=True) as uow:
        hospital.site.record_read(
            uow.event_about(uow.node(hidden), Event("record.downloaded")), uow.actor, uow.origin
        )
    emergency = {"mrn": "00218647", "patient_name": "刘婷婷", "cause": "rescue", "reason": "产后大出血，昏迷送入，需了解手术史",
                 "password": PASSWORD}  # fmt: skip
    with hospital.uow("clinician") as uow:
        assert breakglass.declare(uow, emergency) is not None
    with pytest.raises(Invalid) as refused:
        applied(hospital, scanned[0], kind="trail", applicant="authority")
    assert set(refused.value.fields) == {"kind"}
    slip = applied(hospital, scanned[0], kind="trail")
    pdf = made(hospital, slip)
    with hospital.uow("desk", readonly=True) as uow:
        copy = of(uow, slip)
        assert (copy.pages, copy.fee_fen) == (len(pypdfium2.PdfDocument(pdf)), 0)
        told = trail.rows(uow, copy, slips.nodes_of(uow, copy))
        cut = trail.rows(uow, copy, slips.nodes_of(uow, copy), most=1)
    assert cut[0] == told[0]
    assert cut[1][1:] == ("更早的未逐条列出", "", str(sum(int(row[3]) for row in told[1:])))
    assert len(cut) == 2
    assert ("2026-11-20", "阅读了页面", "档案管理员", "2") in told
    assert [row[3] for row in told if row[1] == "紧急调阅"] == ["1"], (
        "of the record, not of the person besides"
    )
    assert not [row for row in told if "下载" in row[1]], "a record that the window may not know of"
    assert not [row for row in told if "甲" in "".join(row)], "no names"
    assert {row[1] for row in told} >= {"阅读了页面", "按号码查找了患者"}
    with hospital.site.journal() as journal:
        drawn = journal.scalars(select(ReadEvent).where(ReadEvent.action == "copy.trail_drawn")).one()
    assert drawn.object_ref == slip


@once
def test_only_what_is_ticked_follows_on_papers_that_were_seen_then_and_by_the_rules_of_then(
    hospital: Hospital, record: int
) -> None:
    summary = component(hospital, record, "出院记录", "CY")
    upload(hospital, "archivist", summary, papers.pdf("出院记录"))
    work_off(hospital.site)
    with pytest.raises(Invalid) as refused:
        applied(hospital, record, package="insurance", records=(), later=frozenset({record}))
    assert set(refused.value.fields) == {"records"}, "a slip of which nothing can be made would never end"
    ticked = {"records": (), "package": "chosen", "parts": frozenset({summary}), "later": frozenset({record})}
    number = applied(hospital, **ticked)
    with pytest.raises(applications.TakenTwice) as twice:
        applied(hospital, **ticked)
    with hospital.uow("desk", readonly=True) as uow:
        assert twice.value.slip == of(uow, number).uuid
        before = of(uow, number).created_at
    made(hospital, number)
    confirmed(hospital, number)
    with hospital.uow("desk") as uow, pytest.raises(Conflict):
        handing.ship(uow, of(uow, number), paid=True, tracking="SF1")
    with hospital.uow("desk") as uow:
        handing.deliver(uow, of(uow, number), paid=True)
    note, other = component(hospital, record, "手术记录"), component(hospital, record, "会诊记录", "HZ")
    for item in (note, other):
        upload(hospital, "archivist", item, papers.pdf("续页"), f"{item}.pdf")
    work_off(hospital.site)
    archived(hospital, record)
    hospital.clock.forward(days=1)
    with hospital.site.uow(Actor.system("test")) as uow:
        known = policies.in_force(uow, "copying")
        packages = {code: one for code, one in known.body["packages"].items() if code == "listed"}
        uow.session.add(PolicyVersion(kind="copying", version=known.version + 1, body=known.body | {"packages": packages},
                                      source=dict(known.source), adopted_at=uow.now, valid_from=uow.now))  # fmt: skip
    with pytest.raises(Invalid), hospital.uow("archivist") as uow:
        handing.follow(uow, of(uow, number), sheets={})
    with hospital.uow("archivist") as uow:
        copy = of(uow, number)
        chosen = {
            part.label: str(part.node.uuid) for stay in handing.to_tick(uow, copy) for part in stay.parts
        }
        assert len(chosen) == 3
        second = handing.follow(uow, copy, sheets={}, parts=[chosen["手术记录"]])
        assert [line.label for line in slips.lines(uow, second)] == ["手术记录"]
        seen = uow.session.scalars(
            select(CopyProof).where(CopyProof.copy_id == second.id), execution_options=TEST
        ).one()
        assert (seen.kind, seen.seen_by) == ("patient_id", hospital.people["desk"])
        assert seen.seen_at - before < timedelta(minutes=1)


@once
def test_pages_that_were_moved_since_the_application_are_never_left_out_in_silence(
    hospital: Hospital, record: int
) -> None:
    upload(hospital, "archivist", record, papers.pdf("住院病案首页", "出院记录"))
    work_off(hospital.site)
    number = applied(hospital, record, package="whole", papers=frozenset())
    item = component(hospital, record, "出院记录", "CY")
    with hospital.uow("archivist") as uow:
        home = uow.node(record)
        last, version = slips.pages_of(uow, record)[1], page_map.version(uow, home)
        page_desk.put_into(uow, home, pages=[last], part=uow.node(item), version=version)
    with hospital.uow("desk") as uow:
        applications.complete(uow, of(uow, number), ["patient_id"])
    with hospital.uow("desk") as uow:
        handing.make(uow, of(uow, number))
    work_off(hospital.site)
    with hospital.uow("desk", readonly=True) as uow:
        assert (of(uow, number).state, of(uow, number).digest) == ("accepted", None)
        job = uow.session.scalars(select(Job).where(Job.kind == handing.KIND), execution_options=TEST).one()
        assert (job.state, job.message) == ("failed", str(making.MOVED.message))


def test_of_two_windows_that_go_on_with_one_slip_at_once_one_is_told(
    hospital: Hospital, scanned: tuple[int, int]
) -> None:
    number, said, start = applied(hospital, scanned[0]), [], Barrier(2)

    def order(account: str) -> None:
        actor = hospital.actor(account)
        start.wait()
        try:
            hospital.site.run(actor, lambda uow: handing.make(uow, of(uow, number)))
            said.append("ordered")
        except Conflict:  # by the state that is read, or as Stale by the version
            said.append("told")

    threads = [Thread(target=order, args=(account,)) for account in ("desk", "archivist")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["ordered", "told"]
    with hospital.site.session(readonly=True) as session:
        assert len(session.scalars(select(Job).where(Job.kind == handing.KIND)).all()) == 1
