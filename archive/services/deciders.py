"""审批人: who could decide a request for a record, told to whoever asks before it is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from archive.i18n import _
from archive.models import Node, Principal
from archive.policy.lending import PAPER
from archive.policy.offices import OFFICES
from archive.policy.permissions import P
from archive.policy.roles import ROLES
from archive.services import absences, explain, roster, turns
from archive.services.roster import Member, Roster
from archive.uow import UnitOfWork

NAMED = 3
"""So many of an office are named; of more, how many there are."""


@dataclass(frozen=True)
class Office:
    """审批岗位: a role that decides, of a department or of the whole house. `names` of some, `people` of all."""

    title: str
    department: str
    names: list[str]
    people: int


@dataclass(frozen=True)
class Stage:
    """审批环节: one office of a rule, and who sits in it: any one of them answers. Nobody: it is passed over."""

    code: str
    title: str
    offices: list[Office]
    deputies: list[tuple[str, str]] = field(default_factory=list)
    """Who stands in for whom today."""


def of(uow: UnitOfWork, node: Node, kind: str, codes: Iterable[str]) -> dict[str, Stage]:
    """Who sits in these offices when the actor asks for `node` in this medium; never the actor. For whoever may ask for it."""
    uow.require(P.REQUEST_CREATE, node)
    asker = uow.actor.principal_id or 0
    stages = {}
    for code in codes:
        if OFFICES[code].is_last:
            found = _deciding(uow, node, kind, OFFICES[code].role, asker)
        else:
            found = {(OFFICES[code].role or "", None): endorsers(uow, node, code, asker)}
        named = _named(uow, {key: members for key, members in found.items() if members})
        stages[code] = Stage(code, str(OFFICES[code].title), named, _deputies(uow, found, asker))
    return stages


def last(uow: UnitOfWork, node: Node, kind: str, code: str, asker: int) -> set[int]:
    """Who decides in the end by an office, about what somebody asks for."""
    return set().union(*_deciding(uow, node, kind, OFFICES[code].role, asker).values())


def endorsers(
    uow: UnitOfWork, node: Node, code: str, asker: int, but: frozenset[int] = frozenset()
) -> set[int]:
    """Who may give the opinion of an office about what somebody asks for: whoever sits in it and may know of the record.

    `but`: not these, who have declared why.
    """
    knowing = uow.once(("knowing", node.id), lambda: explain.knowing(uow, node))
    return {number for number in sitting(uow, code, asker, but) if number in knowing}


def sitting(uow: UnitOfWork, code: str, asker: int, but: frozenset[int] = frozenset()) -> set[int]:
    """Who sits in an office when somebody asks for anything, or stands in there; whether or not they may know of it."""
    people, role = _everybody(uow), OFFICES[code].role
    wards = turns.departments_of(uow, people[asker].groups) if asker in people else frozenset()

    def sits(one: Member) -> bool:
        here = code != "dept_head" or not wards.isdisjoint(one.groups)
        return role in one.roles and here and not one.is_apart and one.id != asker and one.id not in but

    found = {one.id for one in people.values() if sits(one)}
    for absent, deputy in absences.pairs(uow) if code == "dept_head" else ():
        if absent not in people or deputy not in people or not sits(people[absent]):
            continue
        departments = turns.departments_of(uow, people[absent].groups)
        if absences.speaks_for(people[deputy], people[absent], departments):
            found.add(deputy)
    return found - but - _apart_from(uow, asker)


def _apart_from(uow: UnitOfWork, asker: int) -> set[int]:
    """The asker, and whoever stands in for them today: neither decides what they ask for."""
    return {asker} | {deputy for absent, deputy in absences.pairs(uow) if absent == asker}


def _deputies(
    uow: UnitOfWork, found: Mapping[tuple[str, int | None], set[int]], asker: int
) -> list[tuple[str, str]]:
    """Of those who are asked, who stands in for whom: names."""
    here = {number for members in found.values() for number in members}
    pairs = [pair for pair in absences.pairs(uow) if here.issuperset(pair) and asker not in pair]
    rows = select(Principal.id, Principal.name).where(
        Principal.id.in_({one for pair in pairs for one in pair})
    )
    names = dict(uow.session.execute(rows).all()) if pairs else {}
    return [(names[deputy], names[absent]) for absent, deputy in pairs]


def _everybody(uow: UnitOfWork) -> Roster:
    return uow.once("roster", lambda: roster.everybody(uow))


Found = dict[tuple[str, int | None], set[int]]
"""Role and department → people."""


def _deciding(uow: UnitOfWork, node: Node, kind: str, only: str | None, asker: int) -> Found:
    """Who decides on the record itself, of any role or of one."""
    people, found = _everybody(uow), Found()
    for holder, rights in explain.rights_of(uow, node).items():
        prefix, *rest = holder.split(":")
        if prefix not in {"R", "D"} or P.REQUEST_DECIDE not in rights or only not in {None, rest[-1]}:
            continue
        role, dept = rest[-1], int(rest[0]) if prefix == "D" else None
        # Nobody opens what they could not read themselves.
        least = max(rights[P.REQUEST_DECIDE], 0 if kind == PAPER else node.level)
        members = _of_office(people, role, dept, least) - _apart_from(uow, asker)
        found.setdefault((role, dept), set()).update(members)
    return found


def _of_office(people: Roster, role: str, dept: int | None, least: int) -> set[int]:
    def is_one(member: Member) -> bool:
        here = dept is None or dept in member.groups
        return role in member.roles and here and member.clearance >= least

    return {one.id for one in people.values() if is_one(one)}


def by_role(uow: UnitOfWork, code: str) -> Stage:
    """An office as it is where no record and no asker is in question: the head of a department is not named."""
    office = OFFICES[code]
    if office.role is None or code == "dept_head":
        return Stage(code, str(office.title), [])
    people = {one.id for one in _everybody(uow).values() if office.role in one.roles}
    return Stage(code, str(office.title), _named(uow, {(office.role, None): people} if people else {}))


def _named(uow: UnitOfWork, found: Found) -> list[Office]:
    wanted = {number for members in found.values() for number in members}
    wanted |= {dept for _role, dept in found if dept is not None}
    rows = select(Principal.id, Principal.name).where(Principal.id.in_(wanted)).order_by(Principal.name_key)
    names = dict(uow.session.execute(rows).all())
    order = list(ROLES)
    return [
        Office(
            str(ROLES[role].title), names.get(dept, "") if dept else "",
            [name for number, name in names.items() if number in members][:NAMED], len(members),
        )
        for (role, dept), members in sorted(found.items(), key=lambda one: (one[0][1] is None, order.index(one[0][0])))
    ]  # fmt: skip


def said(codes: Iterable[str]) -> str:
    """A chain of offices in words: first, then, at last; or that nobody is asked."""
    titles = [str(OFFICES[code].title) for code in codes]
    return " → ".join(titles) if titles else _("At once, by the rule itself")
