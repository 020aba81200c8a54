"""What is out, with whom and until when; what is to be fetched from the shelves; what passed over the desk today."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from operator import attrgetter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import aliased

from archive.errors import Forbidden
from archive.i18n import ngettext
from archive.models import Holding, Location, Node, Principal, Request, RequestLine
from archive.policy.permissions import P
from archive.services import calendar, holdings, places, policies, reservations, slips
from archive.services.in_hand import InHand
from archive.services.slips import MOST, Slip
from archive.sight import NodeView, views
from archive.uow import UnitOfWork
from archive.workflow import State

TRUSTED: Any = {"scope": "circulation"}
MOST_PICKED = 2_000
"""Longer than any morning's round: what the shelves' order is to be true of must be read whole."""
STILL_OUT = RequestLine.in_at.is_(None)
FIRST_DUE = (RequestLine.due_at, RequestLine.id)


@dataclass(frozen=True)
class Loan:
    """在借: one volume in somebody's hands. `days_left` counts working days, is negative when it is overdue, nothing when it is
    back.

    `back_at` says when it came back, and `missing` how many sheets then were not there.
    """

    barcode: str
    node: NodeView
    request: UUID
    number: str
    purpose: str
    borrower: str
    out_at: datetime
    due_at: datetime
    days_left: int
    is_overdue: bool
    sheets: int | None
    back_at: datetime | None
    missing: int
    was_counted: bool
    """Whether `sheets` was counted as it went out."""
    sheets_back: int | None
    is_lost: bool
    """Whether nobody brought it back."""
    pass_to: str | None
    """转借: to whom its borrower says they give it, or gave it."""
    collector: str | None
    """代领人: who came for it instead of the borrower; of somebody who is not of the house with the telephone."""

    @property
    def href(self) -> str | None:
        """Where the record is, for whoever may go there."""
        return self.node.href if P.DISCOVER in self.node.may else None


def out(uow: UnitOfWork) -> list[Loan]:
    """What is out, as far as the actor sees it, the first due first."""
    return _loans(uow, STILL_OUT)


def overdue(uow: UnitOfWork) -> list[Loan]:
    """What should be back."""
    return _loans(uow, STILL_OUT, RequestLine.due_at < uow.now)


def in_hand(uow: UnitOfWork, person: int) -> list[Loan]:
    """What one borrower has."""
    return _loans(uow, STILL_OUT, Request.requester_id == person)


def mine(uow: UnitOfWork) -> list[Loan]:
    """What the actor has."""
    return in_hand(uow, uow.actor.principal_id or 0)


def of_request(uow: UnitOfWork, request: Request) -> list[Loan]:
    """The volumes that went out on one request, whether or not they are back."""
    return _loans(uow, Request.id == request.id)


def loan(uow: UnitOfWork, view: NodeView, held: InHand) -> Loan | None:
    """The last loan of a volume that lies on the desk, over or not."""
    if held.line is None or held.request is None:
        return None
    return _loan(
        uow, (held.line, held.request, held.node, held.holding.barcode, held.borrower, held.collector), view
    )


def _loans(uow: UnitOfWork, *conditions: ColumnElement[bool]) -> list[Loan]:
    borrower, collector = aliased(Principal), aliased(Principal)
    statement = (
        slips.visible(uow, RequestLine, Request, Node, Holding.barcode, borrower.name, collector.name)
        .join(RequestLine, RequestLine.request_id == Request.id)
        .join(Holding, Holding.id == RequestLine.holding_id)
        .join(borrower, borrower.id == Request.requester_id)
        .outerjoin(collector, collector.id == RequestLine.collector_id)
        .where(*conditions)
        .order_by(*FIRST_DUE)
        .limit(MOST)
    )
    rows = uow.session.execute(statement).all()
    return [
        _loan(uow, row, view) for row, view in zip(rows, views(uow, [row[2] for row in rows]), strict=True)
    ]


def _loan(uow: UnitOfWork, row: Iterable[Any], view: NodeView) -> Loan:
    line, request, _node, barcode, borrower, collector = row
    words = policies.vocabulary(uow, "purpose")
    return Loan(
        barcode=barcode, node=view, request=request.uuid, number=request.number,
        purpose=words.get(request.purpose, request.purpose), borrower=borrower, out_at=line.out_at, due_at=line.due_at,
        days_left=0 if line.in_at else days_left(uow, line.due_at), is_overdue=line.due_at < uow.now, sheets=line.sheets_out,
        back_at=line.in_at, missing=_missing(line.sheets_out, line.sheets_in),
        was_counted=line.counted_out, sheets_back=line.sheets_in, is_lost=line.lost, pass_to=_name(uow, line.pass_to_id),
        collector=collector or _typed(uow, line),
    )  # fmt: skip


def _name(uow: UnitOfWork, person: int | None) -> str | None:
    return uow.session.get_one(Principal, person).name if person is not None else None


def _typed(uow: UnitOfWork, line: RequestLine) -> str | None:
    """Who came for it and is not of the house."""
    if line.collector_name is None or line.collector_phone_enc is None:
        return line.collector_name
    return f"{line.collector_name} {uow.site.keys.decrypt('identity-enc', line.collector_phone_enc)}"


def _missing(before: int | None, after: int | None) -> int:
    return 0 if before is None or after is None else max(0, before - after)


def days_left(uow: UnitOfWork, due_at: datetime) -> int:
    """Working days until something is due; negative: how many it is late."""
    last = calendar.day_of(uow, due_at)
    if last >= uow.today:
        return calendar.working_days_between(uow, uow.today, last)
    return -calendar.working_days_between(uow, last, uow.today)


@dataclass(frozen=True)
class OpenLoan:
    """The loan of a record as its page shows it. Who has it stands there only for whoever sees the request."""

    due_at: datetime
    days_left: int
    is_overdue: bool
    slip: Slip | None


def open_loan(uow: UnitOfWork, node: Node) -> OpenLoan | None:
    """The loan that is due first of those in which a volume of `node` is out, for whoever may discover the node."""
    uow.require(P.DISCOVER, node)
    row = uow.session.execute(
        select(RequestLine.due_at, RequestLine.request_id)
        .join(Holding, Holding.id == RequestLine.holding_id)
        .where(Holding.node_id == node.id, RequestLine.in_at.is_(None))
        .order_by(RequestLine.due_at)
        .limit(1),
        execution_options=TRUSTED,
    ).first()
    if row is None:
        return None
    seen = slips.listed(uow, Request.id == row.request_id)
    return OpenLoan(row.due_at, days_left(uow, row.due_at), row.due_at < uow.now, seen[0] if seen else None)


@dataclass(frozen=True)
class Pick:
    """取卷: an approved request, and one of the volumes to fetch for it."""

    slip: Slip
    barcode: str
    place: str | None
    status: State


def pick_list(uow: UnitOfWork, for_person: int | None = None) -> list[Pick]:
    """取卷单: what is to be fetched, in the order of the shelves, each volume for the one whose turn it is."""
    whose = [] if for_person is None else [Request.node_id.in_(_asked_by(uow, for_person))]
    wanted = slips.listed(uow, slips.handled(uow), slips.to_fetch(uow), *whose, most=MOST_PICKED)
    found = {slip.id: slip for slip in wanted}
    nodes = {slip.node.id for slip in wanted}
    there = (
        select(Holding.id, Holding.node_id, Holding.barcode, Holding.status, Location.code, Location.path)
        .join(Node, Node.id == Holding.node_id)
        .outerjoin(Location, Location.id == Holding.location_id)
        .where(Holding.node_id.in_(nodes), slips.in_house())
    )
    # Asked for in an order, a database goes through all the volumes there are instead of looking up the few.
    rows = sorted(uow.session.execute(there, execution_options=TRUSTED), key=attrgetter("id"))
    alone = {slip.node.id: slip.id for slip in wanted}
    lines = reservations.offered(uow, nodes) if len(wanted) > len(nodes) else {}  # several ask for one record
    meant = _shared_out(rows, lines) if lines else {row.id: alone[row.node_id] for row in rows}
    picks = [(found[meant[row.id]], row) for row in rows if meant[row.id] in found]

    def on_the_way(pick: Any) -> Any:
        slip, row = pick
        return row.path or "~", places.shelf_order(slip.node.mrn), row.barcode

    return [
        Pick(slip, row.barcode, row.code, holdings.STATUSES[row.status])
        for slip, row in sorted(picks, key=on_the_way)
        if for_person in (None, slip.requester_id)
    ]


def _asked_by(uow: UnitOfWork, person: int) -> Sequence[int]:
    """The few records that somebody may collect, by their numbers: so PostgreSQL knows how few they are."""
    theirs = select(Request.node_id).where(Request.requester_id == person, Request.state == "approved")
    return uow.session.scalars(theirs, execution_options=TRUSTED).all()


def left_over(uow: UnitOfWork) -> int:
    """How many requests are to be fetched beyond those of the pick list: they follow when the older ones are done."""
    waiting = slips.visible(uow, func.count(Request.id)).where(slips.handled(uow), slips.to_fetch(uow))
    return max(0, (uow.session.scalar(waiting) or 0) - MOST_PICKED)


def in_part(uow: UnitOfWork) -> str:
    """That the pick list is cut, with the numbers; nothing where it is whole."""
    if not (more := left_over(uow)):
        return ""
    return ngettext(
        "Only the %(most)d oldest requests stand here; %(num)d more follows when these are fetched.",
        "Only the %(most)d oldest requests stand here; %(num)d more follow when these are fetched.",
        more, most=MOST_PICKED,
    )  # fmt: skip


def _shared_out(volumes: Iterable[Any], lines: Mapping[int, Sequence[Request]]) -> dict[int, int]:
    """Volume → the request for which it is fetched: the one for which it is kept, else the next one without a volume. What is
    left goes to the first, who has asked for all of the record.
    """
    kept = {asked.offered_id: asked.id for line in lines.values() for asked in line}
    without = {node: [one.id for one in line if one.offered_id is None] for node, line in lines.items()}
    meant = {}
    for volume in volumes:
        waiting = without[volume.node_id]
        left = lines[volume.node_id][0].id
        meant[volume.id] = kept.get(volume.id) or (waiting.pop(0) if waiting else left)
    return meant


@dataclass(frozen=True)
class Passage:
    """One line of today's journal of the desk."""

    at: datetime
    is_out: bool
    node: NodeView
    barcode: str
    borrower: str
    missing: int
    """Sheets that were missing when it came back."""


@dataclass(frozen=True)
class Today:
    """今天: what passed over the desks, newest first, and how much in all."""

    passages: list[Passage]
    out: int
    back: int


def today(uow: UnitOfWork, most: int = 12) -> Today:
    """What went out and came back today over all desks, as far as the actor handles it. Raises Forbidden."""
    if not uow.can(P.REQUEST_HANDLE):
        raise Forbidden
    begin = datetime.combine(uow.today, time(), ZoneInfo(uow.site.settings.timezone))
    passages = [
        *_passages(uow, RequestLine.out_at, begin, most, is_out=True),
        *_passages(uow, RequestLine.in_at, begin, most, is_out=False),
    ]
    went, came = RequestLine.out_at >= begin, RequestLine.in_at >= begin
    counting = (
        slips.visible(uow, func.count().filter(went), func.count().filter(came))
        .join(RequestLine, RequestLine.request_id == Request.id)
        .where(slips.handled(uow), _of(or_(went, came)), or_(went, came))
    )
    newest = sorted(passages, key=lambda line: line.at, reverse=True)[:most]
    return Today(newest, *uow.session.execute(counting).one())


def _of(lines: ColumnElement[bool]) -> ColumnElement[bool]:
    """The requests of some lines: so a database begins with the few lines and not with all requests on paper."""
    return Request.id.in_(select(RequestLine.request_id).where(lines))


def _passages(uow: UnitOfWork, moment: Any, begin: datetime, most: int, *, is_out: bool) -> list[Passage]:
    borrower = aliased(Principal)
    statement = (
        slips.visible(
            uow, moment, Node, Holding.barcode, borrower.name, RequestLine.sheets_out, RequestLine.sheets_in
        )
        .join(RequestLine, RequestLine.request_id == Request.id)
        .join(Holding, Holding.id == RequestLine.holding_id)
        .join(borrower, borrower.id == Request.requester_id)
        .where(slips.handled(uow), _of(moment >= begin), moment >= begin)
        .order_by(moment.desc())
        .limit(most)
    )
    rows = uow.session.execute(statement).all()
    seen = views(uow, [row[1] for row in rows])
    return [
        Passage(at, is_out, view, barcode, name, 0 if is_out else _missing(before, after))
        for (at, _node, barcode, name, before, after), view in zip(rows, seen, strict=True)
    ]
