"""信封: what was typed travels in an address sealed. Browser history and proxy logs keep addresses, and must keep no names.

What is sealed opens in the session in which it was sealed, for as long as a working day lasts, and nowhere else.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive.uow import UnitOfWork

PARAMETER = "s"
"""The part of an address in which it stands."""
KEPT = timedelta(hours=12)


def seal(uow: "UnitOfWork", words: Mapping[str, str]) -> str:
    """`words` as a token for an address of this person's present session."""
    body = json.dumps([int(uow.now.timestamp()), dict(words)], ensure_ascii=False, separators=(",", ":"))
    return uow.site.keys.seal_address(body, _purpose(uow))


def opened(uow: "UnitOfWork", token: str) -> dict[str, str] | None:
    """The words of a token; nothing for one that is too old, of another session, or not ours at all."""
    try:
        at, words = json.loads(uow.site.keys.open_address(token, _purpose(uow)))
    except ValueError:
        return None
    return words if uow.now.timestamp() - at < KEPT.total_seconds() else None


def _purpose(uow: "UnitOfWork") -> str:
    return f"typed:{uow.actor.principal_id}:{uow.actor.session_id}"
