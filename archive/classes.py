"""Keeps each node's access class true: classifies nodes, and branches set-based."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    case,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from archive.class_tokens import batched, expand
from archive.db import executed
from archive.models import (
    ROOT_ID,
    AccessClass,
    Counter,
    Node,
    Policy,
    SecurityEpoch,
    Setting,
)
from archive.policy.rights import checksum

TRUSTED: Any = {"scope": "classes", "synchronize_session": False}
"""This module works on the whole tree, for nobody in particular."""

LOCK = 5_000_001
"""Number of the advisory lock on PostgreSQL."""
Context = tuple[int, ...]
CONTEXT = (
    AccessClass.scope_id,
    AccessClass.policy_id,
    AccessClass.level,
    AccessClass.dept_id,
    AccessClass.overlay,
)
READ_AGAIN = ("path", "depth", "scope_id", "level", "overlay", "state", "dept_id", "year")


def alone(session: Session, *nodes: Node) -> None:
    """Before a branch changes: nobody adds to a branch or changes one until this transaction has ended.

    `nodes` are read again. Whoever added below them meanwhile would hand down what is no longer true.
    """
    session.flush()
    _wait(session, func.pg_advisory_xact_lock(LOCK), nodes)


def beside(session: Session, parent: Node) -> None:
    """Before a node is added below `parent`: no branch changes until this transaction has ended; others may add too."""
    _wait(session, func.pg_advisory_xact_lock_shared(LOCK), (parent,))


def _wait(session: Session, lock: ColumnElement[Any], nodes: Iterable[Node]) -> None:
    if session.get_bind().dialect.name != "postgresql":  # SQLite has one writer at a time
        return
    session.execute(select(lock))
    for node in nodes:
        session.refresh(node, READ_AGAIN)


def policy_id(session: Session, kind: str, workflow: str, state: str) -> int:
    """The interned (type, workflow, state)."""
    known = select(Policy.id).where(Policy.type == kind, Policy.workflow == workflow, Policy.state == state)
    number, _new = _interned(session, known, Policy(type=kind, workflow=workflow, state=state))
    return number


def _interned(session: Session, known: Select[Any], row: Policy | AccessClass) -> tuple[int, bool]:
    """The id of `row`, which is written unless it is there already; and whether it is new."""
    found = session.scalar(known)
    if found is not None:
        return found, False
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # another transaction has just written it
        return session.scalars(known).one(), False
    return row.id, True


def classify(session: Session, node: Node, parent: Node) -> None:
    """Gives one node without descendants its class; the caller flushes. A new node is its parent's child already."""
    node.level = max(node.level_own, parent.level)
    node.overlay = max(node.overlay_own, parent.overlay)
    node.policy_id = policy_id(session, node.type, node.workflow, node.state)
    node.scope_id = node.id if node.shared or not node.inherits else parent.scope_id
    context = (node.scope_id or 0, node.policy_id, node.level, node.dept_id or 0, node.overlay)
    node.access_class = _intern(session, {context})[context]
    announce(session, node.path, f"{node.path}0")  # before the path of any child


def handed_down(node: Node) -> tuple[int | None, int, int]:
    """What everything below a node takes from it. Where this stays as it was, no class below changes."""
    return node.scope_id, node.level, node.overlay


@dataclass(frozen=True)
class Worked:
    """What it came to: how many nodes got another class, and which of them another level."""

    count: int
    relevelled: list[int]


def classify_branch(session: Session, top: Node) -> Worked:
    """Classifies `top` and everything below it, one UPDATE a level of the tree; and brings the classes of its scopes
    into line. Whoever knows the level from elsewhere, the index before all, must be told of what was `relevelled`.
    """
    alone(session, top)
    deepest = (
        session.scalar(select(func.max(Node.depth)).where(_below(top)), execution_options=TRUSTED)
        or top.depth
    )
    _inherit_policies(session, top)
    done = [_classify_level(session, top, depth) for depth in range(top.depth, deepest + 1)]
    expand(session, _classes_of_scopes(session, top))
    announce(session, top.path, top.path_end)
    session.expire_all()
    return Worked(sum(one.count for one in done), [number for one in done for number in one.relevelled])


def _below(top: Node) -> Any:
    return and_(Node.path >= top.path, Node.path < top.path_end)


def _inherit_policies(session: Session, top: Node) -> None:
    kinds = session.execute(
        select(Node.type, Node.workflow, Node.state).where(_below(top)).distinct(), execution_options=TRUSTED
    ).all()
    for kind in kinds:
        number = policy_id(session, *kind)
        session.execute(
            update(Node)
            .where(_below(top), Node.type == kind[0], Node.workflow == kind[1], Node.state == kind[2])
            .where(or_(Node.policy_id.is_(None), Node.policy_id != number))
            .values(policy_id=number),
            execution_options=TRUSTED,
        )


def _classify_level(session: Session, top: Node, depth: int) -> Worked:
    """One level of the tree takes what it inherits from the level above; a row that stays as it is, is not written."""
    own, kind = cast(Table, Node.__table__), AccessClass.__table__
    parent = own.alias()
    mine = and_(
        own.c.parent_id == parent.c.id, own.c.depth == depth, own.c.id != ROOT_ID,
        own.c.path >= top.path, own.c.path < top.path_end,
    )  # fmt: skip
    level = case((own.c.level_own > parent.c.level, own.c.level_own), else_=parent.c.level)
    overlay = case((own.c.overlay_own > parent.c.overlay, own.c.overlay_own), else_=parent.c.overlay)
    scope = case((or_(own.c.shared, own.c.inherits.is_(False)), own.c.id), else_=parent.c.scope_id)
    dept = func.coalesce(own.c.dept_id, 0)
    wanted = select(scope, own.c.policy_id, level, dept, overlay).where(mine).distinct()
    _intern(session, {tuple(row) for row in session.execute(wanted, execution_options=TRUSTED)})
    other = select(own.c.id).where(mine, own.c.level != level)
    relevelled = list(session.scalars(other, execution_options=TRUSTED))
    changed = (
        own.update()
        .where(mine, kind.c.scope_id == scope, kind.c.policy_id == own.c.policy_id, kind.c.level == level)
        .where(kind.c.dept_id == dept, kind.c.overlay == overlay, kind.c.id != own.c.access_class)
        .values(level=level, overlay=overlay, scope_id=scope, access_class=kind.c.id)
    )
    return Worked(executed(session, changed, TRUSTED).rowcount, relevelled)


def _intern(session: Session, contexts: set[Context]) -> dict[Context, int]:
    """The class numbers of these contexts; new ones are made and expanded."""
    numbers: dict[Context, int] = {}
    for part in batched(sorted(contexts)):
        rows = session.execute(select(AccessClass.id, *CONTEXT).where(tuple_(*CONTEXT).in_(part)))
        numbers |= {tuple(context): number for number, *context in rows}
    fresh = []
    for context in contexts - numbers.keys():
        known = select(AccessClass.id).where(*(a == b for a, b in zip(CONTEXT, context, strict=True)))
        row = AccessClass(**{column.key: value for column, value in zip(CONTEXT, context, strict=True)})
        numbers[context], new = _interned(session, known, row)
        fresh += [numbers[context]] if new else []
    expand(session, fresh)
    return numbers


def expand_below(session: Session, top: Node) -> int:
    """After sharing changed at an existing scope: rewrites class rows only, never nodes, never the index.

    The caller is `alone`.
    """
    count = expand(session, _classes_of_scopes(session, top))
    announce(session)
    return count


def _classes_of_scopes(session: Session, top: Node) -> list[int]:
    """The classes of the scopes in a branch; ix_node_scope leads to these, whatever else there is below."""
    scopes = select(Node.id).where(_below(top), or_(Node.shared, Node.inherits.is_(False)))
    found = select(AccessClass.id).where(AccessClass.scope_id.in_(scopes))
    return list(session.scalars(found, execution_options=TRUSTED))


def announce(session: Session, start: str = "", end: str = "") -> None:
    """Writes into the epoch that the classes of the nodes between two paths have changed; without paths, class rows."""
    session.execute(insert(SecurityEpoch), [{"path_from": start, "path_end": end}])


def refresh_policy(session: Session) -> int:
    """Expands every class again when the matrix or the vetoes have changed since; gives how many classes."""
    current = checksum()
    stored = session.get(Setting, "rights.checksum")
    if stored is not None and stored.value == current:
        return 0
    alone(session)
    count = expand(session, list(session.scalars(select(AccessClass.id))))
    session.merge(Setting(name="rights.checksum", value=current))
    announce(session)
    return count


def reserve_node_ids(session: Session, count: int = 1) -> list[int]:
    """Fresh node ids, so that paths are known before the rows are written. Never given twice."""
    if session.get_bind().dialect.name == "postgresql":
        drawn = session.scalars(
            text("SELECT nextval('node_id_seq') FROM generate_series(1, :count)"), {"count": count}
        )
        return list(drawn)
    last = session.scalar(
        update(Counter)
        .where(Counter.name == "node.id")
        .values(value=Counter.value + count)
        .returning(Counter.value)
    )
    if last is None:
        raise LookupError("the counter node.id is missing: the database was not initialised")
    return list(range(last - count + 1, last + 1))


def start_node_ids(session: Session) -> None:
    """The first id after the sentinel root."""
    session.add(Counter(name="node.id", value=ROOT_ID))
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT setval('node_id_seq', :root)"), {"root": ROOT_ID})
