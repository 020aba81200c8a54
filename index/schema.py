"""Our kinds of field as Whoosh field types."""

from collections.abc import Iterator
from typing import Any

from whoosh import fields, formats

from .analysis import key, terms
from .columns import LabelColumn, NumberColumn
from .documents import SEPARATOR
from .fields import Fields, Kind

_Posting = tuple[bytes, int, float, bytes]


class TextField(fields.FieldType):
    """Terms and how often, nothing of where: phrases are checked in the text itself."""

    def __init__(self) -> None:
        super().__init__(format=formats.Existence(), analyzer=None, scorable=True)

    def index(self, value: str, **_: Any) -> Iterator[_Posting]:
        for term, count in terms(value).items():
            yield term.encode("utf-8"), count, float(count), b""


class IdentField(fields.FieldType):
    """Whole values: folded among the terms, as written in the column."""

    def __init__(self) -> None:
        super().__init__(format=formats.Existence(), analyzer=None, sortable=LabelColumn())

    def index(self, value: tuple[str, ...], **_: Any) -> Iterator[_Posting]:
        for term in {key(one) for one in value} - {""}:
            yield term.encode("utf-8"), 1, 1.0, b""

    def to_column_value(self, value: tuple[str, ...]) -> bytes:
        return SEPARATOR.join(value).encode("utf-8")


class KeywordField(fields.COLUMN):
    """Values in the column alone: there are so few that a look-up compares them all."""

    def __init__(self) -> None:
        super().__init__(LabelColumn())

    def to_column_value(self, value: tuple[str, ...]) -> bytes:
        return SEPARATOR.join(value).encode("utf-8")


class NumberField(fields.COLUMN):
    """A number, or a date as its proleptic ordinal."""

    def __init__(self) -> None:
        super().__init__(NumberColumn())

    def to_column_value(self, value: int) -> int:
        return value


_TYPES = {
    Kind.TEXT: TextField,
    Kind.IDENT: IdentField,
    Kind.KEYWORD: KeywordField,
    Kind.INTEGER: NumberField,
    Kind.DATE: NumberField,
}


def whoosh_schema(specs: Fields) -> fields.Schema:
    """The schema to write and read segments with."""
    schema = fields.Schema(number=NumberField(), stamp=NumberField())
    for spec in specs.values():
        schema.add(spec.name, _TYPES[spec.kind]())
    return schema
