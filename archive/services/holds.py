"""封存: a seal over a record, which nobody reads, copies, lends or changes until it is taken off (domain §6)."""

from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import Node
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.policy.types import TYPES
from archive.schema import clean
from archive.services import branches, guards
from archive.uow import UnitOfWork, action

LONGEST_REASON = 500


@action("hold.applied", needs=P.HOLD_APPLY)
def apply(uow: UnitOfWork, node: Node, *, reason: str) -> None:
    """Seals a whole record. Raises Conflict for a part of one, or one that is sealed or lent; Invalid without a reason."""
    if not TYPES[node.type].numbered:
        raise Conflict(_("A whole record is sealed, not a part of it."))
    if node.overlay_own == Overlay.SEALED:
        raise Conflict(_("This record is sealed already."))
    if objection := guards.nobody_has_it(uow, node):
        raise Conflict(objection)
    uow.note(reason=_checked(reason))
    node.hold_count += 1
    _cover(uow, node, Overlay.SEALED)


@action("hold.released", needs=P.HOLD_RELEASE)
def release(uow: UnitOfWork, node: Node, *, reason: str) -> None:
    """Takes the seal off. Raises Conflict for a record that has none, Invalid without a reason."""
    if node.overlay_own != Overlay.SEALED:
        raise Conflict(_("This record is not sealed."))
    uow.note(reason=_checked(reason))
    node.hold_count -= 1
    _cover(uow, node, Overlay.NONE)


def _checked(reason: str) -> str:
    text = clean(reason)
    if not 1 <= len(text) <= LONGEST_REASON:
        raise Invalid(fields={"reason": _("Say why, in up to %(most)d characters.", most=LONGEST_REASON)})
    return text


def _cover(uow: UnitOfWork, node: Node, overlay: Overlay) -> None:
    node.overlay_own, node.updated_at, node.updated_by = int(overlay), uow.now, uow.actor.principal_id
    uow.session.flush()
    branches.reclassify(uow, node)
    uow.enqueue("index", node)
