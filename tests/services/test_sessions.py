"""Signing in: an attacker is locked out, the owner is not; a session can be ended at once."""

import pytest

from archive.errors import Invalid, Throttled
from archive.journal import Origin
from archive.models import Session, User
from archive.services import sessions
from archive.site import Site
from tests.conftest import PASSWORD, Clock, Hospital

HERE, ELSEWHERE = Origin(address="10.0.0.7"), Origin(address="10.0.0.66")


def sign_in(site: Site, password: str = PASSWORD, device: str = "", origin: Origin = HERE) -> sessions.Opened:
    return sessions.sign_in(
        site, account="archivist", password=password, device=device, origin=origin, label="Chrome"
    )


def test_the_right_password_opens_a_session_that_knows_its_person(hospital: Hospital) -> None:
    opened = sign_in(hospital.site)
    with hospital.site.session(readonly=True) as session:
        actor = sessions.actor_of(hospital.site, session, opened.token)
    assert actor is not None
    assert actor.account == "archivist"


def test_a_wrong_account_and_a_wrong_password_answer_alike(hospital: Hospital) -> None:
    with pytest.raises(Invalid) as wrong:
        sign_in(hospital.site, "wrong")
    with pytest.raises(Invalid) as unknown:
        sessions.sign_in(hospital.site, account="nobody", password="x", device="", origin=HERE, label="")
    assert str(wrong.value) == str(unknown.value)


def test_after_five_misses_an_address_is_locked_and_the_owner_at_a_known_device_is_not(
    hospital: Hospital,
) -> None:
    mine = sign_in(hospital.site).device
    for _ in range(5):
        with pytest.raises(Invalid):
            sign_in(hospital.site, "wrong", origin=ELSEWHERE)
    with pytest.raises(Throttled):
        sign_in(hospital.site, origin=ELSEWHERE)
    assert sign_in(hospital.site, device=mine, origin=ELSEWHERE).actor.account == "archivist"


def test_the_lock_opens_by_the_clock(hospital: Hospital, clock: Clock) -> None:
    for _ in range(5):
        with pytest.raises(Invalid):
            sign_in(hospital.site, "wrong")
    clock.forward(minutes=16)
    assert sign_in(hospital.site).actor.account == "archivist"


def test_a_session_ends_at_once_when_it_is_ended_idle_or_its_person_disabled(
    hospital: Hospital, clock: Clock
) -> None:
    site = hospital.site

    def lives(token: str) -> bool:
        with site.session(readonly=True) as session:
            return sessions.actor_of(site, session, token) is not None

    idle = sign_in(site).token
    clock.forward(minutes=31)
    assert not lives(idle)
    ended = sign_in(site).token
    with site.uow(hospital.actor("archivist")) as uow:
        sessions.end_all(uow, hospital.people["archivist"])
        with uow.act("test.ended", None):
            pass
    assert not lives(ended)
    disabled = sign_in(site).token
    with site.session() as session:
        session.get_one(User, hospital.people["archivist"]).disabled_at = site.clock()
    assert not lives(disabled)


def test_only_hashes_of_secrets_are_kept(hospital: Hospital) -> None:
    opened = sign_in(hospital.site)
    with hospital.site.session(readonly=True) as session:
        kept = [row.token_hash for row in session.query(Session)]
    assert opened.token not in kept


def test_a_token_for_programs_does_not_open_the_pages(hospital: Hospital) -> None:
    with hospital.site.uow(hospital.actor("archivist")) as uow, uow.act("token.issued", None):
        token = sessions.issue_token(uow, uow.session.get_one(User, hospital.people["archivist"]), "test")
    with hospital.site.session(readonly=True) as session:
        assert sessions.actor_of(hospital.site, session, token, kind="web") is None
        assert sessions.actor_of(hospital.site, session, token, kind="api") is not None
