"""Gathers everything that decides what a person may do, in two statements."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    CompoundSelect,
    Select,
    String,
    and_,
    bindparam,
    cast,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session as OrmSession

from archive.actor import Actor
from archive.db import BigInt, Moment
from archive.errors import Forbidden, NotFound
from archive.models import AccessGrant, LocalRole, Membership, Principal, RoleAssignment, User
from archive.policy.permissions import P
from archive.policy.rights import matrix
from archive.policy.roles import APART

if TYPE_CHECKING:
    from archive.site import Site


def load(session: OrmSession, user_id: int, now: datetime, *, session_id: int | None = None) -> Actor | None:
    """The actor of a user who is not disabled, or nothing."""
    row = session.execute(
        select(User, Principal).join(Principal, Principal.id == User.id).where(User.id == user_id)
    ).first()
    return of(session, *row, now, session_id=session_id) if row else None


def renewed(session: OrmSession, actor: Actor, now: datetime) -> Actor:
    """The same person with the rights of this moment, for what outlasts a request. Raises Forbidden for who may no longer act."""
    if actor.principal_id is None:
        return actor
    found = load(session, actor.principal_id, now, session_id=actor.session_id)
    if found is None:
        raise Forbidden
    return found


def of(
    session: OrmSession,
    user: User,
    principal: Principal,
    now: datetime,
    *,
    session_id: int | None = None,
    seen_at: datetime | None = None,
) -> Actor | None:
    """The actor of a user who has been read, unless disabled."""
    if user.disabled_at is not None:
        return None
    held: dict[str, set[str]] = {"role": set(), "dept": set(), "group": set(), "local": set(), "grant": set()}
    for kind, value in session.execute(_HELD, {"person": user.id, "now": now}):
        held[kind].add(value)
    if held["role"] & APART:
        held["local"], held["grant"] = set(), set()
    departments = frozenset(int(value) for value in held["dept"])
    local = [value.split(":", 1) for value in held["local"]]
    return Actor(
        name=principal.name, principal_id=user.id, account=user.account, staff_no=user.staff_no, locale=user.locale,
        roles=frozenset(held["role"]), clearance=user.clearance, departments=departments,
        principals=departments | {int(value) for value in held["group"]} | {user.id},
        local_roles=frozenset(int(number) for number, _role in local), has_grants=bool(held["grant"]),
        branch_roles=frozenset(role for _number, role in local), session_id=session_id,
        seen_at=seen_at,
        must_change=user.must_change,
    )  # fmt: skip


def by_account(session: OrmSession, account: str, now: datetime) -> Actor | None:
    """The actor of an account, for the command line and for tests."""
    user_id = session.scalar(select(User.id).where(User.account == account))
    return load(session, user_id, now) if user_id is not None else None


def acting(site: "Site", account: str) -> Actor:
    """Whoever acts by this account, with their rights, where nobody signs in. Raises NotFound."""
    with site.session(readonly=True) as session:
        found = by_account(session, account, site.clock())
    if found is None:
        raise NotFound(f"there is no user {account}")
    return found


def who_hold(permission: P, now: datetime) -> Select[int]:
    """Ids of the people who hold a permission somewhere at this moment: `permission in Actor.anywhere`, of everybody."""
    giving = {right.role for right in matrix() if permission in right.permissions}

    def with_role(roles: Iterable[str]) -> Select[int]:
        lasts = or_(RoleAssignment.valid_to.is_(None), RoleAssignment.valid_to > now)
        return select(RoleAssignment.principal_id).where(RoleAssignment.role.in_(sorted(roles)), lasts)

    on_a_branch = select(LocalRole.principal_id).where(
        LocalRole.role.in_(sorted(giving)), or_(LocalRole.expires_at.is_(None), LocalRole.expires_at > now)
    )
    through_others = select(Membership.principal_id).where(
        Membership.group_id.in_(on_a_branch), or_(Membership.valid_to.is_(None), Membership.valid_to > now)
    )
    shared = or_(User.id.in_(on_a_branch), User.id.in_(through_others))
    return select(User.id).where(
        User.disabled_at.is_(None),
        or_(User.id.in_(with_role(giving)), and_(User.id.not_in(with_role(APART)), shared)),
    )


def department_names(session: OrmSession) -> dict[int, str]:
    """Id → name of every department in the order of the pinyin; read once a unit of work."""
    if "departments" not in session.info:
        rows = session.execute(
            select(Principal.id, Principal.name).where(Principal.kind == "dept").order_by(Principal.name_key)
        )
        session.info["departments"] = dict(rows.all())
    names: dict[int, str] = session.info["departments"]
    return names


def _held() -> CompoundSelect[str, str]:
    user_id, now = bindparam("person", type_=BigInt), bindparam("now", type_=Moment)
    member = select(Membership.group_id).where(
        Membership.principal_id == user_id, or_(Membership.valid_to.is_(None), Membership.valid_to > now)
    )
    mine = or_(LocalRole.principal_id == user_id, LocalRole.principal_id.in_(member))
    granted = or_(AccessGrant.principal_id == user_id, AccessGrant.principal_id.in_(member))
    return union_all(
        select(literal("role"), RoleAssignment.role).where(
            RoleAssignment.principal_id == user_id,
            or_(RoleAssignment.valid_to.is_(None), RoleAssignment.valid_to > now),
        ),
        select(Principal.kind, cast(Principal.id, String)).where(Principal.id.in_(member)),
        select(literal("local"), cast(LocalRole.id, String) + ":" + LocalRole.role).where(
            mine, or_(LocalRole.expires_at.is_(None), LocalRole.expires_at > now)
        ),
        select(literal("grant"), cast(AccessGrant.id, String)).where(
            granted, AccessGrant.valid_from <= now, AccessGrant.valid_until > now
        ),
    )


_HELD = _held()
"""Made once: every request asks it, and to make it takes longer than the answer."""
