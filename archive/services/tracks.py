"""两轨计数: what was counted of the paper of a file, and what is there of its pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from archive import checklist
from archive.models import BatchVolume, Blob, Holding, Milestone, Node, Page, Representation, ScanBatch
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.policy.types import INHERITING
from archive.services import policies
from archive.services.scanning import batches
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "tracks"}


@dataclass
class Tracks:
    """两轨计数 of one file: what was counted of its paper, and what is there of its pages."""

    node: Node
    volumes: int = 0
    counted: int | None = 0
    """Sides as they were counted before scanning, else sheets; nothing while one volume has neither."""
    most: int | None = 0
    """So many pages those can be: a sheet whose sides nobody has counted may bear two."""
    sheets: int | None = 0
    sides: int | None = 0
    pages: int = 0
    """A sheet that was scanned several times, its slips lifted, is one."""
    lifted: int = 0
    """So many further pictures there are of such sheets."""
    scanned: bool = False
    """Nothing is under way any more."""
    damaged: bool = False
    parts: set[str] = field(default_factory=set)
    """The components that have pages."""
    unparted: int = 0
    """Pages that are in no component yet."""

    @property
    def is_parted(self) -> bool:
        """Whether it can be told which components are there: each page lies in one."""
        return bool(self.parts) and not self.unparted

    @property
    def outcome(self) -> str | None:
        """What the two tracks come to, as `Node.dual` keeps it."""
        if not self.volumes:
            return "electronic" if self.pages else None
        if not self.pages:
            return "paper"
        if self.damaged:
            return "damaged"
        if self.counted is None or self.most is None or self.counted < self.pages <= self.most:
            return "uncounted"
        return "matched" if self.counted == self.pages else "differs"


def of(uow: UnitOfWork, nodes: Sequence[Node]) -> list[Tracks]:
    """The counts of some files, in a fixed number of statements."""
    found = {node.id: Tracks(node) for node in nodes}
    _count_paper(uow, found)
    _count_pages(uow, found)
    _look_at_files(uow, found)
    return list(found.values())


def pages_known(uow: UnitOfWork, nodes: Sequence[Node]) -> dict[int, int]:
    """By the id of a file how many pages it has: its own, and those of its items that the actor may know of."""
    inside = uow.nodes(P.DISCOVER, Node.parent_id, func.sum(Node.page_count)).where(
        Node.parent_id.in_([node.id for node in nodes]),
        Node.type.in_(INHERITING),
        Node.overlay != int(Overlay.TRASHED),
    )
    found = {home: int(many) for home, many in uow.session.execute(inside.group_by(Node.parent_id))}
    return {node.id: node.page_count + found.get(node.id, 0) for node in nodes}


def _count_paper(uow: UnitOfWork, found: dict[int, Tracks]) -> None:
    ids = list(found)
    batches = (
        select(BatchVolume.holding_id, BatchVolume.sides)
        .where(BatchVolume.node_id.in_(ids), BatchVolume.sides.is_not(None))
        .order_by(BatchVolume.id)
    )
    # The last count of a volume is the one that holds.
    sides = {row.holding_id: row.sides for row in uow.session.execute(batches, execution_options=TRUSTED)}
    volumes = select(Holding.id, Holding.node_id, Holding.sheets).where(Holding.node_id.in_(ids))
    for number, node, sheets in uow.session.execute(volumes, execution_options=TRUSTED):
        one, seen = found[node], sides.get(number)
        one.volumes += 1
        one.counted = _sum(one.counted, sheets if seen is None else seen)
        one.most = _sum(one.most, seen if seen is not None else sheets and 2 * sheets)
        one.sheets, one.sides = _sum(one.sheets, sheets), _sum(one.sides, seen)


def _sum(before: int | None, more: int | None) -> int | None:
    return None if before is None or more is None else before + more


def _count_pages(uow: UnitOfWork, found: dict[int, Tracks]) -> None:
    rows = select(*_FILE_OF, Node.type, Node.page_count, Node.data["component"].as_string()).where(
        within(list(found))
    )
    for home, kind, pages, code in uow.session.execute(rows, execution_options=TRUSTED):
        one = found[home]
        one.pages += pages
        if kind not in INHERITING:
            one.unparted = pages
        elif pages and code:
            one.parts.add(code)
    _leave_out_lifted(uow, found)


def _leave_out_lifted(uow: UnitOfWork, found: dict[int, Tracks]) -> None:
    """The first page of anything has none before it of whose sheet it could be."""
    more = select(*_FILE_OF).join(Page, Page.node_id == Node.id)
    rows = more.where(within(list(found)), Page.lifted.is_(True), Page.ordinal > 1)
    for home in uow.session.scalars(rows, execution_options=TRUSTED):
        found[home].lifted += 1
        found[home].pages -= 1


_FILE_OF = (case((Node.type.in_(INHERITING), Node.parent_id), else_=Node.id),)


def within(ids: list[int]) -> Any:
    """The files themselves, and their items that are not in the trash."""
    items = and_(Node.parent_id.in_(ids), Node.type.in_(INHERITING), Node.overlay != int(Overlay.TRASHED))
    return or_(Node.id.in_(ids), items)


def _look_at_files(uow: UnitOfWork, found: dict[int, Tracks]) -> None:
    ids = list(found)
    wrong = or_(Representation.state.in_(("pending", "failed")), Blob.ok.is_(False))
    rows = (
        select(*_FILE_OF, Representation.state)
        .join(Representation, Representation.node_id == Node.id)
        .join(Blob, Blob.id == Representation.blob_id)
        .where(within(ids), Representation.state != "withdrawn", wrong)
    )
    linked = select(Milestone.node_id).where(
        Milestone.node_id.in_(ids), Milestone.track == "scan", Milestone.step == "linked"
    )
    in_batch = (
        select(BatchVolume.node_id)
        .join(ScanBatch, ScanBatch.id == BatchVolume.batch_id)
        .where(BatchVolume.node_id.in_(ids), ScanBatch.state.not_in(batches.SETTLED))
    )
    done = set(uow.session.scalars(linked, execution_options=TRUSTED))
    busy = set(uow.session.scalars(in_batch, execution_options=TRUSTED))
    for one in found.values():
        linked_all = one.node.type != "medical_record" or one.node.id in done
        one.scanned = one.pages > 0 and linked_all and one.node.id not in busy
    for home, state in uow.session.execute(rows, execution_options=TRUSTED):
        if state == "ready":
            found[home].damaged = True
        else:
            found[home].scanned = False


def wanted(uow: UnitOfWork, node: Node, present: Iterable[str]) -> list[checklist.Expected]:
    """Of each component of the hospital's list whether the record must have it, and has it."""
    body = policies.in_force(uow, "checklist").body
    return checklist.expected(body, checklist.Stay.of(node.data), set(present))
