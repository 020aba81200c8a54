"""分面: by what the hits can be narrowed, with how many there are of each, among what the person may know of."""

from archive.i18n import _
from archive.services import categories, search_labels
from archive.services.findings import Count, Facet, Filters
from archive.uow import UnitOfWork
from index import Facets

NAMES = ("type", "dept", "year", "state", "retention", "carrier", "level")
COUNTED = (*NAMES, categories.FOLDER)
MOST = 8
"""Values that are shown of each."""


def drawn(uow: UnitOfWork, found: Facets, filters: Filters) -> list[Facet]:
    """The facets in words; one whose hits all have the same value says nothing, unless it was chosen."""
    names, facets = titles(), []
    if len(held := categories.among_hits(uow, found.counts[categories.FOLDER], filters)) > 1:
        facets.append(Facet("under", _("Category"), held[:MOST], found.exact))
    for name in NAMES:
        chosen = getattr(filters, name)
        counts = [(str(value), count) for value, count in found.counts[name] if value != ""]
        if len(counts) > 1 or chosen:
            said = search_labels.choices(uow, name)
            shown = [Count(value, said.get(value, value), count, value == str(chosen))
                     for value, count in counts[:MOST]]  # fmt: skip
            facets.append(Facet(name, names[name], shown, found.exact))
    return facets


def titles() -> dict[str, str]:
    """What the facets are called."""
    return {
        "type": _("Type"), "dept": _("Department"), "year": _("Year"), "state": _("State"),
        "retention": _("Retention period"), "carrier": _("Carriers"), "level": _("Sensitivity"),
    }  # fmt: skip
