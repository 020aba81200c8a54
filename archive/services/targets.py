"""收件去向: what uploads in pieces can be for. A line of TARGETS makes the drop zone work for another kind of place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from archive.errors import NotFound
from archive.given import uuid as is_uuid
from archive.models import Job, Node, ScanBatch
from archive.policy.permissions import P
from archive.services import intake
from archive.services.scanning import batches, files
from archive.sight import NodeView
from archive.uow import UnitOfWork
from storage import Staged


@dataclass(frozen=True)
class Target:
    """How a kind of place takes files. Each function decides by the actor's rights; none may trust the one before."""

    find: Callable[[UnitOfWork, str], Any]
    """The place that an id names, for whoever may put files there. Raises NotFound, Forbidden, Conflict."""
    has: Callable[[UnitOfWork, Any, str], bool]
    """Whether this very file, by its SHA-256, is there already."""
    take: Callable[[UnitOfWork, Any, Staged, str], Job | None]
    """Takes the whole file in, as an act; gives the job that works on it. Raises AlreadyHere, Conflict, Full."""
    shown: Callable[[UnitOfWork, Any], tuple[str, str]]
    """What the place is called without anybody's name, and where its drop zone is."""


def _record(uow: UnitOfWork, target: str) -> Node:
    if (given := is_uuid(target)) is None:
        raise NotFound
    node = uow.node(UUID(given), P.SCAN_UPLOAD)
    intake.check_place(node)
    return node


def _take(uow: UnitOfWork, node: Node, staged: Staged, filename: str) -> Job:
    return intake.upload(uow, node, staged, filename=filename)[1]


def _shown(uow: UnitOfWork, node: Node) -> tuple[str, str]:
    seen = NodeView(uow, node)
    return seen.code, f"{seen.href}/@@upload"


def _batch(uow: UnitOfWork, target: str) -> ScanBatch:
    if (given := is_uuid(target)) is None:
        raise NotFound
    batch = batches.by_uuid(uow, UUID(given))
    batches.require(uow, batch, P.SCAN_UPLOAD)
    batches.require_state(batch, "scanning")
    return batch


def _take_pile(uow: UnitOfWork, batch: ScanBatch, staged: Staged, filename: str) -> Job:
    return files.take(uow, batch, staged, filename=filename)[1]


def _batch_shown(_uow: UnitOfWork, batch: ScanBatch) -> tuple[str, str]:
    return batch.number, f"/batches/{batch.number}"


TARGETS: Mapping[str, Target] = {
    "record": Target(_record, intake.is_here, _take, _shown),
    "batch": Target(_batch, files.is_here, _take_pile, _batch_shown),
}
