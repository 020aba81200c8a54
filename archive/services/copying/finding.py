"""The patient at the copying window: by exact number and a second factor, or by the identity card, and never by a list."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from archive import schema
from archive.errors import Forbidden, Invalid
from archive.i18n import _, _l
from archive.journal import Event
from archive.models import Encounter, Node, Patient, Record
from archive.names import masked
from archive.policy.permissions import P
from archive.policy.types import INHERITING
from archive.schema import Field, Kind, Need, Type
from archive.services import actors, find_exact, patient_names, policies
from archive.services.find_exact import FACTORS, GuessedTooOften
from archive.sight import Chip, NodeView
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "copying finding"}
QUESTION = Type(
    "copy_question", _l("Find a patient"), "question", "user-search", frozenset(), "", (
        Field("number", _l("Record number, or identity card"), Kind.CODE, Need.MUST, longest=30),
        *(field for field in find_exact.QUESTION.fields if field.name in FACTORS),
    ),
)  # fmt: skip
"""What is asked: a number and a second factor; an identity number is both, since the card lies on the counter."""
FOUND = "copy.patient_found"
THROTTLED = "copy.find_throttled"
DEATH = "5"
"""The outcome of a stay that ended with death (front page, GB/T of 2011)."""
FINISHED = ("archived", "correcting")


@dataclass(frozen=True)
class Part:
    """卷内文件: what of a record can be copied from its scans; which kind, and how many pages, and no word of it."""

    node: Node
    code: str
    label: str
    pages: int


@dataclass(frozen=True)
class Stay:
    """One record of the patient as the window sees it."""

    node: Node
    stay: str
    admitted_on: date | None
    discharged_on: date | None
    dept: str
    state: Chip | None
    is_finished: bool
    parts: list[Part]
    href: str | None
    """Where it can be scanned now, for whoever may."""

    @property
    def pages(self) -> int:
        return sum(part.pages for part in self.parts)


@dataclass(frozen=True)
class Found:
    """申请对象: the patient, and which of their records this window may copy, the newest first."""

    patient: Patient
    name: str
    is_dead: bool
    is_minor: bool
    stays: list[Stay]
    died_on: date | None = None
    """The day of death, if the archive knows it or the last stay ended with death."""

    def as_said(self, *, died: bool) -> "Found":
        """The same, where the applicant says that the patient has died."""
        return replace(self, is_dead=self.is_dead or died)

    def part(self, number: int) -> Part | None:
        """One of the parts of these records, by its node."""
        return next((part for stay in self.stays for part in stay.parts if part.node.id == number), None)


def find(uow: UnitOfWork, asked: Mapping[str, object], *, tell: bool = True) -> Found | None:
    """The patient, with what may be copied; nothing where number and factor do not fit, or nothing may be copied here.

    An unknown number, a wrong factor and records that are hidden answer alike. Each use is an event, but where the same
    question comes again with the form that followed it (`tell`). Raises Forbidden, Invalid, GuessedTooOften.
    """
    if not uow.can(P.REQUEST_COPY):
        raise Forbidden
    given = _checked(asked)
    if tell:
        _throttle(uow, given)
    rows = _rows(uow, given["number"])
    days = {stay.discharged_at for _node, _patient, stay in rows}
    fitting = [row for row in rows if find_exact.fits(given, row[1], days)]
    found = _found(uow, rows, fitting[0][1], given) if fitting else None
    if tell:
        shown = tuple(sorted(row[0].id for row in rows)) if found else ()
        _tell(uow, given, FOUND, result="ok" if found else "denied", shown=shown)
    return found


def rest(uow: UnitOfWork, number: int, records: Collection[int]) -> Found | None:
    """The patient of a slip again, with those of these records that the actor may copy: for its later part."""
    rows = [row for row in _joined(uow, Patient.id == number) if row[0].id in records]
    return _found(uow, rows, rows[0][1], {}) if rows else None


def _checked(asked: Mapping[str, object]) -> dict[str, Any]:
    """The number, folded, and the factors that were given. Raises Invalid."""
    outcome = schema.check(QUESTION, asked, lambda _name: {})
    given, wrong = dict(outcome.values), dict(outcome.errors)
    given["number"] = number = patient_names.folded(str(given.get("number", "")))
    known = {*given, *wrong}
    if not wrong and not patient_names.is_identity(number) and not known.intersection(FACTORS):
        wrong[FACTORS[0]] = _("Give the name, the date of birth or the date of discharge too.")
    if wrong:
        raise Invalid(fields=wrong)
    return given


def _throttle(uow: UnitOfWork, given: Mapping[str, Any]) -> None:
    if find_exact.is_guessing(uow):
        _tell(uow, given, THROTTLED, result="denied")
        raise GuessedTooOften


def _tell(
    uow: UnitOfWork, given: Mapping[str, Any], action: str, *, result: str, shown: tuple[int, ...] = ()
) -> None:
    """Writes into the journal of reads, before the answer leaves. What was guessed is not kept."""
    words: dict[str, object] = {"by": [name for name in FACTORS if name in given] or ["identity"]}
    patient = uow.site.keys.identity_hash(given["number"])
    event = Event(
        action, result=result, object_kind="patient", patient_hash=patient, shown=shown, words=words
    )
    uow.site.record_read(event, uow.actor, uow.origin)


def _rows(uow: UnitOfWork, number: str) -> list[Any]:
    """One statement whatever was typed: how long it takes says nothing of which part was wrong."""
    hashed = uow.site.keys.identity_hash(number)
    by_card = patient_names.is_identity(number)
    return _joined(uow, Patient.id_hash == hashed if by_card else Patient.mrn == number)


def _joined(uow: UnitOfWork, patient: ColumnElement[bool]) -> list[Any]:
    return list(
        uow.session.execute(
            select(Node, Patient, Encounter)
            .join(Record, Record.node_id == Node.id)
            .join(Encounter, Encounter.id == Record.encounter_id)
            .join(Patient, Patient.id == Encounter.patient_id)
            .where(uow.access.clause(P.REQUEST_COPY), patient_names.whole(patient))
            .order_by(Encounter.admitted_at.desc(), Encounter.times.desc()),
            execution_options=TRUSTED,
        ).all()
    )


def _found(uow: UnitOfWork, rows: list[Any], patient: Patient, given: Mapping[str, Any]) -> Found:
    parts, departments = _parts(uow, [row[0] for row in rows]), actors.department_names(uow.session)
    limits = policies.in_force(uow, "copying").body["limits"]
    young = patient.birth is not None and _age(patient.birth, uow.today) < limits["minor_age"]
    stays = []
    for node, other, stay in rows:
        view = NodeView(uow, node)
        can_scan = view.can(P.SCAN_UPLOAD) and view.can(P.DISCOVER)
        stays.append(
            Stay(
                node, f"{other.mrn}-{stay.times}", stay.admitted_at, stay.discharged_at,
                departments.get(stay.dept_id or 0, ""), view.state, node.state in FINISHED, parts[node.id],
                f"{view.href}/@@upload" if can_scan else None,
            )
        )  # fmt: skip
    dead = any(other.deceased_on or stay.outcome == DEATH for _node, other, stay in rows)
    days = [
        other.deceased_on or stay.discharged_at
        for _node, other, stay in rows
        if other.deceased_on or stay.outcome == DEATH
    ]
    return Found(
        patient, given.get("patient_name") or masked(patient.name), dead, young, stays, next(iter(days), None)
    )


def _age(birth: date, today: date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def _parts(uow: UnitOfWork, records: list[Node]) -> defaultdict[int, list[Part]]:
    """What can be copied of each record from its scans, in its order: its own pages that stand in no component first."""
    found, words = defaultdict[int, list[Part]](list), policies.vocabulary(uow, "component")
    known = {record.id for record in records}
    mine = or_(Node.id.in_(known), Node.parent_id.in_(known) & Node.type.in_(INHERITING))
    statement = uow.nodes(P.REQUEST_COPY).where(mine, Node.page_count > 0)
    for node in uow.list(statement.order_by(Node.depth, Node.position, Node.id)):
        code = str(node.data.get("component", "")) if node.id not in known else ""
        label = words.get(code, code) if code else _("Not yet split")
        record = node.id if node.id in known else node.parent_id
        found[record].append(Part(node, code, label, node.page_count))
    return found
