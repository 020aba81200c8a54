"""What an operation of the API takes and gives, declared once: the description for programs is made from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response, jsonify, make_response
from pydantic import BaseModel, ConfigDict

from archive.errors import CODES
from archive.gate import ApiSection
from archive.policy.permissions import P
from archive.uow import Needs


class Shape(BaseModel):
    """A JSON object of the API: what is not named is refused in, and never sent out."""

    model_config = ConfigDict(extra="forbid")


class Failure(Shape):
    """Every error: a code of a closed list, and a sentence that tells a person what to do next."""

    error: str
    message: str
    fields: dict[str, str] | None = None


@dataclass(frozen=True)
class Operation:
    """One operation as `openapi.json` describes it."""

    rule: str
    method: str
    summary: str
    gives: type[Shape] | str
    takes: type[Shape] | str | None
    query: tuple[str, ...]
    status: int


OPERATIONS: list[Operation] = []


def operation(
    section: ApiSection, rule: str, *, needs: Needs, gives: type[Shape] | str, method: str = "GET", status: int = 200,
    takes: type[Shape] | str | None = None, query: tuple[str, ...] = (), node: str | None = None, event: str | None = None,
    file: str | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # fmt: skip
    """Registers a view that gives a Shape (or a Response), answers it as JSON, and describes it by its docstring."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        OPERATIONS.append(Operation(rule, method, (view.__doc__ or "").strip(), gives, takes, query, status))

        def answer(uow: Any, *args: Any, **parts: Any) -> Response:
            given = view(uow, *args, **parts)
            return given if isinstance(given, Response) else as_json(given, status)

        answer.__name__ = view.__name__
        section.page(rule, needs=needs, node=node, methods=(method,), event=event, file=file)(answer)
        return view

    return decorate


def as_json(shape: Shape, status: int = 200) -> Response:
    return make_response(jsonify(shape.model_dump(mode="json")), status)


def document(prefix: str) -> dict[str, Any]:
    """The OpenAPI description of every operation."""
    shapes: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for done in OPERATIONS:
        path = prefix + done.rule.replace("<uuid:", "{").replace("<int:", "{").replace("<", "{").replace(">", "}")
        paths.setdefault(path, {})[done.method.lower()] = _described(done, path, shapes)
    _schema(Failure, shapes)
    shapes["Failure"]["properties"]["error"]["enum"] = sorted({*CODES, "csrf", "bad_request", "method_not_allowed"})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Juanzong", "version": "1", "description": "The same services as the pages, for programs."},
        "paths": paths,
        "components": {
            "schemas": shapes,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _described(done: Operation, path: str, shapes: dict[str, Any]) -> dict[str, Any]:
    parts = [part[1:].partition("}")[0] for part in path.split("/") if part.startswith("{")]
    parameters = [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in parts]
    parameters += [{"name": n, "in": "query", "schema": {"type": "string"}} for n in done.query]
    described: dict[str, Any] = {
        "summary": done.summary, "parameters": parameters,
        "responses": {
            str(done.status): {"description": "done", "content": _content(done.gives, shapes)},
            "default": {"description": "refused", "content": _content(Failure, shapes)},
        },
    }  # fmt: skip
    if done.takes:
        described["requestBody"] = {"required": True, "content": _content(done.takes, shapes)}
    return described


def _content(shape: type[Shape] | str, shapes: dict[str, Any]) -> dict[str, Any]:
    if isinstance(shape, str):
        return {shape: {"schema": {"type": "string", "format": "binary"}}}
    _schema(shape, shapes)
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape.__name__}"}}}


def _schema(shape: type[Shape], shapes: dict[str, Any]) -> None:
    if shape.__name__ in shapes:
        return
    schema = shape.model_json_schema(ref_template="#/components/schemas/{model}")
    shapes |= schema.pop("$defs", {})
    shapes[shape.__name__] = schema


__all__ = ["OPERATIONS", "Failure", "Operation", "P", "Shape", "as_json", "document", "operation"]
