"""纸电不符: what is open, whose task it is, and how it ends; the program opens them in services/reconciliation.py."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from archive import cursor
from archive.errors import Conflict, Invalid, NotFound
from archive.i18n import Lazy, _, _l
from archive.models import DualMismatch, Node, Page, Principal
from archive.policy.permissions import P
from archive.policy.types import INHERITING, TYPES
from archive.schema import clean
from archive.services import lacking, listing, mismatch_news, policies, reconciliation
from archive.services.mismatch_news import visible
from archive.services.reconciliation import COUNT
from archive.sight import NodeView, views
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "mismatches"}
HANDLING = mismatch_news.HANDLING
"""Any of these on a record that one reads lets one see to what does not agree in it."""
LONGEST = 500
KINDS: dict[str, Lazy] = {
    "missing_page": _l("Pages are missing"), "extra_page": _l("More pages than were counted"),
    "order": _l("Pages are in another order"), "illegible": _l("Cannot be read"),
    "wrong_patient": _l("Pages of another patient"), "number_differs": _l("The counts of the paper contradict"),
    "missing_component": _l("A component is missing"),
}  # fmt: skip
Whose = Literal["all", "mine", "late"]


@dataclass(frozen=True)
class Shown:
    """One mismatch as somebody who works on its record sees it."""

    uuid: UUID
    node: NodeView
    kind: str
    about: str
    note: str | None
    owner: str | None
    is_mine: bool
    due_on: date
    is_late: bool
    opened_at: datetime
    opened_by: str | None
    """Nobody: the program."""
    closed_at: datetime | None
    closed_by: str | None
    reason: str | None


@dataclass(frozen=True)
class Listed:
    rows: list[Shown]
    total: int
    next: str | None


def _open(uow: UnitOfWork, whose: Whose, *entities: Any) -> Select[Any]:
    found = visible(uow, *entities).where(DualMismatch.closed_at.is_(None))
    if whose == "mine":
        return found.where(DualMismatch.owner_id == uow.actor.principal_id)
    return found.where(DualMismatch.due_on < uow.today) if whose == "late" else found


def count(uow: UnitOfWork, whose: Whose = "all") -> int:
    """How many are open, up to one more than the cap of lists."""
    few = _open(uow, whose, DualMismatch.id).limit(listing.CAP + 1).subquery()
    many = select(func.count()).select_from(few).execution_options(scope="count")
    return uow.session.scalar(many) or 0


def page(uow: UnitOfWork, whose: Whose = "all", after: str | None = None) -> Listed:
    """The open ones, the next that is due first."""
    purpose, found = f"mismatches:{whose}", _open(uow, whose)
    if (values := cursor.unpack(uow.site.keys, purpose, after)) is not None:
        day, number = date.fromisoformat(values[0]), values[1]
        later = and_(DualMismatch.due_on == day, DualMismatch.id > number)
        found = found.where(or_(DualMismatch.due_on > day, later))
    rows = uow.session.execute(
        _named(found).order_by(DualMismatch.due_on, DualMismatch.id).limit(listing.PAGE + 1)
    ).all()
    onward = None
    if len(rows) > listing.PAGE:
        last = rows[listing.PAGE - 1][0]
        onward = cursor.pack(uow.site.keys, purpose, [last.due_on.isoformat(), last.id])
    return Listed(_shown(uow, rows[: listing.PAGE]), count(uow, whose), onward)


def of(uow: UnitOfWork, node: Node) -> list[Shown]:
    """All mismatches of a record, the open ones first. Nothing for whoever does not work on it."""
    mine = visible(uow).where(DualMismatch.node_id == node.id)
    newest = (DualMismatch.closed_at.is_not(None), DualMismatch.closed_at.desc(), DualMismatch.id)
    return _shown(uow, uow.session.execute(_named(mine).order_by(*newest).limit(100)).all())


_OWNER, _OPENER, _CLOSER = aliased(Principal), aliased(Principal), aliased(Principal)


def _named(found: Select[Any]) -> Select[Any]:
    return (
        found.add_columns(_OWNER.name, _OPENER.name, _CLOSER.name)
        .outerjoin(_OWNER, _OWNER.id == DualMismatch.owner_id)
        .outerjoin(_OPENER, _OPENER.id == DualMismatch.opened_by)
        .outerjoin(_CLOSER, _CLOSER.id == DualMismatch.closed_by)
    )


def _shown(uow: UnitOfWork, rows: Any) -> list[Shown]:
    uow.access.prepare(row[1] for row in rows)
    seen = views(uow, [row[1] for row in rows])
    return [
        Shown(
            row.uuid, view, str(KINDS[row.kind]), _about(uow, row, view), row.note, owner,
            row.owner_id == uow.actor.principal_id, row.due_on, row.closed_at is None and row.due_on < uow.today,
            row.opened_at, opener, row.closed_at, closer, row.reason,
        )
        for (row, _node, owner, opener, closer), view in zip(rows, seen, strict=True)
    ]  # fmt: skip


def _about(uow: UnitOfWork, row: DualMismatch, view: NodeView) -> str:
    """What it is about; counts of the paper for whoever may see volumes."""
    if row.kind == "missing_component":
        return policies.vocabulary(uow, "component").get(row.cause, row.cause)
    if row.cause != COUNT:
        return _("page %(number)s", number=row.cause) if row.cause else ""
    if not view.can(P.HOLDING_VIEW):
        return ""
    counts = {"expected": row.expected, "found": row.found}
    if row.kind == "number_differs":
        return _("%(expected)s sheets, %(found)s sides", **counts)
    return _("%(expected)s counted, %(found)s scanned", **counts)


def find(uow: UnitOfWork, uuid: UUID) -> tuple[DualMismatch, Node]:
    """A mismatch and its record, for whoever works on it. Raises NotFound."""
    row = uow.session.execute(visible(uow).where(DualMismatch.uuid == uuid)).first()
    if row is None:
        raise NotFound
    return row[0], row[1]


def takes(node: Node) -> bool:
    """Whether mismatches are noted of it: of whole files, not of their items."""
    return TYPES[node.type].numbered and TYPES[node.type].pages and node.type not in INHERITING


@action("mismatch.opened", needs=HANDLING)
def open_one(
    uow: UnitOfWork, node: Node, *, kind: str, page: int | None = None, note: str = ""
) -> DualMismatch:
    """Notes by hand what does not agree. Raises Invalid, Conflict where that is open already."""
    uow.require(P.READ, node)
    if not takes(node):
        raise Conflict(_("This is noted on the record, not on a part of it."))
    words = _words(note, "note")
    if kind not in KINDS:
        raise Invalid(fields={"kind": _("Choose one of the list.")})
    uow.lock(node)
    if page is not None and not 1 <= page <= _pages(uow, node):
        raise Invalid(fields={"page": _("There is no such page.")})
    cause = str(page) if page is not None else ""
    if _is_open(uow, node, kind, cause):
        raise Conflict(_("This is noted already, and still open."))
    uow.note(kind=kind, page=page, because=words)
    made = reconciliation.add(uow, node, kind=kind, cause=cause, note=words)
    mismatch_news.tell(uow, node, [made])
    return made


def _pages(uow: UnitOfWork, node: Node) -> int:
    within = select(Node.id).where(Node.path >= node.path, Node.path < node.path_end)
    many = select(func.count(Page.id)).where(Page.node_id.in_(within))
    return uow.session.scalar(many, execution_options=TRUSTED) or 0


def _is_open(uow: UnitOfWork, node: Node, kind: str, cause: str) -> bool:
    same = select(DualMismatch.id).where(
        DualMismatch.node_id == node.id, DualMismatch.kind == kind, DualMismatch.cause == cause,
        DualMismatch.closed_at.is_(None),
    )  # fmt: skip
    return uow.session.scalar(same, execution_options=TRUSTED) is not None


def _words(text: str, name: str) -> str:
    words = clean(text)
    if not words or len(words) > LONGEST:
        raise Invalid(fields={name: _("Say it in at most %(most)d characters.", most=LONGEST)})
    return words


@action("mismatch.closed", needs=HANDLING)
def close(uow: UnitOfWork, mismatch: DualMismatch, *, reason: str) -> None:
    """Somebody has seen to it and says how. The program does not open it again while the counts stay the same.

    Raises Invalid without a reason, Conflict when it is closed already.
    """
    node = _at_work(uow, mismatch)
    mismatch.closed_at, mismatch.closed_by = uow.now, uow.actor.principal_id
    mismatch.reason = _words(reason, "reason")
    uow.about(node)
    uow.note(kind=mismatch.kind, cause=mismatch.cause, because=mismatch.reason)


@action("mismatch.explained", needs=HANDLING)
def explain(uow: UnitOfWork, node: Node, *, component: str, reason: str) -> None:
    """说明缺件: somebody says why a component that must be there is not, before the program has noted it; then it holds
    nothing up any more. Raises Invalid without a reason, Conflict where it does not lack, or that is noted already.
    """
    uow.require(P.READ, node)
    words = _words(reason, "reason")
    uow.lock(node)
    if component not in lacking.components(uow, node) or component in lacking.explained(uow, node):
        raise Conflict(_("This component is not missing any more. Reload the page."))
    if _is_open(uow, node, lacking.KIND, component):
        raise Conflict(_("This is noted already, and still open."))
    made = reconciliation.add(uow, node, kind=lacking.KIND, cause=component)
    made.closed_at, made.closed_by, made.reason = uow.now, uow.actor.principal_id, words
    uow.note(cause=component, because=words)


@action("mismatch.taken", needs=HANDLING)
def take(uow: UnitOfWork, mismatch: DualMismatch) -> None:
    """Makes it one's own task. Raises Conflict when it is closed already."""
    node = _at_work(uow, mismatch)
    uow.note(kind=mismatch.kind, before=mismatch.owner_id)
    mismatch.owner_id = uow.actor.principal_id
    uow.about(node)


def _at_work(uow: UnitOfWork, mismatch: DualMismatch) -> Node:
    _row, node = find(uow, mismatch.uuid)
    if mismatch.closed_at is not None:
        raise Conflict(_("Somebody has closed this already. Reload the page."))
    return node
