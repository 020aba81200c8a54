"""Types and fields: one list from which form, validation, page, API and index are read. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from archive.i18n import Lazy, _


class Kind(StrEnum):
    """How a value is typed and kept."""

    TEXT = "text"
    LONG = "long"
    DATE = "date"
    NUMBER = "number"
    CHOICE = "choice"
    CODE = "code"
    DEPT = "dept"


class Need(StrEnum):
    """著录项约束 DA/T 18-2022: 必著, 有则必著, 选著."""

    MUST = "must"
    IF_PRESENT = "if_present"
    OPTIONAL = "optional"


class Tier(StrEnum):
    """What one must hold on a node to know this field of it (architecture §3.1)."""

    DISCOVER = "discover"
    IDENTIFY = "identify"
    READ = "read"


@dataclass(frozen=True)
class Field:
    """著录项: one thing that is said of a node.

    `column` names the node's own column; without it the value lives in the node's JSON.
    `vocabulary` names the list of choices, `pattern` a form that the value must have.
    """

    name: str
    label: Lazy
    kind: Kind = Kind.TEXT
    need: Need = Need.OPTIONAL
    tier: Tier = Tier.READ
    column: str | None = None
    vocabulary: str | None = None
    pattern: str | None = None
    longest: int = 500
    help: Lazy | None = None
    indexed: bool = True
    given: bool = False
    """Filled by the system (numbers, milestones): shown, never typed."""
    personal: bool = False
    """The name of whom the node is about: masked for whoever may not unmask, and then not theirs to edit."""


@dataclass(frozen=True)
class Type:
    """档案类型: what may stand where in the tree, what is said of it, and how it lives."""

    name: str
    label: Lazy
    rank: str
    """fonds, category, series, file or item."""
    icon: str
    parents: frozenset[str]
    workflow: str
    fields: tuple[Field, ...]
    numbered: bool = False
    pages: bool = False
    retention: str | None = None
    """The retention rule that a node of this type begins with."""
    level: int = 0
    """The sensitivity that a node of this type begins with."""

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    @property
    def chooses_retention(self) -> bool:
        """Whether a person says how long something of this type is kept; else the type does."""
        return any(field.column == "retention_rule" for field in self.fields)

    @property
    def typed(self) -> tuple[Field, ...]:
        """The fields that a person fills in."""
        return tuple(field for field in self.fields if not field.given)

    def is_about_somebody(self, values: Mapping[str, object]) -> bool:
        """Whether these values name a person."""
        return any(field.personal and values.get(field.name) for field in self.fields)


Vocabulary = Mapping[str, str]
"""Code → label in the language of the reader."""


@dataclass(frozen=True)
class Checked:
    """The outcome of validation: clean values, and errors by field name in words."""

    values: dict[str, object]
    errors: dict[str, str]


def check(kind: Type, raw: Mapping[str, object], vocabularies: Callable[[str], Vocabulary]) -> Checked:
    """Validates `raw` (strings of a form, or JSON values) against the type's own list of fields."""
    values: dict[str, object] = {}
    errors: dict[str, str] = {}
    for field in kind.typed:
        value, error = _one(field, raw.get(field.name), vocabularies)
        if error:
            errors[field.name] = error
        elif value is not None:
            values[field.name] = value
    return Checked(values, errors)


def _one(field: Field, given: object, vocabularies: Callable[[str], Vocabulary]) -> tuple[object, str | None]:
    text = clean(str(given)) if given is not None else ""
    if not text:
        return None, _("This field must be filled in.") if field.need is Need.MUST else None
    if len(text) > field.longest:
        return None, _("At most %(most)d characters, please.", most=field.longest)
    if field.kind is Kind.DATE:
        return _date(text)
    if field.kind is Kind.NUMBER:
        return _number(text)
    if field.kind is Kind.DEPT:
        return (
            (int(text), None) if text in vocabularies("departments") else (None, _("Choose one of the list."))
        )
    if field.kind is Kind.CHOICE and text not in vocabularies(field.vocabulary or ""):
        return None, _("Choose one of the list.")
    if field.pattern and not re.fullmatch(field.pattern, text):
        return None, _("This does not have the right form: %(hint)s", hint=field.help or field.pattern)
    return text, None


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def clean(text: str) -> str:
    """Without control and direction-changing characters, which can disguise a title; line ends are unified."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").encode("utf-8", "ignore").decode()).strip()


_DAY = re.compile(r"\s*(\d{1,4})\s*-\s*(\d{1,2})\s*-\s*(\d{1,2})\s*")


def _date(text: str) -> tuple[str | None, str | None]:
    compact = re.sub(r"[年月/.]", "-", text).rstrip("日")
    if re.fullmatch(r"\d{8}", compact):
        compact = f"{compact[:4]}-{compact[4:6]}-{compact[6:]}"
    wrong = _("Write the date like 2026-11-21.")
    if (found := _DAY.fullmatch(compact)) is None:
        return None, wrong
    try:
        return date(*map(int, found.groups())).isoformat(), None
    except ValueError:
        return None, wrong


def _number(text: str) -> tuple[int | None, str | None]:
    if re.fullmatch(r"-?\d{1,12}", text):
        return int(text), None
    return None, _("Write a whole number.")
