"""缺件: components without which a record is not archived, as far as what is there can tell (domain §5).

A component lacks where its record must have one by what is known of the stay and has no page of it, nor of what may stand for
it. That can be told only of a record whose pages lie in components, all of them. So one that is on paper alone lacks nothing:
nobody has told its parts apart, and a person has looked through it at the gates. Where there is paper and pages, what is on
the paper and not among the pages lacks, once the scan is whole: both carriers are archived as one record, and somebody scans
it or says why not. While a scan is under way nothing is said. Where there are pages alone, they are all there is.
"""

from typing import Any

from sqlalchemy import select

from archive.models import DualMismatch, Node
from archive.services import policies, tracks
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "lacking"}
KIND = "missing_component"
"""What a mismatch about a component is called."""


def components(uow: UnitOfWork, node: Node) -> list[str]:
    """The components that a record lacks, in the order of the hospital's list."""
    if node.type != "medical_record":
        return []
    (found,) = tracks.of(uow, [node])
    if not found.is_parted or (found.volumes and not found.scanned):
        return []
    return [part.code for part in tracks.wanted(uow, node, found.parts) if part.missing]


def blocking(uow: UnitOfWork, node: Node) -> list[str]:
    """Those of them without which it is not archived: that the policy names, that do not come late, and that nobody has
    explained. With an empty list in the policy nothing is looked for.
    """
    rule = policies.in_force(uow, "checklist").body.get("archive", {})
    blocks = set(rule.get("blocks", ())) - set(rule.get("late", ()))
    lack = [code for code in components(uow, node) if code in blocks] if blocks else []
    known = explained(uow, node) if lack else set()
    return [code for code in lack if code not in known]


def explained(uow: UnitOfWork, node: Node) -> set[str]:
    """Components that a person has accounted for: they have closed the mismatch, with a reason."""
    return {row.cause for row in _last(uow, node) if row.closed_at is not None and row.closed_by is not None}


def noted(uow: UnitOfWork, node: Node) -> set[str]:
    """Components that are accounted for, or whose mismatch is somebody's task already."""
    return explained(uow, node) | {row.cause for row in _last(uow, node) if row.closed_at is None}


def _last(uow: UnitOfWork, node: Node) -> list[Any]:
    """Of each component the last mismatch."""
    rows = select(DualMismatch.cause, DualMismatch.closed_at, DualMismatch.closed_by).where(
        DualMismatch.node_id == node.id, DualMismatch.kind == KIND
    )
    found: dict[str, Any] = {}
    for row in uow.session.execute(rows.order_by(DualMismatch.id), execution_options=TRUSTED):
        found[row.cause] = row
    return list(found.values())


def named(uow: UnitOfWork, codes: list[str]) -> list[str]:
    """Components in the words of the hospital."""
    words = policies.vocabulary(uow, "component")
    return [words.get(code, code) for code in codes]
