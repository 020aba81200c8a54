"""三员分立: whoever administers, secures or audits the archive holds nothing on what lies in it."""

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select

from archive.access import Class, tokens_of
from archive.actor import Actor
from archive.errors import NotFound
from archive.models import AccessGrant, LocalRole, Node
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.policy.roles import APART, ROLES
from archive.policy.types import TYPES
from archive.policy.workflows import WORKFLOWS
from archive.services import branches
from index import Tier
from tests.conftest import Hospital
from tests.policy import naive

CONTENT = frozenset(P(name) for name in naive.ABOUT_CONTENT)
STATES = [(kind.name, state.name) for kind in TYPES.values() for state in WORKFLOWS[kind.workflow].states]


@pytest.mark.parametrize("account", ["sysadmin", "security", "auditor"])
@pytest.mark.parametrize(("kind", "state"), STATES)
def test_no_type_in_no_state_is_open_to_them(account: str, kind: str, state: str) -> None:
    """With the highest clearance, in the department, with every local role there is."""
    actor = Actor(account, 1, roles=frozenset({account}), clearance=3, departments=frozenset({9}))
    shares = [(number, role.name) for number, role in enumerate(ROLES.values(), start=1) if role.local]
    for level in range(4):
        for overlay in Overlay:
            tokens = tokens_of(Class(kind, state, level, 9, overlay), shares)
            assert not {permission for permission, token in tokens if token in actor.tokens}


def test_the_roles_that_stand_apart_are_the_ones_without_a_right_on_content() -> None:
    without = {role for role in ROLES if role != "inspector"} - {
        role
        for roles, permissions, _scope, types, _states, _level in naive.MATRIX
        for role in roles
        if types != ["-"]
    }
    assert without == set(APART)


@pytest.mark.each_on_both
@pytest.mark.parametrize("account", ["sysadmin", "security", "auditor"])
def test_a_share_or_a_grant_gives_them_nothing(hospital: Hospital, record: int, account: str) -> None:
    """Whoever wrote the rows: the program does not even offer it."""
    who = hospital.people[account]
    with hospital.site.uow(Actor.system("test")) as uow:
        node = uow.session.get_one(Node, record, execution_options={"scope": "test"})
        until = uow.now + timedelta(days=1)
        uow.session.add(LocalRole(node_id=record, principal_id=who, role="steward", granted_at=uow.now))
        uow.session.add(AccessGrant(principal_id=who, node_id=record, permission=P.READ, cause="eread", max_level=3,
                                    valid_from=uow.now, valid_until=until))  # fmt: skip
        node.shared = True
        branches.reclassify(uow, node)
    with hospital.uow(account, readonly=True) as uow:
        node = uow.session.get_one(Node, record, execution_options={"scope": "test"})
        assert not uow.access.permissions(node)
        assert not any(uow.list(uow.nodes(permission)) for permission in CONTENT)
        allowed = hospital.site.access_map.allowed(uow)
        assert not any(np.any(allowed.mask(tier).mask) for tier in Tier)


@pytest.mark.each_on_both
@pytest.mark.parametrize("account", ["sysadmin", "security", "auditor", "stranger"])
def test_what_they_may_not_know_of_answers_as_what_never_was(
    hospital: Hospital, record: int, account: str
) -> None:
    with hospital.uow(account, readonly=True) as uow:
        answers = []
        for number in (record, 999_999):
            with pytest.raises(NotFound) as refusal:
                uow.node(number)
            answers.append((type(refusal.value), str(refusal.value)))
        assert answers[0] == answers[1]
        assert uow.session.scalar(
            select(Node.id).where(Node.id == record), execution_options={"scope": "test"}
        )
