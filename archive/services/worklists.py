"""待办清单: what waits for whom, oldest first; each list with its next act (interface "workbench with five counts")."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from archive import journal
from archive.errors import Conflict, NotFound
from archive.i18n import Lazy, _, _l
from archive.models import AuditEvent, Holding, Milestone, Node
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.services import calendar, listing, policies, records, steps
from archive.services.attempts import Outcome, each
from archive.sight import NodeView, views
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "worklists"}
IN_WORK = ("draft", "cataloguing", "review", "correcting")
DIED = "5"
"""离院方式 of the national front page: died. Such a record is filed later (domain §5.3)."""
Where = Callable[[UnitOfWork], ColumnElement[bool]]


@dataclass(frozen=True)
class Kind:
    """A list: whose it is (`needs`), what stands in it, and what is done with its rows at once (`act`, if anything)."""

    name: str
    title: Lazy
    needs: P
    where: Where
    act: str | None = None
    icon: str = "arrow-right"
    label: Lazy | None = None
    order: str = "waiting"
    look: str = ""
    state: str | None = None
    """The one state of all its rows, where there is one: nobody looks through the archived ones for it."""


def _reached(track: str, step: str) -> ColumnElement[bool]:
    return exists().where(Milestone.node_id == Node.id, Milestone.track == track, Milestone.step == step)


def _in_state(state: str) -> Where:
    return lambda _uow: and_(Node.workflow.in_(("description", "medical_record")), Node.state == state)


def _uncollected(_uow: UnitOfWork) -> ColumnElement[bool]:
    """未回收: discharged, and the ward has not yet handed the record in."""
    record = and_(Node.type == "medical_record", Node.state.in_(("draft", "cataloguing")))
    return and_(record, Node.date_to.is_not(None), ~_reached("paper", "collected"))


def _late(uow: UnitOfWork) -> ColumnElement[bool]:
    """逾期未归: not collected within the days of the policy; whoever died is filed later."""
    living, dead = _last_days(uow)
    died = func.coalesce(Node.data["outcome"].as_string(), "") == DIED
    return and_(_uncollected(uow), or_(and_(died, Node.date_to <= dead), and_(~died, Node.date_to <= living)))


def _last_days(uow: UnitOfWork) -> tuple[date, date]:
    """The newest days of discharge whose deadline is over: of the living, and of those who died."""
    deadlines = policies.in_force(uow, "gates").body["deadlines"]
    working = calendar.of(uow)
    living = uow.today
    while working.add(living, deadlines["hard_working_days"]) >= uow.today:
        living -= timedelta(days=1)
    return living, uow.today - timedelta(days=deadlines["death_days"] + 1)


def _returned(_uow: UnitOfWork) -> ColumnElement[bool]:
    """退回补正: nobody comes back into cataloguing but by being sent back."""
    sent_back = exists().where(
        AuditEvent.object_kind == "node",
        AuditEvent.object_id == Node.id,
        AuditEvent.action == "node.send_back",
    )
    return and_(_in_state("cataloguing")(_uow), sent_back)


def _to_scan(_uow: UnitOfWork) -> ColumnElement[bool]:
    """待扫描: the paper is in the house, and its pages are not."""
    record = and_(Node.type == "medical_record", _reached("paper", "collected"), ~_reached("scan", "linked"))
    paper = exists().where(Holding.node_id == Node.id)
    other = and_(Node.workflow == "description", Node.page_count == 0, paper)
    return and_(Node.state.in_(("draft", "cataloguing")), or_(record, other))


KINDS = {
    kind.name: kind
    for kind in (
        Kind("uncollected", _l("Not collected"), P.EDIT, _uncollected, "collected", "check", _l("Sign it in"),
             order="discharged"),
        Kind("late", _l("Overdue for filing"), P.EDIT, _late, "collected", "check", _l("Sign it in"),
             order="discharged", look="bad"),
        Kind("returned", _l("Returned for completion"), P.EDIT, _returned, "submit", "send", look="wait",
             state="cataloguing"),
        Kind("to_scan", _l("To scan"), P.SCAN_UPLOAD, _to_scan),
        Kind("review", _l("To review"), P.EDIT_LIFECYCLE, _in_state("review"), "archive", "archive", look="wait",
             state="review"),
        Kind("cataloguing", _l("In cataloguing"), P.EDIT, _in_state("cataloguing"), "submit", "send",
             state="cataloguing"),
        Kind("draft", _l("Drafts"), P.EDIT, _in_state("draft"), "catalogue", "pencil", state="draft"),
    )
}  # fmt: skip


def find(uow: UnitOfWork, name: str) -> Kind:
    """A list by its name, for whoever works through it. Raises NotFound, or Forbidden."""
    if name not in KINDS:
        raise NotFound
    uow.require(KINDS[name].needs)
    return KINDS[name]


def mine(uow: UnitOfWork) -> list[Kind]:
    """The lists of the actor's roles."""
    return [kind for kind in KINDS.values() if uow.can(kind.needs)]


def _rows(uow: UnitOfWork, kind: Kind) -> Any:
    return uow.nodes(kind.needs, state=kind.state, everywhere=True).where(
        kind.where(uow), Node.overlay != int(Overlay.TRASHED)
    )


def count(uow: UnitOfWork, kind: Kind) -> int:
    """How many wait, up to one more than the cap of lists."""
    return listing.count(uow, _rows(uow, kind))


def first(uow: UnitOfWork, kind: Kind, most: int = 6) -> list[NodeView]:
    """The first few of a list."""
    return views(uow, uow.list(_rows(uow, kind).order_by(*listing.ORDERS[kind.order]).limit(most)))


def page(uow: UnitOfWork, kind: Kind, after: str | None = None) -> listing.Listing:
    """One page of a list."""
    return listing.paged(uow, _rows(uow, kind), f"worklist:{kind.name}", kind.order, after)


def act(uow: UnitOfWork, kind: Kind, refs: Iterable[UUID]) -> list[Outcome]:
    """Does the next act of a list with several of its rows, each on its own. Raises Conflict where it has none."""
    if kind.act is None:
        raise Conflict(_("There is no such step."))
    return each(uow, refs, lambda ref: _one(uow, kind, uow.node(ref)))


def _one(uow: UnitOfWork, kind: Kind, node: Node) -> None:
    if kind.act == "collected":
        records.mark(uow, node, track="paper", step="collected")
    else:
        steps.take(uow, node, str(kind.act))


def deadline(uow: UnitOfWork, view: NodeView) -> date | None:
    """应归档日: by when a discharged record must be handed in (domain §5.3)."""
    day: date | None = view.discharged_on
    if day is None:
        return None
    deadlines = policies.in_force(uow, "gates").body["deadlines"]
    if view.value("outcome") == DIED:
        return day + timedelta(days=deadlines["death_days"])
    return calendar.add_working_days(uow, day, deadlines["hard_working_days"])


def why_returned(uow: UnitOfWork, found: Iterable[NodeView]) -> dict[int, str]:
    """Why each was sent back the last time, for whoever may see the history."""
    ids = [view.id for view in found if view.can(P.HISTORY)]
    last = (
        select(AuditEvent.object_id, func.max(AuditEvent.id))
        .where(AuditEvent.object_kind == "node", AuditEvent.object_id.in_(ids))
        .where(AuditEvent.action == "node.send_back")
        .group_by(AuditEvent.object_id)
    )
    reasons: dict[int, str] = {}
    for number, event in uow.session.execute(last):
        words = journal.words_of(uow.session, journal.CHANGES, event, uow.site.keys)
        reasons[int(number or 0)] = str(words.get("reason") or "")
    return reasons
