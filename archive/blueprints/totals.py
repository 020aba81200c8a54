"""命中数: how many results a search has, in words that claim no more than was counted."""

from dataclasses import dataclass

from archive.i18n import _, ngettext
from archive.services.findings import CAP, Tally


@dataclass(frozen=True)
class Total:
    """What is said; `unread`: texts in which the words may stand next to each other were left unread, there being so many."""

    said: str
    unread: bool


def stated(found: Tally, *, degraded: bool = False) -> Total:
    """17 results, 1,000 or more, or at least 312; nothing where none was found and not all was looked through.

    While there is no index (`degraded`) the texts of pages are not searched: whatever is found is the least of what there is.
    """
    count, number = found.count, f"{found.count:,}"
    if found.capped and count >= CAP:
        return Total(_("%(number)s or more results", number=number), unread=False)
    if not (found.capped or degraded):
        return Total(ngettext("%(number)s result", "%(number)s results", count, number=number), unread=False)
    least = ngettext("At least %(number)s result", "At least %(number)s results", count, number=number)
    return Total(least if count else "", unread=found.capped and not degraded)
