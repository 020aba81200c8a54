"""分面: by what the hits can be narrowed, with how many there are of each, among what the person may know of."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select

from archive.i18n import _
from archive.models import Principal
from archive.policy.types import TYPES
from archive.policy.workflows import DESCRIPTION_STATES
from archive.services import policies
from archive.services.findings import Count, Facet, Filters
from archive.uow import UnitOfWork
from index import Facets

NAMES = ("type", "dept", "year", "state", "retention", "carrier", "level")
LEVELS = ("0", "1", "2", "3")
MOST = 8
"""Values that are shown of each."""


def drawn(uow: UnitOfWork, found: Facets, filters: Filters) -> list[Facet]:
    """The facets in words; one whose hits all have the same value says nothing, unless it was chosen."""
    names, facets = titles(), []
    for name in NAMES:
        chosen = getattr(filters, name)
        counts = [(str(value), count) for value, count in found.counts[name] if value != ""]
        if len(counts) > 1 or chosen:
            said = words(uow, name, [value for value, _count in counts[:MOST]])
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


def words(uow: UnitOfWork, name: str, values: Collection[str]) -> Mapping[str, str]:
    """What the values of a facet are called."""
    if name == "type":
        return {kind.name: str(kind.label) for kind in TYPES.values()}
    if name == "state":
        return {state.name: str(state.title) for state in DESCRIPTION_STATES}
    if name == "dept":
        wanted: Any = select(Principal.id, Principal.name).where(
            Principal.id.in_([int(value) for value in values])
        )
        return {str(number): title for number, title in uow.session.execute(wanted)}
    if name == "retention":
        return {code: policies.said(rule) for code, rule in policies.terms(uow, "retention").items()}
    if name == "carrier":
        return {"paper": _("Paper"), "electronic": _("Electronic"), "dual": _("Dual")}
    if name == "level":
        return policies.vocabulary(uow, "level")
    return {}
