"""人员名录: who works here, for those who keep accounts and those who give roles. Nothing of any record."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select

from archive import cursor
from archive.errors import Forbidden, NotFound
from archive.models import AuditEvent, LocalRole, Membership, Principal, RoleAssignment, Session, User
from archive.policy.permissions import P
from archive.policy.roles import ROLES
from archive.services import roster
from archive.services.history import Act
from archive.uow import UnitOfWork

PAGE = 50


@dataclass(frozen=True)
class Sought:
    """What the list is narrowed to."""

    text: str = ""
    role: str = ""
    dept: int | None = None
    disabled: bool = False


@dataclass(frozen=True)
class Row:
    """A line of the list."""

    uuid: str
    name: str
    account: str
    staff_no: str
    departments: str
    roles: str
    clearance: int
    disabled: bool
    seen_at: datetime | None


@dataclass(frozen=True)
class Listing:
    rows: list[Row]
    total: int
    next: str | None


@dataclass(frozen=True)
class Duty:
    """A role that somebody holds: since when, by whom, until when."""

    role: str
    title: str
    since: datetime
    by: str
    until: datetime | None


@dataclass(frozen=True)
class Person:
    """人员页: all that is kept of an account; `shares` is how many, never of what."""

    uuid: str
    name: str
    account: str
    staff_no: str
    clearance: int
    disabled_at: datetime | None
    has_password: bool
    version: int
    departments: dict[int, str]
    groups: list[str]
    duties: list[Duty]
    sessions: int
    seen_at: datetime | None
    shares: int
    is_self: bool
    acts: list[Act] = field(default_factory=list)


def may_look(uow: UnitOfWork) -> None:
    """Raises Forbidden for whoever neither keeps accounts nor gives roles."""
    if not (uow.can(P.USER_MANAGE) or uow.can(P.ROLE_ASSIGN)):
        raise Forbidden


def listing(uow: UnitOfWork, sought: Sought, *, after: str | None = None) -> Listing:
    """One page of the people, in the order of their pinyin."""
    may_look(uow)
    wanted = _wanted(uow, sought)
    total = uow.session.scalar(wanted.with_only_columns(func.count(User.id))) or 0
    page = wanted.order_by(Principal.name_key, User.id).limit(PAGE + 1)
    if begin := cursor.unpack(uow.site.keys, "people", after):
        key, number = begin
        page = page.where(or_(Principal.name_key > key, and_(Principal.name_key == key, User.id > number)))
    found = uow.session.execute(page).all()
    rows = found[:PAGE]
    last = [rows[-1][1].name_key, rows[-1][0].id] if len(found) > PAGE else None
    return Listing(_rows(uow, rows), total, cursor.pack(uow.site.keys, "people", last) if last else None)


def _wanted(uow: UnitOfWork, sought: Sought) -> Select[User, Principal]:
    statement = select(User, Principal).join(Principal, Principal.id == User.id)
    statement = statement.where(
        User.disabled_at.is_not(None) if sought.disabled else User.disabled_at.is_(None)
    )
    if words := sought.text.strip().lower():
        statement = statement.where(
            or_(Principal.name.contains(words, autoescape=True), Principal.name_key.contains(words, autoescape=True),
                User.account.startswith(words, autoescape=True), User.staff_no.startswith(words, autoescape=True))
        )  # fmt: skip
    if sought.role:
        having = select(RoleAssignment.principal_id).where(
            RoleAssignment.role == sought.role, roster.lasts(RoleAssignment.valid_to, uow)
        )
        statement = statement.where(User.id.in_(having))
    if sought.dept:
        inside = select(Membership.principal_id).where(
            Membership.group_id == sought.dept, roster.lasts(Membership.valid_to, uow)
        )
        statement = statement.where(User.id.in_(inside))
    return statement


def _rows(uow: UnitOfWork, found: Iterable[tuple[User, Principal]]) -> list[Row]:
    pairs = list(found)
    ids = [user.id for user, _principal in pairs]
    duties, places, seen = _roles(uow, ids), _places(uow, ids), _seen(uow, ids)
    return [
        Row(str(who.uuid), who.name, user.account, user.staff_no, " ".join(places.get(user.id, {}).values()),
            roster.titles(duties.get(user.id, ())), user.clearance, user.disabled_at is not None, seen.get(user.id))
        for user, who in pairs
    ]  # fmt: skip


def _roles(uow: UnitOfWork, ids: list[int]) -> dict[int, list[str]]:
    rows = uow.session.execute(
        select(RoleAssignment.principal_id, RoleAssignment.role).where(
            RoleAssignment.principal_id.in_(ids), roster.lasts(RoleAssignment.valid_to, uow)
        )
    )
    found: dict[int, list[str]] = {}
    for number, role in rows:
        found.setdefault(number, []).append(role)
    return found


def _places(uow: UnitOfWork, ids: list[int], kind: str = "dept") -> dict[int, dict[int, str]]:
    """Who is in which departments (or groups), by id and name."""
    rows = uow.session.execute(
        select(Membership.principal_id, Principal.id, Principal.name)
        .join(Principal, Principal.id == Membership.group_id)
        .where(
            Membership.principal_id.in_(ids), Principal.kind == kind, roster.lasts(Membership.valid_to, uow)
        )
        .order_by(Principal.name_key)
    )
    found: dict[int, dict[int, str]] = {}
    for number, group, name in rows:
        found.setdefault(number, {})[group] = name
    return found


def _seen(uow: UnitOfWork, ids: list[int]) -> dict[int, datetime]:
    rows = (
        select(Session.user_id, func.max(Session.seen_at))
        .where(Session.user_id.in_(ids))
        .group_by(Session.user_id)
    )
    return dict(uow.session.execute(rows).all())


def find(uow: UnitOfWork, uuid: UUID | str) -> User:
    """The account of a person's page. Raises NotFound."""
    may_look(uow)
    found = uow.session.scalar(
        select(User).join(Principal, Principal.id == User.id).where(Principal.uuid == UUID(str(uuid)))
    )
    if found is None:
        raise NotFound
    return found


def person(uow: UnitOfWork, user: User) -> Person:
    """A person's page. What they were given a share of is not said: that would name records."""
    may_look(uow)
    who = uow.session.get_one(Principal, user.id)
    live = (Session.user_id == user.id, Session.ended_at.is_(None), Session.expires_at > uow.now)
    shares = (LocalRole.principal_id == user.id, roster.lasts(LocalRole.expires_at, uow))
    return Person(
        str(who.uuid), who.name, user.account, user.staff_no, user.clearance, user.disabled_at,
        user.password is not None, user.version, _places(uow, [user.id]).get(user.id, {}),
        list(_places(uow, [user.id], "group").get(user.id, {}).values()), _duties(uow, user),
        uow.session.scalar(select(func.count(Session.id)).where(*live)) or 0, _seen(uow, [user.id]).get(user.id),
        uow.session.scalar(select(func.count(LocalRole.id)).where(*shares)) or 0,
        user.id == uow.actor.principal_id, _acts(uow, user),
    )  # fmt: skip


def _duties(uow: UnitOfWork, user: User) -> list[Duty]:
    rows = uow.session.execute(
        select(RoleAssignment, Principal.name)
        .outerjoin(Principal, Principal.id == RoleAssignment.granted_by)
        .where(RoleAssignment.principal_id == user.id, roster.lasts(RoleAssignment.valid_to, uow))
        .order_by(RoleAssignment.granted_at, RoleAssignment.id)
    )
    return [
        Duty(row.role, str(ROLES[row.role].title), row.granted_at, by or "", row.valid_to) for row, by in rows
    ]


def _acts(uow: UnitOfWork, user: User) -> list[Act]:
    """What was done with the account, newest first."""
    rows = uow.session.execute(
        select(AuditEvent.at, AuditEvent.actor, AuditEvent.action, Principal.name)
        .outerjoin(Principal, Principal.id == AuditEvent.actor_id)
        .where(AuditEvent.object_kind == "user", AuditEvent.object_id == user.id)
        .order_by(AuditEvent.id.desc())
        .limit(12)
    )
    return [Act(at, name or actor, action) for at, actor, action, name in rows]
