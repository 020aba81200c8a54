"""Asking for a record, on paper or to read, and deciding what was asked (domain §4.2, §10)."""

import re
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from archive.access import vetoed_by
from archive.errors import Conflict, Forbidden, Invalid, Stale
from archive.i18n import _
from archive.models import Encounter, Node, Patient, Record, Request
from archive.policy.permissions import P
from archive.policy.rights import matrix
from archive.policy.workflows import PROGRAM, WORKFLOWS
from archive.schema import clean
from archive.services import (
    approvals,
    borrowing,
    notices,
    numbers,
    patient_names,
    printouts,
    reading,
    request_parts,
    reservations,
    slips,
    turns,
)
from archive.services.attempts import MOST, Outcome, attempt, each
from archive.services.borrowing import Offered, Terms
from archive.services.guards import GUARDS
from archive.services.parts import InBundle, hold
from archive.services.slips import KINDS, Slip, effective_state
from archive.uow import UnitOfWork, action
from archive.workflow import Transition, objections

TRUSTED: Any = {"scope": "requests"}
AT_THE_DESK = frozenset({"issue", "return", "lose"})
"""Steps that a barcode takes, never a button (services/loans.py)."""
AS_OPINION = {"endorse": "approve", "object": "refuse"}
"""What an office says before the decision → the same word as a decision."""
DECIDING = frozenset({"open", "approve", "refuse", "object"})
BY_RULE = {name: next(step for step in WORKFLOWS[name].transitions if step.name == "open") for name in KINDS}
"""What a rule without approvers does at once."""
STAY = re.compile(r"([0-9]{6,10})-([0-9]{1,3})")


class AskedAlready(Conflict):
    """One person has one open request for one thing."""

    def sentence(self) -> str:
        return _("You have asked for this already. Look under My requests.")


@action("request.asked", needs=P.REQUEST_CREATE)
def ask(
    uow: UnitOfWork, node: Node, *, kind: str, purpose: str, days: int | str, declared: str,
    reason: str | None = None, declared_words: str | None = None, bundle: InBundle | None = None,
    parts: Collection[str] = (), with_copy: bool = False,
) -> Request:  # fmt: skip
    """Asks for `node`, or for some of its components to be read. Raises Invalid for wrong fields, Conflict while something
    of the asker's stands in the way.
    """
    wanted = borrowing.checked(
        uow, _open_to(borrowing.offered(uow, node), bundle), kind=kind, purpose=purpose, days=days, reason=reason,
        declared=declared, declared_words=declared_words,
    )  # fmt: skip
    if objection := borrowing.hindrance(uow, node, kind) or borrowing.own_hindrance(
        uow, [wanted.rule], many=bundle is not None
    ):
        raise Conflict(objection)
    of = request_parts.chosen(uow, node, kind, parts)
    copy = printouts.checked(uow, kind, purpose, wanted=with_copy)
    if kind == "paper" and _is_at_once(wanted, bundle):
        uow.lock(node)  # whose queue it joins: before the counter, as at the desk
    return _file(uow, node, wanted, _number(uow), bundle, parts=of, with_copy=copy)


def _open_to(allowed: Offered, bundle: InBundle | None) -> Offered:
    return allowed if bundle else borrowing.of_one(allowed)


def file_for(uow: UnitOfWork, node: Node, wanted: Terms, number: str, *, asker: int) -> Request:
    """Part of an act of the desk, which has locked the record: the slip of somebody who stands there and has not asked."""
    return _file(uow, node, wanted, number, asker=asker)


def _number(uow: UnitOfWork) -> str:
    """The next slip number.

    The counter's row is locked from here on: of two clicks at once, the second sees what the first has filed.
    """
    return numbers.slip(uow, "JY")


def _is_at_once(wanted: Terms, bundle: InBundle | None) -> bool:
    return wanted.rule.is_at_once and wanted.conflict is None and not (bundle and bundle.is_large)


def _file(
    uow: UnitOfWork, node: Node, wanted: Terms, number: str, bundle: InBundle | None = None,
    *, asker: int | None = None,
    parts: Sequence[Node] = (), with_copy: bool = False,
) -> Request:  # fmt: skip
    """Writes the request. Raises AskedAlready while the same person has an open one for the same thing."""
    asker = asker or uow.actor.principal_id or 0
    mine = (
        Request.requester_id == asker,
        Request.node_id == node.id,
        Request.kind == wanted.kind,
    )
    if uow.session.scalar(select(Request.id).where(*mine, slips.is_open(uow)).limit(1)) is not None:
        raise AskedAlready
    made = Request(
        number=number, kind=wanted.kind, state=WORKFLOWS[wanted.kind].initial, requester_id=asker,
        node_id=node.id, purpose=wanted.purpose, reason=wanted.reason, days=wanted.days,
        rule=wanted.rule.code, policy_version=wanted.policy_version, conflict=wanted.conflict, created_at=uow.now,
        bundle_id=bundle.bundle if bundle else None, part=bundle.part if bundle else 1, with_copy=with_copy,
    )  # fmt: skip
    uow.session.add(made)
    uow.session.flush()
    uow.note(number=number, kind=wanted.kind, purpose=wanted.purpose, days=wanted.days, reason=wanted.reason,
             conflict=wanted.conflict)  # fmt: skip
    request_parts.keep(uow, made, parts)
    approvals.begin(uow, made, node, wanted.rule, bundle.also if bundle else ())
    if _is_at_once(wanted, bundle):
        take(uow, made, node, BY_RULE[made.kind])
        _stand_in_line(uow, made, node)
    return made


def _stand_in_line(uow: UnitOfWork, request: Request, node: Node) -> None:
    """Whoever comes or goes changes the queue of a record, which the caller has locked: it is one thing."""
    if request.kind == "paper":
        reservations.settle(uow, node)


@action("request.asked_by_number", needs=P.REQUEST_CREATE)
def ask_by_number(uow: UnitOfWork, *, number: str, kind: str, purpose: str, days: int | str,
                  declared: str, reason: str | None = None, declared_words: str | None = None,
                  bundle: InBundle | None = None) -> None:  # fmt: skip
    """Asks for the record 病案号-次, whether or not there is one: the answer is always the same (model §3).

    It is filed if somebody could decide it, and stays hidden from the asker until it is granted. A slip number is
    drawn in any case: the next slip would tell otherwise.
    """
    typed = STAY.fullmatch(number.strip())
    if typed is None:
        raise Invalid(fields={"number": _("Write the record number and the stay, for example 00218647-2.")})
    wanted = borrowing.checked(
        uow, _open_to(borrowing.offered_unseen(uow), bundle), kind=kind, purpose=purpose, days=days, reason=reason,
        declared=declared, declared_words=declared_words,
    )  # fmt: skip
    if objection := borrowing.own_hindrance(
        uow, [wanted.rule], many=bundle is not None
    ) or borrowing.too_many_by_number(uow):
        raise Conflict(objection)
    uow.note(record=number.strip())
    drawn = _number(uow)
    node = _of_stay(uow, typed[1], int(typed[2]))
    # The rule for what is as sensitive as the record is asked for in silence, too.
    rule = borrowing.offered_unseen(uow, node.level).get(purpose, {}).get(kind) if node else None
    if node is None or rule is None or borrowing.hindrance(uow, node, kind):
        return
    if _somebody_decides(node):
        uow.about(node)
        with suppress(AskedAlready), attempt(uow):
            _file(
                uow, node, replace(wanted, rule=rule, days=min(wanted.days, rule.most(kind))), drawn, bundle
            )


def _of_stay(uow: UnitOfWork, mrn: str, times: int) -> Node | None:
    """The record of a stay; under a number that was given up, that of the number that counts now, where it has none itself."""
    statement = (
        select(Node)
        .join(Record, Record.node_id == Node.id)
        .join(Encounter, Encounter.id == Record.encounter_id)
        .join(Patient, Patient.id == Encounter.patient_id)
        .where(
            patient_names.whole(Patient.mrn == mrn), Encounter.times == times, Encounter.kind == "inpatient"
        )
        .order_by((Patient.mrn == mrn).desc())
        .limit(1)
    )
    return uow.session.scalar(statement, execution_options=TRUSTED)


def _somebody_decides(node: Node) -> bool:
    """Whether any role decides on such a node as it is now."""
    return P.REQUEST_DECIDE not in vetoed_by(node.overlay) and any(
        P.REQUEST_DECIDE in right.permissions and right.covers(node.type, node.state) for right in matrix()
    )


def offers(uow: UnitOfWork, request: Request) -> list[Transition]:
    """The steps that the actor may take now with a button; never one that would be refused."""
    state, node = effective_state(uow, request), _node_of(uow, request)
    may = [step for step in WORKFLOWS[request.kind].steps(state) if _may(uow, request, node, step)]
    open_now = [
        step for step in may if step.name not in AT_THE_DESK and not objections(step, GUARDS, uow, request)
    ]
    # Whoever gives the opinion of their office and decides as well is asked for one word, not for two.
    said = {step.name for step in open_now}
    return [step for step in open_now if not any(AS_OPINION.get(name) == step.name for name in said)]


def recuse(uow: UnitOfWork, request: Request, *, words: str) -> None:
    """Whoever would decide declares why they do not: see `approvals.recuse`."""
    approvals.recuse(uow, request, _node_of(uow, request), words=words)


def why_not(uow: UnitOfWork, request: Request) -> list[str]:
    """Why a button is missing that the actor's rights would give them: a sentence each.

    Agreeing and approving are one word to whoever reads it. Where one of them is offered, that it is another's turn for
    the other would say that it is not theirs.
    """
    state, node = effective_state(uow, request), _node_of(uow, request)
    missing: dict[str, list[str]] = {}
    for step in WORKFLOWS[request.kind].steps(state):
        if step.name not in AT_THE_DESK and _may(uow, request, node, step):
            missing[AS_OPINION.get(step.name, step.name)] = objections(step, GUARDS, uow, request)
    for step in offers(uow, request):
        missing.pop(AS_OPINION.get(step.name, step.name), None)
    return list(dict.fromkeys(sentence for sentences in missing.values() for sentence in sentences))


def _node_of(uow: UnitOfWork, request: Request) -> Node:
    return uow.session.get_one(Node, request.node_id, execution_options=TRUSTED)


def _may(uow: UnitOfWork, request: Request, node: Node, step: Transition) -> bool:
    if step.needs == "requester":
        return request.requester_id == uow.actor.principal_id
    if step.needs == PROGRAM:
        return False
    if step.needs == P.REQUEST_ENDORSE:  # of no record, but of one that they may know of
        return uow.can(P.REQUEST_ENDORSE) and uow.can(P.DISCOVER, node)
    return uow.can(P(step.needs), node)


def advance(uow: UnitOfWork, request: Request, name: str, *, reason: str | None = None,
            version: int | None = None) -> Request:  # fmt: skip
    """Takes a step with a request. Raises Forbidden, Conflict in the wrong state or against a guard, Stale, Invalid."""
    step = WORKFLOWS[request.kind].transition(name)
    if step is None or name in AT_THE_DESK:
        raise Conflict(_("There is no such step. A volume goes out and comes back at the desk only."))
    node = _node_of(uow, request)
    if not _may(uow, request, node, step):
        raise Forbidden
    if version is not None and request.version != version:
        raise Stale(_("Somebody else has decided this meanwhile. Reload the page."))
    hold(uow, request.bundle_id)
    if request.kind == "paper":
        uow.lock(node)
    take(uow, request, node, step, reason=clean(reason or "") or None)
    _stand_in_line(uow, request, node)
    notices.decided(uow, request, name)  # after it: whether it is ready or in line is known now
    return request


def take(
    uow: UnitOfWork, request: Request, node: Node, step: Transition, *, reason: str | None = None
) -> Request:
    """Takes a step whose right has been checked: state, reason, guards, and what follows from it."""
    if effective_state(uow, request) not in step.sources:
        raise Conflict(_("This has been done already, or the request is in another state. Reload the page."))
    if step.asks_reason and not reason:
        raise Invalid(fields={"reason": _("Say why, in a sentence.")})
    if refusals := objections(step, GUARDS, uow, request):
        raise Conflict(" ".join(refusals))
    with uow.act(f"request.{step.name}", node):
        uow.note(number=request.number, kind=request.kind, state=[request.state, step.target], reason=reason)
        request.state = step.target
        approvals.follow(uow, request, node, step.name, reason)
        if step.name in DECIDING:
            # What a rule opens at once nobody has decided.
            by = None if step.needs == PROGRAM else uow.actor.principal_id
            request.decided_by, request.decided_at, request.decision_note = by, uow.now, reason
        if request.kind in reading.OPENS:
            reading.follow(uow, request, node)
        uow.session.flush()
    return request


def decide(uow: UnitOfWork, refs: Iterable[UUID], name: str, *, reason: str | None = None) -> list[Outcome]:
    """Takes one step with several requests, each on its own: one refused does not hold up the others.

    In the order of all locks, whatever the order of the page: of two who decide the same, the second waits from the start.
    """

    def one(ref: UUID) -> None:
        request = slips.one(uow, ref)
        advance(uow, request, as_asked(uow, request, name), reason=reason)

    wanted = list(refs)
    known = slips.visible(uow, Request.uuid, Request.node_id, Request.id, Request.bundle_id)
    rows = uow.session.execute(known.where(Request.uuid.in_(wanted[:MOST]))).all()
    hold(uow, *{row.bundle_id for row in rows})
    place = {row.uuid: (row.node_id, row.id) for row in rows}
    return each(uow, sorted(wanted, key=lambda ref: place.get(ref, (0, 0))), one)


def as_asked(uow: UnitOfWork, request: Request, name: str) -> str:
    """What saying yes or no means for the actor: their decision, or the opinion of their office."""
    if request.requester_id != uow.actor.principal_id and turns.is_mine(uow, request):
        return next((opinion for opinion, decision in AS_OPINION.items() if decision == name), name)
    return name


def mine(uow: UnitOfWork, *, single: bool = False) -> list[Slip]:
    """One's own requests, newest first; `single`: without those of bundles."""
    own = Request.requester_id == uow.actor.principal_id
    alone = [Request.bundle_id.is_(None)] if single else []
    return slips.listed(uow, own, *alone, newest_first=True)


def to_decide(uow: UnitOfWork) -> list[Slip]:
    """What waits for the actor's decision, oldest first."""
    return slips.listed(uow, slips.decidable(uow))


def mine_on(uow: UnitOfWork, node: Node) -> list[Slip]:
    """One's own open requests for a node."""
    own = (Request.requester_id == uow.actor.principal_id, Request.node_id == node.id)
    return slips.listed(uow, *own, slips.is_open(uow))
