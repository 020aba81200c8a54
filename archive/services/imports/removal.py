"""Removing what an import made, as far as nothing points to it and nobody has changed it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import and_, delete, exists, or_, select

from archive.db import Base
from archive.models import (
    BasketItem,
    Container,
    Encounter,
    Holding,
    HoldingEvent,
    Membership,
    Milestone,
    Node,
    NodeVersion,
    Patient,
    PatientAlias,
    Principal,
    Record,
    User,
)
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "imports", "synchronize_session": False}
OF_A_NODE: tuple[Any, ...] = (NodeVersion, Milestone, Record, Holding, BasketItem)
"""What an import writes with a node, and removes with it; and that somebody has chosen it."""

Remove = Callable[[UnitOfWork, Sequence[int]], set[int]]
"""Given ids, removes those that are free and gives them."""


def referenced(uow: UnitOfWork, model: Any, ids: Iterable[int], *, but: Sequence[Any] = ()) -> set[int]:
    """Which rows of `model` any table points to, whichever tables there are; `but` those of these models."""
    wanted, own = list(ids), {other.__table__ for other in but}
    found: set[int] = set()
    for table in Base.metadata.sorted_tables:
        for key in (
            key for key in table.foreign_keys if key.column.table is model.__table__ and table not in own
        ):
            pointing = select(key.parent).where(key.parent.in_(wanted)).distinct()
            found.update(uow.session.scalars(pointing, execution_options=TRUSTED))
    return found


def _nodes(uow: UnitOfWork, ids: Sequence[int]) -> set[int]:
    """Files first, then the folders that were made for them."""
    folders = select(Node.id).where(Node.id.in_(ids), Node.workflow == "container")
    series = set(uow.session.scalars(folders, execution_options=TRUSTED))
    return _free_nodes(uow, set(ids) - series) | _free_nodes(uow, series)


def _free_nodes(uow: UnitOfWork, ids: Iterable[int]) -> set[int]:
    """Nodes of which nothing has been said, and on which nothing has been hung, since they were made."""
    late = exists().where(Milestone.node_id == Node.id, Milestone.at != Node.created_at)
    # Correlated by hand: left alone, the innermost query would look at every node.
    moved = (
        exists()
        .where(HoldingEvent.holding_id == Holding.id, HoldingEvent.at != Node.created_at)
        .correlate(Holding, Node)
    )
    handled = exists().where(Holding.node_id == Node.id, or_(Holding.version != 1, moved))
    as_made = or_(Node.version == 1, and_(Node.type == "series", Node.version == 2))
    untouched = select(Node.id).where(
        Node.id.in_(ids), as_made, Node.updated_at == Node.created_at, Node.overlay_own == 0, Node.hold_count == 0,
        Node.page_count == 0, ~Node.shared, Node.inherits, ~late, ~handled,
    )  # fmt: skip
    free = set(uow.session.scalars(untouched, execution_options=TRUSTED))
    free -= referenced(uow, Node, free, but=OF_A_NODE)
    held = select(Holding.id, Holding.node_id).where(Holding.node_id.in_(free))
    carried: dict[int, int] = dict(uow.session.execute(held, execution_options=TRUSTED).all())
    free -= {carried[number] for number in referenced(uow, Holding, carried, but=(HoldingEvent,))}
    _delete_nodes(uow, free, [number for number, node in carried.items() if node in free])
    return free


def _delete_nodes(uow: UnitOfWork, nodes: Iterable[int], volumes: Iterable[int]) -> None:
    uow.session.execute(
        delete(HoldingEvent).where(HoldingEvent.holding_id.in_(volumes)), execution_options=TRUSTED
    )
    for model in OF_A_NODE:
        uow.session.execute(delete(model).where(model.node_id.in_(nodes)), execution_options=TRUSTED)
    uow.session.execute(delete(Node).where(Node.id.in_(nodes)), execution_options=TRUSTED)
    uow.enqueue_ids("index", sorted(nodes))


def _rows_of(model: Any, *, untouched: Any = None, with_its: Any = None) -> Remove:
    """Removes rows of a table that nothing points to; before them those of `with_its`, which hang on them."""

    def remove(uow: UnitOfWork, ids: Sequence[int]) -> set[int]:
        free = select(model.id).where(model.id.in_(ids))
        if untouched is not None:
            free = free.where(untouched)
        found = set(uow.session.scalars(free, execution_options=TRUSTED))
        found -= referenced(uow, model, found, but=[with_its] if with_its else ())
        if with_its is not None:
            key = next(
                key.parent for key in with_its.__table__.foreign_keys if key.column.table is model.__table__
            )
            uow.session.execute(delete(with_its).where(key.in_(found)), execution_options=TRUSTED)
        uow.session.execute(delete(model).where(model.id.in_(found)), execution_options=TRUSTED)
        return found

    return remove


def _users(uow: UnitOfWork, ids: Sequence[int]) -> set[int]:
    """People who have neither a password nor a role yet, and have done nothing."""
    idle = select(User.id).where(User.id.in_(ids), User.version == 1, User.password.is_(None))
    free = set(uow.session.scalars(idle))
    free -= referenced(uow, User, free) | referenced(uow, Principal, free, but=(User, Membership))
    uow.session.execute(
        delete(Membership).where(Membership.principal_id.in_(free)), execution_options=TRUSTED
    )
    for model in (User, Principal):
        uow.session.execute(delete(model).where(model.id.in_(free)), execution_options=TRUSTED)
    return free


REMOVERS: dict[str, Remove] = {
    "node": _nodes,
    "holding": _rows_of(Holding, untouched=Holding.version == 1, with_its=HoldingEvent),
    "container": _rows_of(Container),
    "encounter": _rows_of(Encounter),
    "alias": _rows_of(PatientAlias),
    "patient": _rows_of(Patient, untouched=Patient.version == 1),
    "membership": _rows_of(Membership),
    "user": _users,
    "principal": _rows_of(Principal),
}
"""By the kinds of things that an import notes."""
