"""What an operation of the API takes and gives, declared once: the checks and the description are made from it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Response, jsonify, make_response, request
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from archive.errors import Invalid
from archive.gate import PUBLIC, ApiSection, Public
from archive.i18n import _
from archive.uow import Needs

LARGEST = 2**20
"""Bytes of a JSON body: it is read into memory, unlike a file."""
JSON, FORM = "application/json", "multipart/form-data"


class Shape(BaseModel):
    """A JSON object of the API: what is not named is refused in, and never sent out."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*")
    @classmethod
    def keepable(cls, value: object) -> object:
        """No half of a character, and no zero byte, which PostgreSQL keeps in no text. Raises ValueError."""
        if isinstance(value, str) and b"\0" in value.encode():
            raise ValueError("zero byte")
        return value


class Nothing(Shape):
    """The query of an operation that takes none."""


S = TypeVar("S", bound=Shape)
Gives = type[Shape] | tuple[str, ...]
"""A shape, or the kinds of bytes that are sent instead."""


@dataclass(frozen=True)
class Operation:
    """One operation as `openapi.json` describes it. `matches`: If-Match may carry the version that was seen."""

    name: str
    rule: str
    method: str
    summary: str
    gives: Gives
    status: int
    takes: type[Shape] | None
    media: str
    query: type[Shape]
    matches: bool
    is_public: bool


OPERATIONS: list[Operation] = []


def operation(
    section: ApiSection, rule: str, *, needs: Needs | Public, gives: Gives, method: str = "GET", status: int = 200,
    takes: type[Shape] | None = None, media: str = JSON, query: type[Shape] | None = None, matches: bool = False,
    node: str | None = None, event: str | None = None, file: str | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # fmt: skip
    """Registers a view that gives a Shape (or a Response), answers it as JSON, and describes it by its docstring.

    What it takes comes checked, by name: the `body`, the query as `asked`, and the `version` that was seen.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        done = Operation(view.__name__, rule, method, (view.__doc__ or "").strip(), gives, status, takes, media,
                         query or Nothing, matches, needs is PUBLIC)  # fmt: skip
        OPERATIONS.append(done)

        def answer(uow: Any, *args: Any, **parts: Any) -> Response:
            given = view(uow, *args, **parts, **dict(_taken(done)))
            return given if isinstance(given, Response) else _as_json(given, status)

        answer.__name__ = view.__name__
        section.page(rule, needs=needs, node=node, methods=(method,), event=event, file=file)(answer)
        return view

    return decorate


def _taken(done: Operation) -> Iterator[tuple[str, Any]]:
    asked = checked(done.query, request.args.to_dict())
    if done.query is not Nothing:
        yield "asked", asked
    if done.takes is not None:
        yield "body", checked(done.takes, request.form.to_dict() if done.media == FORM else _json())
    if done.matches:
        yield "version", _version_seen()


def _json() -> Mapping[str, Any]:
    """The object in the body; an empty body is an empty object. Raises Invalid for anything else."""
    request.max_content_length = LARGEST
    if not request.get_data():
        return {}
    try:
        given = request.get_json(force=True, silent=True)
    except RecursionError:  # arrays in arrays in arrays
        given = None
    if not isinstance(given, dict):
        raise Invalid(_("Send one JSON object as the body."))
    return given


def _version_seen() -> int | None:
    """The version in If-Match. Raises Invalid for what no ETag of ours looks like."""
    given = request.headers.get("If-Match", "").strip()
    if given in {"", "*"}:
        return None
    version = given.removeprefix("W/").strip('"')
    if not (version.isascii() and version.isdecimal() and len(version) < 10):
        raise Invalid(_("If-Match carries the version, as the ETag of the node gives it."))
    return int(version)


def checked(shape: type[S], given: Mapping[str, Any]) -> S:
    """What was sent, as its shape. Raises Invalid, field by field."""
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        fields = {str(item["loc"][0]): _said(item["type"]) for item in error.errors() if item["loc"]}
        raise Invalid(_("The request is not as openapi.json describes it."), fields=fields) from error


def _said(kind: str) -> str:
    """What is wrong with a field, in words: pydantic speaks English only."""
    if kind == "missing":
        return _("This field must be filled in.")
    return (
        _("There is no such field here.")
        if kind == "extra_forbidden"
        else _("This value is not of the right kind.")
    )


def _as_json(shape: Shape, status: int) -> Response:
    response = make_response(jsonify(shape.model_dump(mode="json")), status)
    if "version" in type(shape).model_fields:
        response.set_etag(str(shape.model_dump()["version"]))
    return response
