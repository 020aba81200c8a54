"""What is typed into a page that finds something stands in no address: it travels there sealed."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from flask import g, redirect, request

from archive import envelope
from archive.uow import UnitOfWork

LONGEST = 400
"""Characters of a field that travels in an address: an address holds only so much."""
View = Callable[..., Any]


def opening(view: View, names: tuple[str, ...]) -> View:
    """The view with the words of its address opened; a POST seals them into that address."""

    @wraps(view)
    def either(uow: UnitOfWork, *node: Any, **parts: Any) -> Any:
        if request.method == "POST":
            return redirect(_sealing(uow, names))
        opened = envelope.opened(uow, token) if (token := request.args.get(envelope.PARAMETER)) else {}
        g.typed, g.typed_is_over = opened or {}, opened is None
        return view(uow, *node, **parts)

    return either


def _sealing(uow: UnitOfWork, names: tuple[str, ...]) -> str:
    """The address of this page with what was typed sealed in it, and the rest of the form beside it."""
    given = {name: request.form.get(name, "").strip()[:LONGEST] for name in names}
    beside = {
        name: value for name, value in request.form.items() if value and name not in {*names, "csrf_token"}
    }
    words = {name: value for name, value in given.items() if value}
    return f"{request.path}?{urlencode({**beside, envelope.PARAMETER: envelope.seal(uow, words)})}"


def typed(name: str) -> str:
    """What was typed into a field of this page; empty where nothing was, or where it is no longer kept."""
    words: dict[str, str] = g.get("typed", {})
    return words.get(name, "")


def typed_token() -> str | None:
    """What was typed as it stands in this address, to lead on to another page; nothing where it is no longer kept."""
    return None if g.get("typed_is_over") else request.args.get(envelope.PARAMETER)
