"""Who works in the invented hospital and signs in: one account for every role, and the doctors of the wards."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select

from archive.demo.hospital import ADMITTING, DEPARTMENTS, Post, Staff
from archive.models import Membership, Principal, User
from archive.policy.roles import ROLES
from archive.services import passwords, setup
from archive.uow import UnitOfWork

OFFICES = {"XXK": "信息科", "SJK": "审计科"}
"""The departments of those who hold no other office of the hospital."""
DOCTORS = (Post.HEAD, Post.SENIOR, Post.ATTENDING, Post.RESIDENT)


@dataclass(frozen=True, slots=True)
class Part:
    """Whom an account belongs to: the first member of staff with that post who plays no other part."""

    account: str
    roles: tuple[str, ...]
    clearance: int
    dept: str
    post: Post


@dataclass(frozen=True, slots=True)
class Person:
    """An account with the person whom it belongs to."""

    account: str
    roles: tuple[str, ...]
    clearance: int
    name: str
    number: str
    dept: str = ""


PARTS = (
    Part("archivist", ("archivist",), 2, "BAK", Post.OFFICER),
    Part("senior", ("senior",), 3, "BAK", Post.CHIEF),
    Part("scanner", ("scanner",), 1, "BAK", Post.OFFICER),
    Part("coder", ("coder",), 1, "BAK", Post.CODER),
    Part("qc", ("qc",), 1, "BAK", Post.CODER),
    Part("clerk", ("clerk",), 1, "BAK", Post.CLERK),
    Part("clinician", ("clinician",), 1, "CK", Post.ATTENDING),
    Part("head", ("head", "clinician"), 2, "CK", Post.HEAD),
    Part("clinician2", ("clinician",), 1, "EK", Post.ATTENDING),
    Part("desk", ("desk",), 1, "KHFW", Post.OFFICER),
    Part("complaints", ("complaints",), 1, "KHFW", Post.CHIEF),
    Part("affairs", ("medical_affairs",), 2, "YWK", Post.CHIEF),
    Part("duty", ("duty",), 1, "BGS", Post.CHIEF),
)
OTHERS = (
    Person("inspector", ("inspector",), 1, "傅清远", "W0001"),
    Person("auditor", ("auditor",), 0, "严守正", "0801", "SJK"),
    Person("security", ("security",), 0, "安思齐", "0802", "XXK"),
    Person("sysadmin", ("sysadmin",), 0, "纪云帆", "0803", "XXK"),
)


@dataclass
class Cast:
    """Departments and people by their codes and accounts."""

    everybody: tuple[Staff, ...]
    depts: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    doctors: dict[str, list[str]] = field(default_factory=dict)
    """Accounts of the doctors of a ward, by its code."""
    heads: dict[str, str] = field(default_factory=dict)
    """The account of the head of a ward, by its code."""
    listed: list[tuple[str, str, str]] = field(default_factory=list)
    """Account, name and role of everybody who can sign in."""


def enlist(uow: UnitOfWork, everybody: tuple[Staff, ...], password: str) -> Cast:
    """Makes the departments and accounts. Doctors beside the cast have no password: they act, and cannot sign in."""
    cast = Cast(everybody)
    for code, name in ({code: dept.zh for code, dept in DEPARTMENTS.items()} | OFFICES).items():
        cast.depts[code] = setup.department(uow, code=code, name=name)
    free = list(everybody)
    for part in PARTS:
        who = next(one for one in free if (one.dept, one.post) == (part.dept, part.post))
        free.remove(who)
        _account(uow, cast, Person(part.account, part.roles, part.clearance, who.name, who.number, who.dept))
    for person in OTHERS:
        _account(uow, cast, person)
    _give_password(uow, cast, password)
    _enlist_doctors(uow, cast, free)
    return cast


def _give_password(uow: UnitOfWork, cast: Cast, password: str) -> None:
    """One password, one hash: to work out each would take a second and more."""
    kept = passwords.hashed(password)
    for user in uow.session.scalars(select(User).where(User.id.in_(cast.people.values())).order_by(User.id)):
        user.password = kept
        roles = next(one.roles for one in (*PARTS, *OTHERS) if one.account == user.account)
        name = uow.session.get_one(Principal, user.id).name
        cast.listed.append((user.account, name, "、".join(str(ROLES[role].title) for role in roles)))


def _enlist_doctors(uow: UnitOfWork, cast: Cast, free: Iterable[Staff]) -> None:
    cast.heads = {part.dept: part.account for part in PARTS if part.post is Post.HEAD}
    cast.doctors = {code: [part.account for part in PARTS if part.dept == code] for code in ADMITTING}
    for who in free:
        if who.dept in ADMITTING and who.post in DOCTORS:
            roles = ("head", "clinician") if who.post is Post.HEAD else ("clinician",)
            _account(uow, cast, Person(who.number, roles, len(roles), who.name, who.number, who.dept))
            cast.doctors[who.dept].append(who.number)
            if who.post is Post.HEAD:
                cast.heads[who.dept] = who.number


def _account(uow: UnitOfWork, cast: Cast, whose: Person) -> None:
    user = setup.enlist(uow, account=whose.account, name=whose.name, staff_no=whose.number, password=None,
                        roles=whose.roles, clearance=whose.clearance)  # fmt: skip
    cast.people[whose.account] = user.id
    if whose.dept:
        uow.session.add(Membership(principal_id=user.id, group_id=cast.depts[whose.dept]))
