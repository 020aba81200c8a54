"""移动: where something may go, what that would mean, and moving several things, each on its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, false, func, or_, select

from archive import cursor
from archive.errors import ArchiveError, Conflict
from archive.i18n import _
from archive.models import LocalRole, Node, Principal
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.policy.roles import ROLES
from archive.policy.types import INHERITING, TYPES
from archive.policy.workflows import WORKFLOWS
from archive.services import (
    actors,
    branches,
    explain,
    pinpoint,
    policies,
    relocation,
    roster,
    sidecars,
    tree,
    typed,
)
from archive.services.attempts import attempt
from archive.services.intake import file_of
from archive.sight import NodeView, ids_of, views
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "moves"}
PAGE = 50
MOST = 200
"""So many things are moved at a time: their names stand in the address."""


def chosen(uow: UnitOfWork, folder: Node, slugs: Sequence[str]) -> list[Node]:
    """The things of a folder that were chosen, as far as the actor knows of them. Raises Conflict for none or too many."""
    if len(slugs) > MOST:
        raise Conflict(_("Choose at most %(most)d at a time.", most=MOST))
    wanted = uow.nodes(P.DISCOVER).where(Node.parent_id == folder.id, Node.slug.in_(slugs))
    found = uow.list(wanted.order_by(Node.position, Node.id)) if slugs else []
    if not found:
        raise Conflict(_("Nothing is chosen, or it lies elsewhere now. Choose again in the list."))
    return found


def slugs(uow: UnitOfWork, folder: Node, uuids: list[str]) -> list[str]:
    """What was chosen in a folder's list, by the short names that stand in an address."""
    wanted = uow.nodes(P.DISCOVER, Node.slug).where(typed.chosen(folder, uuids))
    return list(uow.session.scalars(wanted.order_by(Node.position, Node.id).limit(MOST + 1)))


@dataclass(frozen=True)
class Place:
    """A place that everything chosen may be moved to (`fits`), one on the way (`leads`), or where it lies now."""

    view: NodeView
    fits: bool
    leads: bool = False
    is_home: bool = False


@dataclass(frozen=True)
class Places:
    """What lies in a place and leads to one that takes what was chosen. `above`: the way down to it."""

    here: NodeView | None
    above: list[NodeView]
    rows: list[Place]
    next: str | None


def start(uow: UnitOfWork, nodes: Sequence[Node]) -> Node:
    """Where to begin to look: above the place where the things lie, so that its neighbours are seen at once."""
    along = ids_of(nodes[0].path)
    number = along[-3] if len(along) > 2 else along[0]
    above = uow.list(uow.nodes(P.DISCOVER).where(Node.id == number))
    return above[0] if above else tree.root(uow)


def places(uow: UnitOfWork, nodes: Sequence[Node], at: Node, after: str | None = None) -> Places:
    """The places in `at` that take what was chosen and may be moved, or lead to one that does.

    Raises Conflict where nothing of it may be moved.
    """
    nodes = [node for node in nodes if uow.can(P.MOVE, node)]
    if not nodes:
        raise Conflict(_("None of this may be moved by you in its present state."))
    takers = set[str].intersection(*(set(TYPES[node.type].parents) for node in nodes))
    within = uow.nodes(P.DISCOVER).where(
        Node.parent_id == at.id, Node.id != at.id, Node.type.in_(_ways(nodes)), Node.overlay < int(Overlay.TRASHED),
        or_(Node.type.not_in(takers), uow.access.clause(P.ADD)),
    )  # fmt: skip
    if (last := cursor.unpack(uow.site.keys, f"places:{at.id}", after)) is not None:
        within = within.where(or_(Node.slug > last[0], and_(Node.slug == last[0], Node.id > last[1])))
    found = uow.list(within.order_by(Node.slug, Node.id).limit(PAGE + 1))
    end = found[PAGE - 1] if len(found) > PAGE else None
    onward = cursor.pack(uow.site.keys, f"places:{at.id}", [end.slug, end.id]) if end else None
    rows = [_place(uow, nodes, node, view) for node, view in zip(found, views(uow, found), strict=True)]
    above = uow.list(uow.nodes(P.DISCOVER).where(Node.id.in_(ids_of(at.path)[1:])).order_by(Node.depth))
    seen = views(uow, above)
    offered = [row for row in rows[:PAGE] if row.fits or row.leads or row.is_home]
    return Places(seen[-1] if seen else None, seen, offered, onward)


def _ways(nodes: Iterable[Node]) -> set[str]:
    """The types below which such things may lie, and those above them."""
    found: set[str] = set()
    further = {parent for node in nodes for parent in TYPES[node.type].parents}
    while further:
        found |= further
        further = {up for name in further if name in TYPES for up in TYPES[name].parents} - found
    return found


def _place(uow: UnitOfWork, nodes: Sequence[Node], at: Node, view: NodeView) -> Place:
    fits = all(at.type in TYPES[node.type].parents and not _misfit(uow, node, at) for node in nodes)
    leads = any(at.type in TYPES[up].parents for up in _ways(nodes) if up in TYPES)
    leads = leads and not any(_holds_others(at, node) for node in nodes)
    return Place(view, fits, leads, any(at.id == node.parent_id for node in nodes))


def _refusal(uow: UnitOfWork, node: Node, to: Node) -> str | None:
    if not uow.can(P.MOVE, node):
        return _("You may not move this in its present state.")
    return _misfit(uow, node, to)


def _misfit(uow: UnitOfWork, node: Node, to: Node) -> str | None:
    if not uow.can(P.ADD, to) or not tree.may_describe(uow, TYPES[node.type]):
        return _("You may not add this kind of thing there.")
    if node.workflow == "container" and _holds_others(to, node):
        return _("Another kind of record lies there.")
    return tree.misplaced(node, to)


def _holds_others(at: Node, node: Node) -> bool:
    """Whether a folder is for another kind of record than what is moved, or lies in it."""
    own = {node.data.get("type")} if node.workflow == "container" else {node.type, *TYPES[node.type].parents}
    kept = at.data.get("type")
    return bool(kept) and own != {None} and kept not in own


def find(uow: UnitOfWork, text: str) -> Node | None:
    """The place that was typed: an address, a path of slugs, a number; or nothing that the actor may know of."""
    path = text.strip().split("?")[0].split("/@@")[0].rstrip("/")
    path = path.partition("/a/")[2] or path.lstrip("/")
    try:
        return uow.node(path) if path else None
    except ArchiveError:
        found = pinpoint.by_number(uow, text)
        return found[0] if len(found) == 1 else None


# What it would mean


@dataclass(frozen=True)
class Row:
    """One thing to be moved: what goes with it, what changes of it, or why it stays."""

    view: NodeView
    below: int
    changes: list[tuple[str, str, str]]
    refusal: str | None
    by_job: bool = False


@dataclass(frozen=True)
class Share:
    """A local role that holds by the place: of whom, as what, from where."""

    who: str
    role: str
    place: str


@dataclass(frozen=True)
class Preview:
    """What a move would mean: row by row, and whose shares end or begin with the place."""

    to: NodeView
    rows: list[Row]
    numbered: int
    ends: list[Share] | None = None
    begins: list[Share] | None = None
    """None where the actor may not know who sees it."""

    @property
    def movable(self) -> list[Row]:
        return [row for row in self.rows if row.refusal is None]


def preview(uow: UnitOfWork, nodes: Sequence[Node], to: Node) -> Preview:
    """What moving these to `to` would mean; changes nothing."""
    rows: list[Row] = []
    for node, view in zip(nodes, views(uow, nodes), strict=True):
        before = sum(row.below + 1 for row in rows if row.refusal is None and not row.by_job)
        rows.append(_row(uow, node, to, view, before))
    going = [_branch(node) for node, row in zip(nodes, rows, strict=True) if row.refusal is None]
    kept = select(func.count(Node.id)).where(Node.archival_no.is_not(None), or_(false(), *going))
    ends, begins = _shares(uow, nodes, to)
    numbered = uow.session.scalar(kept, execution_options=TRUSTED) or 0
    return Preview(NodeView(uow, to), rows, numbered, ends, begins)


def _branch(node: Node) -> Any:
    return and_(Node.path >= node.path, Node.path < node.path_end)


def _row(uow: UnitOfWork, node: Node, to: Node, view: NodeView, before: int) -> Row:
    count, refusal = relocation.size(uow, node), _refusal(uow, node, to)
    return Row(view, count - 1, _changes(uow, node, to), refusal, before + count > branches.INLINE)


def _changes(uow: UnitOfWork, node: Node, to: Node) -> list[tuple[str, str, str]]:
    """Label, before, after: what a thing takes from the place where it lies."""
    levels = policies.vocabulary(uow, "level")
    after = max(node.level_own, to.level)
    found = [(_("Sensitivity"), levels.get(str(node.level), ""), levels.get(str(after), ""))]
    if node.type in INHERITING:
        states, wards = WORKFLOWS[node.workflow], actors.department_names(uow.session)
        found.append((_("State"), str(states.state(node.state).title), str(states.state(to.state).title)))
        found.append((_("Department"), wards.get(node.dept_id or 0, ""), wards.get(to.dept_id or 0, "")))
        found.append((_("Year"), str(node.year or ""), str(to.year or "")))
    return [change for change in found if change[1] != change[2]]


def _shares(
    uow: UnitOfWork, nodes: Sequence[Node], to: Node
) -> tuple[list[Share] | None, list[Share] | None]:
    """The shares that end, and those that begin, for things that take theirs from above."""
    if not (explain.may_ask(uow, to) and all(explain.may_ask(uow, node) for node in nodes)):
        return None, None
    if not any(node.inherits for node in nodes):
        return [], []
    home = uow.session.get_one(Node, nodes[0].parent_id, execution_options=TRUSTED)
    before, after = set(explain.sources(uow, home)), set(explain.sources(uow, to))
    return _held(uow, before - after), _held(uow, after - before)


def _held(uow: UnitOfWork, numbers: set[int]) -> list[Share]:
    rows = uow.session.execute(
        select(LocalRole.node_id, LocalRole.role, Principal.name)
        .join(Principal, Principal.id == LocalRole.principal_id)
        .where(LocalRole.node_id.in_(numbers), roster.lasts(LocalRole.expires_at, uow))
        .order_by(Principal.name_key, LocalRole.id)
    ).all()
    wanted = {row.node_id for row in rows}
    known = {view.id: view for view in views(uow, uow.list(uow.nodes(P.DISCOVER).where(Node.id.in_(wanted))))}
    return [
        Share(row.name, str(ROLES[row.role].title), known[row.node_id].label)
        for row in rows
        if row.node_id in known
    ]


# Doing it


@dataclass(frozen=True)
class Result:
    """What became of one thing: moved, being moved by a job, or why it stayed."""

    view: NodeView
    label: str
    refusal: str | None = None
    by_job: bool = False


def move(uow: UnitOfWork, nodes: Sequence[Node], to: Node) -> list[Result]:
    """Moves each on its own: what is refused says why, and the others go on."""
    results: list[Result] = []
    moved = 0
    for node in nodes:
        count = relocation.size(uow, node)
        results.append(_move(uow, node, NodeView(uow, node).label, to, moved))
        moved += count if results[-1].refusal is None and not results[-1].by_job else 0
    return results


def _move(uow: UnitOfWork, node: Node, label: str, to: Node, before: int) -> Result:
    if refused := _refusal(uow, node, to):
        return Result(NodeView(uow, node), label, refused)
    try:
        with attempt(uow):
            homes = _homes(uow, node)
            done = relocation.move(uow, node, to=to, before=before)
            uow.enqueue("sidecar", *(homes | _homes(uow, node)))
    except ArchiveError as refusal:
        return Result(NodeView(uow, node), label, str(refusal))
    uow.session.info.pop("slugs", None)  # it may have another one now
    return Result(NodeView(uow, node), label, by_job=not done)


def _homes(uow: UnitOfWork, node: Node) -> set[Node]:
    """The file beside whose bytes it is written which items it has; only an item that has bytes changes that."""
    return {file_of(uow, node)} if node.type in INHERITING and sidecars.has_files(uow, node) else set()
