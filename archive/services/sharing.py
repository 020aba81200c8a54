"""Sharing: local roles with inherit and block; who may see a node, and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from archive import classes
from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import ClosedBranch, LocalRole, Node, Principal
from archive.policy.permissions import P
from archive.policy.roles import ROLES
from archive.sight import ids_of
from archive.services import tree
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "sharing"}
INLINE = 20_000
"""Branches up to this many nodes are classified in the same transaction; larger ones by a job."""


@dataclass(frozen=True)
class Share:
    """One local role as the sharing page shows it: whose, which, from where, until when."""

    id: int
    principal: str
    kind: str
    role: str
    cause: str
    until: datetime | None
    inherited_from: str | None


def shares(uow: UnitOfWork, node: Node) -> list[Share]:
    """The local roles that hold on a node: its own first, then those of its ancestors up to a block."""
    uow.require(P.SHARE, node)
    chain = uow.session.execute(
        select(Node.id, Node.inherits, Node.title).where(Node.id.in_(ids_of(node.path))).order_by(Node.depth.desc()),
        execution_options=TRUSTED,
    ).all()
    found: list[Share] = []
    for number, inherits, title in chain:
        rows = uow.session.execute(
            select(LocalRole, Principal).join(Principal, Principal.id == LocalRole.principal_id)
            .where(LocalRole.node_id == number).order_by(Principal.name_key)
        )  # fmt: skip
        found += [
            Share(row.id, who.name, who.kind, str(ROLES[row.role].title), row.cause, row.expires_at,
                  title if number != node.id else None)
            for row, who in rows
        ]  # fmt: skip
        if not inherits:
            break
    return found


@action("node.shared", needs=P.SHARE)
def share(uow: UnitOfWork, node: Node, *, principal_id: int, role: str, cause: str = "", until: datetime | None = None) -> None:
    """Gives a local role on a branch. Raises Invalid for a role that is not local, Conflict for one that is there."""
    if role not in ROLES or not ROLES[role].local:
        raise Invalid(fields={"role": _("Choose one of the list.")})
    if uow.session.get(Principal, principal_id) is None:
        raise Invalid(fields={"principal": _("Choose a person, a group or a department.")})
    known = select(LocalRole.id).where(
        LocalRole.node_id == node.id, LocalRole.principal_id == principal_id, LocalRole.role == role
    )
    if uow.session.scalar(known) is not None:
        raise Conflict(_("They have this role here already."))
    uow.session.add(
        LocalRole(node_id=node.id, principal_id=principal_id, role=role, cause=cause, granted_by=uow.actor.principal_id,
                  granted_at=uow.now, expires_at=until)
    )  # fmt: skip
    uow.note(principal=principal_id, role=role, until=until, cause=cause)
    _settle(uow, node, was_scope=node.shared or not node.inherits)


@action("node.unshared", needs=P.SHARE)
def unshare(uow: UnitOfWork, node: Node, *, share_id: int) -> None:
    """Takes a local role away. It is gone at once: nobody holds the token of a row that does not exist."""
    row = uow.session.get(LocalRole, share_id)
    if row is None or row.node_id != node.id:
        raise Conflict(_("This share is gone already. Reload the page."))
    uow.note(principal=row.principal_id, role=row.role)
    uow.session.delete(row)
    _settle(uow, node, was_scope=node.shared or not node.inherits)


@action("node.inheritance_changed", needs=P.SHARE)
def set_inheritance(uow: UnitOfWork, node: Node, *, inherits: bool) -> None:
    """Lets the local roles of ancestors hold here, or blocks them."""
    if node.inherits == inherits:
        return
    was_scope = node.shared or not node.inherits
    node.inherits = inherits
    uow.note(inherits=inherits)
    _settle(uow, node, was_scope=was_scope)


def _settle(uow: UnitOfWork, node: Node, *, was_scope: bool) -> None:
    """At a scope that stays, class rows are rewritten; a new or vanished scope reclassifies the branch."""
    uow.session.flush()
    own = select(func.count(LocalRole.id)).where(LocalRole.node_id == node.id)
    node.shared = bool(uow.session.scalar(own))
    uow.session.flush()
    if was_scope and (node.shared or not node.inherits):
        classes.expand_below(uow.session, node)
    elif _is_large(uow, node):
        uow.session.add(ClosedBranch(path_from=node.path, path_end=node.path_end))
        uow.job("branch.classify", node=node, priority=1)
    else:
        tree.reclassify(uow, node)
        classes.expand_below(uow.session, node)


def _is_large(uow: UnitOfWork, node: Node) -> bool:
    below = select(Node.id).where(Node.path >= node.path, Node.path < node.path_end).limit(INLINE + 1).subquery()
    return (uow.session.scalar(select(func.count()).select_from(below), execution_options=TRUSTED) or 0) > INLINE


def classify_closed(uow: UnitOfWork, node: Node) -> int:
    """The job of a large branch: classifies it, then opens it again. Gives how many nodes."""
    count = classes.classify_branch(uow.session, node)
    classes.expand_below(uow.session, node)
    for closed in uow.session.scalars(select(ClosedBranch).where(ClosedBranch.path_from == node.path)):
        uow.session.delete(closed)
    return count
