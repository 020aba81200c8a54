"""Importing the patient index."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from archive.i18n import _
from archive.models import PatientAlias
from archive.policy.types import TYPES
from archive.services.imports import bulk
from archive.services.imports.persons import Persons
from archive.services.imports.rows import Keep, Made, Outcome, Reader, Row, refuse_doubles
from archive.services.patient_names import ALIAS, FORMER
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "imports"}
Alias = tuple[str, str]
"""A kind and a value."""
LONGEST_NAME = 60
RECORD_NUMBER = re.compile(TYPES["medical_record"].field("mrn").pattern or "")


def numbers_in(cell: str) -> list[str]:
    """旧号: several in one cell."""
    return [part for part in re.split(r"[、,，;；\s/]+", cell) if part]


def names_in(cell: str) -> list[str]:
    """曾用名: several in one cell; as they are looked for, without spaces within a name."""
    parts = (re.sub(r"\s+", "", part)[:LONGEST_NAME] for part in re.split(r"[、,，;；/]+", cell))
    return [part for part in parts if part]


def aliases_in(row: Row) -> list[Alias]:
    """What else the patient of a row is found by."""
    numbers, names = (
        numbers_in(row.values.get("old_numbers", "")),
        names_in(row.values.get("former_names", "")),
    )
    return [*((ALIAS, number) for number in numbers), *((FORMER, name) for name in names)]


def refuse_bad_numbers(reader: Reader, rows: Iterable[Row]) -> None:
    """A 病案号 has 6 to 10 digits: fewer mean that a spreadsheet has dropped the zeros before it."""
    sentence = _(
        "A record number has 6 to 10 digits. If the spreadsheet dropped zeros before it, "
        "say above how many digits your numbers have."
    )
    for row in rows:
        if not RECORD_NUMBER.fullmatch(row.values.get("mrn", "000000")):
            reader.object(row, "mrn", sentence)


@dataclass
class Patients:
    """Rows of the patient index."""

    reader: Reader
    seen: dict[str, int] = field(default_factory=dict)
    persons: Persons = field(init=False)
    aliases: set[tuple[int, str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.persons = Persons(self.reader)

    def judge(self, uow: UnitOfWork, rows: list[Row]) -> None:
        refuse_doubles(self.reader, rows, self.seen)
        refuse_bad_numbers(self.reader, rows)
        self.persons.judge(uow, rows)
        self._read_aliases(uow)
        for row in rows:
            if not row.is_wrong:
                row.outcome = self._outcome(uow, row)

    def _read_aliases(self, uow: UnitOfWork) -> None:
        ids = [patient.id for patient in self.persons.known.values()]
        known = select(PatientAlias.patient_id, PatientAlias.kind, PatientAlias.value).where(
            PatientAlias.patient_id.in_(ids)
        )
        rows = uow.session.execute(known, execution_options=TRUSTED)
        self.aliases = {(owner, kind, value) for owner, kind, value in rows}

    def _outcome(self, uow: UnitOfWork, row: Row) -> Outcome:
        patient = self.persons.known.get(row.values["mrn"])
        if patient is None:
            return Outcome.NEW
        more = any((patient.id, *alias) not in self.aliases for alias in aliases_in(row))
        return Outcome.CHANGED if more or self.persons.news(uow.site.keys, row) else Outcome.UNCHANGED

    def bring(self, uow: UnitOfWork, rows: list[Row], keep: Keep) -> None:
        wanted = [row for row in rows if row.outcome in (Outcome.NEW, Outcome.CHANGED)]
        ids = self.persons.enrol(uow, wanted, keep)
        found = {}
        for row in wanted:
            for alias in aliases_in(row):
                if (ids[row.values["mrn"]], *alias) not in self.aliases:
                    found[ids[row.values["mrn"]], *alias] = row.number
        aliases = [{"patient_id": owner, "kind": kind, "value": value} for owner, kind, value in found]
        made = bulk.write_numbered(uow, PatientAlias, aliases)
        for number, row_number in zip(made, found.values(), strict=True):
            keep(Made(row_number, "alias", number))
