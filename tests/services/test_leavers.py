"""Saved searches of people who have left: who may take them over, and what goes with a closed account."""

from uuid import UUID

import pytest
from sqlalchemy import delete, func, select

from archive import journal, worker
from archive.actor import Actor
from archive.errors import Conflict, Forbidden, NotFound
from archive.models import AuditEvent, LocalRole, RoleAssignment, SavedSearch, SearchFollow, User
from archive.policy.permissions import P
from archive.services import actors, leavers, people, saved_searches
from tests.archives import START
from tests.conftest import CAST, Hospital
from tests.services.searching import TEST
from tests.services.test_saved_searches import listed, pin, save


def close(hospital: Hospital, account: str) -> None:
    with hospital.uow("sysadmin") as uow:
        people.disable(uow, uow.session.get_one(User, hospital.people[account]))


def take_over(hospital: Hospital, account: str, number: UUID) -> None:
    with hospital.uow(account) as uow:
        leavers.take_over(uow, saved_searches.one(uow, number))


def remove(hospital: Hospital, account: str, number: UUID) -> None:
    with hospital.uow(account) as uow:
        saved_searches.remove(uow, saved_searches.own(uow, number).row)


def kept(hospital: Hospital) -> set[str]:
    """The accounts that own a saved search, and those that follow one."""
    owners = select(SavedSearch.owner_id).union_all(select(SearchFollow.person_id))
    with hospital.site.session(readonly=True) as session:
        numbers = set(session.scalars(owners, execution_options=TEST))
    return {account for account, number in hospital.people.items() if number in numbers}


def test_a_shared_search_outlives_its_owner_and_a_colleague_takes_it_over(hospital: Hospital) -> None:
    number = save(hospital, "head", audience=f"dept:{hospital.wards['CK']}")
    pin(hospital, "clinician", number)
    close(hospital, "head")
    assert listed(hospital, "clinician") == ["前置胎盘病例"], "whoever relies on it goes on using it"
    with hospital.uow("clinician") as uow, pytest.raises(Forbidden):
        saved_searches.own(uow, number)
    take_over(hospital, "clinician", number)
    with hospital.uow("clinician", readonly=True) as uow:
        saved = saved_searches.own(uow, number)
        assert (saved.owner_left, saved.pinned, saved.audience) == (
            False,
            True,
            f"dept:{hospital.wards['CK']}",
        )
    remove(hospital, "clinician", number)
    assert kept(hospital) == set()


def test_the_journal_says_who_took_over_from_whom(hospital: Hospital) -> None:
    number = save(hospital, "head", audience="all")
    close(hospital, "head")
    take_over(hospital, "clerk", number)
    with hospital.site.session(readonly=True) as session:
        event = session.scalars(
            select(AuditEvent).where(AuditEvent.action == "saved_search.taken_over")
        ).one()
        words = journal.words_of(session, journal.CHANGES, event.id, hospital.site.keys)
    assert (event.actor_id, event.object_kind) == (hospital.people["clerk"], "saved_search")
    assert words == {"audience": "all", "before": hospital.people["head"]}


def test_nobody_takes_over_from_whoever_still_works_with_it(hospital: Hospital) -> None:
    number = save(hospital, "head", audience="all")
    for account in ("senior", "clinician", "head"):
        with pytest.raises(Conflict):
            take_over(hospital, account, number)
    close(hospital, "head")
    take_over(hospital, "senior", number)
    with pytest.raises(Conflict):
        take_over(hospital, "clinician", number)


def test_only_whom_it_is_shared_with_takes_it_over(hospital: Hospital) -> None:
    number = save(hospital, "head", audience=f"dept:{hospital.wards['CK']}")
    private = save(hospital, "head", name="私人")
    close(hospital, "head")
    for account in sorted(set(CAST) - {"head", "clinician"}):
        with pytest.raises((NotFound, Forbidden)):
            take_over(hospital, account, number)
    for account in sorted(set(CAST) - {"head"}):
        with pytest.raises((NotFound, Forbidden)):
            take_over(hospital, account, private)


def test_whoever_lost_every_right_to_search_has_left_too(hospital: Hospital) -> None:
    number = save(hospital, "archivist", audience="role:senior")
    mine = RoleAssignment.principal_id == hospital.people["archivist"]
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.execute(delete(RoleAssignment).where(mine))
    take_over(hospital, "senior", number)
    remove(hospital, "senior", number)
    assert kept(hospital) == set()


def test_nobody_owns_more_by_taking_over_than_by_saving(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_searches, "MOST", 1)
    number = save(hospital, "head", audience="all")
    save(hospital, "clerk", name="自己的")
    close(hospital, "head")
    with pytest.raises(Conflict):
        take_over(hospital, "clerk", number)
    take_over(hospital, "senior", number)


def test_what_a_closed_account_had_for_itself_goes_with_it_after_some_days(hospital: Hospital) -> None:
    shared = save(hospital, "archivist", audience="all")
    for account in ("head", "clinician"):
        save(hospital, account, name="私人")
        pin(hospital, account, shared)
    save(hospital, "head", audience="role:clinician")
    close(hospital, "head")
    hospital.clock.forward(days=29)
    worker.clean(hospital.site, "me")
    assert kept(hospital) == {"archivist", "head", "clinician"}, "the account may be opened again"
    hospital.clock.forward(days=2)
    worker.clean(hospital.site, "me")
    with hospital.site.session(readonly=True) as session:
        theirs = SavedSearch.owner_id == hospital.people["head"]
        left = session.scalars(select(SavedSearch.audience).where(theirs), execution_options=TEST).all()
        follows = select(func.count(SearchFollow.id)).where(SearchFollow.person_id == hospital.people["head"])
        assert (left, session.scalar(follows, execution_options=TEST)) == (["role:clinician"], 0)
        told = select(AuditEvent.object_id).where(AuditEvent.action == "saved_search.cleared")
        assert session.scalars(told).all() == [hospital.people["head"]]
    assert len(listed(hospital, "clinician")) == 3, "one of their own, and what was shared"
    worker.clean(hospital.site, "me")
    with hospital.site.session(readonly=True) as session:
        assert len(session.scalars(told).all()) == 1, "what is gone is not deleted again every day"


def test_an_account_that_is_opened_again_has_kept_its_searches(hospital: Hospital) -> None:
    save(hospital, "head", name="私人")
    close(hospital, "head")
    hospital.clock.forward(days=20)
    with hospital.uow("sysadmin") as uow:
        people.enable(uow, uow.session.get_one(User, hospital.people["head"]))
    hospital.clock.forward(days=20)
    worker.clean(hospital.site, "me")
    assert listed(hospital, "head") == ["私人"]


def test_who_may_search_is_said_alike_of_one_and_of_everybody(hospital: Hospital) -> None:
    """The set is asked for in one statement; each actor works it out by themselves."""
    root = {"node_id": 1, "cause": "", "granted_at": START}
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.add_all([
            LocalRole(principal_id=hospital.people["stranger"], role="reader", **root),
            LocalRole(principal_id=hospital.people["sysadmin"], role="reader", **root),
            LocalRole(principal_id=hospital.people["inspector"], role="reader", expires_at=START, **root),
            LocalRole(principal_id=hospital.wards["CK"], role="steward", **root),
        ])  # fmt: skip
    close(hospital, "clerk")
    with hospital.site.session(readonly=True) as session:
        now = hospital.site.clock()
        for permission in P:
            found = set(session.scalars(actors.who_hold(permission, now)))
            each = {number: actors.load(session, number, now) for number in hospital.people.values()}
            assert found == {number for number, one in each.items() if one and permission in one.anywhere}
        assert hospital.people["stranger"] in set(session.scalars(actors.who_hold(P.DISCOVER, now)))
