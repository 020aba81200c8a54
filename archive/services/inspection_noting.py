"""登记问题: what was found in a record of a batch is written down, mended and withdrawn by whoever found it.

That is the record room, or the inspector of the batch while it is open to them: being that inspector is the right, of the batch
alone, so no role holds it. Until when a finding may be contested is never the inspector's: it follows the hospital's rule.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID

from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.i18n import _, ngettext
from archive.models import Inspection, InspectionFinding, Node
from archive.policy.permissions import P
from archive.policy.types import INHERITING
from archive.schema import clean
from archive.services import components, inspection_findings, inspections, policies
from archive.services.inspection_findings import KINDS, LONGEST
from archive.sight import NodeView, views
from archive.uow import BESIDE, SIGNED_IN, UnitOfWork, action

GREATEST = Decimal(10_000_000)
"""Yuan, or points, of one finding."""
PLACE = frozenset({"part_id", "page"})
LAST_PAGE = 9_999
"""Of paper that was not scanned."""


@dataclass(frozen=True)
class Typed:
    """A finding as it is typed."""

    words: str = ""
    kind: str = ""
    part: str = ""
    page: str = ""
    points: str = ""
    yuan: str = ""
    appeal_until: str = ""


def record_of(uow: UnitOfWork, batch: Inspection, record: str) -> NodeView:
    """A record of the batch in which the actor may write a finding down. Raises NotFound for any other, and for anybody else."""
    found = None
    if inspection_findings.may_write(uow, batch):
        found = next((one for one in inspections.shown(uow, batch).records if str(one.uuid) == record), None)
    if found is None:
        raise NotFound
    return found


def parts_of(uow: UnitOfWork, record: int) -> dict[str, str]:
    """Uuid → what it is and how many pages it has, of the components of a record that the actor may read."""
    words = policies.vocabulary(uow, "component")
    return {str(view.uuid): _label(view, words) for view in views(uow, _parts(uow, record))}


def _label(view: NodeView, words: Mapping[str, str]) -> str:
    said = components.called(view, words)
    title = "" if view.title in (None, said) else f" {view.title}"
    pages = f" ({ngettext('%(num)d page', '%(num)d pages', view.page_count)})" if view.page_count else ""
    return f"{said}{title}{pages}"


def _parts(uow: UnitOfWork, record: int) -> list[Node]:
    inside = uow.nodes(P.READ).where(
        Node.parent_id == record, Node.type.in_(INHERITING), Node.trashed_at.is_(None)
    )
    return uow.list(inside.order_by(Node.position, Node.id))


@action("inspection.finding_noted", needs=SIGNED_IN)
def note(uow: UnitOfWork, batch: Inspection, *, record: str, said: Typed) -> InspectionFinding:
    """Writes down what was found in one record of the batch.

    Raises NotFound for whoever has no part in the batch, or when it is over for them, and for a record that is not in it;
    Invalid for what is missing or no number.
    """
    uow.session.refresh(batch, with_for_update=BESIDE)  # it may be ended at this moment
    node = uow.node(record_of(uow, batch, record).id)
    made = InspectionFinding(
        inspection_id=batch.id, node_id=node.id, made_at=uow.now, made_by=uow.actor.principal_id,
        **_read(uow, node, said, _by_rule(uow)),
    )  # fmt: skip
    uow.session.add(made)
    uow.session.flush()
    uow.about(node)
    uow.note(number=batch.number, points=made.points, fen=made.fen, until=made.appeal_until)
    return made


def _by_rule(uow: UnitOfWork) -> date | None:
    """Until when it may be contested, where the actor has no say in it."""
    return None if uow.can(P.INSPECTION_GRANT) else inspection_findings.last_day(uow)


@action("inspection.finding_mended", needs=SIGNED_IN)
def mend(uow: UnitOfWork, ref: UUID, *, said: Typed, version: int) -> InspectionFinding:
    """Writes a finding anew, by whoever wrote it down. Raises NotFound, Forbidden, Invalid, Conflict once it is answered."""
    finding, node, batch = _own(uow, ref, version)
    before, is_closed = _before(uow, finding), _is_closed(uow, finding)
    said = replace(said, part="", page="") if is_closed else said
    for name, value in _read(uow, node, said, finding.appeal_until).items():
        if not (
            is_closed and name in PLACE
        ):  # where it stands cannot be said by whoever may not read there any more
            setattr(finding, name, value)
    uow.about(node)
    uow.note(number=batch.number, before=before, words=finding.words)
    return finding


@action("inspection.finding_withdrawn", needs=SIGNED_IN)
def withdraw(uow: UnitOfWork, ref: UUID, *, version: int) -> None:
    """Takes a finding back, by whoever wrote it down; what it said stays in the journal. Raises as `mend` does."""
    finding, node, batch = _own(uow, ref, version)
    uow.about(node)
    uow.note(number=batch.number, before=_before(uow, finding))
    uow.session.delete(finding)


def _before(uow: UnitOfWork, finding: InspectionFinding) -> dict[str, object]:
    """What it said, with the component itself, which its writer may not be able to read any more."""
    return asdict(typed(uow, finding)) | {"part": finding.part_id}


def _is_closed(uow: UnitOfWork, finding: InspectionFinding) -> bool:
    """Whether it is of a component that the actor may not read any more, or that has left the record."""
    return finding.part_id is not None and finding.part_id not in {
        one.id for one in _parts(uow, finding.node_id)
    }


def _own(uow: UnitOfWork, ref: UUID, version: int) -> tuple[InspectionFinding, Node, Inspection]:
    finding, node, batch = inspection_findings.held(uow, ref, version)
    if not inspection_findings.may_write(uow, batch):
        raise NotFound
    if finding.made_by != uow.actor.principal_id:
        raise Forbidden
    return finding, node, batch


@dataclass(frozen=True)
class Editable:
    """A finding with what its form needs. `is_mine`: all of it may be mended; else only until when it may be contested."""

    batch: Inspection
    record: NodeView
    typed: Typed
    is_mine: bool
    version: int


def editable(uow: UnitOfWork, ref: UUID) -> Editable:
    """A finding for whoever may change something of it. Raises NotFound, Forbidden, and Conflict for one that is answered."""
    row, node, batch = inspection_findings.known(uow, ref)
    is_mine = row.made_by == uow.actor.principal_id
    if not (is_mine or uow.can(P.INSPECTION_GRANT)):
        raise Forbidden
    if row.answer is not None:
        raise Conflict(_("Somebody has answered this meanwhile."))
    (view,) = views(uow, [node])
    return Editable(batch, view, typed(uow, row), is_mine, row.version)


def typed(uow: UnitOfWork, row: InspectionFinding) -> Typed:
    """A finding as its form says it. A component that the actor may not read is left out."""
    part = next((one for one in _parts(uow, row.node_id) if one.id == row.part_id), None)
    return Typed(
        row.words, row.kind or "", str(part.uuid) if part else "", str(row.page or ""), _said(row.points, 10),
        _said(row.fen, 100), row.appeal_until.isoformat() if row.appeal_until else "",
    )  # fmt: skip


def _said(number: int | None, parts: int) -> str:
    return "" if number is None else f"{Decimal(number) / parts:f}"


def _read(uow: UnitOfWork, node: Node, said: Typed, until: date | None) -> dict[str, object]:
    """The columns of a finding as it was typed; `until` for whoever has no say in the day. Raises Invalid."""
    wrong: dict[str, str] = {}
    text = clean(said.words)
    if not 1 <= len(text) <= LONGEST:
        wrong["words"] = _("Say what was found, in up to %(most)d characters.", most=LONGEST)
    if said.kind and said.kind not in policies.terms(uow, KINDS):
        wrong["kind"] = _("Choose one of the list.")
    part, page = _place(uow, node, said, wrong)
    points, fen = _number("points", said.points, 10, wrong), _number("yuan", said.yuan, 100, wrong)
    if uow.can(P.INSPECTION_GRANT):
        until = inspection_findings.day(said.appeal_until, wrong)
    if wrong:
        raise Invalid(fields=wrong)
    return {
        "part_id": part, "page": page, "kind": said.kind or None, "words": text, "points": points, "fen": fen,
        "appeal_until": until,
    }  # fmt: skip


def _place(uow: UnitOfWork, node: Node, said: Typed, wrong: dict[str, str]) -> tuple[int | None, int | None]:
    part = next((one for one in _parts(uow, node.id) if str(one.uuid) == said.part), None)
    if said.part and part is None:
        wrong["part"] = _("Choose one of the list.")
    number = said.page.strip()
    if not number:
        return part.id if part else None, None
    most = (part or node).page_count or LAST_PAGE
    if not (number.isascii() and number.isdigit() and 1 <= int(number[:6]) <= most):
        wrong["page"] = _("Write the number of a page there, 1 to %(most)d.", most=most)
        return None, None
    return part.id if part else None, int(number)


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
