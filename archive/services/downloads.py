"""下载: a record or one of its items as a searchable PDF, made when it is asked for and sent page by page.

Whoever reads by a grant reads pages that bear their name, and gets no file: what leaves the viewer is not marked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from archive.errors import Forbidden, NotFound
from archive.i18n import _
from archive.journal import Event
from archive.models import TEXT_OF_PAGE, Blob, Node, Page, PageText, Representation
from archive.policy.permissions import P
from archive.services import pages
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
    total = sum(part.page_count for _view, part in parts)
    uow.read(uow.event_about(node, Event("record.downloaded", words={"pages": total})))
    name = node.archival_no or str(node.uuid)
    headed = [(part.id, view.label if part.id != node.id else "") for view, part in parts]
    subject = _("The text is a finding aid; the image counts.")
    return Download(f"{name}.pdf", searchable_pdf(_sheets(uow.site, headed), title=name, subject=subject))


def _sheets(site: Site, headed: list[tuple[int, str]]) -> Iterator[Sheet]:
    """Page by page, each read when its turn comes: the unit of work that checked has ended by then."""
    for node, heading in headed:
        ordinal = 0
        while found := _page(site, node, ordinal):
            page, blob, lines = found
            jpeg = pages.drawn(site, page, blob, page.image)
            yield Sheet(jpeg, page.dpi, lines, page.rotation, heading if not ordinal else "")
            ordinal = page.ordinal


def _page(site: Site, node: int, after: int) -> tuple[Page, Blob, list[list[Any]]] | None:
    following = (
        select(Page, Blob, PageText.boxes)
        .join(Representation, Representation.id == Page.representation_id)
        .join(Blob, Blob.id == Representation.blob_id)
        .outerjoin(PageText, TEXT_OF_PAGE)
        .where(Page.node_id == node, Page.ordinal > after)
        .order_by(Page.ordinal)
        .limit(1)
    )
    with site.session(readonly=True) as session:
        row = session.execute(following, execution_options=TRUSTED).first()
    return (row[0], row[1], row[2] or []) if row else None
