"""Putting back what an import changed, where nobody has changed it since."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import update

from archive.db import executed
from archive.errors import ArchiveError
from archive.models import ImportRow, Membership, Node, Patient, Principal
from archive.names import name_key
from archive.services import tree
from archive.services.attempts import attempt
from archive.services.imports.persons import thawed
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "imports", "synchronize_session": False}


def restore(uow: UnitOfWork, row: ImportRow) -> bool:
    """Puts one thing back as it was; gives whether it could."""
    return RESTORERS[row.kind](uow, row.target_id, dict(row.before or {}))


def _node(uow: UnitOfWork, number: int, before: dict[str, Any]) -> bool:
    node = uow.session.get(Node, number, execution_options=TRUSTED)
    if node is None or node.version != before["version"]:
        return False
    try:
        with attempt(uow):
            tree.edit(uow, node, fields=before["fields"], version=node.version)
    except ArchiveError:
        return False
    return True


def _patient(uow: UnitOfWork, number: int, before: dict[str, Any]) -> bool:
    version = before.pop("version")
    values = thawed(before) | {"version": version + 1}
    statement = update(Patient).where(Patient.id == number, Patient.version == version).values(**values)
    return _changed_one(uow, statement)


def _name(uow: UnitOfWork, number: int, before: dict[str, Any]) -> bool:
    values = {"name": before["name"], "name_key": name_key(before["name"])}
    unchanged = update(Principal).where(Principal.id == number, Principal.name == before["now"])
    return _changed_one(uow, unchanged.values(**values))


def _changed_one(uow: UnitOfWork, statement: Any) -> bool:
    return bool(executed(uow.session, statement, TRUSTED).rowcount)


def _membership(uow: UnitOfWork, number: int, before: dict[str, Any]) -> bool:
    member = uow.session.get(Membership, number)
    present = member.valid_to.isoformat() if member and member.valid_to else None
    if member is None or present != before["now"]:
        return False
    member.valid_to = datetime.fromisoformat(before["valid_to"]) if before["valid_to"] else None
    return True


RESTORERS: dict[str, Callable[[UnitOfWork, int, dict[str, Any]], bool]] = {
    "node": _node, "patient": _patient, "principal": _name, "membership": _membership,
}  # fmt: skip
