"""双面归并: a pile that a one-sided scanner read twice, fronts first, becomes pages in their order."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import select

from archive.errors import Conflict
from archive.i18n import _
from archive.models import Blob, Node, Page, Representation
from archive.policy.permissions import P
from archive.services import page_map
from archive.services.intake import file_of
from archive.services.page_layout import Layout
from archive.uow import UnitOfWork, action

T = TypeVar("T")


def interleaved(fronts: Sequence[T], backs: Sequence[T], *, backwards: bool) -> list[T]:
    """1, 3, 5 and 6, 4, 2, as a pile that was turned over as a whole comes out, or 2, 4, 6: gives 1 to 6.

    The last sheet may have no back. Raises Conflict where the numbers do not fit.
    """
    if len(fronts) - len(backs) not in {0, 1} or not backs:
        raise Conflict(
            _("There are %(fronts)s fronts and %(backs)s backs: they do not belong together. Scan what is missing, or take "
              "pages out first.", fronts=len(fronts), backs=len(backs))
        )  # fmt: skip
    ordered = list(reversed(backs)) if backwards else list(backs)
    both = [side for pair in zip(fronts, ordered, strict=False) for side in pair]
    return both + list(fronts[len(ordered) :])


def choices(uow: UnitOfWork, node: Node) -> list[tuple[int, str]]:
    """The files of a node that have pages, as one chooses among them."""
    rows = uow.session.execute(
        uow.of(Representation, node, P.SCAN_REPLACE)
        .with_only_columns(Representation.id, Blob.filename)
        .join(Blob, Blob.id == Representation.blob_id)
        .where(Representation.state == "ready")
        .order_by(Representation.seq)
    )
    return [(number, f"{place}. {name}") for place, (number, name) in enumerate(rows, start=1)]


@action("page.collated", needs=P.SCAN_REPLACE)
def collate(
    uow: UnitOfWork, node: Node, *, fronts: int, backs: int, last: int, backwards: bool, version: int
) -> int:
    """Orders the pages of the files from `fronts` on, and of those from `backs` to `last`, as sheets with two sides.

    Gives how many. Raises Conflict where they do not fit, Moved where somebody else has changed the order meanwhile.
    """
    files = [number for number, _name in choices(uow, node)]
    if not (fronts in files and backs in files and last in files):
        raise page_map.Moved
    first, middle, end = files.index(fronts), files.index(backs), files.index(last) + 1
    if not first < middle < end:
        raise Conflict(_("The fronts come first, then the backs: choose the files in this order."))
    home = file_of(uow, node)
    with page_map.changing(uow, home, version=version, act="collated") as layout:
        standing = _standing(uow, layout, node, files[first:end])
        halves = [
            [page for page, file in standing if file in part]
            for part in (files[first:middle], files[middle:end])
        ]
        ordered = interleaved(halves[0], halves[1], backwards=backwards)
        first_page, _file = standing[0]
        layout.move(ordered, node.id, layout.standing[node.id].index(first_page) + 1)
    uow.note(pages=ordered, backwards=backwards)
    return len(ordered)


def _standing(uow: UnitOfWork, layout: Layout, node: Node, files: Sequence[int]) -> list[tuple[int, int]]:
    """The pages of some files as they stand in the node, each with its file. Raises Conflict where some were put elsewhere."""
    wanted = select(Page.id, Page.representation_id).where(Page.representation_id.in_(files))
    file_of_page = {
        row.id: row.representation_id
        for row in uow.session.execute(wanted, execution_options={"scope": "collation"})
    }
    elsewhere = set(file_of_page) - set(layout.standing.get(node.id, ())) - set(layout.aside)
    if elsewhere:
        raise Conflict(
            _("Some of these pages have been put elsewhere. Put them back first, on the page desk.")
        )
    return [(page, file_of_page[page]) for page in layout.standing.get(node.id, ()) if page in file_of_page]
