"""The sidecar of a record: enough beside its bytes to rebuild it without the database (model §6)."""

from typing import Any

from sqlalchemy import select

from archive import errors
from archive.models import Blob, Node, Representation
from archive.uow import UnitOfWork
from storage import StoreFull

TRUSTED: Any = {"scope": "sidecars"}
FORMAT = 1


def write(uow: UnitOfWork, home: Node) -> None:
    """Writes what the database says of a file, its items and their bytes beside the bytes. Raises Full."""
    try:
        uow.site.store.write_sidecar(home.uuid, content(uow, home))
    except StoreFull as error:
        raise errors.Full from error


def content(uow: UnitOfWork, home: Node) -> dict[str, Any]:
    """The file, its items in order, and every representation with its hash."""
    uow.session.flush()
    branch = select(Node).where(Node.path >= home.path, Node.path < home.path_end).order_by(Node.path)
    nodes = list(uow.session.scalars(branch, execution_options=TRUSTED))
    names = {node.id: str(node.uuid) for node in nodes}
    rows = uow.session.execute(
        select(Representation, Blob)
        .join(Blob, Blob.id == Representation.blob_id)
        .where(Representation.node_id.in_(names))
        .order_by(Representation.node_id, Representation.role, Representation.seq),
        execution_options=TRUSTED,
    )
    return {
        "format": FORMAT,
        "record": str(home.uuid),
        "nodes": [_described(node, names) for node in nodes],
        "files": [_listed(representation, blob, names) for representation, blob in rows],
    }


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
