"""名册: everybody who may sign in, with the roles and memberships that hold now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from archive.i18n import _, ngettext
from archive.models import Membership, Principal, RoleAssignment, User
from archive.policy.permissions import P
from archive.policy.rights import matrix
from archive.policy.roles import APART, ROLES
from archive.uow import UnitOfWork

ICONS = {"user": "user", "group": "users", "dept": "building-hospital", "service": "robot"}


@dataclass(frozen=True)
class Member:
    """A member of staff, as far as rights go. `groups`: departments and groups."""

    id: int
    clearance: int
    roles: frozenset[str]
    groups: frozenset[int]

    @property
    def is_apart(self) -> bool:
        """三员: shares and grants give them nothing."""
        return bool(self.roles & APART)


Roster = Mapping[int, Member]


def everybody(uow: UnitOfWork) -> Roster:
    """Whoever may sign in, by id; three statements however many they are."""
    held: dict[int, set[str]] = {}
    roles = select(RoleAssignment.principal_id, RoleAssignment.role).where(
        lasts(RoleAssignment.valid_to, uow)
    )
    for number, role in uow.session.execute(roles):
        held.setdefault(number, set()).add(role)
    inside: dict[int, set[int]] = {}
    member = select(Membership.principal_id, Membership.group_id).where(lasts(Membership.valid_to, uow))
    for number, group in uow.session.execute(member):
        inside.setdefault(number, set()).add(group)
    users = uow.session.execute(select(User.id, User.clearance).where(User.disabled_at.is_(None)))
    return {
        number: Member(number, clearance, frozenset(held.get(number, ())), frozenset(inside.get(number, ())))
        for number, clearance in users
    }


def lasts(column: Any, uow: UnitOfWork) -> Any:
    """The clause that an end has not come yet."""
    return or_(column.is_(None), column > uow.now)


def holding(permission: P, scope: str | None = None) -> frozenset[str]:
    """The roles that hold a permission on anything; with `scope`, only those that hold it for their department, or for any."""
    return frozenset(
        right.role for right in matrix() if permission in right.permissions and scope in {None, right.scope}
    )


def members_of(who: Principal, roster: Roster) -> list[Member]:
    """The people whom a principal stands for."""
    if who.kind == "user":
        return [roster[who.id]] if who.id in roster else []
    return [one for one in roster.values() if who.id in one.groups]


def titles(roles: Iterable[str]) -> str:
    """The names of roles in the order of the list of roles."""
    chosen = set(roles)
    return _(", ").join(str(role.title) for role in ROLES.values() if role.name in chosen)


def counted(word: str, number: int) -> str:
    """Department, 34 people."""
    return _("%(kind)s, %(people)s", kind=word, people=ngettext("%(num)d person", "%(num)d people", number))


def notes(uow: UnitOfWork, principals: Iterable[Principal], roster: Roster) -> dict[int, str]:
    """What stands beside a name: department and staff number of a person, how many people are in a group."""
    found = {who.id: who for who in principals}
    numbers = dict(uow.session.execute(select(User.id, User.staff_no).where(User.id.in_(found))).all())
    groups = {group for number in numbers if number in roster for group in roster[number].groups}
    is_dept = (Principal.id.in_(groups), Principal.kind == "dept")
    depts = dict(uow.session.execute(select(Principal.id, Principal.name).where(*is_dept)).all())
    return {number: _note(who, numbers, depts, roster) for number, who in found.items()}


def _note(who: Principal, numbers: Mapping[int, str], depts: Mapping[int, str], roster: Roster) -> str:
    if who.kind != "user":
        return counted(_("Department") if who.kind == "dept" else _("Group"), len(members_of(who, roster)))
    own = (
        [depts[group] for group in sorted(roster[who.id].groups) if group in depts]
        if who.id in roster
        else []
    )
    return " ".join([*own, numbers.get(who.id, "")]).strip()
