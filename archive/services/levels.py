"""敏感级别: why a thing has its level, and raising or lowering it with a reason (domain §12)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from archive.errors import Invalid
from archive.i18n import _
from archive.models import Node, NodeVersion, Principal
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.schema import clean
from archive.services import branches, policies, records, relocation, tree
from archive.sight import NodeView, ids_of, views
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "levels"}
HIGHEST = 3
LONGEST_REASON = 500


@dataclass(frozen=True)
class Source:
    """Something above that asks for a level; `view` is missing where the actor may not know which it is."""

    level: int
    view: NodeView | None


@dataclass(frozen=True)
class Decision:
    """A change of the node's own level: by whom, when, and what was said."""

    at: datetime
    by: str
    before: int
    after: int
    reason: str


@dataclass(frozen=True)
class Why:
    """级别由来: what a node's level comes from. `lowest`: below this it cannot be set here."""

    level: int
    own: int
    inherited: int
    by_type: int
    by_code: int
    lowest: int
    sources: list[Source]
    decisions: list[Decision]
    below: int

    @property
    def choices(self) -> list[int]:
        return list(range(self.lowest, HIGHEST + 1))


def why(uow: UnitOfWork, node: Node) -> Why:
    """Where the level of a node comes from. Needs content.edit_classification."""
    uow.require(P.EDIT_CLASSIFICATION, node)
    parent = uow.session.get_one(Node, node.parent_id, execution_options=TRUSTED)
    kind = TYPES[node.type]
    code = (
        records.sensitivity_of(uow, node.data.get("diagnosis_code")) if kind.name == "medical_record" else 0
    )
    return Why(
        node.level, node.level_own, parent.level, kind.level, code if code > kind.level else 0,
        lowest(node, parent), _sources(uow, node), _decisions(uow, node), relocation.size(uow, node) - 1,
    )  # fmt: skip


def lowest(node: Node, parent: Node) -> int:
    """An item only raises what its file says, and nothing falls below what its type asks for."""
    return max(TYPES[node.type].level, parent.level)


def _sources(uow: UnitOfWork, node: Node) -> list[Source]:
    """The ancestors with a level of their own, the highest first."""
    above = select(Node.id, Node.level_own).where(Node.id.in_(ids_of(node.path)[1:-1]), Node.level_own > 0)
    asked: dict[int, int] = dict(uow.session.execute(above, execution_options=TRUSTED).all())
    known = {view.id: view for view in views(uow, uow.list(uow.nodes(P.DISCOVER).where(Node.id.in_(asked))))}
    return sorted(
        (Source(level, known.get(number)) for number, level in asked.items()), key=lambda s: -s.level
    )


def _decisions(uow: UnitOfWork, node: Node) -> list[Decision]:
    """Every change of its own level, newest first, from the versions of the description."""
    rows = uow.session.execute(
        select(NodeVersion, Principal.name)
        .outerjoin(Principal, Principal.id == NodeVersion.by_id)
        .where(NodeVersion.node_id == node.id)
        .order_by(NodeVersion.version),
        execution_options=TRUSTED,
    ).all()
    levels = [int(version.snapshot.get("level_own") or 0) for version, _name in rows]
    found = [
        Decision(version.at, name or "", before, after, version.comment or "")
        for (version, name), before, after in zip(rows[1:], levels, levels[1:], strict=False)
        if before != after
    ]
    return found[::-1]


def change(uow: UnitOfWork, node: Node, *, level: int | None, reason: str) -> bool:
    """Raises or lowers the level of a node and of what lies below; gives whether it is done, or a job works on it.

    Raises Invalid for a level that is too low here, for the one that it has, or without a reason.
    """
    uow.require(P.EDIT_CLASSIFICATION, node)
    parent = uow.session.get_one(Node, node.parent_id, execution_options=TRUSTED)
    own, text = _checked(uow, node, parent, level, reason)
    tree.set_level(uow, node, level=own, reason=text)
    return not branches.is_closed(uow, node)


def _checked(uow: UnitOfWork, node: Node, parent: Node, level: int | None, reason: str) -> tuple[int, str]:
    wrong: dict[str, str] = {}
    least, text = lowest(node, parent), clean(reason)
    words = policies.vocabulary(uow, "level")
    if level is None or not 0 <= level <= HIGHEST:
        wrong["level"] = _("Choose one of the list.")
    elif level < least:
        wrong["level"] = _("It cannot be lower than %(level)s here.", level=words.get(str(least), str(least)))
    # What lies as high as the place asks for has no level of its own: it falls again with the place.
    own = level if level is not None and level > parent.level else TYPES[node.type].level
    if not wrong and own == node.level_own:
        wrong["level"] = _("It has this level already.")
    if not 1 <= len(text) <= LONGEST_REASON:
        wrong["reason"] = _("Say why, in up to %(most)d characters.", most=LONGEST_REASON)
    if wrong:
        raise Invalid(fields=wrong)
    return own, text
