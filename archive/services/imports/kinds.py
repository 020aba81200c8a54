"""What can be imported: for each kind its columns, what they are called in spreadsheets, and how a cell is read."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from archive.i18n import Lazy, _l
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.schema import Field, Kind, Need
from archive.services.imports import values

Read = Callable[[str], Any]


@dataclass(frozen=True)
class Column:
    """导入栏目: one thing that a spreadsheet tells."""

    name: str
    label: Lazy
    read: Read = values.text
    required: bool = False
    help: Lazy | None = None
    longest: int = 500


@dataclass(frozen=True)
class ImportKind:
    """导入类别. `key`: the columns that tell one row from another; `types`: of the categories that it goes into."""

    name: str
    label: Lazy
    about: Lazy
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    needs: P
    types: frozenset[str] = field(default=frozenset())

    def headings(self, column: Column) -> tuple[str, ...]:
        """What the column is called in spreadsheets, the surest first; its own name and label last."""
        own, everywhere = headings().get(self.name, {}), headings()["any"]
        words = own.get(column.name) or everywhere.get(column.name, [])
        return (*words, column.name, column.label.message, str(column.label))


@lru_cache
def headings() -> Mapping[str, Mapping[str, list[str]]]:
    """Kind → column → headings, from headings.toml."""
    return tomllib.loads(Path(__file__).with_name("headings.toml").read_text(encoding="utf-8"))


MRN = Column(
    "mrn",
    _l("Record number"),
    values.code,
    required=True,
    help=_l("6 to 10 digits, the same for every stay of a patient"),
    longest=20,
)
NAME = Column("patient_name", _l("Patient"), required=True, longest=60)
SEX = Column("sex", _l("Sex"), values.sex)
BIRTH = Column("birth", _l("Born on"), values.day)
ID_NO = Column("id_no", _l("Identity number"), values.identity_number)
PHONE = Column("phone", _l("Telephone"), values.phone)
MOTHER = Column("mother", _l("Mother"), longest=60)
BARCODE = Column("barcode", _l("Barcode"), values.barcode)
SHEETS = Column("sheets", _l("Sheets"), values.number)
KNOWN_DEPT = _l("code or name of a department that is known here")

DEPARTMENTS = ImportKind(
    "departments",
    _l("Departments"),
    _l("Codes and names of the wards and offices. Import them first: staff and discharges name them."),
    (
        Column("code", _l("Code"), values.code, required=True, longest=60),
        Column("name", _l("Name of the department"), required=True, longest=80),
    ),
    ("code",),
    P.USER_MANAGE,
)
STAFF = ImportKind(
    "staff",
    _l("Staff"),
    _l(
        "People who will sign in. They come without roles, which the security administrator gives, "
        "and without a password."
    ),
    (
        Column("staff_no", _l("Staff number"), values.capitals, required=True, longest=30),
        Column("name", _l("Name"), required=True, longest=80),
        Column(
            "account",
            _l("Account"),
            values.code,
            help=_l("the staff number where it is left out"),
            longest=60,
        ),
        Column(
            "dept",
            _l("Department"),
            help=_l("code or name; several with 、 between them; whoever is in others leaves those"),
        ),
    ),
    ("staff_no",),
    P.USER_MANAGE,
)
PATIENTS = ImportKind(
    "patients",
    _l("Patients"),
    _l(
        "The patient index: one person, one record number for life, with old numbers under which they are found."
    ),
    (
        MRN,
        NAME,
        SEX,
        BIRTH,
        ID_NO,
        PHONE,
        MOTHER,
        Column("old_numbers", _l("Old numbers"), help=_l("several with 、 between them")),
        Column("former_names", _l("Former names"), help=_l("several with 、 between them")),
    ),
    ("mrn",),
    P.ADD,
    frozenset({"medical_record"}),
)
DISCHARGES = ImportKind(
    "discharges",
    _l("Discharges"),
    _l(
        "Stays of patients. Each becomes a draft record in the year of its discharge, waiting to be collected."
    ),
    (
        MRN,
        NAME,
        Column("times", _l("Stay no."), values.number, required=True),
        replace(SEX, required=True),
        BIRTH,
        Column("admitted_on", _l("Admitted on"), values.day, required=True),
        Column("discharged_on", _l("Discharged on"), values.day, required=True),
        Column("dept", _l("Department"), required=True, help=KNOWN_DEPT),
        Column("attending", _l("Attending doctor"), longest=60),
        Column("outcome", _l("Way of leaving")),
        Column("diagnosis", _l("Main diagnosis"), longest=200),
        Column("diagnosis_code", _l("Diagnosis code"), values.code),
        Column("operations", _l("Operations")),
        Column("operation_codes", _l("Operation codes"), values.codes, longest=200),
        ID_NO,
        PHONE,
        MOTHER,
        BARCODE,
        SHEETS,
    ),
    ("mrn", "times"),
    P.ADD,
    frozenset({"medical_record"}),
)
OF_THE_INDEX = (
    Column(
        "archival_no",
        _l("Archival number"),
        values.archival_number,
        required=True,
        help=_l("it is kept as it is, and the counter goes on after it"),
    ),
    Column("retention", _l("Retention period"), values.retention),
    BARCODE,
    SHEETS,
    Column("box", _l("Box"), values.code, longest=32),
    Column(
        "location", _l("Place"), values.code, help=_l("the code of a place that is known here"), longest=60
    ),
)
INDEX = ImportKind(
    "index",
    _l("Old index"),
    _l(
        "The old catalogue of any category, in Excel or CSV. Each line is archived at once "
        "under the number that it has."
    ),
    OF_THE_INDEX,
    ("archival_no",),
    P.ADD,
    frozenset(kind.name for kind in TYPES.values() if kind.numbered),
)
KINDS = {kind.name: kind for kind in (DEPARTMENTS, STAFF, PATIENTS, DISCHARGES, INDEX)}

READERS: Mapping[Kind, Read] = {Kind.DATE: values.old_day, Kind.NUMBER: values.number, Kind.CODE: values.code}
SILENT = frozenset({"open_status"})
"""Fields that an old index need not have: what it does not say of opening counts as not reviewed."""


def _of_field(one: Field) -> Column:
    """A column for a field of a type: the discharges' own where it is one of theirs."""
    for column in DISCHARGES.columns:
        if column.name == one.name and one.name != "dept":
            return replace(column, required=one.need is Need.MUST)
    required = one.need is Need.MUST and one.name not in SILENT
    return Column(one.name, one.label, READERS.get(one.kind, values.text), required, one.help, one.longest)


def kind_of(name: str, type_name: str | None) -> ImportKind:
    """The kind of this name; an old index with every field of the category's type. Raises KeyError for no kind."""
    kind = KINDS[name]
    if kind is not INDEX or type_name is None:
        return kind
    own = {column.name for column in OF_THE_INDEX}
    fields = (one for one in TYPES[type_name].typed if one.name not in own)
    return replace(INDEX, columns=(*OF_THE_INDEX, *(_of_field(one) for one in fields)))


SAMPLES = Path(__file__).parents[3] / "docs" / "samples"
FORMATS = ("xlsx", "csv")


def sample(name: str) -> Path | None:
    """The sample file of this name, discharges.xlsx say, with invented people; nothing where there is none."""
    kind, _dot, ending = name.partition(".")
    return SAMPLES / name if kind in KINDS and ending in FORMATS else None
