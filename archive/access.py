"""One rule, three uses: the object check, the SQL filter and the search filter (architecture §3.3)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from archive.actor import Actor
from archive.models import AccessClass, AccessGrant, AccessToken, ClosedBranch, Node, Policy
from archive.policy.permissions import TIERS, P
from archive.policy.rights import Overlay, Right, matrix, vetoes

HIGHER_TIERS = {P.DISCOVER: (P.DISCOVER, P.IDENTIFY, P.READ), P.IDENTIFY: (P.IDENTIFY, P.READ)}
"""A grant of a higher tier holds the lower ones: read ⊆ identify ⊆ discover."""


class Checked(FunctionElement[Any]):
    """A column that a row is checked by, never one by which the rows are looked up.

    SQLite does not know how narrow a branch or a list of ids is; it would rather visit every node of the classes.
    """

    inherit_cache = True

    def __init__(self, column: InstrumentedAttribute[Any]) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(Checked)
def _as_it_is(checked: Checked, compiler: SQLCompiler, **more: Any) -> str:
    return compiler.process(checked.clauses, **more)


@compiles(Checked, "sqlite")
def _without_index(checked: Checked, compiler: SQLCompiler, **more: Any) -> str:
    return f"+{compiler.process(checked.clauses, **more)}"


@dataclass(frozen=True)
class Class:
    """The security context of an access class, read from its rows."""

    type: str
    state: str
    level: int
    dept_id: int
    overlay: int


def tokens_of(kind: Class, local_roles: Iterable[tuple[int, str]]) -> set[tuple[P, str]]:
    """The tokens that a class gives for each permission. `local_roles`: (id, role) that hold at its scope."""
    vetoed = vetoed_by(kind.overlay)
    given: set[tuple[P, str]] = set()
    for right in matrix():
        if not right.covers(kind.type, kind.state) or (suffix := _suffix(right, kind.level)) is None:
            continue
        for holder in _holders(right, kind, local_roles):
            given |= {(permission, holder + suffix) for permission in right.permissions - vetoed}
    return given


def _suffix(right: Right, level: int) -> str | None:
    if right.level == "clearance":
        return f"/{level}"
    return "/*" if right.level == "all" or level <= int(right.level) else None


def _holders(right: Right, kind: Class, local_roles: Iterable[tuple[int, str]]) -> list[str]:
    if right.scope == "dept":
        return [f"D:{kind.dept_id}:{right.role}"] if kind.dept_id else []
    return [f"R:{right.role}", *(f"L:{number}" for number, role in local_roles if role == right.role)]


def vetoed_by(overlay: int) -> frozenset[P]:
    return vetoes().get(Overlay(overlay), frozenset())


@dataclass(frozen=True)
class Rule:
    """Whether `actor` holds `permission`, as of `now`: once as a question, once as SQL."""

    actor: Actor
    permission: P
    now: datetime

    @property
    def _grant_permissions(self) -> tuple[P, ...]:
        return HIGHER_TIERS.get(self.permission, (self.permission,))

    @property
    def _vetoing(self) -> list[int]:
        return [int(overlay) for overlay, taken in vetoes().items() if self.permission in taken]

    def classes(self, state: str | None = None) -> Select[int]:
        """The access classes whose tokens this actor holds; with `state`, those of nodes that are in it."""
        found = select(AccessToken.class_id).where(
            AccessToken.permission == self.permission, _carried_by(self.actor)
        )
        if state is None:
            return found
        found = found.join(AccessClass, AccessClass.id == AccessToken.class_id)
        return found.join(Policy, Policy.id == AccessClass.policy_id).where(Policy.state == state)

    def _live(self) -> ColumnElement[bool]:
        return and_(
            AccessGrant.principal_id.in_(sorted(self.actor.principals)),
            AccessGrant.permission.in_(self._grant_permissions),
            AccessGrant.valid_from <= self.now,
            AccessGrant.valid_until > self.now,
            _opens_in(self.actor),
        )

    def granted(self) -> Select[int]:
        """The nodes that a grant in force opens: the granted node and everything below it, up to its level."""
        top, below = aliased(Node), aliased(Node)
        statement = (
            select(below.id)
            .select_from(AccessGrant)
            .join(top, top.id == AccessGrant.node_id)
            .join(below, and_(below.path >= top.path, below.path < branch_end(top.path)))
            .where(self._live(), below.level <= AccessGrant.max_level)
        )
        if self._vetoing:
            statement = statement.where(below.overlay.not_in(self._vetoing))
        return statement

    def clause(self, closed: Iterable[tuple[str, str]] = (), state: str | None = None, *,
               everywhere: bool = False) -> ColumnElement[bool]:  # fmt: skip
        """The filter on Node: what this actor may, and nothing for nobody; with `state`, of the nodes in it.

        `everywhere`: nothing else narrows the search, so the rows may be looked up by their class.
        """
        if self.actor.principal_id is None:
            return false()
        column = Node.access_class if everywhere else Checked(Node.access_class)
        allowed: ColumnElement[bool] = column.in_(self.classes(state))
        if self.actor.has_grants:
            allowed = or_(allowed, Node.id.in_(self.granted()))
        if state is not None:
            allowed = and_(allowed, Node.state == state)
        shut = [and_(Node.path >= start, Node.path < end) for start, end in closed]
        return and_(allowed, not_(or_(*shut))) if shut else allowed


def _carried_by(actor: Actor) -> ColumnElement[bool]:
    """That the token of a row is one of the actor's."""
    return AccessToken.token.in_(sorted(actor.tokens))


def _opens_in(actor: Actor) -> ColumnElement[bool]:
    """That a grant is not of the reading room, or of this very session of the actor there."""
    return or_(AccessGrant.session_id.is_(None), AccessGrant.session_id == actor.session_id)


def branch_end(path: Any) -> ColumnElement[str]:
    """The first path after all below `path`: a branch is the range from its path to here."""
    return func.substr(path, 1, func.length(path) - 1) + "0"


NO_CLASS = 0
_CLOSED = select(ClosedBranch.path_from, ClosedBranch.path_end)
_CLOSED_BESIDE = select(literal(NO_CLASS), ClosedBranch.path_from, ClosedBranch.path_end)


class Access:
    """What one actor may do within one transaction; classes and grants are read once."""

    def __init__(self, session: Session, actor: Actor, now: datetime) -> None:
        self._session, self._actor, self._now = session, actor, now
        self._classes: dict[int, frozenset[P]] = {}
        self._admitting: dict[P, frozenset[int]] = {}
        self._clauses: dict[tuple[P, str | None, bool], ColumnElement[bool]] = {}
        self._closed: list[tuple[str, str]] | None = None
        self._grants: list[tuple[str, P, int]] | None = None

    def clause(
        self, permission: P, state: str | None = None, *, everywhere: bool = False
    ) -> ColumnElement[bool]:
        asked = (permission, state, everywhere)
        if asked not in self._clauses:
            rule = Rule(self._actor, permission, self._now)
            self._clauses[asked] = rule.clause(self.closed(), state, everywhere=everywhere)
        return self._clauses[asked]

    def classes(self, permission: P) -> frozenset[int]:
        """Ids of the classes that admit this actor, for the search filter; of the three tiers all at once."""
        if self._actor.principal_id is None:
            return frozenset()
        if permission not in self._admitting:
            self._admitting |= self._admitted(TIERS if permission in TIERS else (permission,))
        return self._admitting[permission]

    def _admitted(self, permissions: Sequence[P]) -> dict[P, frozenset[int]]:
        found: dict[P, set[int]] = {permission: set() for permission in permissions}
        held = select(AccessToken.permission, AccessToken.class_id).where(
            AccessToken.permission.in_(permissions), _carried_by(self._actor)
        )
        for permission, number in self._session.execute(held):
            found[P(permission)].add(number)
        return {permission: frozenset(numbers) for permission, numbers in found.items()}

    def granted(self, permission: P) -> list[int]:
        """Ids of the nodes that grants in force open, for the search filter."""
        if not self._actor.has_grants or self._actor.principal_id is None:
            return []
        statement = Rule(self._actor, permission, self._now).granted()
        return list(self._session.scalars(statement, execution_options={"scope": "access"}))

    def closed(self) -> list[tuple[str, str]]:
        """Branches whose classes are being worked out: closed to everybody meanwhile."""
        if self._closed is None:
            self._closed = [(start, end) for start, end in self._session.execute(_CLOSED)]
        return self._closed

    def permissions(self, node: Node) -> frozenset[P]:
        """Everything this actor may do with `node`: by class, then by grants, then what is vetoed is taken away."""
        if self._actor.principal_id is None or any(a <= node.path < b for a, b in self.closed()):
            return frozenset()
        held = set(self._by_class([node.access_class])[node.access_class])
        for path, permission, max_level in self._live_grants():
            if node.path.startswith(path) and node.level <= max_level:
                held |= _with_lower_tiers(permission)
        return frozenset(held - vetoed_by(node.overlay))

    def prepare(self, nodes: Iterable[Node]) -> None:
        """Reads the classes of many nodes in one statement, so that a list asks once and not once a row."""
        self._by_class({node.access_class for node in nodes})

    def _by_class(self, wanted: Iterable[int]) -> dict[int, frozenset[P]]:
        missing = set(wanted) - set(self._classes)
        if missing:
            found: dict[int, set[P]] = {number: set() for number in missing}
            held = (
                select(AccessToken.class_id, AccessToken.permission)
                .where(AccessToken.class_id.in_(missing), _carried_by(self._actor))
                .distinct()
            )
            for number, permission in self._with_closed(held):
                found[number].add(P(permission))
            self._classes |= {number: frozenset(permissions) for number, permissions in found.items()}
        return self._classes

    def _with_closed(self, held: Select[int, str]) -> Iterator[tuple[int, str]]:
        """What is held; in the same statement, once, the closed branches, which every answer needs too."""
        if self._closed is not None:
            yield from self._session.execute(held)
            return
        rows = self._session.execute(union_all(held.add_columns(literal("")), _CLOSED_BESIDE)).all()
        self._closed = [(start, end) for number, start, end in rows if number == NO_CLASS]
        yield from ((number, permission) for number, permission, _end in rows if number != NO_CLASS)

    def _live_grants(self) -> list[tuple[str, P, int]]:
        if self._grants is None:
            self._grants = self._read_grants() if self._actor.has_grants else []
        return self._grants

    def _read_grants(self) -> list[tuple[str, P, int]]:
        statement = (
            select(Node.path, AccessGrant.permission, AccessGrant.max_level)
            .join(Node, Node.id == AccessGrant.node_id)
            .where(
                AccessGrant.principal_id.in_(sorted(self._actor.principals)),
                AccessGrant.valid_from <= self._now,
                AccessGrant.valid_until > self._now,
                _opens_in(self._actor),
            )
        )
        rows = self._session.execute(statement, execution_options={"scope": "access"})
        return [(path, P(permission), level) for path, permission, level in rows]


def _with_lower_tiers(permission: P) -> set[P]:
    if permission in TIERS:
        return set(TIERS[: TIERS.index(permission) + 1])
    return {permission}
