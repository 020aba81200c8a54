"""What goes in: documents to put and documents to drop."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from .fields import Fields, FieldSpec, Kind

Value = str | int | date | tuple[str, ...]

JOINT = "；"
"""Between two texts of one field: no words are found across a sign."""
SEPARATOR = "\x1f"
"""Between the values of one field in its column; a value cannot contain it."""

_MOST_NUMBER = (1 << 31) - 1  # a mask over node numbers is an array indexed by them
_MOST_STAMP = (1 << 63) - 1
_MOST_INTEGER = 1 << 53  # sort keys are floats


@dataclass(frozen=True)
class Put:
    """A document as it is now: its node's number, its version, and the values of its fields.

    ``stamp`` grows whenever anything indexed about the node changes: a put with a stamp that is not newer than the
    stored one is passed over. A TEXT field is one string; join several texts with ``JOINT`` (；), not with a line break,
    or words would be found across the joint. IDENT and KEYWORD take a string or a tuple of strings.
    """

    number: int
    stamp: int
    values: Mapping[str, Value]


@dataclass(frozen=True)
class Drop:
    """A document that is no longer there, whatever its stamp."""

    number: int


Change = Put | Drop


def stored(put: Put, fields: Fields) -> dict[str, object]:
    """The row to write. Raises ValueError or TypeError, naming the field, if the document does not fit."""
    if not 0 <= put.number <= _MOST_NUMBER or not 0 <= put.stamp <= _MOST_STAMP:
        raise ValueError(f"number {put.number} or stamp {put.stamp} is out of range")
    row: dict[str, object] = {"number": put.number, "stamp": put.stamp}
    for name, value in put.values.items():
        if name not in fields:
            raise ValueError(f"no field is called {name!r}")
        row[name] = _stored_value(fields[name], value)
    return row


def _stored_value(spec: FieldSpec, value: Value) -> object:
    match spec.kind, value:
        case Kind.TEXT, str():
            return value
        case ((Kind.IDENT | Kind.KEYWORD), str()):
            return _strings(spec, (value,))
        case ((Kind.IDENT | Kind.KEYWORD), tuple()):
            return _strings(spec, value)
        case Kind.INTEGER, int() if abs(value) < _MOST_INTEGER:
            return value
        case Kind.DATE, date():
            return value.toordinal()
    raise TypeError(f"{value!r} does not fit the field {spec.name} of kind {spec.kind.value}")


def _strings(spec: FieldSpec, values: Iterable[str]) -> tuple[str, ...]:
    """The values, as UTF-8 can hold them; an empty one says nothing and is left out."""
    kept = tuple(value.encode("utf-8", "replace").decode() for value in values if value)
    if any(SEPARATOR in value for value in kept):
        raise ValueError(f"a value of {spec.name} contains a control character")
    return kept
