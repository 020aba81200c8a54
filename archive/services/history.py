"""The history of a description: who changed which field, when, from what to what."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from archive.i18n import _l
from archive.models import AuditEvent, Node, NodeVersion, Principal
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.schema import Field
from archive.services import policies
from archive.sight import discreet, words
from archive.uow import UnitOfWork

OTHERS = {
    "title": _l("Title"), "date_from": _l("Date"), "level_own": _l("Sensitivity"),
    "retention_rule": _l("Retention period"),
}  # fmt: skip
"""What a version keeps beyond the fields of every type."""


@dataclass(frozen=True)
class Difference:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """One version and how it differs from the one before."""

    version: int
    at: datetime
    by: str
    comment: str | None
    differences: list[Difference]


@dataclass(frozen=True)
class Act:
    """One act of the journal on this node."""

    at: datetime
    by: str
    action: str


def changes(uow: UnitOfWork, node: Node) -> list[Change]:
    """The versions of a node, newest first. Needs content.history, and read for the words that differ."""
    uow.require(P.READ, node)
    rows = uow.session.execute(
        uow.of(NodeVersion, node, P.HISTORY)
        .with_only_columns(NodeVersion, Principal.name)
        .outerjoin(Principal, Principal.id == NodeVersion.by_id)
        .order_by(NodeVersion.version)
    )
    found: list[Change] = []
    before: dict[str, object] = {}
    for version, name in rows:
        differences = _differences(uow, node, before, version.snapshot)
        found.append(Change(version.version, version.at, name or "", version.comment, differences))
        before = version.snapshot
    uow.saw(node)
    return found[::-1]


def _differences(
    uow: UnitOfWork, node: Node, before: dict[str, object], after: dict[str, object]
) -> list[Difference]:
    kind, may = TYPES.get(node.type), uow.access.permissions(node)
    fields = {field.column or field.name: field for field in kind.fields} if kind else {}
    names = [name for name in {**before, **after} if (before.get(name) or "") != (after.get(name) or "")]
    found = []
    for name in names:
        field = fields.get(name)
        if name == "title" and field is None and P.UNMASK not in may:
            continue  # it was put together from the name, the number and the date, which stand here themselves
        label = str(field.label if field else OTHERS.get(name, name))
        said = [_said(uow, name, field, discreet(may, field, state.get(name))) for state in (before, after)]
        found.append(Difference(label, *said))
    return found


def _said(uow: UnitOfWork, name: str, field: Field | None, value: object) -> str:
    if name == "retention_rule" and value:
        return policies.vocabulary(uow, "retention").get(str(value), str(value))
    if name == "level_own" and value is not None:
        return policies.vocabulary(uow, "level").get(str(value), str(value))
    return words(uow, field, value)


def acts(uow: UnitOfWork, node: Node, most: int = 50) -> list[Act]:
    """What was done with a node, newest first: names of acts and people, no words."""
    uow.require(P.HISTORY, node)
    rows = uow.session.execute(
        select(AuditEvent.at, AuditEvent.actor, AuditEvent.action, Principal.name)
        .outerjoin(Principal, Principal.id == AuditEvent.actor_id)
        .where(AuditEvent.object_kind == "node", AuditEvent.object_id == node.id)
        .order_by(AuditEvent.id.desc())
        .limit(most)
    )
    return [Act(at, name or actor, action) for at, actor, action, name in rows]
