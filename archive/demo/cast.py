"""Who works in the invented hospital and signs in: one account for every role, and the doctors of the wards."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from archive.demo.hospital import ADMITTING, DEPARTMENTS, Post, Staff
from archive.models import Membership
from archive.policy.roles import ROLES
from archive.services import setup
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
class Guest:
    """Somebody with an account who is not on the staff list of the wards and offices."""

    account: str
    role: str
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
GUESTS = (
    Guest("inspector", "inspector", "傅清远", "W0001"),
    Guest("auditor", "auditor", "严守正", "0801", "SJK"),
    Guest("security", "security", "安思齐", "0802", "XXK"),
    Guest("sysadmin", "sysadmin", "纪云帆", "0803", "XXK"),
)


@dataclass
class Cast:
    """Departments and people by their codes and accounts."""

    everybody: tuple[Staff, ...]
    depts: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    doctors: dict[str, list[str]] = field(default_factory=dict)
    """Accounts of the doctors of a ward, by its code."""
    listed: list[tuple[str, str, str]] = field(default_factory=list)
    """Account, name and role of everybody who can sign in."""


def enlist(uow: UnitOfWork, everybody: tuple[Staff, ...], password: str) -> Cast:
    """Makes the departments and accounts. The doctors beside the cast have no password: they act, and cannot sign in."""
    cast = Cast(everybody)
    for code, name in ({code: dept.zh for code, dept in DEPARTMENTS.items()} | OFFICES).items():
        cast.depts[code] = setup.department(uow, code=code, name=name)
    free = list(everybody)
    for part in PARTS:
        who = next(one for one in free if (one.dept, one.post) == (part.dept, part.post))
        free.remove(who)
        _account(uow, cast, part.account, who.name, who.number, part.roles, part.clearance, who.dept, password)
    for guest in GUESTS:
        _account(uow, cast, guest.account, guest.name, guest.number, (guest.role,), 1 if guest.role == "inspector" else 0,
                 guest.dept, password)  # fmt: skip
    _enlist_doctors(uow, cast, free)
    return cast


def _enlist_doctors(uow: UnitOfWork, cast: Cast, free: Iterable[Staff]) -> None:
    cast.doctors = {code: [part.account for part in PARTS if part.dept == code] for code in ADMITTING}
    for who in free:
        if who.dept in ADMITTING and who.post in DOCTORS:
            roles = ("head", "clinician") if who.post is Post.HEAD else ("clinician",)
            _account(uow, cast, who.number, who.name, who.number, roles, len(roles), who.dept, None)
            cast.doctors[who.dept].append(who.number)


def _account(
    uow: UnitOfWork, cast: Cast, account: str, name: str, number: str, roles: tuple[str, ...], clearance: int, dept: str,
    password: str | None,
) -> None:  # fmt: skip
    user = setup.enlist(uow, account=account, name=name, staff_no=number, password=password, roles=roles,
                        clearance=clearance)  # fmt: skip
    cast.people[account] = user.id
    if dept:
        uow.session.add(Membership(principal_id=user.id, group_id=cast.depts[dept]))
    if password:
        titles = "、".join(str(ROLES[role].title) for role in roles)
        cast.listed.append((account, name, titles))
