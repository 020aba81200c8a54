"""Sealed cursors: where the next page of a list begins. Nobody can make one up, read one, or use it for another list."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from archive.errors import Invalid
from archive.i18n import _
from archive.keys import Keys


def pack(keys: Keys, purpose: str, values: list[Any]) -> str:
    """The cursor after a row whose sort values are `values`."""
    body = json.dumps([_plain(value) for value in values], ensure_ascii=False, separators=(",", ":"))
    return keys.seal_address(body, purpose)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    return {"on": value.isoformat()} if isinstance(value, date) else value


def unpack(keys: Keys, purpose: str, cursor: str | None) -> list[Any] | None:
    """The sort values of a cursor; nothing for the first page. Raises Invalid when it was not made here for this."""
    if not cursor:
        return None
    try:
        values = json.loads(keys.open_address(cursor, purpose))
    except ValueError as error:
        raise Invalid(_("This link to the next page is no longer valid. Load the list again.")) from error
    return [_rich(value) for value in values]


TRAIL = 25
"""So many pages lead back one by one: an address holds only so much."""


@dataclass(frozen=True)
class Turn:
    """翻页: where a page begins (nothing: the list), the beginnings of those before it, and its number from 1."""

    begin: list[Any] | None = None
    trail: list[list[Any] | None] = field(default_factory=list)
    number: int = 1

    def onward(self, keys: Keys, purpose: str, begin: list[Any]) -> str:
        """The cursor of the page after this one, which begins after `begin`."""
        return pack(keys, purpose, [begin, [*self.trail, self.begin][-TRAIL:], self.number + 1])

    def back(self, keys: Keys, purpose: str) -> str | None:
        """The cursor of the page before this one; empty for the first page, nothing where none is before it."""
        if not self.trail:
            return None
        *trail, begin = self.trail
        return pack(keys, purpose, [begin, trail, self.number - 1]) if begin else ""


def turned(keys: Keys, purpose: str, cursor: str | None) -> Turn:
    """The page that a cursor leads to. Raises Invalid when it was not made here for this."""
    values = unpack(keys, purpose, cursor)
    return Turn(*values) if values else Turn()


def _rich(value: Any) -> Any:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["at"]) if "at" in value else date.fromisoformat(value["on"])
    return value
