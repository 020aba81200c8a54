"""封存实物: what may have done harm, infusion, blood or drug, sealed by both sides and kept (domain §6, 条例 art. 25).

It hangs on a dispute file, or on the record that was sealed with it; whoever seals or handles that may seal it, and whoever
releases or handles that opens it, by the grounds of every seal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from archive.errors import Conflict, Invalid, NotFound
from archive.i18n import _
from archive.models import Hold, HoldNode, Node, Principal, SealedObject
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import numbers, parties, policies, unsealing
from archive.sight import NodeView, views
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "sealed objects"}
SEALS, OPENS = (P.HOLD_APPLY, P.DISPUTE), (P.HOLD_RELEASE, P.DISPUTE)
KNOWS = (P.HOLD_APPLY, P.HOLD_RELEASE, P.DISPUTE)
LONGEST = {"what": 200, "batch": 60, "kept_at": 120, "reason": 500, "paper": 120}
OF = ("medical_record", "dispute_file")


@dataclass(frozen=True)
class Thing:
    """封存实物: one thing as one person may see it."""

    row: SealedObject
    node: NodeView
    kind: str
    sealed_by: str
    ground: str
    alone_from: date
    objection: str | None
    """Why the actor cannot open it; nothing when they can."""
    may_see: bool
    """Whether its page is open to the actor."""


def kinds(uow: UnitOfWork) -> dict[str, str]:
    """What may be sealed: code and words."""
    return {code: policies.said(kind) for code, kind in _kinds(uow).items()}


def _kinds(uow: UnitOfWork) -> Mapping[str, Any]:
    found: Mapping[str, Any] = policies.in_force(uow, "holds").body["objects"]
    return found


@action("object.sealed", needs=SEALS)
def seal(uow: UnitOfWork, node: Node, *, kind: str, what: str, batch: str, kept_at: str, people: Iterable[Mapping[str, str]],
         reason: str, hold: UUID | None = None) -> SealedObject:  # fmt: skip
    """Writes down what was sealed, in whose presence, and where it lies. Raises Invalid; Conflict for what is no whole file."""
    uow.lock(node)
    if node.type not in OF:
        raise Conflict(_("A thing is sealed with a record or a dispute file."))
    there = parties.given(people)
    texts = {"what": clean(what), "batch": clean(batch), "kept_at": clean(kept_at), "reason": clean(reason)}
    wrong = _missing(texts, but=("batch",))
    known = _kinds(uow).get(kind)
    if known is None:
        wrong["kind"] = _("Choose one of the list.")
    if objection := parties.wrong(there) or parties.sealing(there) or _station_missing(known, there):
        wrong["people"] = objection
    if wrong:
        raise Invalid(fields=wrong)
    made = SealedObject(
        number=numbers.slip(uow, "FS", 4), node_id=node.id, hold_id=_hold_of(uow, node, hold), kind=kind, parties=there,
        sealed_at=uow.now, sealed_by=uow.actor.principal_id, **texts,
    )  # fmt: skip
    uow.session.add(made)
    uow.session.flush()
    uow.note(
        number=made.number,
        kind=kind,
        what=made.what,
        kept_at=made.kept_at,
        present=[one["name"] for one in there],
    )
    return made


def _missing(texts: Mapping[str, str], but: Iterable[str] = ()) -> dict[str, str]:
    wrong = {name: _("Fill this in.") for name, text in texts.items() if not text and name not in but}
    return wrong | {
        name: _("At most %(most)d characters.", most=LONGEST[name]) for name, text in texts.items() if len(text) > LONGEST[name]
    }  # fmt: skip


def _station_missing(kind: Mapping[str, Any] | None, there: parties.People) -> str | None:
    if kind and kind["blood_station"] and parties.BLOOD not in parties.sides(there):
        return _("For blood somebody of the station that gave it is there. Write who.")
    return None


def _hold_of(uow: UnitOfWork, node: Node, ref: UUID | None) -> int | None:
    """The seal of this record by its uuid. Raises NotFound for another's."""
    if ref is None:
        return None
    mine = (
        select(Hold.id)
        .join(HoldNode, HoldNode.hold_id == Hold.id)
        .where(HoldNode.node_id == node.id, Hold.uuid == ref)
    )
    found: int | None = uow.session.scalar(mine, execution_options=TRUSTED)
    if found is None:
        raise NotFound
    return found


def follow(uow: UnitOfWork, hold: Hold, node: Node) -> list[str]:
    """Part of an act: what was sealed with a package belongs to the record that the package is of; gives the numbers."""
    mine = select(SealedObject).where(SealedObject.hold_id == hold.id).order_by(SealedObject.id)
    found = list(uow.session.scalars(mine, execution_options=TRUSTED))
    for thing in found:
        thing.node_id = node.id
    return [thing.number for thing in found]


@action("object.opened", needs=OPENS)
def open_up(uow: UnitOfWork, thing: SealedObject, *, ground: str, people: Iterable[Mapping[str, str]], paper: str = "",
            reason: str) -> None:  # fmt: skip
    """启封: by another person than whoever sealed it, on the ground of a seal, and with what became of it.

    Raises Conflict for one's own or one that is open already, Invalid for what is missing.
    """
    node = uow.session.get_one(Node, thing.node_id, execution_options=TRUSTED)
    uow.require(OPENS, node)
    uow.lock(node)
    uow.session.refresh(thing)
    uow.about(node)
    if refusal := _objection(uow, thing):
        raise Conflict(refusal)
    there, texts = parties.given(people), {"paper": clean(paper), "reason": clean(reason)}
    wrong = _missing(texts, but=() if ground == unsealing.SETTLED else ("paper",))
    if ground not in unsealing.grounds(uow, thing):
        wrong["ground"] = _("Choose one of the list.")
    together = ground == unsealing.TOGETHER
    if refusal := parties.wrong(there) or parties.opening(there, thing.parties, together=together):
        wrong["people"] = refusal
    if wrong:
        raise Invalid(fields=wrong)
    thing.released_at, thing.released_by, thing.release_ground = uow.now, uow.actor.principal_id, ground
    thing.release_parties, thing.release_paper, thing.release_reason = there, texts["paper"], texts["reason"]
    uow.session.flush()
    uow.note(number=thing.number, ground=ground, present=[one["name"] for one in there], **texts)


def _objection(uow: UnitOfWork, thing: SealedObject) -> str | None:
    if thing.released_at is not None:
        return _("This has been opened already.")
    if thing.sealed_by == uow.actor.principal_id:
        return _("You sealed this yourself. Ask somebody else to open it.")
    return None


# What is shown


def one(uow: UnitOfWork, ref: UUID) -> Thing:
    """A thing, for whoever seals, opens or handles what it hangs on. Raises NotFound."""
    found = _seen(uow, SealedObject.uuid == ref)
    if not found:
        raise NotFound
    return found[0]


def of_nodes(uow: UnitOfWork, nodes: Iterable[int]) -> list[Thing]:
    """The things of some records and dispute files, for whoever was found to handle a case of them."""
    return _things(uow, SealedObject.node_id.in_(list(nodes)))


def of_hold(uow: UnitOfWork, hold: Hold) -> list[Thing]:
    """What was sealed together with the papers of a package, as far as the actor may know of it."""
    return _seen(uow, SealedObject.hold_id == hold.id)


def _seen(uow: UnitOfWork, which: Any) -> list[Thing]:
    return _things(uow, which, or_(*(uow.access.clause(needs) for needs in KNOWS)))


def _things(uow: UnitOfWork, *which: Any) -> list[Thing]:
    everything: tuple[Any, ...] = (SealedObject, Node, Principal.name)
    rows = uow.session.execute(
        select(*everything)
        .join(Node, Node.id == SealedObject.node_id)
        .outerjoin(Principal, Principal.id == SealedObject.sealed_by)
        .where(*which)
        .order_by(SealedObject.id),
        execution_options=TRUSTED,
    ).all()
    words, grounds = kinds(uow), policies.vocabulary(uow, "hold_ground")
    seen = views(uow, [node for _row, node, _name in rows])
    return [
        Thing(
            row, view, words.get(row.kind, row.kind), name or "", grounds.get(row.release_ground or "", ""),
            unsealing.alone_from(uow, row),
            _objection(uow, row) if _may(uow, node, OPENS) else _("A senior archivist opens it."), _may(uow, node, KNOWS),
        )
        for (row, node, name), view in zip(rows, seen, strict=True)
    ]  # fmt: skip


def _may(uow: UnitOfWork, node: Node, needs: tuple[P, ...]) -> bool:
    return any(uow.can(permission, node) for permission in needs)
