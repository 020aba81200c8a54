"""制度修订: the next version of a policy, and what the archive lives by already."""

import copy
from datetime import date, timedelta
from typing import Any

import pytest

from archive.actor import Actor
from archive.errors import Conflict, Forbidden, NotFound
from archive.i18n import speaking
from archive.models import AuditEvent, Counter, Node, PolicyVersion
from archive.policy import shapes, toml
from archive.services import adoption, borrowing, numbers, policies, rulebook
from archive.services.adoption import Proposal, Unfit
from archive.uow import UnitOfWork
from tests.conftest import CAST, Clock, Hospital

TODAY = "2026-11-20"
RULE = "院办〔2026〕88号《病历借阅管理规定》第九条"


def body_of(kind: str) -> dict[str, Any]:
    """A copy of what is shipped, to be changed."""
    body = copy.deepcopy(policies.seeds()[kind])
    body.pop("source")
    return body


def propose(
    uow: UnitOfWork, kind: str, body: dict[str, Any], *, day: str = TODAY, after: int = 1
) -> Proposal:
    return adoption.propose(uow, kind, body=body, source=RULE, day=day, after=after)


def adopt(hospital: Hospital, kind: str, body: dict[str, Any], *, day: str = TODAY, after: int = 1) -> int:
    with hospital.uow("sysadmin") as uow:
        return adoption.adopt(uow, propose(uow, kind, body, day=day, after=after)).version


def refused(hospital: Hospital, kind: str, body: dict[str, Any]) -> str:
    """What is said against a body."""
    with hospital.uow("sysadmin", readonly=True) as uow, pytest.raises(Unfit) as found:
        propose(uow, kind, body)
    return found.value.fields["text"]


def longer() -> dict[str, Any]:
    body = body_of("loans")
    body["rules"]["treatment"]["paper_days"] = 5
    return body


@pytest.mark.parametrize("kind", sorted(policies.seeds()))
def test_every_policy_has_a_shape_and_can_be_written_as_a_text(kind: str) -> None:
    body = body_of(kind)
    assert shapes.problems(kind, body) == []
    assert toml.read(toml.written(body)) == body


def test_a_new_version_holds_at_once_with_its_source_and_the_one_who_adopted_it(hospital: Hospital) -> None:
    assert adopt(hospital, "loans", longer()) == 2
    with hospital.uow("sysadmin", readonly=True) as uow:
        assert borrowing.offered_unseen(uow)["treatment"]["paper"].paper_days == 5
        page = rulebook.page(uow, "loans")
        assert (page.shown.version, page.shown.source, page.shown.approved_by) == (2, RULE, "sysadmin甲")
        assert [one.standing for one in page.versions] == ["in_force", "past"]


def test_adopting_leaves_one_event_that_says_what_changed(hospital: Hospital) -> None:
    adopt(hospital, "loans", longer())
    with hospital.site.session(readonly=True) as session:
        actions = [event.action for event in session.query(AuditEvent).order_by(AuditEvent.id)]
        assert actions[-1] == "policy.adopted"


def test_only_whoever_configures_the_system_adopts(hospital: Hospital) -> None:
    with hospital.uow("sysadmin", readonly=True) as uow:
        proposal = propose(uow, "loans", longer())
    for account in set(CAST) - {"sysadmin"}:
        with pytest.raises(Forbidden), hospital.uow(account) as uow:
            adoption.adopt(uow, proposal)


def test_a_version_for_a_later_day_waits_for_the_midnight_of_the_hospital(
    hospital: Hospital, clock: Clock
) -> None:
    adopt(hospital, "loans", longer(), day="2026-12-01")
    with hospital.uow("sysadmin", readonly=True) as uow:
        assert policies.in_force(uow, "loans").version == 1
        assert [one.standing for one in rulebook.page(uow, "loans").versions] == ["waiting", "in_force"]
    clock.forward(days=10, hours=14)  # 23:30 on 30 November
    with hospital.uow("sysadmin", readonly=True) as uow:
        assert policies.in_force(uow, "loans").version == 1
    clock.forward(hours=1)
    with hospital.uow("sysadmin", readonly=True) as uow:
        assert policies.in_force(uow, "loans").version == 2


def test_what_waits_is_replaced_by_a_newer_version_for_an_earlier_day(
    hospital: Hospital, clock: Clock
) -> None:
    adopt(hospital, "loans", longer(), day="2026-12-01")
    body = body_of("loans")
    with hospital.uow("sysadmin", readonly=True) as uow:
        assert propose(uow, "loans", body, after=2).replaced == [2]
    adopt(hospital, "loans", body, after=2)
    clock.forward(days=30)
    with hospital.uow("sysadmin", readonly=True) as uow:
        assert policies.in_force(uow, "loans").version == 3
        standings = [one.standing for one in rulebook.page(uow, "loans").versions]
        assert standings == ["in_force", "dropped", "past"]


def test_the_difference_is_against_what_would_hold_on_that_day(hospital: Hospital) -> None:
    adopt(hospital, "loans", longer(), day="2026-12-01")
    with hospital.uow("sysadmin", readonly=True) as uow:
        later = propose(uow, "loans", longer() | {"limits": body_of("loans")["limits"] | {"open_requests": 9}},
                        day="2026-12-05", after=2)  # fmt: skip
        assert [(one.place, one.before, one.after) for one in later.differences] == [
            (("limits", "open_requests"), 50, 9),
        ]
        assert later.replaced == []


def test_nobody_overwrites_a_version_that_they_have_not_seen(hospital: Hospital) -> None:
    adopt(hospital, "loans", longer())
    with pytest.raises(Conflict, match="第 2 版"), hospital.uow("sysadmin") as uow:
        propose(uow, "loans", body_of("loans"), after=1)


@pytest.mark.parametrize(
    ("source", "day", "field"), [("", TODAY, "source"), (RULE, "2026-11-19", "day"), (RULE, "soon", "day")]
)
def test_a_source_and_a_day_to_come_are_asked_for(
    hospital: Hospital, source: str, day: str, field: str
) -> None:
    with hospital.uow("sysadmin", readonly=True) as uow, pytest.raises(Unfit) as found:
        adoption.propose(uow, "loans", body=longer(), source=source, day=day, after=1)
    assert list(found.value.fields) == [field]


def test_the_same_again_is_no_new_version(hospital: Hospital) -> None:
    assert "没有差别" in refused(hospital, "loans", body_of("loans"))


def test_every_error_names_its_place(hospital: Hospital) -> None:
    body = longer()
    body["rules"]["treatment"]["eread_days"] = 0
    body["limits"] = {"open_requests": "many", "opne_requests": 5}
    body["rules"]["treatment"].pop("while_overdue")
    said = refused(hospital, "loans", body)
    for line in ("rules.treatment.eread_days: 不得小于 1", "limits.open_requests: 请填写整数", "limits.opne_requests: 没有这",
                 "rules.treatment.while_overdue: 缺少此项"):  # fmt: skip
        assert line in said


def test_a_text_that_is_no_toml_names_its_line(hospital: Hospital) -> None:
    with hospital.uow("sysadmin", readonly=True) as uow, pytest.raises(Unfit) as found:
        adoption.body_of(uow, "loans", {"text": "[limits]\nopen_requests = = 3\n"})
    assert "第 2 行" in found.value.fields["text"]


def test_an_unknown_policy_has_no_next_version(hospital: Hospital) -> None:
    with hospital.uow("sysadmin", readonly=True) as uow, pytest.raises(NotFound):
        propose(uow, "nonsense", {})


def test_a_form_changes_its_numbers_and_leaves_the_rest(hospital: Hospital) -> None:
    with hospital.uow("sysadmin", readonly=True) as uow:
        typed = {
            "/".join(place): str(int(value))
            for place, value in adoption.values(body_of("gates"), "gates").items()
        }
        assert typed["deadlines/death_days"] == "7"
        made = adoption.body_of(uow, "gates", typed | {"deadlines/death_days": "5"})
        expected = body_of("gates")
        expected["deadlines"]["death_days"] = 5
        assert made == expected
        assert adoption.body_of(uow, "loans", {})["rules"]["treatment"]["while_overdue"] is False


def test_a_retention_code_in_use_cannot_vanish_or_change(hospital: Hospital, record: int) -> None:
    body = body_of("retention")
    body["rules"].pop("inpatient")
    body["rules"].pop("D15")
    assert "rules.inpatient" in refused(hospital, "retention", body)
    assert "D15" not in refused(hospital, "retention", body)
    body = body_of("retention")
    body["rules"]["D30"] |= {"code": "D50", "years": 50}
    assert "rules.D30" in refused(hospital, "retention", body)


def test_a_period_may_be_longer_than_the_code_in_its_numbers(hospital: Hospital) -> None:
    body = body_of("retention")
    body["rules"]["inpatient"]["years"] = 40
    body["rules"]["D20"] = {"zh": "20年", "code": "D20", "years": 20, "trigger": "formation"}
    adopt(hospital, "retention", body)
    with hospital.uow("archivist", readonly=True) as uow, speaking("en"):
        assert policies.vocabulary(uow, "retention")["D20"] == "20年"


def test_a_term_in_use_keeps_its_code_and_may_get_other_words(hospital: Hospital, record: int) -> None:
    body = body_of("vocabularies")
    body["sex"]["2"]["zh"] = "女性"
    body["finding"].pop("unknown")
    body["purpose"].pop("research")
    assert refused(hospital, "vocabularies", body).splitlines() == [
        "purpose.research: 已在使用，须保留；名称可以修改。"
    ]
    body["purpose"]["research"] = {"zh": "科研"}
    adopt(hospital, "vocabularies", body)
    with hospital.uow("archivist", readonly=True) as uow:
        assert policies.vocabulary(uow, "sex")["2"] == "女性"
        assert "unknown" not in policies.vocabulary(uow, "finding")


def test_a_term_that_describes_something_stays(hospital: Hospital) -> None:
    with hospital.site.uow(Actor.system("test")) as uow, uow.unscoped("test"):
        node = uow.session.get_one(Node, hospital.categories["WS"])
        node.data, node.type = node.data | {"draft_stage": "copy"}, "document"
    body = body_of("vocabularies")
    body["draft_stage"].pop("copy")
    assert refused(hospital, "vocabularies", body).startswith("draft_stage.copy")


def test_a_vocabulary_that_a_form_chooses_from_stays(hospital: Hospital) -> None:
    body = body_of("vocabularies")
    body.pop("channel")
    body["sex"].pop("9")
    said = refused(hospital, "vocabularies", body)
    assert "channel: " in said
    assert "sex.9: " in said


def test_steps_that_the_program_or_a_record_has_reached_stay(hospital: Hospital, record: int) -> None:
    body = body_of("gates")
    body["tracks"]["paper"]["steps"].remove("collected")
    body["archive"]["medical_record"].remove(["paper", "collected"])
    body["tracks"]["scan"]["steps"].remove("accepted")
    said = refused(hospital, "gates", body)
    assert "collected" in said
    assert "accepted" not in said


def test_given_numbers_stay_and_the_next_ones_go_on(hospital: Hospital) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.add(Counter(name="no:H001-ZY·BL·2026·D30", value=12_345))
    body = body_of("numbering")
    body["categories"]["ZY·BL"]["digits"] = 4
    assert "categories.ZY·BL.digits: 已编到 12345 号" in refused(hospital, "numbering", body)
    body["categories"]["ZY·BL"]["digits"] = 5
    adopt(hospital, "numbering", body)
    with hospital.site.uow(Actor.system("test")) as uow:
        assert numbers.draw(uow, "no:H001-ZY·BL·2026·D30") == 12_346


def test_a_purpose_needs_its_words_first(hospital: Hospital) -> None:
    body = body_of("loans")
    body["rules"]["audit"] = body["rules"]["discussion"] | {"purpose": "audit"}
    assert "rules.audit.purpose" in refused(hospital, "loans", body)


def test_lending_rules_hang_together_and_their_order_is_a_difference(hospital: Hospital) -> None:
    body = body_of("loans")
    body["rules"]["teaching"] = body["rules"]["research"] | {"who": ["clinician"]}
    assert "rules.teaching: 永远用不到" in refused(hospital, "loans", body)
    body["rules"] = {"teaching": body["rules"].pop("teaching"), **body["rules"]}
    body["rules"]["teaching"] |= {"who": ["doctor"], "renew_days": 0}
    body["rules"]["teaching"]["approvers"] = ["record", "dept_head"]
    said = refused(hospital, "loans", body)
    assert "rules.teaching.approvers: 最后一个且只有最后一个" in said
    assert "rules.teaching.who: 没有名为 doctor 的角色" in said
    assert "rules.teaching.renew_days" in said
    turned = body_of("loans")
    own = turned["rules"].pop("treatment_own")
    turned["rules"] = {"treatment_own": own, **dict(reversed(turned["rules"].items()))}
    with hospital.uow("sysadmin", readonly=True) as uow:
        (moved,) = propose(uow, "loans", turned).differences
    assert (moved.place, moved.before[1], moved.after[1]) == (("rules",), "treatment", "consult")


def test_a_policy_is_kept_as_it_was_when_something_was_decided(hospital: Hospital) -> None:
    """A day is enough to see that earlier versions are kept whole."""
    adopt(hospital, "loans", longer())
    with hospital.site.session(readonly=True) as session:
        rows = session.query(PolicyVersion).filter_by(kind="loans").order_by(PolicyVersion.version).all()
        assert [row.body["rules"]["treatment"]["paper_days"] for row in rows] == [3, 5]
        assert rows[1].adopted_at - rows[0].adopted_at < timedelta(minutes=1)


def test_the_interface_says_the_source_in_its_own_language(hospital: Hospital) -> None:
    with hospital.uow("sysadmin", readonly=True) as uow:
        assert "默认借阅规则" in rulebook.page(uow, "loans").shown.source
        with speaking("en"):
            assert rulebook.page(uow, "loans").shown.source.startswith("Default borrowing")
        assert uow.today == date(2026, 11, 20)
