"""Many nodes at once, as `tree.plant` makes one: ids drawn together, a class worked out once for each context."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from archive import classes
from archive.models import Node, NodeVersion, SecurityEpoch, base32
from archive.schema import Type
from archive.services import records, tree
from archive.services.imports import bulk
from archive.services.imports.rows import Keep, Made
from archive.uow import UnitOfWork


@dataclass(frozen=True)
class Seed:
    """What becomes a node below `parent`; with `archival_no` it is archived at once and named after `slug`."""

    parent: Node
    kind: Type
    values: dict[str, Any]
    state: str
    retention: str | None = None
    archival_no: str | None = None
    slug: str | None = None
    year: int | None = None


def series(uow: UnitOfWork, category: Node, kind: Type, year: str, keep: Keep, *, row: int) -> Node:
    """The series of a year; one that had to be made is told to `keep`."""
    found = tree.series_for(uow, category, kind, {"date_from": f"{year}-01-01"})
    if found.created_at == uow.now:
        keep(Made(row, "node", found.id))
    return found


def plant(uow: UnitOfWork, seeds: Sequence[Seed]) -> list[Node]:
    """Writes the rows with their classes and first versions, in the order of `seeds`. The caller has checked them."""
    for parent in {seed.parent.id: seed.parent for seed in seeds}.values():
        classes.beside(uow.session, parent)
    numbers = classes.reserve_node_ids(uow.session, len(seeds)) if seeds else []
    nodes = [_node(uow, seed, number) for seed, number in zip(seeds, numbers, strict=True)]
    _classify(uow, seeds, nodes)
    uow.session.add_all(nodes)
    uow.session.flush()
    bulk.write(uow, NodeVersion, [_version(uow, node) for node in nodes])
    uow.enqueue("index", *nodes)
    return nodes


def _node(uow: UnitOfWork, seed: Seed, number: int) -> Node:
    by, kind = uow.actor.principal_id, seed.kind
    node = Node(
        id=number, parent_id=seed.parent.id, slug=seed.slug or base32(number).lstrip("0"), position=0,
        path=f"{seed.parent.path}{base32(number)}/", depth=seed.parent.depth + 1, type=kind.name,
        workflow=kind.workflow, state=seed.state, data={}, title="", archival_no=seed.archival_no,
        level_own=kind.level, retention_rule=seed.retention or kind.retention, overlay_own=0, inherits=True,
        shared=False, hold_count=0, page_count=0, created_at=uow.now, created_by=by, updated_at=uow.now,
        updated_by=by,
    )  # fmt: skip
    tree.write(uow, node, kind, seed.values)
    node.year = seed.year or node.year
    if (
        seed.archival_no and kind.name != "medical_record"
    ):  # a record's depends on the patient's last discharge
        node.retain_until = records.retain_until(uow, node)
    return node


def _classify(uow: UnitOfWork, seeds: Sequence[Seed], nodes: Sequence[Node]) -> None:
    first: dict[tuple[object, ...], Node] = {}
    for seed, node in zip(seeds, nodes, strict=True):
        context = (seed.parent.id, node.type, node.state, node.level_own, node.dept_id)
        like = first.setdefault(context, node)
        if like is node:
            classes.classify(uow.session, node, seed.parent)
            continue
        node.level, node.overlay, node.access_class = like.level, like.overlay, like.access_class
        node.policy_id, node.scope_id = like.policy_id, like.scope_id
    _announce(uow, nodes)


def _announce(uow: UnitOfWork, nodes: Iterable[Node]) -> None:
    """One line of the epoch a folder: drawn together, the new paths lie side by side."""
    folders: dict[int, list[Node]] = {}
    for node in nodes:
        folders.setdefault(node.parent_id, []).append(node)
    ranges = [
        {"path_from": min(node.path for node in within), "path_end": max(node.path_end for node in within)}
        for within in folders.values()
    ]
    bulk.write(uow, SecurityEpoch, ranges)


def _version(uow: UnitOfWork, node: Node) -> dict[str, Any]:
    return {
        "node_id": node.id, "version": node.version, "snapshot": tree.snapshot(node), "at": uow.now,
        "by_id": uow.actor.principal_id,
    }  # fmt: skip
