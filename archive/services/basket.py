"""已选: what somebody has chosen from searches to work on together; nobody else sees it, and it outlives the page."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func
from sqlalchemy.exc import IntegrityError

from archive.errors import Invalid
from archive.i18n import _
from archive.models import BasketItem, Holding, Node
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.services import levels
from archive.services.attempts import Outcome, each
from archive.sight import NodeView, views
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "basket", "synchronize_session": False}
MOST = 200
"""So many stand on one page, and a person can still look through them."""


def _mine(uow: UnitOfWork, *entities: Any) -> Select[Any]:
    """What the actor has chosen and may still know of: whatever else became of it, it leaves no trace."""
    chosen = (
        uow.nodes(P.DISCOVER, *entities).select_from(Node).join(BasketItem, BasketItem.node_id == Node.id)
    )
    return chosen.where(BasketItem.owner_id == uow.actor.principal_id, Node.overlay < int(Overlay.TRASHED))


def contents(uow: UnitOfWork) -> list[NodeView]:
    """What was chosen, in the order in which it was."""
    return views(uow, uow.list(_mine(uow).order_by(BasketItem.at, Node.id)))


def size(uow: UnitOfWork) -> int:
    """How much was chosen."""
    return uow.session.scalar(_mine(uow, func.count(Node.id))) or 0


def put(uow: UnitOfWork, refs: Iterable[UUID]) -> int:
    """Chooses things that the actor may know of; gives how many are new. Raises Invalid where they become too many."""
    kept = set(uow.session.scalars(_mine(uow, Node.id)))
    wanted = uow.nodes(P.DISCOVER, Node.id).where(Node.uuid.in_(list(refs)))
    fresh = [number for number in uow.session.scalars(wanted) if number not in kept]
    if len(kept) + len(fresh) > MOST:
        raise Invalid(
            _("At most %(num)d can be chosen. Work on these first, or clear the selection.", num=MOST)
        )
    _choose(uow, fresh)
    return len(fresh)


def fill(uow: UnitOfWork, numbers: Sequence[int]) -> tuple[int, int]:
    """Chooses the first of these nodes for which there is room; gives how many, and for how many there is none.

    What the actor may not know of is left out, and counted nowhere.
    """
    kept = set(uow.session.scalars(_mine(uow, Node.id)))
    known = set(uow.session.scalars(uow.nodes(P.DISCOVER, Node.id).where(Node.id.in_(numbers))))
    fresh = [number for number in dict.fromkeys(numbers) if number in known - kept]
    taken = fresh[: max(0, MOST - len(kept))]
    _choose(uow, taken)
    return len(taken), len(fresh) - len(taken)


def _choose(uow: UnitOfWork, numbers: Iterable[int]) -> None:
    for number in numbers:
        with suppress(IntegrityError), uow.session.begin_nested():  # a second click may have come before
            uow.session.add(BasketItem(owner_id=uow.actor.principal_id, node_id=number, at=uow.now))


def take_out(uow: UnitOfWork, refs: Iterable[UUID]) -> None:
    """Some are chosen no longer."""
    numbers = uow.session.scalars(_mine(uow, Node.id).where(Node.uuid.in_(list(refs))))
    _drop(uow, BasketItem.node_id.in_(list(numbers)))


def clear(uow: UnitOfWork) -> None:
    """Nothing is chosen any longer."""
    _drop(uow)


def _drop(uow: UnitOfWork, *which: Any) -> None:
    own = BasketItem.owner_id == uow.actor.principal_id
    uow.session.execute(delete(BasketItem).where(own, *which), execution_options=TRUSTED)


def barcodes(uow: UnitOfWork, refs: Iterable[UUID]) -> list[str]:
    """The volumes of some things, as far as the actor may handle them, in the order in which these were chosen."""
    volumes = _mine(uow, Holding.barcode).join(Holding, Holding.node_id == Node.id)
    held = uow.access.clause(P.HOLDING_VIEW)
    wanted = volumes.where(Node.uuid.in_(list(refs)), held).order_by(BasketItem.at, Node.id, Holding.id)
    return list(uow.session.scalars(wanted))


# What is done with several at once; each on its own


def reclassify(uow: UnitOfWork, refs: Iterable[UUID], *, level: int | None, reason: str) -> list[Outcome]:
    """Gives each the same level, where it may have it. Raises Invalid without a level or a reason."""
    wrong = {}
    if level is None:
        wrong["level"] = _("Choose one of the list.")
    if not reason.strip():
        wrong["reason"] = _("Say why, in up to %(most)d characters.", most=levels.LONGEST_REASON)
    if wrong:
        raise Invalid(fields=wrong)
    return each(uow, refs, lambda ref: levels.change(uow, uow.node(ref), level=level, reason=reason))
