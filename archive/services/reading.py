"""电子借阅: an approved reading opens the record to its reader until the end of the last day, and no longer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from archive.db import executed
from archive.errors import Conflict
from archive.i18n import _
from archive.models import AccessGrant, Emergency, Node, Request
from archive.policy.lending import DATA, EREAD
from archive.policy.permissions import P
from archive.services import calendar, emergencies, request_parts, slips
from archive.sight import ids_of
from archive.uow import PROGRAM, UnitOfWork, action

TRUSTED: Any = {"scope": "reading", "synchronize_session": False}
CAUSE = EREAD
OPENS = {EREAD: P.READ, DATA: P.DEIDENTIFIED}
"""What a granted request opens, by its kind; paper opens nothing."""
SAID = (CAUSE, "inspection", emergencies.CAUSE)
"""What the reader is told of: until when, by which slip."""


@dataclass(frozen=True)
class Grant:
    """限时阅览: until when the actor may read, and by which slip."""

    until: datetime
    number: str | None
    emergency: UUID | None = None
    """The break-glass by which it is open, which its reader ends by hand."""


def follow(uow: UnitOfWork, request: Request, node: Node) -> None:
    """What follows from the state that a reading, or data, have just reached: the grant begins, or ends at once."""
    if request.state == "active":
        _open(uow, request, node)
    elif request.state == "ended":
        _close(uow, request)


def _open(uow: UnitOfWork, request: Request, node: Node) -> None:
    # A grant lifts its reader above their own clearance: nobody gives away more than they hold themselves.
    if node.level > uow.actor.clearance:
        raise Conflict(
            _("This record is more sensitive than your own clearance. Ask somebody with a higher one.")
        )
    request.until = calendar.end_of(uow, uow.today + timedelta(days=request.days))
    if slips.is_on_site(uow, request):  # opened by a code, in the reading room (services/reading_room.py)
        uow.note(until=request.until)
        return
    uow.session.add_all(
        AccessGrant(
            principal_id=request.requester_id, node_id=one.id, permission=OPENS[request.kind], cause=request.kind,
            ref=request.number, valid_from=uow.now, valid_until=request.until, max_level=node.level, reason=request.reason,
        )
        for one in request_parts.nodes_of(uow, request, node)
    )  # fmt: skip
    uow.note(until=request.until)


def _close(uow: UnitOfWork, request: Request) -> None:
    request.until = uow.now
    uow.session.execute(
        update(AccessGrant)
        .where(
            AccessGrant.cause == request.kind,
            AccessGrant.ref == request.number,
            AccessGrant.valid_until > uow.now,
        )
        .values(valid_until=uow.now),
        execution_options=TRUSTED,
    )


def my_grant(uow: UnitOfWork, node: Node) -> Grant | None:
    """The e-reading or inspection in force by which the actor reads `node`, the longest one; or nothing."""
    if P.READ not in uow.access.permissions(node):
        return None
    row = uow.session.execute(
        select(AccessGrant.valid_until, AccessGrant.ref, Emergency.uuid)
        .outerjoin(Emergency, (Emergency.number == AccessGrant.ref) & (AccessGrant.cause == emergencies.CAUSE))
        .where(
            AccessGrant.principal_id.in_(sorted(uow.actor.principals)), AccessGrant.cause.in_(SAID),
            AccessGrant.node_id.in_(ids_of(node.path)), AccessGrant.max_level >= node.level,
            AccessGrant.valid_from <= uow.now, AccessGrant.valid_until > uow.now,
        )
        .order_by(AccessGrant.valid_until.desc())
        .limit(1),
        execution_options=TRUSTED,
    ).first()  # fmt: skip
    return Grant(*row) if row else None


@action("request.expired", needs=PROGRAM)
def tidy(uow: UnitOfWork) -> int:
    """Writes the end into the rows of readings that the clock has ended, so that lists of open ones stay short."""
    over = (
        update(Request)
        .where(Request.kind.in_(OPENS), Request.state == "active", Request.until <= uow.now)
        .values(state="ended", version=Request.version + 1)
    )
    count = executed(uow.session, over, TRUSTED).rowcount
    uow.note(count=count)
    return count
