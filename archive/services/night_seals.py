"""夜间封存: the duty officer seals on the ward or by telephone, by what is written on the cover; the archive takes it over in the
morning (domain §6: at night 总值班).

The list that is signed holds what was typed and counted, and nothing that the program knows: who seals at night may know of
no record. Where the number is a record's, hidden or not, its pages and volumes are frozen at once and in silence, also the
one that is lent: it is the one that lies on the ward. The answer is the same where there is none, and the archive then says
in the morning which record it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, delete, func, or_, select

from archive.errors import Conflict, Invalid, NotFound
from archive.i18n import _
from archive.models import Encounter, Hold, HoldNode, HoldPage, HoldVolume, Node, Patient, Principal, Record
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.schema import clean
from archive.services import (
    holds,
    intake,
    manifests,
    numbers,
    parties,
    patient_names,
    pinpoint,
    policies,
    reservations,
    sealed_objects,
)
from archive.sight import NodeView, views
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "night_seals"}
SAID = {"mrn": 32, "name": 60, "ward": 60, "bed": 20, "sheets": 6}
"""What stands on the cover of the paper, and how many sheets were counted; each with its longest."""
TOLD_BY = 120
MOST = 100
OPEN = and_(Hold.night, Hold.taken_over_at.is_(None), Hold.released_at.is_(None))


@dataclass(frozen=True)
class NightSeal:
    """夜间封存: one package of the night, and the record if it is known which, for whoever may know."""

    uuid: UUID
    number: str
    kind: str
    said: dict[str, str]
    people: parties.People
    asked_by: str
    kept_at: str
    key_no: str
    told_by: str
    named: str
    """The number of the record by which the archive took it over, where that was not the night's."""
    reason: str
    sealed_at: datetime
    sealed_by: str
    taken_over_at: datetime | None
    node: NodeView | None


@action("hold.sealed_at_night", needs=P.NIGHT_SEAL)
def seal(uow: UnitOfWork, *, said: Mapping[str, str], kind: str, asked_by: str, people: Iterable[Mapping[str, str]], kept_at: str,
         key_no: str = "", told_by: str = "", reason: str = "") -> Hold:  # fmt: skip
    """Seals what lies on the ward. Raises Invalid for what is missing; never anything that tells of a record."""
    cover = {name: clean(said.get(name, "")) for name in SAID}
    texts = {"kept_at": clean(kept_at), "key_no": clean(key_no), "reason": clean(reason)}
    there = parties.given(people)
    _check(uow, cover, kind, asked_by, there, texts, clean(told_by))
    node = _record_of(uow, cover["mrn"])
    if node is not None:
        uow.lock(node)  # before the counter: so does whoever seals by day
    made = Hold(
        number=numbers.slip(uow, "FC", 4), kind=kind, asked_by=asked_by, parties=there, told_by=clean(told_by), paper="",
        night=True, manifest={"items": [], "pages": [], "volumes": [], "said": cover},
        review_due=holds.first_review(uow), sealed_at=uow.now, sealed_by=uow.actor.principal_id, **texts,
    )  # fmt: skip
    made.digest = manifests.digest(made.manifest)
    uow.session.add(made)
    uow.session.flush()
    uow.about(made)
    uow.note(number=made.number, kind=kind, digest=made.digest, by_phone=bool(told_by))
    if node is not None:  # all of them: nobody knows at night which volume lies on the ward
        holds.attach(uow, node, made, manifests.drawn(uow, node))
    return made


def _check(uow: UnitOfWork, cover: dict[str, str], kind: str, asked_by: str, there: parties.People,
           texts: Mapping[str, str], told_by: str) -> None:  # fmt: skip
    wrong = holds.missing(texts, but=("key_no", "reason"))
    if not cover["mrn"] and not cover["name"]:
        wrong["mrn"] = _("Write the record number, or the name and the bed.")
    if not cover["mrn"] and not cover["bed"]:
        wrong["bed"] = _("Without a number, write the bed.")
    if cover["sheets"] and not cover["sheets"].isdecimal():
        wrong["sheets"] = _("Write the number of sheets.")
    texts_of = cover | {"told_by": told_by}
    wrong |= {
        name: _("At most %(most)d characters.", most=most)
        for name, most in (SAID | {"told_by": TOLD_BY}).items()
        if len(texts_of[name]) > most
    }
    if kind not in holds.SEALS:
        wrong["kind"] = _("Choose one of the list.")
    if asked_by not in policies.vocabulary(uow, "hold_asker"):
        wrong["asked_by"] = _("Choose one of the list.")
    if refusal := parties.wrong(there) or parties.sealing(there):
        wrong["people"] = refusal
    if wrong:
        raise Invalid(fields=wrong)


def _record_of(uow: UnitOfWork, typed: str) -> Node | None:
    """The record of 病案号-次, or of the last stay in the house, whoever may know of it; not what has left or lies in the trash.

    Nothing where the number is that of one patient and the old number of another: the archive says in the morning whose.
    """
    way, times = patient_names.by_number(typed), patient_names.times_of(typed)
    whose = func.coalesce(Patient.merged_into, Patient.id)
    everything: tuple[Any, ...] = (Node, whose)
    found = (
        select(*everything)
        .join(Record, Record.node_id == Node.id)
        .join(Encounter, Encounter.id == Record.encounter_id)
        .join(Patient, Patient.id == Encounter.patient_id)
        .where(way.condition, Encounter.kind == "inpatient", Node.state != "destroyed", Node.overlay < int(Overlay.TRASHED))
        .order_by(Encounter.times.desc(), Node.id)
    )  # fmt: skip
    if times is not None:
        found = found.where(Encounter.times == times)
    rows = uow.session.execute(found, execution_options=TRUSTED).all() if typed else []
    return rows[0][0] if len({patient for _node, patient in rows}) == 1 else None


@action("hold.taken_over", needs=P.HOLD_APPLY)
def take_over(uow: UnitOfWork, hold: Hold, *, mrn: str, kept_at: str, key_no: str) -> None:
    """接收: in the morning the package goes to the archive, which says of which record it is where that was not known.

    Raises Conflict for one that was taken over already, Invalid for what is missing, NotFound.
    """
    texts = {"kept_at": clean(kept_at), "key_no": clean(key_no)}
    wrong = holds.missing(texts, but=("key_no",))
    was = _under(uow, hold)
    node = _named(uow, mrn, wrong) if clean(mrn) or was is None else was
    if was is not None and not uow.can(P.HOLD_APPLY, was):  # as of a number that nobody has
        wrong["mrn"] = _no_such()
    # Records before the seal: so does whoever takes it off.
    uow.lock_all(one for one in (was, node) if one is not None)
    uow.session.refresh(hold, with_for_update=True)
    _still_waits(hold)
    if wrong or node is None:
        raise Invalid(fields=wrong)
    if was is None or node.id != was.id:
        _lay_where_it_belongs(uow, node, hold, was)
    uow.about(node)
    hold.taken_over_at, hold.taken_over_by = uow.now, uow.actor.principal_id
    hold.kept_at, hold.key_no = texts["kept_at"], texts["key_no"]
    uow.session.flush()
    uow.note(number=hold.number, kept_at=hold.kept_at)


def _still_waits(hold: Hold) -> None:
    if hold.taken_over_at is not None:
        raise Conflict(_("This has been taken over already."))
    if hold.released_at is not None:
        raise Conflict(_("This seal has been taken off already."))


def _lay_where_it_belongs(uow: UnitOfWork, node: Node, hold: Hold, was: Node | None) -> None:
    """Over the record that the archive names, and off the one that a mistyped number meant, with what was sealed beside it.
    Both numbers stay on record.
    """
    typed = hold.manifest["said"]["mrn"]
    if was is not None:
        for model in (HoldPage, HoldVolume, HoldNode):
            uow.session.execute(delete(model).where(model.hold_id == hold.id), execution_options=TRUSTED)
        holds.cover(uow, was)
        reservations.settle(uow, was)
    code = NodeView(uow, node).code
    # Where the night's was right, and the record came only later, nothing was corrected.
    if typed and node.id not in {intake.file_of(uow, one).id for one in pinpoint.by_number(uow, typed)}:
        hold.corrected_mrn = code
    uow.note(
        typed=typed, named=code, was=was.id if was else None, things=sealed_objects.follow(uow, hold, node)
    )
    holds.attach(uow, node, hold, manifests.drawn(uow, node))


def _under(uow: UnitOfWork, hold: Hold) -> Node | None:
    mine = select(Node).join(HoldNode, HoldNode.node_id == Node.id).where(HoldNode.hold_id == hold.id)
    node: Node | None = uow.session.scalar(mine, execution_options=TRUSTED)
    return node


def _named(uow: UnitOfWork, mrn: str, wrong: dict[str, str]) -> Node | None:
    """The one record of this number that the actor may seal; else `wrong` says why there is none."""
    found = {intake.file_of(uow, node).id: intake.file_of(uow, node) for node in pinpoint.by_number(uow, mrn)}
    may = [node for node in found.values() if uow.can(P.HOLD_APPLY, node)]
    if len(may) != 1:
        wrong["mrn"] = _no_such()
        return None
    return may[0]


def _no_such() -> str:
    return _("Give the number of one record: 00218647-1, an archival number or a barcode.")


# What is shown


def _rows() -> Select[Any]:
    everything: tuple[Any, ...] = (Hold, Node, Principal.name)
    return (
        select(*everything)
        .outerjoin(HoldNode, HoldNode.hold_id == Hold.id)
        .outerjoin(Node, Node.id == HoldNode.node_id)
        .outerjoin(Principal, Principal.id == Hold.sealed_by)
        .where(Hold.night)
        .execution_options(**TRUSTED)
    )


def _theirs(uow: UnitOfWork) -> Any:
    """Of whoever seals records by their office: all that wait, whether or not one may know of the record, and those of records
    that they may seal.
    """
    if not uow.can(P.HOLD_APPLY):
        return Hold.id < 0
    return or_(OPEN, Node.id.is_(None), uow.access.clause(P.HOLD_APPLY))


def waiting(uow: UnitOfWork) -> list[NightSeal]:
    """What was sealed at night and not taken over yet, the oldest first."""
    return _seen(uow, _rows().where(OPEN, _theirs(uow)).order_by(Hold.id).limit(MOST))


def count(uow: UnitOfWork) -> int:
    """How many wait to be taken over."""
    asked = _rows().where(OPEN, _theirs(uow)).with_only_columns(func.count(Hold.id))
    return uow.session.scalar(asked) or 0


def mine(uow: UnitOfWork) -> list[NightSeal]:
    """What the actor sealed at night, the last first."""
    own = _rows().where(Hold.sealed_by == uow.actor.principal_id)
    return _seen(uow, own.order_by(Hold.id.desc()).limit(MOST))


def one(uow: UnitOfWork, ref: UUID) -> tuple[NightSeal, Hold]:
    """A seal of the night, for whoever sealed it, and for the archive. Raises NotFound."""
    own = Hold.sealed_by == uow.actor.principal_id
    found = _rows().where(Hold.uuid == ref, or_(own, _theirs(uow)))
    row = uow.session.execute(found).first()
    if row is None:
        raise NotFound
    return _seen(uow, found)[0], row[0]


def _seen(uow: UnitOfWork, statement: Select[Any]) -> list[NightSeal]:
    """The record is shown to whoever may seal it: to others it is not even said that there is one."""
    rows = uow.session.execute(statement).all()
    known = [row[1] for row in rows if row[1] is not None and uow.can(P.HOLD_APPLY, row[1])]
    seen = dict(zip([node.id for node in known], views(uow, known), strict=True))
    askers = policies.vocabulary(uow, "hold_asker")
    return [
        NightSeal(
            hold.uuid, hold.number, hold.kind, hold.manifest["said"], hold.parties, askers.get(hold.asked_by, hold.asked_by),
            hold.kept_at, hold.key_no, hold.told_by, hold.corrected_mrn if node and node.id in seen else "", hold.reason,
            hold.sealed_at, name or "", hold.taken_over_at, seen.get(node.id) if node else None,
        )
        for hold, node, name in rows
    ]  # fmt: skip
