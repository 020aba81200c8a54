"""审批台: what waits for somebody's word, with all that they need to know for it on one page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, not_, select
from sqlalchemy.orm import aliased

from archive.i18n import Lazy, _, _l
from archive.models import Node, PolicyVersion, Principal, Request, RequestApproval, RequestLine
from archive.policy import lending
from archive.policy.lending import PAPER
from archive.policy.offices import OFFICES
from archive.policy.permissions import P
from archive.services import absences, availability, conflicts, parts, policies, roster, slips, turns
from archive.services.availability import Availability
from archive.services.slips import Slip
from archive.uow import UnitOfWork

MOST = 500
"""A bundle has no more records than policy can allow."""
VERDICTS: dict[str | None, tuple[Lazy, str]] = {
    "agreed": (_l("Agreed"), "ok"), "refused": (_l("Refused"), "bad"), "vacant": (_l("Nobody to ask"), "idle"),
    "unaware": (_l("Not asked: nobody there may know of this record"), "wait"),
    None: (_l("Not yet"), "wait"),
}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """审批意见: one office of a chain and what it has said so far."""

    place: int
    office: str
    verdict: str
    look: str
    by: str | None
    behalf: str | None
    """Who was away, if a deputy said it."""
    note: str | None


@dataclass(frozen=True)
class Asker:
    """申请人: their department and staff number, and how many volumes they have in hand."""

    note: str
    out: int
    overdue: int


@dataclass(frozen=True)
class Waiting:
    """待审批: a request, who asks, what the offices have said, by which rule, and whether the paper can be had.

    `others`: how many more have asked for the same paper. `hindrance`: why the actor cannot say yes to it now.
    """

    slip: Slip
    asker: Asker
    chain: list[Said]
    office: str
    source: str
    rule: str
    """Its name, as the version of the rules has it by which it was asked for."""
    paper: Availability | None
    others: int
    hindrance: str | None


def mine(uow: UnitOfWork) -> list[Waiting]:
    """What waits for the actor, the oldest first; what was asked for in bundles is told by bundle."""
    return _told(uow, slips.listed(uow, slips.decidable(uow), Request.bundle_id.is_(None)), is_turn=True)


def of_bundle(uow: UnitOfWork, number: int) -> list[Waiting]:
    """What of a bundle waits for the actor."""
    here = (slips.decidable(uow), Request.bundle_id == number)
    return _told(uow, slips.listed(uow, *here, most=MOST), is_turn=True)


def others_first(uow: UnitOfWork) -> list[Waiting]:
    """What the actor decides in the end, once others have been heard; nothing of what the rule lets others decide."""
    return _told(uow, slips.listed(uow, others_turn(uow), Request.bundle_id.is_(None)), is_turn=False)


def others_turn(uow: UnitOfWork) -> ColumnElement[bool]:
    """The same as a condition."""
    if not uow.can(P.REQUEST_DECIDE):
        return false()
    later = and_(
        Request.state == "requested",
        Request.requester_id != uow.actor.principal_id,
        not_(conflicts.is_mine(uow)),
        parts.is_due(uow),
        turns.theirs_by_rule(uow),
        absences.not_theirs(uow),
    )
    return and_(later, uow.access.clause(P.REQUEST_DECIDE), not_(slips.decidable(uow)))


def said(uow: UnitOfWork, numbers: Sequence[int]) -> dict[int, list[Said]]:
    """Request → its offices in their order. For requests that the actor has come by through `slips`."""
    absent = aliased(Principal)
    rows = uow.session.execute(
        select(RequestApproval, Principal.name, absent.name, Request.requester_id)
        .join(Request, Request.id == RequestApproval.request_id)
        .outerjoin(Principal, Principal.id == RequestApproval.decided_by)
        .outerjoin(absent, absent.id == RequestApproval.on_behalf_of)
        .where(RequestApproval.request_id.in_(numbers))
        .order_by(RequestApproval.request_id, RequestApproval.place)
    )
    found: dict[int, list[Said]] = {}
    judges = uow.can(P.REQUEST_DECIDE) or uow.can(P.REQUEST_ENDORSE)
    for row, name, behalf, asker in rows:
        # What others may know is for whoever decides, and no business of whoever asks or hands out.
        hidden = row.verdict == "unaware" and (not judges or asker == uow.actor.principal_id)
        word, look = VERDICTS["vacant" if hidden else row.verdict]
        one = Said(row.place, str(OFFICES[row.office].title), str(word), look, name, behalf, row.note)
        found.setdefault(row.request_id, []).append(one)
    return found


def _told(uow: UnitOfWork, found: list[Slip], *, is_turn: bool) -> list[Waiting]:
    """A fixed number of statements, however many there are."""
    if not found:
        return []
    chains = said(uow, [slip.id for slip in found])
    people = askers(uow, {slip.requester_id for slip in found})
    papers = availability.of(uow, [slip.node for slip in found], needs=P.DISCOVER)
    others, grounds = _others(uow, found), _grounds(uow, found)
    return [
        Waiting(
            slip, people[slip.requester_id], chain := chains.get(slip.id, []), _office(chain, slip.stage),
            *_ground(slip, grounds), papers.get(slip.node.id),
            max(0, others.get(slip.node.id, 0) - (slip.kind == PAPER)), _hindrance(uow, slip, chain, is_turn=is_turn),
        )
        for slip in found
    ]  # fmt: skip


def _office(chain: list[Said], stage: int) -> str:
    return next((one.office for one in chain if one.place == stage), "")


def _hindrance(uow: UnitOfWork, slip: Slip, chain: list[Said], *, is_turn: bool) -> str | None:
    """Why saying yes would be refused, as far as the list can tell; the act itself asks again."""
    if not is_turn:
        return _("First it is the turn of: %(office)s.", office=_office(chain, slip.stage))
    is_last = not chain or slip.stage == chain[-1].place
    if is_last and slip.kind != PAPER and slip.node.level > uow.actor.clearance:
        return _("This record is more sensitive than your own clearance. Ask somebody with a higher one.")
    return None


def askers(uow: UnitOfWork, people: set[int]) -> dict[int, Asker]:
    """Who asks, as whoever decides reads it. For those whose requests the actor may see."""
    who = uow.session.scalars(select(Principal).where(Principal.id.in_(people)))
    notes = roster.notes(uow, who, uow.once("roster", lambda: roster.everybody(uow)))
    late = func.count(RequestLine.id).filter(RequestLine.due_at < uow.now)
    rows: Any = uow.session.execute(
        select(Request.requester_id, func.count(RequestLine.id), late)
        .join(RequestLine, RequestLine.request_id == Request.id)
        .where(Request.requester_id.in_(people), RequestLine.in_at.is_(None))
        .group_by(Request.requester_id)
    )
    lent = {person: (out, overdue) for person, out, overdue in rows}
    return {person: Asker(notes.get(person, ""), *lent.get(person, (0, 0))) for person in people}


def _others(uow: UnitOfWork, found: list[Slip]) -> dict[int, int]:
    """Node → how many have asked for its paper and not got it yet: a number, and never who."""
    rows: Any = uow.session.execute(
        uow.nodes(P.DISCOVER, Node.id, func.count(Request.id))
        .select_from(Node)
        .join(Request, Request.node_id == Node.id)
        .where(
            Node.id.in_([slip.node.id for slip in found]), Request.kind == PAPER,
            Request.state.in_(("requested", "approved")),
        )
        .group_by(Node.id)
    )  # fmt: skip
    return dict(rows.all())


def _ground(slip: Slip, grounds: Mapping[int, tuple[str, dict[str, str]]]) -> tuple[str, str]:
    source, names = grounds.get(slip.policy_version, ("", {}))
    return source, names.get(slip.rule, slip.rule)


def _grounds(uow: UnitOfWork, found: list[Slip]) -> dict[int, tuple[str, dict[str, str]]]:
    """Version of the rules → their source, and of each rule its name, in the reader's language."""
    versions = {slip.policy_version for slip in found}
    rows = select(PolicyVersion.version, PolicyVersion.source, PolicyVersion.body).where(
        PolicyVersion.kind == "loans", PolicyVersion.version.in_(versions)
    )
    return {
        version: (
            policies.said(source),
            {rule.code: policies.said(rule.label) for rule in lending.rules(body)},
        )
        for version, source, body in uow.session.execute(rows)
    }
