"""What the index knows of a node: the fields of all types, each at its own tier, and what every node has."""

from collections.abc import Iterable, Iterator

from archive import schema
from archive.policy.types import TYPES
from archive.schema import Field
from index import FieldSpec, Kind, Tier

TIER = {
    schema.Tier.DISCOVER: Tier.DISCOVER,
    schema.Tier.IDENTIFY: Tier.IDENTIFY,
    schema.Tier.READ: Tier.READ,
}
KIND = {
    schema.Kind.TEXT: Kind.TEXT,
    schema.Kind.LONG: Kind.TEXT,
    schema.Kind.CHOICE: Kind.TEXT,  # its words, in both languages: people type words, not codes
    schema.Kind.CODE: Kind.IDENT,
    schema.Kind.NUMBER: Kind.INTEGER,
    schema.Kind.DATE: Kind.DATE,
    schema.Kind.DEPT: Kind.KEYWORD,
}
WEIGHT = {"title": 4.0, "patient_name": 4.0, "mrn": 4.0}
SEARCHED = tuple(kind for kind in TYPES.values() if kind.rank in {"file", "item"})
"""A document is made of each file and each item; places in the tree are browsed."""

OWN = (
    FieldSpec("numbers", Kind.IDENT, Tier.DISCOVER, 4.0),
    FieldSpec("type", Kind.KEYWORD, Tier.DISCOVER),
    FieldSpec("dept", Kind.KEYWORD, Tier.DISCOVER),
    FieldSpec("state", Kind.KEYWORD, Tier.DISCOVER),
    FieldSpec("year", Kind.INTEGER, Tier.DISCOVER),
    FieldSpec("date", Kind.DATE, Tier.DISCOVER),
    FieldSpec("file", Kind.INTEGER, Tier.DISCOVER),
    FieldSpec("folder", Kind.INTEGER, Tier.DISCOVER),
    FieldSpec("retention", Kind.KEYWORD, Tier.DISCOVER),
    FieldSpec("carrier", Kind.KEYWORD, Tier.DISCOVER),
    FieldSpec("level", Kind.KEYWORD, Tier.DISCOVER),
    FieldSpec("pinyin", Kind.IDENT, Tier.IDENTIFY, 4.0),
    FieldSpec("text", Kind.TEXT, Tier.READ),
)
"""档号 and 病案号-次, how hits are narrowed and sorted, the reading of a person's name, and the text of the pages.

`file`: the node of the file, also of what lies in it; `folder`: that of the container in which the file lies. So what is
found of a file is said of its items, and a branch is the few containers in it: to move one tells the index nothing.
"""


def indexed() -> Iterator[Field]:
    """The fields of the types that are searched, each name once."""
    known: dict[str, Field] = {}
    for field in (field for kind in SEARCHED for field in kind.fields if field.indexed):
        first = known.setdefault(field.name, field)
        if (KIND[first.kind], first.tier) != (KIND[field.kind], field.tier):
            raise ValueError(f"the field {field.name} is of two kinds or tiers")
    return iter(known.values())


def specs(fields: Iterable[Field]) -> tuple[FieldSpec, ...]:
    return tuple(
        FieldSpec(field.name, KIND[field.kind], TIER[field.tier], WEIGHT.get(field.name, 1.0))
        for field in fields
    )


FIELDS = (*OWN, *specs(indexed()))
