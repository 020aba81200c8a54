"""重扫: a page is scanned again. The new one stands in its place, the old one is kept among the pages taken out."""

from typing import Any

from sqlalchemy import select

from archive.models import Job, Node, Page, Representation
from archive.policy.permissions import P
from archive.services import detail, frozen, intake, page_map, pages
from archive.services.page_layout import Layout
from archive.uow import PROGRAM, UnitOfWork, action
from storage import Staged

TRUSTED: Any = {"scope": "rescans"}


@action("page.rescanned", needs=P.SCAN_REPLACE)
def replace(uow: UnitOfWork, home: Node, staged: Staged, *, filename: str, page: int, version: int) -> Job:
    """Takes a file in whose pages will stand where `page` stands, once they have been made; until then nothing changes.

    Needs scan.upload too. Raises Moved if the order is another by now, and what `intake.upload` raises.
    """
    there = Layout.of(page_map.entries(uow, home)).place_of(page)
    if there is None or version != page_map.version(uow, home):
        raise page_map.Moved
    frozen.keep(uow, [page])
    node = uow.node(there[0], P.SCAN_REPLACE)
    _made, job = intake.upload(uow, node, staged, filename=filename)
    job.args = job.args | {"instead_of": page}
    uow.note(page=page)
    return job


@action("page.superseded", needs=PROGRAM)
def put_in_place(uow: UnitOfWork, representation: Representation, page: int) -> None:
    """Puts the pages of a re-scan where the page stands that they were scanned for.

    Where that has been taken out or sealed meanwhile, they stay behind the others. In a scan batch the first of them is
    judged in its stead.
    """
    home = intake.file_of(uow, uow.session.get_one(Node, representation.node_id, execution_options=TRUSTED))
    mine = select(Page.id).where(Page.representation_id == representation.id).order_by(Page.source_page)
    new = list(uow.session.scalars(mine, execution_options=TRUSTED))
    with page_map.changing(uow, home, version=None, act="superseded") as layout:
        is_sealed = bool(frozen.pages(uow, [page]))
        if not is_sealed:
            layout.supersede(page, new)
    uow.note(page=page, pages=new)
    if not is_sealed:
        pages.follow_in_batches(uow, {page: new[0]})
        detail.forget(uow, page)
