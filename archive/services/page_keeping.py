"""Before nodes are deleted for good: no page that stands elsewhere loses its file, and no file that stays loses a page."""

from typing import Any

from sqlalchemy import func, select, update

from archive.models import Node, Page, Representation
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "page_keeping", "synchronize_session": False}


def pages_of(numbers: list[int]) -> Any:
    """The pages that go with these nodes, once `leave` has parted them from the others: those of their files."""
    return Page.representation_id.in_(select(Representation.id).where(Representation.node_id.in_(numbers)))


def leave(uow: UnitOfWork, numbers: list[int]) -> None:
    """A file of which a page stands in another node goes over to that; another's page that stands here is set aside there."""
    _hand_over(uow, numbers)
    going = select(Page.id).where(pages_of(numbers))
    theirs = (
        select(Representation.node_id).where(Representation.id == Page.representation_id).scalar_subquery()
    )
    here = func.coalesce(Page.node_id, Page.aside_of_id).in_(numbers)
    aside = update(Page).where(here, Page.id.not_in(going)).values(node_id=None, aside_of_id=theirs)
    uow.session.execute(aside, execution_options=TRUSTED)
    uow.session.execute(
        update(Page).where(Page.superseded_by_id.in_(going)).values(superseded_by_id=None),
        execution_options=TRUSTED,
    )


def _hand_over(uow: UnitOfWork, numbers: list[int]) -> None:
    stands = func.coalesce(Page.node_id, Page.aside_of_id)
    elsewhere = uow.session.execute(
        select(Representation, func.min(stands))
        .join(Page, Page.representation_id == Representation.id)
        .where(Representation.node_id.in_(numbers), stands.not_in(numbers))
        .group_by(Representation.id),
        execution_options=TRUSTED,
    )
    for file, node in elsewhere.all():
        same = (Representation.node_id == node, Representation.role == file.role)
        last = uow.session.scalar(
            select(func.max(Representation.seq)).where(*same), execution_options=TRUSTED
        )
        file.node_id, file.seq = node, (last or 0) + 1
        uow.session.flush()
        uow.enqueue("sidecar", uow.session.get_one(Node, node, execution_options=TRUSTED))
