"""不得销毁: why something may not leave, reason by reason, whether by the trash or by disposal (domain §8, §22.3)."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from archive.i18n import _
from archive.models import (
    CopyItem,
    DisputeRecord,
    Hold,
    Holding,
    HoldingStatus,
    HoldNode,
    InspectionFinding,
    Job,
    Node,
    Request,
    RequestPart,
    SealedObject,
)
from archive.policy.types import INHERITING
from archive.services import frozen, holds
from archive.services.handlers import LIVE
from archive.sight import ids_of
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "staying"}
OVER = ("archived", "destroyed")
"""States of a dispute file in which its case is over."""


def held(uow: UnitOfWork, node: Node) -> str | None:
    """That something in a branch, or the record that it is a part of, is sealed or under a legal hold, or nothing.

    A part that was added after the record was sealed is on no list, and by no seal kept from going (domain §22.10).
    """
    laid = (
        select(Hold)
        .join(HoldNode, HoldNode.hold_id == Hold.id)
        .join(Node, Node.id == HoldNode.node_id)
        .where(
            or_(and_(Node.path >= node.path, Node.path < node.path_end), Node.id.in_(ids_of(node.path))),
            Hold.released_at.is_(None),
        )
    )
    found = uow.session.scalars(laid.order_by(Hold.id), execution_options=TRUSTED).all()
    if any(one.kind in holds.SEALS and _keeps(uow, one, node) for one in found):
        return _("Something in it is sealed. It stays until the seal is taken off.")
    if any(one.kind == holds.LEGAL for one in found):
        return _("Something in it is under a legal hold. It stays until that is lifted.")
    return None


def _keeps(uow: UnitOfWork, hold: Hold, node: Node) -> bool:
    """Whether a seal that lies over a record keeps this, which is the record itself, above it, or a part of it."""
    if node.type not in INHERITING:
        return True
    listed = {one["item"] for one in hold.manifest["items"]}
    unlisted = hold.night and node.created_at <= hold.sealed_at  # the list of the night names no part
    return unlisted or node.id in listed or frozen.below(uow, node)


def bound(uow: UnitOfWork, node: Node) -> str | None:
    """What of a branch is in somebody's hands or in a case, so that it must not go out of sight either; or nothing."""
    here = (Node.path >= node.path, Node.path < node.path_end)
    case = aliased(Node)
    for why, asked in (
        (_("A volume of it is lent."),
         select(Holding.id).join(Node, Node.id == Holding.node_id).where(Holding.status == HoldingStatus.LENT)),
        (_("A thing is sealed with it."),
         select(SealedObject.id).join(Node, Node.id == SealedObject.node_id).where(SealedObject.released_at.is_(None))),
        # Not what: whoever trashes need not know of the case.
        (_("Something that hangs on it is not over yet. Ask a senior archivist."),
         select(DisputeRecord.record_id).join(Node, Node.id == DisputeRecord.record_id)
         .join(case, case.id == DisputeRecord.dispute_id).where(case.state.not_in(OVER))),
    ):  # fmt: skip
        if uow.session.scalar(asked.where(*here).limit(1), execution_options=TRUSTED) is not None:
            return why
    return None


def _is_in(node: Any, top: Any) -> ColumnElement[bool]:
    return and_(node.path >= top.path, node.path < func.substr(top.path, 1, func.length(top.path) - 1) + "0")


def reasons(uow: UnitOfWork, nodes: Sequence[Node]) -> dict[int, list[str]]:
    """Node id → why it stays, of those that have to: people have to settle this first. One statement a reason."""
    top, below = aliased(Node), aliased(Node)
    mine = top.id.in_([node.id for node in nodes])
    of_branch = select(top.id).join(below, _is_in(below, top)).where(mine).distinct()
    paper = of_branch.join(Holding, Holding.node_id == below.id)
    laid = (  # on something in it, or on the record that it is a part of
        select(top.id)
        .join(below, or_(_is_in(below, top), _is_in(top, below)))
        .join(HoldNode, HoldNode.node_id == below.id)
        .join(Hold, Hold.id == HoldNode.hold_id)
        .where(mine, Hold.released_at.is_(None))
        .distinct()
    )
    asked = (
        (_("A paper volume is registered; nothing is deleted while there is paper."), paper),
        (_("A volume of it is lent."), paper.where(Holding.status == HoldingStatus.LENT)),
        (_("Somebody has asked for it."), of_branch.join(Request, Request.node_id == below.id)),
        (_("Somebody has asked for it."), of_branch.join(RequestPart, RequestPart.node_id == below.id)),
        (_("It is sealed."), laid.where(Hold.kind.in_(holds.SEALS))),
        (_("It is under a legal hold."), laid.where(Hold.kind == holds.LEGAL)),
        (_("Take the records off the case first."), of_branch.join(DisputeRecord, DisputeRecord.dispute_id == below.id)),
        (_("A job still works on it."), of_branch.join(Job, Job.node_id == below.id).where(Job.state.in_(LIVE))),
        *_of_cases(of_branch, below),
        *_written(of_branch, below),
    )  # fmt: skip
    found: dict[int, list[str]] = {}
    for why, statement in asked:
        for number in uow.session.scalars(statement, execution_options=TRUSTED):
            found.setdefault(number, []).append(why)
    return found


def _of_cases(of_branch: Select[Any], below: Any) -> Iterator[tuple[str, Select[Any]]]:
    """The cases and sealed things of a branch. Of a case not what: whoever empties a trash need not know of it."""
    case = aliased(Node)
    of = of_branch.join(DisputeRecord, DisputeRecord.record_id == below.id).join(
        case, case.id == DisputeRecord.dispute_id
    )
    is_over = _("Something that hung on it is over; what is written of that is kept.")
    yield (
        _("Something that hangs on it is not over yet. Ask a senior archivist."),
        of.where(case.state.not_in(OVER)),
    )
    yield is_over, of.where(case.state.in_(OVER))
    thing = of_branch.join(SealedObject, SealedObject.node_id == below.id)
    opened = _("A thing that was sealed with it has been opened; what is written of that is kept.")
    yield _("A thing is sealed with it."), thing.where(SealedObject.released_at.is_(None))
    yield opened, thing.where(SealedObject.released_at.is_not(None))


def _written(of_branch: Select[Any], below: Any) -> Iterator[tuple[str, Select[Any]]]:
    """What is over, and is kept for what is written of it."""
    held = of_branch.join(HoldNode, HoldNode.node_id == below.id).join(Hold, Hold.id == HoldNode.hold_id)
    copied = or_(CopyItem.node_id == below.id, CopyItem.record_id == below.id)
    yield (
        _("It was sealed or under a legal hold; what is written of that is kept."),
        held.where(Hold.released_at.is_not(None)),
    )
    yield (
        _("What an inspection has found in it is kept."),
        of_branch.join(
            InspectionFinding,
            or_(InspectionFinding.node_id == below.id, InspectionFinding.part_id == below.id),
        ),
    )
    yield _("A copy of it was asked for; what is written of that is kept."), of_branch.join(CopyItem, copied)
