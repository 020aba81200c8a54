"""审批顺序: whose turn it is to say something about a request, as conditions for lists and as questions for one."""

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, not_, or_, select

from archive.models import Membership, Request, RequestApproval, RequestConflict
from archive.policy.offices import OFFICES, Office
from archive.policy.permissions import P
from archive.services import absences, actors
from archive.services.absences import Absent
from archive.services.roster import lasts
from archive.uow import UnitOfWork

LAST = frozenset(code for code, office in OFFICES.items() if office.is_last)


def of_mine(uow: UnitOfWork) -> ColumnElement[bool]:
    """Approvals of an office in which the actor sits, whoever's turn it is."""
    held = [
        code for code, office in OFFICES.items()
        if code not in LAST and code != "dept_head" and office.role in uow.actor.roles
    ]  # fmt: skip
    conditions: list[ColumnElement[bool]] = [RequestApproval.office.in_(held)]
    if "head" in uow.actor.roles:
        conditions.append(and_(RequestApproval.office == "dept_head", _of_wards(uow, uow.actor.departments)))
    away = [_in_place_of(uow, one) for one in absences.heads(uow)]
    if away:
        conditions.append(and_(RequestApproval.office == "dept_head", or_(*away)))
    return or_(*conditions)


def _of_wards(uow: UnitOfWork, departments: frozenset[int]) -> ColumnElement[bool]:
    member = select(Membership.principal_id).where(
        Membership.group_id.in_(sorted(departments)), lasts(Membership.valid_to, uow)
    )
    return Request.requester_id.in_(member)


def _in_place_of(uow: UnitOfWork, absent: Absent) -> ColumnElement[bool]:
    """What a head who is away would be asked: never what they asked for, or have declared that they do not decide."""
    # Named, as it stands two levels deep: by itself it would ask whether they have declared anything anywhere.
    declared = (
        exists()
        .where(RequestConflict.request_id == Request.id, RequestConflict.principal_id == absent.id)
        .correlate(Request)
    )
    return and_(_of_wards(uow, absent.departments), Request.requester_id != absent.id, not_(declared))


def in_place_of(uow: UnitOfWork, request: Request) -> int | None:
    """Whom the actor represents when it is their turn: nobody where it is their own office."""
    mine = and_(Request.id == request.id, _of_wards(uow, uow.actor.departments))
    row = current(uow, request)
    if row is None or row.office != "dept_head":
        return None
    if "head" in uow.actor.roles and uow.session.scalar(select(Request.id).where(mine)) is not None:
        return None
    for one in absences.heads(uow):
        theirs = select(Request.id).where(Request.id == request.id, _in_place_of(uow, one))
        if uow.session.scalar(theirs) is not None:
            return one.id
    return None


def to_endorse(uow: UnitOfWork) -> ColumnElement[bool]:
    """Requests on which the actor's opinion is asked now. Never their own, and of no record that they may not know of:

    whoever asks by number must not learn from their own head whether there is such a record (model §3).
    """
    if not uow.can(P.REQUEST_ENDORSE):
        return false()
    open_here = (
        RequestApproval.request_id == Request.id,
        RequestApproval.place == Request.stage,
        RequestApproval.verdict.is_(None),
    )
    return and_(
        Request.state == "requested",
        Request.requester_id != uow.actor.principal_id,
        absences.not_theirs(uow),
        uow.access.clause(P.DISCOVER),
        exists().where(*open_here, of_mine(uow)),
    )


def endorsed(uow: UnitOfWork) -> ColumnElement[bool]:
    """Requests on which the actor has given an opinion, of records that they may know of."""
    if not uow.can(P.REQUEST_ENDORSE):
        return false()
    said = exists().where(
        RequestApproval.request_id == Request.id, RequestApproval.decided_by == uow.actor.principal_id
    )
    return and_(said, uow.access.clause(P.DISCOVER))


def at_the_end(uow: UnitOfWork) -> ColumnElement[bool]:
    """Requests on which all others have been heard, so that who decides on the record decides, or who heads the room."""
    later = exists().where(RequestApproval.request_id == Request.id, RequestApproval.place > Request.stage)
    return and_(not_(later), theirs_by_rule(uow))


def theirs_by_rule(uow: UnitOfWork) -> ColumnElement[bool]:
    """Requests of which the rule lets whoever decides on the record decide, or names an office in which the actor sits."""
    not_mine = sorted(code for code in LAST if OFFICES[code].role not in {None, *uow.actor.roles})
    return not_(
        exists().where(RequestApproval.request_id == Request.id, RequestApproval.office.in_(not_mine))
    )


def chain(uow: UnitOfWork, request: Request) -> list[RequestApproval]:
    """The offices that are asked about a request, in their order; none where its rule opened it at once."""
    rows = select(RequestApproval).where(RequestApproval.request_id == request.id)
    return list(uow.session.scalars(rows.order_by(RequestApproval.place)))


def current(uow: UnitOfWork, request: Request) -> RequestApproval | None:
    """The office whose turn it is."""
    return next((row for row in chain(uow, request) if row.place == request.stage), None)


def decided_by_others(uow: UnitOfWork, request: Request) -> Office | None:
    """The office that decides by the rule, where the actor does not sit in it; or nothing."""
    rows = chain(uow, request)
    office = OFFICES[rows[-1].office] if rows else None
    sits = office is None or office.role is None or office.role in uow.actor.roles
    return None if sits else office


def is_mine(uow: UnitOfWork, request: Request) -> bool:
    """Whether it is the actor's turn to give an opinion, as far as their office goes."""
    mine: Any = select(Request.id).join(RequestApproval, RequestApproval.request_id == Request.id)
    found = mine.where(
        Request.id == request.id, RequestApproval.place == request.stage, RequestApproval.verdict.is_(None),
        of_mine(uow),
    )  # fmt: skip
    return uow.can(P.REQUEST_ENDORSE) and uow.session.scalar(found.limit(1)) is not None


def departments_of(uow: UnitOfWork, groups: frozenset[int]) -> frozenset[int]:
    """Those of somebody's groups that are departments."""
    return groups & frozenset(actors.department_names(uow.session))
