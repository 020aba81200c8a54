"""Reads `matrix.csv` and `vetoes.csv` into rows; says nothing about who meets them."""

import csv
import hashlib
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from pathlib import Path

from archive.policy.permissions import P
from archive.policy.roles import ROLES

FOLDER = Path(__file__).parent


class Overlay(IntEnum):
    """What lies over a node and everything below it; the highest of all ancestors counts."""

    NONE = 0
    KEPT = 1
    """A sealed package holds a copy, or a legal hold lies over it: it goes on being written and used, and stays."""
    SEALED = 2
    """The original itself is sealed, as everybody sees: its volumes go out to nobody (`services/frozen.py`), and it stays."""
    TRASHED = 3


@dataclass(frozen=True)
class Right:
    """One row of the matrix: `role` holds `permissions` on nodes of these types, in these states, up to this level.

    `level` is "clearance" (the person's own bounds it), "all", or a number that bounds it for everybody.
    """

    role: str
    permissions: frozenset[P]
    scope: str
    types: frozenset[str]
    states: frozenset[str]
    level: str

    @property
    def is_global(self) -> bool:
        """Not about a node at all."""
        return "-" in self.types

    def concerns(self, types: frozenset[str]) -> bool:
        """Whether it holds on nodes of one of these types, in any state."""
        return not self.is_global and ("*" in self.types or bool(types & self.types))

    def covers(self, type_name: str, state: str) -> bool:
        return not self.is_global and bool({"*", type_name} & self.types and {"*", state} & self.states)


@lru_cache
def matrix() -> tuple[Right, ...]:
    """All rights, one row a role. Raises ValueError for a word that is no role, permission or level."""
    return tuple(right for row in _rows("matrix.csv") for right in _rights(row))


def _rights(row: dict[str, str]) -> list[Right]:
    roles = row["role"].split()
    if unknown := set(roles) - set(ROLES):
        raise ValueError(f"matrix.csv names unknown roles: {sorted(unknown)}")
    if row["scope"] not in {"any", "dept"}:
        raise ValueError(f"matrix.csv: scope is 'any' or 'dept', not {row['scope']!r}")
    if row["level"] not in {"clearance", "all", "0", "1", "2", "3"}:
        raise ValueError(f"matrix.csv: level {row['level']!r} is unknown")
    permissions = frozenset(P(word) for word in row["permissions"].split())
    types, states = frozenset(row["types"].split()), frozenset(row["states"].split())
    return [Right(role, permissions, row["scope"], types, states, row["level"]) for role in roles]


@lru_cache
def vetoes() -> dict[Overlay, frozenset[P]]:
    """What each overlay takes from everybody, whatever role or grant they hold."""
    return {
        Overlay[row["overlay"].upper()]: frozenset(P(word) for word in row["permissions"].split())
        for row in _rows("vetoes.csv")
    }


def checksum() -> str:
    """Changes when a right or veto changed: all classes are then expanded again before serving."""
    digest = hashlib.sha256()
    for name in ("matrix.csv", "vetoes.csv"):
        digest.update((FOLDER / name).read_bytes())
    return digest.hexdigest()


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))
