"""角色与敏感授权: given by the security administrator, never to oneself, never against the separation of duties."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import RoleAssignment, User
from archive.policy.permissions import P
from archive.policy.rights import matrix
from archive.policy.roles import CONFLICTS, ROLES
from archive.services import calendar, roster
from archive.uow import UnitOfWork, action

GLOBAL_ROLES = tuple(role.name for role in ROLES.values() if not role.local)
ASSIGNING = frozenset(right.role for right in matrix() if P.ROLE_ASSIGN in right.permissions)


def held(uow: UnitOfWork, user: User) -> set[str]:
    """The roles that somebody holds now."""
    rows = select(RoleAssignment.role).where(
        RoleAssignment.principal_id == user.id, roster.lasts(RoleAssignment.valid_to, uow)
    )
    return set(uow.session.scalars(rows))


def against(role: str, others: Collection[str]) -> set[str]:
    """The roles among `others` that do not go with `role`."""
    return {other for other in others if frozenset({role, other}) in CONFLICTS}


@dataclass(frozen=True)
class Offer:
    """A role that somebody does not hold yet; `against` names those of theirs that it does not go with."""

    role: str
    title: str
    against: str


def offers(present: Collection[str]) -> list[Offer]:
    """The roles that could be given beside those that are held, with what stands against each."""
    return [
        Offer(role, str(ROLES[role].title), roster.titles(against(role, present)))
        for role in GLOBAL_ROLES
        if role not in present
    ]


@action("role.assigned", needs=P.ROLE_ASSIGN)
def assign(uow: UnitOfWork, user: User, *, role: str, until: datetime | None = None) -> None:
    """Gives a role in the whole hospital. Raises Invalid for a role that is not, Conflict for a conflict of duty."""
    _not_oneself(uow, user)
    if role not in GLOBAL_ROLES:
        raise Invalid(
            fields={"role": _("Choose one of the list. Local roles are given on the sharing page.")}
        )
    if until is not None and until <= uow.now:
        raise Invalid(fields={"until": _("This day is over.")})
    _lock(uow, user)
    present = held(uow, user)
    if role in present:
        raise Conflict(_("They hold this role already."))
    if others := against(role, present):
        raise Conflict(_("%(new)s does not go with %(old)s: one person never holds both.",
                         new=ROLES[role].title, old=roster.titles(others)))  # fmt: skip
    row = _assignment(uow, user, role) or RoleAssignment(principal_id=user.id, role=role)
    row.granted_by, row.granted_at, row.valid_to = uow.actor.principal_id, uow.now, until
    uow.session.add(row)
    uow.note(role=role, until=until)


def assign_as_typed(uow: UnitOfWork, user: User, *, role: str, until: str) -> None:
    """Gives a role as a form says; `until` is the last day, or nothing."""
    try:
        end = calendar.end_of(uow, date.fromisoformat(until.strip())) if until.strip() else None
    except ValueError as error:
        raise Invalid(fields={"until": _("Write the date as 2026-11-21.")}) from error
    assign(uow, user, role=role, until=end)


def _assignment(uow: UnitOfWork, user: User, role: str) -> RoleAssignment | None:
    return uow.session.scalar(
        select(RoleAssignment).where(RoleAssignment.principal_id == user.id, RoleAssignment.role == role)
    )


def _not_oneself(uow: UnitOfWork, user: User) -> None:
    if user.id == uow.actor.principal_id:
        raise Conflict(
            _("Nobody gives or takes roles and clearance for themselves. Ask another security administrator.")
        )


def _lock(uow: UnitOfWork, user: User) -> None:
    """Two who give a role at once wait for each other, else both might miss the conflict."""
    uow.session.scalar(select(User.id).where(User.id == user.id).with_for_update())


@action("role.withdrawn", needs=P.ROLE_ASSIGN)
def withdraw(uow: UnitOfWork, user: User, *, role: str) -> None:
    """Takes a role away: at the next click it gives nothing. Raises Conflict where it is gone, or the last one."""
    _not_oneself(uow, user)
    row = _assignment(uow, user, role)
    if row is None:
        raise Conflict(_("They do not hold this role any more. Reload the page."))
    if role in ASSIGNING:
        keep_one_who_assigns(uow, user)
    uow.session.delete(row)
    uow.note(role=role)


def keep_one_who_assigns(uow: UnitOfWork, user: User) -> None:
    """Raises Conflict when nobody but `user` could give roles: the hospital would be locked out of its own rights."""
    if not held(uow, user) & ASSIGNING:
        return
    # Of two who take this role from each other at once, the second waits here and then counts anew.
    rows = select(RoleAssignment.id).where(RoleAssignment.role.in_(ASSIGNING)).order_by(RoleAssignment.id)
    uow.session.scalars(rows.with_for_update()).all()
    others = (
        select(func.count(RoleAssignment.id))
        .join(User, User.id == RoleAssignment.principal_id)
        .where(RoleAssignment.role.in_(ASSIGNING), roster.lasts(RoleAssignment.valid_to, uow))
        .where(RoleAssignment.principal_id != user.id, User.disabled_at.is_(None))
    )
    if not uow.session.scalar(others):
        raise Conflict(_("This is the only security administrator. Give the role to somebody else first."))


@action("clearance.given", needs=P.ROLE_ASSIGN)
def give_clearance(uow: UnitOfWork, user: User, *, level: int) -> None:
    """Sets the 敏感授权级别, 0 to 3: up to which sensitivity somebody may read."""
    _not_oneself(uow, user)
    if level not in range(4):
        raise Invalid(fields={"level": _("Choose one of the list.")})
    uow.note(clearance=[user.clearance, level])
    user.clearance = level
