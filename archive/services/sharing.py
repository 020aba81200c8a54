"""Sharing: local roles with inherit and block. Who may see a node, and why, is said by `explain`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, or_, select

from archive import classes
from archive.access import Access
from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import LocalRole, Membership, Node, Principal, RoleAssignment, User
from archive.policy.permissions import P
from archive.policy.roles import APART, ROLES
from archive.services import branches, calendar, explain, roster
from archive.services.explain import Path
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "sharing"}
MATCHES = 12
LOCAL_ROLES = tuple(role.name for role in ROLES.values() if role.local)


@dataclass(frozen=True)
class Candidate:
    """Somebody with whom a node may be shared."""

    uuid: str
    icon: str
    name: str
    note: str
    staff_no: str


def candidates(uow: UnitOfWork, node: Node, text: str, *, people_only: bool = False) -> list[Candidate]:
    """People, departments and groups by name, pinyin, account, staff number or department; needs share.delegate."""
    uow.require(P.SHARE, node)
    if not (words := text.strip().lower()):
        return []
    called = or_(
        Principal.name.contains(words, autoescape=True), Principal.name_key.contains(words, autoescape=True)
    )
    in_dept = (
        select(Membership.principal_id)
        .join(Principal, Principal.id == Membership.group_id)
        .where(Principal.kind == "dept", called, roster.lasts(Membership.valid_to, uow))
    )
    matches = (called, User.account == words, User.staff_no == words)
    found = (
        select(Principal, User.staff_no)
        .outerjoin(User, User.id == Principal.id)
        .where(
            User.disabled_at.is_(None),
            or_(*matches, Principal.id.in_(in_dept)),
            Principal.kind == "user" if people_only else Principal.kind.in_(("user", "dept", "group")),
        )
    )
    nearest = case((User.staff_no == words, 0), (User.account == words, 0), (or_(*matches), 1), else_=2)
    order = (nearest, Principal.kind, Principal.name_key, Principal.id)
    rows = uow.session.execute(found.order_by(*order).limit(MATCHES)).all()
    notes = roster.notes(uow, (who for who, _number in rows), roster.everybody(uow))
    return [
        Candidate(str(who.uuid), roster.ICONS[who.kind], who.name, notes[who.id], number or "")
        for who, number in rows
    ]


@dataclass(frozen=True)
class Inheritance:
    """继承: whether shares of ancestors hold here, how many there are, and how many people see it only by them."""

    on: bool
    above: int
    only_by_it: int


def inheritance(uow: UnitOfWork, node: Node, paths: list[Path]) -> Inheritance:
    """What switching the inheritance off or on would mean."""
    parent = uow.session.get_one(Node, node.parent_id, execution_options=TRUSTED)
    held = select(func.count(LocalRole.id)).where(
        LocalRole.node_id.in_(explain.sources(uow, parent)), roster.lasts(LocalRole.expires_at, uow)
    )
    above = [path for path in paths if path.kind == "share" and path.source == "inherited"]
    others = frozenset[int]().union(*(path.people for path in paths if path not in above))
    lost = frozenset[int]().union(*(path.people for path in above)) - others
    return Inheritance(node.inherits, uow.session.scalar(held) or 0, len(lost))


def still_may(uow: UnitOfWork, node: Node) -> bool:
    """Whether the actor may still share a node, read afresh after a change: a block may shut out whoever made it."""
    return P.SHARE in Access(uow.session, uow.actor, uow.now).permissions(node)


def share_as_typed(uow: UnitOfWork, node: Node, form: Mapping[str, str]) -> None:
    """Shares as a form says: `who` a uuid, `role`, `until` the last day, `cause`. Raises Invalid, Conflict."""
    wrong: dict[str, str] = {}
    who = _principal(uow, form.get("who", ""))
    if who is None:
        wrong["who"] = _("Choose a person, a group or a department.")
    if form.get("role") not in LOCAL_ROLES:
        wrong["role"] = _("Choose one of the list.")
    if not (cause := form.get("cause", "").strip()[:200]):
        wrong["cause"] = _("Say why; it stands beside the name.")
    until, fault = _day(uow, form.get("until", "").strip())
    if fault:
        wrong["until"] = fault
    if wrong or who is None:
        raise Invalid(fields=wrong)
    share(uow, node, principal_id=who.id, role=form["role"], cause=cause, until=until)


def _principal(uow: UnitOfWork, uuid: str) -> Principal | None:
    try:
        return uow.session.scalar(select(Principal).where(Principal.uuid == UUID(uuid)))
    except ValueError:
        return None


def _day(uow: UnitOfWork, typed: str) -> tuple[datetime | None, str]:
    if not typed:
        return None, ""
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None, _("Write the date as 2026-11-21.")
    return calendar.end_of(uow, day), "" if day >= uow.today else _("This day is over.")


@action("node.shared", needs=P.SHARE)
def share(
    uow: UnitOfWork,
    node: Node,
    *,
    principal_id: int,
    role: str,
    cause: str = "",
    until: datetime | None = None,
) -> None:
    """Gives a local role on a branch; one that has expired is given again.

    Raises Invalid for a role that is not local or an end that has passed, Conflict for one that is there or whoever
    holds an office apart.
    """
    if role not in LOCAL_ROLES:
        raise Invalid(fields={"role": _("Choose one of the list.")})
    if until is not None and until <= uow.now:
        raise Invalid(fields={"until": _("This day is over.")})
    _check_principal(uow, principal_id)
    known = uow.session.scalar(
        select(LocalRole).where(
            LocalRole.node_id == node.id, LocalRole.principal_id == principal_id, LocalRole.role == role
        )
    )
    if known is not None and (known.expires_at is None or known.expires_at > uow.now):
        raise Conflict(_("They have this role here already."))
    row = known or LocalRole(node_id=node.id, principal_id=principal_id, role=role)
    row.cause, row.granted_by, row.granted_at, row.expires_at = cause, uow.actor.principal_id, uow.now, until
    uow.session.add(row)
    uow.note(principal=principal_id, role=role, until=until, cause=cause)
    _settle(uow, node, was_scope=node.shared or not node.inherits)


def _check_principal(uow: UnitOfWork, number: int) -> None:
    if uow.session.get(Principal, number) is None:
        raise Invalid(fields={"who": _("Choose a person, a group or a department.")})
    apart = select(RoleAssignment.id).where(
        RoleAssignment.principal_id == number,
        RoleAssignment.role.in_(APART),
        roster.lasts(RoleAssignment.valid_to, uow),
    )
    if uow.session.scalar(apart.limit(1)) is not None:
        # 三员分立: it would give them nothing, and the list would say that they see it.
        raise Conflict(_("They hold an office that never sees content: nothing can be shared with them."))


@action("node.unshared", needs=P.SHARE)
def unshare(uow: UnitOfWork, node: Node, *, share_id: int) -> None:
    """Takes a local role away. It is gone at once: nobody holds the token of a row that does not exist."""
    row = uow.session.get(LocalRole, share_id)
    if row is None or row.node_id != node.id:
        raise Conflict(_("This share is gone already. Reload the page."))
    uow.note(principal=row.principal_id, role=row.role)
    uow.session.delete(row)
    _settle(uow, node, was_scope=node.shared or not node.inherits)


@action("node.inheritance_changed", needs=P.SHARE)
def set_inheritance(uow: UnitOfWork, node: Node, *, inherits: bool) -> None:
    """Lets the local roles of ancestors hold here, or blocks them."""
    if node.inherits == inherits:
        return
    was_scope = node.shared or not node.inherits
    node.inherits = inherits
    uow.note(inherits=inherits)
    _settle(uow, node, was_scope=was_scope)


def _settle(uow: UnitOfWork, node: Node, *, was_scope: bool) -> None:
    """At a scope that stays, class rows are rewritten; a new or vanished scope reclassifies the branch."""
    classes.alone(uow.session, node)
    own = select(func.count(LocalRole.id)).where(LocalRole.node_id == node.id)
    node.shared = bool(uow.session.scalar(own))
    uow.session.flush()
    if was_scope and (node.shared or not node.inherits):
        classes.expand_below(uow.session, node)
    else:
        branches.reclassify(uow, node)
