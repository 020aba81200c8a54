"""Fields of a form as the macros draw them, made from the fields of a type."""

from collections.abc import Mapping
from typing import Any

from archive.errors import Invalid
from archive.i18n import _
from archive.schema import Field, Kind, Need, Type
from archive.services import tree
from archive.uow import UnitOfWork

KINDS = {
    Kind.TEXT: "text", Kind.CODE: "text", Kind.LONG: "textarea", Kind.DATE: "date", Kind.NUMBER: "number",
    Kind.CHOICE: "select", Kind.DEPT: "select",
}  # fmt: skip


def fields_of(
    uow: UnitOfWork, kind: Type, values: Mapping[str, object], errors: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The fields of a type, with what was typed and what is wrong with it."""
    return [_drawn(uow, field, values.get(field.name), errors.get(field.name)) for field in kind.typed]


def _drawn(uow: UnitOfWork, field: Field, value: object, error: str | None) -> dict[str, Any]:
    drawn: dict[str, Any] = {
        "name": field.name, "label": str(field.label), "kind": KINDS[field.kind], "value": "" if value is None else str(value),
        "required": field.need is Need.MUST, "hint": str(field.help) if field.help else "",
        "errors": [error] if error else [], "mono": field.kind is Kind.CODE, "maxlength": field.longest,
    }  # fmt: skip
    if field.kind in (Kind.CHOICE, Kind.DEPT):
        names = tree.vocabulary(uow, "departments" if field.kind is Kind.DEPT else field.vocabulary or "")
        drawn["choices"] = [("", _("— choose —")), *names.items()]
    return drawn


def field(name: str, label: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    """One field of a form that is no type's."""
    return {"name": name, "label": label, "kind": kind, **more}


def with_errors(
    fields: list[dict[str, Any]], typed: Mapping[str, str], error: Invalid | None
) -> list[dict[str, Any]]:
    """The fields with what was typed before, and the errors beside them."""
    wrong = error.fields if error else {}
    return [
        item | {"value": typed.get(item["name"], item.get("value", "")),
                "errors": [wrong[item["name"]]] if item["name"] in wrong else []}
        for item in fields
    ]  # fmt: skip
