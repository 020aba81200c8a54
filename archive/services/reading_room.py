"""电子阅览室: what is read on site opens by a code that somebody of the archive gives, in that session alone, for that day."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

from sqlalchemy import select, update

from archive.errors import Conflict, Forbidden
from archive.i18n import _
from archive.models import AccessGrant, Node, Request, RoomVisit
from archive.policy.permissions import P
from archive.services import calendar, conflicts, policies, reading, request_parts, slips
from archive.uow import SIGNED_IN, UnitOfWork, action

TRUSTED: Any = {"scope": "reading room", "synchronize_session": False}
TRIES = 5
"""Wrong codes after which a visit is over: six figures are not guessed in so many."""


@dataclass(frozen=True)
class Room:
    """What the page of a slip offers: a code to be given, one to be typed, a visit to be ended; until when it is open."""

    may_give: bool
    may_enter: bool
    may_end: bool
    until: datetime | None
    is_here: bool
    """Whether it is open in this very session: in another one of the same reader it stays closed."""
    minutes: int
    """How long a code holds."""


def of(uow: UnitOfWork, request: Request) -> Room | None:
    """The reading room as whoever sees the slip needs it; nothing for what is read elsewhere or not open."""
    if not _is_open(uow, request):
        return None
    visit, own = _last(uow, request), request.requester_id == uow.actor.principal_id
    here = (
        visit is not None
        and visit.entered_at is not None
        and visit.ended_at is None
        and _end(uow, request, visit) > uow.now
    )
    gives = not own and uow.can(P.REQUEST_DECIDE, _node(uow, request))
    return Room(
        gives and not here and conflicts.objection(uow, request) is None,
        own and not here,
        gives and here,
        _end(uow, request, visit) if here and visit else None,
        own and here and _is_this_session(uow, request),
        _minutes(uow),
    )


def _minutes(uow: UnitOfWork) -> int:
    return int(policies.in_force(uow, "loans").body["room"]["minutes"])


def _is_this_session(uow: UnitOfWork, request: Request) -> bool:
    here = (
        AccessGrant.cause == reading.CAUSE,
        AccessGrant.ref == request.number,
        AccessGrant.session_id == uow.actor.session_id,
        AccessGrant.valid_until > uow.now,
    )
    found = select(AccessGrant.id).where(*here).limit(1)
    return (
        uow.actor.session_id is not None and uow.session.scalar(found, execution_options=TRUSTED) is not None
    )


def _is_open(uow: UnitOfWork, request: Request) -> bool:
    return slips.is_on_site(uow, request) and slips.effective_state(uow, request) == "active"


def _node(uow: UnitOfWork, request: Request) -> Node:
    return uow.session.get_one(Node, request.node_id, execution_options=TRUSTED)


def _last(uow: UnitOfWork, request: Request) -> RoomVisit | None:
    rows = select(RoomVisit).where(RoomVisit.request_id == request.id).order_by(RoomVisit.id.desc()).limit(1)
    return uow.session.scalar(rows)


def _end(uow: UnitOfWork, request: Request, visit: RoomVisit) -> datetime:
    """The day on which it was entered, and never beyond the reading itself."""
    day = calendar.end_of(uow, uow.local(visit.entered_at or visit.given_at).date())
    return min(day, request.until or day)


@action("request.room_code_given", needs=P.REQUEST_DECIDE)
def give(uow: UnitOfWork, request: Request) -> str:
    """A code for the reader who stands there: six figures, shown once. Raises Forbidden, Conflict while a visit is open."""
    uow.session.refresh(request, with_for_update=True)
    room = of(uow, request)
    if room is None or room.may_end:
        raise Conflict(_("A code is given for a reading on site that is open, and for one visit at a time."))
    if not room.may_give:
        raise Forbidden
    code = f"{secrets.randbelow(10**6):06d}"
    node = _node(uow, request)
    uow.about(node)
    uow.session.add(
        RoomVisit(request_id=request.id, level=node.level, code_hash=_hashed(uow, request, code),
                  given_by=uow.actor.principal_id, given_at=uow.now)
    )  # fmt: skip
    uow.note(number=request.number)
    return code


def _hashed(uow: UnitOfWork, request: Request, code: str) -> str:
    return uow.site.keys.identity_hash(f"room {request.number} {code}")


def enter(uow: UnitOfWork, request: Request, code: str) -> bool:
    """Opens what was granted in this session of the reader; gives whether the code fitted. A wrong try is counted.

    Raises Forbidden for anybody but the reader, Conflict where there is no code to be typed, or not any more.
    """
    if request.requester_id != uow.actor.principal_id or uow.actor.session_id is None:
        raise Forbidden
    uow.session.refresh(request, with_for_update=True)
    visit, minutes = _last(uow, request), _minutes(uow)
    if (
        not _is_open(uow, request)
        or visit is None
        or visit.entered_at
        or visit.ended_at
        or visit.tries >= TRIES
        or (visit.given_at < uow.now - timedelta(minutes=minutes))
    ):
        raise Conflict(
            _(
                "There is no code for this reading, or it is too old. Ask for one at the desk of the reading room."
            )
        )
    if not compare_digest(visit.code_hash, _hashed(uow, request, code.strip())):
        _miss(uow, request, visit)
        return False
    _open(uow, request, visit)
    return True


@action("request.room_refused", needs=SIGNED_IN)
def _miss(uow: UnitOfWork, request: Request, visit: RoomVisit) -> None:
    visit.tries += 1
    uow.note(number=request.number, tries=visit.tries)


@action("request.room_entered", needs=SIGNED_IN)
def _open(uow: UnitOfWork, request: Request, visit: RoomVisit) -> None:
    node = _node(uow, request)
    uow.about(node)
    visit.entered_at = uow.now
    until = _end(uow, request, visit)
    uow.session.add_all(
        AccessGrant(
            principal_id=request.requester_id, node_id=one.id, permission=P.READ, cause=reading.CAUSE, ref=request.number,
            valid_from=uow.now, valid_until=until, max_level=visit.level, reason=request.reason,
            session_id=uow.actor.session_id,
        )
        for one in request_parts.nodes_of(uow, request, node)
    )  # fmt: skip
    uow.note(number=request.number, until=until)


@action("request.room_left", needs=P.REQUEST_DECIDE)
def end(uow: UnitOfWork, request: Request) -> None:
    """Ends a visit at once. Raises Forbidden, Conflict where none is open."""
    uow.session.refresh(request, with_for_update=True)
    room, visit = of(uow, request), _last(uow, request)
    if room is None or visit is None or not room.may_end:
        raise Conflict(_("Nobody reads this in the reading room now."))
    uow.about(_node(uow, request))
    visit.ended_at = uow.now
    mine = (
        AccessGrant.cause == reading.CAUSE,
        AccessGrant.ref == request.number,
        AccessGrant.valid_until > uow.now,
    )
    uow.session.execute(
        update(AccessGrant).where(*mine).values(valid_until=uow.now), execution_options=TRUSTED
    )
    uow.note(number=request.number)
