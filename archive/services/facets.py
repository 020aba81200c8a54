"""分面: by what the hits can be narrowed, with how many there are of each, among what the person may know of."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from archive.i18n import _
from archive.models import Principal
from archive.policy.types import TYPES
from archive.policy.workflows import DESCRIPTION_STATES
from archive.services.findings import Count, Facet, Filters
from archive.uow import UnitOfWork
from index import Facets

NAMES = ("type", "dept", "year", "state")
MOST = 8
"""Values that are shown of each."""


def drawn(uow: UnitOfWork, found: Facets, filters: Filters) -> list[Facet]:
    """The facets in words; one whose hits all have the same value says nothing, unless it was chosen."""
    titles = {"type": _("Type"), "dept": _("Department"), "year": _("Year"), "state": _("State")}
    facets = []
    for name in NAMES:
        chosen = getattr(filters, name)
        counts = [(str(value), count) for value, count in found.counts[name] if value != ""]
        if len(counts) > 1 or chosen:
            words = _words(uow, name, [value for value, _count in counts[:MOST]])
            shown = [Count(value, words.get(value, value), count, value == str(chosen))
                     for value, count in counts[:MOST]]  # fmt: skip
            facets.append(Facet(name, titles[name], shown))
    return facets


def _words(uow: UnitOfWork, name: str, values: list[str]) -> Mapping[str, str]:
    if name == "type":
        return {kind.name: str(kind.label) for kind in TYPES.values()}
    if name == "state":
        return {state.name: str(state.title) for state in DESCRIPTION_STATES}
    if name == "dept":
        wanted: Any = select(Principal.id, Principal.name).where(
            Principal.id.in_([int(value) for value in values])
        )
        return {str(number): title for number, title in uow.session.execute(wanted)}
    return {}
