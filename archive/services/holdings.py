"""Paper: volumes with barcodes, where each lies, and its way through the house (示踪卡, domain §3.5)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from archive.errors import Conflict, Invalid
from archive.i18n import _, _l
from archive.models import (
    Container,
    Holding,
    HoldingAct,
    HoldingEvent,
    HoldingStatus,
    Location,
    Node,
    Principal,
)
from archive.policy.permissions import P
from archive.policy.types import INHERITING, TYPES
from archive.services import frozen, incident_ends, places, reconciliation, records, reindexing
from archive.uow import UnitOfWork, action
from archive.workflow import State

TRUSTED: Any = {"scope": "holdings"}

STATUSES = {
    status.name: status
    for status in (
        State(HoldingStatus.WARD, _l("On the ward")),
        State(HoldingStatus.PROCESSING, _l("Being processed"), "run"),
        State(HoldingStatus.SHELVED, _l("On the shelf"), "ok"),
        State(HoldingStatus.HELD, _l("Reserved"), "run"),
        State(HoldingStatus.LENT, _l("Lent"), "wait"),
        State(HoldingStatus.MISSING, _l("Whereabouts unknown"), "bad"),
    )
}
BARCODE = re.compile(r"[0-9A-Z][0-9A-Z./-]{2,31}")
"""What Code 39 and Code 128 both print, and a gun types without a shift key."""
LONGEST = 200
"""So many characters say what is wrong with a volume."""


class Numbered(Protocol):
    """A node, or a node as somebody sees it."""

    @property
    def id(self) -> int: ...


@dataclass(frozen=True)
class Volume:
    """纸质本 as a page shows it: where it is, or who has it."""

    barcode: str
    status: State
    place: str | None
    holder: str | None
    container: str | None
    sheets: int | None
    condition: str | None
    is_damaged: bool = False


@dataclass(frozen=True)
class Summary:
    """载体: the two tracks of one node side by side. `volumes` is empty for whoever may not see holdings."""

    carrier: str | None
    pages: int
    volumes: list[Volume]

    @property
    def sheets(self) -> int | None:
        """All volumes together; nothing while one of them has not been counted."""
        counted = [volume.sheets for volume in self.volumes if volume.sheets is not None]
        return sum(counted) if counted and len(counted) == len(self.volumes) else None

    @property
    def agrees(self) -> bool | None:
        """纸电一致: as many pages as sheets; nothing where there is only one of the two to count."""
        return self.sheets == self.pages if self.sheets is not None and self.pages else None


@action("holding.registered", needs=P.HOLDING_PLACE)
def register(uow: UnitOfWork, node: Node, *, barcode: str | None = None, sheets: int | None = None,
             condition: str | None = None, status: HoldingStatus = HoldingStatus.PROCESSING,
             location: str | None = None, container: str | None = None) -> Holding:  # fmt: skip
    """Takes up a paper volume of `node`; without a barcode it gets one. Its condition is unknown until it is said.

    Raises Conflict where volumes do not belong or for a barcode in use, Invalid for one that cannot be printed.
    """
    uow.lock(node)  # else it might be sealed at this very moment, and its list not know of the volume
    if not takes_volumes(node):
        raise Conflict(_("A paper volume is registered on the file that it holds, while that file is kept."))
    if status is HoldingStatus.LENT:
        raise Conflict(_("A volume is lent at the desk."))
    place = places.at(uow, location) if location else None
    box = places.container(uow, container) if container else None
    stands = place.id if place else box.location_id if box else None
    holding = Holding(
        node_id=node.id, barcode=checked(uow, barcode) if barcode else _next_barcode(uow, node), sheets=counted(sheets),
        condition=said(condition), status=HoldingStatus.SHELVED if stands else status, location_id=stands,
        container_id=box.id if box else None,
    )  # fmt: skip
    _insert(uow, holding)
    frozen.take_in(uow, node, holding)
    uow.note(barcode=holding.barcode, sheets=sheets)
    where = place.code if place else box.barcode if box else None
    trace(uow, node, holding, HoldingAct.REGISTERED, before=None, place=where)
    reconciliation.follow(uow, node)
    if _count(uow, node) == 1:  # now it is on paper, and its items with it
        reindexing.with_items(uow, node)
    return holding


def takes_volumes(node: Node) -> bool:
    """Whether paper is registered on it: on files and on items by themselves, while they are kept."""
    return TYPES[node.type].numbered and node.state != "destroyed"


def checked(uow: UnitOfWork, barcode: str) -> str:
    """A barcode that can be printed, and that nothing else has. Raises Invalid or Conflict."""
    text = barcode.strip().upper()
    if not BARCODE.fullmatch(text):
        raise Invalid(
            fields={"barcode": _("3 to 32 capital letters, digits, full stops, hyphens or slashes.")}
        )
    places.refuse_taken(uow, text)
    return text


def counted(sheets: int | None) -> int | None:
    """A number of sheets that can be. Raises Invalid."""
    if sheets is not None and not 0 <= sheets <= 100_000:
        raise Invalid(fields={"sheets": _("Write the number of sheets.")})
    return sheets


def said(words: str | None) -> str | None:
    """What somebody says of the condition. Raises Invalid for a novel."""
    text = (words or "").strip()
    if len(text) > LONGEST:
        raise Invalid(fields={"condition": _("Say it in at most %(most)d characters.", most=LONGEST)})
    return text or None


def _next_barcode(uow: UnitOfWork, node: Node) -> str:
    """B<病案号>-<次>, from the second volume on with its number; B and the node's own number where there is none."""
    data = node.data or {}
    first = f"B{data['mrn']}-{data['times']}" if data.get("mrn") else f"B{node.id:08d}"
    count = _count(uow, node)
    return f"{first}-V{count + 1}" if count else first


def _count(uow: UnitOfWork, node: Node) -> int:
    known = select(func.count(Holding.id)).where(Holding.node_id == node.id)
    return uow.session.scalar(known, execution_options=TRUSTED) or 0


def _insert(uow: UnitOfWork, holding: Holding) -> None:
    try:
        with uow.session.begin_nested():
            uow.session.add(holding)
    except IntegrityError as error:
        raise Conflict(_("The barcode %(barcode)s is another volume's.", barcode=holding.barcode)) from error


@action("holding.moved", needs=P.HOLDING_PLACE)
def move(uow: UnitOfWork, holding: Holding, *, to: HoldingStatus, location: str | None = None,
         because: str | None = None) -> None:  # fmt: skip
    """Notes that a volume is elsewhere now. Raises Conflict for a lent one, Invalid for a shelf that is not known."""
    was_missing = holding.status == HoldingStatus.MISSING and to is not HoldingStatus.MISSING
    shift(uow, holding, HoldingAct.FOUND if was_missing else HoldingAct.MOVED, to, location, because)


def back(uow: UnitOfWork, holding: Holding, *, because: str) -> None:
    """Part of an act: a volume that was taken out to be worked on stands where it stood, or lies on the table. One that was
    lost meanwhile stays so until somebody finds it.
    """
    if holding.status != HoldingStatus.PROCESSING:
        return
    to = HoldingStatus.SHELVED if holding.location_id else HoldingStatus.PROCESSING
    move(uow, holding, to=to, because=because)


def shift(uow: UnitOfWork, holding: Holding, act: HoldingAct, to: HoldingStatus, location: str | None,
          because: str | None) -> None:  # fmt: skip
    """Part of an act: the volume has another state, and stands where `location` says, or where it stood."""
    node = node_of(uow, holding, P.HOLDING_PLACE)
    if HoldingStatus.LENT in (holding.status, to):
        raise Conflict(_("A volume goes out and comes back at the desk only."))
    place = places.at(uow, location) if location else None
    if to is HoldingStatus.SHELVED and place is None and holding.location_id is None:
        raise Invalid(fields={"location": _("Say on which shelf it stands.")})
    before = holding.status
    holding.status = to
    if place is not None:
        holding.location_id, holding.container_id = place.id, None
    uow.note(barcode=holding.barcode, status=[before, to], place=location, because=because)
    trace(uow, node, holding, act, before=before, place=place.code if place else None, because=because)


@action("holding.packed", needs=P.HOLDING_PLACE)
def pack(uow: UnitOfWork, holding: Holding, *, container: str) -> None:
    """Puts a volume into a bag or box: from now on it is where that is.

    Raises Conflict for a lent one, Invalid for an unknown bag or box.
    """
    node = node_of(uow, holding, P.HOLDING_PLACE)
    if holding.status == HoldingStatus.LENT:
        raise Conflict(_("A volume goes out and comes back at the desk only."))
    found, before = places.container(uow, container), holding.status
    holding.container_id, holding.location_id = found.id, found.location_id
    if found.location_id is not None:
        holding.status = HoldingStatus.SHELVED
    elif before == HoldingStatus.MISSING:
        holding.status = HoldingStatus.PROCESSING
    uow.note(barcode=holding.barcode, container=found.barcode)
    act = HoldingAct.FOUND if before == HoldingStatus.MISSING else HoldingAct.PACKED
    trace(uow, node, holding, act, before=before, place=found.barcode)


def node_of(uow: UnitOfWork, holding: Holding, needs: P) -> Node:
    """What a volume carries; the act under way is about it. Raises NotFound or Forbidden without `needs`."""
    node = uow.session.get_one(Node, holding.node_id, execution_options=TRUSTED)
    uow.require(needs, node)
    uow.about(node)
    return node


def hand_over(uow: UnitOfWork, node: Node, holding: Holding, *, to: int, because: str) -> None:
    """Part of a loan: the volume leaves its place, which is kept for it. One that was missing has been found by that."""
    if holding.status == HoldingStatus.MISSING:
        holding.status = HoldingStatus.PROCESSING
        trace(uow, node, holding, HoldingAct.FOUND, before=HoldingStatus.MISSING, because=because)
    before, holding.status, holding.holder_id = holding.status, HoldingStatus.LENT, to
    trace(uow, node, holding, HoldingAct.ISSUED, before=before, to=to, because=because)


def take_in(uow: UnitOfWork, node: Node, holding: Holding, *, because: str,
            status: HoldingStatus | None = None) -> None:  # fmt: skip
    """Part of a loan: the volume is back, at the place that was kept for it, or on the table when it has none.

    With `status` it has not been out at all, and is again what it was.
    """
    before, holding.holder_id = holding.status, None
    holding.status = status or (HoldingStatus.SHELVED if holding.location_id else HoldingStatus.PROCESSING)
    trace(uow, node, holding, HoldingAct.RETURNED, before=before, because=because)


def trace(uow: UnitOfWork, node: Node, holding: Holding, act: HoldingAct, *, before: str | None,
          place: str | None = None, to: int | None = None, because: str | None = None) -> None:  # fmt: skip
    """Part of an act: the line on the tracer card, and the milestones that follow from it."""
    uow.session.add(
        HoldingEvent(holding_id=holding.id, kind=act, from_status=before, to_status=holding.status, place=place,
                     to_id=to, by_id=uow.actor.principal_id, because=because, at=uow.now)
    )  # fmt: skip
    uow.session.flush()
    incident_ends.follow(uow, holding, act, because)
    if node.type == "medical_record":
        _milestone(uow, node, before, holding.status)


def _milestone(uow: UnitOfWork, node: Node, before: str | None, after: str) -> None:
    if before == HoldingStatus.WARD and after != HoldingStatus.WARD:
        records.reach(uow, node, "paper", "collected")
    if (
        after == HoldingStatus.SHELVED and before != HoldingStatus.LENT
    ):  # back where it had been shelved before
        records.reach(uow, node, "paper", "shelved")


def carriers_of(uow: UnitOfWork, nodes: Iterable[Numbered]) -> dict[int, str]:
    """Node id → "paper", "electronic" or "dual", in one statement; a node without either is left out.

    The paper of a component is its file's: volumes are bound by the file.
    """
    rows = uow.session.execute(_CARRIERS, {"ids": [node.id for node in nodes]}, execution_options=TRUSTED)
    return {
        number: CARRIERS[on_paper, on_screen] for number, on_paper, on_screen in rows if on_paper or on_screen
    }


def carried(top: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Of a row of nodes whether it has paper, and whether it or anything below it has pages."""
    below = aliased(Node)
    file_of = and_(top.type.in_(INHERITING), Holding.node_id == top.parent_id)
    paper = exists().where(or_(Holding.node_id == top.id, file_of))
    subtree = and_(
        below.path >= top.path, below.path < func.substr(top.path, 1, func.length(top.path) - 1) + "0"
    )
    return paper, exists().where(subtree, below.page_count > 0)


def _carriers() -> Select[int, bool, bool]:
    top = aliased(Node)
    return select(top.id, *carried(top)).where(top.id.in_(bindparam("ids", expanding=True)))


_CARRIERS = _carriers()
CARRIERS = {(True, False): "paper", (False, True): "electronic", (True, True): "dual"}
"""载体: by whether there is paper, and whether there are pages."""


def carrier_of(uow: UnitOfWork, node: Numbered) -> str | None:
    """The carrier of one node."""
    return carriers_of(uow, [node]).get(node.id)


def summary(uow: UnitOfWork, node: Node) -> Summary:
    """What the page of a node says of its carriers."""
    counting = uow.nodes(P.DISCOVER, func.sum(Node.page_count))
    pages = uow.session.scalar(counting.where(Node.path >= node.path, Node.path < node.path_end)) or 0
    return Summary(carrier_of(uow, node), pages, volumes(uow, node) if uow.can(P.HOLDING_VIEW, node) else [])


def volumes(uow: UnitOfWork, node: Node) -> list[Volume]:
    """The paper volumes of a node. Needs holding.view."""
    uow.require(P.HOLDING_VIEW, node)
    carried_by = node.parent_id if node.type in INHERITING else node.id
    rows = uow.session.execute(
        select(Holding, Location.code, Container.barcode, Principal.name)
        .outerjoin(Location, Location.id == Holding.location_id)
        .outerjoin(Container, Container.id == Holding.container_id)
        .outerjoin(Principal, Principal.id == Holding.holder_id)
        .where(Holding.node_id == carried_by)
        .order_by(Holding.id),
        execution_options=TRUSTED,
    )
    return [
        Volume(held.barcode, STATUSES[held.status], place, holder, container, held.sheets, held.condition,
               held.damaged_at is not None)
        for held, place, container, holder in rows
    ]  # fmt: skip
