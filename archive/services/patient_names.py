"""What a patient is called: the ways in which typed words may mean somebody, each as a range or a key of an index."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    and_,
    func,
    inspect,
    literal,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.orm import aliased

from archive import spelling
from archive.keys import Keys
from archive.models import Patient, PatientAlias
from archive.spelling import Spelling

PATIENT = inspect(Patient).local_table
ALIAS = "old_number"
"""The kind of a number that a patient had before."""
FORMER = "former_name"
"""曾用名: the kind of a name that a patient had before."""
NUMBER = re.compile(r"(\d{3,10})(?:-(\d{1,3}))?")
LENGTHS = range(6, 11)
"""病案号 have 6 to 10 digits; people leave out the zeros before them."""
IDENTITY = re.compile(r"\d{17}[\dX]")
LAST = "\U0010ffff"
"""Nothing is written after it, so that a beginning and this bound all that begins so."""


@dataclass(frozen=True)
class Way:
    """A way of meaning a patient: by number, name, mother or identity number; `order` puts the likeliest first."""

    name: str
    meant: ColumnElement[bool]
    """Who is called so, without those that they were merged with."""
    order: Any

    @property
    def condition(self) -> ColumnElement[bool]:
        """Who is meant, under whichever number they stand."""
        return whole(self.meant)


def head() -> Any:
    """The patient under whose number everything stands now: for whoever was merged, the other one."""
    return func.coalesce(Patient.merged_into, Patient.id)


def whole(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whoever meets the condition, and all that they were merged with: one person, whichever number is asked for."""
    meant, merged = select(head()).where(condition).cte(), aliased(Patient)
    heads = select(*meant.c)
    return Patient.id.in_(union(heads, select(merged.id).where(merged.merged_into.in_(heads))))


def in_turn(conditions: Sequence[ColumnElement[bool]]) -> CompoundSelect[int, int]:
    """Patients as `whole` gives them, of several conditions at once: each with the number of a condition that means them."""
    ways = (
        select(head().label("id"), literal(turn).label("turn")).where(one)
        for turn, one in enumerate(conditions)
    )
    meant, merged = union_all(*ways).cte(), PATIENT.alias()
    others = select(merged.c.id, meant.c.turn).join_from(meant, merged, merged.c.merged_into == meant.c.id)
    return union_all(select(*meant.c), others)


def folded(typed: str) -> str:
    """Codes as they are kept: no full-width digits of an input method, no spaces, capital letters."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", typed)).upper()


def is_identity(typed: str) -> bool:
    """Whether this is an identity number 身份证号."""
    return IDENTITY.fullmatch(folded(typed)) is not None


def by_number(typed: str) -> Way:
    """The 病案号, with or without its stay and the zeros before it; or an old number 旧号."""
    code = folded(typed)
    meant: Any = select(PatientAlias.patient_id).where(PatientAlias.kind == ALIAS, PatientAlias.value == code)
    if stay := NUMBER.fullmatch(code):
        written = {stay[1], *(stay[1].zfill(length) for length in LENGTHS)}
        # A union and no "or": PostgreSQL would read the whole table for an "or" with a sub-select.
        meant = union(meant, select(Patient.id).where(Patient.mrn.in_(written)))
    return Way("number", Patient.id.in_(meant), Patient.mrn)


def times_of(typed: str) -> int | None:
    """The stay that 病案号-次 names."""
    stay = NUMBER.fullmatch(folded(typed))
    return int(stay[2]) if stay and stay[2] else None


def by_name(keys: Keys, typed: str) -> Iterator[Way]:
    """Name and mother's name, as characters or in pinyin; the identity number."""
    text = typed.strip()
    if is_identity(text):
        yield Way("identity", Patient.id_hash == keys.identity_hash(folded(text)), Patient.mrn)
        return
    if not any(character.isalpha() for character in text):
        return
    for name, column, key in (
        ("name", Patient.name, Patient.name_key),
        ("mother", Patient.mother, Patient.mother_key),
    ):
        order = column if spelling.letters(text) is None else key
        yield Way(name, _called(column, key, text), order)
    yield Way("former", formerly(text), Patient.name_key)


def mothers(typed: str, *, exact: bool = False) -> ColumnElement[bool]:
    """Whose mother is called so, in characters or pinyin; or, unless the whole name is given, whose name begins so."""
    text = typed.strip()
    return Patient.mother == _solid(text) if exact else _called(Patient.mother, Patient.mother_key, text)


def formerly(typed: str, *, exact: bool = False) -> ColumnElement[bool]:
    """Who was called so once, in characters; or, unless the whole name is given, by a name that begins so."""
    text = _solid(typed)
    fits = PatientAlias.value == text if exact else begins(PatientAlias.value, text)
    return Patient.id.in_(select(PatientAlias.patient_id).where(PatientAlias.kind == FORMER, fits))


def called(names: Collection[str]) -> Iterator[ColumnElement[bool]]:
    """Who has exactly one of these names, or had; and whose mother has: one condition each, for one index each."""
    yield Patient.name.in_(names)
    yield Patient.mother.in_(names)
    former = select(PatientAlias.patient_id).where(PatientAlias.kind == FORMER, PatientAlias.value.in_(names))
    yield Patient.id.in_(former)


def read_as(ways: Iterable[Spelling]) -> Iterator[ColumnElement[bool]]:
    """Whose name, or whose mother's, is read so from its beginning to its end."""
    for way in ways:
        for column, key in ((Patient.name, Patient.name_key), (Patient.mother, Patient.mother_key)):
            yield and_(begins(key, f"{way.letters} "), *_held(column, way))


def _called(column: Any, key: Any, text: str) -> ColumnElement[bool]:
    if (pinyin := spelling.letters(text)) is not None:
        return or_(begins(column, text), *_sounds(column, key, pinyin))
    return begins(column, _solid(text))


def _solid(text: str) -> str:
    return re.sub(r"\s+", "", text)


def begins(column: Any, text: str) -> ColumnElement[bool]:
    """That a column begins so, as a range of its index."""
    return and_(column >= text, column < text + LAST)


def _sounds(column: Any, key: Any, letters: str) -> Iterator[ColumnElement[bool]]:
    """The whole reading begins so, or the initials after the space do; those begin with the letter of the reading."""
    for way in spelling.spellings(letters):
        yield and_(begins(key, way.letters), *_held(column, way))
    for way in spelling.initials(letters):
        yield and_(begins(key, way.letters[0]), key.like(f"% {way.letters}%"), *_held(column, way))


def _held(column: Any, way: Spelling) -> Iterator[ColumnElement[bool]]:
    if way.holding:
        yield begins(column, way.holding) if way.leads else column.contains(way.holding, autoescape=True)
