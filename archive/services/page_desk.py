"""页面整理: what is done to the pages of a file on the page desk. Nothing is lost: each act is a new version of its map."""

from collections.abc import Container, Sequence

from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import Node
from archive.policy.permissions import P
from archive.services import page_map, tree
from archive.services.page_layout import Layout
from archive.uow import PROGRAM, UnitOfWork, action

QUARTERS = (90, 180, 270)


@action("page.rotated", needs=P.SCAN_REPLACE)
def rotate(uow: UnitOfWork, home: Node, *, pages: Sequence[int], degrees: int, version: int) -> None:
    """Turns pages clockwise as they are shown; their masters stay as they are."""
    if degrees not in QUARTERS:
        raise Invalid(_("Pages are turned by a quarter or by half."))
    with page_map.changing(uow, home, version=version, act="rotated") as layout:
        layout.turn(_chosen(pages, layout.rotation), degrees)
    uow.note(pages=list(pages), degrees=degrees)


@action("page.set_upright", needs=PROGRAM)
def set_upright(uow: UnitOfWork, home: Node, *, page: int, degrees: int) -> None:
    """Turns a page of which recognition found that it lies on its side or head, unless somebody has turned it already."""
    page_map.turn_upright(uow, home, page, degrees)
    uow.note(pages=[page], degrees=degrees)


@action("page.set_aside", needs=P.SCAN_REPLACE)
def set_aside(uow: UnitOfWork, home: Node, *, pages: Sequence[int], version: int) -> None:
    """Takes pages out of the record: they are shown no more, are kept, and can be put back."""
    with page_map.changing(uow, home, version=version, act="set_aside") as layout:
        layout.set_aside(_standing(layout, pages))
    uow.note(pages=list(pages))


@action("page.restored", needs=P.SCAN_REPLACE)
def restore(uow: UnitOfWork, home: Node, *, pages: Sequence[int], version: int) -> None:
    """Puts pages that were taken out back where they stood. Raises Conflict for those that went to another record."""
    with page_map.changing(uow, home, version=version, act="restored") as layout:
        chosen = _chosen(pages, layout.aside)
        if page_map.were_given(uow, home, chosen):
            raise Conflict(_("These pages were given to another record. Have them given back from there."))
        layout.restore(chosen)
    uow.note(pages=list(pages))


@action("page.moved", needs=P.SCAN_REPLACE)
def move(
    uow: UnitOfWork, home: Node, *, pages: Sequence[int], beside: int, behind: bool = False, version: int
) -> None:
    """Puts pages, in the order in which they are given, before the page `beside`, or behind it."""
    with page_map.changing(uow, home, version=version, act="moved") as layout:
        there = layout.place_of(beside)
        if there is None:
            raise page_map.Moved
        node, place = there
        layout.move(_standing(layout, pages), node, place + behind)
    uow.note(pages=list(pages), beside=beside)


@action("page.put_into", needs=P.SCAN_REPLACE)
def put_into(uow: UnitOfWork, home: Node, *, pages: Sequence[int], part: Node, version: int) -> None:
    """Puts pages behind those of an item of the file, or of the file itself."""
    _require_part(home, part)
    with page_map.changing(uow, home, version=version, act="put_into") as layout:
        layout.move(_standing(layout, pages), part.id, len(layout.standing.get(part.id, [])) + 1)
    uow.note(pages=list(pages), part=part.id)


@action("page.part_begun", needs=P.SCAN_REPLACE)
def begin_part(uow: UnitOfWork, home: Node, *, pages: Sequence[int], part: Node, version: int) -> None:
    """The one page is the first of an item: it and what follows it in what it stands in goes into `part`, behind what is
    there already. So one marks from the front to the back, and what was marked too far goes into the next."""
    _require_part(home, part)
    if len(pages) > 1:
        raise Invalid(_("Choose the one page with which the component begins."))
    with page_map.changing(uow, home, version=version, act="part_begun") as layout:
        (first,) = _standing(layout, pages)
        node, place = layout.place_of(first) or (home.id, 1)
        if node == part.id:
            raise Conflict(_("This page stands in that component already."))
        layout.move(layout.standing[node][place - 1 :], part.id, len(layout.standing.get(part.id, [])) + 1)
    uow.note(pages=[first], part=part.id)


@action("page.sheet_joined", needs=P.SCAN_REPLACE)
def join_sheet(uow: UnitOfWork, home: Node, *, pages: Sequence[int], version: int) -> None:
    """粘贴单: pages are further pictures, with slips lifted, of the sheet whose page stands before them; all count as one.

    Raises Conflict for the first page of anything.
    """
    with page_map.changing(uow, home, version=version, act="sheet_joined") as layout:
        chosen = _standing(layout, pages)
        if any(standing[0] in chosen for standing in layout.standing.values() if standing):
            raise Conflict(
                _("No page stands before the first one. Put them behind the page of their sheet first.")
            )
        layout.lifted |= set(chosen)
    uow.note(pages=list(pages))


@action("page.sheet_parted", needs=P.SCAN_REPLACE)
def part_sheet(uow: UnitOfWork, home: Node, *, pages: Sequence[int], version: int) -> None:
    """Pages are sheets of their own, and no further pictures of the one before them."""
    with page_map.changing(uow, home, version=version, act="sheet_parted") as layout:
        layout.lifted -= set(_standing(layout, pages))
    uow.note(pages=list(pages))


@action("page.change_undone", needs=P.SCAN_REPLACE)
def undo(uow: UnitOfWork, home: Node, *, version: int) -> None:
    """Takes the last act back that has not been taken back yet."""
    uow.note(act=page_map.undo(uow, home, version=version))


def new_part(uow: UnitOfWork, home: Node, kind: str, title: str) -> Node:
    """Adds a component of this kind to the file. Needs content.add on it."""
    return tree.add(uow, home, kind="component", fields={"component": kind, "title": title})


def _require_part(home: Node, part: Node) -> None:
    if home.id not in (part.id, part.parent_id):
        raise Conflict(_("This component belongs to another record."))


def _chosen(pages: Sequence[int], known: Container[int]) -> list[int]:
    """The pages, each once, in the order in which they were given. Raises Invalid, Moved if one is not among `known`."""
    if not pages:
        raise Invalid(_("Choose pages first."))
    if not all(page in known for page in pages):
        raise page_map.Moved
    return list(dict.fromkeys(pages))


def _standing(layout: Layout, pages: Sequence[int]) -> list[int]:
    return _chosen(pages, layout.shown())
