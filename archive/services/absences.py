"""代理审批: somebody who is away names a deputy for days, who gives their opinions and gains no right by it (domain §10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import aliased

from archive.errors import Conflict, Invalid, NotFound
from archive.i18n import _
from archive.models import Delegation, Membership, Principal, Request, RoleAssignment, User
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import roster
from archive.services.roster import Member, Roster, lasts
from archive.uow import SIGNED_IN, UnitOfWork, action

LONGEST = 200
NEEDS = (P.REQUEST_ENDORSE, P.REQUEST_DECIDE)
"""Whoever is asked about requests may be away; nobody else needs a deputy."""


@dataclass(frozen=True)
class Absent:
    """Somebody in whose place the actor gives the opinion of a head: of these departments."""

    id: int
    departments: frozenset[int]


@dataclass(frozen=True)
class Standing:
    """A delegation as it is shown: who is away, who stands in, and from which day to which."""

    uuid: UUID
    absent: str
    deputy: str
    start: date
    end: date
    because: str
    is_mine: bool
    runs: bool


def runs(uow: UnitOfWork) -> ColumnElement[bool]:
    """Delegations that hold today."""
    return and_(Delegation.ended_at.is_(None), Delegation.start <= uow.today, Delegation.end >= uow.today)


def for_whom(uow: UnitOfWork) -> Select[Any]:
    """The ids of those whose deputy the actor is today."""
    return select(Delegation.from_id).where(Delegation.to_id == uow.actor.principal_id, runs(uow))


def pairs(uow: UnitOfWork) -> list[tuple[int, int]]:
    """Who is away today, and who stands in; read once, for nothing that is asked of a request changes it."""
    return uow.once("away today", lambda: _pairs(uow))


def _pairs(uow: UnitOfWork) -> list[tuple[int, int]]:
    rows = uow.session.execute(
        select(Delegation.from_id, Delegation.to_id).where(runs(uow)).order_by(Delegation.id)
    )
    return [(absent, deputy) for absent, deputy in rows]


def heads(uow: UnitOfWork) -> list[Absent]:
    """The heads whose opinions the actor gives today, as far as the actor could sit in that office."""
    return uow.once("heads away", lambda: _heads(uow))


def _heads(uow: UnitOfWork) -> list[Absent]:
    """One statement: heads who may sign in still, and their departments."""
    rows = uow.session.execute(
        select(User.id, Membership.group_id)
        .join(RoleAssignment, RoleAssignment.principal_id == User.id)
        .join(Membership, Membership.principal_id == User.id)
        .join(Principal, Principal.id == Membership.group_id)
        .where(
            User.id.in_(for_whom(uow)), User.disabled_at.is_(None), RoleAssignment.role == "head",
            lasts(RoleAssignment.valid_to, uow), lasts(Membership.valid_to, uow), Principal.kind == "dept",
        )
        .order_by(User.id)
    )  # fmt: skip
    found: dict[int, set[int]] = {}
    for person, department in rows:
        found.setdefault(person, set()).add(department)
    return [
        Absent(person, frozenset(inside))
        for person, inside in found.items()
        if "head" in uow.actor.roles or not uow.actor.departments.isdisjoint(inside)
    ]


def may_stand_in(deputy: Member, absent: Member, departments: frozenset[int]) -> bool:
    """Whether somebody may be named by `absent`, of these departments: with the same office, or who gives a head's opinion."""
    if deputy.id == absent.id or deputy.is_apart:
        return False
    asked = roster.holding(P.REQUEST_ENDORSE) | roster.holding(P.REQUEST_DECIDE)
    return bool(deputy.roles & absent.roles & asked) or speaks_for(deputy, absent, departments)


def speaks_for(deputy: Member, absent: Member, departments: frozenset[int]) -> bool:
    """Whether somebody could give the opinions of a head: another head, or whoever has a voice and is of their department."""
    voice = deputy.roles & roster.holding(P.REQUEST_ENDORSE) and not deputy.is_apart
    near = not (deputy.groups & absent.groups).isdisjoint(departments)
    return bool("head" in absent.roles and voice and ("head" in deputy.roles or near))


def not_theirs(uow: UnitOfWork) -> ColumnElement[bool]:
    """Requests that nobody asked for whose deputy the actor is."""
    theirs = Delegation.from_id == Request.requester_id
    return ~exists().where(theirs, Delegation.to_id == uow.actor.principal_id, runs(uow))


def objection(uow: UnitOfWork, request: Request) -> str | None:
    """Why a deputy does not decide what the one who is away has asked for themselves; or nothing."""
    name = uow.session.scalar(
        select(Principal.name).where(Principal.id == request.requester_id, Principal.id.in_(for_whom(uow)))
    )
    return name and _(
        "You stand in for %(name)s, who has asked for this: somebody else decides it.", name=name
    )


def candidates(uow: UnitOfWork) -> list[Principal]:
    """Whom the actor may name, by name."""
    able = _able(uow, roster.everybody(uow))
    found = select(Principal).where(Principal.id.in_(able)).order_by(Principal.name_key, Principal.id)
    return list(uow.session.scalars(found))


def _able(uow: UnitOfWork, people: Roster) -> set[int]:
    me = people.get(uow.actor.principal_id or 0)
    return {one.id for one in people.values() if me and may_stand_in(one, me, uow.actor.departments)}


@action("delegation.made", needs=NEEDS)
def name(uow: UnitOfWork, typed: Mapping[str, str]) -> Delegation:
    """Names a deputy for days. Raises Invalid, field by field; Conflict where one is named for such a day already."""
    start, end, because, wrong = _days(uow, typed)
    deputy = _deputy(uow, typed.get("deputy", ""))
    if deputy is None:
        wrong["deputy"] = _("Choose one of the list.")
    if wrong or deputy is None or start is None or end is None:
        raise Invalid(fields=wrong)
    # The account is locked: of two at once, the second sees what the first has named.
    uow.session.scalar(select(User).where(User.id == uow.actor.principal_id).with_for_update())
    if _meets(uow, Delegation.from_id == uow.actor.principal_id, start, end):
        raise Conflict(_("For one of these days you have named a deputy already. End that first."))
    if _meets(uow, Delegation.from_id == deputy.id, start, end):
        raise Invalid(
            fields={"deputy": _("They are away themselves on one of these days; a deputy has no deputy.")}
        )
    made = Delegation(from_id=uow.actor.principal_id, to_id=deputy.id, start=start, end=end, because=because,
                      made_at=uow.now)  # fmt: skip
    uow.session.add(made)
    uow.session.flush()
    uow.about(made)
    uow.note(deputy=deputy.name, start=str(start), end=str(end), because=because)
    return made


def _deputy(uow: UnitOfWork, typed: str) -> Principal | None:
    return next((one for one in candidates(uow) if str(one.uuid) == typed), None)


def _days(uow: UnitOfWork, typed: Mapping[str, str]) -> tuple[date | None, date | None, str, dict[str, str]]:
    wrong: dict[str, str] = {}
    start, end = _day(typed, "start", wrong), _day(typed, "end", wrong)
    because = clean(typed.get("because", ""))
    if start and start < uow.today:
        wrong["start"] = _("Nobody can be named for days that are over.")
    if start and end and end < start:
        wrong["end"] = _("The last day is not before the first.")
    if not 1 <= len(because) <= LONGEST:
        wrong["because"] = _("Say why, in up to %(most)d characters.", most=LONGEST)
    return start, end, because, wrong


def _day(typed: Mapping[str, str], field: str, wrong: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(typed.get(field, "").strip())
    except ValueError:
        wrong[field] = _("Write a date, for example 2026-11-20.")
        return None


def _meets(uow: UnitOfWork, whose: ColumnElement[bool], start: date, end: date) -> bool:
    together = select(Delegation.id).where(
        whose, Delegation.ended_at.is_(None), Delegation.start <= end, Delegation.end >= start
    )
    return uow.session.scalar(together.limit(1)) is not None


@action("delegation.ended", needs=SIGNED_IN)
def end(uow: UnitOfWork, ref: UUID) -> None:
    """Ends one's own at once, or gives back what one was named for. Raises NotFound, Conflict for one that is over."""
    me = uow.actor.principal_id
    whose = or_(Delegation.from_id == me, Delegation.to_id == me)
    row = uow.session.scalar(select(Delegation).where(Delegation.uuid == ref, whose).with_for_update())
    if row is None:
        raise NotFound
    if row.ended_at is not None or row.end < uow.today:
        raise Conflict(_("It has ended already."))
    row.ended_at = uow.now
    uow.about(row)


def listed(uow: UnitOfWork) -> list[Standing]:
    """Those that concern the actor and are not over: by whom they are represented, and for whom they stand in."""
    absent, deputy, me = aliased(Principal), aliased(Principal), uow.actor.principal_id
    rows = uow.session.execute(
        select(Delegation, absent.name, deputy.name)
        .join(absent, absent.id == Delegation.from_id)
        .join(deputy, deputy.id == Delegation.to_id)
        .where(
            or_(Delegation.from_id == me, Delegation.to_id == me),
            Delegation.ended_at.is_(None), Delegation.end >= uow.today,
        )
        .order_by(Delegation.start, Delegation.id)
    )  # fmt: skip
    return [
        Standing(
            row.uuid,
            away,
            stands_in,
            row.start,
            row.end,
            row.because,
            row.from_id == me,
            row.start <= uow.today,
        )
        for row, away, stands_in in rows
    ]
