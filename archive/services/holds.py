"""封存、启封: a seal over a record, and how it comes off again (domain §6).

The original under seal is closed to everybody. A copy under seal leaves the original in use, and only keeps it from
the trash and from disposal (2013 rule art. 26): `policy/vetoes.csv` says which is which.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import Hold, HoldNode, Node
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.policy.types import TYPES
from archive.schema import Type, clean
from archive.services import branches, calendar, guards, manifests, numbers, policies
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "holds"}
COPY, ORIGINAL = "copy", "original"
OVERLAYS = {COPY: Overlay.COPY_SEALED, ORIGINAL: Overlay.SEALED}
TOGETHER, NO_CLAIM = "together", "no_claim"
LONGEST = {"reason": 500, "hospital": 120, "patient": 120, "witness": 120, "kept_at": 120, "present": 200}


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
def apply(uow: UnitOfWork, node: Node, *, kind: str, asked_by: str, hospital: str, patient: str = "",
          witness: str = "", kept_at: str, review_due: date | str, reason: str) -> Hold:  # fmt: skip
    """Seals a record, or what has been added to it since its copy was sealed.

    Raises Conflict for a part of a record, one whose original is sealed, an original that is lent, or nothing to seal;
    Invalid for what is missing.
    """
    uow.lock(node)  # else the volume might be handed out at this very moment
    before = standing(uow, node)
    if objection := _objection(uow, node, kind, before):
        raise Conflict(objection)
    parties = {"hospital": clean(hospital), "patient": clean(patient), "witness": clean(witness)}
    day = _checked(
        uow, kind, asked_by, parties, kept_at=clean(kept_at), review_due=review_due, reason=clean(reason)
    )
    former = before if kind == COPY else []
    manifest = manifests.drawn(uow, node, former)
    if manifests.is_empty(manifest):
        raise Conflict(
            _nothing_new() if former else _("There is nothing to seal yet: neither pages nor a volume.")
        )
    made = Hold(
        number=numbers.slip(uow, "FC", 4), kind=kind, asked_by=asked_by, parties=parties, kept_at=clean(kept_at),
        reason=clean(reason), manifest=manifest, digest=manifests.digest(manifest), review_due=day,
        supplement_of_id=former[0].id if former else None, sealed_at=uow.now, sealed_by=uow.actor.principal_id,
    )  # fmt: skip
    uow.session.add(made)
    uow.session.flush()
    uow.session.add(HoldNode(hold_id=made.id, node_id=node.id))
    uow.note(number=made.number, kind=kind, asked_by=asked_by, reason=made.reason, digest=made.digest,
             pages=len(manifest["pages"]), review_due=day)  # fmt: skip
    _cover(uow, node)
    return made


def _objection(uow: UnitOfWork, node: Node, kind: str, before: list[Hold]) -> str | None:
    if not is_whole(TYPES[node.type]):
        return _("A whole record is sealed, not a part of it.")
    if any(hold.kind == ORIGINAL for hold in before):
        return _("This record is sealed already.")
    return guards.nobody_has_it(uow, node) if kind == ORIGINAL else None


def _nothing_new() -> str:
    return _("Its copy is sealed already, and nothing has been added since.")


def _checked(uow: UnitOfWork, kind: str, asked_by: str, parties: Mapping[str, str], **given: Any) -> date:
    """The review day. Raises Invalid with everything that is wrong."""
    wrong: dict[str, str] = {}
    if kind not in OVERLAYS:
        wrong["kind"] = _("Choose one of the list.")
    if asked_by not in policies.vocabulary(uow, "hold_asker"):
        wrong["asked_by"] = _("Choose one of the list.")
    texts = {**parties, "kept_at": given["kept_at"], "reason": given["reason"]}
    for name in ("hospital", "kept_at", "reason"):
        if not texts[name]:
            wrong[name] = _("Fill this in.")
    if not parties["patient"] and not parties["witness"]:
        # 2013 rule art. 24: where the patient's side does not come, a notary seals with the hospital
        wrong["patient"] = _("Say who came for the patient, or which notary was present instead.")
    wrong |= _too_long(texts)
    day = _day(given["review_due"], wrong)
    if day is not None and day <= uow.today:
        wrong["review_due"] = _("Choose a day that is still to come.")
    if wrong or day is None:
        raise Invalid(fields=wrong)
    return day


def _too_long(texts: Mapping[str, str]) -> dict[str, str]:
    return {
        name: _("At most %(most)d characters.", most=LONGEST[name])
        for name, text in texts.items()
        if len(text) > LONGEST[name]
    }


def _day(given: date | str, wrong: dict[str, str]) -> date | None:
    try:
        return given if isinstance(given, date) else date.fromisoformat(given.strip())
    except ValueError:
        wrong["review_due"] = _("Write the date as 2026-11-21.")
        return None


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
    _still_on(hold)
    wrong = _too_long({"reason": clean(reason)}) | ({} if clean(reason) else {"reason": _("Fill this in.")})
    day = _day(review_due, wrong)
    if day is not None and day <= uow.today:
        wrong["review_due"] = _("Choose a day that is still to come.")
    if wrong or day is None:
        raise Invalid(fields=wrong)
    uow.note(number=hold.number, review_due=[hold.review_due, day], reason=clean(reason))
    hold.review_due = day
    uow.session.flush()


@action("hold.released", needs=P.HOLD_RELEASE)
def release(uow: UnitOfWork, hold: Hold, *, ground: str, present: str, reason: str) -> None:
    """启封. Never by whoever sealed it.

    Raises Conflict for one's own seal or one that is off already, Invalid for a ground that does not hold (yet).
    """
    node = node_of(uow, hold)
    uow.require(P.HOLD_RELEASE, node)
    uow.lock(node)
    uow.session.refresh(hold)
    uow.about(node)
    if objection := release_objection(uow, hold):
        raise Conflict(objection)
    wrong = _too_long({"present": clean(present), "reason": clean(reason)})
    if ground not in grounds(uow, hold):
        wrong["ground"] = _("Choose one of the list.")
    for name, text in (("present", present), ("reason", reason)):
        if not clean(text):
            wrong[name] = _("Fill this in.")
    if wrong:
        raise Invalid(fields=wrong)
    hold.released_at, hold.released_by = uow.now, uow.actor.principal_id
    hold.release_ground, hold.release_parties, hold.release_reason = ground, clean(present), clean(reason)
    uow.session.flush()
    uow.note(
        number=hold.number,
        kind=hold.kind,
        ground=ground,
        present=hold.release_parties,
        reason=hold.release_reason,
    )
    _cover(uow, node)


def _still_on(hold: Hold) -> None:
    if hold.released_at is not None:
        raise Conflict(_("This seal has been taken off already."))


def release_objection(uow: UnitOfWork, hold: Hold) -> str | None:
    """Why the actor cannot take this seal off, though their role may: two persons, one to seal and one to release."""
    if hold.released_at is not None:
        return _("This seal has been taken off already.")
    if hold.sealed_by == uow.actor.principal_id:
        return _("You sealed this yourself. Ask another senior archivist to take the seal off.")
    return None


def grounds(uow: UnitOfWork, hold: Hold) -> dict[str, str]:
    """Code → words of the grounds on which it may be opened now (条例 art. 24: alone only after some years)."""
    found = policies.vocabulary(uow, "hold_ground")
    if uow.today < alone_from(uow, hold):
        found = {code: words for code, words in found.items() if code != NO_CLAIM}
    return found


def alone_from(uow: UnitOfWork, hold: Hold) -> date:
    """The first day on which the hospital may open it alone if the patient's side has claimed nothing further."""
    day, years = calendar.day_of(uow, hold.sealed_at), limits(uow)["alone_after_years"]
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # sealed on 29 February
        return date(day.year + years, 3, 1)


def _cover(uow: UnitOfWork, node: Node) -> None:
    """The record takes on the strictest of the seals that lie over it now. Its date of change stays: every list shows
    that, also to those who may not know of a sealed copy.
    """
    seals = standing(uow, node)
    node.hold_count = len(seals)
    node.overlay_own = int(max((OVERLAYS[hold.kind] for hold in seals), default=Overlay.NONE))
    uow.session.flush()
    branches.reclassify(uow, node)
    uow.enqueue("index", node)
