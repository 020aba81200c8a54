"""页面整理: what lies on the page desk of a file, as far as the actor may both read and arrange it."""

from dataclasses import dataclass

from sqlalchemy import select

from archive.errors import NotFound
from archive.i18n import _, _l
from archive.models import TEXT_OF_PAGE, Blob, Node, Page, PageCheck, PageText, Representation
from archive.policy.permissions import P
from archive.services import page_checks, page_map, pages
from archive.sight import NodeView, views
from archive.uow import UnitOfWork

ACTS = {
    "rotated": _l("turning pages"), "set_aside": _l("taking pages out"), "restored": _l("putting pages back"),
    "moved": _l("moving pages"), "put_into": _l("putting pages into a component"),
    "part_begun": _l("beginning a component"), "superseded": _l("putting a re-scan in place"),
    "collated": _l("collating both sides"), "sheet_joined": _l("joining pictures of one sheet"),
    "sheet_parted": _l("parting pictures of one sheet"),
}  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """A page on the desk: `number` counts through the whole file, `ordinal` within what it stands in."""

    page: int
    node: NodeView
    number: int
    ordinal: int
    ticket: str
    rotation: int
    findings: list[str]
    marks: list[str]
    first: bool
    lifted: bool
    """One more picture of the sheet whose page stands before it."""


@dataclass(frozen=True)
class Aside:
    """A page that was taken out."""

    page: int
    node: NodeView
    ordinal: int
    rotation: int
    superseded_by: int | None


@dataclass(frozen=True)
class Desk:
    """The pages of a file in their order, those that were taken out, and where pages can be put."""

    version: int
    sheets: list[Sheet]
    aside: list[Aside]
    parts: list[NodeView]
    undoes: str | None
    """What the next undoing takes back, in a word."""

    def count(self, part: NodeView) -> int:
        """How many pages stand in a part."""
        return sum(sheet.node.id == part.id for sheet in self.sheets)


def of(uow: UnitOfWork, home: Node) -> Desk:
    """What lies on the desk. Needs content.read and scan.replace."""
    uow.require(P.READ, home)
    parts = views(uow, _nodes(uow, home))
    sheets = _sheets(uow, {view.id: view for view in parts})
    aside = _aside(uow, {view.id: view for view in parts}, {sheet.page: sheet.number for sheet in sheets})
    act = page_map.undoable(uow, home)
    return Desk(page_map.version(uow, home), sheets, aside, parts, str(ACTS.get(act, act)) if act else None)


def _nodes(uow: UnitOfWork, home: Node) -> list[Node]:
    """The file and its items, as far as the actor may read and arrange them."""
    branch = uow.nodes(P.READ).where(Node.path >= home.path, Node.path < home.path_end)
    found: list[Node] = uow.list(branch.order_by(Node.depth, Node.position, Node.id))
    return [node for node in found if uow.can(P.SCAN_REPLACE, node)]


def _sheets(uow: UnitOfWork, parts: dict[int, NodeView]) -> list[Sheet]:
    limits = page_checks.limits(uow)
    rows = uow.session.execute(
        uow.nodes(P.READ, Page, PageCheck, PageText.confidence, Node)
        .join(Page, Page.node_id == Node.id)
        .outerjoin(PageCheck, PageCheck.page_id == Page.id)
        .outerjoin(PageText, TEXT_OF_PAGE)
        .where(Node.id.in_(parts))
        .order_by(Node.depth, Node.position, Node.id, Page.ordinal)
    )
    tickets: dict[int, str] = {}
    sheets = []
    for number, (page, check, sure, node) in enumerate(rows, start=1):
        if node.id not in tickets:
            tickets[node.id] = pages.ticket(uow, node, 0)
        findings = list(page_checks.findings(page, check, sure, limits)) if check else []
        sheets.append(
            Sheet(
                page.id,
                parts[node.id],
                number,
                page.ordinal,
                tickets[node.id],
                page.rotation,
                findings,
                page_checks.marks(check, limits),
                page.ordinal == 1,
                page.lifted,
            )
        )
    return sheets


def _aside(uow: UnitOfWork, parts: dict[int, NodeView], numbers: dict[int, int]) -> list[Aside]:
    rows = uow.session.scalars(
        select(Page).where(Page.aside_of_id.in_(parts), Page.node_id.is_(None)).order_by(Page.id),
        execution_options={"scope": "page_desk"},
    )
    return [
        Aside(page.id, parts[page.aside_of_id], page.ordinal, page.rotation, numbers.get(page.superseded_by_id or 0))
        for page in rows if page.aside_of_id is not None
    ]  # fmt: skip


def picture(uow: UnitOfWork, node: Node, page: int, *, small: bool) -> bytes:
    """A page that was taken out of `node`. Needs content.read and scan.replace; raises NotFound."""
    uow.require(P.READ, node)
    uow.require(P.SCAN_REPLACE, node)
    found = uow.session.execute(
        select(Page, Blob)
        .join(Representation, Representation.id == Page.representation_id)
        .join(Blob, Blob.id == Representation.blob_id)
        .where(Page.id == page, Page.aside_of_id == node.id, Page.node_id.is_(None)),
        execution_options={"scope": "page_desk"},
    ).first()
    if found is None:
        raise NotFound
    row, blob = found
    return pages.marked(uow, node, pages.picture(uow.site, row, blob, row.thumbnail if small else row.image))


def beside(uow: UnitOfWork, home: Node, number: int) -> int:
    """The page with this number on the desk. Raises NotFound."""
    sheets = _sheets(uow, {view.id: view for view in views(uow, _nodes(uow, home))})
    if not 1 <= number <= len(sheets):
        raise NotFound(_("There is no page with this number."))
    return sheets[number - 1].page
