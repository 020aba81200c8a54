"""按号码、姓名直达: what people call a thing, looked up in the database itself, each name at its own tier."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from archive.models import Container, Encounter, Holding, Node, Patient, Record
from archive.numbering import normalised
from archive.policy.permissions import P
from archive.services import patient_names
from archive.services.entries import searchable
from archive.uow import UnitOfWork

MOST = 50
SHORTEST, LONGEST = 2, 120


def by_number(uow: UnitOfWork, text: str) -> list[Node]:
    """What has exactly this 档号, barcode, 病案号 (with or without 次) or old number, as far as one may know of it.

    Every number has a figure in it, if only 一: words without one cost nothing.
    """
    typed = text.strip()
    if not SHORTEST <= len(typed) <= LONGEST or not any(map(str.isnumeric, typed)):
        return []
    found: dict[int, Node] = {}
    for condition in _numbers(typed):
        statement = uow.nodes(P.DISCOVER).where(searchable(), condition)
        found |= {node.id: node for node in uow.list(_newest_first(statement).limit(MOST))}
    return list(found.values())


def _numbers(typed: str) -> Iterator[ColumnElement[bool]]:
    yield Node.archival_no == normalised(typed)
    code = patient_names.folded(typed)
    carried = select(Holding.node_id).outerjoin(Container, Container.id == Holding.container_id)
    yield Node.id.in_(carried.where(or_(Holding.barcode == code, Container.barcode == code)))
    way, times = patient_names.by_number(typed), patient_names.times_of(typed)
    stays = records_of(way.condition)
    yield Node.id.in_(stays.where(Encounter.times == times) if times is not None else stays)


def by_name(uow: UnitOfWork, text: str, most: int = MOST) -> list[Node]:
    """Records of patients whom one may identify: whose name begins so, in characters, pinyin or initials, then whose
    mother's or former name does; or who have exactly this identity number."""
    typed = text.strip()
    if not SHORTEST <= len(typed) <= LONGEST:
        return []
    found: dict[int, Node] = {}
    for way in patient_names.by_name(uow.site.keys, typed):
        statement = uow.nodes(P.IDENTIFY).where(searchable(), Node.id.in_(records_of(way.condition)))
        found |= {
            node.id: node for node in uow.list(_newest_first(statement).limit(most)) if node.id not in found
        }
    return list(found.values())[:most]


def records_of(who: ColumnElement[bool]) -> Select[Any]:
    """The nodes of the records of patients who meet the condition."""
    stays = select(Record.node_id).join(Encounter, Encounter.id == Record.encounter_id)
    return stays.join(Patient, Patient.id == Encounter.patient_id).where(who)


def _newest_first(statement: Select[Any]) -> Select[Any]:
    return statement.order_by(Node.date_from.desc(), Node.id.desc())
