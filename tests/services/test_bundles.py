"""Asking for many at once: one number and one reason, each record on its own, and no word of what is hidden."""

from io import BytesIO
from threading import Barrier, Thread
from uuid import UUID

import pytest
from sqlalchemy import event, func, select

from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.models import AuditEvent, Notice, Request, RequestBundle
from archive.services import (
    approval_desk,
    bundles,
    bundling,
    ethics,
    intake,
    notices,
    requests,
    setup,
    slips,
)
from archive.uow import UnitOfWork
from tests import papers
from tests.archives import begins, once
from tests.conftest import Clock, Hospital
from tests.scanner import EICAR, clamd
from tests.services.lending import another, archive_it, numbers, rules, state_of

TERMS = {
    "kind": "eread",
    "purpose": "discussion",
    "days": "3",
    "reason": "前置胎盘病例讨论",
    "declared": "none",
}
SEEN = ("00218647-2", "00300001-1", "00300002-1")
HIDDEN, NOWHERE = "00217720-1", "99999999-1"

pytestmark = pytest.mark.usefixtures("in_english")


@begins
def archived(hospital: Hospital, record: int) -> int:
    """Three archived records of obstetrics, and one that a clinician may not know of; somebody of medical affairs."""
    with hospital.site.uow(Actor.system("test")) as uow:
        setup.enlist(uow, account="affairs", name="苏文", staff_no="0098", password=None, roles=("medical_affairs",),
                     clearance=2)  # fmt: skip
    another(hospital, mrn="00300001", name="陈朵朵")
    another(hospital, mrn="00300002", name="毛晓燕")
    another(hospital, mrn="00217720", level=3)
    return archive_it(hospital, record)


def ask(
    hospital: Hospital, text: str, account: str = "clinician", **terms: str
) -> tuple[UUID, dict[str, str]]:
    with hospital.uow(account) as uow:
        sent = bundling.ask(uow, bundling.read(uow, text), TERMS | terms)
        assert sent.bundle is not None
        return sent.bundle.uuid, dict(sent.refused)


def of(hospital: Hospital, account: str, uuid: UUID) -> bundles.Shown:
    with hospital.uow(account, readonly=True) as uow:
        return bundles.shown(uow, bundles.one(uow, uuid))


@once
def test_a_list_of_numbers_is_one_line_for_whoever_decides_and_is_decided_whole_or_in_part(
    hospital: Hospital, archived: int
) -> None:
    uuid, refused = ask(hospital, "\n".join(SEEN))
    assert refused == {}
    with hospital.uow("head", readonly=True) as uow:
        (line,) = bundles.waiting(uow)
        assert (line.number, line.many, line.asked, line.reason) == ("PS2026-0001", 3, 3, TERMS["reason"])
        assert line.asker is not None
        assert line.offices == ("Whoever decides on the record",)
        assert approval_desk.mine(uow) == [], "what is in a bundle does not stand beside it once more"
    first = of(hospital, "head", uuid).waiting[0].slip
    with hospital.uow("head") as uow:
        (outcome,) = requests.decide(uow, [first.uuid], "refuse", reason="请先说明诊疗需要")
        assert outcome.refusal is None
    with hospital.uow("head") as uow:
        rest = bundles.to_decide(uow, [uuid])[uuid]
        assert len(rest) == 2
        assert [one.refusal for one in requests.decide(uow, rest, "approve")] == [None, None]
        assert bundles.to_decide(uow, [uuid]) == {}
    assert sorted(slip.state.name for slip in of(hospital, "clinician", uuid).others) == [
        "active",
        "active",
        "refused",
    ]
    with hospital.uow("clinician", readonly=True) as uow:
        (mine,) = bundles.mine(uow)
        assert (mine.many, mine.waiting, mine.granted) == (3, 0, 2)
        told = {one.text: one.about for one in notices.mine(uow)}
    assert told == {
        "Of your bundle, records have been granted": "PS2026-0001",
        "Of your bundle, records have been refused": "PS2026-0001",
    }, "one notice for what was decided at one time, not one a record"


@once
def test_a_list_answers_alike_whether_a_hidden_record_is_there_or_not(
    hospital: Hospital, archived: int
) -> None:
    answers = []
    for number in (HIDDEN, NOWHERE):
        uuid, refused = ask(hospital, f"{SEEN[0]}，{number}", kind="paper" if answers else "eread")
        shown = of(hospital, "clinician", uuid)
        answers.append(
            (refused, shown.bundle.asked, [slip.node.stay for slip in shown.others], shown.waiting)
        )
        with hospital.uow("clinician", readonly=True) as uow:
            answers[-1] += (next((one.asked, one.many, one.waiting) for one in bundles.mine(uow)),)
            told = bundling.foretell(uow, bundling.read(uow, number), "eread")
            answers[-1] += ([(one.node, one.hindrance) for one in told],)
    assert answers[0] == answers[1] == ({}, 2, [SEEN[0]], [], (2, 1, 1), [(None, None)])
    with hospital.uow("senior", readonly=True) as uow:
        (hidden,) = [one for line in bundles.waiting(uow) for one in of(hospital, "senior", line.uuid).waiting
                     if one.slip.node.stay == HIDDEN]  # fmt: skip
    with hospital.uow("senior") as uow:
        requests.decide(uow, [hidden.slip.uuid], "refuse", reason="无诊疗关系")
        assert uow.session.scalar(select(func.count(Notice.id)), execution_options={"scope": "notices"}) == 1
    with hospital.uow("clinician", readonly=True) as uow:
        assert notices.mine(uow) == [], "a refusal of what is hidden is told to nobody"
        assert notices.waiting(uow).notices == 0
    with hospital.site.session(readonly=True) as session:
        tried = select(func.count(AuditEvent.id)).where(AuditEvent.action == "request.asked_by_number")
        assert session.scalar(tried) == 2, "each try is counted, found or not"


@once
def test_tries_of_a_list_are_counted_one_by_one_and_a_bundle_has_its_own_limits(
    hospital: Hospital, archived: int
) -> None:
    unseen = "\n".join(f"{number}-1" for number in range(99000000, 99000051))
    with hospital.uow("clinician") as uow, pytest.raises(Conflict, match="at most 50"):
        bundling.ask(uow, bundling.read(uow, unseen), TERMS)
    ask(hospital, unseen[: unseen.rindex("\n")])
    with hospital.uow("clinician") as uow, pytest.raises(Conflict, match="by number within a day"):
        requests.ask_by_number(uow, number=HIDDEN, **{name: TERMS[name] for name in TERMS})  # type: ignore[arg-type]
    with hospital.uow("clinician", readonly=True) as uow, pytest.raises(Invalid) as wrong:
        bundling.read(uow, "\n".join(f"{number}-1" for number in range(99000000, 99000201)))
    assert "up to 200" in wrong.value.fields["records"]
    numbers(hospital, "bundles", records=3, open_bundles=1)
    ask(hospital, "\n".join(SEEN), "clinician2")
    with hospital.uow("clinician2") as uow, pytest.raises(Conflict, match="1 open bundles"):
        bundling.ask(uow, bundling.read(uow, "\n".join(SEEN)), TERMS | {"kind": "paper"})


@once
def test_what_is_refused_in_a_list_is_said_by_its_line_and_where_nothing_is_asked_no_bundle_is_made(
    hospital: Hospital, archived: int
) -> None:
    ask(hospital, "\n".join(SEEN[:2]))
    uuid, refused = ask(hospital, "\n".join(SEEN))
    assert set(refused) == set(SEEN[:2])
    assert "asked for this already" in refused[SEEN[0]]
    assert of(hospital, "clinician", uuid).bundle.asked == 1
    with hospital.uow("clinician") as uow:
        sent = bundling.ask(uow, bundling.read(uow, "\n".join(SEEN)), TERMS)
        assert sent.bundle is None
        assert set(sent.refused) == set(SEEN)
    with hospital.uow("clinician2", readonly=True) as uow:
        for text, words in (
            ("刘婷婷", "where you cannot find"),
            ("", "one number a line"),
            ("QZ-1", "where you cannot find"),
        ):
            with pytest.raises(Invalid) as wrong:
                bundling.read(uow, text)
            assert words in wrong.value.fields["records"]
    with hospital.uow("clinician2") as uow, pytest.raises(Invalid) as wrong:
        bundling.ask(uow, bundling.read(uow, "\n".join(SEEN)), TERMS | {"reason": " "})
    assert "reason" in wrong.value.fields
    with hospital.site.session(readonly=True) as session:
        assert session.scalar(select(func.count(RequestBundle.id))) == 2
        assert session.scalar(select(func.count(Request.id))) == 3


@once
def test_a_bundle_is_seen_by_whoever_asked_and_whoever_decides_and_by_nobody_else(
    hospital: Hospital, archived: int
) -> None:
    uuid, _refused = ask(hospital, "\n".join(SEEN))
    for account in (
        "clinician2",
        "auditor",
        "security",
        "sysadmin",
        "stranger",
        "inspector",
        "scanner",
        "desk",
    ):
        with hospital.uow(account, readonly=True) as uow:
            with pytest.raises(NotFound):
                bundles.one(uow, uuid)
            assert bundles.mine(uow) == bundles.waiting(uow) == bundles.later(uow) == []
            assert bundles.to_decide(uow, [uuid]) == {}
    for account in ("auditor", "security", "sysadmin", "inspector"):
        with hospital.uow(account) as uow, pytest.raises((Forbidden, Invalid)):
            bundling.ask(uow, [bundling.Line(number, None) for number in SEEN], TERMS)
    assert of(hospital, "archivist", uuid).waiting


@once
def test_whoever_asked_withdraws_what_they_like_and_decides_nothing(
    hospital: Hospital, archived: int
) -> None:
    uuid, _refused = ask(hospital, "\n".join(SEEN), "head")
    refs = [slip.uuid for slip in of(hospital, "head", uuid).others]
    assert len(refs) == 3
    with hospital.uow("head") as uow:
        assert all(one.refusal for one in requests.decide(uow, refs, "approve"))
        assert not any(one.refusal for one in requests.decide(uow, refs[:2], "cancel"))
    assert sorted(state_of(hospital, slip.number) for slip in of(hospital, "head", uuid).others) == [
        "cancelled", "cancelled", "requested",
    ]  # fmt: skip


@once
def test_a_longer_bundle_asks_no_more_of_the_database(hospital: Hospital, archived: int) -> None:
    def statements(uuid: UUID) -> int:
        asked: list[str] = []

        def listen(*call: object) -> None:
            asked.append(str(call[2]))

        with hospital.uow("archivist", readonly=True) as uow:
            event.listen(hospital.site.engine, "before_cursor_execute", listen)
            bundles.waiting(uow)
            bundles.shown(uow, bundles.one(uow, uuid))
            event.remove(hospital.site.engine, "before_cursor_execute", listen)
        return len(asked)

    few = statements(ask(hospital, "\n".join(SEEN[:2]))[0])
    assert statements(ask(hospital, "\n".join(SEEN), "clinician2")[0]) == few


def small_parts(hospital: Hospital) -> None:
    """The policy splits bundles of more than two."""
    numbers(hospital, "studies", over=2, each=2)


def attach(hospital: Hospital, account: str, uuid: UUID, *, day: str = "2026-11-02") -> None:
    content = papers.pdf("伦理委员会批件")
    staged = intake.stage(hospital.site, BytesIO(content))
    try:
        looked = ethics.look(hospital.site, staged)
        with hospital.uow(account) as uow:
            ethics.attach(
                uow,
                bundles.one(uow, uuid),
                staged,
                filename="批件.pdf",
                looked=looked,
                number="LL-2026-17",
                day=day,
            )
    finally:
        intake.discard(hospital.site, staged)


def looked_into(hospital: Hospital, content: bytes) -> ethics.Looked:
    staged = intake.stage(hospital.site, BytesIO(content))
    try:
        return ethics.look(hospital.site, staged)
    finally:
        intake.discard(hospital.site, staged)


def whole(
    hospital: Hospital, account: str, uuid: UUID, act: str = "approve", **more: str
) -> list[str | None]:
    """Somebody ticks the line of a bundle."""
    with hospital.uow(account) as uow:
        refs = bundles.to_decide(uow, [uuid], act).get(uuid, [])
        return [one.refusal for one in requests.decide(uow, refs, act, **more)]


@once
def test_a_study_goes_out_in_parts_with_medical_affairs_and_the_approval_of_the_ethics_committee(
    hospital: Hospital, archived: int
) -> None:
    small_parts(hospital)
    uuid, _refused = ask(hospital, "\n".join(SEEN), purpose="research", days="")
    assert of(hospital, "clinician", uuid).bundle.parts == 2
    assert [one.office for one in of(hospital, "head", uuid).waiting[0].chain] == [
        "Head of the asker's department", "Medical affairs", "Head of the record room",
    ]  # fmt: skip
    assert whole(hospital, "head", uuid) == whole(hospital, "affairs", uuid) == [None] * 3, (
        "opinions are of the whole"
    )
    (why,) = set(whole(hospital, "senior", uuid))
    assert why is not None
    assert "ethics committee is not attached" in why
    with pytest.raises(Invalid):
        attach(hospital, "clinician", uuid, day="2027-01-01")
    with pytest.raises(NotFound):
        attach(hospital, "clinician2", uuid)
    with pytest.raises(Forbidden):
        attach(hospital, "head", uuid)
    with clamd() as address:
        hospital.site.settings = hospital.site.settings.model_copy(update={"clamd": address})
        attach(hospital, "clinician", uuid)
        with pytest.raises(Invalid) as infected:
            looked_into(hospital, papers.pdf("批件") + EICAR)
        assert "virus" in infected.value.fields["file"]
    with hospital.uow("senior", readonly=True) as uow:
        assert ethics.examined(uow, bundles.one(uow, uuid)) == "Virus check: nothing found"
        assert ethics.picture(uow, uuid, 1)[:3] == b"\xff\xd8\xff", (
            "a picture, never the file that came from outside"
        )
        for number in (0, 2):
            with pytest.raises(NotFound):
                ethics.picture(uow, uuid, number)
    with hospital.uow("clinician2", readonly=True) as uow, pytest.raises(NotFound):
        ethics.picture(uow, uuid, 1)
    assert whole(hospital, "senior", uuid) == [None, None], "one part at a time"
    assert whole(hospital, "senior", uuid) == [], "the next one waits for it"
    (last,) = [slip for slip in of(hospital, "senior", uuid).others if slip.state.name == "requested"]
    with hospital.uow("senior") as uow:
        (outcome,) = requests.decide(uow, [last.uuid], "approve")
        assert "Another part of this bundle is out" in (outcome.refusal or "")
    with pytest.raises(Conflict):
        attach(hospital, "clinician", uuid)
    with hospital.uow("clinician") as uow:
        back = [
            slip.uuid
            for slip in bundles.shown(uow, bundles.one(uow, uuid)).others
            if slip.state.name == "active"
        ]
        assert [one.refusal for one in requests.decide(uow, back, "give_back")] == [None, None]
    assert whole(hospital, "senior", uuid) == [None]


@once
def test_a_part_that_is_only_over_by_the_clock_lets_the_next_one_out_and_a_refusal_is_of_all_parts(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    small_parts(hospital)
    uuid, _refused = ask(hospital, "\n".join(SEEN), purpose="research", days="2")
    attach(hospital, "clinician", uuid)
    attach(hospital, "clinician", uuid, day="2026-11-20")
    assert whole(hospital, "head", uuid) == [None] * 3
    with pytest.raises(Conflict, match="judged already"):  # the head has read this paper, and not another
        attach(hospital, "clinician", uuid)
    assert whole(hospital, "affairs", uuid) == [None] * 3
    assert whole(hospital, "senior", uuid) == [None, None]
    clock.forward(days=4)
    assert whole(hospital, "senior", uuid, "refuse", reason="课题已结束") == [None]
    other, _refused = ask(hospital, "\n".join(SEEN), "clinician2", purpose="research", days="")
    assert whole(hospital, "affairs", other, "refuse", reason="请先提交方案") == [None] * 3


@once
def test_what_cannot_be_opened_is_no_approval(hospital: Hospital, archived: int) -> None:
    with pytest.raises(Invalid) as wrong:
        looked_into(hospital, b"<script>alert(1)</script>")
    assert "file" in wrong.value.fields


@pytest.mark.parametrize("site", ["postgres"], indirect=True)
def test_of_two_who_grant_two_parts_at_once_one_is_told_that_the_other_part_is_out(
    hospital: Hospital, archived: int
) -> None:
    small_parts(hospital)
    rules(hospital, research={"approvers": ["record"]})
    uuid, _refused = ask(hospital, "\n".join(SEEN), purpose="research", days="")
    attach(hospital, "clinician", uuid)
    assert whole(hospital, "affairs", uuid) == [None] * 3
    first, *_others, last = sorted(of(hospital, "senior", uuid).waiting, key=lambda one: one.slip.part)
    start, outcomes, tried = Barrier(2), list[str](), set[str]()

    def approve(account: str, ref: UUID) -> None:
        def one(uow: UnitOfWork) -> None:
            row = slips.one(uow, ref)
            if account not in tried:  # the database may ask for it once more
                tried.add(account)
                start.wait(20)  # both have read that nothing is out
            requests.advance(uow, row, "approve")

        try:
            hospital.site.run(hospital.actor(account), one)
            outcomes.append("granted")
        except Conflict as refused:
            outcomes.append(str(refused))

    threads = [
        Thread(target=approve, args=(account, one.slip.uuid))
        for account, one in (("senior", first), ("archivist", last))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["granted", "本批次另一部分尚未归还，归还后再批下一部分。"]
