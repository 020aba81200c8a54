"""A search that cannot be read or answered: what is wrong, and where, for the page that shows it again."""

import re
from dataclasses import dataclass

from archive.errors import ArchiveError
from archive.services.search import Misunderstood

MARKED = re.compile(r"\S{1,30}")


@dataclass(frozen=True)
class Refusal:
    """What is wrong with what was typed; `before`, `wrong`, `after`: the text around the place, where there is one."""

    sentence: str
    before: str = ""
    wrong: str = ""
    after: str = ""
    place: int = 0
    """Counted from 1, as people count."""


def refusal(text: str, error: ArchiveError) -> Refusal:
    """The error as the page shows it."""
    if not isinstance(error, Misunderstood):
        return Refusal(str(error))
    at = min(error.position, len(text))
    found = MARKED.match(text, at)
    end = found.end() if found else at
    return Refusal(str(error), text[:at], text[at:end], text[end:], at + 1)
