"""审批人: who could decide a request for a record, told to whoever asks before it is sent."""

from dataclasses import dataclass

from sqlalchemy import select

from archive.models import Node, Principal
from archive.policy.lending import EREAD
from archive.policy.permissions import P
from archive.policy.roles import ROLES
from archive.services import explain, roster
from archive.services.roster import Member, Roster
from archive.uow import UnitOfWork

NAMED = 3
"""So many of an office are named; of more, how many there are."""


@dataclass(frozen=True)
class Office:
    """审批岗位: a role that decides, of the record's department or of the whole house. `names` of some, `people` of all."""

    title: str
    department: str
    names: list[str]
    people: int


def of(uow: UnitOfWork, node: Node, kind: str) -> list[Office]:
    """Who decides a request for `node` in this medium: any one of them, and never whoever asks. For whoever may ask for it."""
    uow.require(P.REQUEST_CREATE, node)
    people = roster.everybody(uow)
    found: dict[tuple[str, int | None], set[int]] = {}
    for holder, rights in explain.rights_of(uow, node).items():
        prefix, *rest = holder.split(":")
        if prefix not in {"R", "D"} or P.REQUEST_DECIDE not in rights:
            continue
        role, dept = rest[-1], int(rest[0]) if prefix == "D" else None
        # Nobody opens what they could not read themselves.
        least = max(rights[P.REQUEST_DECIDE], node.level if kind == EREAD else 0)
        found.setdefault((role, dept), set()).update(_of_office(uow, people, role, dept, least))
    return _named(uow, {key: members for key, members in found.items() if members})


def _of_office(uow: UnitOfWork, people: Roster, role: str, dept: int | None, least: int) -> set[int]:
    def is_one(member: Member) -> bool:
        here = dept is None or dept in member.groups
        return role in member.roles and here and member.clearance >= least

    return {one.id for one in people.values() if is_one(one) and one.id != uow.actor.principal_id}


def _named(uow: UnitOfWork, found: dict[tuple[str, int | None], set[int]]) -> list[Office]:
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
