"""How many requests wait for whom: the figures of workbench and desk."""

from dataclasses import dataclass

from sqlalchemy import false, func

from archive.models import Request, RequestLine
from archive.policy.lending import EREAD
from archive.policy.permissions import P
from archive.services import slips
from archive.services.slips import KINDS
from archive.uow import UnitOfWork


@dataclass(frozen=True)
class Counts:
    """The figures of a workbench: one's own, those to decide, those of the desk."""

    waiting: int
    ready: int
    reading: int
    lent: int
    mine_overdue: int
    to_decide: int
    to_pick: int
    out: int
    overdue: int


def counts(uow: UnitOfWork) -> Counts:
    """All figures in one statement over the open requests."""
    own = Request.requester_id == uow.actor.principal_id
    desk = slips.handled(uow) if uow.can(P.REQUEST_HANDLE) else false()
    decides = uow.can(P.REQUEST_DECIDE) or uow.can(P.REQUEST_ENDORSE)
    deciding = slips.decidable(uow) if decides else false()
    in_line = (Request.state == "approved") & (
        Request.offered_until.is_(None) | (Request.offered_until <= uow.now)
    )
    late = RequestLine.due_at < uow.now
    wanted = (
        own & ((Request.state == "requested") | in_line), own & slips.is_offered(uow),
        own & (Request.state == "active") & (Request.kind == EREAD),
        own & (Request.state == "lent"), own & late, deciding,
        desk & slips.to_fetch(uow), desk & RequestLine.id.is_not(None), desk & late,
    )  # fmt: skip
    statement = (
        slips.visible(uow, *(func.count(Request.id).filter(condition) for condition in wanted))
        .outerjoin(RequestLine, (RequestLine.request_id == Request.id) & RequestLine.in_at.is_(None))
        .where(Request.kind.in_(KINDS), slips.is_open(uow))
    )
    return Counts(*uow.session.execute(statement).one())
