"""A policy as text that somebody can read and change: TOML, one line an entry. Pure."""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from archive.i18n import _
from archive.policy.relations import Problem
from archive.schema import clean

BARE = re.compile(r"[A-Za-z0-9_-]+")


def written(body: Mapping[str, Any]) -> str:
    """The text of a body; `read` gives the same body back."""
    single = [
        f"{_key(name)} = {_value(value)}" for name, value in body.items() if not isinstance(value, dict)
    ]
    parts = ["\n".join(single)] if single else []
    for name, table in body.items():
        if isinstance(table, dict):
            lines = [f"{_key(key)} = {_value(value)}" for key, value in table.items()]
            parts.append("\n".join([f"[{_key(name)}]", *lines]))
    return "\n\n".join(parts) + "\n"


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def read(text: str) -> dict[str, Any] | Problem:
    """The body of a text, or the line that cannot be read."""
    try:
        return tomllib.loads(clean(text))
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        where = _("Line %(line)s", line=found[1]) if found else _("The end of the text")
        return Problem((where,), _("It is no TOML. A line looks like this: name = value"))
    except RecursionError:
        return Problem((), _("Too many brackets within brackets."))
