"""页图: where the pages of a file stand, version by version. Masters stay as they are; only what is shown where changes."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select, update

from archive.errors import Conflict, Stale
from archive.i18n import _
from archive.models import Node, Page, PageMap, Representation
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.services import frozen, pages, reconciliation, records
from archive.services.page_layout import Entry, Layout
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "page_map", "synchronize_session": False}
MADE = "made"
"""The pages as they came: nobody's act, and so nothing to undo."""
GIVEN = "given_away"
"""Pages went to another record, whose they are now: taken back here, they would be in both."""
UNDONE = "undone"


class Moved(Stale):
    """Somebody else has changed the order meanwhile."""

    def sentence(self) -> str:
        return _("Somebody else changed these pages meanwhile. Look at them again; nothing was lost.")


def version(uow: UnitOfWork, home: Node) -> int:
    """How often the pages of a file have been changed: what a form carries, so that nobody works on an old order."""
    newest = select(func.max(PageMap.version)).where(PageMap.node_id == home.id)
    return uow.session.scalar(newest, execution_options=TRUSTED) or 0


def entries(uow: UnitOfWork, home: Node) -> list[Entry]:
    """Where each page of the file and its items stands, or of which of them it was taken out."""
    mine = select(Node.id).where(Node.path >= home.path, Node.path < home.path_end)
    rows = uow.session.execute(
        select(
            Page.id,
            Page.node_id,
            Page.ordinal,
            Page.rotation,
            Page.aside_of_id,
            Page.superseded_by_id,
            Page.lifted,
        )
        .where(or_(Page.node_id.in_(mine), Page.aside_of_id.in_(mine)))
        .order_by(Page.id),
        execution_options=TRUSTED,
    )
    return [list(row) for row in rows]


@contextmanager
def changing(uow: UnitOfWork, home: Node, *, version: int | None, act: str) -> Iterator[Layout]:
    """Gives the order of pages to be changed, and keeps what it has become as the next version.

    Needs scan.replace on every node that loses, gains or shows a page otherwise; the program itself
    needs nothing. Raises Moved if `version` is not the newest (none: whatever it is), Conflict while pages are being made.
    """
    uow.lock(home)
    newest = _newest(uow, home)
    if version is not None and version != (newest.version if newest else 0):
        raise Moved
    if version is not None:
        _require_all_made(uow, home)
    now = entries(uow, home)
    if newest is None or newest.entries != now:
        newest = _keep(uow, home, newest, now, MADE)
    layout = Layout.of(now)
    yield layout
    if layout.entries() != now:
        _write(uow, home, now, layout.entries())
        kept = _keep(uow, home, newest, layout.entries(), act)
        uow.note(version=kept.version)


def turn_upright(uow: UnitOfWork, home: Node, page: int, degrees: int) -> None:
    """Turns a page that nobody has turned. No version of the map: nobody's order grows old by it, and it is nobody's act
    to undo; a thousand pages of one file may need it.
    """
    uow.lock(home)
    as_it_came = update(Page).where(Page.id == page, Page.rotation == 0).values(rotation=degrees)
    uow.session.execute(as_it_came, execution_options=TRUSTED)


def _keep(uow: UnitOfWork, home: Node, before: PageMap | None, now: list[Entry], act: str) -> PageMap:
    number = before.version + 1 if before else 1
    made = PageMap(
        node_id=home.id, version=number, before=before.version if before else 0, shows=number, entries=now, act=act,
        at=uow.now, by_id=None if act == MADE else uow.actor.principal_id,
    )  # fmt: skip
    uow.session.add(made)
    uow.session.flush()
    return made


def _require_all_made(uow: UnitOfWork, home: Node) -> None:
    pending = (
        select(Representation.id)
        .join(Node, Node.id == Representation.node_id)
        .where(Node.path >= home.path, Node.path < home.path_end, Representation.state == "pending")
    )
    if uow.session.scalar(pending.limit(1), execution_options=TRUSTED) is not None:
        raise Conflict(_("Wait until all pages have been made; the job shows how far it is."))


def _newest(uow: UnitOfWork, home: Node) -> PageMap | None:
    mine = select(PageMap).where(PageMap.node_id == home.id).order_by(PageMap.version.desc()).limit(1)
    return uow.session.scalar(mine, execution_options=TRUSTED)


def _write(uow: UnitOfWork, home: Node, before: list[Entry], after: list[Entry]) -> None:
    """Brings the rows of the pages to what the map says, and has followed whatever shows them."""
    changes = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    frozen.keep(uow, [old[0] for old, new in changes if old[1] is not None and new[1] is None])
    touched = {
        node for both in changes for entry in both for node in (entry[1], entry[4]) if node is not None
    }
    changed = [new for _old, new in changes]
    nodes = _live(uow, home, touched)
    for node in nodes:
        if not uow.actor.is_system:
            uow.require(P.SCAN_REPLACE, node)
    # Only one page may have a place, at every moment: whatever changes leaves its place first.
    uow.session.execute(
        update(Page), [{"id": entry[0], "ordinal": -entry[0]} for entry in changed], execution_options=TRUSTED
    )
    names = ("id", "node_id", "ordinal", "rotation", "aside_of_id", "superseded_by_id", "lifted")
    rows = [dict(zip(names, entry, strict=True)) for entry in changed]
    uow.session.execute(update(Page), rows, execution_options=TRUSTED)
    for node in nodes:
        pages.recount(uow, node)
        uow.enqueue("index", node)
    records.link(uow, home)
    reconciliation.follow(uow, home)
    uow.enqueue("sidecar", home)


def _live(uow: UnitOfWork, home: Node, touched: Iterable[int]) -> list[Node]:
    """The nodes of these ids. Raises Conflict if one of them is in the trash or no longer of this file."""
    wanted = set(touched)
    found = uow.list(
        select(Node)
        .where(Node.id.in_(wanted), Node.path >= home.path, Node.path < home.path_end)
        .where(Node.overlay != int(Overlay.TRASHED))
        .execution_options(scope="page_map")
    )
    if {node.id for node in found} != wanted:
        raise Conflict(_("These pages stood in something that is no longer here."))
    return found


def were_given(uow: UnitOfWork, home: Node, pages: Iterable[int]) -> bool:
    """Whether one of these pages, which stand nowhere, went to another record: by what act it stood no more."""
    mine = select(PageMap.act, PageMap.entries).where(PageMap.node_id == home.id)
    given = mine.where(PageMap.act == GIVEN).with_only_columns(PageMap.id).limit(1)
    if uow.session.scalar(given, execution_options=TRUSTED) is None:
        return False
    sought, next_act = set(pages), ""
    versions = mine.order_by(PageMap.version.desc()).execution_options(yield_per=1, **TRUSTED)
    for act, kept in uow.session.execute(versions):
        stood = sought & {entry[0] for entry in kept if entry[1] is not None}
        if stood and next_act == GIVEN:
            return True
        sought -= stood
        if not sought:
            return False
        next_act = act
    return False


# Undoing


def undoable(uow: UnitOfWork, home: Node) -> str | None:
    """What the next undoing would take back: the name of the act, or nothing."""
    found = _taken_back(_history(uow, home))
    return found[0].act if found else None


@dataclass(frozen=True)
class _Version:
    """A version without its entries: a large record has many of both."""

    version: int
    before: int
    shows: int
    act: str


def _history(uow: UnitOfWork, home: Node) -> dict[int, _Version]:
    rows = select(PageMap.version, PageMap.before, PageMap.shows, PageMap.act)
    mine = rows.where(PageMap.node_id == home.id).order_by(PageMap.version)
    return {row.version: _Version(*row) for row in uow.session.execute(mine, execution_options=TRUSTED)}


def _kept_in(uow: UnitOfWork, home: Node, version: int) -> list[Entry]:
    one = select(PageMap.entries).where(PageMap.node_id == home.id, PageMap.version == version)
    kept: list[Entry] = uow.session.scalars(one, execution_options=TRUSTED).one()
    return kept


def _taken_back(history: dict[int, _Version]) -> tuple[_Version, _Version] | None:
    """The act that is undone next, and the version whose order comes back."""
    if not history:
        return None
    act = history[history[max(history)].shows]
    while act.act == MADE and act.before:
        act = history[history[act.before].shows]
    return None if act.act in {MADE, GIVEN} else (act, history[history[act.before].shows])


def undo(uow: UnitOfWork, home: Node, *, version: int) -> str:
    """Brings the order back that was there before the last act that is not undone yet; gives the name of that act.

    Pages that came since then stay where they are, behind the others. Raises Conflict where there is nothing to undo,
    or a page or its place is gone.
    """
    with changing(uow, home, version=version, act=UNDONE) as layout:
        found = _taken_back(_history(uow, home))
        if found is None:
            raise Conflict(_("There is nothing to undo."))
        act, target = found
        _bring_back(layout, _kept_in(uow, home, act.version), _kept_in(uow, home, target.version))
    kept = _newest(uow, home)
    if kept is not None and kept.act == UNDONE and kept.shows == kept.version:
        kept.shows = target.version
    return act.act


def _bring_back(layout: Layout, done: list[Entry], wanted: list[Entry]) -> None:
    """Gives the order of `wanted` back to what an act has `done`. Turned back is only what the act has turned."""
    known = {entry[0] for entry in wanted}
    if not known <= set(layout.rotation):
        raise Conflict(_("Some of these pages are no longer in this record. It cannot be undone."))
    later = [entry for entry in layout.entries() if entry[0] not in known]
    before, after = Layout.of(wanted), Layout.of(done)
    layout.standing, layout.aside, layout.superseded = before.standing, before.aside, before.superseded
    layout.lifted = before.lifted | {entry[0] for entry in later if entry[6]}
    for page, rotation in before.rotation.items():
        layout.turn([page], rotation - after.rotation.get(page, rotation))
    for page, node, place, _rotation, aside_of, by, _lifted in sorted(later, key=lambda entry: int(entry[2])):
        if node is None:
            layout.aside[page] = (aside_of, place)
        else:
            layout.standing.setdefault(node, []).append(page)
        if by is not None:
            layout.superseded[page] = by
