"""`openapi.json`: every operation described from its own declaration, so that the two cannot differ."""

import re
from typing import Any

from archive.blueprints.api.operation import JSON, OPERATIONS, Gives, Operation, Shape
from archive.errors import CODES

PART = re.compile(r"<(?:(\w+):)?(\w+)>")
KINDS = {"uuid": {"type": "string", "format": "uuid"}, "int": {"type": "integer"}, "": {"type": "string"}}
REFUSED = {
    401: "No bearer token, or one that has ended.",
    403: "The thing may be known of, but this not done with it.",
    404: "There is no such thing, or none that may be known of.",
    422: "Something that was sent cannot be taken; `fields` says what.",
    429: "Too many attempts.",
    500: "Something went wrong, and was noted.",
    503: "Try again in a moment.",
}
REFUSED_CHANGE = {
    409: "The thing is in another state than this needs, or has another version (`stale`).",
    413: "More bytes than are accepted.",
    507: "The disk is full; nothing was kept.",
}


class Failure(Shape):
    """Every error: a code of a closed list, and a sentence that tells a person what to do next."""

    error: str
    message: str
    fields: dict[str, str] | None = None


def document(prefix: str) -> dict[str, Any]:
    """The OpenAPI description of every operation."""
    shapes: dict[str, Any] = {}
    _add(Failure, shapes)
    shapes["Failure"]["properties"]["error"]["enum"] = sorted(CODES)
    paths: dict[str, Any] = {}
    for done in OPERATIONS:
        path = prefix + PART.sub(r"{\2}", done.rule)
        paths.setdefault(path, {})[done.method.lower()] = _described(done, shapes)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Juanzong", "version": "1", "description": "The same services as the pages, for programs."},
        "paths": paths,
        "components": {"schemas": shapes, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
    }  # fmt: skip


def _described(done: Operation, shapes: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": done.name, "summary": done.summary, "parameters": _parameters(done),
        "responses": {str(done.status): _given(done, shapes)} | _refusals(done),
    }  # fmt: skip
    if done.is_public:
        described["security"] = []
    if done.takes:
        _add(done.takes, shapes)
        needed = bool(shapes[done.takes.__name__].get("required"))
        described["requestBody"] = {"required": needed, "content": {done.media: {"schema": _ref(done.takes)}}}
    return described


def _parameters(done: Operation) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": KINDS[kind]}
        for kind, name in PART.findall(done.rule)
    ]
    asked = done.query.model_json_schema()
    for name, schema in asked.get("properties", {}).items():
        found.append(
            {"name": name, "in": "query", "required": name in asked.get("required", ()), "schema": schema}
        )
    if done.matches:
        found.append({"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"}})
    return found


def _given(done: Operation, shapes: dict[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {"description": "Done.", "content": _content(done.gives, shapes)}
    if isinstance(done.gives, type) and "version" in done.gives.model_fields:
        given["headers"] = {"ETag": {"description": "The version.", "schema": {"type": "string"}}}
    return given


def _content(gives: Gives, shapes: dict[str, Any]) -> dict[str, Any]:
    if isinstance(gives, tuple):
        return {media: {"schema": {"type": "object" if media == JSON else "string"}} for media in gives}
    _add(gives, shapes)
    return {JSON: {"schema": _ref(gives)}}


def _refusals(done: Operation) -> dict[str, Any]:
    said = REFUSED if done.method == "GET" else REFUSED | REFUSED_CHANGE
    if done.is_public:
        said = {status: words for status, words in said.items() if status not in {401, 403, 404}}
    content = {JSON: {"schema": _ref(Failure)}}
    return {str(status): {"description": words, "content": content} for status, words in sorted(said.items())}


def _ref(shape: type[Shape]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{shape.__name__}"}


def _add(shape: type[Shape], shapes: dict[str, Any]) -> None:
    if shape.__name__ not in shapes:
        schema = shape.model_json_schema(ref_template="#/components/schemas/{model}")
        shapes |= schema.pop("$defs", {})
        shapes[shape.__name__] = schema
