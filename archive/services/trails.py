"""Following one record through the journals: everything by which an event may speak of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, cast, or_, select, union

from archive.models import (
    AccessGrant,
    Emergency,
    Encounter,
    Holding,
    ImportRow,
    Job,
    Node,
    Patient,
    Record,
    Request,
)
from archive.numbering import normalised
from archive.services.emergencies import CAUSE
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "trails"}
"""The auditor knows records by their numbers alone; nothing but numbers is read here."""
PARTS = 500


@dataclass(frozen=True)
class Trail:
    """轨迹: the ids of a record, its papers, volumes, requests and jobs; where it is gone, the code that it had."""

    text: str
    things: dict[str, list[int]] = field(default_factory=dict)
    listed: int | None = None

    @property
    def is_known(self) -> bool:
        return bool(self.things)

    def clause(self, event: Any) -> ColumnElement[bool]:
        """Which events speak of it."""
        about = [
            and_(event.object_kind == kind, event.object_id.in_(ids))
            for kind, ids in self.things.items()
            if ids
        ]
        if self.listed is not None:
            about.append(_shown(event, self.listed))
        return or_(*about) if about else event.object_ref == self.text


def _shown(event: Any, number: int) -> ColumnElement[bool]:
    """The number stands in the list of those shown, which both databases keep as the text [1, 2, 3]."""
    text = cast(event.shown, String)
    forms = (f"[{number}]", f"[{number},%", f"%, {number},%", f"%, {number}]")
    return or_(*(text.like(form) for form in forms))


def of(uow: UnitOfWork, text: str, *, with_lists: bool = False) -> Trail:
    """The trail of a record by its archival number, a barcode, its uuid or 病案号-次."""
    number = _find(uow, text)
    if number is None:
        return Trail(text)
    path, end = _range(uow, number)
    parts = select(Node.id).where(Node.path >= path, Node.path < end).order_by(Node.path).limit(PARTS)
    nodes = _ids(uow, parts) if end else [number]
    things = {
        "node": nodes,
        "holding": _ids(uow, select(Holding.id).where(Holding.node_id.in_(nodes))),
        "request": _ids(uow, select(Request.id).where(Request.node_id.in_(nodes))),
        "job": _jobs(uow, nodes),
        "emergency": _ids(uow, _emergencies(nodes)),
    }
    return Trail(text, things, number if with_lists else None)


def _emergencies(nodes: list[int]) -> Any:
    """Those that opened any of it: their numbers stand in the grants."""
    granted = (AccessGrant.cause == CAUSE, AccessGrant.node_id.in_(nodes))
    return (
        select(Emergency.id).join(AccessGrant, AccessGrant.ref == Emergency.number).where(*granted).distinct()
    )


def _ids(uow: UnitOfWork, statement: Any) -> list[int]:
    return list(uow.session.scalars(statement, execution_options=TRUSTED))


def _find(uow: UnitOfWork, text: str) -> int | None:
    for condition in _meanings(text):
        found: int | None = uow.session.scalar(condition, execution_options=TRUSTED)
        if found is not None:
            return found
    return None


def _meanings(text: str) -> Iterable[Any]:
    """What a code may be, the surest first."""
    try:
        yield select(Node.id).where(Node.uuid == UUID(text))
    except ValueError:
        yield select(Node.id).where(Node.archival_no == normalised(text))
        yield select(Holding.node_id).where(Holding.barcode == text.strip().upper())
        mrn, _dash, times = text.strip().partition("-")
        if times.isdecimal() and len(times) < 4:
            yield (
                select(Record.node_id)
                .join(Encounter, Encounter.id == Record.encounter_id)
                .join(Patient, Patient.id == Encounter.patient_id)
                .where(Patient.mrn == mrn, Encounter.times == int(times))
            )


def _range(uow: UnitOfWork, number: int) -> tuple[str, str]:
    """The paths of a record and its papers; of a folder nothing but itself."""
    row = uow.session.execute(
        select(Node.path, Node.workflow).where(Node.id == number), execution_options=TRUSTED
    ).one()
    return (row[0], "") if row[1] == "container" else (row[0], f"{row[0][:-1]}0")


def _jobs(uow: UnitOfWork, nodes: list[int]) -> list[int]:
    """Jobs on the record itself, and the import that made it."""
    made = select(ImportRow.job_id).where(ImportRow.kind == "node", ImportRow.target_id.in_(nodes))
    return _ids(uow, union(select(Job.id).where(Job.node_id.in_(nodes)), made))
