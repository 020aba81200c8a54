"""The tokens of access classes: worked out from the matrix and the local roles at their scopes."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import bindparam, delete, insert, or_, select
from sqlalchemy.orm import Session

from archive.access import Class, tokens_of
from archive.models import AccessClass, AccessToken, LocalRole, Node, Policy

TRUSTED: Any = {"scope": "class tokens"}
BATCH = 500
"""So many classes are read or written in one statement."""
TOKEN = (AccessToken.class_id, AccessToken.permission, AccessToken.token)
T = TypeVar("T")


def batched(found: Iterable[T]) -> Iterator[list[T]]:
    """Parts small enough for one statement."""
    everything = iter(found)
    while part := list(islice(everything, BATCH)):
        yield part


def expand(session: Session, class_ids: Iterable[int]) -> int:
    """Brings the tokens of these classes into line with the matrix and the local roles at their scopes.

    Only what differs is written: another local role is a few rows, whatever else a class gives.
    """
    count = 0
    for part in batched(class_ids):
        rows = session.execute(select(*TOKEN).where(AccessToken.class_id.in_(part)))
        there, due = {tuple(row) for row in rows}, _due(session, part)
        _write(session, delete(AccessToken).where(*(c == bindparam(f"old_{c.key}") for c in TOKEN)),
               [{f"old_{c.key}": value for c, value in zip(TOKEN, row, strict=True)} for row in there - due])  # fmt: skip
        _write(session, insert(AccessToken),
               [{c.key: value for c, value in zip(TOKEN, row, strict=True)} for row in due - there])  # fmt: skip
        count += len(part)
    return count


def _write(session: Session, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.connection().execute(statement, rows)


def _due(session: Session, class_ids: list[int]) -> set[tuple[int, str, str]]:
    """The tokens that these classes give."""
    found: Any = session.execute(
        select(AccessClass.id, Node.path, Policy.type, Policy.state, AccessClass.level, AccessClass.dept_id,
               AccessClass.overlay)
        .join(Policy, Policy.id == AccessClass.policy_id)
        .outerjoin(Node, Node.id == AccessClass.scope_id)
        .where(AccessClass.id.in_(class_ids)),
        execution_options=TRUSTED,
    ).all()  # fmt: skip
    holding = _local_roles_at(session, {path for _number, path, *_context in found if path})
    return {
        (number, permission.value, token)
        for number, path, *context in found
        for permission, token in tokens_of(Class(*context), holding.get(path, ()))
    }


def ancestors(path: str) -> list[str]:
    """The paths from the root to `path` itself."""
    parts = path.rstrip("/").split("/")
    return ["/".join(parts[: n + 1]) + "/" for n in range(len(parts))]


def _local_roles_at(session: Session, scopes: set[str]) -> dict[str, list[tuple[int, str]]]:
    """(id, role) of the local roles that hold at each scope: its own, and its ancestors' up to the first block."""
    above = {place for path in scopes for place in ancestors(path)}
    blocks: set[str] = set()
    given: dict[str, list[tuple[int, str]]] = {}
    for part in batched(sorted(above)):
        rows = session.execute(
            select(Node.path, Node.inherits, LocalRole.id, LocalRole.role)
            .outerjoin(LocalRole, LocalRole.node_id == Node.id)
            .where(Node.path.in_(part), or_(LocalRole.id.is_not(None), Node.inherits.is_(False))),
            execution_options=TRUSTED,
        )
        for path, inherits, number, role in rows:
            blocks |= set() if inherits else {path}
            given.setdefault(path, []).extend([(number, role)] if number else [])
    return {path: list(_up_to_a_block(path, blocks, given)) for path in scopes}


def _up_to_a_block(
    path: str, blocks: set[str], given: Mapping[str, list[tuple[int, str]]]
) -> Iterator[tuple[int, str]]:
    for place in reversed(ancestors(path)):
        yield from given.get(place, ())
        if place in blocks:
            return
