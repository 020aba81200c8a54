"""The patient index. Patients have no access of their own: whoever asks here has come through a node."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, true
from sqlalchemy.orm import aliased

from archive.errors import Invalid
from archive.i18n import _
from archive.models import Encounter, Patient, PatientAlias, Record
from archive.names import name_key
from archive.uow import UnitOfWork

TRUSTED = {"scope": "patients"}
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True)
class Person:
    """What is said of a patient when a record is made or imported."""

    mrn: str
    name: str
    sex: str = "0"
    birth: date | None = None
    id_no: str | None = None
    phone: str | None = None
    mother: str | None = None


@dataclass(frozen=True)
class Stay:
    """What is said of a stay."""

    times: int
    admitted_on: date | None
    discharged_on: date | None
    dept_id: int | None
    outcome: str | None = None
    attending: str | None = None
    kind: str = "inpatient"


def id_is_valid(number: str) -> bool:
    """The check digit of an identity number (GB 11643)."""
    if len(number) != 18 or not number[:17].isdigit():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == number[17].upper()


def enrol(uow: UnitOfWork, person: Person, *, corrects: int | None = None) -> Patient:
    """The patient of this 病案号, made when new. Of whom nothing is known but what the stay `corrects` said, or nothing at all,
    the name is put right. Raises Invalid when the number is another person's.
    """
    mine = select(Patient).where(Patient.mrn == person.mrn).with_for_update()
    patient = uow.session.scalar(mine, execution_options=TRUSTED)
    if patient is None:
        patient = Patient(mrn=person.mrn, name=person.name, name_key=name_key(person.name), sex=person.sex)
        uow.session.add(patient)
    elif patient.merged_into is not None:
        raise Invalid(fields={"mrn": _("This record number was merged into another one. Use that one.")})
    elif patient.name != person.name:
        if _is_known(uow, patient, besides=corrects):
            raise Invalid(
                fields={"mrn": _("This record number belongs to another patient. Check number and name.")}
            )
        patient.name, patient.name_key = person.name, name_key(person.name)
        uow.note(patient_renamed=patient.id)
    _learn(uow, patient, person)
    uow.session.flush()
    return patient


def _is_known(uow: UnitOfWork, patient: Patient, *, besides: int | None) -> bool:
    """Whether anything but one stay says who this is: another record, an identity, a mother, an old number, a merged one."""
    if patient.id_hash or patient.phone_enc or patient.mother or patient.deceased_on:
        return True
    merged = aliased(Patient)
    stays = select(Record.node_id).join(Encounter, Encounter.id == Record.encounter_id)
    traces = (
        stays.where(Encounter.patient_id == patient.id, Encounter.id != besides if besides else true()),
        select(PatientAlias.id).where(PatientAlias.patient_id == patient.id),
        select(merged.id).where(merged.merged_into == patient.id),
    )
    return any(uow.session.scalar(one.limit(1), execution_options=TRUSTED) is not None for one in traces)


def _learn(uow: UnitOfWork, patient: Patient, person: Person) -> None:
    patient.birth = person.birth or patient.birth
    patient.sex = person.sex if person.sex != "0" else patient.sex
    if person.mother:
        patient.mother, patient.mother_key = person.mother, name_key(person.mother)
    if person.id_no:
        if not id_is_valid(person.id_no):
            raise Invalid(fields={"id_no": _("The check digit of the identity number is wrong.")})
        patient.id_enc = uow.site.keys.encrypt("identity-enc", person.id_no.upper())
        patient.id_hash = uow.site.keys.identity_hash(person.id_no)
    if person.phone:
        patient.phone_enc = uow.site.keys.encrypt("identity-enc", person.phone)


def merged_into(uow: UnitOfWork, mrn: str) -> str | None:
    """The number that counts now instead of this one; nothing for one that was never merged."""
    merged, survivor = aliased(Patient), aliased(Patient)
    statement = select(survivor.mrn).join(merged, merged.merged_into == survivor.id).where(merged.mrn == mrn)
    return uow.session.scalar(statement, execution_options=TRUSTED)


def admit(uow: UnitOfWork, patient: Patient, stay: Stay, *, corrects: int | None = None) -> Encounter:
    """The encounter of this stay, made when new, brought up to date when known. What was written of the wrong patient or with
    the wrong number of stays is moved (`corrects`), so that nothing is left behind. Raises Invalid for crossed dates.
    """
    if stay.admitted_on and stay.discharged_on and stay.discharged_on < stay.admitted_on:
        raise Invalid(fields={"discharged_on": _("The discharge is before the admission.")})
    encounter = uow.session.scalar(
        select(Encounter).where(
            Encounter.patient_id == patient.id, Encounter.kind == stay.kind, Encounter.times == stay.times
        ),
        execution_options=TRUSTED,
    )
    if encounter is None and corrects is not None:
        encounter = uow.session.get_one(Encounter, corrects, execution_options=TRUSTED)
        encounter.patient_id, encounter.times = patient.id, stay.times
    if encounter is None:
        encounter = Encounter(patient_id=patient.id, kind=stay.kind, times=stay.times, created_at=uow.now)
        uow.session.add(encounter)
    encounter.admitted_at, encounter.discharged_at = stay.admitted_on, stay.discharged_on
    encounter.dept_id, encounter.outcome, encounter.attending = stay.dept_id, stay.outcome, stay.attending
    uow.session.flush()
    return encounter
