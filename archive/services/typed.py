"""What a form of the tree begins with, what was chosen in a list, and how two versions of a form differ."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import and_

from archive.models import Node
from archive.policy.types import TYPES
from archive.sight import discreet
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


def compared(
    node: Node, mine: Mapping[str, object], theirs: Mapping[str, object]
) -> list[tuple[str, str, str]]:
    """Label, what the other person saved, what one typed oneself: for every field that differs."""
    rows = []
    for field in TYPES[node.type].typed:
        saved, typed = str(theirs.get(field.column or field.name) or ""), str(mine.get(field.name) or "")
        if saved != typed:
            rows.append((str(field.label), saved, typed))
    return rows
