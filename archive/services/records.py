"""Medical records: the node, its patient and its stay; milestones on parallel tracks; when it may be disposed of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select

from archive.errors import Conflict
from archive.i18n import _
from archive.models import Encounter, Milestone, Node, Patient, Principal, Record, Representation
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.services import patient_names, patients, policies
from archive.uow import UnitOfWork, action

TRUSTED = {"scope": "records"}


def title_of(values: Mapping[str, Any]) -> str:
    """What people say: 病案号-次 · name · discharge date (domain §3.5)."""
    return f"{values['mrn']}-{values['times']} · {values['patient_name']} · {values.get('discharged_on') or _('in hospital')}"


def _day(text: object) -> date | None:
    return date.fromisoformat(str(text)) if text else None


def attach(uow: UnitOfWork, node: Node, values: Mapping[str, Any]) -> None:
    """Joins a record to its patient and its stay. Raises Conflict when the stay has a record already."""
    person = patients.Person(values["mrn"], values["patient_name"], values["sex"], _day(values.get("birth")))
    known = uow.session.get(Record, node.id, execution_options=TRUSTED)
    corrects = known.encounter_id if known else None
    patient = patients.enrol(uow, person, corrects=corrects)
    stay = patients.Stay(
        times=values["times"], admitted_on=_day(values["admitted_on"]), discharged_on=_day(values.get("discharged_on")),
        dept_id=node.dept_id, outcome=values.get("outcome"), attending=values.get("attending"),
    )  # fmt: skip
    encounter = patients.admit(uow, patient, stay, corrects=corrects)
    taken = uow.session.scalar(
        select(Record.node_id).where(Record.encounter_id == encounter.id), execution_options=TRUSTED
    )
    if taken is not None and taken != node.id:
        raise Conflict(_("This stay has a record already. Search for its number."))
    if known is None:
        uow.session.add(Record(node_id=node.id, encounter_id=encounter.id))
        uow.session.flush()
        reach(uow, node, "paper", "in_hospital")
        if stay.discharged_on:
            reach(uow, node, "paper", "pending")
    else:
        known.encounter_id = encounter.id


def sensitivity_of(uow: UnitOfWork, code: str | None) -> int:
    """The level that a diagnosis asks for, by the hospital's list (domain §12)."""
    special = policies.in_force(uow, "sensitivity").body["special"]
    block = (code or "")[:3].upper()
    for span in special["ranges"]:
        start, end = span.split("-")
        if start <= block <= end:
            return int(special["level"])
    return 1


def reach(uow: UnitOfWork, node: Node, track: str, step: str, at: datetime | None = None) -> None:
    """Notes a milestone. The first date is kept for ever: a later one changes nothing."""
    statement = select(Milestone.id).where(
        Milestone.node_id == node.id, Milestone.track == track, Milestone.step == step
    )
    if uow.session.scalar(statement, execution_options=TRUSTED) is None:
        uow.session.add(
            Milestone(node_id=node.id, track=track, step=step, at=at or uow.now, by_id=uow.actor.principal_id)
        )
        uow.session.flush()


def link(uow: UnitOfWork, file: Node) -> None:
    """已挂接, once it is so: every file of a record and its items has all its pages, and no item is without any.

    A record that was uploaded whole has its pages itself, until it is split.
    """
    if file.type != "medical_record" or _files(uow, file) != {"ready"}:
        return
    bare = select(Node.id).where(
        Node.parent_id == file.id, Node.page_count == 0, Node.overlay != int(Overlay.TRASHED)
    )
    if file.page_count or uow.session.scalar(bare.limit(1), execution_options=TRUSTED) is None:
        reach(uow, file, "scan", "linked")


def _files(uow: UnitOfWork, file: Node) -> set[str]:
    """The states of all uploaded files of a record and its items that have not been set aside."""
    states = (
        select(Representation.state)
        .join(Node, Node.id == Representation.node_id)
        .where(Node.path >= file.path, Node.path < file.path_end, Node.overlay != int(Overlay.TRASHED))
        .where(Representation.state != "withdrawn")
        .distinct()
    )
    return set(uow.session.scalars(states, execution_options=TRUSTED))


@action("record.step_reached", needs=P.EDIT)
def mark(uow: UnitOfWork, node: Node, *, track: str, step: str) -> None:
    """A person marks a step as done: signed in, arranged, bound … Raises Conflict for one that the system gives."""
    body = policies.in_force(uow, "gates").body
    if step not in body["tracks"].get(track, {}).get("steps", ()) or not is_by_hand(step):
        raise Conflict(_("This step is not marked by hand."))
    uow.note(track=track, step=step)
    reach(uow, node, track, step)


def is_by_hand(step: str) -> bool:
    """Whether a person marks this step; the others are reached by what happens."""
    return step not in {"in_hospital", "pending", "waiting", "scanning", "linked"}


@dataclass(frozen=True)
class Step:
    """One step on a track as it is shown: done, now or todo."""

    name: str
    label: str
    look: str
    at: datetime | None
    by: str | None


@dataclass(frozen=True)
class Track:
    name: str
    label: str
    steps: list[Step]


def tracks(uow: UnitOfWork, node: Node) -> list[Track]:
    """The tracks of a record with who and when, in the words of the hospital's policy."""
    body = policies.in_force(uow, "gates").body
    rows = uow.session.execute(
        uow.of(Milestone, node, P.DISCOVER).with_only_columns(
            Milestone.track, Milestone.step, Milestone.at, Principal.name
        ).outerjoin(Principal, Principal.id == Milestone.by_id)
    )  # fmt: skip
    reached = {(track, step): (at, name) for track, step, at, name in rows}
    found = []
    for name, track in body["tracks"].items():
        last = max((n for n, step in enumerate(track["steps"]) if (name, step) in reached), default=-1)
        steps = []
        for place, step in enumerate(track["steps"]):
            at, who = reached.get((name, step), (None, None))
            look = "now" if place == last else "done" if at else "todo"
            steps.append(Step(step, policies.said(body["steps"][step]), look, at, who))
        found.append(Track(name, policies.said(track), steps))
    return found


def gate(uow: UnitOfWork, node: Node) -> tuple[list[str], int]:
    """What is still missing before archiving, in words, and how many conditions there are."""
    body = policies.in_force(uow, "gates").body
    wanted = [tuple(pair) for pair in body["archive"].get(node.type, ())]
    rows = uow.session.execute(
        select(Milestone.track, Milestone.step).where(Milestone.node_id == node.id), execution_options=TRUSTED
    )
    reached = {(track, step) for track, step in rows}
    return [
        policies.said(body["steps"][step]) for track, step in wanted if (track, step) not in reached
    ], len(wanted)


def retain_until(uow: UnitOfWork, node: Node) -> date | None:
    """When a node may be appraised: by its rule from its trigger; for records, from the patient's last discharge."""
    rule = policies.in_force(uow, "retention").body["rules"].get(node.retention_rule or "")
    if not rule or "years" not in rule:
        return None
    start = last_discharge(uow, node) if rule["trigger"] == "last_discharge" else node.date_from
    return _years_later(start, rule["years"]) if start else None


def last_discharge(uow: UnitOfWork, node: Node) -> date | None:
    mine = _of_the_same_person(node)
    return uow.session.scalar(
        select(func.max(Encounter.discharged_at)).where(
            Encounter.patient_id.in_(mine), Encounter.kind == "inpatient"
        ),
        execution_options=TRUSTED,
    )


def _of_the_same_person(node: Node) -> Select[Any]:
    """The patients that are the one behind a record, under whatever number."""
    own = (
        select(Encounter.patient_id)
        .join(Record, Record.encounter_id == Encounter.id)
        .where(Record.node_id == node.id)
    )
    return select(Patient.id).where(patient_names.whole(Patient.id.in_(own)))


def _years_later(start: date, years: int) -> date:
    try:
        return start.replace(year=start.year + years)
    except ValueError:  # 29 February
        return start.replace(year=start.year + years, day=28)


def siblings(uow: UnitOfWork, node: Node) -> list[Node]:
    """All records of the same patient: a readmission moves the clock of every earlier one (domain §8)."""
    mine = _of_the_same_person(node)
    statement = (
        select(Node)
        .join(Record, Record.node_id == Node.id)
        .join(Encounter, Encounter.id == Record.encounter_id)
        .where(Encounter.patient_id.in_(mine))
    )
    return list(uow.session.scalars(statement, execution_options=TRUSTED))


def patient_of(uow: UnitOfWork, node: Node) -> Patient | None:
    """The patient behind a record, for whoever may identify it."""
    uow.require(P.IDENTIFY, node)
    statement = (
        select(Patient)
        .join(Encounter, Encounter.patient_id == Patient.id)
        .join(Record, Record.encounter_id == Encounter.id)
        .where(Record.node_id == node.id)
    )
    return uow.session.scalar(statement, execution_options=TRUSTED)
