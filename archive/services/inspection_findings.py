"""检查问题: what inspectors found in the records of a batch, what it costs, until when it may be contested, what was answered."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from archive.errors import Conflict, Invalid, NotFound
from archive.i18n import _
from archive.models import Inspection, InspectionFinding, Node
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import desk_papers, front_pages, inspections
from archive.services.desk_papers import Fetched
from archive.sight import NodeView, views
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "findings of inspections"}
LONGEST = 500
GREATEST = Decimal(10_000_000)
"""Yuan, or points, of one finding."""


@dataclass(frozen=True)
class Finding:
    """One finding as it is shown. `points` and `yuan` are what is deducted."""

    uuid: UUID
    node: NodeView
    words: str
    points: Decimal | None
    yuan: Decimal | None
    appeal_until: date | None
    is_open: bool
    """It may still be contested, or its day has come and nobody has answered."""
    is_late: bool
    answer: str | None
    version: int


@dataclass(frozen=True)
class Findings:
    """检查结果: what was found in a batch, and what it comes to."""

    rows: list[Finding]
    points: Decimal
    yuan: Decimal
    records: int
    """In so many records something was found."""


def of(uow: UnitOfWork, batch: Inspection) -> Findings:
    """What was found in the records of a batch that the actor may know of."""
    rows = uow.session.execute(_known(uow).where(InspectionFinding.inspection_id == batch.id)).all()
    seen = {view.id: view for view in views(uow, list({node.id: node for _row, node in rows}.values()))}
    found = [_shown(uow, row, seen[node.id]) for row, node in rows]
    return Findings(
        found, sum((one.points or Decimal() for one in found), Decimal()),
        sum((one.yuan or Decimal() for one in found), Decimal()), len(seen),
    )  # fmt: skip


def _known(uow: UnitOfWork) -> Select[Any]:
    known: Any = (
        select(InspectionFinding, Node)
        .join(Node, Node.id == InspectionFinding.node_id)
        .where(uow.access.clause(P.DISCOVER))
        .order_by(InspectionFinding.id)
        .execution_options(**TRUSTED)
    )
    return known  # type: ignore[no-any-return]


def _shown(uow: UnitOfWork, row: InspectionFinding, view: NodeView) -> Finding:
    is_open = row.answer is None and row.appeal_until is not None
    late = is_open and row.appeal_until is not None and row.appeal_until < uow.today
    return Finding(
        row.uuid, view, row.words, None if row.points is None else Decimal(row.points) / 10,
        None if row.fen is None else Decimal(row.fen) / 100, row.appeal_until, is_open, late, row.answer, row.version,
    )  # fmt: skip


def last_day(uow: UnitOfWork) -> date:
    """Until when a finding of today may be contested, by the hospital's rule."""
    return uow.today + timedelta(days=inspections.limits(uow)["appeal_days"])


@action("inspection.finding_noted", needs=P.INSPECTION_GRANT)
def note(uow: UnitOfWork, batch: Inspection, *, record: str, words: str, points: str = "", yuan: str = "",
         appeal_until: str = "") -> InspectionFinding:  # fmt: skip
    """Writes down what was found in one record of the batch. Raises Invalid for what is missing or no number."""
    wrong: dict[str, str] = {}
    node = _record(uow, batch, record, wrong)
    text = clean(words)
    if not 1 <= len(text) <= LONGEST:
        wrong["words"] = _("Say what was found, in up to %(most)d characters.", most=LONGEST)
    tenths, fen = _number("points", points, 10, wrong), _number("yuan", yuan, 100, wrong)
    until = _day(appeal_until, wrong)
    if wrong or node is None:
        raise Invalid(fields=wrong)
    made = InspectionFinding(
        inspection_id=batch.id, node_id=node.id, words=text, points=tenths, fen=fen, appeal_until=until, made_at=uow.now,
        made_by=uow.actor.principal_id,
    )  # fmt: skip
    uow.session.add(made)
    uow.session.flush()
    uow.about(node)
    uow.note(number=batch.number, points=tenths, fen=fen, until=until)
    return made


def _record(uow: UnitOfWork, batch: Inspection, record: str, wrong: dict[str, str]) -> Node | None:
    found = next((view for view in inspections.shown(uow, batch).records if str(view.uuid) == record), None)
    if found is None:
        wrong["record"] = _("Choose one of the list.")
        return None
    return uow.node(found.id)


def _number(name: str, text: str, parts: int, wrong: dict[str, str]) -> int | None:
    if not text.strip():
        return None
    try:
        given = Decimal(text.strip()) * parts
    except InvalidOperation:
        given = Decimal(-1)
    if not given.is_finite() or not 0 <= given <= GREATEST * parts or given != given.to_integral_value():
        wrong[name] = _("Write a number that is not less than nothing, like 2.5.")
        return None
    return int(given)


def _day(text: str, wrong: dict[str, str]) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        wrong["appeal_until"] = _("Write the date as 2026-11-21.")
        return None


@action("inspection.finding_answered", needs=P.INSPECTION_GRANT)
def answer(uow: UnitOfWork, ref: UUID, *, words: str, version: int) -> InspectionFinding:
    """Writes down what the hospital answered, once. Raises NotFound, Invalid, Conflict where somebody else was first."""
    row = uow.session.execute(_known(uow).where(InspectionFinding.uuid == ref)).first()
    if row is None:
        raise NotFound
    finding, node = row
    uow.lock(node)
    uow.session.refresh(finding, with_for_update=True)
    if finding.answer is not None or finding.version != version:
        raise Conflict(_("Somebody has answered this meanwhile."))
    text = clean(words)
    if not 1 <= len(text) <= LONGEST:
        raise Invalid(
            fields={"words": _("Say what was answered, in up to %(most)d characters.", most=LONGEST)}
        )
    finding.answer, finding.answered_at, finding.answered_by = text, uow.now, uow.actor.principal_id
    uow.about(node)
    return finding  # type: ignore[no-any-return]


def batch_of(uow: UnitOfWork, ref: UUID) -> Inspection:
    """The batch in which something was found, for whoever gives batches. Raises NotFound."""
    row = uow.session.execute(_known(uow).where(InspectionFinding.uuid == ref)).first()
    if row is None:
        raise NotFound
    return uow.session.get_one(Inspection, row[0].inspection_id)


def pick_list(uow: UnitOfWork, batch: Inspection) -> bytes:
    """取卷单 of a batch as PDF: its volumes along the shelves, and on a shelf by terminal digits."""
    lines = front_pages.shelved(uow, inspections.shown(uow, batch).records)
    found = [
        Fetched(carried.place or str(carried.status.title), desk_papers.named(line.view), carried.barcode, batch.number)
        for line in lines for carried in line.volumes
    ]  # fmt: skip
    room = f" · {batch.room}" if batch.room else ""
    return desk_papers.fetched(uow, f"{_('Pick list')} {batch.number}{room}", found)
