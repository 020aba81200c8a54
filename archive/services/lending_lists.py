"""The loans behind the figures of lending: who has had what, from when to when, as far as the reader may know of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from archive import cursor
from archive.errors import Forbidden, NotFound
from archive.i18n import _
from archive.models import Membership, Node, Principal, Request, RequestLine, User
from archive.policy.permissions import P
from archive.services import actors, roster, slips
from archive.services.lending_figures import Span, conditions, lines, may_count
from archive.sight import NodeView, views
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "lending lists"}
PAGE = 50
NO_DEPARTMENT = 0
"""In an address: of borrowers who belong to none."""


@dataclass(frozen=True)
class Loan:
    """One loan of a list. `node` is nothing for whoever may not know of the record; `slip` where they may open it."""

    number: str
    slip: UUID | None
    borrower: str
    out_at: datetime
    due_at: datetime
    in_at: datetime | None
    is_late: bool
    is_lost: bool
    node: NodeView | None


def loans(uow: UnitOfWork, which: str, days: Span, *, dept: int | None = None,
          after: str | None = None) -> tuple[list[Loan], str | None]:  # fmt: skip
    """The loans behind a count, the newest first, a page at a time, and where the next page begins. Raises Invalid."""
    if not may_count(uow):
        raise Forbidden
    purpose = f"lending figures:{which}:{days}:{dept}"
    begin = cursor.unpack(uow.site.keys, purpose, after)
    wanted = lines(uow, RequestLine, Request, Principal.name, User.staff_no, slips.handled(uow))
    wanted = wanted.where(conditions(uow, days)[which])
    if dept is not None:
        wanted = wanted.where(_department(uow) == dept if dept else _department(uow).is_(None))
    if begin:
        wanted = wanted.where(RequestLine.id < begin[0])
    wanted = wanted.join(Principal, Principal.id == Request.requester_id).join(
        User, User.id == Request.requester_id
    )
    rows = uow.session.execute(
        wanted.order_by(RequestLine.id.desc()).limit(PAGE + 1), execution_options=TRUSTED
    ).all()
    onward = cursor.pack(uow.site.keys, purpose, [rows[PAGE - 1][0].id]) if len(rows) > PAGE else None
    return _seen(uow, rows[:PAGE]), onward


def _seen(uow: UnitOfWork, rows: Iterable[Any]) -> list[Loan]:
    found = list(rows)
    known = uow.list(uow.nodes(P.DISCOVER).where(Node.id.in_({row[1].node_id for row in found})))
    seen = {view.id: view for view in views(uow, known)}
    me = uow.actor.principal_id
    return [
        Loan(
            asked.number, asked.uuid if handled or asked.requester_id == me else None, f"{name} {staff_no}", line.out_at,
            line.due_at, line.in_at, (line.in_at or uow.now) > line.due_at, line.lost, seen.get(asked.node_id),
        )
        for line, asked, name, staff_no, handled in found
    ]  # fmt: skip


def _department(uow: UnitOfWork) -> Any:
    """The department to which whoever borrowed belongs now; of several the first, so that nothing counts twice."""
    group = aliased(Principal)
    return (
        select(func.min(Membership.group_id))
        .join(group, group.id == Membership.group_id)
        .where(
            Membership.principal_id == Request.requester_id,
            group.kind == "dept",
            roster.lasts(Membership.valid_to, uow),
        )
        .correlate(Request)
        .scalar_subquery()
    )


def department(uow: UnitOfWork, number: int | None) -> str:
    """What a list is narrowed to, in words; nothing where it is not. Raises NotFound for what is no department."""
    if number is None:
        return ""
    names = actors.department_names(uow.session)
    if number and number not in names:
        raise NotFound
    return names.get(number) or _("No department")
