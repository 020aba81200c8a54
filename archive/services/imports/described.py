"""Rows that become nodes: their values are held against the fields of the type, as a form's are."""

from collections.abc import Mapping
from typing import Any

from archive import schema
from archive.schema import Kind, Type
from archive.services.imports.rows import Reader, Row
from archive.services.imports.terms import Terms
from archive.services.imports.values import Wrong


def describe(
    reader: Reader, terms: Terms, kind: Type, row: Row, given: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The clean values of the type's fields. What is wrong is noted on the row, under its column."""
    raw: dict[str, Any] = dict(given or {})
    for field in kind.typed:
        if field.name in row.values:
            try:
                raw[field.name] = _term(terms, field, row.values[field.name])
            except Wrong as wrong:
                reader.object(row, field.name, str(wrong))
    outcome = schema.check(kind, raw, terms.vocabulary)
    told = {problem.column for problem in row.problems}
    for name, sentence in outcome.errors.items():
        if reader.name(name) not in told:
            reader.object(row, name, sentence)
    return outcome.values


def _term(terms: Terms, field: schema.Field, value: Any) -> Any:
    if field.kind is Kind.DEPT:
        return str(terms.department(value))
    if field.kind is Kind.CHOICE:
        return terms.choice(field.vocabulary or "", value)
    return value
