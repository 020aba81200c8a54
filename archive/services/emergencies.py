"""紧急调阅与事后审查: who sees which emergency, and how. It is opened and judged in `breakglass`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, or_, select, true
from sqlalchemy.orm import aliased

from archive.access import branch_end
from archive.errors import NotFound
from archive.models import (
    AccessGrant,
    Emergency,
    Membership,
    Node,
    Patient,
    Principal,
    ReadEvent,
    User,
)
from archive.policy.permissions import P
from archive.services import absences, policies, roster
from archive.sight import NodeView, views
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "emergencies", "synchronize_session": False}
KIND = "emergency"
CAUSE = "breakglass"
MOST = 200
READ = ("page.viewed", "page.text_viewed")


@dataclass(frozen=True)
class Limits:
    """紧急调阅规则: hours and sensitivity to which it opens, the least of words, when it is judged, when an alarm is raised."""

    open_hours: int
    sensitivity_to: int
    least_words: int
    judge_hours: int
    alarm_from: int


def limits(uow: UnitOfWork) -> Limits:
    """The limits in force."""
    return Limits(**policies.in_force(uow, KIND).body["limits"])


def causes(uow: UnitOfWork) -> dict[str, str]:
    """What an emergency may be: code and words, in the hospital's order."""
    body = policies.in_force(uow, KIND).body["causes"]
    return {code: policies.said(label) for code, label in body.items()}


def judging(scope: str) -> frozenset[str]:
    """The roles that judge: `dept` those of their own department, `any` all."""
    return roster.holding(P.BREAKGLASS_REVIEW, scope)


def _judged_by_me(uow: UnitOfWork) -> ColumnElement[bool]:
    """Whose review is the actor's: whoever belongs to a department of theirs, or opened a record of it; never their own.

    Nor that of somebody whose deputy they are today.
    """
    if uow.actor.roles & judging("any"):
        wide: ColumnElement[bool] = true()
    elif uow.actor.roles & judging("dept"):
        mine = sorted(uow.actor.departments)
        people = select(Membership.principal_id).where(
            Membership.group_id.in_(mine), roster.lasts(Membership.valid_to, uow)
        )
        of_mine = (
            select(AccessGrant.id)
            .join(Node, Node.id == AccessGrant.node_id)
            .where(AccessGrant.cause == CAUSE, AccessGrant.ref == Emergency.number, Node.dept_id.in_(mine))
            .correlate(Emergency)
        )
        wide = or_(Emergency.principal_id.in_(people), exists(of_mine))
    else:
        wide = false()
    others = and_(
        Emergency.principal_id != uow.actor.principal_id,
        Emergency.principal_id.not_in(absences.for_whom(uow)),
    )
    return and_(wide, others)


def visible(uow: UnitOfWork, *entities: Any) -> Select[Any]:
    """A select over the emergencies that the actor may see: their own, those they judge, all for whoever watches over it."""
    watched = true() if uow.can(P.AUDIT_REVIEW) else false()
    mine = Emergency.principal_id == uow.actor.principal_id
    return (
        select(*(entities or (Emergency,)))
        .where(or_(mine, _judged_by_me(uow), watched))
        .execution_options(**TRUSTED)
    )


@dataclass(frozen=True)
class Shown:
    """One emergency as one person sees it. Whoever only watches over it gets codes: people are accounts, and no words."""

    uuid: UUID
    number: str
    who: str
    patient: str
    """A code for the patient, the same as in the journals; nothing for whoever judges."""
    cause: str
    reason: str
    records: int
    at: datetime
    until: datetime
    is_open: bool
    is_mine: bool
    judge_by: datetime
    judged_by: str
    judged_at: datetime | None
    verdict: str | None
    note: str
    is_overdue: bool
    may_judge: bool


def listing(uow: UnitOfWork, *where: ColumnElement[bool]) -> list[Shown]:
    """What the actor may see: first what waits to be judged, the oldest first; then the newest."""
    waits = Emergency.judged_at.is_(None)
    order = (waits.desc(), Emergency.judged_at.desc(), Emergency.at)
    return _shown(uow, _rows(uow).where(*where).order_by(*order).limit(MOST))


def mine(uow: UnitOfWork) -> list[Shown]:
    """One's own, the newest first."""
    own = Emergency.principal_id == uow.actor.principal_id
    return _shown(uow, _rows(uow).where(own).order_by(Emergency.id.desc()).limit(10))


def to_judge(uow: UnitOfWork) -> tuple[int, int]:
    """How many wait for the actor's judgement, and how many of these longer than they may."""
    if not uow.can(P.BREAKGLASS_REVIEW):
        return 0, 0
    late = func.count(Emergency.id).filter(Emergency.judge_by < uow.now)
    waiting = select(func.count(Emergency.id), late).where(_judged_by_me(uow), Emergency.judged_at.is_(None))
    many, overdue = uow.session.execute(waiting, execution_options=TRUSTED).one()
    return many, overdue


def one(uow: UnitOfWork, ref: UUID) -> Emergency:
    """The row of an emergency that the actor may see. Raises NotFound."""
    found: Emergency | None = uow.session.scalar(visible(uow).where(Emergency.uuid == ref))
    if found is None:
        raise NotFound
    return found


def shown(uow: UnitOfWork, row: Emergency) -> Shown:
    """An emergency that came by `one`, as the actor sees it."""
    return _shown(uow, _rows(uow).where(Emergency.id == row.id))[0]


def may_judge(uow: UnitOfWork, row: Emergency) -> bool:
    """Whether its review is the actor's."""
    asked = select(Emergency.id).where(Emergency.id == row.id, _judged_by_me(uow))
    return uow.session.scalar(asked, execution_options=TRUSTED) is not None


def _rows(uow: UnitOfWork) -> Select[Any]:
    who, judge, judging_user = aliased(Principal), aliased(Principal), aliased(User)
    return (
        visible(uow, Emergency, who.name, User.account, User.staff_no, judge.name, judging_user.account, Patient.mrn,
                _judged_by_me(uow))
        .join(who, who.id == Emergency.principal_id)
        .join(User, User.id == Emergency.principal_id)
        .join(Patient, Patient.id == Emergency.patient_id)
        .outerjoin(judge, judge.id == Emergency.judged_by)
        .outerjoin(judging_user, judging_user.id == Emergency.judged_by)
    )  # fmt: skip


def _shown(uow: UnitOfWork, statement: Select[Any]) -> list[Shown]:
    words = causes(uow)
    return [_one(uow, row, words) for row in uow.session.execute(statement)]


def _one(uow: UnitOfWork, found: Any, words: Mapping[str, str]) -> Shown:
    row, name, account, staff_no, judge, judge_account, mrn, judges = found
    own = row.principal_id == uow.actor.principal_id
    knows = own or judges
    return Shown(
        uuid=row.uuid, number=row.number, who=f"{name} {staff_no}" if knows else account,
        patient="" if knows else uow.site.keys.identity_hash(mrn)[:16], cause=words.get(row.cause, row.cause),
        reason=row.reason if knows else "", records=row.records, at=row.at, until=row.until,
        is_open=row.until > uow.now, is_mine=own, judge_by=row.judge_by,
        judged_by=(judge if knows else judge_account) or "", judged_at=row.judged_at,
        verdict=row.verdict, note=(row.note or "") if knows else "",
        is_overdue=row.judged_at is None and row.judge_by < uow.now, may_judge=judges and row.judged_at is None,
    )  # fmt: skip


def opened(uow: UnitOfWork, row: Emergency) -> list[NodeView]:
    """The records that an emergency opened, as far as the actor may know of them now."""
    granted = select(AccessGrant.node_id).where(AccessGrant.cause == CAUSE, AccessGrant.ref == row.number)
    return views(uow, uow.list(uow.nodes(P.DISCOVER).where(Node.id.in_(granted)).order_by(Node.path)))


def pages_read(uow: UnitOfWork, row: Emergency) -> int:
    """How often whoever opened them looked at a page of these records while they were open, by the journal of reads."""
    top = aliased(Node)
    inside = (
        select(Node.id)
        .join(top, and_(Node.path >= top.path, Node.path < branch_end(top.path)))
        .join(AccessGrant, AccessGrant.node_id == top.id)
        .where(AccessGrant.cause == CAUSE, AccessGrant.ref == row.number)
    )
    ids = list(uow.session.scalars(inside, execution_options=TRUSTED))
    seen = select(func.count(ReadEvent.id)).where(
        ReadEvent.object_kind == "node", ReadEvent.object_id.in_(ids), ReadEvent.at.between(row.at, row.until),
        ReadEvent.actor_id == row.principal_id, ReadEvent.action.in_(READ), ReadEvent.result == "ok",
    )  # fmt: skip
    with uow.site.journal() as journal:
        return journal.scalar(seen) or 0


def told_of(uow: UnitOfWork, ids: Iterable[int]) -> dict[int, tuple[UUID, str]]:
    """Of emergencies that one was told of and may still see: uuid, and number with who used it. No record stands in it,

    and for whoever only watches over it no name."""
    own = Emergency.principal_id == uow.actor.principal_id
    knows = case((or_(own, _judged_by_me(uow)), Principal.name), else_=User.account)
    rows = uow.session.execute(
        visible(uow, Emergency.id, Emergency.uuid, Emergency.number, knows)
        .join(Principal, Principal.id == Emergency.principal_id)
        .join(User, User.id == Emergency.principal_id)
        .where(Emergency.id.in_(list(ids)))
    )
    return {number: (ref, f"{code} {who}") for number, ref, code, who in rows}
