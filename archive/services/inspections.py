"""检查: the senior archivist opens a batch of records to an inspector, for some days, to be read on the screen.

The inspector holds nothing else: no branch, no search, only what a grant in force opens; the clock ends it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import aliased

from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.i18n import _
from archive.journal import Event
from archive.models import AccessGrant, Inspection, Node, Principal, RoleAssignment, User
from archive.policy.permissions import P
from archive.policy.types import INHERITING, TYPES
from archive.schema import clean
from archive.services import calendar, numbers, pinpoint, policies, roster, tracks
from archive.sight import NodeView, views
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "inspections", "synchronize_session": False}
CAUSE, ROLE = "inspection", "inspector"
LONGEST_REASON, LONGEST_ROOM, LONGEST_DRAWN = 500, 80, 200
MOST_LINES_SAID = 8
"""Unknown numbers that one sentence names: the rest is found when these are put right."""
MOST = 100


def inspectors(uow: UnitOfWork) -> dict[str, str]:
    """Uuid → name and staff number of everybody who may be given a batch; never oneself."""
    rows = uow.session.execute(
        select(Principal.uuid, Principal.name, User.staff_no)
        .join(User, User.id == Principal.id)
        .join(RoleAssignment, RoleAssignment.principal_id == User.id)
        .where(RoleAssignment.role == ROLE, roster.lasts(RoleAssignment.valid_to, uow))
        .where(User.disabled_at.is_(None), User.id != uow.actor.principal_id)
        .order_by(Principal.name_key)
    )
    return {str(uuid): f"{name} {number}" for uuid, name, number in rows}


def limits(uow: UnitOfWork) -> Mapping[str, int]:
    """How many records and days a batch may have."""
    found: Mapping[str, int] = policies.in_force(uow, "inspections").body["limits"]
    return found


@action("inspection.granted", needs=P.INSPECTION_GRANT)
def grant(
    uow: UnitOfWork, *, who: str, records: str, start: date | str, end: date | str, reason: str, room: str = "",
    drawn: str = "", without: bool = False,
) -> Inspection:  # fmt: skip
    """Opens the records of a list of numbers to an inspector from one day to another, whatever their clearance.

    `without`: numbers that cannot be opened are left out, unless none is left.

    Raises Invalid for what is missing, for a number that is not one record that the actor may open, or for too many.
    """
    wrong: dict[str, str] = {}
    person = _person(uow, who, wrong)
    begin, until = _span(uow, start, end, wrong)
    text = clean(reason)
    if not 1 <= len(text) <= LONGEST_REASON:
        wrong["reason"] = _("Say why, in up to %(most)d characters.", most=LONGEST_REASON)
    place, how = clean(room), clean(drawn)
    if len(place) > LONGEST_ROOM:
        wrong["room"] = _("At most %(most)d characters.", most=LONGEST_ROOM)
    if len(how) > LONGEST_DRAWN:
        wrong["drawn"] = _("At most %(most)d characters.", most=LONGEST_DRAWN)
    nodes = _nodes(uow, records, wrong, without=without)
    if wrong or person is None:
        raise Invalid(fields=wrong)
    made = Inspection(
        number=numbers.slip(uow, "JC", 4), principal_id=person, reason=text, room=place or None,
        drawn=how or None, valid_from=begin, valid_until=until,
        granted_by=uow.actor.principal_id, granted_at=uow.now,
    )  # fmt: skip
    uow.session.add(made)
    uow.session.flush()
    for node in nodes:
        _open(uow, made, node)
    uow.note(
        number=made.number,
        to=person,
        since=begin,
        until=until,
        reason=text,
        drawn=how,
        records=[node.id for node in nodes],
    )
    return made


def _open(uow: UnitOfWork, batch: Inspection, node: Node) -> None:
    """One line in the record's own trail for each record: whoever follows it must find who it was opened to."""
    uow.session.add(
        AccessGrant(
            principal_id=batch.principal_id, node_id=node.id, permission=P.READ, cause=CAUSE, ref=batch.number,
            valid_from=batch.valid_from, valid_until=batch.valid_until, max_level=node.level, reason=batch.reason,
        )
    )  # fmt: skip
    words = {"number": batch.number, "to": batch.principal_id, "until": batch.valid_until}
    uow.record(uow.event_about(node, Event("inspection.opened", words=words)))


def _person(uow: UnitOfWork, who: str, wrong: dict[str, str]) -> int | None:
    if who not in inspectors(uow):
        wrong["who"] = _("Choose one of the list.")
        return None
    return uow.session.scalar(select(Principal.id).where(Principal.uuid == UUID(who)))


def _span(
    uow: UnitOfWork, start: date | str, end: date | str, wrong: dict[str, str]
) -> tuple[datetime, datetime]:
    first, last = _day("start", start, wrong), _day("end", end, wrong)
    most = limits(uow)["most_days"]
    if first and last:
        if last < max(first, uow.today):
            wrong["end"] = _("This day is over, or before the first one.")
        elif last - max(first, uow.today) >= timedelta(days=most):
            wrong["end"] = _("At most %(most)d days.", most=most)
    zone = ZoneInfo(uow.site.settings.timezone)
    begin = datetime.combine(first or uow.today, time(), zone).astimezone(UTC)
    return max(begin, uow.now), calendar.end_of(uow, last or uow.today)


def _day(name: str, given: date | str, wrong: dict[str, str]) -> date | None:
    try:
        return given if isinstance(given, date) else date.fromisoformat(given.strip())
    except ValueError:
        wrong[name] = _("Write the date as 2026-11-21.")
        return None


def _nodes(uow: UnitOfWork, records: str, wrong: dict[str, str], *, without: bool) -> list[Node]:
    """The records of a list of numbers, each once. What is not exactly one record is said by its number."""
    lines = list(
        dict.fromkeys(part for line in re.split(r"[\s,，;；、]+", records) if (part := line.strip()))
    )
    most = limits(uow)["most_records"]
    if not lines or len(lines) > most:
        wrong["records"] = _("Write one number a line, up to %(most)d.", most=most)
        return []
    found: dict[int, Node] = {}
    unknown: list[str] = []
    several: list[str] = []
    for line in lines:
        files = [node for node in pinpoint.by_number(uow, line) if TYPES[node.type].numbered]
        open_to = [node for node in files if uow.can(P.INSPECTION_GRANT, node)]
        if len(open_to) == 1:
            found[open_to[0].id] = open_to[0]
        else:
            (several if open_to else unknown).append(line)
    if without and found:
        return list(found.values())
    if unknown:
        wrong["records"] = _("Not an archived record that may be opened (a sealed one may not): %(numbers)s.",
                             numbers=_said(unknown))  # fmt: skip
    elif several:
        wrong["records"] = _("Several records have this number; add the stay, as in 00218647-2: %(numbers)s.",
                             numbers=_said(several))  # fmt: skip
    return list(found.values())


def _said(lines: list[str]) -> str:
    return _(", ").join(line[:40] for line in lines[:MOST_LINES_SAID])


def numbers_of(uow: UnitOfWork, refs: Sequence[UUID]) -> str:
    """The numbers of records that were chosen in a list, as the form takes them."""
    chosen = refs[: limits(uow)["most_records"]]
    rows = views(
        uow, uow.list(uow.nodes(P.INSPECTION_GRANT).where(Node.uuid.in_(chosen)).order_by(Node.path))
    )
    return "\n".join(view.stay or view.number or "" for view in rows)


@action("inspection.ended", needs=P.INSPECTION_GRANT)
def end(uow: UnitOfWork, batch: Inspection) -> None:
    """Ends a batch at once. Raises Conflict for one that is over."""
    if batch.valid_until <= uow.now:
        raise Conflict(_("This inspection is over already."))
    for node in uow.session.scalars(_granted(batch, Node), execution_options=TRUSTED):
        uow.record(uow.event_about(node, Event("inspection.closed", words={"number": batch.number})))
    batch.valid_until, batch.ended_by = uow.now, uow.actor.principal_id
    uow.session.execute(
        update(AccessGrant)
        .where(AccessGrant.cause == CAUSE, AccessGrant.ref == batch.number, AccessGrant.valid_until > uow.now)
        .values(valid_until=uow.now),
        execution_options=TRUSTED,
    )
    uow.note(number=batch.number, to=batch.principal_id)


def _granted(batch: Inspection, *entities: Any) -> Select[Any]:
    """A select over the records that a batch opens or opened."""
    carried = (AccessGrant.cause == CAUSE, AccessGrant.ref == batch.number)
    return (
        select(*entities)
        .join(AccessGrant, AccessGrant.node_id == Node.id)
        .where(*carried)
        .order_by(Node.path)
    )


@dataclass(frozen=True)
class Batch:
    """检查批次 as it is shown. `state`: coming, open or over."""

    uuid: UUID
    number: str
    who: str
    reason: str
    room: str | None
    drawn: str | None
    start: datetime
    end: datetime
    granted_by: str
    granted_at: datetime
    records: int
    state: str
    is_mine: bool


def _rows() -> Select[Any]:
    who, giver = aliased(Principal), aliased(Principal)
    many = (
        select(func.count(AccessGrant.id))
        .where(AccessGrant.cause == CAUSE, AccessGrant.ref == Inspection.number)
        .correlate(Inspection)
        .scalar_subquery()
    )
    return (
        select(Inspection, who.name, giver.name, many)
        .join(who, who.id == Inspection.principal_id)
        .outerjoin(giver, giver.id == Inspection.granted_by)
        .execution_options(**TRUSTED)
    )


def _batches(uow: UnitOfWork, statement: Select[Any]) -> list[Batch]:
    return [
        Batch(row.uuid, row.number, who, row.reason, row.room, row.drawn,
              row.valid_from, row.valid_until, giver or "", row.granted_at,
              count, _state(uow, row), row.principal_id == uow.actor.principal_id)
        for row, who, giver, count in uow.session.execute(statement)
    ]  # fmt: skip


def _state(uow: UnitOfWork, row: Inspection) -> str:
    if row.valid_until <= uow.now:
        return "over"
    return "coming" if row.valid_from > uow.now else "open"


def listing(uow: UnitOfWork) -> list[Batch]:
    """Every batch, the newest first. Raises Forbidden for whoever gives none."""
    if not uow.can(P.INSPECTION_GRANT):
        raise Forbidden
    return _batches(uow, _rows().order_by(Inspection.id.desc()).limit(MOST))


def mine(uow: UnitOfWork) -> list[Batch]:
    """The batches that are open to the actor now."""
    if not uow.actor.has_grants:
        return []
    return _batches(uow, _rows().where(*_open_to_me(uow)).order_by(Inspection.valid_until))


def _open_to_me(uow: UnitOfWork) -> tuple[Any, ...]:
    return (
        Inspection.principal_id == uow.actor.principal_id,
        Inspection.valid_from <= uow.now,
        Inspection.valid_until > uow.now,
    )


def opened_by(uow: UnitOfWork, node: Node) -> tuple[Inspection, Node] | None:
    """The batch by which the actor, as its inspector, reads a record or a part of it now, and that record; or nothing."""
    if not uow.actor.has_grants:
        return None
    home = node.parent_id if node.type in INHERITING else node.id
    batches = (
        select(Inspection, Node)
        .join(AccessGrant, (AccessGrant.ref == Inspection.number) & (AccessGrant.cause == CAUSE))
        .join(Node, Node.id == AccessGrant.node_id)
        .where(*_open_to_me(uow), *_in_force_for_me(uow), Node.id == home)
    )
    row = uow.session.execute(
        batches.order_by(Inspection.valid_until.desc()), execution_options=TRUSTED
    ).first()
    return (row[0], row[1]) if row and uow.can(P.READ, row[1]) else None


def one(uow: UnitOfWork, ref: UUID) -> Inspection:
    """A batch, for whoever gives them, and for its inspector while it is open. Raises NotFound."""
    found = uow.session.scalar(select(Inspection).where(Inspection.uuid == ref))
    if found is None or not (uow.can(P.INSPECTION_GRANT) or is_open_to_me(uow, found)):
        raise NotFound
    return found


def is_open_to_me(uow: UnitOfWork, row: Inspection) -> bool:
    """Whether the actor is the inspector of a batch, and its days have begun and are not over."""
    return row.principal_id == uow.actor.principal_id and row.valid_from <= uow.now < row.valid_until


@dataclass(frozen=True)
class Shown:
    """A batch with its records, as far as the one who asks may know of them. `pages`: how many each has, by its id."""

    batch: Batch
    records: list[NodeView]
    pages: dict[int, int]


def shown(uow: UnitOfWork, row: Inspection) -> Shown:
    """The batch and its records. The inspector sees those that open now: one that was sealed meanwhile is not there."""
    (batch,) = _batches(uow, _rows().where(Inspection.id == row.id))
    needs, opened = P.DISCOVER, _granted(row, Node.id)
    if is_open_to_me(uow, row):
        needs, opened = P.READ, opened.where(*_in_force_for_me(uow))
    nodes = uow.list(uow.nodes(needs).where(Node.id.in_(opened)).order_by(Node.path))
    return Shown(batch, views(uow, nodes), tracks.pages_known(uow, nodes))


def _in_force_for_me(uow: UnitOfWork) -> tuple[Any, ...]:
    return (
        AccessGrant.principal_id == uow.actor.principal_id,
        AccessGrant.valid_from <= uow.now,
        AccessGrant.valid_until > uow.now,
    )
