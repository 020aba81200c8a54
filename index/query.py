"""What may be asked: the nodes of a query."""

from dataclasses import dataclass
from datetime import date

from .fields import Tier


class Query:
    """检索式: what to look for. Queries are values: they compare, and are taken apart by ``match``."""


@dataclass(frozen=True)
class Term(Query):
    """A word. Several characters, words or numbers in one term stand next to each other, whatever the spacing."""

    text: str


@dataclass(frozen=True)
class Phrase(Term):
    """Words that somebody put in quotation marks; found as a term is."""


@dataclass(frozen=True)
class Whole(Phrase):
    """Words that are all that a text says, or all of one of the texts joined in it; elsewhere found as a term is."""


@dataclass(frozen=True)
class And(Query):
    """All of the parts; of no parts, everything."""

    parts: tuple[Query, ...]


@dataclass(frozen=True)
class Or(Query):
    """At least so many of the parts; of no parts, nothing."""

    parts: tuple[Query, ...]
    least: int = 1

    def __post_init__(self) -> None:
        if self.least < 1:
            raise ValueError("at least one part must be found")


@dataclass(frozen=True)
class Said(Query):
    """同义: what was typed, or what else is said for it. Either is found; the typed one counts for more."""

    typed: Query
    otherwise: tuple[Query, ...]

    @property
    def parts(self) -> tuple[Query, ...]:
        """All of the ways to say it."""
        return self.typed, *self.otherwise


@dataclass(frozen=True)
class Not(Query):
    """Documents that the part does not hit, among those held at every tier that the part consults.

    What somebody may not read is hit neither by a word nor by the word's negation.
    """

    part: Query


@dataclass(frozen=True)
class Field(Query):
    """The part, its words looked for in one field only."""

    name: str
    part: Query


@dataclass(frozen=True)
class Range(Query):
    """From ``low`` to ``high``, both included; None leaves an end open. For fields of kind INTEGER and DATE."""

    name: str
    low: int | date | None = None
    high: int | date | None = None


@dataclass(frozen=True)
class Among(Query):
    """Documents of these numbers, which the caller has found elsewhere by something of this tier; ``name`` says by what.

    ``by``: the INTEGER field in which a document has its number, where that is not its own: all that lies in a file.
    """

    name: str
    numbers: frozenset[int]
    tier: Tier
    by: str | None = None


@dataclass(frozen=True)
class Everything(Query):
    """Every document that may be discovered."""
