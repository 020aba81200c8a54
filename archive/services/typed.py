"""What a form of the tree begins with, what was chosen in a list, and how two versions of a form differ."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_

from archive.models import Node, NodeVersion
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.schema import clean
from archive.sight import discreet, words
from archive.uow import UnitOfWork


def chosen(folder: Node, uuids: list[str]) -> Any:
    """The condition for the rows chosen in a folder's list."""
    return and_(Node.parent_id == folder.id, Node.uuid.in_(known(uuids)))


def known(uuids: list[str]) -> list[UUID]:
    """The uuids among what a form sent; what is none names nothing."""
    found = []
    for text in uuids:
        with suppress(ValueError):
            found.append(UUID(text))
    return found


def form_values(uow: UnitOfWork, node: Node) -> dict[str, object]:
    """What the form of a node begins with: names as the actor is told them."""
    kind, may = TYPES[node.type], uow.access.permissions(node)
    columns = {field.name: getattr(node, field.column) for field in kind.fields if field.column}
    values = {**node.data, **columns}
    return values | {f.name: discreet(may, f, values[f.name]) for f in kind.fields if f.name in values}


@dataclass(frozen=True)
class Side:
    """并排: one field on which two people differ; `chosen` is whose value stays unless somebody decides otherwise."""

    name: str
    label: str
    theirs: str
    mine: str
    theirs_said: str
    mine_said: str
    chosen: str
    both: bool


def compared(
    uow: UnitOfWork, node: Node, mine: Mapping[str, object], theirs: Mapping[str, object], version: int
) -> list[Side]:
    """Every field in which what one typed differs from what the other person has saved since `version`.

    What only one of the two has changed is chosen already; where both have, one's own stands until one decides.
    """
    base = _snapshot(uow, node, version)
    rows = []
    for field in TYPES[node.type].typed:
        key = field.column or field.name
        saved, typed = str(theirs.get(key) or ""), clean(str(mine.get(field.name) or ""))
        if saved != typed:
            before = str(base.get(key) or "") if base is not None else None
            chosen = "theirs" if typed == before else "mine"
            rows.append(Side(
                field.name, str(field.label), saved, typed, words(uow, field, saved), words(uow, field, typed), chosen,
                both=before not in (saved, typed),
            ))  # fmt: skip
    return rows


def _snapshot(uow: UnitOfWork, node: Node, version: int) -> Mapping[str, object] | None:
    """What a node said when `version` of it was shown."""
    statement = uow.of(NodeVersion, node, P.EDIT).where(NodeVersion.version <= version)
    found = uow.session.scalar(statement.order_by(NodeVersion.version.desc()).limit(1))
    return found.snapshot if found else None
