"""Finding a patient by exact number and a second factor, for a purpose: no list to browse, no hint for the curious."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, or_, select

from archive import journal, schema
from archive.errors import Forbidden, Invalid, Throttled
from archive.i18n import _, _l
from archive.journal import Event
from archive.models import Encounter, Node, Patient, ReadEvent, Record
from archive.names import masked
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.schema import Field, Kind, Need, Type
from archive.services import actors, audit, patient_names, policies
from archive.sight import NodeView, views
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "find_exact"}
FACTORS = ("patient_name", "birth", "discharged_on")
STAY = TYPES["medical_record"]
WHO = (
    STAY.field("mrn"),
    replace(STAY.field("patient_name"), label=_l("Name"), need=Need.OPTIONAL),
    *(replace(STAY.field(name), need=Need.OPTIONAL) for name in FACTORS[1:]),
)
"""The number, and a second factor or more."""
QUESTION = Type(
    "question", _l("Find a patient"), "question", "user-search", frozenset(), "",
    (*WHO, Field("purpose", _l("Purpose"), Kind.CHOICE, Need.MUST, vocabulary="find_purpose")),
)  # fmt: skip
"""What is asked, checked like any form: who, and what for."""
MISSED = ("person.found", "emergency.missed", "copy.patient_found")
"""Questions in vain are counted together, whichever page they were asked on."""

ARCHIVED = ("archived", "correcting")
"""What one may ask for; what is still being worked on is nobody's to find."""
WITHIN = timedelta(hours=1)
MOST_MISSES = 20
"""A tired doctor mistypes a few times in an hour; whoever tries names or birthdays, more."""


class GuessedTooOften(Throttled):
    """Somebody has asked in vain so often that it looks like trying."""

    def sentence(self) -> str:
        return _("You have asked in vain %(most)d times within an hour. Ask the record room to help you.",
                 most=MOST_MISSES)  # fmt: skip


@dataclass(frozen=True)
class Hit:
    """One record of the patient, to be asked for. The name is the one that was typed, or else masked."""

    node: NodeView
    name: str
    admitted_on: str | None
    discharged_on: str | None
    dept: str
    href: str | None
    """Where it is, for whoever may go there: others ask for it by its number."""
    may_ask: bool


def find(uow: UnitOfWork, typed: Mapping[str, object]) -> list[Hit]:
    """The archived records of the patient of exactly this 病案号 whom the second factor fits; never one that is hidden.

    A wrong factor, an unknown number and records that are hidden answer alike: with nothing. Each use is an event.
    Raises Forbidden, Invalid for what is missing in the question, GuessedTooOften.
    """
    if not uow.can(P.FIND_EXACT):
        raise Forbidden
    asked, wrong = checked(uow, QUESTION, typed)
    if wrong:
        raise Invalid(fields=wrong)
    throttle(uow, asked)
    hits = _hits(uow, asked)
    shown = tuple(sorted(hit.node.id for hit in hits))
    tell(uow, asked, "person.found", result="ok" if hits else "denied", shown=shown)
    return hits


def checked(
    uow: UnitOfWork, question: Type, typed: Mapping[str, object]
) -> tuple[dict[str, Any], dict[str, str]]:
    """What was asked, and what is wrong with it, field by field: a number without any second factor, too."""
    outcome = schema.check(question, typed, lambda name: policies.vocabulary(uow, name))
    errors = dict(outcome.errors)
    if not any(name in outcome.values or name in errors for name in FACTORS):
        errors[FACTORS[0]] = _("Give the name, the date of birth or the date of discharge too.")
    return dict(outcome.values), errors


def throttle(uow: UnitOfWork, asked: Mapping[str, Any]) -> None:
    """Raises GuessedTooOften for whoever is guessing, and says so in the journal."""
    if is_guessing(uow):
        tell(uow, asked, "person.find_throttled", result="denied")
        raise GuessedTooOften


def is_guessing(uow: UnitOfWork) -> bool:
    """Whether the actor has asked in vain so often within the hour that it looks like trying, on whichever page."""
    missed = select(func.count()).where(
        ReadEvent.actor_id == uow.actor.principal_id, ReadEvent.at > uow.now - WITHIN,
        ReadEvent.action.in_(MISSED), ReadEvent.result == "denied",
    )  # fmt: skip
    with audit.reading(uow.site, journal.READS) as session:
        return (session.scalar(missed) or 0) >= MOST_MISSES


def tell(
    uow: UnitOfWork, asked: Mapping[str, Any], action: str, *, result: str, shown: tuple[int, ...] = ()
) -> None:
    """Writes into the journal of reads, before the answer leaves. What was guessed is not kept."""
    words = {"purpose": asked.get("purpose"), "by": [name for name in FACTORS if name in asked]}
    patient = uow.site.keys.identity_hash(asked["mrn"])
    event = Event(
        action, result=result, object_kind="patient", patient_hash=patient, shown=shown, words=words
    )
    uow.site.record_read(event, uow.actor, uow.origin)


def _hits(uow: UnitOfWork, asked: Mapping[str, Any]) -> list[Hit]:
    """One statement whatever was typed: how long it takes says nothing of which part was wrong."""
    # Whoever may know of a record anyway, or whom the matrix lets find it in this one way and in no list.
    findable = or_(uow.access.clause(P.DISCOVER), uow.access.clause(P.FIND_EXACT))
    rows = uow.session.execute(
        select(Node, Patient, Encounter)
        .join(Record, Record.node_id == Node.id)
        .join(Encounter, Encounter.id == Record.encounter_id)
        .join(Patient, Patient.id == Encounter.patient_id)
        .where(findable, patient_names.whole(Patient.mrn == asked["mrn"]), Node.state.in_(ARCHIVED))
        .order_by(Encounter.admitted_at.desc(), Encounter.times.desc()),
        execution_options=TRUSTED,
    ).all()
    # A discharge that fits counts on a record that may be known: another would betray a stay that is hidden.
    days = {stay.discharged_at for _node, _patient, stay in rows}
    fitting = [patient for _node, patient, _stay in rows if fits(asked, patient, days)]
    if not fitting:
        return []
    name = asked.get("patient_name") or masked(fitting[0].name)
    departments = actors.department_names(uow.session)
    seen = views(uow, [node for node, _patient, _stay in rows])
    return [_hit(view, name, row[2], departments) for view, row in zip(seen, rows, strict=True)]


def fits(asked: Mapping[str, Any], patient: Patient, days: set[date | None]) -> bool:
    """Whether every factor that was given fits."""
    name, birth, left = (asked.get(factor) for factor in FACTORS)
    return (
        (name is None or _solid(name) == _solid(patient.name))
        and (birth is None or date.fromisoformat(birth) == patient.birth)
        and (left is None or date.fromisoformat(left) in days)
    )


def _solid(name: str) -> str:
    return "".join(name.split())


def _hit(view: NodeView, name: str, stay: Encounter, departments: Mapping[int, str]) -> Hit:
    may_look = view.can(P.DISCOVER)
    return Hit(
        node=view, name=name, admitted_on=_said(stay.admitted_at), discharged_on=_said(stay.discharged_at),
        dept=departments.get(stay.dept_id or 0, ""), href=view.href if may_look else None,
        may_ask=view.can(P.REQUEST_CREATE),
    )  # fmt: skip


def _said(day: date | None) -> str | None:
    return day.isoformat() if day else None
