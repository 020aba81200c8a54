"""Who may see a node, and why: each path is named, read from the very tokens and grants that decide."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from archive.access import HIGHER_TIERS, vetoed_by
from archive.errors import Forbidden
from archive.i18n import Lazy, _, _l
from archive.models import AccessGrant, AccessToken, LocalRole, Node, Principal
from archive.policy.permissions import TIERS, P
from archive.policy.roles import ROLES
from archive.services import roster
from archive.services.roster import ICONS, Member, Roster, counted, lasts, members_of
from archive.sight import ids_of, views
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "explain"}
COLUMNS = (P.IDENTIFY, P.READ, P.PRINT, P.EDIT)
"""What the sharing page says of each path; that the thing is there at all stands in the path's right."""
SEEING = (*TIERS, P.HOLDING_VIEW, P.DEIDENTIFIED)
SHOWN = (*SEEING, P.PRINT, P.DOWNLOAD, P.EDIT)
KINDS = ("role", "dept", "share", "grant")
CAUSES: Mapping[str, Lazy] = {
    "eread": _l("E-reading"),
    "data": _l("Data without names"),
    "treating": _l("Treatment"),
    "breakglass": _l("Break-glass"),
    "inspection": _l("Inspection"),
    "copy": _l("Copying"),
}
RIGHTS = (_l("Nothing now"), _l("Paper only"), _l("Number only"), _l("Title only"), _l("Reading"))
"""From the rank -1 on."""
DATA_ALONE = _l("Data without names")


@dataclass(frozen=True)
class Path:
    """访问路径: one way in which people come to see a node. `holders`: who holds what by it, now.

    `place` is label and address of the ancestor from which it is inherited; `share_id` that of a share which can
    be ended here; `lowest` the clearance from which on it gives anything.
    """

    kind: str
    icon: str
    name: str
    note: str
    why: str
    holders: Mapping[P, frozenset[int]]
    source: str = "inherited"
    place: tuple[str, str] | None = None
    until: datetime | None = None
    share_id: int | None = None
    lowest: int = 0

    @property
    def people(self) -> frozenset[int]:
        """Whoever sees anything by it."""
        nobody: frozenset[int] = frozenset()
        return nobody.union(*(self.holders.get(permission, nobody) for permission in SEEING))

    def extent(self, permission: P) -> str:
        """yes, no, or part: some of them lack the clearance."""
        held = self.holders.get(permission, frozenset())
        return "no" if not held else "yes" if held >= self.people else "part"

    @property
    def rank(self) -> int:
        """How far it reaches: 3 reading, 2 the title, 1 that the thing is there, 0 the paper or data alone, -1 nothing."""
        reached = [place for place, tier in enumerate(TIERS, start=1) if self.holders.get(tier)]
        return reached[-1] if reached else 0 if self.people else -1

    @property
    def right(self) -> str:
        """The farthest right in a word."""
        return str(
            DATA_ALONE if self.rank == 0 and self.holders.get(P.DEIDENTIFIED) else RIGHTS[self.rank + 1]
        )


def may_ask(uow: UnitOfWork, node: Node) -> bool:
    """Whether the actor may know who sees a node."""
    return uow.can(P.SHARE, node) or uow.can(P.HISTORY, node)


def paths(uow: UnitOfWork, node: Node, most: int | None = None) -> list[Path]:
    """Every path to a node: roles, its department, shares, grants in force; with `most`, the farthest reaching ones.

    Needs share.delegate or content.history. A branch whose classes are being worked out has no path.
    """
    if not may_ask(uow, node):
        raise Forbidden
    if any(start <= node.path < end for start, end in uow.access.closed()):
        return []
    found = _all(uow, node)
    if most is not None:
        return sorted(found, key=lambda path: (-path.rank, KINDS.index(path.kind)))[:most]
    return sorted(found, key=lambda path: (KINDS.index(path.kind), -path.rank))


def _all(uow: UnitOfWork, node: Node) -> list[Path]:
    people, given = roster.everybody(uow), rights_of(uow, node)
    return [*_by_role(given, people), *_by_department(uow, given, people), *_by_share(uow, node, given, people),
            *_by_grant(uow, node, people)]  # fmt: skip


def knowing(uow: UnitOfWork, node: Node) -> frozenset[int]:
    """Whoever may know that a node is there, by any path. For an act that asks them; it is shown to nobody."""
    return frozenset[int]().union(*(path.holders.get(P.DISCOVER, frozenset()) for path in _all(uow, node)))


def number_of_people(found: Iterable[Path]) -> int:
    """How many people see anything, each counted once."""
    return len(frozenset[int]().union(*(path.people for path in found)))


Rights = Mapping[P, int]
"""Permission → the clearance from which on it is held."""


def rights_of(uow: UnitOfWork, node: Node) -> dict[str, dict[P, int]]:
    """Holder (`R:role`, `D:department:role`, `L:share`) → rights, from the tokens of the node's class."""
    rows = uow.session.execute(
        select(AccessToken.token, AccessToken.permission).where(AccessToken.class_id == node.access_class)
    )
    given: dict[str, dict[P, int]] = {}
    for token, permission in rows:
        holder, _slash, suffix = token.rpartition("/")
        level = 0 if suffix == "*" else int(suffix)
        rights = given.setdefault(holder, {})
        rights[P(permission)] = min(level, rights.get(P(permission), level))
    return given


def _holders(rights: Rights, members: Iterable[Member]) -> dict[P, frozenset[int]]:
    found = list(members)
    return {
        permission: frozenset(one.id for one in found if one.clearance >= rights[permission])
        for permission in SHOWN
        if permission in rights
    }


def _lowest(rights: Rights) -> int:
    return min((level for permission, level in rights.items() if permission in SEEING), default=0)


@dataclass
class _Bundle:
    """Roles that hold alike."""

    rights: Rights
    roles: set[str] = field(default_factory=set)


def _bundles(
    given: Mapping[str, Rights], prefix: str, people: Iterable[Member]
) -> list[tuple[_Bundle, list[Member]]]:
    """The roles that see anything and are held by anybody, those with the same rights together, and who holds them."""
    members = list(people)
    found: dict[tuple[tuple[P, int], ...], _Bundle] = {}
    for role in ROLES:
        rights = {p: level for p, level in given.get(f"{prefix}{role}", {}).items() if p in SHOWN}
        if any(p in rights for p in SEEING) and any(role in one.roles for one in members):
            found.setdefault(tuple(sorted(rights.items())), _Bundle(rights)).roles.add(role)
    return [(bundle, [one for one in members if one.roles & bundle.roles]) for bundle in found.values()]


def _by_role(given: Mapping[str, Rights], people: Roster) -> list[Path]:
    found = []
    for bundle, members in _bundles(given, "R:", people.values()):
        lowest = _lowest(bundle.rights)
        name, holders = roster.titles(bundle.roles), _holders(bundle.rights, members)
        path = Path("role", "users", name, "", _in_the_whole_hospital(lowest), holders, lowest=lowest)
        found.append(replace(path, note=counted(_("Role"), len(path.people))))
    return found


def _in_the_whole_hospital(lowest: int) -> str:
    if lowest:
        return _("Role in the whole hospital, for a clearance of S%(level)d or higher", level=lowest)
    return _("Role in the whole hospital")


def _by_department(uow: UnitOfWork, given: Mapping[str, Rights], people: Roster) -> list[Path]:
    """A class belongs to one department at most."""
    found = []
    for number in {int(holder.split(":")[1]) for holder in given if holder.startswith("D:")}:
        name = uow.session.get_one(Principal, number).name
        inside = [one for one in people.values() if number in one.groups]
        for bundle, members in _bundles(given, f"D:{number}:", inside):
            why = _("Department of the record: %(roles)s", roles=roster.titles(bundle.roles))
            holders, lowest = _holders(bundle.rights, members), _lowest(bundle.rights)
            path = Path("dept", ICONS["dept"], name, "", why, holders, lowest=lowest)
            found.append(replace(path, note=counted(_("Department"), len(path.people))))
    return found


def _by_share(uow: UnitOfWork, node: Node, given: Mapping[str, Rights], people: Roster) -> list[Path]:
    """The local roles that hold here: the node's own, and its ancestors' up to the first block."""
    rows = uow.session.execute(
        select(LocalRole, Principal)
        .join(Principal, Principal.id == LocalRole.principal_id)
        .where(LocalRole.node_id.in_(sources(uow, node)), lasts(LocalRole.expires_at, uow))
        .order_by(Principal.name_key, LocalRole.id)
    ).all()
    places = _places(uow, {row.node_id for row, _who in rows} - {node.id})
    notes = roster.notes(uow, (who for _row, who in rows), people)
    found = []
    for row, who in rows:
        rights, here = given.get(f"L:{row.id}", {}), row.node_id == node.id
        holders = _holders(rights, (one for one in members_of(who, people) if not one.is_apart))
        found.append(
            Path("share", ICONS[who.kind], who.name, notes[who.id], _shared_as(row), holders,
                 "here" if here else "inherited", places.get(row.node_id), row.expires_at, row.id if here else None,
                 _lowest(rights))
        )  # fmt: skip
    return found


def _shared_as(row: LocalRole) -> str:
    role = str(ROLES[row.role].title)
    if row.cause:
        return _("Shared as %(role)s: %(cause)s", role=role, cause=row.cause)
    return _("Shared as %(role)s", role=role)


def sources(uow: UnitOfWork, node: Node) -> list[int]:
    """The node and the ancestors whose local roles hold on it, from below."""
    chain = uow.session.execute(
        select(Node.id, Node.inherits).where(Node.id.in_(ids_of(node.path))).order_by(Node.depth.desc()),
        execution_options=TRUSTED,
    )
    found = []
    for number, inherits in chain:
        found.append(number)
        if not inherits:
            break
    return found


def _places(uow: UnitOfWork, numbers: Iterable[int]) -> dict[int, tuple[str, str]]:
    """The ancestors that the actor may know of; of the others it is not said which they are."""
    wanted = list(numbers)
    nodes = uow.list(uow.nodes(P.DISCOVER).where(Node.id.in_(wanted))) if wanted else []
    return {view.id: (view.label, view.href) for view in views(uow, nodes)}


def _by_grant(uow: UnitOfWork, node: Node, people: Roster) -> list[Path]:
    """Grants in force on the node or above it, up to whose level it lies."""
    rows = uow.session.execute(
        select(AccessGrant, Principal)
        .join(Principal, Principal.id == AccessGrant.principal_id)
        .where(
            AccessGrant.node_id.in_(ids_of(node.path)), AccessGrant.max_level >= node.level,
            AccessGrant.valid_from <= uow.now, AccessGrant.valid_until > uow.now,
        )
        .order_by(AccessGrant.valid_until, AccessGrant.id)
    ).all()  # fmt: skip
    notes = roster.notes(uow, (who for _row, who in rows), people)
    found = []
    for row, who in rows:
        members = frozenset(one.id for one in members_of(who, people) if not one.is_apart)
        vetoed = vetoed_by(node.overlay)
        holders = {
            p: members for p in SHOWN if row.permission in HIGHER_TIERS.get(p, (p,)) and p not in vetoed
        }
        cause = " ".join(filter(None, (str(CAUSES.get(row.cause, row.cause)), row.ref)))
        why = _("%(cause)s: %(reason)s", cause=cause, reason=row.reason) if row.reason else cause
        icon, note = ICONS[who.kind], notes[who.id]
        found.append(Path("grant", icon, who.name, note, why, holders, "grant", until=row.valid_until))
    return found
