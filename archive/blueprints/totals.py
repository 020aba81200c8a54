"""命中数: how many results a search has, in words that claim no more than was counted."""

from archive.i18n import _, ngettext
from archive.services.findings import CAP, Results


def said(found: Results) -> str:
    """17 results, 1,000 or more, or at least 312; nothing where none was found and not all was looked through.

    While there is no index the texts of pages are not searched: whatever is found is the least of what there is.
    """
    count, number = found.places, f"{found.places:,}"
    if found.capped and count >= CAP:
        return _("%(number)s or more results", number=number)
    if not (found.capped or found.degraded):
        return ngettext("%(number)s result", "%(number)s results", count, number=number)
    return (
        ngettext("At least %(number)s result", "At least %(number)s results", count, number=number)
        if count
        else ""
    )


def unread(found: Results) -> bool:
    """Whether texts in which the words may stand next to each other were left unread, there being so many."""
    return found.capped and found.places < CAP and not found.degraded
