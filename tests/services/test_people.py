"""Accounts and roles: who keeps them, who gives them, and what is refused."""

import getpass
from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import select

from archive import cli
from archive.errors import Conflict, Forbidden, Invalid, Stale, Throttled
from archive.journal import CHANGES, Origin, words_of
from archive.models import AuditEvent, Membership, Principal, ReadEvent, Session, User
from archive.policy.permissions import P
from archive.policy.roles import CONFLICTS, ROLES
from archive.services import clearance, directory, duties, loans, notices, people, sessions
from archive.services.directory import Sought
from archive.uow import UnitOfWork
from tests.conftest import CAST, PASSWORD, Clock, Hospital
from tests.services.lending import BARCODE, approved, archive_it, issue

NEW = "four horses in the rain"


pytestmark = pytest.mark.usefixtures("in_english")


def account(hospital: Hospital, uow: UnitOfWork, name: str) -> User:
    return uow.session.get_one(User, hospital.people[name])


def sign_in(hospital: Hospital, name: str, password: str = PASSWORD) -> str:
    opened = sessions.sign_in(
        hospital.site, account=name, password=password, device="", origin=Origin(), label="test"
    )
    return opened.token


def is_signed_in(hospital: Hospital, token: str) -> bool:
    with hospital.site.session(readonly=True) as session:
        return sessions.actor_of(hospital.site, session, token) is not None


def create(hospital: Hospital, by: str = "sysadmin", **more: object) -> int:
    given: dict[str, object] = {"account": "zhou", "staff_no": "2001", "name": "周敏", "password": NEW}
    given["departments"] = [hospital.wards["CK"]]
    with hospital.uow(by) as uow:
        return people.create(uow, **given | more).id  # type: ignore[arg-type]


def test_a_new_person_signs_in_with_number_or_account_and_may_do_nothing_yet(hospital: Hospital) -> None:
    hospital.people["zhou"] = create(hospital)
    for name in ("zhou", "2001"):
        assert is_signed_in(hospital, sign_in(hospital, name, NEW))
    actor = hospital.actor("zhou")
    assert (actor.roles, actor.clearance, actor.departments) == (
        frozenset(),
        0,
        frozenset({hospital.wards["CK"]}),
    )


def test_a_password_is_kept_only_as_a_hash_and_never_in_the_journal(hospital: Hospital) -> None:
    number = create(hospital)
    with hospital.site.session(readonly=True) as session:
        kept = session.get_one(User, number).password
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "user.created")).one()
        words = words_of(session, CHANGES, event.id, hospital.site.keys)
    assert kept is not None
    assert kept.startswith("$argon2id$")
    assert (event.object_kind, event.object_id) == ("user", number)
    assert NEW not in str(words)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account", "archivist"), ("account", "0001"), ("account", "有空格 的"), ("staff_no", "0001"),
        ("staff_no", "Archivist"), ("staff_no", "20 01"), ("name", "  "), ("password", "short"),
        ("password", "aaaaaaaaaaaaaaaaaa"), ("password", "my zhou-zhou word"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(hospital: Hospital, field: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        create(hospital, **{field: value})
    assert set(refused.value.fields) == {field}


Act = Callable[[UnitOfWork, User], object]
KEEPING: dict[str, Act] = {
    "create": lambda uow, _user: people.create(
        uow, account="x1", staff_no="x1", name="x", departments=[], password=NEW
    ),
    "change": lambda uow, user: people.change(uow, user, name="新名", departments=[], version=user.version),
    "disable": people.disable,
    "enable": people.enable,
    "set_password": lambda uow, user: people.set_password(uow, user, password=NEW),
}
GIVING: dict[str, Act] = {
    "assign": lambda uow, user: duties.assign(uow, user, role="clerk"),
    "withdraw": lambda uow, user: duties.withdraw(uow, user, role="clinician"),
    "give_clearance": lambda uow, user: duties.give_clearance(uow, user, level=2),
}


@pytest.mark.parametrize("name", [*KEEPING, *GIVING])
def test_accounts_are_kept_by_one_office_and_roles_given_by_another(hospital: Hospital, name: str) -> None:
    act, office = (KEEPING[name], "sysadmin") if name in KEEPING else (GIVING[name], "security")
    for by in CAST:
        if by != office:
            with pytest.raises(Forbidden), hospital.uow(by) as uow:
                act(uow, account(hospital, uow, "clinician"))
    with hospital.uow(office) as uow:
        act(uow, account(hospital, uow, "clinician"))


def test_the_list_is_for_those_two_alone(hospital: Hospital) -> None:
    for by in CAST:
        with hospital.uow(by, readonly=True) as uow:
            if by in {"sysadmin", "security"}:
                assert directory.listing(uow, Sought()).total == len(CAST)
                continue
            with pytest.raises(Forbidden):
                directory.listing(uow, Sought())


def test_a_disabled_person_is_out_at_once_and_stays_out(hospital: Hospital) -> None:
    token = sign_in(hospital, "clinician")
    with hospital.uow("sysadmin") as uow:
        assert people.disable(uow, account(hospital, uow, "clinician")) == 1
    assert not is_signed_in(hospital, token)
    with pytest.raises(Invalid):
        sign_in(hospital, "clinician")
    with hospital.uow("sysadmin") as uow:
        people.enable(uow, account(hospital, uow, "clinician"))
    assert not is_signed_in(hospital, token)
    assert is_signed_in(hospital, sign_in(hospital, "clinician"))


def test_an_account_is_not_closed_in_silence_while_volumes_are_out(
    hospital: Hospital, record: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be closed all the same: somebody may have to be locked out at once. Then the record room is told."""
    number = approved(hospital, "clinician", archive_it(hospital, record))
    issue(hospital, number)
    with pytest.raises(Conflict, match="1 volume"), hospital.uow("sysadmin") as uow:
        people.disable(uow, account(hospital, uow, "clinician"))
    with hospital.uow("sysadmin") as uow:
        assert people.volumes_out(uow, account(hospital, uow, "clinician")) == 1
        people.disable(uow, account(hospital, uow, "clinician"), anyway=True)
    with hospital.uow("senior", readonly=True) as uow:
        assert "An account was closed whose holder still has a volume" in [
            one.text for one in notices.mine(uow)
        ]
    command = cli.parser().parse_args(["user", "disable", "clinician"])
    command.run(hospital.site.settings, command)
    assert "volumes still out to clinician: 1" in capsys.readouterr().out
    with hospital.uow("clerk") as uow:
        assert clearance.of(uow, "0004").is_closed
        loans.take_back(uow, BARCODE)
        assert clearance.of(uow, "0004").is_clear
    with hospital.uow("sysadmin") as uow:
        people.enable(uow, account(hospital, uow, "clinician"))
    again = approved(hospital, "clinician", record)
    with hospital.uow("sysadmin") as uow:
        people.disable(uow, account(hospital, uow, "clinician"))
    with pytest.raises(Conflict, match="closed"):  # whoever comes with the slip
        issue(hospital, again)


def test_nobody_disables_themselves_or_the_last_who_gives_roles(hospital: Hospital) -> None:
    for name in ("sysadmin", "security"):
        with hospital.uow("sysadmin") as uow, pytest.raises(Conflict):
            people.disable(uow, account(hospital, uow, name))
    with hospital.uow("security") as uow:
        duties.assign(uow, account(hospital, uow, "stranger"), role="security")
    with hospital.uow("sysadmin") as uow:
        people.disable(uow, account(hospital, uow, "security"))


def test_a_new_password_ends_what_was_open(hospital: Hospital) -> None:
    token = sign_in(hospital, "clinician")
    with hospital.uow("sysadmin") as uow:
        people.set_password(uow, account(hospital, uow, "clinician"), password=NEW)
    assert not is_signed_in(hospital, token)
    assert is_signed_in(hospital, sign_in(hospital, "clinician", NEW))
    with pytest.raises(Invalid):
        sign_in(hospital, "clinician")


@pytest.mark.parametrize("name", ["security", "auditor", "sysadmin"])
def test_the_system_administrator_takes_over_no_office_by_its_password(hospital: Hospital, name: str) -> None:
    with hospital.uow("sysadmin") as uow, pytest.raises(Conflict):
        people.set_password(uow, account(hospital, uow, name), password=NEW)


def test_ones_own_password_needs_the_old_one_and_leaves_only_this_session(hospital: Hospital) -> None:
    here, there = sign_in(hospital, "clerk"), sign_in(hospital, "clerk")
    with hospital.site.session(readonly=True) as session:
        actor = sessions.actor_of(hospital.site, session, here)
    assert actor is not None
    with hospital.site.uow(actor) as uow:
        people.change_own_password(uow, old=PASSWORD, new=NEW, again=NEW)
    assert is_signed_in(hospital, here)
    assert not is_signed_in(hospital, there)
    assert is_signed_in(hospital, sign_in(hospital, "clerk", NEW))


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"old": "something else"}, "old"), ({"new": "short", "again": "short"}, "new"),
        ({"new": PASSWORD, "again": PASSWORD}, "new"), ({"again": "not the same"}, "again"),
    ],
)  # fmt: skip
def test_a_refused_own_password_says_which_field(
    hospital: Hospital, typed: dict[str, str], field: str
) -> None:
    given = {"old": PASSWORD, "new": NEW, "again": NEW} | typed
    with hospital.uow("clerk") as uow, pytest.raises(Invalid) as refused:
        people.change_own_password(uow, **given)
    assert set(refused.value.fields) == {field}


def test_a_wrong_old_password_stands_in_the_journal(hospital: Hospital) -> None:
    with hospital.uow("clerk") as uow, pytest.raises(Invalid):
        people.change_own_password(uow, old="guessed", new=NEW, again=NEW)
    with hospital.site.journal() as session:
        event = session.scalars(select(ReadEvent).where(ReadEvent.action == "user.password_refused")).one()
        assert (event.actor, event.result) == ("clerk", "denied")


def test_whoever_tries_passwords_on_a_computer_left_open_is_stopped(hospital: Hospital, clock: Clock) -> None:
    for _try in range(sessions.FREE_TRIES):
        with hospital.uow("clerk") as uow, pytest.raises(Invalid):
            people.change_own_password(uow, old="guessed", new=NEW, again=NEW)
    with hospital.uow("clerk") as uow, pytest.raises(Throttled):
        people.change_own_password(uow, old=PASSWORD, new=NEW, again=NEW)
    with hospital.uow("clinician") as uow:
        people.change_own_password(uow, old=PASSWORD, new=NEW, again=NEW)
    clock.forward(minutes=16)
    with hospital.uow("clerk") as uow:
        people.change_own_password(uow, old=PASSWORD, new=NEW, again=NEW)


def test_a_password_that_somebody_else_gave_is_to_be_changed(hospital: Hospital) -> None:
    with hospital.uow("sysadmin") as uow:
        people.set_password(uow, account(hospital, uow, "clinician"), password=NEW)
    assert hospital.actor("clinician").must_change
    assert not hospital.actor("clerk").must_change
    with hospital.uow("clinician") as uow:
        people.change_own_password(uow, old=NEW, new=PASSWORD, again=PASSWORD)
    assert not hospital.actor("clinician").must_change


def test_the_operator_sets_the_password_that_nobody_else_may_set(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = sign_in(hospital, "security")
    typed = iter([NEW, NEW])
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(typed))
    command = cli.parser().parse_args(["user", "password", "security"])
    command.run(hospital.site.settings, command)
    assert "set 1 password: security; ended 1 sessions" in capsys.readouterr().out
    assert not is_signed_in(hospital, token)
    assert is_signed_in(hospital, sign_in(hospital, "security", NEW))
    assert hospital.actor("security").must_change
    with hospital.site.session(readonly=True) as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "user.password_set")).one()
        assert (event.actor, event.object_id) == ("system:user.password", hospital.people["security"])


@pytest.mark.parametrize(
    "typed", [["too short"], ["aaaaaaaaaaaaaaaa"], ["my security key"], [NEW, "another one"]]
)
def test_the_operator_keeps_to_the_same_rule(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch, typed: list[str]
) -> None:
    given = iter(typed)
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(given))
    command = cli.parser().parse_args(["user", "password", "security"])
    with pytest.raises(Invalid):
        command.run(hospital.site.settings, command)
    assert is_signed_in(hospital, sign_in(hospital, "security"))


def test_a_person_moves_to_another_department_and_the_name_is_found_by_its_pinyin(hospital: Hospital) -> None:
    with hospital.uow("sysadmin") as uow:
        user = account(hospital, uow, "clinician")
        people.change(uow, user, name="周敏", departments=[hospital.wards["EK"]], version=user.version)
    assert hospital.actor("clinician").departments == {hospital.wards["EK"]}
    with hospital.uow("security", readonly=True) as uow:
        rows = directory.listing(uow, Sought(text="zhoumin")).rows
    assert [(row.name, row.departments, row.roles) for row in rows] == [("周敏", "儿科", "Clinician")]


def test_changing_departments_leaves_groups_alone(hospital: Hospital) -> None:
    with hospital.site.session() as session:
        group = Principal(kind="group", code="study", name="study", name_key="study s")
        session.add(group)
        session.flush()
        session.add(Membership(principal_id=hospital.people["clinician"], group_id=group.id))
        number = group.id
    with hospital.uow("sysadmin") as uow:
        user = account(hospital, uow, "clinician")
        people.change(uow, user, name="周敏", departments=[number], version=user.version)
    actor = hospital.actor("clinician")
    assert (actor.departments, number in actor.principals) == (frozenset(), True)


def test_whoever_saves_second_is_told(hospital: Hospital) -> None:
    with hospital.uow("sysadmin") as uow:
        seen = account(hospital, uow, "clinician").version
        people.change(uow, account(hospital, uow, "clinician"), name="甲", departments=[], version=seen)
    with hospital.uow("sysadmin") as uow, pytest.raises(Stale):
        people.change(uow, account(hospital, uow, "clinician"), name="乙", departments=[], version=seen)


def test_a_role_holds_at_the_next_click_and_is_gone_at_the_next_click(hospital: Hospital) -> None:
    with hospital.uow("security") as uow:
        duties.assign(uow, account(hospital, uow, "stranger"), role="archivist")
    assert P.ADD in hospital.actor("stranger").anywhere
    with hospital.uow("security") as uow:
        duties.withdraw(uow, account(hospital, uow, "stranger"), role="archivist")
    assert hospital.actor("stranger").anywhere == frozenset()


def test_a_role_until_a_day_ends_by_the_clock_and_can_be_given_again(
    hospital: Hospital, clock: Clock
) -> None:
    with hospital.uow("security") as uow:
        duties.assign_as_typed(uow, account(hospital, uow, "stranger"), role="duty", until="2026-11-20")
    assert hospital.actor("stranger").roles == {"duty"}
    clock.forward(hours=24)
    assert hospital.actor("stranger").roles == frozenset()
    with hospital.uow("security") as uow:
        duties.assign(uow, account(hospital, uow, "stranger"), role="duty", until=uow.now + timedelta(days=1))
    assert hospital.actor("stranger").roles == {"duty"}


def test_no_person_holds_two_duties_that_do_not_go_together(hospital: Hospital) -> None:
    for first, second in (order for pair in CONFLICTS for order in permutations(sorted(pair))):
        with hospital.uow("security") as uow:
            for role in duties.held(uow, account(hospital, uow, "stranger")):
                duties.withdraw(uow, account(hospital, uow, "stranger"), role=role)
            duties.assign(uow, account(hospital, uow, "stranger"), role=first)
        with hospital.uow("security") as uow, pytest.raises(Conflict) as refused:
            duties.assign(uow, account(hospital, uow, "stranger"), role=second)
        titles = {str(ROLES[role].title) for role in (first, second)}
        assert all(title in str(refused.value) for title in titles)


@pytest.mark.parametrize("role", ["reader", "contributor", "steward", "nonsense", ""])
def test_a_local_role_is_not_given_in_the_whole_hospital(hospital: Hospital, role: str) -> None:
    with hospital.uow("security") as uow, pytest.raises(Invalid):
        duties.assign(uow, account(hospital, uow, "stranger"), role=role)


def test_nobody_gives_anything_to_themselves(hospital: Hospital) -> None:
    for act in GIVING.values():
        with hospital.uow("security") as uow, pytest.raises(Conflict):
            act(uow, account(hospital, uow, "security"))


def test_a_role_is_given_once_and_withdrawn_once(hospital: Hospital) -> None:
    with hospital.uow("security") as uow, pytest.raises(Conflict):
        duties.assign(uow, account(hospital, uow, "clinician"), role="clinician")
    with hospital.uow("security") as uow, pytest.raises(Conflict):
        duties.withdraw(uow, account(hospital, uow, "clinician"), role="clerk")


def test_giving_a_role_leaves_one_event_about_the_person(hospital: Hospital) -> None:
    with hospital.uow("security") as uow:
        duties.assign(uow, account(hospital, uow, "stranger"), role="clerk")
    with hospital.uow("security", readonly=True) as uow:
        shown = directory.person(uow, account(hospital, uow, "stranger"))
    assert [(act.by, act.action) for act in shown.acts] == [("security甲", "role.assigned")]
    assert [(duty.title, duty.by) for duty in shown.duties] == [("Storeroom clerk", "security甲")]


def test_clearance_is_one_of_four_levels(hospital: Hospital) -> None:
    with hospital.uow("security") as uow:
        duties.give_clearance(uow, account(hospital, uow, "clinician"), level=3)
    assert hospital.actor("clinician").clearance == 3
    with hospital.uow("security") as uow, pytest.raises(Invalid):
        duties.give_clearance(uow, account(hospital, uow, "clinician"), level=4)


def test_the_list_is_narrowed_by_role_department_and_state(hospital: Hospital) -> None:
    with hospital.uow("sysadmin") as uow:
        people.disable(uow, account(hospital, uow, "clinician2"))
    with hospital.uow("security", readonly=True) as uow:

        def names(**narrowed: object) -> set[str]:
            return {row.account for row in directory.listing(uow, Sought(**narrowed)).rows}  # type: ignore[arg-type]

        assert names(role="clinician") == {"clinician", "head"}
        assert names(dept=hospital.wards["EK"]) == set()
        assert names(disabled=True) == {"clinician2"}
        assert names(text="000") >= {"archivist", "desk"}
        assert names(text="_") == set()


def test_a_long_list_comes_page_by_page_and_nobody_is_left_out(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "PAGE", 5)
    found, after = [], None
    with hospital.uow("security", readonly=True) as uow:
        while True:
            page = directory.listing(uow, Sought(), after=after)
            found += [row.account for row in page.rows]
            if (after := page.next) is None:
                break
    assert sorted(found) == sorted(CAST)


def test_the_open_sessions_of_a_person_are_counted(hospital: Hospital) -> None:
    sign_in(hospital, "clerk")
    with hospital.uow("sysadmin", readonly=True) as uow:
        assert directory.person(uow, account(hospital, uow, "clerk")).sessions == 1
    with hospital.site.session(readonly=True) as session:
        assert session.scalars(select(Session.user_id)).all() == [hospital.people["clerk"]]
