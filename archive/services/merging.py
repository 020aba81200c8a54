"""合并与拆分: one person under two record numbers becomes one, and can become two again. Stays and papers stay as they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import Encounter, Node, Patient, Record
from archive.names import masked
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.schema import clean
from archive.services import patient_names, policies, records
from archive.sight import NodeView, views
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "merging"}
MOST = 50
NEEDS = P.EDIT_LIFECYCLE
LONGEST_REASON = 500


@dataclass(frozen=True)
class Side:
    """One of the two: who it is, and the records that the person who compares may see."""

    mrn: str
    name: str
    sex: str
    birth: object
    mother: str
    files: list[NodeView]


@dataclass(frozen=True)
class Pair:
    """两个病案号: the one that is given up and the one that counts. `same_identity`: None where one has no identity number."""

    given_up: Side
    kept: Side
    same_identity: bool | None

    @property
    def differs(self) -> bool:
        """Whether something speaks against their being one person."""
        one, other = self.given_up, self.kept
        plain = (one.name, one.sex) != (other.name, other.sex)
        return (
            plain
            or bool(one.birth and other.birth and one.birth != other.birth)
            or self.same_identity is False
        )


def compare(uow: UnitOfWork, *, given_up: str, kept: str) -> Pair:
    """The two patients side by side, as far as their records may be identified and kept. Raises Invalid by field."""
    uow.require(NEEDS)
    one, other = _two(uow, given_up, kept)
    known = bool(one.id_hash and other.id_hash)
    return Pair(_side(uow, one), _side(uow, other), one.id_hash == other.id_hash if known else None)


def _two(uow: UnitOfWork, given_up: str, kept: str) -> tuple[Patient, Patient]:
    found = {name: _patient(uow, typed) for name, typed in (("given_up", given_up), ("kept", kept))}
    wrong = {
        name: _("No record of this number is yours to change.") for name, one in found.items() if one is None
    }
    one, other = found["given_up"], found["kept"]
    if one is not None and one is other:
        wrong["kept"] = _("This is the same number twice.")
    for name, patient in found.items():
        if patient is not None and patient.merged_into is not None:
            wrong[name] = _("This record number was merged into another one. Use that one.")
    if wrong or one is None or other is None:
        raise Invalid(fields=wrong)
    return one, other


def _patient(uow: UnitOfWork, typed: str) -> Patient | None:
    """The patient of exactly this number, through a record that may be identified and kept."""
    number = patient_names.folded(typed)
    statement = _kept(uow, select(Patient)).where(Patient.mrn == number).limit(1)
    found: Patient | None = uow.session.scalar(statement, execution_options=TRUSTED)
    return found


def _kept(uow: UnitOfWork, statement: Any) -> Any:
    """A select over patients, joined to the records by which the actor comes to them."""
    return (
        statement.join(Encounter, Encounter.patient_id == Patient.id)
        .join(Record, Record.encounter_id == Encounter.id)
        .join(Node, Node.id == Record.node_id)
        .where(Node.overlay < int(Overlay.TRASHED), uow.access.clause(NEEDS), uow.access.clause(P.IDENTIFY))
    )


def _side(uow: UnitOfWork, patient: Patient) -> Side:
    rows = (
        _kept(uow, select(Node).select_from(Patient))
        .where(Patient.id == patient.id)
        .order_by(Encounter.times.desc())
    )
    files = views(uow, uow.session.scalars(rows, execution_options=TRUSTED))
    hides = not all(file.can(P.UNMASK) for file in files)
    uow.seen |= {file.id for file in files}
    sexes = policies.vocabulary(uow, "sex")
    name, mother = (masked(text) if hides and text else text or "" for text in (patient.name, patient.mother))
    return Side(patient.mrn, name, sexes.get(patient.sex, ""), patient.birth, mother, files)


@action("patient.merged", needs=NEEDS)
def merge(uow: UnitOfWork, *, given_up: str, kept: str, reason: str) -> None:
    """Gives one number up for another. Raises Invalid. What was merged into it before goes along."""
    one, other = _two(uow, given_up, kept)
    _because(uow, one, reason)
    before = _merged_into(uow, one)
    uow.note(given_up=one.mrn, kept=other.mrn, along=[patient.mrn for patient in before])
    for patient in (one, *before):
        patient.merged_into = other.id
    _follow(uow, [other])


@action("patient.unmerged", needs=NEEDS)
def unmerge(uow: UnitOfWork, *, mrn: str, reason: str) -> None:
    """Takes a merge back: the number stands for itself again. Raises Invalid, Conflict where there is nothing to undo."""
    one = _patient(uow, mrn)
    if one is None or one.merged_into is None:
        raise Conflict(_("This number is not merged into another one, or is not yours to change."))
    _because(uow, one, reason)
    other = uow.session.get_one(Patient, one.merged_into, execution_options=TRUSTED)
    uow.note(mrn=one.mrn, stood_under=other.mrn)
    one.merged_into = None
    _follow(uow, [one, other])


def _because(uow: UnitOfWork, patient: Patient, reason: str) -> None:
    reason = clean(reason)
    if not reason or len(reason) > LONGEST_REASON:
        raise Invalid(fields={"reason": _("Say why, in a sentence.")})
    uow.about(patient)
    uow.note(reason=reason)


def _merged_into(uow: UnitOfWork, patient: Patient) -> list[Patient]:
    merged = select(Patient).where(Patient.merged_into == patient.id)
    return list(uow.session.scalars(merged, execution_options=TRUSTED))


def _follow(uow: UnitOfWork, patients: Iterable[Patient]) -> None:
    """How long records are kept counts from the last discharge of the whole person (domain §8)."""
    uow.session.flush()
    for patient in patients:
        theirs = (
            select(Node)
            .join(Record, Record.node_id == Node.id)
            .join(Encounter, Encounter.id == Record.encounter_id)
            .join(Patient, Patient.id == Encounter.patient_id)
            .where(patient_names.whole(Patient.id == patient.id), Node.archival_no.is_not(None))
        )
        for node in uow.session.scalars(theirs, execution_options=TRUSTED):
            node.retain_until = records.retain_until(uow, node)


@dataclass(frozen=True)
class Merged:
    """A number that was given up, and the one that counts instead."""

    mrn: str
    kept: str


def merged(uow: UnitOfWork) -> list[Merged]:
    """The numbers that were given up, of patients whose records the actor keeps; by number."""
    uow.require(NEEDS)
    other = aliased(Patient)
    statement = _kept(uow, select(Patient.mrn, other.mrn)).join(other, other.id == Patient.merged_into)
    rows = uow.session.execute(
        statement.distinct().order_by(Patient.mrn).limit(MOST), execution_options=TRUSTED
    )
    return [Merged(*row) for row in rows]
