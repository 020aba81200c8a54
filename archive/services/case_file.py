"""一案一页: a dispute file with all that belongs to its records, one timeline, and one list of dates.

What belongs to a record that the actor may not know of is left out, as if the case were not about it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from archive.i18n import _
from archive.models import CopyItem, CopyRequest, DisputeRecord, Hold, HoldNode, Node
from archive.policy.permissions import P
from archive.policy.workflows import COPY
from archive.services import holds, policies, sealed_objects, unsealing
from archive.sight import NodeView, views
from archive.uow import UnitOfWork
from archive.workflow import State

TRUSTED: Any = {"scope": "case file"}
MOST = 200
SOON = timedelta(days=14)


@dataclass(frozen=True)
class CaseSeal:
    """封存 or 冻结 over a record of the case."""

    hold: Hold
    node: NodeView
    alone_from: date | None
    """From when the hospital may open it alone; nothing for a legal hold."""
    may_open: bool


@dataclass(frozen=True)
class CaseCopy:
    """A copy of a record of the case: what of this record went out, to whom, and where the slip stands."""

    copy: CopyRequest
    node: NodeView
    applicant: str
    state: State
    pages: int


@dataclass(frozen=True)
class Moment:
    """事件: a point of the timeline; `day` where only the day is known."""

    at: datetime | None
    day: date
    words: str
    href: str


@dataclass(frozen=True)
class Deadline:
    """期限: a day to come or past, of what, and how it looks: ok, wait when it is near, bad when it is past."""

    day: date
    words: str
    href: str
    look: str


@dataclass(frozen=True)
class CaseFile:
    """纠纷档案: everything of one case that one person may know."""

    view: NodeView
    records: list[NodeView]
    seals: list[CaseSeal]
    copies: list[CaseCopy]
    things: list[sealed_objects.Thing]
    papers: list[NodeView]
    timeline: list[Moment]
    dates: list[Deadline]


def listing(uow: UnitOfWork, *, closed: bool = False) -> list[NodeView]:
    """The cases that the actor handles, the newest first."""
    state = Node.state == "archived" if closed else Node.state != "archived"
    mine = uow.nodes(P.DISPUTE).where(Node.type == "dispute_file", Node.trashed_at.is_(None), state)
    return views(uow, uow.list(mine.order_by(Node.date_from.desc(), Node.id.desc()).limit(MOST)))


def about(uow: UnitOfWork, node: Node) -> list[NodeView]:
    """The cases about a record that the actor handles."""
    if not uow.can(P.DISPUTE):
        return []
    mine = uow.nodes(P.DISPUTE).join(DisputeRecord, DisputeRecord.dispute_id == Node.id)
    return views(uow, uow.list(mine.where(DisputeRecord.record_id == node.id).order_by(Node.id)))


def shown(uow: UnitOfWork, dispute: Node) -> CaseFile:
    """The case, for whoever was found to handle it."""
    linked = _records(uow, dispute)
    seen = dict(
        zip([node.id for node, _at in linked], views(uow, [node for node, _at in linked]), strict=True)
    )
    nodes = [node for node, _at in linked]
    seals, copies = _seals(uow, nodes, seen), _copies(uow, nodes, seen)
    papers = _papers(uow, dispute)
    things = sealed_objects.of_nodes(uow, [dispute.id, *seen])
    view = views(uow, [dispute])[0]
    moments = [
        Moment(
            dispute.created_at,
            uow.local(dispute.created_at).date(),
            _("The dispute file was opened"),
            view.href,
        )
    ]
    moments += [_moment(uow, at, _("Record %(number)s", number=seen[node.id].stay or seen[node.id].code), seen[node.id].href)
                for node, at in linked]  # fmt: skip
    moments += [
        *_of_seals(uow, seals),
        *_of_copies(uow, copies),
        *_of_papers(papers),
        *_of_things(uow, things),
    ]
    last = datetime.max.replace(tzinfo=dispute.created_at.tzinfo)
    moments.sort(key=lambda one: (one.day, one.at or last))
    days = [
        *_days_of_seals(uow, seals), *_days_of_copies(uow, copies), *_days_of_papers(uow, papers), *_days_of_things(things)
    ]  # fmt: skip
    days.sort(key=lambda one: one.day)
    return CaseFile(view, list(seen.values()), seals, copies, things, papers, moments, days)


def _records(uow: UnitOfWork, dispute: Node) -> list[tuple[Node, datetime]]:
    rows = uow.session.execute(
        uow.nodes(P.DISCOVER, Node, DisputeRecord.linked_at)
        .join(DisputeRecord, DisputeRecord.record_id == Node.id)
        .where(DisputeRecord.dispute_id == dispute.id)
        .order_by(DisputeRecord.linked_at, Node.id)
    )
    return [(node, at) for node, at in rows]


def _seals(uow: UnitOfWork, nodes: list[Node], seen: dict[int, NodeView]) -> list[CaseSeal]:
    everything: tuple[Any, ...] = (Hold, HoldNode.node_id)
    rows = uow.session.execute(
        select(*everything)
        .join(HoldNode, HoldNode.hold_id == Hold.id)
        .where(HoldNode.node_id.in_([node.id for node in nodes]))
        .order_by(Hold.id),
        execution_options=TRUSTED,
    )
    return [
        CaseSeal(
            hold, seen[number], None if hold.kind == holds.LEGAL else unsealing.alone_from(uow, hold),
            seen[number].can(P.HOLD_APPLY) or seen[number].can(P.HOLD_RELEASE),
        )
        for hold, number in rows
    ]  # fmt: skip


def _copies(uow: UnitOfWork, nodes: list[Node], seen: dict[int, NodeView]) -> list[CaseCopy]:
    """Of each slip only what is of a record that may be known: a slip may be of several."""
    mine = [node.id for node in nodes]
    everything: tuple[Any, ...] = (CopyRequest, CopyItem)
    rows = uow.session.execute(
        select(*everything)
        .join(CopyItem, CopyItem.copy_id == CopyRequest.id)
        .where(CopyRequest.kind == "copy", CopyItem.record_id.in_(mine))
        .order_by(CopyRequest.id, CopyItem.id),
        execution_options=TRUSTED,
    )
    pages: dict[tuple[int, int], int] = {}
    slips: dict[int, CopyRequest] = {}
    for copy, item in rows:
        slips[copy.id] = copy
        place = copy.id, item.record_id
        pages[place] = pages.get(place, 0) + (item.sheets or 0) + len(item.pages or ())
    words = policies.in_force(uow, "proofs").body["applicants"]
    return [
        CaseCopy(slips[slip], seen[record], policies.said(words.get(slips[slip].applicant, {})) or slips[slip].applicant,
                 COPY.state(slips[slip].state), count)
        for (slip, record), count in pages.items()
    ]  # fmt: skip


def _papers(uow: UnitOfWork, dispute: Node) -> list[NodeView]:
    inside = uow.nodes(P.READ).where(Node.parent_id == dispute.id, Node.trashed_at.is_(None))
    return views(uow, uow.list(inside.order_by(Node.date_from, Node.position)))


def _moment(uow: UnitOfWork, at: datetime, words: str, href: str) -> Moment:
    return Moment(at, uow.local(at).date(), words, href)


def _of_seals(uow: UnitOfWork, seals: list[CaseSeal]) -> Iterator[Moment]:
    for one in seals:
        number, href = one.hold.number, f"/holds/{one.hold.uuid}" if one.may_open else ""
        laid = (
            _("Legal hold %(number)s", number=number)
            if one.hold.kind == holds.LEGAL
            else _("Sealed as %(number)s", number=number)
        )
        yield _moment(uow, one.hold.sealed_at, laid, href)
        if one.hold.taken_over_at:
            yield _moment(
                uow, one.hold.taken_over_at, _("The archive took %(number)s over", number=number), href
            )
        if one.hold.released_at:
            yield _moment(uow, one.hold.released_at, _("%(number)s was taken off", number=number), href)


def _of_copies(uow: UnitOfWork, copies: list[CaseCopy]) -> Iterator[Moment]:
    for one in copies:
        number, href = one.copy.number, _slip(one)
        asked = _("A copy was asked for: %(number)s, %(who)s", number=number, who=one.applicant)
        yield _moment(uow, one.copy.created_at, asked, href)
        if one.copy.ended_at:
            ended = _("%(number)s: %(state)s", number=number, state=one.state.title)
            yield _moment(uow, one.copy.ended_at, ended, href)


def _slip(one: CaseCopy) -> str:
    return f"/copying/slips/{one.copy.uuid}" if one.node.can(P.REQUEST_COPY) else ""


def _of_papers(papers: list[NodeView]) -> Iterator[Moment]:
    for one in papers:
        yield Moment(None, one.date_from, one.label, one.href)
        if answered := one.value("answered_on"):
            yield Moment(
                None, date.fromisoformat(str(answered)), _("Answered: %(paper)s", paper=one.label), one.href
            )


def _deadline(uow: UnitOfWork, day: date, words: str, href: str) -> Deadline:
    look = "bad" if day < uow.today else "wait" if day <= uow.today + SOON else "ok"
    return Deadline(day, words, href, look)


def _days_of_seals(uow: UnitOfWork, seals: list[CaseSeal]) -> Iterator[Deadline]:
    for one in (each for each in seals if each.hold.released_at is None):
        number, href = one.hold.number, f"/holds/{one.hold.uuid}" if one.may_open else ""
        yield _deadline(uow, one.hold.review_due, _("Review of %(number)s", number=number), href)
        if one.alone_from:
            words = _alone(number)
            yield Deadline(one.alone_from, words, href, "ok")


def _days_of_copies(uow: UnitOfWork, copies: list[CaseCopy]) -> Iterator[Deadline]:
    for one in copies:
        if one.copy.ready_by and not one.state.final and one.copy.state != "shipped":
            words = _("The copy %(number)s is to be ready", number=one.copy.number)
            yield _deadline(uow, one.copy.ready_by, words, _slip(one))


def _days_of_papers(uow: UnitOfWork, papers: list[NodeView]) -> Iterator[Deadline]:
    for one in papers:
        if (due := one.value("due_on")) and not one.value("answered_on"):
            yield _deadline(
                uow, date.fromisoformat(str(due)), _("Answer to: %(paper)s", paper=one.label), one.href
            )


def _of_things(uow: UnitOfWork, things: list[sealed_objects.Thing]) -> Iterator[Moment]:
    for one in things:
        number, href = one.row.number, _thing(one)
        sealed = _("Sealed as %(number)s", number=number) + f" {one.kind} {one.row.what}"
        yield _moment(uow, one.row.sealed_at, sealed, href)
        if one.row.released_at:
            yield _moment(uow, one.row.released_at, _("%(number)s was taken off", number=number), href)


def _days_of_things(things: list[sealed_objects.Thing]) -> Iterator[Deadline]:
    for one in (each for each in things if each.row.released_at is None):
        yield Deadline(one.alone_from, _alone(one.row.number), _thing(one), "ok")


def _thing(one: sealed_objects.Thing) -> str:
    return f"/sealed-objects/{one.row.uuid}" if one.may_see else ""


def _alone(number: str) -> str:
    return _(
        "From here on the hospital may open %(number)s alone if nothing further was claimed", number=number
    )
