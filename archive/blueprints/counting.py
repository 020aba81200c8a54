"""What is counted behind a page of hits: the journal has been told of the search, and is not told a second time.

Whoever asks for counts alone is written down. That there was a page is sealed into the address from which it fetches.
"""

from hashlib import sha256

from archive import envelope
from archive.db import canonical
from archive.services.findings import Filters
from archive.uow import UnitOfWork

PARAMETER = "ran"
SECONDS = 60
"""A page asks at once; later it is a search of its own, with what has come since."""


def seal(uow: UnitOfWork, text: str, filters: Filters) -> str:
    """For the address of the counts of a search that is being written down now."""
    return envelope.seal(uow, {PARAMETER: _key(text, filters), "at": str(int(uow.now.timestamp()))})


def is_told(uow: UnitOfWork, token: str, text: str, filters: Filters) -> bool:
    """Whether this very search has just been written down."""
    said = envelope.opened(uow, token) or {}
    return (
        said.get(PARAMETER) == _key(text, filters) and uow.now.timestamp() - int(said.get("at", 0)) < SECONDS
    )


def _key(text: str, filters: Filters) -> str:
    return sha256(canonical([text, filters.said()]).encode()).hexdigest()[:24]
