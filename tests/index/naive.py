"""What a search should find, said the slow and plain way: every document is read, nothing is indexed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index import (
    JOINT,
    Among,
    And,
    Everything,
    Field,
    FieldSpec,
    Kind,
    Masks,
    Not,
    Or,
    Put,
    Query,
    Range,
    Said,
    Term,
    Tier,
    Whole,
)
from index.analysis import HAN, fold, key

FIELDS = (
    FieldSpec("code", Kind.IDENT, Tier.DISCOVER, weight=4),
    FieldSpec("dept", Kind.KEYWORD, Tier.DISCOVER),
    FieldSpec("year", Kind.INTEGER, Tier.DISCOVER),
    FieldSpec("title", Kind.TEXT, Tier.IDENTIFY, weight=2),
    FieldSpec("ward", Kind.KEYWORD, Tier.IDENTIFY),
    FieldSpec("born", Kind.DATE, Tier.IDENTIFY),
    FieldSpec("body", Kind.TEXT),
    FieldSpec("finding", Kind.KEYWORD),
)
SPECS = {spec.name: spec for spec in FIELDS}


@dataclass(frozen=True)
class Texts:
    """Serves texts as the database would, and is asked for none that ``who`` may not see."""

    documents: Mapping[int, Put]
    who: Masks | None = None

    def __call__(self, numbers: Sequence[int], field: str) -> dict[int, str]:
        if self.who:
            assert all(held(self.who, number) >= SPECS[field].tier for number in numbers)
        found = {number: self.documents[number] for number in numbers if number in self.documents}
        return {number: str(document.values.get(field, "")) for number, document in found.items()}


def held(masks: Masks, number: int) -> int:
    """The highest tier held, counting from the lowest without a gap; −1 for none."""
    highest = -1
    for tier in Tier:
        mask = masks.mask(tier)
        if number >= len(mask) or not mask[number]:
            break
        highest = int(tier)
    return highest


def hits(query: Query, documents: Mapping[int, Put], masks: Masks) -> set[int]:
    return {number for number, put in documents.items() if _hit(query, put, held(masks, number), None)}


def _hit(query: Query, put: Put, tier: int, field: str | None) -> bool:
    match query:
        case Term(text):
            names = (
                [field] if field else [spec.name for spec in FIELDS if spec.kind in {Kind.TEXT, Kind.IDENT}]
            )
            says = _is if isinstance(query, Whole) else _says
            return any(says(SPECS[name], put, text) for name in names if SPECS[name].tier <= tier)
        case And(parts):
            return tier >= 0 and all(_hit(part, put, tier, field) for part in parts)
        case Or() | Said():
            least = query.least if isinstance(query, Or) else 1
            return sum(_hit(part, put, tier, field) for part in query.parts) >= least
        case Not(part):
            return tier >= _strictest(part, field) and not _hit(part, put, tier, field)
        case Field(name, part):
            return _hit(part, put, tier, name)
        case Range(name, low, high):
            value = put.values.get(name)
            if value is None or SPECS[name].tier > tier:
                return False
            return (low is None or value >= low) and (high is None or value <= high)
        case Among(_, numbers, needed, by):
            return tier >= needed and (put.values.get(by) if by else put.number) in numbers
        case Everything():
            return tier >= 0
    raise AssertionError(query)


def _strictest(query: Query, field: str | None) -> int:
    match query:
        case Term():
            names = [field] if field else ["code", "title", "body"]
            return max(SPECS[name].tier for name in names)
        case And() | Or() | Said():
            return max((_strictest(part, field) for part in query.parts), default=0)
        case Not(part):
            return _strictest(part, field)
        case Field(name, part):
            return _strictest(part, name)
        case Range(name):
            return SPECS[name].tier
        case Among(tier=needed):
            return needed
    return 0


def _says(spec: FieldSpec, put: Put, text: str) -> bool:
    value = put.values.get(spec.name, "")
    if spec.kind is Kind.TEXT:
        return _contains(units(str(value)), _trimmed(units(text)))
    values = value if isinstance(value, tuple) else (value,)
    return key(text) != "" and key(text) in {key(str(one)) for one in values}


def _is(spec: FieldSpec, put: Put, text: str) -> bool:
    if spec.kind is not Kind.TEXT:
        return _says(spec, put, text)
    wanted, said = _trimmed(units(text)), str(put.values.get(spec.name, ""))
    return bool(wanted) and wanted in [_trimmed(units(part)) for part in said.split(JOINT)]


def units(text: str) -> list[str]:
    """Characters, words, numbers and signs, found by looking at one character after the other."""
    found: list[str] = []
    before = ""
    for character in fold(text):
        kind = _kind(character)
        if kind in {"letter", "digit"} and kind == before:
            found[-1] += character
        elif kind != "space":
            found.append(character)
        before = kind
    return found


def _kind(character: str) -> str:
    if any(start <= character <= end for start, end in _HAN_RANGES):
        return "han"
    if character.isspace():
        return "space"
    if character.isdecimal():
        return "digit"
    return "letter" if character.isalnum() else "sign"


def _ranges(pattern: str) -> list[tuple[str, str]]:
    pairs, at = [], 0
    while at < len(pattern):
        dash = pattern[at + 1 : at + 2] == "-"
        pairs.append((pattern[at], pattern[at + 2] if dash else pattern[at]))
        at += 3 if dash else 1
    return pairs


_HAN_RANGES = _ranges(HAN)


def _trimmed(found: list[str]) -> list[str]:
    while found and _kind(found[0][0]) == "sign":
        found = found[1:]
    while found and _kind(found[-1][0]) == "sign":
        found = found[:-1]
    return found


def _contains(text: list[str], wanted: list[str]) -> bool:
    places = range(len(text) - len(wanted) + 1)
    return bool(wanted) and any(text[at : at + len(wanted)] == wanted for at in places)
