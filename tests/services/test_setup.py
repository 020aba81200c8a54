"""The first start: whoever is made first leaves a line in the journal, and is made once."""

import pytest
from sqlalchemy import select

from archive.actor import Actor
from archive.errors import Conflict
from archive.models import AuditEvent, RoleAssignment, User
from archive.services import setup
from archive.settings import Settings
from archive.site import Site
from archive.start import prepare
from tests.conftest import PASSWORD, Clock, Hospital


def test_the_first_security_administrator_stands_in_the_journal(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    site = Site(Settings(var=tmp_path_factory.mktemp("new")), Clock())
    prepare(site)
    with site.uow(Actor.system("init")) as uow:
        setup.appoint(uow, "anquan", PASSWORD)
    with site.session(readonly=True) as session:
        user = session.scalars(select(User).where(User.account == "anquan")).one()
        assert session.scalars(select(RoleAssignment.role)).all() == ["security"]
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "user.created")).one()
        assert (event.actor, event.object_id) == ("system:init", user.id)
    site.close()


def test_a_second_one_is_not_made_at_the_console(hospital: Hospital) -> None:
    with pytest.raises(Conflict), hospital.site.uow(Actor.system("init")) as uow:
        setup.appoint(uow, "another", PASSWORD)
