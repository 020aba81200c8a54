"""封存清单: what a record holds at the moment of sealing, page by page, with a digest that both sides sign."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import select

from archive.models import Blob, Hold, Holding, Node, Page, Representation
from archive.policy.rights import Overlay
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "manifests"}


@dataclass(frozen=True)
class Span:
    """Pages that follow one another and come from one file: from which to which, and the file's SHA-256."""

    first: int
    last: int
    sha256: str


@dataclass(frozen=True)
class Line:
    """One paper of the package as it was called on that day; no title: the record itself, not yet split."""

    title: str | None
    date: str | None
    spans: list[Span]


def drawn(uow: UnitOfWork, node: Node, former: Iterable[Hold] = ()) -> dict[str, Any]:
    """The list of a record whose right has been checked: its papers by their titles, pages by id and the hash of the
    file they come from, volumes by barcode and sheets. What lies in the `former` packages is left out: a supplement
    seals what is new.
    """
    sealed = [hold.manifest for hold in former]
    known = {(page["page"], page["sha256"]) for before in sealed for page in before["pages"]}
    papers = {one["item"] for before in sealed for one in before["items"]}
    carried = {(one["barcode"], one["sheets"]) for before in sealed for one in before["volumes"]}
    pages = [page for page in _pages(uow, node) if (page["page"], page["sha256"]) not in known]
    with_pages = {page["item"] for page in pages}
    items = [
        one for one in _items(uow, node) if one["item"] in with_pages or _is_new_paper(one, node, papers)
    ]
    volumes = [one for one in _volumes(uow, node) if (one["barcode"], one["sheets"]) not in carried]
    return {"items": items, "pages": pages, "volumes": volumes}


def _is_new_paper(one: dict[str, Any], node: Node, known: set[int]) -> bool:
    return one["item"] != node.id and one["item"] not in known


def _items(uow: UnitOfWork, node: Node) -> list[dict[str, Any]]:
    """The record itself without a title, then its papers in their order."""
    rows = uow.session.execute(
        select(Node.id, Node.title, Node.date_from)
        .where(Node.path >= node.path, Node.path < node.path_end, Node.overlay < int(Overlay.TRASHED))
        .order_by(Node.depth, Node.position, Node.id),
        execution_options=TRUSTED,
    )
    return [
        {"item": number, "title": None, "date": None}
        if number == node.id
        else {"item": number, "title": title, "date": str(day) if day else None}
        for number, title, day in rows
    ]


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
    return not any(manifest.values())


def digest(manifest: dict[str, Any]) -> str:
    """SHA-256 of the list in its one canonical form: the same list always gives the same digest."""
    canonical = json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def lines(manifest: dict[str, Any]) -> list[Line]:
    """The papers of a list, each with its pages."""
    pages: dict[int, list[dict[str, Any]]] = {}
    for page in manifest["pages"]:
        pages.setdefault(page["item"], []).append(page)
    return [Line(one["title"], one["date"], _spans(pages.get(one["item"], []))) for one in manifest["items"]]


def _spans(pages: list[dict[str, Any]]) -> list[Span]:
    found = []
    for sha256, run in groupby(pages, key=lambda page: page["sha256"]):
        numbers = [page["ordinal"] for page in run]
        found.append(Span(numbers[0], numbers[-1], str(sha256)))
    return found
