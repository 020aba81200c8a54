"""下载: a record or one of its items as a searchable PDF, made when it is asked for and sent page by page.

Whoever reads by a grant reads pages that bear their name, and gets no file: what leaves the viewer is not marked.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from archive.actor import Actor
from archive.errors import Forbidden, NotFound
from archive.i18n import _
from archive.journal import Event
from archive.models import TEXT_OF_PAGE, Blob, Node, Page, PageText, Representation
from archive.policy.permissions import P
from archive.services import actors, pages
from archive.sight import views
from archive.site import Site
from archive.uow import UnitOfWork
from storage.searchable import Sheet, searchable_pdf

TRUSTED: Any = {"scope": "downloads"}


@dataclass(frozen=True)
class Download:
    """A file that is on its way: what it is called, and its bytes as they are made."""

    filename: str
    pieces: Iterator[bytes]


def may(uow: UnitOfWork, node: Node) -> bool:
    """Whether the actor may take the pages of a node away."""
    return uow.can(P.DOWNLOAD, node) and uow.can(P.READ, node) and not pages.is_marked(uow, node)


def searchable(uow: UnitOfWork, node: Node) -> Download:
    """All pages of a file, or of an item, that the actor may take away; leaves one event, of the node.

    Needs content.download and content.read. Raises Forbidden where reading is marked, NotFound without pages.
    """
    if not may(uow, node):
        raise Forbidden
    branch = uow.nodes(P.DOWNLOAD).where(
        Node.path >= node.path, Node.path < node.path_end, Node.page_count > 0
    )
    found = uow.list(branch.order_by(Node.depth, Node.position, Node.id))
    parts = [(view, part) for view, part in zip(views(uow, found), found, strict=True) if may(uow, part)]
    if not parts:
        raise NotFound
    uow.saw(node)
    chosen = _chosen(uow, [(part.id, view.label if part.id != node.id else "") for view, part in parts])
    uow.read(uow.event_about(node, Event("record.downloaded", words={"pages": len(chosen)})))
    name = node.archival_no or str(node.uuid)
    subject = _("The text is a finding aid; the image counts.")
    return Download(
        f"{name}.pdf", searchable_pdf(_sheets(uow.site, uow.actor, chosen), title=name, subject=subject)
    )


@dataclass(frozen=True)
class _Chosen:
    page: int
    node: int
    heading: str


def _chosen(uow: UnitOfWork, parts: list[tuple[int, str]]) -> list[_Chosen]:
    """The pages that the journal tells of, in their order: what is put into the node later does not come along."""
    ids = select(Page.id, Page.node_id).where(Page.node_id.in_([node for node, _heading in parts]))
    of: defaultdict[int | None, list[int]] = defaultdict(list)
    for page, node in uow.session.execute(ids.order_by(Page.ordinal), execution_options=TRUSTED):
        of[node].append(page)
    return [
        _Chosen(page, node, heading if page == of[node][0] else "")
        for node, heading in parts for page in of[node]
    ]  # fmt: skip


def _sheets(site: Site, actor: Actor, chosen: list[_Chosen]) -> Iterator[Sheet]:
    """Page by page, each when its turn comes, with the rights of that moment. Raises Forbidden where they have ended: the file
    is then cut off.
    """
    for one in chosen:
        with site.session(readonly=True) as session:
            now = actors.renewed(session, actor, site.clock())
            found = _page(site.work(session, now), one)
        if found is not None:
            page, blob, lines = found
            jpeg = pages.drawn(site, page, blob, page.image)
            yield Sheet(jpeg, page.dpi, lines, page.rotation, one.heading)


def _page(uow: UnitOfWork, one: _Chosen) -> tuple[Page, Blob, list[list[Any]]] | None:
    """The page, unless it was taken out or moved meanwhile."""
    if not may(uow, uow.node(one.node)):
        raise Forbidden
    statement = (
        select(Page, Blob, PageText.boxes)
        .join(Representation, Representation.id == Page.representation_id)
        .join(Blob, Blob.id == Representation.blob_id)
        .outerjoin(PageText, TEXT_OF_PAGE)
        .where(Page.id == one.page, Page.node_id == one.node)
    )
    row = uow.session.execute(statement, execution_options=TRUSTED).first()
    return (row[0], row[1], row[2] or []) if row else None
