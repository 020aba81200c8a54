"""封存清单: what a record holds at the moment of sealing, page by page, with a digest that both sides sign."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import select

from archive.models import Blob, Hold, Holding, Node, Page, Representation
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.sight import NodeView, views
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "manifests"}


@dataclass(frozen=True)
class Span:
    """Pages of one item that come from one file: how many, and the file's SHA-256."""

    item: NodeView | None
    first: int
    last: int
    sha256: str


def drawn(uow: UnitOfWork, node: Node, former: Iterable[Hold] = ()) -> dict[str, Any]:
    """The list of a record whose right has been checked: pages by id and the hash of the file they come from, volumes by
    barcode and sheets. What lies in the `former` packages is left out: a supplement seals what is new.
    """
    sealed = [hold.manifest for hold in former]
    known = {(page["page"], page["sha256"]) for before in sealed for page in before["pages"]}
    carried = {(one["barcode"], one["sheets"]) for before in sealed for one in before["volumes"]}
    return {
        "pages": [page for page in _pages(uow, node) if (page["page"], page["sha256"]) not in known],
        "volumes": [one for one in _volumes(uow, node) if (one["barcode"], one["sheets"]) not in carried],
    }


def _pages(uow: UnitOfWork, node: Node) -> list[dict[str, Any]]:
    rows = uow.session.execute(
        select(Page.id, Page.node_id, Page.ordinal, Page.source_page, Blob.sha256)
        .join(Node, Node.id == Page.node_id)
        .join(Representation, Representation.id == Page.representation_id)
        .join(Blob, Blob.id == Representation.blob_id)
        .where(Node.path >= node.path, Node.path < node.path_end, Node.overlay < int(Overlay.TRASHED))
        .order_by(Node.depth, Node.position, Node.id, Page.ordinal),
        execution_options=TRUSTED,
    )
    names = ("page", "item", "ordinal", "source_page", "sha256")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _volumes(uow: UnitOfWork, node: Node) -> list[dict[str, Any]]:
    rows = uow.session.execute(
        select(Holding.barcode, Holding.sheets).where(Holding.node_id == node.id).order_by(Holding.barcode),
        execution_options=TRUSTED,
    )
    return [{"barcode": barcode, "sheets": sheets} for barcode, sheets in rows]


def is_empty(manifest: dict[str, Any]) -> bool:
    return not manifest["pages"] and not manifest["volumes"]


def digest(manifest: dict[str, Any]) -> str:
    """SHA-256 of the list in its one canonical form: the same list always gives the same digest."""
    canonical = json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def spans(uow: UnitOfWork, manifest: dict[str, Any]) -> list[Span]:
    """The pages of a list, those together that follow one another in one item and come from one file."""
    pages = manifest["pages"]
    items = uow.list(uow.nodes(P.DISCOVER).where(Node.id.in_({page["item"] for page in pages})))
    seen = {view.id: view for view in views(uow, items)}
    found = []
    for (item, sha256), run in groupby(pages, key=lambda page: (page["item"], page["sha256"])):
        numbers = [page["ordinal"] for page in run]
        found.append(Span(seen.get(item), numbers[0], numbers[-1], sha256))
    return found
