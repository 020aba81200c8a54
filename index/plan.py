"""A query resolved against the fields: a tree whose leaves are look-ups, each in one field and so at one tier."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from .analysis import Wanted, key, wanted
from .columns import Ints
from .fields import Fields, FieldSpec, Kind, Tier
from .query import Among, And, Everything, Field, Not, Or, Query, Range, Said, Term, Whole


@dataclass(frozen=True, eq=False)
class TextLeaf:
    """A word or phrase in a TEXT field. With a ``phrase``, the lexemes only nominate; the text decides.

    ``whole``: it must be all that one of the texts in the field says.
    """

    field: FieldSpec
    wanted: Wanted
    whole: bool = False


@dataclass(frozen=True, eq=False)
class KeyLeaf:
    """A whole identifier or keyword."""

    field: FieldSpec
    key: str


@dataclass(frozen=True, eq=False)
class RangeLeaf:
    """Numbers from ``low`` to ``high``; dates as ordinals."""

    field: FieldSpec
    low: int | None
    high: int | None


@dataclass(frozen=True, eq=False)
class NumberLeaf:
    """Documents of some numbers, ascending; ``field`` is what they were found by, and no field of the index.

    ``column``: where a document has its number.
    """

    field: FieldSpec
    numbers: Ints
    column: str


Leaf = TextLeaf | KeyLeaf | RangeLeaf | NumberLeaf


@dataclass(frozen=True, eq=False)
class AllOf:
    parts: "tuple[Plan, ...]"


@dataclass(frozen=True, eq=False)
class OneOf:
    """At least so many of the parts."""

    parts: "tuple[Plan, ...]"
    least: int = 1


@dataclass(frozen=True, eq=False)
class Ways:
    """One of the ways to say something; the others count for less than the typed one."""

    typed: "Plan"
    otherwise: "tuple[Plan, ...]"

    @property
    def parts(self) -> "tuple[Plan, ...]":
        return self.typed, *self.otherwise


@dataclass(frozen=True, eq=False)
class Without:
    """What the part does not hit, among the documents allowed at ``tier``: the strictest that the part consults."""

    part: "Plan"
    tier: Tier


Plan = Leaf | AllOf | OneOf | Ways | Without


def plan(query: Query, fields: Fields) -> Plan:
    """Resolve names and words. Raises ValueError for a query that does not fit the fields."""
    searched = tuple(spec for spec in fields.values() if spec.takes_words)
    return _plan(query, fields, searched)


def leaves(node: Plan) -> Iterator[Leaf]:
    """Every look-up of a plan."""
    match node:
        case AllOf() | OneOf() | Ways():
            for part in node.parts:
                yield from leaves(part)
        case Without(part):
            yield from leaves(part)
        case _:
            yield node


def positive(node: Plan) -> Iterator[Leaf]:
    """The look-ups that speak for a document: those under no negation. They give score and matched fields."""
    for voice in voices(node):
        if isinstance(voice, Ways):
            for part in voice.parts:
                yield from positive(part)
        else:
            yield voice


def voices(node: Plan) -> Iterator[Leaf | Ways]:
    """The same, but ways to say one thing as one: what each of them gives is added up."""
    match node:
        case AllOf(parts) | OneOf(parts):
            for part in parts:
                yield from voices(part)
        case Without():
            return
        case _:
            yield node


def _plan(query: Query, fields: Fields, searched: Iterable[FieldSpec]) -> Plan:
    match query:
        case Term(text):
            typed = _Typed(text, whole=isinstance(query, Whole))
            return OneOf(tuple(map(typed.leaf, searched)))
        case And(parts):
            return AllOf(tuple(_plan(part, fields, searched) for part in parts))
        case Or(parts, least):
            return OneOf(tuple(_plan(part, fields, searched) for part in parts), least)
        case Said(typed, otherwise):
            ways = tuple(_plan(part, fields, searched) for part in otherwise)
            return Ways(_plan(typed, fields, searched), ways)
        case Not(part):
            inner = _plan(part, fields, searched)
            return Without(inner, max((leaf.field.tier for leaf in leaves(inner)), default=Tier.DISCOVER))
        case Field(name, part):
            return _plan(part, fields, (_named(name, fields),))
        case Range(name, low, high):
            return RangeLeaf(_named(name, fields, ranged=True), _ordinal(low), _ordinal(high))
        case Among(name, numbers, tier, by):
            column = "number" if by is None else _named(by, fields, ranged=True).name
            return NumberLeaf(FieldSpec(name, Kind.KEYWORD, tier), _sorted(numbers), column)
        case Everything():
            return AllOf(())
    raise ValueError(f"{query!r} is no query")


def _named(name: str, fields: Fields, *, ranged: bool = False) -> FieldSpec:
    spec = fields.get(name)
    if spec is None:
        raise ValueError(f"no field is called {name!r}")
    if ranged != (spec.kind in {Kind.INTEGER, Kind.DATE}):
        raise ValueError(f"the field {name} takes {'words' if ranged else 'a range'}")
    return spec


class _Typed:
    """What was typed, for any field: taken apart once, since a word is looked for in dozens of fields."""

    def __init__(self, text: str, *, whole: bool) -> None:
        self._key, self._whole = key(text), whole
        self._words = replace(wanted(text), phrase=text) if whole else wanted(text)

    def leaf(self, spec: FieldSpec) -> Leaf:
        if spec.kind is not Kind.TEXT:
            return KeyLeaf(spec, self._key)
        return TextLeaf(spec, self._words, self._whole)


def _sorted(numbers: Collection[int]) -> Ints:
    try:
        return np.sort(np.fromiter(numbers, np.int64, count=len(numbers)))
    except OverflowError:
        raise ValueError("a number is larger than any document's") from None


def _ordinal(bound: int | date | None) -> int | None:
    return bound.toordinal() if isinstance(bound, date) else bound
