"""纸电一致率: of the records that are kept on both carriers those whose paper and pages agree (domain §9).

`dual_match_rate` = with paper and pages, as many pages as were counted, no file whose hash was found wrong / all with either.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func

from archive.errors import NotFound
from archive.i18n import Lazy, _l
from archive.models import Node
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.services import listing
from archive.uow import UnitOfWork

OUTCOMES: dict[str, Lazy] = {
    "matched": _l("Paper and pages agree"), "differs": _l("Counts differ"),
    "uncounted": _l("Paper not counted"), "damaged": _l("A file is damaged"), "paper": _l("Paper only"),
    "electronic": _l("Electronic only"),
}  # fmt: skip


@dataclass(frozen=True)
class Rate:
    """纸电一致率, with what it is made of."""

    counts: dict[str, int]

    @property
    def matched(self) -> int:
        return self.counts.get("matched", 0)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def value(self) -> float | None:
        """Nothing where there is nothing to compare."""
        return self.matched / self.total if self.total else None


def _seen(uow: UnitOfWork, *entities: Any) -> Select[Any]:
    """Records that the actor may know of and whose volumes they may see: a difference says something of both."""
    known = uow.nodes(P.DISCOVER, *entities, everywhere=True)
    return known.where(
        uow.access.clause(P.HOLDING_VIEW, everywhere=True), Node.dual.is_not(None),
        Node.overlay != int(Overlay.TRASHED),
    )  # fmt: skip


def rate(uow: UnitOfWork) -> Rate:
    """The rate over what the actor may see, in one statement that reads nothing but an index."""
    rows = uow.session.execute(_seen(uow, Node.dual, func.count()).group_by(Node.dual))
    return Rate(dict(rows.all()))


def records(uow: UnitOfWork, outcome: str, after: str | None = None) -> listing.Listing:
    """The records behind one part of the rate. Raises NotFound for no such part."""
    if outcome not in OUTCOMES:
        raise NotFound
    return listing.paged(uow, _seen(uow).where(Node.dual == outcome), f"dual:{outcome}", "entered", after)
