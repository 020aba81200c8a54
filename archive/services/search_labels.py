"""检索字段: what may stand before a colon in the search box, in both languages, and what people may call its values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

from sqlalchemy import select

from archive.i18n import LOCALES, Lazy, _, _l, speaking
from archive.index_fields import FIELDS, SEARCHED, indexed
from archive.models import Principal
from archive.policy.workflows import DESCRIPTION_STATES
from archive.schema import Kind as TypeKind
from archive.services import by_register, policies
from archive.services.patient_names import LENGTHS
from archive.uow import UnitOfWork
from index import Field as Within
from index import FieldSpec, Kind, Or, Query, Reading, Term, fold, folded_label

SPECS = {spec.name: spec for spec in FIELDS}
PLAIN = re.compile(
    r"[^\s:：=＝,，、。;；!！?？()（）\"“”＂「」『』\-－−][^\s:：,，、。;；!！?？()（）\"“”＂「」『』]*"
)
"""One piece to the parser, with no sign that would mean something else."""
QUOTES = re.compile('["“”＂「」『』]')
OWN: Mapping[str, Lazy] = {
    "archival_no": _l("Archival number|Number"), "mrn": _l("Record number|MRN"), "patient_name": _l("Name|Patient name"),
    "former_name": _l("Former name"), "mother": _l("Mother|Mother’s name"), "dept": _l("Department|Ward"),
    "year": _l("Year|Years"), "type": _l("Type|Kind"), "state": _l("State|Status"), "date": _l("Date|Day"),
    "discharged_on": _l("Discharged on|Discharged"), "admitted_on": _l("Admitted on|Admitted"), "birth": _l("Born on|Born"),
    "text": _l("Full text|Text"),
}  # fmt: skip
"""What everything is asked for by; words with | between them, the first of which is the one that is shown."""
INNER = frozenset({"numbers", "pinyin", "file", "folder"})
"""Fields that the index is asked by and people are not: readings of names would spell out masked ones."""


Labels = Mapping[str, FieldSpec | Reading]


@dataclass(frozen=True)
class Label:
    """检索字段. `words`: what it is called in the reader's language, the usual word first."""

    name: str
    words: tuple[str, ...]
    choices: tuple[str, ...] = ()
    """All values there are, as they are called, where a hospital has a list of them."""
    is_date: bool = False
    is_suggested: bool = False
    """Whether the index can be asked for codes that begin so; never for what is derived from a name."""


def names() -> dict[str, tuple[str, ...]]:
    """Name → its words in the reader's language, in the order in which a form offers them."""
    found = {name: tuple(str(words).split("|")) for name, words in OWN.items()}
    return found | {field.name: (str(field.label),) for field in indexed() if field.name not in found}


def typed_words() -> dict[str, tuple[str, ...]]:
    """Name → those of its words that can be typed before a colon, in one piece; else the name itself."""
    return {
        name: tuple(word for word in words if PLAIN.fullmatch(word)) or (name,)
        for name, words in names().items()
    }


@lru_cache
def _called() -> dict[str, str]:
    """Every word in every language → the name of what it means."""
    found: dict[str, str] = {}
    for locale in LOCALES:
        with speaking(locale):
            for name, words in names().items():
                found |= {word: found.get(word, name) for word in words}
    return found | {name: name for name in (*SPECS, *OWN) if name not in INNER}


def meant(word: str) -> str | None:
    """The name of what a word before a colon means, in whatever language."""
    return _folded().get(folded_label(word))


@lru_cache
def _folded() -> dict[str, str]:
    return {folded_label(word): name for word, name in _called().items()}


def labels(uow: UnitOfWork) -> dict[str, FieldSpec | Reading]:
    """What may stand before a colon, for `index.parse`: 科室:…, dept:…, 主要诊断:…, diagnosis:…"""
    return {word: _reading(uow, name) for word, name in _called().items()}


def _reading(uow: UnitOfWork, name: str) -> FieldSpec | Reading:
    if name in by_register.READINGS:
        return Reading(partial(_registered, uow, name))
    if name in {"dept", "type", "state"}:
        return Reading(partial(_by_name, uow, name))
    if name == "mrn":
        return Reading(_by_record_number)
    return SPECS[name]


def _registered(uow: UnitOfWork, name: str, text: str, *, whole: bool) -> Query:
    """What the database says; a page reads its search several times. Raises ValueError."""
    return uow.once(
        ("register", name, text, whole), lambda: by_register.READINGS[name](uow, text, whole=whole)
    )


def _by_name(uow: UnitOfWork, name: str, text: str, *, whole: bool) -> Query:
    """A value by what it is called, whole or in part, in any language, or by its code. Raises ValueError."""
    wanted, known = fold(text), values(uow, name)
    exact = [code for code, words in known.items() if wanted in map(fold, (code, *words))]
    part = [code for code, words in known.items() if any(wanted in fold(word) for word in words)]
    if not (found := exact or ([] if whole else part)):
        raise ValueError(UNKNOWN[name])
    return Within(name, Or(tuple(map(Term, found))))


UNKNOWN = {
    "dept": "No department is called so.", "type": "No type of archive is called so.", "state": "No state is called so.",
}  # fmt: skip


def values(uow: UnitOfWork, name: str) -> Mapping[str, tuple[str, ...]]:
    """Code → what it is called, in every language, of what is chosen from a list: public to whoever works here."""
    if name == "dept":
        return uow.once("department words", lambda: _departments(uow))
    return _words(name)


def _departments(uow: UnitOfWork) -> dict[str, tuple[str, ...]]:
    known = select(Principal.id, Principal.name, Principal.code).where(Principal.kind == "dept")
    rows = uow.session.execute(known.order_by(Principal.name_key))
    return {str(number): (title, code) for number, title, code in rows}


@lru_cache
def _words(name: str) -> dict[str, tuple[str, ...]]:
    of: dict[str, Lazy] = (
        {kind.name: kind.label for kind in SEARCHED} if name == "type"
        else {state.name: state.title for state in DESCRIPTION_STATES}
    )  # fmt: skip
    found: dict[str, tuple[str, ...]] = {}
    for locale in LOCALES:
        with speaking(locale):
            found |= {code: (*found.get(code, ()), str(label)) for code, label in of.items()}
    return found


def _by_record_number(text: str, *, whole: bool) -> Query:  # noqa: ARG001 - a number is always the whole number
    """病案号, with or without the zeros before it."""
    written = {text, *(text.zfill(length) for length in LENGTHS)} if text.isdecimal() else {text}
    return Within("mrn", Or(tuple(map(Term, sorted(written)))))


def quoted(value: str) -> str:
    """A value in one piece, whatever signs are in it."""
    return value if PLAIN.fullmatch(value) and value != "OR" else f'"{QUOTES.sub(" ", value)}"'


def offered(uow: UnitOfWork, name: str) -> Label:
    """What is known of the values that may stand behind a label."""
    words, spec = names().get(name, (name,)), SPECS.get(name)
    field = next((field for field in indexed() if field.name == name), None)
    if name in {"dept", "type", "state"}:
        return Label(name, words, tuple(choices(uow, name).values()))
    if field and field.kind is TypeKind.CHOICE:
        return Label(name, words, tuple(policies.vocabulary(uow, field.vocabulary or "").values()))
    is_date = name in by_register.DATES or (spec is not None and spec.kind is Kind.DATE)
    is_code = name == "archival_no" or (field is not None and field.kind is TypeKind.CODE)
    return Label(name, words, is_date=is_date, is_suggested=is_code and name not in INNER)


def choices(uow: UnitOfWork, name: str) -> dict[str, str]:
    """Code → what it is called in the reader's language, of what is chosen from a list; of anything else nothing."""
    match name:
        case "dept":
            return {code: words[0] for code, words in values(uow, name).items()}
        case "type":
            return {kind.name: str(kind.label) for kind in SEARCHED}
        case "state":
            return {state.name: str(state.title) for state in DESCRIPTION_STATES}
        case "retention":
            return {code: policies.said(rule) for code, rule in policies.terms(uow, name).items()}
        case "carrier":
            return {"paper": _("Paper"), "electronic": _("Electronic"), "dual": _("Dual")}
        case "level":
            return policies.vocabulary(uow, name)
    return {}
