"""The patients that rows name: who is known, what contradicts, who is new, what is learnt of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from archive.i18n import _
from archive.keys import Keys
from archive.models import Patient
from archive.names import name_key
from archive.services.imports import bulk
from archive.services.imports.rows import Keep, Made, Reader, Row
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "imports"}
LEARNT = ("sex", "birth", "id_no", "phone", "mother")


@dataclass
class Persons:
    """The patients of one import. What the file itself has said of them lives as long as the import."""

    reader: Reader
    names: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    known: dict[str, Patient] = field(default_factory=dict)

    def judge(self, uow: UnitOfWork, rows: Iterable[Row]) -> None:
        """Finds the patients of these rows. A record number or identity number that is another person's is wrong."""
        named = [row for row in rows if "mrn" in row.values and "patient_name" in row.values]
        numbers = {row.values["mrn"] for row in named}
        found = uow.session.scalars(
            select(Patient).where(Patient.mrn.in_(numbers)), execution_options=TRUSTED
        )
        self.known = {patient.mrn: patient for patient in found}
        owners = self._owners(uow, named)
        for row in named:
            self._judge(uow.site.keys, row, owners)

    def _owners(self, uow: UnitOfWork, rows: list[Row]) -> dict[str, str]:
        """Hash of an identity number → the record number under which it stands."""
        hashes = {uow.site.keys.identity_hash(row.values["id_no"]) for row in rows if "id_no" in row.values}
        known = select(Patient.id_hash, Patient.mrn).where(
            Patient.id_hash.in_(hashes), Patient.merged_into.is_(None)
        )
        found = uow.session.execute(known, execution_options=TRUSTED)
        return {hashed: mrn for hashed, mrn in found if hashed is not None}

    def _judge(self, keys: Keys, row: Row, owners: dict[str, str]) -> None:
        mrn, name = row.values["mrn"], row.values["patient_name"]
        patient = self.known.get(mrn)
        expected = patient.name if patient else self.names.setdefault(mrn, name)
        if expected != name:
            self.reader.object(
                row, "mrn", _("This record number belongs to another patient. Check number and name.")
            )
        if patient and patient.merged_into:
            self.reader.object(row, "mrn", _("This record number was merged into another one. Use that one."))
        if id_no := row.values.get("id_no"):
            digest = keys.identity_hash(id_no)
            owner = owners.get(digest) or self.ids.setdefault(digest, mrn)
            if owner != mrn:
                sentence = _(
                    "This identity number stands under the record number %(mrn)s already. Is it the same person?",
                    mrn=owner,
                )
                self.reader.object(row, "id_no", sentence)

    def news(self, keys: Keys, row: Row) -> dict[str, Any]:
        """The columns of a known patient that the row would change."""
        patient = self.known.get(row.values["mrn"])
        if patient is None:
            return {}
        told = columns(keys, row, patient)
        return {name: value for name, value in told.items() if value != getattr(patient, name)}

    def enrol(self, uow: UnitOfWork, rows: Iterable[Row], keep: Keep) -> dict[str, int]:
        """Makes the new ones and learns of the others; gives the ids by record number."""
        new: dict[str, tuple[int, dict[str, Any]]] = {}
        learnt: dict[int, tuple[int, dict[str, Any]]] = {}
        for row in rows:
            mrn = row.values["mrn"]
            if mrn in self.known:
                self._learn(uow, row, learnt)
            else:
                first, told = new.get(mrn, (row.number, {}))
                new[mrn] = (first, told | columns(uow.site.keys, row, None))
        ids = {mrn: patient.id for mrn, patient in self.known.items()}
        ids |= self._insert(uow, new, keep)
        uow.session.flush()
        versions = {patient.id: patient.version for patient in self.known.values()}
        for number, (row_number, before) in learnt.items():
            keep(Made(row_number, "patient", number, frozen(before) | {"version": versions[number]}))
        return ids

    def _learn(self, uow: UnitOfWork, row: Row, learnt: dict[int, tuple[int, dict[str, Any]]]) -> None:
        patient, news = self.known[row.values["mrn"]], self.news(uow.site.keys, row)
        if news:
            before = {name: getattr(patient, name) for name in news}
            learnt[patient.id] = (row.number, before | learnt.get(patient.id, (0, {}))[1])
            for name, value in news.items():
                setattr(patient, name, value)

    def _insert(
        self, uow: UnitOfWork, new: dict[str, tuple[int, dict[str, Any]]], keep: Keep
    ) -> dict[str, int]:
        made = bulk.write_numbered(uow, Patient, [BLANK | told for _number, told in new.values()])
        for number, (row_number, _told) in zip(made, new.values(), strict=True):
            keep(Made(row_number, "patient", number))
        return dict(zip(new, made, strict=True))


BLANK: dict[str, Any] = {
    "sex": "0", "birth": None, "id_enc": None, "id_hash": None, "phone_enc": None, "mother": None, "mother_key": None,
}  # fmt: skip


def columns(keys: Keys, row: Row, patient: Patient | None) -> dict[str, Any]:
    """What a row tells of a patient, as the table keeps it. A number kept encrypted already is not encrypted again."""
    told = row.values
    found: dict[str, Any] = {}
    if patient is None:
        found |= {
            "mrn": told["mrn"],
            "name": told["patient_name"],
            "name_key": name_key(told["patient_name"]),
        }
    if told.get("sex", "0") != "0":
        found["sex"] = told["sex"]
    if told.get("birth"):
        found["birth"] = date.fromisoformat(told["birth"])
    if told.get("mother"):
        found |= {"mother": told["mother"], "mother_key": name_key(told["mother"])}
    if told.get("id_no") and not (patient and patient.id_hash == keys.identity_hash(told["id_no"])):
        found |= {
            "id_enc": keys.encrypt("identity-enc", told["id_no"]),
            "id_hash": keys.identity_hash(told["id_no"]),
        }
    if told.get("phone") and not (patient and _phone(keys, patient) == told["phone"]):
        found["phone_enc"] = keys.encrypt("identity-enc", told["phone"])
    return found


def _phone(keys: Keys, patient: Patient) -> str | None:
    return keys.decrypt("identity-enc", patient.phone_enc) if patient.phone_enc else None


def frozen(values: dict[str, Any]) -> dict[str, Any]:
    """Columns as JSON keeps them."""
    return {
        name: value.hex()
        if isinstance(value, bytes)
        else value.isoformat()
        if isinstance(value, date)
        else value
        for name, value in values.items()
    }


def thawed(values: dict[str, Any]) -> dict[str, Any]:
    """The columns of a patient as they were frozen."""
    turned = {"id_enc": bytes.fromhex, "phone_enc": bytes.fromhex, "birth": date.fromisoformat}
    return {
        name: turned[name](value) if value and name in turned else value for name, value in values.items()
    }
