"""What each role finds on coming in: their own work, and nothing that they may not see."""

from typing import Any

from sqlalchemy import Select, or_, select

from archive.models import AccessGrant, LocalRole, Node
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.sight import NodeView, views
from archive.uow import UnitOfWork


def _inspected(uow: UnitOfWork) -> Select[Any]:
    """What stands in a list of its own: the batches of an inspector."""
    return select(AccessGrant.node_id).where(
        AccessGrant.principal_id == uow.actor.principal_id, AccessGrant.cause == "inspection",
        AccessGrant.valid_from <= uow.now, AccessGrant.valid_until > uow.now,
    )  # fmt: skip


def readable_now(uow: UnitOfWork, most: int = 10) -> list[NodeView]:
    """What a grant or a share of one's own opens at this moment: whoever has no branch to browse begins here."""
    actor = uow.actor
    if not actor.has_grants and not actor.local_roles:
        return []
    shared = select(LocalRole.node_id).where(LocalRole.id.in_(sorted(actor.local_roles)))
    opened = or_(Node.id.in_(uow.access.granted(P.READ)), Node.id.in_(shared))
    statement = uow.nodes(P.READ).where(
        opened,
        or_(
            Node.workflow != "inherited", Node.id.in_(select(AccessGrant.node_id))
        ),  # a component that was granted by itself
        Node.overlay != int(Overlay.TRASHED),
        Node.id.not_in(_inspected(uow)),
    )
    return views(uow, uow.list(statement.order_by(Node.updated_at.desc()).limit(most)))
