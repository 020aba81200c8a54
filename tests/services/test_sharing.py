"""Sharing a record, ending a share, blocking what comes from above."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.journal import CHANGES, words_of
from archive.models import AuditEvent, ClosedBranch, LocalRole, Node, Principal
from archive.policy.permissions import P
from archive.services import branches, directory, explain, people, sharing
from tests.conftest import CAST, Clock, Hospital

pytestmark = pytest.mark.usefixtures("in_english")


def share(hospital: Hospital, number: int, whom: int, *, role: str = "contributor", **more: object) -> None:
    with hospital.uow("senior") as uow:
        sharing.share(uow, uow.node(number), principal_id=whom, role=role, **more)  # type: ignore[arg-type]


def reads(hospital: Hospital, account: str, number: int) -> bool:
    with hospital.uow(account, readonly=True) as uow, uow.unscoped("test"):
        return uow.can(P.READ, uow.session.get_one(Node, number))


def shares_of(hospital: Hospital, number: int) -> list[explain.Path]:
    with hospital.uow("senior", readonly=True) as uow:
        return [path for path in explain.paths(uow, uow.node(number)) if path.kind == "share"]


def uuid_of(hospital: Hospital, number: int) -> str:
    with hospital.site.session(readonly=True) as session:
        return str(session.get_one(Principal, number).uuid)


def test_a_share_holds_at_once_and_ends_at_once(hospital: Hospital, record: int) -> None:
    assert not reads(hospital, "clinician2", record)
    share(hospital, record, hospital.wards["EK"])
    assert reads(hospital, "clinician2", record)
    with hospital.uow("senior") as uow:
        sharing.unshare(uow, uow.node(record), share_id=shares_of(hospital, record)[0].share_id or 0)
    assert not reads(hospital, "clinician2", record)


def test_a_share_leaves_one_event_that_says_whom_as_what_and_why(hospital: Hospital, record: int) -> None:
    share(hospital, record, hospital.people["desk"], cause="投诉调查")
    with hospital.site.session(readonly=True) as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "node.shared")).one()
        words = words_of(session, CHANGES, event.id, hospital.site.keys)
    assert (event.object_id, event.actor) == (record, "senior")
    assert (words["principal"], words["role"], words["cause"]) == (
        hospital.people["desk"],
        "contributor",
        "投诉调查",
    )


def test_what_was_shared_until_a_day_is_over_after_it(hospital: Hospital, record: int, clock: Clock) -> None:
    share(hospital, record, hospital.people["clinician2"], until=clock.now + timedelta(hours=2))
    assert reads(hospital, "clinician2", record)
    clock.forward(hours=3)
    assert not reads(hospital, "clinician2", record)
    share(hospital, record, hospital.people["clinician2"], cause="again")
    assert reads(hospital, "clinician2", record)


def test_nobody_is_given_the_same_twice(hospital: Hospital, record: int) -> None:
    share(hospital, record, hospital.people["clinician2"])
    with pytest.raises(Conflict):
        share(hospital, record, hospital.people["clinician2"])


@pytest.mark.parametrize("role", ["archivist", "senior", "security", "nonsense"])
def test_only_local_roles_are_shared(hospital: Hospital, record: int, role: str) -> None:
    with pytest.raises(Invalid):
        share(hospital, record, hospital.people["desk"], role=role)


def test_an_end_that_has_passed_is_refused(hospital: Hospital, record: int, clock: Clock) -> None:
    with pytest.raises(Invalid):
        share(hospital, record, hospital.people["desk"], until=clock.now - timedelta(minutes=1))


@pytest.mark.parametrize("account", ["sysadmin", "security", "auditor"])
def test_nothing_is_shared_with_an_office_apart(hospital: Hospital, record: int, account: str) -> None:
    with pytest.raises(Conflict):
        share(hospital, record, hospital.people[account])


@pytest.mark.parametrize("account", [name for name in CAST if name != "senior"])
def test_whoever_may_not_share_shares_nothing_and_finds_nobody(
    hospital: Hospital, record: int, account: str
) -> None:
    for act in (
        lambda uow, node: sharing.share(uow, node, principal_id=hospital.people["desk"], role="reader"),
        lambda uow, node: sharing.unshare(uow, node, share_id=1),
        lambda uow, node: sharing.set_inheritance(uow, node, inherits=False),
        lambda uow, node: sharing.candidates(uow, node, "产科"),
    ):
        with hospital.uow(account) as uow:
            with uow.unscoped("test"):
                node = uow.session.get_one(Node, record)
            with pytest.raises((Forbidden, NotFound)):
                act(uow, node)


def test_a_steward_shares_their_own_branch_and_no_other(hospital: Hospital, record: int) -> None:
    share(hospital, record, hospital.people["clinician2"], role="steward")
    with hospital.uow("clinician2") as uow:
        sharing.share(uow, uow.node(record), principal_id=hospital.people["desk"], role="reader")
    with pytest.raises(Forbidden), hospital.uow("clinician2") as uow:
        sharing.share(
            uow, hospital.category(uow, "ZY·BL"), principal_id=hospital.people["desk"], role="reader"
        )


def test_a_block_shuts_out_what_comes_from_above_and_says_before_whom(
    hospital: Hospital, record: int
) -> None:
    with hospital.uow("senior") as uow:
        series = uow.node(record).parent_id
    share(hospital, series, hospital.people["clinician2"])
    share(hospital, series, hospital.people["archivist"])
    with hospital.uow("senior", readonly=True) as uow:
        node = uow.node(record)
        told = sharing.inheritance(uow, node, explain.paths(uow, node))
    assert (told.on, told.above, told.only_by_it) == (True, 2, 1)
    for inherits in (False, True):
        with hospital.uow("senior") as uow:
            sharing.set_inheritance(uow, uow.node(record), inherits=inherits)
        assert reads(hospital, "clinician2", record) is inherits
        with hospital.uow("senior", readonly=True) as uow:
            node = uow.node(record)
            assert sharing.inheritance(uow, node, explain.paths(uow, node)).above == 2


def test_a_steward_who_blocks_what_made_them_steward_is_told_that_they_are_out(
    hospital: Hospital, record: int
) -> None:
    with hospital.uow("senior") as uow:
        series = uow.node(record).parent_id
    share(hospital, series, hospital.people["clinician2"], role="steward")
    with hospital.uow("clinician2") as uow:
        node = uow.node(record)
        assert sharing.still_may(uow, node)
        sharing.set_inheritance(uow, node, inherits=False)
        assert not sharing.still_may(uow, node)


def test_while_a_large_branch_is_worked_out_nobody_may(
    hospital: Hospital, record: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(branches, "INLINE", 0)
    with hospital.uow("senior") as uow:
        node = uow.node(uow.node(record).parent_id)
        sharing.share(uow, node, principal_id=hospital.people["desk"], role="reader")
        assert not sharing.still_may(uow, node)
    with hospital.site.session(readonly=True) as session:
        assert session.scalars(select(ClosedBranch)).one()


@pytest.mark.each_on_both
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("产科", ["产科", "head甲", "clinician甲"]),
        ("chanke", ["产科", "head甲", "clinician甲"]),
        ("ck", ["产科", "head甲", "clinician甲"]),
        ("0006", ["clinician2甲"]),
        ("Clinician2", ["clinician2甲"]),
        ("%", []),
        ("  ", []),
    ],
)
def test_people_and_departments_are_found_by_name_pinyin_number_and_department(
    hospital: Hospital, record: int, text: str, found: list[str]
) -> None:
    with hospital.uow("senior", readonly=True) as uow:
        names = {one.name for one in sharing.candidates(uow, uow.node(record), text)}
    assert names == set(found)


def test_a_disabled_account_is_not_offered(hospital: Hospital, record: int) -> None:
    with hospital.uow("sysadmin") as uow:
        people.disable(uow, directory.find(uow, uuid_of(hospital, hospital.people["clinician2"])))
    with hospital.uow("senior", readonly=True) as uow:
        assert sharing.candidates(uow, uow.node(record), "0006") == []


def test_a_form_is_refused_field_by_field(hospital: Hospital, record: int) -> None:
    wrong = {"who": str(uuid4()), "role": "senior", "until": "2020-01-01", "cause": " "}
    with hospital.uow("senior") as uow, pytest.raises(Invalid) as refused:
        sharing.share_as_typed(uow, uow.node(record), wrong)
    assert set(refused.value.fields) == {"who", "role", "until", "cause"}
    with hospital.uow("senior") as uow, pytest.raises(Invalid) as refused:
        sharing.share_as_typed(uow, uow.node(record), {"who": "nobody", "until": "tomorrow"})
    assert "until" in refused.value.fields


def test_the_last_day_of_a_form_still_counts(hospital: Hospital, record: int, clock: Clock) -> None:
    who = uuid_of(hospital, hospital.people["clinician2"])
    form = {"who": who, "role": "contributor", "until": "2026-11-20", "cause": "会诊"}
    with hospital.uow("senior") as uow:
        sharing.share_as_typed(uow, uow.node(record), form)
    clock.forward(hours=14)
    assert reads(hospital, "clinician2", record)
    clock.forward(hours=1)
    assert not reads(hospital, "clinician2", record)


def test_a_share_of_another_node_is_not_ended_from_here(hospital: Hospital, record: int) -> None:
    with hospital.uow("senior") as uow:
        series = uow.node(record).parent_id
    share(hospital, series, hospital.people["desk"])
    with hospital.site.session(readonly=True) as session:
        number = session.scalars(select(LocalRole.id)).one()
    with hospital.uow("senior") as uow, pytest.raises(Conflict):
        sharing.unshare(uow, uow.node(record), share_id=number)
