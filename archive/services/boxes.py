"""Moving bags and boxes: whatever lies in one goes along."""

from typing import Any

from sqlalchemy import select

from archive.models import Container, Holding, HoldingAct, HoldingStatus, Node
from archive.policy.permissions import P
from archive.services import holdings, places
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "boxes"}
KEEPS_ITS_STATE = frozenset({HoldingStatus.HELD, HoldingStatus.LENT, HoldingStatus.MISSING})


@action("container.moved", needs=P.HOLDING_PLACE)
def move(uow: UnitOfWork, box: Container, *, location: str) -> int:
    """Puts a bag or box on a shelf, with all that is in it; gives how many volumes were there. Raises Invalid.

    Also what the actor may not see goes along: a refusal would betray it, and the shelf would be wrong. A volume
    that is lent or missing is not in the box now: its place is kept, and nothing stands on its card.
    """
    place = places.at(uow, location)
    before, box.location_id = box.location_id, place.id
    if before != place.id:
        box.seq = places.last_seq(uow, place) + 1
    inside = (
        select(Holding, Node).join(Node, Node.id == Holding.node_id).where(Holding.container_id == box.id)
    )
    moved = 0
    for holding, node in uow.session.execute(inside, execution_options=TRUSTED).all():
        holding.location_id = place.id
        if holding.status not in KEEPS_ITS_STATE:
            was, holding.status = holding.status, HoldingStatus.SHELVED
            holdings.trace(
                uow, node, holding, HoldingAct.MOVED, before=was, place=place.code, because=box.barcode
            )
            moved += 1
    uow.note(barcode=box.barcode, location=place.code, volumes=moved)
    return moved
