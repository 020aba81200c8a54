"""紧急调阅: in an emergency somebody opens the records of one patient by number and second factor, for a reason, with their
own password, for some hours. Heads and security are told at once, and somebody else judges it afterwards (domain §12).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from archive.access import vetoed_by
from archive.errors import Conflict, Forbidden, Invalid
from archive.i18n import _, _l
from archive.journal import Event
from archive.models import AccessGrant, Emergency, Encounter, Node, Patient, Record
from archive.policy.permissions import P
from archive.schema import Type, clean
from archive.services import (
    emergencies,
    find_exact,
    notices,
    numbers,
    patient_names,
    policies,
    proven,
    roster,
)
from archive.services.emergencies import CAUSE, KIND
from archive.uow import SIGNED_IN, UnitOfWork, action

TRUSTED: Any = {"scope": "breakglass", "synchronize_session": False}
LONGEST = 500
VERDICTS = ("justified", "unjustified")
WITHIN = timedelta(hours=1)
WHO = Type("emergency", _l("Break-glass"), "emergency", "alarm", frozenset(), "", find_exact.WHO)
"""Whose records: the number, and a second factor or more."""


def declare(uow: UnitOfWork, typed: Mapping[str, str]) -> Emergency | None:
    """Opens the archived records of the patient whom number and second factor both meet; nothing where they meet nobody.

    A wrong factor, an unknown number and records that stay closed answer alike. Raises Invalid for what is missing and for
    a password that is not the actor's, Throttled after too many of these or of questions in vain, Conflict for a second one.
    """
    if not uow.can(P.BREAKGLASS):
        raise Forbidden
    asked = _checked(uow, typed)
    proven.again(uow, typed.get("password", ""), "password")
    find_exact.throttle(uow, asked)
    patient, nodes = _found(uow, asked)
    if patient is None:
        find_exact.tell(uow, asked, "emergency.missed", result="denied")
        return None
    return _open(uow, patient, nodes, asked)


def _checked(uow: UnitOfWork, typed: Mapping[str, str]) -> dict[str, Any]:
    asked, wrong = find_exact.checked(uow, WHO, typed)
    least, text = emergencies.limits(uow).least_words, clean(typed.get("reason", ""))
    if typed.get("cause") not in emergencies.causes(uow):
        wrong["cause"] = _("Choose one of the list.")
    if not least <= len(text) <= LONGEST:
        wrong["reason"] = _(
            "Say what has happened, in %(least)d to %(most)d characters.", least=least, most=LONGEST
        )
    if not typed.get("password"):
        wrong["password"] = _("Give your own password again.")
    if wrong:
        raise Invalid(fields=wrong)
    return asked | {"cause": typed["cause"], "purpose": typed["cause"], "reason": text}


def _found(uow: UnitOfWork, asked: Mapping[str, Any]) -> tuple[Patient | None, list[Node]]:
    """The patient under the number that is kept, and what opens of theirs: one statement, whatever was typed."""
    rows = uow.session.execute(
        select(Node, Patient, Encounter)
        .join(Record, Record.node_id == Node.id)
        .join(Encounter, Encounter.id == Record.encounter_id)
        .join(Patient, Patient.id == Encounter.patient_id)
        .where(patient_names.whole(Patient.mrn == asked["mrn"]), Node.state.in_(find_exact.ARCHIVED))
        .where(Node.level <= emergencies.limits(uow).sensitivity_to)
        .order_by(Node.path),
        execution_options=TRUSTED,
    ).all()
    # What lies in the trash stays closed to everybody: it neither opens nor says anything. A seal takes no reading.
    free = [row for row in rows if P.READ not in vetoed_by(row[0].overlay)]
    days = {stay.discharged_at for _node, _patient, stay in free}
    fitting = [patient for _node, patient, _stay in free if find_exact.fits(asked, patient, days)]
    if not fitting:
        return None, []
    kept = fitting[0].merged_into or fitting[0].id
    return uow.session.get_one(Patient, kept, execution_options=TRUSTED), [row[0] for row in free]


@action("emergency.declared", needs=P.BREAKGLASS)
def _open(uow: UnitOfWork, patient: Patient, nodes: list[Node], asked: Mapping[str, Any]) -> Emergency:
    """Committed before anything of it is shown: the records come by the next request."""
    # The counter's row is locked from here on: of two clicks at once, the second sees what the first has opened.
    number, rules = numbers.slip(uow, "JJ", 4), emergencies.limits(uow)
    _not_open_already(uow, patient.id)
    made = Emergency(
        number=number, principal_id=uow.actor.principal_id, patient_id=patient.id, mrn=patient.mrn,
        cause=asked["cause"], reason=asked["reason"], policy_version=policies.in_force(uow, KIND).version,
        records=len(nodes), at=uow.now,
        until=uow.now + timedelta(hours=rules.open_hours), judge_by=uow.now + timedelta(hours=rules.judge_hours),
    )  # fmt: skip
    uow.session.add(made)
    uow.session.flush()
    for node in nodes:
        _grant(uow, made, node, rules.sensitivity_to)
    uow.about(made)
    uow.note(number=number, cause=made.cause, reason=made.reason, until=made.until, records=len(nodes))
    notices.emergency(uow, "emergency.opened", made, _watchers(uow, nodes))
    _alarm(uow, made, rules.alarm_from)
    return made


def _not_open_already(uow: UnitOfWork, patient: int) -> None:
    mine = (Emergency.principal_id == uow.actor.principal_id, Emergency.patient_id == patient)
    still = select(Emergency.id).where(*mine, Emergency.until > uow.now).limit(1)
    if uow.session.scalar(still, execution_options=TRUSTED) is not None:
        raise Conflict(_("You have opened the records of this patient already. They stand below."))


def _grant(uow: UnitOfWork, made: Emergency, node: Node, level: int) -> None:
    """One line in the record's own trail for each: whoever follows it must find who opened it."""
    uow.session.add(
        AccessGrant(
            principal_id=made.principal_id, node_id=node.id, permission=P.READ, cause=CAUSE, ref=made.number,
            valid_from=made.at, valid_until=made.until, max_level=level, reason=made.cause,
        )
    )  # fmt: skip
    words = {"number": made.number, "until": made.until}
    uow.record(uow.event_about(node, Event("emergency.opened", words=words)))


def _watchers(uow: UnitOfWork, nodes: list[Node]) -> set[int]:
    """Who is told at once: heads of the departments of whoever opens and of what is opened, medical affairs, security."""
    departments = uow.actor.departments | {node.dept_id for node in nodes if node.dept_id}
    wide, heads, security = (
        emergencies.judging("any"),
        emergencies.judging("dept"),
        roster.holding(P.ROLE_ASSIGN),
    )
    return {
        one.id
        for one in roster.everybody(uow).values()
        if one.roles & (wide | security) or (one.roles & heads and one.groups & departments)
    }


def _alarm(uow: UnitOfWork, made: Emergency, many: int) -> None:
    """So many within an hour are told to security and auditors, once an hour; nobody is stopped, for rescue comes first."""
    recent = select(func.count(Emergency.id)).where(Emergency.at > uow.now - WITHIN)
    count = uow.session.scalar(recent, execution_options=TRUSTED) or 0
    if count < many:
        return
    watching = roster.holding(P.ROLE_ASSIGN) | roster.holding(P.AUDIT_REVIEW)
    told = {one.id for one in roster.everybody(uow).values() if one.roles & watching}
    if notices.alarm(uow, made, told, WITHIN):
        uow.record(Event("emergency.alarm", result="failed", object_kind="emergency", object_id=made.id,
                         object_ref=made.number, words={"within_an_hour": count}))  # fmt: skip


@action("emergency.ended", needs=SIGNED_IN)
def end(uow: UnitOfWork, row: Emergency) -> None:
    """Ends it at once: one's own, or one whose review is the actor's. Raises Forbidden, Conflict for one that is over."""
    if row.principal_id != uow.actor.principal_id and not emergencies.may_judge(uow, row):
        raise Forbidden
    uow.session.refresh(row, with_for_update=True)
    if row.until <= uow.now:
        raise Conflict(_("It has ended already."))
    _close(uow, row)
    uow.note(number=row.number)


def _close(uow: UnitOfWork, row: Emergency) -> None:
    row.until, row.ended_by = uow.now, uow.actor.principal_id
    live = (AccessGrant.cause == CAUSE, AccessGrant.ref == row.number, AccessGrant.valid_until > uow.now)
    uow.session.execute(
        update(AccessGrant).where(*live).values(valid_until=uow.now), execution_options=TRUSTED
    )


@action("emergency.judged", needs=P.BREAKGLASS_REVIEW)
def judge(uow: UnitOfWork, row: Emergency, *, verdict: str, note: str) -> None:
    """事后审查: says whether it was justified, and why. What was not, ends at once.

    Raises Forbidden for one's own, Conflict for one that somebody has judged meanwhile, Invalid.
    """
    if not emergencies.may_judge(uow, row):
        raise Forbidden
    uow.session.refresh(row, with_for_update=True)
    if row.judged_at is not None:
        raise Conflict(_("Somebody else has judged this meanwhile. Reload the page."))
    text, wrong = clean(note), {}
    if verdict not in VERDICTS:
        wrong["verdict"] = _("Choose one of the list.")
    if not 1 <= len(text) <= LONGEST:
        wrong["note"] = _("Say why, in up to %(most)d characters.", most=LONGEST)
    if wrong:
        raise Invalid(fields=wrong)
    row.judged_by, row.judged_at, row.verdict, row.note = uow.actor.principal_id, uow.now, verdict, text
    if verdict == "unjustified" and row.until > uow.now:
        _close(uow, row)
    uow.note(number=row.number, verdict=verdict, note=text)
    notices.emergency(uow, "emergency.judged", row, {row.principal_id})
