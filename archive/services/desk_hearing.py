"""What a code means that is no volume, badge, slip or shelf: the volumes that people call by it. A pure lookup."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from archive.models import Container, Holding, Location, Node
from archive.policy.permissions import P
from archive.services import holdings, pinpoint
from archive.sight import NodeView, views
from archive.uow import UnitOfWork
from archive.workflow import State

MOST = 40
"""A bag or a patient with more volumes is looked through in the storeroom."""


@dataclass(frozen=True)
class Meant:
    """可能所指: one volume that may be meant, and the record that it holds."""

    barcode: str
    node_id: int
    node: NodeView
    status: State
    place: str | None


def meant(uow: UnitOfWork, code: str) -> list[Meant]:
    """The volumes in the bag or box of this barcode, else those of the 病案号, 档号 or old number; the newest stay first.

    As far as the actor handles them.
    """
    boxed = select(Container.id).where(Container.barcode == code)
    wanted: Any = (
        uow.nodes(P.REQUEST_HANDLE, Holding, Node, Location.code)
        .join(Holding, Holding.node_id == Node.id)
        .outerjoin(Location, Location.id == Holding.location_id)
    )
    box = uow.session.scalar(boxed)
    if box is not None:
        wanted = wanted.where(Holding.container_id == box)
    else:
        wanted = wanted.where(
            Node.id.in_([node.id for node in pinpoint.by_number(uow, code, P.REQUEST_HANDLE)])
        )
    rows = uow.session.execute(
        wanted.order_by(Node.date_to.desc(), Node.id.desc(), Holding.id).limit(MOST)
    ).all()
    return [
        Meant(held.barcode, node.id, view, holdings.STATUSES[held.status], place)
        for (held, node, place), view in zip(rows, views(uow, [row[1] for row in rows]), strict=True)
    ]
