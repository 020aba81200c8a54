"""Asking and deciding: who may, what they see of it, and when a reading ends."""

from datetime import date

import pytest
from sqlalchemy import event, func, select

from archive.actor import Actor
from archive.errors import ArchiveError, Conflict, Forbidden, Invalid, NotFound, Stale
from archive.journal import Event
from archive.models import AuditEvent, Holding, HoldingStatus, Request, User
from archive.policy.permissions import P
from archive.services import (
    approval_desk,
    borrowing,
    foretelling,
    holdings,
    reading,
    request_counts,
    requests,
    setup,
    slips,
    tree,
)
from archive.sight import NodeView
from tests.archives import begins
from tests.conftest import CAST, Clock, Hospital
from tests.services.lending import another, approved, archive_it, ask, cover, issue, merged, state_of, step
from tests.services.sealing import seal

NOTHING_TO_DO_WITH_IT = ("auditor", "security", "sysadmin", "stranger", "inspector", "scanner", "desk")


pytestmark = pytest.mark.usefixtures("in_english")


@begins
def archived(hospital: Hospital, record: int) -> int:
    """An archived record of obstetrics, scanned and bound."""
    return archive_it(hospital, record)


def test_a_request_has_a_number_of_its_year_without_gaps(hospital: Hospital, archived: int) -> None:
    assert ask(hospital, "clinician", archived) == "JY2026-000001"
    with pytest.raises(Conflict):
        ask(hospital, "clinician", archived)
    assert ask(hospital, "clinician2", archived) == "JY2026-000002"


@pytest.mark.parametrize("account", sorted(CAST))
def test_only_who_may_ask_asks(hospital: Hospital, archived: int, account: str) -> None:
    may = {"clinician", "clinician2", "head", "archivist", "senior"}
    if account in may:
        assert ask(hospital, account, archived, kind="paper").startswith("JY2026-")
    else:
        with pytest.raises((Forbidden, NotFound)):
            ask(hospital, account, archived, kind="paper")


@pytest.mark.parametrize("account", sorted(CAST))
def test_only_who_may_decide_decides(hospital: Hospital, archived: int, account: str) -> None:
    number = ask(hospital, "clinician", archived)
    if account in {"archivist", "senior", "head"}:
        step(hospital, account, number, "approve")
        assert state_of(hospital, number) == "active"
    else:
        with pytest.raises((Forbidden, NotFound)):
            step(hospital, account, number, "approve")
        assert state_of(hospital, number) == "requested"


@pytest.mark.parametrize("account", NOTHING_TO_DO_WITH_IT)
def test_whoever_has_nothing_to_do_with_requests_sees_none(
    hospital: Hospital, archived: int, account: str
) -> None:
    number = approved(hospital, "clinician", archived)
    with hospital.uow(account, readonly=True) as uow:
        assert requests.mine(uow) == requests.to_decide(uow) == requests.mine_on(uow, tree.root(uow)) == []
        assert set(vars(request_counts.counts(uow)).values()) == {0}
        with pytest.raises(NotFound):
            slips.one(uow, number)


def test_nobody_decides_their_own_request(hospital: Hospital, archived: int) -> None:
    for account in ("head", "archivist", "senior"):
        number = ask(hospital, account, archived, kind="paper")
        with pytest.raises(Conflict, match="own request"):
            step(hospital, account, number, "approve")
        with hospital.uow(account, readonly=True) as uow:
            assert number not in {slip.number for slip in requests.to_decide(uow)}
            assert "approve" not in {offer.name for offer in requests.offers(uow, slips.one(uow, number))}


def test_a_head_decides_for_the_own_department_only(hospital: Hospital, archived: int) -> None:
    elsewhere = another(hospital, mrn="00216166", ward="EK")
    ours, theirs = ask(hospital, "clinician", archived), ask(hospital, "clinician", elsewhere)
    with hospital.uow("head", readonly=True) as uow:
        assert [slip.number for slip in requests.to_decide(uow)] == [ours]
        with pytest.raises(NotFound):
            slips.one(uow, theirs)
    with hospital.uow("archivist", readonly=True) as uow:
        assert [slip.number for slip in requests.to_decide(uow)] == [ours, theirs]


def test_an_approved_reading_opens_the_record_and_the_clock_closes_it(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    number = approved(hospital, "clinician2", archived, kind="eread", days=3)
    with hospital.uow("clinician2", readonly=True) as uow:
        node = uow.node(archived, P.READ)
        assert not uow.can(P.PRINT, node)
        assert not uow.can(P.DOWNLOAD, node)
        (slip,) = requests.mine(uow)
        assert (slip.state.name, str(slip.until)[:16]) == ("active", "2026-11-23 15:59")
        grant = reading.my_grant(uow, node)
        assert grant is not None
        assert (grant.number, grant.until) == (number, slip.until)
    clock.forward(days=3, hours=15)
    with hospital.uow("clinician2", readonly=True) as uow:
        assert P.READ not in NodeView(uow, uow.node(archived)).may
        assert reading.my_grant(uow, uow.node(archived)) is None
        assert requests.mine(uow)[0].state.name == "ended"
        assert requests.offers(uow, slips.one(uow, number)) == []
        assert request_counts.counts(uow).reading == 0
    assert ask(hospital, "clinician2", archived) == "JY2026-000002"


def test_the_program_writes_down_what_the_clock_has_ended(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    number = approved(hospital, "clinician", archived, kind="eread")
    with hospital.site.uow(Actor.system("reading.tidy")) as uow:
        assert reading.tidy(uow) == 0
    clock.forward(days=5)
    with hospital.site.uow(Actor.system("reading.tidy")) as uow:
        assert reading.tidy(uow) == 1
    assert state_of(hospital, number) == "ended"
    with pytest.raises(Forbidden), hospital.uow("senior") as uow:
        reading.tidy(uow)


@pytest.mark.parametrize(
    ("account", "name"), [("clinician", "give_back"), ("senior", "revoke"), ("head", "revoke")]
)
def test_who_ends_a_reading_ends_it_at_once(
    hospital: Hospital, archived: int, account: str, name: str
) -> None:
    number = approved(hospital, "clinician", archived, kind="eread")
    step(hospital, account, number, name, reason="不再需要")
    assert state_of(hospital, number) == "ended"
    with hospital.uow("clinician", readonly=True) as uow, pytest.raises(Forbidden):
        uow.node(archived, P.READ)


def test_a_colleague_neither_ends_nor_withdraws_what_another_asked_for(
    hospital: Hospital, archived: int
) -> None:
    number = approved(hospital, "clinician", archived, kind="eread")
    for account, name in (("clinician2", "give_back"), ("senior", "give_back"), ("archivist", "cancel")):
        with pytest.raises((Forbidden, NotFound)):
            step(hospital, account, number, name)


def test_a_refusal_says_why(hospital: Hospital, archived: int) -> None:
    number = ask(hospital, "clinician", archived)
    with pytest.raises(Invalid) as refused:
        step(hospital, "senior", number, "refuse", reason="  ")
    assert "reason" in refused.value.fields
    step(hospital, "senior", number, "refuse", reason="请先说明诊疗需要")
    with hospital.uow("clinician", readonly=True) as uow:
        (slip,) = requests.mine(uow)
        assert (slip.state.name, slip.note, slip.decided_by) == ("refused", "请先说明诊疗需要", "senior甲")
    with pytest.raises(Conflict):
        step(hospital, "senior", number, "approve")


def test_a_withdrawn_request_can_be_asked_again(hospital: Hospital, archived: int) -> None:
    step(hospital, "clinician", ask(hospital, "clinician", archived), "cancel")
    assert ask(hospital, "clinician", archived) == "JY2026-000002"


def test_whoever_decides_second_is_told_so(hospital: Hospital, archived: int) -> None:
    number = ask(hospital, "clinician", archived)
    with hospital.uow("archivist", readonly=True) as uow:
        seen = slips.one(uow, number).version
    step(hospital, "senior", number, "refuse", reason="重复申请")
    with pytest.raises(Stale), hospital.uow("archivist") as uow:
        requests.advance(uow, slips.one(uow, number), "approve", version=seen)


def test_a_trashed_record_is_neither_asked_for_nor_decided(hospital: Hospital, archived: int) -> None:
    waiting = ask(hospital, "clinician", archived)
    cover(hospital, archived)
    with pytest.raises(Forbidden):
        ask(hospital, "clinician2", archived)
    with pytest.raises((Forbidden, NotFound)):
        step(hospital, "senior", waiting, "approve")
    with hospital.uow("senior", readonly=True) as uow:
        assert requests.to_decide(uow) == []


def test_sealed_paper_is_neither_asked_for_nor_promised_and_reading_goes_on(
    hospital: Hospital, archived: int
) -> None:
    waiting = ask(hospital, "clinician", archived, kind="paper")
    approved(hospital, "clinician", archived, kind="eread")
    seal(hospital, archived)
    with pytest.raises(Conflict, match="sealed"):
        ask(hospital, "clinician2", archived, kind="paper")
    with pytest.raises(Conflict, match="sealed"):
        step(hospital, "senior", waiting, "approve")
    with hospital.uow("clinician", readonly=True) as uow:
        assert uow.node(archived, P.READ)
    with hospital.uow("senior") as uow:
        holdings.register(uow, uow.node(archived), sheets=3)
    step(hospital, "senior", waiting, "approve")


def test_nobody_opens_what_is_above_their_own_clearance(hospital: Hospital, archived: int) -> None:
    number = ask(hospital, "clinician", archived)
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(archived), level=3, reason="锁定")
    with hospital.site.uow(Actor.system("test")) as uow:
        setup.enlist(uow, account="senior2", name="沈佳", staff_no="0099", password=None, roles=("senior",),
                     clearance=2)  # fmt: skip
    hospital.people["senior2"] = _id_of(hospital, "senior2")
    with pytest.raises(Conflict, match="clearance"):
        step(hospital, "senior2", number, "approve")
    step(hospital, "senior", number, "approve")
    with hospital.uow("clinician", readonly=True) as uow:
        assert uow.can(P.READ, uow.node(archived))


def _id_of(hospital: Hospital, account: str) -> int:
    with hospital.site.session(readonly=True) as session:
        return int(session.scalar(select(User.id).where(User.account == account)) or 0)


def test_a_record_that_becomes_more_sensitive_closes_to_its_reader(hospital: Hospital, archived: int) -> None:
    approved(hospital, "clinician", archived, kind="eread")
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(archived), level=3, reason="锁定")
    with hospital.uow("clinician", readonly=True) as uow, pytest.raises(NotFound):
        uow.node(archived)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"kind": "fax"}, "kind"), ({"purpose": "curiosity"}, "purpose"), ({"days": 4}, "days"), ({"days": 0}, "days"),
        ({"days": "-1"}, "days"), ({"days": "three"}, "days"), ({"days": 10**9}, "days"),
        ({"reason": "因" * 501}, "reason"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_at_its_field(
    hospital: Hospital, archived: int, changes: dict[str, object], wrong: str
) -> None:
    asked = {"kind": "eread", "purpose": "discussion", "days": 3, "declared": "none"} | changes
    with pytest.raises(Invalid) as refused, hospital.uow("clinician") as uow:
        requests.ask(uow, uow.node(archived), **asked)  # type: ignore[arg-type]
    assert set(refused.value.fields) == {wrong}


def test_one_asks_only_for_what_there_is(hospital: Hospital, archived: int) -> None:
    with hospital.uow("senior") as uow:
        node = uow.node(archived)
        node.page_count = 0
        uow.record(Event("test.sealed"))
    with pytest.raises(Conflict, match="scanned"):
        ask(hospital, "clinician", archived)
    with pytest.raises(Conflict, match="read this already"):
        ask(hospital, "senior", archived)


def test_before_it_is_sent_one_reads_who_decides_how_long_and_whether_the_paper_is_there(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    issue(hospital, approved(hospital, "clinician2", archived, kind="paper"))
    with hospital.uow("clinician", readonly=True) as uow:
        node = uow.node(archived)
        told = {(one.rule.purpose, one.kind): one for one in foretelling.rules(uow, node, ["eread", "paper"])}
        assert told["treatment", "paper"].last_day == date(2026, 11, 25)
        assert told["research", "paper"].last_day == date(2026, 12, 20)
        assert ("consult", "paper") not in told
        stages = foretelling.offices(uow, node, list(told.values()))
        assert {
            code: [(one.department, one.title, one.names, one.people) for one in stage.offices]
            for code, stage in stages.items()
        } == {
            "record": [("产科", "Department head", ["head甲"], 1), ("", "Archivist", ["archivist甲"], 1),
                       ("", "Senior archivist", ["senior甲"], 1)],
            "record_head": [("", "Senior archivist", ["senior甲"], 1)],
            "dept_head": [("", "Department head", ["head甲"], 1)], "medical_affairs": [],
        }  # fmt: skip
        paper = foretelling.paper(uow, node)
        assert paper is not None
        assert (paper.status.name, paper.due_at is not None, paper.waiting) == ("lent", True, 0)
    with hospital.uow("head", readonly=True) as uow:
        node = uow.node(archived)
        assert "head甲" not in str(foretelling.offices(uow, node, foretelling.rules(uow, node, ["paper"])))
    other = another(hospital, mrn="00216166")
    clock.forward(days=8)
    with hospital.uow("clinician2", readonly=True) as uow:
        stops = {
            one.rule.purpose: one.is_blocked for one in foretelling.rules(uow, uow.node(other), ["paper"])
        }
    assert stops == {
        "treatment": False,
        "discussion": True,
        "quality": True,
        "research": True,
        "dispute": False,
    }


def test_of_several_volumes_the_one_hardest_to_have_is_told(hospital: Hospital, archived: int) -> None:
    with hospital.uow("senior") as uow:
        node = uow.node(archived)
        first = uow.session.scalars(uow.of(Holding, node, P.HOLDING_VIEW)).one()
        second = holdings.register(uow, node, sheets=12, location=None)
        first.status, second.status = HoldingStatus.SHELVED, HoldingStatus.WARD
    with hospital.uow("clinician", readonly=True) as uow:
        paper = foretelling.paper(uow, uow.node(archived))
        assert paper is not None
        assert (paper.status.name, paper.waiting) == ("ward", 0)


def test_what_no_rule_provides_for_is_refused_in_words(hospital: Hospital, archived: int) -> None:
    with pytest.raises(Invalid) as found:
        ask(hospital, "clinician", archived, kind="paper", purpose="consult")
    assert set(found.value.fields) == {"purpose"}
    with pytest.raises(Invalid) as found, hospital.uow("archivist") as uow:
        requests.ask(uow, uow.node(archived), kind="eread", purpose="consult", days="", declared="none")
    assert set(found.value.fields) == {"kind"}
    with hospital.uow("archivist") as uow:
        assert (
            requests.ask(
                uow, uow.node(archived), kind="paper", purpose="consult", days="", declared="none"
            ).days
            == 0
        )


def test_whoever_has_something_overdue_asks_for_nothing_more(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    other = another(hospital, mrn="00216166")
    issue(hospital, approved(hospital, "clinician", archived))
    ask(hospital, "clinician", other)
    clock.forward(days=6)
    for kind in borrowing.ALONE:
        with pytest.raises(Conflict, match="overdue"):
            ask(hospital, "clinician", other, kind=kind)
    assert ask(hospital, "clinician2", other)


def test_asking_by_number_answers_the_same_whether_the_record_exists_or_not(
    hospital: Hospital, archived: int
) -> None:
    secret = another(hospital, mrn="00217720", level=3)
    for number in ("00217720-1", "00217720-9", "99999999-1", "00218647-2", "00217720-1"):
        with hospital.uow("clinician") as uow:
            answer = requests.ask_by_number(
                uow, number=number, kind="eread", purpose="discussion", days=3, declared="none"
            )
        assert answer is None
    with hospital.uow("clinician", readonly=True) as uow:
        assert [slip.node.stay for slip in requests.mine(uow)] == ["00218647-2"]
        assert request_counts.counts(uow).waiting == 1
    with hospital.uow("archivist", readonly=True) as uow:
        assert [slip.node.stay for slip in requests.to_decide(uow)] == ["00218647-2"]
    with hospital.uow("senior", readonly=True) as uow:
        hidden = next(slip for slip in requests.to_decide(uow) if slip.node.id == secret)
    step(hospital, "senior", hidden.number, "approve")
    with hospital.uow("clinician", readonly=True) as uow:
        assert {slip.number for slip in requests.mine(uow)} == {"JY2026-000001", "JY2026-000004"}
        assert uow.can(P.READ, uow.node(secret))


def test_what_is_asked_for_by_number_falls_under_the_rule_for_its_sensitivity(hospital: Hospital) -> None:
    for mrn, level in (("00217720", 2), ("00217721", 1)):
        another(hospital, mrn=mrn, level=level)
        with hospital.uow("clinician") as uow:
            requests.ask_by_number(
                uow, number=f"{mrn}-1", kind="eread", purpose="research", days="", declared="none"
            )
    with hospital.site.session(readonly=True) as session:
        assert session.scalars(select(Request.rule).order_by(Request.id)).all() == [
            "research_special",
            "research",
        ]


def test_asking_by_a_number_that_was_given_up_asks_for_the_record_and_for_paper_only_where_there_is_some(
    hospital: Hospital, archived: int
) -> None:
    old = another(hospital, mrn="00217720")
    merged(hospital, "00217720", into="00218647")
    for number in ("00217720-2", "00218647-1"):
        with hospital.uow("clinician") as uow:
            requests.ask_by_number(
                uow, number=number, kind="paper", purpose="discussion", days=3, declared="none"
            )
    with hospital.uow("senior", readonly=True) as uow:
        assert [slip.node.id for slip in requests.to_decide(uow)] == [archived, old]
    with hospital.uow("senior") as uow:
        for volume in uow.session.scalars(uow.of(Holding, uow.node(archived), P.HOLDING_VIEW)).all():
            volume.node_id = old
        uow.record(Event("test.moved"))
    with hospital.uow("clinician2") as uow:
        requests.ask_by_number(
            uow, number="00218647-2", kind="paper", purpose="discussion", days=3, declared="none"
        )
    with hospital.uow("senior", readonly=True) as uow:
        assert len(requests.to_decide(uow)) == 2


def test_the_next_slip_does_not_tell_whether_a_number_was_found(hospital: Hospital, archived: int) -> None:
    another(hospital, mrn="00217720", level=3)
    drawn = []
    for number in ("00217720-1", "99999999-1"):
        with hospital.uow("clinician") as uow:
            requests.ask_by_number(
                uow, number=number, kind="paper", purpose="discussion", days=3, declared="none"
            )
        drawn.append(int(ask(hospital, "clinician", archived, kind="paper")[-6:]))
        step(hospital, "clinician", f"JY2026-{drawn[-1]:06d}", "cancel")
    assert drawn == [2, 4]


def test_tries_by_number_have_a_limit_that_counts_each_try(hospital: Hospital, archived: int) -> None:
    for _try in range(50):
        with hospital.uow("clinician") as uow:
            requests.ask_by_number(
                uow, number="99999999-1", kind="eread", purpose="discussion", days=3, declared="none"
            )
    with pytest.raises(Conflict, match="tomorrow"), hospital.uow("clinician") as uow:
        requests.ask_by_number(
            uow, number="00218647-2", kind="eread", purpose="discussion", days=3, declared="none"
        )
    assert ask(hospital, "clinician", archived)


def test_a_hidden_request_that_is_refused_stays_hidden(hospital: Hospital, archived: int) -> None:
    another(hospital, mrn="00217720", level=3)
    with hospital.uow("clinician") as uow:
        requests.ask_by_number(
            uow, number="00217720-1", kind="paper", purpose="discussion", days=3, declared="none"
        )
    step(hospital, "senior", "JY2026-000001", "refuse", reason="无诊疗关系")
    with hospital.uow("clinician", readonly=True) as uow:
        assert requests.mine(uow) == []
        with pytest.raises(NotFound):
            slips.one(uow, "JY2026-000001")


def test_a_draft_is_not_lent_by_number(hospital: Hospital, record: int) -> None:
    with hospital.uow("clinician") as uow:
        requests.ask_by_number(
            uow, number="00218647-2", kind="paper", purpose="discussion", days=3, declared="none"
        )
    with hospital.site.session(readonly=True) as session:
        assert session.scalar(select(func.count(Request.id))) == 0


@pytest.mark.parametrize("account", sorted(set(NOTHING_TO_DO_WITH_IT) - {"desk"}))
def test_asking_by_number_is_not_for_everybody(hospital: Hospital, archived: int, account: str) -> None:
    with pytest.raises(Forbidden), hospital.uow(account) as uow:
        requests.ask_by_number(
            uow, number="00218647-2", kind="paper", purpose="discussion", days=3, declared="none"
        )


def test_the_service_desk_asks_by_number_for_what_it_may_find(hospital: Hospital, archived: int) -> None:
    with hospital.uow("desk") as uow:
        requests.ask_by_number(
            uow, number="00218647-2", kind="paper", purpose="discussion", days=3, declared="none"
        )
        assert requests.mine(uow) == [], "until it is granted it tells nothing"
    with hospital.uow("archivist", readonly=True) as uow:
        assert [slip.requester for slip in requests.to_decide(uow)] == ["desk甲"]


def test_the_title_in_a_request_is_checked_again(hospital: Hospital, archived: int) -> None:
    ask(hospital, "clinician2", archived, kind="paper")
    number = approved(hospital, "clinician", archived)
    with hospital.uow("clinician2", readonly=True) as uow:
        (slip,) = requests.mine(uow)
        assert (slip.node.title, slip.node.label) == (None, "00218647-2")
    with hospital.uow("clinician", readonly=True) as uow:
        assert requests.mine(uow)[0].node.title == "00218647-2 · 刘** · 2026-11-12"
    with hospital.uow("clerk", readonly=True) as uow:
        slip = slips.slip(uow, slips.one(uow, number))
        assert (slip.node.title, slip.node.label, slip.href) == (None, "00218647-2", None)


def test_several_are_decided_at_once_and_one_refused_holds_up_none(hospital: Hospital, archived: int) -> None:
    numbers = [ask(hospital, account, archived) for account in ("clinician", "clinician2", "head")]
    with hospital.uow("head") as uow:
        wanted = [slips.one(uow, number).uuid for number in numbers]
        outcomes = requests.decide(uow, wanted, "approve")
    assert [(one.ref, one.refusal is None) for one in outcomes] == [(ref, ref != wanted[2]) for ref in wanted]
    assert [state_of(hospital, number) for number in numbers] == ["active", "active", "requested"]
    with hospital.uow("head") as uow:
        assert [one.refusal is None for one in requests.decide(uow, wanted[2:], "approve")] == [False]


def test_every_step_leaves_one_event_about_the_record(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived, kind="eread")
    step(hospital, "clinician", number, "give_back")
    with hospital.site.session(readonly=True) as session:
        rows = session.execute(
            select(AuditEvent.action, AuditEvent.actor, AuditEvent.patient_hash).where(
                AuditEvent.object_kind == "node",
                AuditEvent.object_id == archived,
                AuditEvent.action.like("request.%"),
            )
        ).all()
    assert [row[:2] for row in rows] == [
        ("request.asked", "clinician"), ("request.approve", "senior"), ("request.give_back", "clinician"),
    ]  # fmt: skip
    assert all(row.patient_hash for row in rows)


def test_the_figures_are_what_the_lists_hold(hospital: Hospital, archived: int) -> None:
    other = another(hospital, mrn="00216166")
    issue(hospital, approved(hospital, "clinician", archived))
    approved(hospital, "clinician", other)
    approved(hospital, "clinician", other, kind="eread")
    ask(hospital, "clinician2", other)
    with hospital.uow("clinician", readonly=True) as uow:
        mine = request_counts.counts(uow)
        assert (mine.waiting, mine.ready, mine.reading, mine.lent, mine.out, mine.to_decide) == (
            0,
            1,
            1,
            1,
            0,
            0,
        )
    with hospital.uow("head", readonly=True) as uow:
        assert request_counts.counts(uow).to_decide == 1
    with hospital.uow("clerk", readonly=True) as uow:
        desk = request_counts.counts(uow)
        assert (desk.to_pick, desk.out, desk.overdue, desk.to_decide, desk.waiting) == (1, 1, 0, 0, 0)


def test_a_longer_list_asks_no_more_of_the_database(hospital: Hospital, archived: int) -> None:
    def statements() -> int:
        asked: list[str] = []

        def listen(*call: object) -> None:
            asked.append(str(call[2]))

        with hospital.uow("archivist", readonly=True) as uow:
            event.listen(hospital.site.engine, "before_cursor_execute", listen)
            requests.to_decide(uow)
            approval_desk.mine(uow)
            approval_desk.others_first(uow)
            event.remove(hospital.site.engine, "before_cursor_execute", listen)
        return len(asked)

    ask(hospital, "clinician", archived)
    few = statements()
    other = another(hospital, mrn="00216166", ward="EK")
    for account in ("clinician", "clinician2", "head"):
        ask(hospital, account, other)
        ask(hospital, account, other, kind="paper")
    assert statements() == few


def test_a_slip_that_one_may_not_see_does_not_exist(hospital: Hospital, archived: int) -> None:
    number = ask(hospital, "clinician", archived)
    for account in ("clinician2", "clerk", "auditor", "sysadmin"):
        with hospital.uow(account, readonly=True) as uow, pytest.raises(ArchiveError) as refused:
            slips.one(uow, number)
        assert refused.value.status == 404
