"""Medical records of an old index: archived long ago, each of a patient and a stay."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select, update

from archive.i18n import _
from archive.models import Encounter, Node, Record
from archive.services import records
from archive.services.imports import stays
from archive.services.imports.patients import refuse_bad_numbers
from archive.services.imports.persons import Persons
from archive.services.imports.rows import Keep, Reader, Row
from archive.services.imports.stays import Key, Stays
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "imports", "synchronize_session": False}


@dataclass
class OldRecords:
    """The patients and stays behind the lines of an old index."""

    reader: Reader
    persons: Persons = field(init=False)
    known: Stays = field(default_factory=Stays)
    stays: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.persons = Persons(self.reader)

    def judge(self, uow: UnitOfWork, rows: list[Row]) -> None:
        """A stay has one record: a second one is wrong, in the file or in the archive."""
        refuse_bad_numbers(self.reader, rows)
        self.persons.judge(uow, rows)
        self.known = Stays.of(uow, [key for row in rows if (key := self._key(row))])
        for row in rows:
            stay = (row.values.get("mrn", ""), row.values.get("times", ""))
            record = self.known.records.get(self._key(row) or (0, 0))
            other = record is not None and record.archival_no != str(row.values.get("archival_no"))
            if self.stays.setdefault(stay, row.number) != row.number or other:
                self.reader.object(row, "times", _("This stay has a record already. Search for its number."))

    def _key(self, row: Row) -> Key | None:
        patient = self.persons.known.get(row.values.get("mrn", ""))
        return (patient.id, int(row.values["times"])) if patient and "times" in row.values else None

    def bring(
        self, uow: UnitOfWork, made: Sequence[tuple[Row, Node, dict[str, Any]]], shelved: set[int], keep: Keep
    ) -> None:
        """Joins the new nodes to their patients and stays, and works out how long those patients' records are kept."""
        patients = self.persons.enrol(uow, [row for row, _node, _values in made], keep)
        keys = {node.id: (patients[row.values["mrn"]], int(values["times"])) for row, node, values in made}
        wanted = {keys[node.id]: (row, values) for row, node, values in made}
        encounters = self.known.admit(uow, wanted, keep)
        uow.session.flush()
        stays.join(
            uow,
            {number: encounters[key] for number, key in keys.items()},
            [(n, "shelved") for n in sorted(shelved)],
        )
        _retain(uow, {patient for patient, _times in keys.values()})


def _retain(uow: UnitOfWork, patients: set[int]) -> None:
    """A readmission moves the clock of every record of a patient (domain §8), those that came before too."""
    rows = uow.session.execute(
        select(Node, Encounter.patient_id)
        .join(Record, Record.node_id == Node.id)
        .join(Encounter, Encounter.id == Record.encounter_id)
        .where(Encounter.patient_id.in_(patients), Node.archival_no.is_not(None)),
        execution_options=TRUSTED,
    )
    alike: dict[tuple[int, str | None], list[Node]] = {}
    for node, patient in rows:
        alike.setdefault((patient, node.retention_rule), []).append(node)
    until: dict[date | None, list[int]] = {}
    for nodes in alike.values():
        until.setdefault(records.retain_until(uow, nodes[0]), []).extend(node.id for node in nodes)
    for day, numbers in until.items():
        # Not through the objects: what has only another last day is not another version.
        uow.session.execute(
            update(Node).where(Node.id.in_(numbers)).values(retain_until=day), execution_options=TRUSTED
        )
