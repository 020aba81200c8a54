"""借阅制度: what may be asked for, how long, and what stands in the way (domain §10)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select

from archive.actor import Actor
from archive.errors import Invalid
from archive.i18n import _
from archive.models import AuditEvent, Encounter, Holding, Node, Patient, Record, Request, RequestLine
from archive.policy import lending
from archive.policy.lending import Rule
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import calendar, conflicts, frozen, holdings, patient_names, policies, slips
from archive.services.calendar import WorkingCalendar
from archive.services.slips import KINDS
from archive.sight import ids_of
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "borrowing"}
LONGEST_REASON = 500
ALONE = (lending.EREAD, lending.PAPER)
"""What one record is asked for in; data without names are those of many."""

Offered = dict[str, dict[str, Rule]]
"""Purpose → medium → rule."""


@dataclass(frozen=True)
class Terms:
    """What is asked for, checked against the borrowing rule in force."""

    kind: str
    purpose: str
    days: int
    reason: str | None
    rule: Rule
    policy_version: int
    conflict: str | None = None


def offered(uow: UnitOfWork, node: Node, person: Actor | None = None) -> Offered:
    """What the actor, or somebody else, may ask for of a record."""
    who = person or uow.actor
    return offered_as(uow, node, who, treats=treats(uow, node, who))


def offered_as(uow: UnitOfWork, node: Node, who: Actor, *, treats: bool, purpose: str = "") -> Offered:
    """What somebody may ask for of a record whose patient they treat, or do not; of one purpose, where it is named."""
    found = lending.offered(_rules(uow), lending.Asker(who.roles, who.clearance, treats), node.level)
    return {name: media for name, media in found.items() if purpose in {"", name}}


def offered_unseen(uow: UnitOfWork, level: int = 0) -> Offered:
    """What the actor may ask for of what they do not see: nothing that would be opened at once, which would tell of it."""
    return lending.offered(_rules(uow), lending.Asker(uow.actor.roles), level)


def treats(uow: UnitOfWork, node: Node, person: Actor | None = None) -> bool:
    """Whether the patient of a record lies in a ward of the actor's, or did until a few days ago (domain §10)."""
    wards = (person or uow.actor).departments
    limits = policies.in_force(uow, "loans").body["limits"]
    mine = (
        select(patient_names.head())
        .join(Encounter, Encounter.patient_id == Patient.id)
        .join(Record, Record.encounter_id == Encounter.id)
        .where(Record.node_id.in_(ids_of(node.path)))
    )
    over = Encounter.discharged_at >= uow.today - timedelta(days=limits["treating_days"])
    lies_here = and_(
        Encounter.discharged_at.is_(None),
        Encounter.admitted_at >= uow.today - timedelta(days=limits["stay_days"]),
    )
    stay = (
        select(Encounter.id)
        .join(Patient, Patient.id == Encounter.patient_id)
        .where(
            patient_names.head().in_(mine),
            Encounter.dept_id.in_(sorted(wards)),
            or_(over, lies_here),
        )
    )
    return bool(wards) and uow.session.scalar(stay.limit(1), execution_options=TRUSTED) is not None


def _rules(uow: UnitOfWork) -> list[Rule]:
    return lending.rules(policies.in_force(uow, "loans").body)


def may_be_at_once(uow: UnitOfWork, kind: str, purpose: str) -> bool:
    """Whether it is paper, and any rule gives it at once for this purpose."""
    of = [rule for rule in _rules(uow) if rule.purpose == purpose and rule.is_at_once]
    return kind == lending.PAPER and any(kind in rule.media for rule in of)


def rule_of(uow: UnitOfWork, request: Request) -> Rule:
    """The rule under which something was asked for, as it was then: what was granted stays granted."""
    body = policies.of_version(uow, "loans", request.policy_version)
    return next(rule for rule in lending.rules(body) if rule.code == request.rule)


def due(by: WorkingCalendar, rule: Rule, days: int, out: date, renewals: int = 0) -> date:
    """The day on which paper comes back that went out on a day for so many days, after so many renewals."""
    day = _later(by, rule, out, days)
    for _time in range(renewals):
        day = renewed(by, rule, day)
    return day


def renewed(by: WorkingCalendar, rule: Rule, due: date) -> date:
    """The day on which paper comes back that was due on a day, once it is renewed."""
    return _later(by, rule, due, rule.renew_days)


def _later(by: WorkingCalendar, rule: Rule, day: date, days: int) -> date:
    return by.add(day, days) if rule.paper_working else day + timedelta(days=days)


def last_day(uow: UnitOfWork, kind: str, rule: Rule) -> date:
    """The last day if it were had from today on, for as long as the rule allows."""
    if kind != lending.PAPER:
        return uow.today + timedelta(days=rule.eread_days)
    return due(calendar.of(uow), rule, rule.paper_days, uow.today)


def checked(
    uow: UnitOfWork, allowed: Offered, *, kind: str, purpose: str, days: int | str, reason: str | None,
    declared: str, declared_words: str | None = None,
) -> Terms:  # fmt: skip
    """Checks what was typed; no number of days means as many as the rule allows. Raises Invalid, field by field."""
    errors = {}
    rule = allowed.get(purpose, {}).get(kind)
    if kind not in KINDS:
        errors["kind"] = _("Choose one of the list.")
    if purpose not in allowed:
        errors["purpose"] = _("Say what it is for.")
    elif rule is None and kind in KINDS:
        errors["kind"] = _("For this purpose the lending rules do not provide for that. Choose another.")
    typed = str(days).strip()
    wanted = int(typed) if typed.isdecimal() and len(typed) < 4 else -1
    if rule is not None:
        most, least = rule.most(kind), min(1, rule.most(kind))
        wanted = wanted if typed else most
        if not least <= wanted <= most:
            errors["days"] = (
                _("From 1 to %(most)d days for this purpose.", most=most)
                if most
                else _("It comes back on the day.")
            )
    text = clean(reason or "")
    if len(text) > LONGEST_REASON:
        errors["reason"] = _("At most %(most)d characters, please.", most=LONGEST_REASON)
    said = None
    try:
        said = _declared(uow, declared, declared_words)
    except Invalid as wrong:
        errors |= wrong.fields
    if errors or rule is None:
        raise Invalid(fields=errors)
    return Terms(kind, purpose, wanted, text or None, rule, policies.in_force(uow, "loans").version, said)


def _declared(uow: UnitOfWork, what: str, words: str | None) -> str | None:
    may = policies.in_force(uow, "loans").body["limits"]["to_relatives"]
    return conflicts.declared(what, words, may_be_relative=may)


def hindrance(uow: UnitOfWork, node: Node, kind: str) -> str | None:
    """Why `node` cannot be had in this kind, or nothing."""
    if kind == "paper":
        bound = select(Holding.id).where(Holding.node_id == node.id).limit(1)
        if uow.session.scalar(bound, execution_options=TRUSTED) is None:
            return _("No paper volume of this is registered.")
        if frozen.all_volumes(uow, node):
            return _("The paper is sealed: it goes out to nobody. Ask to read it on the screen.")
        return None
    if kind == lending.DATA:
        return None if node.type == "medical_record" else _("Only inpatient records give data without names.")
    if uow.can(P.READ, node):
        return _("You can read this already.")
    if holdings.carrier_of(uow, node) not in {"electronic", "dual"}:
        return _("This has not been scanned yet. Ask for the paper.")
    return None


def of_one(allowed: Offered) -> Offered:
    """What of it can be had of one record."""
    kept = {
        name: {kind: rule for kind, rule in media.items() if kind in ALONE} for name, media in allowed.items()
    }
    return {name: media for name, media in kept.items() if media}


def own_hindrance(uow: UnitOfWork, rules: Iterable[Rule], *, many: bool = False) -> str | None:
    """What of the asker's own stands in the way of a new request under each of these rules, or nothing.

    `many`: of one of a bundle. A bundle has limits of its own, and is not counted among single requests.
    """
    if not any(one.while_overdue for one in rules) and is_overdue(uow):
        return _("You have a volume that is overdue. Bring it back first.")
    if not many and has_too_many(uow, uow.actor):
        return _("You have %(most)d open requests. Wait until some are done.", most=_most_open(uow))
    return None


def has_too_many(uow: UnitOfWork, person: Actor) -> bool:
    """Whether somebody has as many open requests as the rules allow, of those that they see themselves."""
    single = slips.own(uow, person, func.count(Request.id)).where(
        Request.bundle_id.is_(None), slips.is_open(uow)
    )
    return (uow.session.scalar(single) or 0) >= _most_open(uow)


def _most_open(uow: UnitOfWork) -> int:
    return int(policies.in_force(uow, "loans").body["limits"]["open_requests"])


def is_overdue(uow: UnitOfWork) -> bool:
    """Whether the actor has a volume that should be back."""
    return is_blocked(uow, uow.actor.principal_id)


def too_many_by_number(uow: UnitOfWork, more: int = 1) -> str | None:
    """Why so many more may not be asked for by number today, or nothing.

    Their open requests cannot bound this: what is hidden is not counted, and each try is counted, found or not.
    """
    most = policies.in_force(uow, "loans").body["limits"]["open_requests"]
    tries = select(func.count(AuditEvent.id)).where(
        AuditEvent.actor_id == uow.actor.principal_id,
        AuditEvent.action == "request.asked_by_number",
        AuditEvent.at > uow.now - timedelta(days=1),
    )
    if (uow.session.scalar(tries) or 0) + more <= most:
        return None
    if more > 1:
        return _(
            "Of records that you cannot find, at most %(most)d may be asked for within a day. Take some out.",
            most=most,
        )
    return _("You have asked for %(most)d records by number within a day. Go on tomorrow.", most=most)


def is_blocked(uow: UnitOfWork, person: int | None) -> bool:
    """Whether somebody has a volume that should be back."""
    late = (
        select(RequestLine.id)
        .join(Request, Request.id == RequestLine.request_id)
        .where(Request.requester_id == person, RequestLine.in_at.is_(None), RequestLine.due_at < uow.now)
    )
    return uow.session.scalar(late.limit(1)) is not None
