"""申诉提醒: findings of inspections that may be contested a few days more and are not answered, told to whoever gives batches.

One notice a person and a day of appeal when it comes near, and one on the day itself. How many findings that are is counted when
it is read, among the records that its reader may know of then; it names batches, and no record.
"""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Exists, Select, String, and_, cast, false, func, insert, literal, or_, select
from sqlalchemy.sql.elements import ColumnElement

from archive.i18n import _, ngettext
from archive.models import Inspection, InspectionFinding, Node, Notice
from archive.policy.permissions import P
from archive.services import inspections, roster
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "inspection reminders"}
KIND = "inspection.appeal"
SOON, LAST = "soon", "last"
OPEN = and_(InspectionFinding.answer.is_(None), InspectionFinding.appeal_until.is_not(None))


def remind(uow: UnitOfWork) -> int:
    """Tells of the days of appeal that come near, each once and once more on the day; gives how many notices that were."""
    keys = [_key(day, uow.today) for day in _near(uow)]
    if not keys:
        return 0
    rows = select(Notice.principal_id, Notice.key).where(Notice.key.in_(keys))
    told = {(person, key) for person, key in uow.session.execute(rows, execution_options=TRUSTED)}
    giving = roster.holding(P.INSPECTION_GRANT)
    people = [one.id for one in roster.everybody(uow).values() if one.roles & giving]
    new = [
        {"principal_id": person, "kind": KIND, "key": key, "at": uow.now}
        for key in keys for person in sorted(people) if (person, key) not in told
    ]  # fmt: skip
    if new:
        uow.session.execute(insert(Notice), new, execution_options=TRUSTED)
    return len(new)


def _near(uow: UnitOfWork) -> list[date]:
    """The days of appeal that are not over and come within the days of the policy."""
    until = uow.today + timedelta(days=inspections.limits(uow)["appeal_warn_days"])
    days = select(InspectionFinding.appeal_until).where(
        OPEN, InspectionFinding.appeal_until.between(uow.today, until)
    )
    found = uow.session.scalars(
        days.distinct().order_by(InspectionFinding.appeal_until), execution_options=TRUSTED
    )
    return [day for day in found if day is not None]


def _key(day: date, today: date) -> str:
    return f"{KIND}:{day.isoformat()}:{LAST if day == today else SOON}"


def _mine(uow: UnitOfWork, *entities: Any) -> Select[Any]:
    """Open findings in records that the actor may know of."""
    joined: Any = select(*entities).select_from(InspectionFinding)
    known: Select[Any] = joined.join(Node, Node.id == InspectionFinding.node_id).where(
        uow.access.clause(P.DISCOVER), OPEN
    )
    return known


def of_notice(uow: UnitOfWork) -> ColumnElement[bool] | Exists:
    """Whether a notice still has something to tell: it is over with the answers, and with its day."""
    if not uow.can(P.INSPECTION_GRANT):
        return false()
    day = cast(InspectionFinding.appeal_until, String)
    begin = literal(f"{KIND}:") + day
    here = or_(
        and_(InspectionFinding.appeal_until > uow.today, Notice.key == begin + f":{SOON}"),
        and_(InspectionFinding.appeal_until == uow.today, Notice.key == begin + f":{LAST}"),
    )
    return and_(Notice.kind == KIND, _mine(uow, InspectionFinding.id).where(here).correlate(Notice).exists())


def told(uow: UnitOfWork, key: str) -> tuple[str, UUID | None]:
    """What a notice is about: how many findings of which day; and of one batch which."""
    day = date.fromisoformat(key.split(":")[1])
    rows = uow.session.execute(
        _mine(uow, Inspection.number, Inspection.uuid, func.count(InspectionFinding.id))
        .join(Inspection, Inspection.id == InspectionFinding.inspection_id)
        .where(InspectionFinding.appeal_until == day)
        .group_by(Inspection.id, Inspection.number, Inspection.uuid)
        .order_by(Inspection.id),
        execution_options=TRUSTED,
    ).all()
    many = sum(count for _number, _uuid, count in rows)
    words = ngettext(
        "%(num)d finding of %(batches)s, until %(day)s", "%(num)d findings of %(batches)s, until %(day)s", many,
        batches=_(", ").join(number for number, _uuid, _count in rows), day=day,
    )  # fmt: skip
    return words, rows[0].uuid if len(rows) == 1 else None
