"""门类: the fonds and categories that may be searched by themselves, and how much of them one can find."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from archive.models import Node
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.services import by_register
from archive.services.entries import texts_of
from archive.services.findings import Count, Filters
from archive.sight import ids_of, views
from archive.uow import UnitOfWork
from index import Damaged, Everything, TooSlow

CLASSES = ("fonds", "category")
FOLDER = "folder"
"""The field by which the index counts: the container in which a file lies, of its items too."""

Counted = Iterable[tuple[str | int, int]]


@dataclass(frozen=True)
class Class:
    """门类: a fonds or category that may be searched by itself, and how many results there are in it, if that is known."""

    uuid: str
    label: str
    depth: int
    count: int | None


def classes(uow: UnitOfWork) -> list[Class]:
    """The fonds and categories that the actor may know of, each behind what it lies in."""
    nodes, totals = _known(uow), _totals(uow)
    return [
        Class(view.uuid, view.label, node.depth - 1, None if totals is None else totals[node.id])
        for node, view in zip(nodes, views(uow, nodes), strict=True)
    ]


def among_hits(uow: UnitOfWork, counted: Counted, filters: Filters) -> list[Count]:
    """The categories in which hits lie, each hit counted in the nearest that the actor may know of; the most hits first."""
    nodes = {node.id: node for node in _known(uow)}
    held = Counter[int]()
    for path, count in _placed(uow, counted):
        if nearest := next((number for number in reversed(ids_of(path)) if number in nodes), None):
            held[nearest] += count
    hit = [nodes[number] for number, _count in held.most_common()]
    return [
        Count(str(node.uuid), _title(uow, node), held[node.id], str(node.uuid) == filters.under)
        for node in hit
    ]


def _title(uow: UnitOfWork, node: Node) -> str:
    """What a category is called, for whoever may know that. It is about nobody: no event has to say that it was shown."""
    return node.title if uow.can(P.IDENTIFY, node) else str(TYPES[node.type].label)


def _known(uow: UnitOfWork) -> list[Node]:
    return uow.list(uow.nodes(P.DISCOVER).where(Node.type.in_(CLASSES)).order_by(Node.path))


def _totals(uow: UnitOfWork) -> Counter[int] | None:
    """How many files and items the actor may know of below each container, counted at once; nothing without an index."""
    allowed, look = uow.site.access_map.allowed(uow), texts_of(uow)
    try:
        counted = uow.site.index.facets(Everything(), allowed, [FOLDER], texts_of=look).counts[FOLDER]
    except (Damaged, TooSlow):
        return None
    totals = Counter[int]()
    for path, count in _placed(uow, counted):
        totals.update(dict.fromkeys(ids_of(path), count))
    return totals


def _placed(uow: UnitOfWork, counted: Counted) -> list[tuple[str, int]]:
    paths = by_register.paths_of_folders(uow)
    return [(paths[int(folder)], count) for folder, count in counted if int(folder) in paths]
