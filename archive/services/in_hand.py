"""What lies on the desk: a volume as it is now and stays until the commit, with the loan in which it is or was last."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from archive.errors import NotFound
from archive.models import (
    Container,
    Holding,
    Location,
    Node,
    Principal,
    Request,
    RequestLine,
    User,
)
from archive.policy.permissions import P
from archive.services import frozen
from archive.services.scanning import batches
from archive.uow import BESIDE, UnitOfWork

TRUSTED: Any = {"scope": "in_hand"}


@dataclass(frozen=True)
class InHand:
    """在手: one volume under somebody's gun; nobody else handles it before this is over."""

    holding: Holding
    node: Node
    place: str | None
    container: str | None
    line: RequestLine | None
    """Its last loan, over or not."""
    request: Request | None
    """On what slip that was."""
    borrower: str
    staff_no: str
    collector: str | None
    """代领人 of the house, where somebody else came for it."""
    others_out: int
    """How many more volumes are out on the same slip."""
    batch: str | None
    """The scan batch that it has been checked out into."""
    is_sealed: bool

    @property
    def is_out(self) -> bool:
        return self.line is not None and self.line.in_at is None


def lay(uow: UnitOfWork, *barcodes: str, lock: bool = True) -> InHand:
    """The volume of the first barcode that there is, locked; of two desks the second one waits. In three statements.

    Without the lock it might be sealed, taken up for correction or handled at another desk at this very moment. Raises
    NotFound where the actor may not see holdings, Forbidden where they may, and handle no loans.
    """
    found = uow.session.execute(_volume(barcodes, lock=lock), execution_options=TRUSTED).first()
    if found is None:
        raise NotFound
    node = found[1]
    uow.access.prepare([node])
    if not uow.can(P.HOLDING_VIEW, node):
        raise NotFound
    uow.require(P.REQUEST_HANDLE, node)
    return _held(uow, found)


def passed(uow: UnitOfWork, barcode: str, node: int) -> InHand:
    """Part of an act between borrowers, each of whom has come by the request for this record: its volume of that barcode, locked.
    Raises NotFound.
    """
    found = uow.session.execute(_volume([barcode], lock=True), execution_options=TRUSTED).first()
    if found is None or found[1].id != node:
        raise NotFound
    return _held(uow, found)


def _held(uow: UnitOfWork, found: Any) -> InHand:
    holding, node, place, container = found
    last = uow.session.execute(_last_loan(holding), execution_options=TRUSTED).one()
    return InHand(holding, node, place, container, last.RequestLine, last.Request, last.name or "", last.staff_no or "",
                  last.collector, last.others or 0, last.batch, last.seal is not None)  # fmt: skip


def _volume(barcodes: Sequence[str], *, lock: bool) -> Select[Any]:
    """Both rows are locked by the statement that finds them, and so read as whoever held them has left them."""
    codes = [barcode.strip().upper() for barcode in barcodes]
    found: Any = (
        select(Holding, Node, Location.code, Container.barcode)
        .join(Node, Node.id == Holding.node_id)
        .outerjoin(Location, Location.id == Holding.location_id)
        .outerjoin(Container, Container.id == Holding.container_id)
        .where(Holding.barcode.in_(codes))
        .order_by(Holding.barcode != codes[0])
        .limit(1)
    )
    locked: Select[Any] = (
        found.with_for_update(of=[Node, Holding], **BESIDE).execution_options(populate_existing=True)
        if lock
        else found
    )
    return locked


def _last_loan(holding: Holding) -> Select[Any]:
    """A statement of its own: what is read beside a lock is what was there before it."""
    other, collector = aliased(RequestLine), aliased(Principal)
    others = select(func.count(other.id)).where(
        other.request_id == Request.id, other.in_at.is_(None), other.holding_id != holding.id
    )
    newest = select(func.max(RequestLine.id)).where(RequestLine.holding_id == holding.id)
    found: Any = (
        select(RequestLine, Request, Principal.name.label("name"), User.staff_no.label("staff_no"),
               collector.name.label("collector"),
               others.scalar_subquery().label("others"),
               batches.checked_out_with(Holding.id).scalar_subquery().label("batch"),
               frozen.packages(Holding.id).limit(1).scalar_subquery().label("seal"))
        .select_from(Holding)
        .outerjoin(RequestLine, RequestLine.id == newest.scalar_subquery())
        .outerjoin(Request, Request.id == RequestLine.request_id)
        .outerjoin(collector, collector.id == RequestLine.collector_id)
        .outerjoin(Principal, Principal.id == Request.requester_id)
        .outerjoin(User, User.id == Principal.id)
        .where(Holding.id == holding.id)
        .execution_options(populate_existing=True)
    )  # fmt: skip
    statement: Select[Any] = found
    return statement
