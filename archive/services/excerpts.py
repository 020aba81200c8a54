"""From hits to what is shown: grouped by file, with the passage in which the words stand, if it may be read."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import select

from archive import envelope
from archive.at_once import read_at_once
from archive.i18n import _
from archive.models import TEXT_OF_PAGE, Node, Page, PageText
from archive.policy.permissions import P
from archive.policy.types import INHERITING
from archive.services import facets
from archive.services.findings import Group, Place
from archive.sight import NodeView, views
from archive.uow import UnitOfWork
from index import Hit, Query, snippet

TRUSTED: Any = {"scope": "excerpts"}
WIDTH = 90
"""Characters of a passage."""
PLACES = 3
"""So many places are shown of a file."""
IN_THE_HEAD = frozenset({"title", "patient_name", "person", "numbers", "mrn", "times", "pinyin"})
"""Fields that stand in the head of a hit anyway."""
NARROWING = frozenset(facets.NAMES)
"""Fields by which hits were narrowed: no place where words stand."""


def groups(uow: UnitOfWork, hits: Sequence[Hit], query: Query, text: str) -> list[Group]:
    """The files of these hits, in their order. Each node is asked for again: the index may be a moment behind."""
    nodes = _discovered(uow, [hit.number for hit in hits])
    files = _discovered(uow, [node.parent_id for node in nodes.values() if node.type in INHERITING])
    seen = {view.id: view for view in views(uow, {**files, **nodes}.values())}
    pages = _pages(uow, [hit.number for hit in hits if "text" in hit.fields and hit.number in nodes], seen)
    found: dict[int, list[Place]] = {}
    found_by = f"?{envelope.PARAMETER}={envelope.seal(uow, {'q': text})}"
    for hit in hits:
        if node := nodes.get(hit.number):
            home = node.parent_id if node.type in INHERITING and node.parent_id in files else node.id
            places = _places(
                seen[node.id], hit, query, pages.get(node.id, ()), found_by, is_item=home != node.id
            )
            found.setdefault(home, []).extend(places)
    return [
        Group(seen[home], places[:PLACES], max(0, len(places) - PLACES)) for home, places in found.items()
    ]


def _discovered(uow: UnitOfWork, ids: Iterable[int]) -> dict[int, Node]:
    wanted = list(ids)
    found = uow.list(uow.nodes(P.DISCOVER).where(Node.id.in_(wanted))) if wanted else []
    return {node.id: node for node in found}


def _pages(uow: UnitOfWork, ids: list[int], seen: dict[int, NodeView]) -> dict[int, list[tuple[int, str]]]:
    """The pages of those nodes that may be read, with their text."""
    readable = [number for number in ids if seen[number].can(P.READ)]
    if not readable:
        return {}
    rows = (
        select(Page.node_id, Page.ordinal, PageText.text)
        .join(PageText, TEXT_OF_PAGE)
        .where(Page.node_id.in_(readable))
    )
    found: dict[int, list[tuple[int, str]]] = {}
    for number, ordinal, text in sorted(read_at_once(uow.session, rows, **TRUSTED)):
        found.setdefault(number, []).append((ordinal, text))
    return found


def _places(
    view: NodeView, hit: Hit, query: Query, pages: Sequence[tuple[int, str]], found_by: str, *, is_item: bool
) -> list[Place]:  # fmt: skip
    places = list(_on_pages(view, query, pages, found_by, is_item=is_item))
    said = hit.fields - IN_THE_HEAD - NARROWING
    for shown in view.some(said) if said else ():
        pieces = snippet(shown.text, query, WIDTH, field=shown.field.name)
        places.append(Place(str(shown.field.label), view.href, view.uuid, pieces))
    if not places and is_item:
        places.append(Place(view.label, view.href, view.uuid))
    return places


def _on_pages(
    view: NodeView, query: Query, pages: Sequence[tuple[int, str]], found_by: str, *, is_item: bool
) -> Iterator[Place]:  # fmt: skip
    for ordinal, said in pages:
        pieces = snippet(said, query, WIDTH, field="text")
        if any(marked for _piece, marked in pieces):
            name = _("Page %(number)s", number=ordinal)
            label = f"{view.label} {name}" if is_item else name
            page = f"{view.href}/++page++{ordinal}"
            yield Place(label, f"{page}{found_by}", view.uuid, pieces, f"{page}/thumb")
