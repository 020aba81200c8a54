"""催还: what is due and overdue is told to borrowers, to the heads of their departments, and after long to medical affairs.

One notice a person, a kind and a day, however many volumes; what it says is counted when it is read, with the rights of
that moment. It names slips and borrowers, and no record.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, false, func, insert, or_, select, true, update

from archive.errors import Forbidden
from archive.i18n import ngettext
from archive.models import Membership, Node, Notice, Principal, Request, RequestLine, User
from archive.policy import reminding
from archive.policy.permissions import P
from archive.policy.reminding import Rules, Stage
from archive.services import calendar, policies, roster
from archive.sight import NodeView, views
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "reminders", "synchronize_session": False}
DUE, OVERDUE, LATE, ESCALATED = "loan.due", "loan.overdue", "loan.late", "loan.escalated"
OWN, WATCHED = (DUE, OVERDUE), (LATE, ESCALATED)
MOST = 200


def rules(uow: UnitOfWork) -> Rules:
    """The rules in force."""
    return Rules(**policies.in_force(uow, "reminders").body["limits"])


def remind(uow: UnitOfWork) -> int:
    """Tells of every open loan the reminder that it has reached and that was not told; gives how many loans that were.

    A fixed number of statements, however many volumes are out.
    """
    reached = _reached(uow)
    found = [one for one in reached if one.is_new]
    if not found:
        return 0
    uow.session.execute(update(RequestLine), [{"id": one.line, "reminded": one.code} for one in found])
    people = _told(uow, reached)
    rows = [
        {"principal_id": person, "kind": kind, "key": f"{kind}:{uow.today}", "at": uow.now}
        for kind, persons in people.items()
        for person in sorted(persons - _knowing(uow, kind))
    ]
    if rows:
        _forget(uow, rows)
        uow.session.execute(insert(Notice), rows, execution_options=TRUSTED)
    return len(found)


@dataclass(frozen=True)
class Reached:
    """A reminder that has been reached: of which loan, to which borrower; new until it has been told."""

    line: int
    person: int
    stage: Stage
    code: str
    is_new: bool


def _reached(uow: UnitOfWork) -> list[Reached]:
    limits, count = rules(uow), calendar.of(uow).between
    rows = uow.session.execute(
        select(RequestLine.id, RequestLine.due_at, RequestLine.reminded, Request.requester_id)
        .join(Request, Request.id == RequestLine.request_id)
        .where(RequestLine.in_at.is_(None), RequestLine.due_at <= _soon(uow))
    )
    found = []
    for line, due_at, told, person in rows:
        due = calendar.day_of(uow, due_at)
        stage = reminding.stage(due, uow.today, limits, count)
        # With the day on it: what is renewed is told of its new day again.
        if stage is not None:
            code = f"{due:%y%m%d}{stage.code}"
            found.append(Reached(line, person, stage, code, is_new=code != told))
    return found


def _soon(uow: UnitOfWork) -> datetime:
    """The end of the last day of which is told today."""
    limits = rules(uow)
    if limits.warn_working:
        day = calendar.add_working_days(uow, uow.today, limits.warn_before + 1) - calendar.DAY
    else:
        day = uow.today + calendar.DAY * limits.warn_before
    return calendar.end_of(uow, day)


def _told(uow: UnitOfWork, reached: Iterable[Reached]) -> dict[str, set[int]]:
    """Kind → people to whom something new is to be told: of the gravest alone that they have, new or told before.

    Nobody is told as a head of their own loan.
    """
    people: dict[str, set[int]] = {DUE: set(), OVERDUE: set(), LATE: set(), ESCALATED: set()}
    new: dict[tuple[str, ...], set[int]] = {OWN: set(), WATCHED: set()}
    everybody = roster.everybody(uow)
    heads, house = (roster.holding(P.REQUEST_OVERSEE, scope) for scope in ("dept", "any"))
    for one in reached:
        people[OVERDUE if one.stage.is_late else DUE].add(one.person)
        new[OWN] |= {one.person} if one.is_new else set()
        if not one.stage.is_late:
            continue
        mine = everybody[one.person].groups if one.person in everybody else frozenset()
        above = {each.id for each in everybody.values() if each.roles & heads and each.groups & mine}
        if one.stage.escalates:
            above |= {each.id for each in everybody.values() if each.roles & house}
        people[ESCALATED if one.stage.escalates else LATE] |= above - {one.person}
        new[WATCHED] |= above if one.is_new else set()
    people[DUE] -= people[OVERDUE]
    people[LATE] -= people[ESCALATED]
    return {kind: people[kind] & persons for kinds, persons in new.items() for kind in kinds}


def _knowing(uow: UnitOfWork, kind: str) -> set[int]:
    today = select(Notice.principal_id).where(Notice.key == f"{kind}:{uow.today}")
    return set(uow.session.scalars(today, execution_options=TRUSTED))


def _forget(uow: UnitOfWork, rows: list[dict[str, Any]]) -> None:
    """What they were told before of the same says nothing more: the newest one counts what there is now."""
    for kinds in (OWN, WATCHED):
        people = {row["principal_id"] for row in rows if row["kind"] in kinds}
        before = delete(Notice).where(
            Notice.kind.in_(kinds), Notice.principal_id.in_(people), Notice.at < uow.now
        )
        uow.session.execute(before, execution_options=TRUSTED)


def _out(uow: UnitOfWork, kind: str) -> tuple[ColumnElement[bool], ...]:
    """The open loans of which a notice of this kind tells its reader now."""
    if kind in OWN:
        until = _soon(uow) if kind == DUE else uow.now
        return Request.requester_id == uow.actor.principal_id, RequestLine.due_at <= until
    if kind == ESCALATED:
        last = uow.today - calendar.DAY * rules(uow).escalate_from
        return overseen(uow), RequestLine.due_at <= calendar.end_of(uow, last)
    return overseen(uow), RequestLine.due_at < uow.now


def overseen(uow: UnitOfWork) -> ColumnElement[bool]:
    """That a borrower is of a department of the actor's, or any for whoever sees to all; never themselves."""
    return and_(of_their_people(uow), Request.requester_id != uow.actor.principal_id)


def of_their_people(uow: UnitOfWork) -> ColumnElement[bool]:
    """That whoever asked is of a department of the actor's, or anybody for whoever sees to all."""
    if uow.actor.roles & roster.holding(P.REQUEST_OVERSEE, "any"):
        wide: ColumnElement[bool] = true()
    elif uow.actor.roles & roster.holding(P.REQUEST_OVERSEE, "dept"):
        wide = Request.requester_id.in_(
            select(Membership.principal_id).where(
                Membership.group_id.in_(sorted(uow.actor.departments)), roster.lasts(Membership.valid_to, uow)
            )
        )
    else:
        wide = false()
    return wide


def _lines(uow: UnitOfWork, kind: str, *entities: Any) -> Select[Any]:
    return (
        select(*entities)
        .select_from(RequestLine)
        .join(Request, Request.id == RequestLine.request_id)
        .where(RequestLine.in_at.is_(None), *_out(uow, kind))
    )


def of_notice(uow: UnitOfWork) -> ColumnElement[bool]:
    """Whether a reminder still has something to tell: it is over once the volumes are back."""
    kinds = (DUE, OVERDUE, *(WATCHED if uow.can(P.REQUEST_OVERSEE) else ()))
    return or_(*(and_(Notice.kind == kind, _lines(uow, kind, RequestLine.id).exists()) for kind in kinds))


def told(uow: UnitOfWork, kind: str) -> tuple[str, UUID | None]:
    """How many volumes a reminder is about, and of one the number of its slip; and the slip, where one's own is about no other.

    Whoever sees to the loans of others has a list of them, and may see no slip.
    """
    wanted = _lines(uow, kind, Request.number, Request.uuid).limit(MOST)
    rows = uow.session.execute(wanted, execution_options=TRUSTED).all()
    slips = {row.uuid for row in rows}
    about = rows[0].number if len(rows) == 1 else ngettext("%(num)d volume", "%(num)d volumes", len(rows))
    return about, slips.pop() if kind in OWN and len(slips) == 1 else None


def count(uow: UnitOfWork) -> int:
    """How many overdue volumes the actor sees to."""
    if not uow.can(P.REQUEST_OVERSEE):
        return 0
    return uow.session.scalar(_lines(uow, LATE, func.count(RequestLine.id)), execution_options=TRUSTED) or 0


@dataclass(frozen=True)
class Late:
    """逾期未还: one volume. `node` is nothing for whoever may not know of the record."""

    request: UUID
    number: str
    borrower: str
    due: date
    days: int
    out_at: datetime
    node: NodeView | None


def late(uow: UnitOfWork) -> list[Late]:
    """The overdue volumes that the actor sees to, the longest overdue first. Raises Forbidden."""
    if not uow.can(P.REQUEST_OVERSEE):
        raise Forbidden
    wanted = (
        Request.uuid,
        Request.number,
        Request.node_id,
        Principal.name,
        User.staff_no,
        RequestLine.due_at,
        RequestLine.out_at,
    )
    rows = uow.session.execute(
        _lines(uow, LATE, *wanted)
        .join(Principal, Principal.id == Request.requester_id)
        .join(User, User.id == Request.requester_id)
        .order_by(RequestLine.due_at, RequestLine.id)
        .limit(MOST),
        execution_options=TRUSTED,
    ).all()
    known = uow.list(uow.nodes(P.DISCOVER).where(Node.id.in_([row.node_id for row in rows])))
    seen = {view.id: view for view in views(uow, known)}
    days = [calendar.day_of(uow, row.due_at) for row in rows]
    return [
        Late(row.uuid, row.number, f"{row.name} {row.staff_no}", due, (uow.today - due).days, row.out_at, seen.get(row.node_id))
        for row, due in zip(rows, days, strict=True)
    ]  # fmt: skip
