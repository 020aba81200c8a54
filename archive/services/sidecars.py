"""The sidecar of a record: enough beside its bytes to rebuild it without the database (model §6)."""

from typing import Any

from sqlalchemy import case, delete, select

from archive.actor import Actor
from archive.models import Blob, Node, Outbox, Representation
from archive.policy.types import INHERITING
from archive.site import Site
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "sidecars"}
FORMAT = 1
BATCH = 200


def follow(site: Site) -> int:
    """Takes a batch out of the outbox: writes beside the bytes of each record what the database now says of it.

    Gives how many changes that were. Again is as good as once; raises StoreFull, and the batch waits.
    """
    with site.uow(Actor.system("sidecars"), readonly=True) as uow:
        due = select(Outbox.id, Outbox.node_id).where(Outbox.topic == "sidecar").order_by(Outbox.id)
        rows = uow.session.execute(due.limit(BATCH)).all()
        for home in _homes(uow, {node for _row, node in rows}):
            if said := content(uow, home):
                site.store.write_sidecar(home.uuid, said)
    if rows:
        with site.session() as session:
            session.execute(delete(Outbox).where(Outbox.id.in_([row for row, _node in rows])))
    return len(rows)


def _homes(uow: UnitOfWork, numbers: set[int]) -> list[Node]:
    """The files in whose folders the bytes of these nodes lie: an item's is its parent's."""
    home = case((Node.type.in_(INHERITING), Node.parent_id), else_=Node.id)
    wanted = select(home).where(Node.id.in_(numbers))
    return list(uow.session.scalars(select(Node).where(Node.id.in_(wanted)), execution_options=TRUSTED))


def content(uow: UnitOfWork, home: Node) -> dict[str, Any] | None:
    """The file, its items in order, and every representation with its hash; nothing where there have never been bytes."""
    branch = select(Node).where(Node.path >= home.path, Node.path < home.path_end).order_by(Node.path)
    nodes = list(uow.session.scalars(branch, execution_options=TRUSTED))
    names = {node.id: str(node.uuid) for node in nodes}
    rows = uow.session.execute(
        select(Representation, Blob)
        .join(Blob, Blob.id == Representation.blob_id)
        .where(Representation.node_id.in_(names))
        .order_by(Representation.node_id, Representation.role, Representation.seq),
        execution_options=TRUSTED,
    ).all()
    if not rows and not _keeps_bytes(uow, home):
        return None
    return {
        "format": FORMAT,
        "record": str(home.uuid),
        "nodes": [_described(node, names) for node in nodes],
        "files": [_listed(representation, blob, names) for representation, blob in rows],
    }


def _keeps_bytes(uow: UnitOfWork, home: Node) -> bool:
    """Whether bytes lie in the folder of a file, though what they belong to has moved elsewhere."""
    kept = select(Blob.id).where(Blob.record == str(home.uuid)).limit(1)
    return uow.session.scalar(kept, execution_options=TRUSTED) is not None


def _described(node: Node, names: dict[int, str]) -> dict[str, Any]:
    return {
        "uuid": str(node.uuid), "parent": names.get(node.parent_id), "type": node.type, "position": node.position,
        "title": node.title, "archival_no": node.archival_no, "state": node.state, "level": node.level_own,
        "date_from": str(node.date_from) if node.date_from else None,
        "date_to": str(node.date_to) if node.date_to else None, "fields": node.data,
    }  # fmt: skip


def _listed(representation: Representation, blob: Blob, names: dict[int, str]) -> dict[str, Any]:
    return {
        "node": names[representation.node_id], "role": representation.role, "seq": representation.seq,
        "state": representation.state, "record": blob.record, "sha256": blob.sha256, "size": blob.size, "mime": blob.mime,
        "filename": blob.filename, "created_at": representation.created_at.isoformat(),
    }  # fmt: skip


def has_files(uow: UnitOfWork, node: Node) -> bool:
    """Whether any bytes hang on a node: what has none needs no sidecar."""
    one = select(Representation.id).where(Representation.node_id == node.id).limit(1)
    return uow.session.scalar(one, execution_options=TRUSTED) is not None
