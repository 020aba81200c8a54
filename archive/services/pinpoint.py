"""按号码、姓名直达: what people call a thing, looked up in the database itself, each name at its own tier."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select

from archive.models import Container, Encounter, Holding, Node, Patient, PatientAlias, Record
from archive.numbering import normalised
from archive.policy.permissions import P
from archive.services.entries import searchable
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "pinpoint"}
STAY = re.compile(r"(\d{1,10})(?:-(\d{1,3}))?")
LENGTHS = range(6, 11)
"""病案号 have 6 to 10 digits; people leave out the zeros before them."""
CHINESE = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff][\u3400-\u9fff\U00020000-\U0003ffff·]{1,29}")
PINYIN = re.compile(r"[a-z]{2,40}")
MOST = 50
OLD_NUMBER, FORMER_NAME = "old_number", "former_name"
"""Kinds of `patient_alias`."""


def by_number(uow: UnitOfWork, text: str, needs: P = P.DISCOVER) -> list[Node]:
    """What has exactly this archival number, barcode, 病案号 (with or without 次) or old number, held at `needs`."""
    typed = text.strip()
    if not 2 <= len(typed) <= 120:
        return []
    found: dict[int, Node] = {}
    for condition in _numbers(uow, typed):
        statement = (
            uow.nodes(needs)
            .where(searchable(), condition)
            .order_by(Node.date_from.desc(), Node.id)
            .limit(MOST)
        )
        found |= {node.id: node for node in uow.list(statement)}
    return list(found.values())


def _numbers(uow: UnitOfWork, typed: str) -> Iterator[ColumnElement[bool]]:
    yield Node.archival_no == normalised(typed)
    carried = (
        select(Holding.node_id)
        .outerjoin(Container, Container.id == Holding.container_id)
        .where(or_(Holding.barcode == typed.upper(), Container.barcode == typed.upper()))
    )
    yield Node.id.in_(carried)
    stay = STAY.fullmatch(typed)
    times = int(stay[2]) if stay and stay[2] else None
    if family := _numbered(uow, typed, stay[1] if stay else None):
        yield Node.id.in_(records_of(family, times))


def _numbered(uow: UnitOfWork, typed: str, digits: str | None) -> set[int]:
    """The patients of a 病案号 or an old number, and whoever is the same person."""
    known = select(PatientAlias.patient_id).where(
        PatientAlias.kind == OLD_NUMBER, PatientAlias.value == typed
    )
    matches = [Patient.id.in_(known)]
    if digits:
        matches.append(Patient.mrn.in_({digits, *(digits.zfill(length) for length in LENGTHS)}))
    return family_of(
        uow, uow.session.scalars(select(Patient.id).where(or_(*matches)), execution_options=TRUSTED)
    )


def family_of(uow: UnitOfWork, patients: Iterable[int]) -> set[int]:
    """These patients, and those whose numbers were merged with theirs: one person (合并)."""
    family, new = set[int](), set(patients)
    while new:
        family |= new
        linked = select(Patient.id, Patient.merged_into).where(
            or_(Patient.id.in_(new), Patient.merged_into.in_(new))
        )
        rows = uow.session.execute(linked, execution_options=TRUSTED)
        new = {number for row in rows for number in row if number is not None} - family
    return family


def records_of(patients: Iterable[int], times: int | None = None) -> Select[int]:
    """The ids of the records of these patients."""
    chosen: list[ColumnElement[bool]] = [Encounter.patient_id.in_(list(patients))]
    if times is not None:
        chosen.append(Encounter.times == times)
    return select(Record.node_id).join(Encounter, Encounter.id == Record.encounter_id).where(*chosen)


def by_name(uow: UnitOfWork, text: str, most: int = MOST) -> list[Node]:
    """Records of patients of this name, or whose name begins so, in characters or pinyin, held at identify.

    Full pinyin first (`zhangsan`); where no name begins so, initials (`zs`).
    """
    former = select(PatientAlias.patient_id).where(
        PatientAlias.kind == FORMER_NAME, PatientAlias.value == _compact(text)
    )
    for condition in _names(text, Patient.name, Patient.name_key):
        if found := _identified(uow, or_(condition, Patient.id.in_(former)), most):
            return found
    return []


def _compact(text: str) -> str:
    return re.sub(r"[\s']+", "", text).lower()


def _names(text: str, name: Any, key: Any) -> Iterator[ColumnElement[bool]]:
    begin = _compact(text)
    if CHINESE.fullmatch(begin):
        yield name.startswith(begin)
    elif PINYIN.fullmatch(begin):
        yield and_(key >= begin, key < begin + "{")  # a range, which an index serves: "{" comes after "z"
        yield key.contains(f" {begin}", autoescape=True)


def _identified(uow: UnitOfWork, condition: ColumnElement[bool], most: int) -> list[Node]:
    statement = (
        uow.nodes(P.IDENTIFY)
        .join(Record, Record.node_id == Node.id)
        .join(Encounter, Encounter.id == Record.encounter_id)
        .join(Patient, Patient.id == Encounter.patient_id)
        .where(searchable(), condition)
        .order_by(Node.date_from.desc(), Node.id)
        .limit(most)
    )
    return uow.list(statement)


def by_mother(uow: UnitOfWork, text: str, most: int = MOST) -> list[Node]:
    """Records of children whose mother has this name, held at identify."""
    for condition in _names(text, Patient.mother, Patient.mother_key):
        if found := _identified(uow, condition, most):
            return found
    return []


def by_identity(uow: UnitOfWork, text: str, most: int = MOST) -> list[Node]:
    """Records of whoever has this identity number, held at identify. The number itself is nowhere in the clear."""
    number = re.sub(r"\s+", "", text).upper()
    if not re.fullmatch(r"\d{15}|\d{17}[\dX]", number):
        return []
    return _identified(uow, Patient.id_hash == uow.site.keys.identity_hash(number), most)
