"""复制时效: how long copies take from the application to the hand-over; counted over the slips that the reader may see."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func

from archive.models import CopyRequest
from archive.services import calendar
from archive.services.copying.slips import HANDED, OPEN, visible
from archive.uow import UnitOfWork

SPAN = timedelta(days=30)


@dataclass(frozen=True)
class Figures:
    """复制时效: of what was handed over within the last month, and what is open now."""

    done: int
    in_time: int
    days: float | None
    """Working days from application to hand-over, on the average."""
    median_days: int | None
    """The same, as the median."""
    minutes: int | None
    """The median minutes of those that were handed over on the day on which they were applied for."""
    open: int
    late: int
    today: int


def figures(uow: UnitOfWork, since: datetime | None = None, until: datetime | None = None) -> Figures:
    """How long copies take, of those handed over in a span, else within the last month; over the slips that the actor may see.

    What is open and what came today is counted as of now.
    """
    handed = CopyRequest.state.in_(HANDED)
    span = (CopyRequest.ended_at >= (since or uow.now - SPAN), CopyRequest.ended_at < (until or uow.now))
    wanted = (CopyRequest.created_at, CopyRequest.ended_at, CopyRequest.day, CopyRequest.ready_by)
    rows = uow.session.execute(visible(uow, *wanted).where(handed, *span))
    done = [_Handed(calendar.day_of(uow, row.ended_at), *row) for row in rows]
    spans = _working_days(uow, {(one.day, one.last) for one in done})
    days = sorted(spans[one.day, one.last] for one in done)
    same = sorted(one.minutes for one in done if one.last == one.day)
    waiting = visible(
        uow, func.count(CopyRequest.id), func.count(CopyRequest.id).filter(CopyRequest.ready_by < uow.today)
    )
    still, late = uow.session.execute(waiting.where(CopyRequest.state.in_(OPEN))).one()
    today = uow.session.scalar(visible(uow, func.count(CopyRequest.id)).where(CopyRequest.day == uow.today))
    in_time = sum(one.ready_by is None or one.last <= one.ready_by for one in done)
    return Figures(
        len(done), in_time, sum(days) / len(days) if days else None, days[len(days) // 2] if days else None,
        same[len(same) // 2] if same else None, still, late, today or 0,
    )  # fmt: skip


@dataclass(frozen=True)
class _Handed:
    last: date
    created_at: datetime
    ended_at: datetime
    day: date
    ready_by: date | None

    @property
    def minutes(self) -> int:
        return round((self.ended_at - self.created_at).total_seconds() / 60)


def _working_days(uow: UnitOfWork, spans: Iterable[tuple[date, date]]) -> dict[tuple[date, date], int]:
    """Of each span of days how many working days it has, counted once."""
    return {(first, last): calendar.working_days_between(uow, first, last) for first, last in spans}
