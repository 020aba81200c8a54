"""依电子副本重建: what was lost is printed from its electronic copy, and becomes a volume that says so."""

from uuid import UUID

from archive.errors import Conflict
from archive.i18n import _
from archive.models import HoldingAct, Node
from archive.policy.permissions import P
from archive.services import downloads, holdings, incidents
from archive.services.incidents import Seen
from archive.uow import UnitOfWork, action


def offered(uow: UnitOfWork, seen: Seen) -> bool:
    """Whether the actor may have this volume printed anew: it is lost, and they may take its pages away."""
    if seen.kind != incidents.LOST or seen.state.name != "open":
        return False
    return _may(uow, uow.node(seen.node.id)) if P.DISCOVER in seen.node.may else False


def _may(uow: UnitOfWork, node: Node) -> bool:
    return downloads.may(uow, node) and holdings.summary(uow, node).pages > 0


@action("incident.reconstructed", needs=P.HOLDING_PLACE)
def rebuild(uow: UnitOfWork, ref: UUID, *, sheets: int | None, version: int) -> str:
    """Registers the printed volume, and gives its barcode. The lost one stays lost until somebody finds it.

    Raises NotFound, Stale, Invalid, Conflict where there is nothing to print from, or nothing was lost.
    """
    row, lost, node = incidents.taken(uow, ref, version)
    if row.kind != incidents.LOST or row.state != "open" or not _may(uow, node):
        raise Conflict(
            _("Only what is lost, and has pages, is printed anew by somebody who may take the pages away.")
        )
    uow.about(node)
    made = holdings.register(uow, node, sheets=sheets, condition=_("Reconstructed from the electronic copy"))
    holdings.trace(uow, node, made, HoldingAct.CORRECTED, before=made.status,
                   because=_("Reconstructed from the electronic copy: %(number)s, for %(barcode)s", number=row.number,
                             barcode=lost.barcode))  # fmt: skip
    row.state, row.rebuilt_id = "reconstructed", made.id
    uow.note(incident=row.number, barcode=made.barcode, instead_of=lost.barcode)
    return made.barcode
