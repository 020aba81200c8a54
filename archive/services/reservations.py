"""预约排队: who is to have the paper of a record, in which order. The approved requests are the queue; it has no table."""

from dataclasses import dataclass

from archive.models import Node, Principal, Request, User
from archive.services import slips
from archive.uow import UnitOfWork


@dataclass(frozen=True)
class Turn:
    """排队号: one person's place in the queue of a record."""

    request: Request
    name: str
    staff_no: str

    @property
    def number(self) -> str:
        return self.request.number

    @property
    def requester(self) -> str:
        return self.name


def turns(uow: UnitOfWork, node: Node) -> list[Turn]:
    """Who may collect paper of a record, and who has some of it already, as far as the actor handles it."""
    wanted = (
        slips.visible(uow, Request, Principal.name, User.staff_no)
        .join(Principal, Principal.id == Request.requester_id)
        .outerjoin(User, User.id == Principal.id)
        .where(slips.handled(uow), Request.node_id == node.id, Request.state.in_(("approved", "lent")))
        .order_by(Request.decided_at, Request.id)
    )
    return [Turn(request, name, number or "") for request, name, number in uow.session.execute(wanted)]


def waiting(uow: UnitOfWork, node: Node) -> list[Turn]:
    """Who has nothing of it yet, the first in line first."""
    return [turn for turn in turns(uow, node) if turn.request.state == "approved"]
