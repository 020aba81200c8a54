"""批次 as one person sees them: their own, and those of which something waits for them. Never a record that a slip would hide."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from archive.errors import NotFound
from archive.models import Node, Principal, Request, RequestApproval, RequestBundle
from archive.policy.offices import OFFICES
from archive.services import approval_desk, parts, policies, slips, turns
from archive.services.approval_desk import Asker, Waiting
from archive.services.slips import GRANTED, Slip
from archive.uow import UnitOfWork


@dataclass(frozen=True)
class Bundle:
    """批次 as it is shown. `many`: the records that are counted for this list; `offices`: whose turn it is."""

    id: int
    uuid: UUID
    number: str
    kind: str
    purpose: str
    reason: str
    asked: int
    asked_at: datetime
    requester: str
    is_mine: bool
    many: int
    waiting: int
    granted: int
    parts: int = 1
    part: int = 1
    """The lowest part of which something is counted."""
    originals: str | None = None
    ethics_due: bool = False
    ethics_number: str | None = None
    ethics_date: date | None = None
    ethics_pages: int = 0
    is_study: bool = False
    asker: Asker | None = None
    offices: tuple[str, ...] = ()


def mine(uow: UnitOfWork) -> list[Bundle]:
    """One's own, the newest first; of their records those that one may know of are counted."""
    counted = slips.visible(uow, *_COUNTED).where(Request.requester_id == uow.actor.principal_id)
    figures = {number: row for number, *row in uow.session.execute(counted.group_by(Request.bundle_id))}
    rows = (
        select(RequestBundle, Principal.name)
        .join(Principal, Principal.id == RequestBundle.requester_id)
        .where(RequestBundle.requester_id == uow.actor.principal_id)
        .order_by(RequestBundle.id.desc())
        .limit(slips.MOST)
    )
    words = policies.vocabulary(uow, "purpose")
    return [
        _bundle(uow, row, name, figures.get(row.id, [0, 0, 0, 1]), words)
        for row, name in uow.session.execute(rows)
    ]


_COUNTED: tuple[Any, ...] = (
    Request.bundle_id,
    func.count(Request.id),
    func.count(Request.id).filter(Request.state == "requested"),
    func.count(Request.id).filter(Request.state.in_(GRANTED)),
    func.min(Request.part),
)


def _bundle(
    uow: UnitOfWork, row: RequestBundle, name: str, figures: Iterable[int], words: dict[str, str]
) -> Bundle:
    many, waiting, granted, part = figures
    return Bundle(
        row.id, row.uuid, row.number, row.kind, words.get(row.purpose, row.purpose), row.reason, row.asked, row.created_at,
        name, row.requester_id == uow.actor.principal_id, many, waiting, granted,
        row.parts, part, row.originals, row.ethics_due, row.ethics_number, row.ethics_date, row.ethics_pages or 0,
        parts.is_study(uow, row.purpose),
    )  # fmt: skip


def waiting(uow: UnitOfWork) -> list[Bundle]:
    """Those of which something waits for the actor, the oldest first: one line each, however many records."""
    return _grouped(uow, slips.decidable(uow))


def later(uow: UnitOfWork) -> list[Bundle]:
    """Those of which the actor decides something once others have been heard."""
    return _grouped(uow, approval_desk.others_turn(uow))


def _grouped(uow: UnitOfWork, condition: ColumnElement[bool]) -> list[Bundle]:
    counted = slips.visible(uow, *_COUNTED).where(condition, Request.bundle_id.is_not(None))
    figures = {number: row for number, *row in uow.session.execute(counted.group_by(Request.bundle_id))}
    if not figures:
        return []
    rows = uow.session.execute(
        select(RequestBundle, Principal)
        .join(Principal, Principal.id == RequestBundle.requester_id)
        .where(RequestBundle.id.in_(figures))
        .order_by(RequestBundle.id)
    ).all()
    askers = approval_desk.askers(uow, {person.id for _row, person in rows})
    offices, words = _offices(uow, condition), policies.vocabulary(uow, "purpose")
    return [
        _with(
            _bundle(uow, row, person.name, figures[row.id], words), askers[person.id], offices.get(row.id, ())
        )
        for row, person in rows
    ]


def _with(one: Bundle, asker: Asker, offices: tuple[str, ...]) -> Bundle:
    return Bundle(**(vars(one) | {"asker": asker, "offices": offices}))


def _offices(uow: UnitOfWork, condition: ColumnElement[bool]) -> dict[int, tuple[str, ...]]:
    asked = aliased(RequestApproval)  # the condition speaks of approvals itself
    rows = uow.session.execute(
        slips.visible(uow, Request.bundle_id, asked.office)
        .join(asked, asked.request_id == Request.id)
        .where(condition, Request.bundle_id.is_not(None), asked.place == Request.stage)
        .distinct()
    )
    found: dict[int, tuple[str, ...]] = {}
    for number, office in rows:
        found[number] = (*found.get(number, ()), str(OFFICES[office].title))
    return found


def one(uow: UnitOfWork, ref: UUID) -> RequestBundle:
    """A bundle, for whoever has asked, and for whoever sees one of its slips. Raises NotFound for anybody else."""
    found = uow.session.scalar(select(RequestBundle).where(RequestBundle.uuid == ref))
    if found is None or not is_seen(uow, found):
        raise NotFound
    return found


def is_seen(uow: UnitOfWork, row: RequestBundle) -> bool:
    """Whether the actor has asked for it, or sees one of its slips."""
    seen = slips.visible(uow, Request.id).where(Request.bundle_id == row.id).limit(1)
    return row.requester_id == uow.actor.principal_id or uow.session.scalar(seen) is not None


def may_judge(uow: UnitOfWork, row: RequestBundle) -> bool:
    """Whether the actor has asked for it, or judges one of its requests: the desk that hands volumes out does not."""
    seen = slips.visible(uow, Request.id).where(Request.bundle_id == row.id, slips.judged(uow)).limit(1)
    return row.requester_id == uow.actor.principal_id or uow.session.scalar(seen) is not None


def is_judged(uow: UnitOfWork, row: RequestBundle) -> bool:
    """Whether anybody has said anything to it, or granted it, of what the asker may know."""
    said = exists().where(
        RequestApproval.request_id == Request.id, RequestApproval.verdict.in_(("agreed", "refused"))
    )
    seen = slips.visible(uow, Request.id).where(
        Request.bundle_id == row.id, or_(said, Request.state.in_(GRANTED))
    )
    return uow.session.scalar(seen.limit(1)) is not None


def within(uow: UnitOfWork, row: RequestBundle, refs: Iterable[UUID]) -> list[UUID]:
    """Those of a bundle among the slips of these uuids, in the order of their records, which is that of all locks."""
    here = (Request.bundle_id == row.id, Request.uuid.in_(list(refs)))
    return list(uow.session.scalars(slips.visible(uow, Request.uuid).where(*here).order_by(Node.id)))


@dataclass(frozen=True)
class Shown:
    """A bundle with the slips that this person may see: those that wait for their word, with all they need, and the others."""

    bundle: Bundle
    waiting: list[Waiting]
    others: list[Slip]


def shown(uow: UnitOfWork, row: RequestBundle) -> Shown:
    """What stands on the page of a bundle that the actor has come by through `one`."""
    here = Request.bundle_id == row.id
    to_decide = approval_desk.of_bundle(uow, row.id)
    asked = {one.slip.id for one in to_decide}
    others = [slip for slip in slips.listed(uow, here, most=approval_desk.MOST) if slip.id not in asked]
    counted = slips.visible(uow, *_COUNTED).where(here).group_by(Request.bundle_id)
    figures = next((list(found[1:]) for found in uow.session.execute(counted)), [0, 0, 0, 1])
    person = uow.session.get_one(Principal, row.requester_id)
    bundle = _bundle(uow, row, person.name, figures, policies.vocabulary(uow, "purpose"))
    asker = approval_desk.askers(uow, {person.id})[person.id] if to_decide else None
    offices = _offices(uow, and_(here, Request.state == "requested")).get(row.id, ())
    return Shown(Bundle(**(vars(bundle) | {"asker": asker, "offices": offices})), to_decide, others)


def to_decide(uow: UnitOfWork, refs: Iterable[UUID], act: str = "approve") -> dict[UUID, list[UUID]]:
    """Bundle → its requests that wait for the actor, in the order of their records, which is that of all locks.

    Whoever decides grants one part at a time; opinions, and a refusal, are of all parts at once.
    """
    opinion = turns.to_endorse(uow).label("opinion")
    wanted = (
        slips.visible(uow, RequestBundle.uuid, Request.uuid, Request.part, opinion)
        .join(RequestBundle, RequestBundle.id == Request.bundle_id)
        .where(RequestBundle.uuid.in_(list(refs)), slips.decidable(uow))
        .order_by(Node.id)
    )
    found: dict[UUID, list[UUID]] = {}
    rows = uow.session.execute(wanted).all()
    first = {
        bundle: part
        for bundle, _ref, part, gives_opinion in sorted(rows, key=lambda row: -row[2])
        if not gives_opinion
    }
    for bundle, request, part, gives_opinion in rows:
        if gives_opinion or act != "approve" or part == first[bundle]:
            found.setdefault(bundle, []).append(request)
    return found
