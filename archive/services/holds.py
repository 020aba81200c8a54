"""封存: a seal over a record; how it comes off again is `unsealing` (domain §6).

Whatever is sealed stays: no disposal, no listed page taken out or replaced, and nothing listed in the trash. What goes on is
adding, reading and, where only a copy is sealed, lending (2013 rule art. 26): `policy/vetoes.csv`, `services/frozen.py` and
`services/staying.py`.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import Hold, Holding, HoldNode, Node
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.policy.types import TYPES
from archive.schema import Type, clean
from archive.services import branches, frozen, guards, manifests, numbers, parties, policies
from archive.services.scanning import batches
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "holds"}
COPY, ORIGINAL, LEGAL = "copy", "original", "legal"
SEALS = (COPY, ORIGINAL)
OVERLAYS = {COPY: Overlay.KEPT, ORIGINAL: Overlay.SEALED, LEGAL: Overlay.KEPT}
LONGEST = {"reason": 500, "kept_at": 120, "key_no": 40, "paper": 120}


def is_whole(kind: Type | None) -> bool:
    """Whether things of this type are sealed and inspected: whole records, not parts and not folders."""
    return kind is not None and kind.numbered


def standing(uow: UnitOfWork, node: Node) -> list[Hold]:
    """The seals that lie over a record now, oldest first; for whoever has checked that the actor may know."""
    statement = (
        select(Hold)
        .join(HoldNode, HoldNode.hold_id == Hold.id)
        .where(HoldNode.node_id == node.id, Hold.released_at.is_(None))
    )
    return list(uow.session.scalars(statement.order_by(Hold.id), execution_options=TRUSTED))


def limits(uow: UnitOfWork) -> Mapping[str, int]:
    """The hospital's numbers on sealing."""
    found: Mapping[str, int] = policies.in_force(uow, "holds").body["limits"]
    return found


def first_review(uow: UnitOfWork) -> date:
    """The review day that a form begins with."""
    return uow.today + timedelta(days=limits(uow)["review_days"])


@action("hold.applied", needs=P.HOLD_APPLY)
def apply(uow: UnitOfWork, node: Node, *, kind: str, asked_by: str, people: Iterable[Mapping[str, str]], kept_at: str,
          key_no: str = "", review_due: date | str, reason: str) -> Hold:  # fmt: skip
    """Seals a record, or what has been added to it since it was sealed.

    Raises Conflict for a part of a record, a volume that is not at hand, or nothing to seal; Invalid for what is missing.
    """
    uow.lock(node)  # else the volume might be handed out at this very moment
    if objection := _objection(uow, node, kind):
        raise Conflict(objection)
    there = parties.given(people)
    texts = {"kept_at": clean(kept_at), "key_no": clean(key_no), "reason": clean(reason)}
    day = _checked(uow, kind, asked_by, there, texts, review_due)
    return draw_up(
        uow, node, Hold(kind=kind, asked_by=asked_by, parties=there, review_due=day, paper="", told_by="", **texts)
    )  # fmt: skip


def draw_up(uow: UnitOfWork, node: Node, made: Hold) -> Hold:
    """Part of an act that has locked and checked the record: the list is drawn, and the seal lies over it.

    Raises Conflict where there is nothing to seal, or nothing new.
    """
    former = [hold for hold in standing(uow, node) if hold.kind == made.kind]
    manifest = manifests.drawn(uow, node, former)
    if manifests.is_empty(manifest):
        raise Conflict(
            _nothing_new() if former else _("There is nothing to seal yet: neither pages nor a volume.")
        )
    made.number, made.manifest, made.digest = numbers.slip(uow, "FC", 4), manifest, manifests.digest(manifest)
    made.supplement_of_id = former[0].id if former else None
    lay(uow, node, made)
    uow.note(number=made.number, kind=made.kind, asked_by=made.asked_by, reason=made.reason, digest=made.digest,
             pages=len(manifest["pages"]), review_due=made.review_due)  # fmt: skip
    return made


def lay(uow: UnitOfWork, node: Node, made: Hold) -> None:
    """Part of an act: the seal or the legal hold lies over a record from now on."""
    made.sealed_at, made.sealed_by = uow.now, uow.actor.principal_id
    uow.session.add(made)
    uow.session.flush()
    attach(uow, node, made, made.manifest)


def attach(uow: UnitOfWork, node: Node, made: Hold, listed: Mapping[str, Any]) -> None:
    """Part of an act: from now on this is a seal of that record, whose pages of a list, and volumes if it is of the original,
    are frozen.
    """
    uow.session.add(HoldNode(hold_id=made.id, node_id=node.id))
    barcodes = [one["barcode"] for one in listed["volumes"]] if made.kind == ORIGINAL else []
    volumes = [holding.id for holding in _volumes(uow, node) if holding.barcode in barcodes]
    frozen.freeze(uow, made, listed["pages"], volumes)
    cover(uow, node)


def _volumes(uow: UnitOfWork, node: Node) -> list[Holding]:
    mine = select(Holding).where(Holding.node_id == node.id).order_by(Holding.id)
    return list(uow.session.scalars(mine.execution_options(populate_existing=True, **TRUSTED)))


def _objection(uow: UnitOfWork, node: Node, kind: str) -> str | None:
    if not is_whole(TYPES[node.type]):
        return _("A whole record is sealed, not a part of it.")
    return not_at_hand(uow, node) if kind == ORIGINAL else None


def not_at_hand(uow: UnitOfWork, node: Node) -> str | None:
    """Why the paper of a record cannot be sealed now: somebody has it, or it is being scanned. Or nothing."""
    if objection := guards.nobody_has_it(uow, node):
        return objection
    numbers_of = (
        uow.session.scalar(batches.checked_out_with(volume.id), execution_options=TRUSTED)
        for volume in _volumes(uow, node)
    )
    batch = next((number for number in numbers_of if number), None)
    return batches.told(uow, batch) if batch else None


def _nothing_new() -> str:
    return _("It is sealed already, and nothing has been added since.")


def _checked(uow: UnitOfWork, kind: str, asked_by: str, people: parties.People, texts: Mapping[str, str],
             review_due: date | str) -> date:  # fmt: skip
    """The review day. Raises Invalid with everything that is wrong."""
    wrong: dict[str, str] = {}
    if kind not in SEALS:
        wrong["kind"] = _("Choose one of the list.")
    if asked_by not in policies.vocabulary(uow, "hold_asker"):
        wrong["asked_by"] = _("Choose one of the list.")
    if objection := parties.wrong(people) or parties.sealing(people):
        wrong["people"] = objection
    return review_day(uow, review_due, wrong | missing(texts, but=("key_no",)))


def missing(texts: Mapping[str, str], but: Iterable[str] = ()) -> dict[str, str]:
    """What is empty, but for some, or too long."""
    empty = {name: _("Fill this in.") for name, text in texts.items() if not text and name not in but}
    return empty | {
        name: _("At most %(most)d characters.", most=LONGEST[name])
        for name, text in texts.items()
        if len(text) > LONGEST[name]
    }


def review_day(uow: UnitOfWork, typed: date | str, wrong: Mapping[str, str]) -> date:
    """The day that was typed, if it is still to come. Raises Invalid with it, and with what else is wrong."""
    try:
        day = typed if isinstance(typed, date) else date.fromisoformat(typed.strip())
    except ValueError:
        raise Invalid(fields={**wrong, "review_due": _("Write the date as 2026-11-21.")}) from None
    if day <= uow.today:
        wrong = {**wrong, "review_due": _("Choose a day that is still to come.")}
    if wrong:
        raise Invalid(fields=dict(wrong))
    return day


def node_of(uow: UnitOfWork, hold: Hold) -> Node:
    """The record under a seal."""
    statement = select(Node).join(HoldNode, HoldNode.node_id == Node.id).where(HoldNode.hold_id == hold.id)
    return uow.session.scalars(statement, execution_options=TRUSTED).one()


@action("hold.reviewed", needs=P.HOLD_APPLY)
def review(uow: UnitOfWork, hold: Hold, *, review_due: date | str, reason: str) -> None:
    """复核: the seal stays, and is looked at again on another day. Raises Conflict for one that is off, Invalid."""
    node = node_of(uow, hold)
    uow.require(P.HOLD_APPLY, node)
    uow.about(node)
    if hold.released_at is not None:
        raise Conflict(_("This seal has been taken off already."))
    day = review_day(uow, review_due, missing({"reason": clean(reason)}))
    uow.note(number=hold.number, review_due=[hold.review_due, day], reason=clean(reason))
    hold.review_due = day
    uow.session.flush()


def cover(uow: UnitOfWork, node: Node) -> None:
    """Part of an act: the record takes on the strictest of what lies over it now. Its date of change stays: every list shows
    that, also to those who may not know of a sealed copy.
    """
    seals = standing(uow, node)
    node.hold_count = len(seals)
    node.overlay_own = int(max((OVERLAYS[hold.kind] for hold in seals), default=Overlay.NONE))
    uow.session.flush()
    branches.reclassify(uow, node)
    uow.enqueue("index", node)
