"""检查问题: what inspectors found in the records of a batch, what it costs, until when it may be contested, what was answered.

Whoever wrote a finding down mends it (services/inspection_noting.py). Until when it may be contested, and the answer, are the
record room's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from archive.errors import Conflict, Invalid, NotFound
from archive.i18n import _
from archive.models import Inspection, InspectionFinding, Node, Principal
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import components, desk_papers, front_pages, inspections, policies
from archive.services.desk_papers import Fetched
from archive.sight import NodeView, views
from archive.uow import BESIDE, UnitOfWork, action

TRUSTED: Any = {"scope": "findings of inspections"}
LONGEST = 500
KINDS = "problem"
"""检查问题类别: the vocabulary of what kind a finding is of."""


@dataclass(frozen=True)
class Place:
    """Where in its record something was found: the component and the page, in words, and its address if it may be read."""

    words: str
    href: str | None
    part: str | None
    page: int | None


@dataclass(frozen=True)
class Finding:
    """One finding as it is shown. `points` and `yuan` are what is deducted."""

    uuid: UUID
    node: NodeView
    place: Place | None
    kind: str
    words: str
    points: Decimal | None
    yuan: Decimal | None
    appeal_until: date | None
    is_open: bool
    """It may still be contested, or its day has come and nobody has answered."""
    is_late: bool
    answer: str | None
    by: str
    made_at: datetime
    is_mine: bool
    may_change: bool
    """The actor wrote it down, or says until when it may be contested; and nobody has answered."""
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
    statement = _known(uow).add_columns(Principal.name).where(InspectionFinding.inspection_id == batch.id)
    rows = uow.session.execute(
        statement.outerjoin(Principal, Principal.id == InspectionFinding.made_by)
    ).all()
    seen = {view.id: view for view in views(uow, list({node.id: node for _row, node, _by in rows}.values()))}
    places = _places(uow, [row for row, _node, _by in rows], seen)
    kinds = policies.vocabulary(uow, KINDS)
    writes = may_write(uow, batch)
    found = [
        _shown(uow, row, seen[node.id], places.get(row.id), kinds.get(row.kind or "", row.kind or ""), by or "", writes=writes)
        for row, node, by in rows
    ]  # fmt: skip
    return Findings(
        found, sum((one.points or Decimal() for one in found), Decimal()),
        sum((one.yuan or Decimal() for one in found), Decimal()), len(seen),
    )  # fmt: skip


def may_write(uow: UnitOfWork, batch: Inspection) -> bool:
    """Whether the actor writes findings in a batch: the record room does, and its inspector while it is open to them."""
    return uow.can(P.INSPECTION_GRANT) or inspections.is_open_to_me(uow, batch)


def _known(uow: UnitOfWork) -> Select[Any]:
    known: Any = (
        select(InspectionFinding, Node)
        .join(Node, Node.id == InspectionFinding.node_id)
        .where(uow.access.clause(P.DISCOVER))
        .order_by(InspectionFinding.id)
        .execution_options(**TRUSTED)
    )
    return known  # type: ignore[no-any-return]


def _places(uow: UnitOfWork, rows: list[InspectionFinding], seen: Mapping[int, NodeView]) -> dict[int, Place]:
    """By the id of a finding where it is, if the actor may know of that and it lies in the record still."""
    wanted = {row.part_id for row in rows if row.part_id}
    inside = uow.list(uow.nodes(P.DISCOVER).where(Node.id.in_(wanted))) if wanted else []
    parts: dict[int | None, Node] = {part.id: part for part in inside}
    shown = {view.id: view for view in views(uow, inside)}
    words = policies.vocabulary(uow, "component")
    found: dict[int, Place] = {}
    for row in rows:
        if row.part_id is None and row.page:
            found[row.id] = _place(seen[row.node_id], "", row.page)
        elif (node := parts.get(row.part_id)) is not None and node.parent_id == row.node_id:
            part = shown[node.id]
            found[row.id] = _place(part, components.called(part, words), row.page, part.uuid)
    return found


def _place(view: NodeView, label: str, page: int | None, part: str | None = None) -> Place:
    if page is None:
        return Place(label, view.href, part, page)
    words = _("%(component)s page %(page)d", component=label, page=page)
    is_there = view.can(P.READ) and page <= view.page_count
    return Place(words.strip(), f"{view.href}/++page++{page}" if is_there else None, part, page)


def _shown(
    uow: UnitOfWork, row: InspectionFinding, view: NodeView, place: Place | None, kind: str, by: str, *, writes: bool
) -> Finding:  # fmt: skip
    is_open = row.answer is None and row.appeal_until is not None
    late = is_open and row.appeal_until is not None and row.appeal_until < uow.today
    mine = writes and row.made_by == uow.actor.principal_id
    return Finding(
        row.uuid, view, place, kind, row.words, None if row.points is None else Decimal(row.points) / 10,
        None if row.fen is None else Decimal(row.fen) / 100, row.appeal_until, is_open, late, row.answer, by, row.made_at, mine,
        row.answer is None and (mine or uow.can(P.INSPECTION_GRANT)), row.version,
    )  # fmt: skip


def last_day(uow: UnitOfWork) -> date:
    """Until when a finding of today may be contested, by the hospital's rule."""
    return uow.today + timedelta(days=inspections.limits(uow)["appeal_days"])


def day(text: str, wrong: dict[str, str]) -> date | None:
    """The day until which something may be contested as it was typed; in `wrong` that it is none."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        wrong["appeal_until"] = _("Write the date as 2026-11-21.")
        return None


def held(uow: UnitOfWork, ref: UUID, version: int) -> tuple[InspectionFinding, Node, Inspection]:
    """A finding that nobody has answered, locked after its batch and its record.

    Raises NotFound for whoever may not see it, Conflict where it is answered or another by now.
    """
    row, node, batch = known(uow, ref)
    uow.session.refresh(batch, with_for_update=BESIDE)
    uow.lock(node)
    again = select(InspectionFinding).where(InspectionFinding.id == row.id).with_for_update()
    finding = uow.session.scalar(again.execution_options(populate_existing=True, **TRUSTED))
    if finding is None:
        raise NotFound
    if finding.answer is not None:
        raise Conflict(_("Somebody has answered this meanwhile."))
    if finding.version != version:
        raise Conflict(
            _("This finding has been changed meanwhile. Look at it, and save again if yours is to hold.")
        )
    return finding, node, batch


def known(uow: UnitOfWork, ref: UUID) -> tuple[InspectionFinding, Node, Inspection]:
    """A finding with its record and its batch, for whoever may see that batch. Raises NotFound."""
    found = uow.session.execute(_known(uow).where(InspectionFinding.uuid == ref)).first()
    if found is None:
        raise NotFound
    row, node = found
    batch = uow.session.get_one(Inspection, row.inspection_id)
    return row, node, inspections.one(uow, batch.uuid)


@action("inspection.finding_dated", needs=P.INSPECTION_GRANT)
def contestable(uow: UnitOfWork, ref: UUID, *, until: str, version: int) -> InspectionFinding:
    """Says until when a finding may be contested. Raises NotFound, Invalid, and Conflict where somebody was first."""
    finding, node, batch = held(uow, ref, version)
    wrong: dict[str, str] = {}
    last = day(until, wrong)
    if wrong:
        raise Invalid(fields=wrong)
    uow.about(node)
    uow.note(number=batch.number, before=finding.appeal_until, until=last)
    finding.appeal_until = last
    return finding


@action("inspection.finding_answered", needs=P.INSPECTION_GRANT)
def answer(uow: UnitOfWork, ref: UUID, *, words: str, version: int) -> InspectionFinding:
    """Writes down what the hospital answered, once. Raises NotFound, Invalid, Conflict where somebody else was first."""
    finding, node, _batch = held(uow, ref, version)
    text = clean(words)
    if not 1 <= len(text) <= LONGEST:
        raise Invalid(
            fields={"words": _("Say what was answered, in up to %(most)d characters.", most=LONGEST)}
        )
    finding.answer, finding.answered_at, finding.answered_by = text, uow.now, uow.actor.principal_id
    uow.about(node)
    return finding


def pick_list(uow: UnitOfWork, batch: Inspection) -> bytes:
    """取卷单 of a batch as PDF: its volumes along the shelves, and on a shelf by terminal digits."""
    lines = front_pages.shelved(uow, inspections.shown(uow, batch).records)
    found = [
        Fetched(carried.place or str(carried.status.title), desk_papers.named(line.view), carried.barcode, batch.number)
        for line in lines for carried in line.volumes
    ]  # fmt: skip
    room = f" · {batch.room}" if batch.room else ""
    return desk_papers.fetched(uow, f"{_('Pick list')} {batch.number}{room}", found)
