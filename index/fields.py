"""What a field is: its kind, and the tier of access at which it may be consulted."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum

FORMAT = 2
"""Raised whenever analysis or the layout on disk changes, so that an older index is rebuilt and never misread."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
RESERVED = {"number", "stamp"}


class Tier(IntEnum):
    """密级层次: how much of a document somebody may know. Nested: who may read may also identify and discover."""

    DISCOVER = 0
    IDENTIFY = 1
    READ = 2


class Kind(Enum):
    """How a field is stored and what may be asked of it."""

    TEXT = "text"  # words and phrases within it; scored
    IDENT = "ident"  # one or more identifiers, found whole; sorted, suggested
    KEYWORD = "keyword"  # one or more of few values, found whole; counted, sorted, suggested
    INTEGER = "integer"  # ranges; counted, sorted
    DATE = "date"  # ranges; sorted


@dataclass(frozen=True)
class FieldSpec:
    """字段: one field of the documents. ``tier`` and ``weight`` apply at search and may change without a rebuild.

    A word that names no field is looked for in every field of kind TEXT or IDENT.
    """

    name: str
    kind: Kind
    tier: Tier = Tier.READ
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name in RESERVED:
            raise ValueError(f"{self.name!r} cannot name a field")
        if not self.weight > 0:
            raise ValueError(f"the weight of {self.name} must be positive")

    @property
    def takes_words(self) -> bool:
        return self.kind in {Kind.TEXT, Kind.IDENT}


Fields = Mapping[str, FieldSpec]


def by_name(specs: Iterable[FieldSpec]) -> Fields:
    """The fields by their names. Raises ValueError if two share one."""
    specs = tuple(specs)
    fields = {spec.name: spec for spec in specs}
    if len(fields) < len(specs):
        raise ValueError("two fields have the same name")
    return fields


def fingerprint(fields: Fields) -> str:
    """What an index must have been built with to be readable: names and kinds, not tiers and weights."""
    shape = ",".join(sorted(f"{spec.name}:{spec.kind.value}" for spec in fields.values()))
    return hashlib.sha256(f"{FORMAT};{shape}".encode()).hexdigest()[:16]
