"""重新索引: what else the index must be told of when a node changes: items say of carrier and period what their file says."""

from typing import Any

from sqlalchemy import select

from archive.models import Node
from archive.policy.types import CONTAINERS, INHERITING
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "reindexing"}


def with_items(uow: UnitOfWork, file: Node) -> None:
    """Puts a file and its items into the outbox: its paper is theirs, and so are its period and its place.

    Of a container only itself: what lies in it says in which container, and not where that lies.
    """
    if file.type in CONTAINERS:
        uow.enqueue("index", file)
        return
    items = select(Node.id).where(Node.parent_id == file.id, Node.type.in_(INHERITING))
    uow.enqueue_ids("index", [file.id, *uow.session.scalars(items, execution_options=TRUSTED)])


def file_above(uow: UnitOfWork, item: Node) -> None:
    """Puts the file of an item into the outbox: the pages of its items make it electronic, or no longer."""
    if item.type in INHERITING:
        uow.enqueue_ids("index", [item.parent_id])
