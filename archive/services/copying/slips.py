"""复制单 as the window sees them: who sees which is decided here once, for pages, lists and acts alike."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, not_, or_, select
from sqlalchemy.orm import aliased

from archive.errors import NotFound
from archive.i18n import _
from archive.models import CopyItem, CopyProof, CopyRequest, Node, Page, Patient, Principal
from archive.names import masked
from archive.policy import proofs
from archive.policy.permissions import P
from archive.policy.workflows import COPY
from archive.services import calendar, policies
from archive.uow import UnitOfWork
from archive.workflow import State

TRUSTED: Any = {"scope": "copying slips"}
MOST = 200
"""The window works a list off from its beginning; nobody works through more in one go."""
OPEN = tuple(state.name for state in COPY.states if not state.final)
HANDED = ("delivered", "shipped", "signed")
KINDS = frozenset({"copy", "trail"})


@dataclass(frozen=True)
class Line:
    """One row of the list of contents."""

    record: UUID
    stay: str
    source: str
    label: str
    pages: int
    """Pages where they are scanned, sheets of paper; nothing of what is still to come."""
    is_finished: bool


@dataclass(frozen=True)
class Paper:
    """One paper of the applicant: whether it counts as missing, and when it was seen."""

    kind: str
    label: str
    is_seen: bool
    is_missing: bool


@dataclass(frozen=True)
class CopySlip:
    """复制单: one application with its papers, its contents and where it stands."""

    copy: CopyRequest
    state: State
    applicant: str
    purpose: str
    package: str
    patient: str
    papers: list[Paper]
    lines: list[Line]
    made_by: str
    follows: CopyRequest | None
    followed_by: list[CopyRequest]
    is_late: bool

    @property
    def missing(self) -> list[str]:
        """What is missing, in words."""
        return [paper.label for paper in self.papers if paper.is_missing]


@dataclass(frozen=True)
class Row:
    """A slip in a list. `days`: working days since it was applied for."""

    copy: CopyRequest
    state: State
    applicant: str
    days: int
    is_late: bool
    can_follow: bool
    """What was still to come has been finished."""


@dataclass(frozen=True)
class Counts:
    """How many slips are open, how many were taken down today, of how many the owed rest is finished now."""

    open: int
    today: int
    ready: int


def visible(uow: UnitOfWork, *entities: Any) -> Select[Any]:
    """A select over the slips of which the actor may copy, or may know who they are of, every single record."""
    known = or_(uow.access.clause(P.REQUEST_COPY), uow.access.clause(P.IDENTIFY))
    hidden = exists().where(CopyItem.copy_id == CopyRequest.id, CopyItem.node_id == Node.id, not_(known))
    statement = select(*(entities or (CopyRequest,))).where(not_(hidden))
    return statement.execution_options(**TRUSTED)


def one(uow: UnitOfWork, uuid: UUID) -> CopyRequest:
    """A slip that the actor may see. Raises NotFound."""
    uow.require(P.REQUEST_COPY)
    found: CopyRequest | None = uow.session.scalar(visible(uow).where(CopyRequest.uuid == uuid))
    if found is None:
        raise NotFound
    return found


def nodes_of(uow: UnitOfWork, copy: CopyRequest) -> list[Node]:
    """All that a slip is of, for acts that ask their right of each."""
    mine = select(CopyItem.node_id).where(CopyItem.copy_id == copy.id)
    found = list(uow.session.scalars(select(Node).where(Node.id.in_(mine)), execution_options=TRUSTED))
    uow.access.prepare(found)
    return found


def items(uow: UnitOfWork, copy: CopyRequest) -> list[CopyItem]:
    """What was chosen, in the order of the copy."""
    mine = select(CopyItem).where(CopyItem.copy_id == copy.id).order_by(CopyItem.id)
    return list(uow.session.scalars(mine, execution_options=TRUSTED))


def pages_of(uow: UnitOfWork, node: int) -> list[int]:
    """What can be copied of a component: its pages by their numbers in the archive, in its order."""
    mine = select(Page.id).where(Page.node_id == node).order_by(Page.ordinal)
    return list(uow.session.scalars(mine, execution_options=TRUSTED))


def shown(uow: UnitOfWork, copy: CopyRequest) -> CopySlip:
    """Everything about one slip, for whoever was found to see it."""
    words, copying = policies.vocabulary, policies.of_version(uow, "copying", copy.rules)
    papers = policies.of_version(uow, "proofs", copy.proofs_version)
    for node in nodes_of(uow, copy):
        uow.saw(node)
    name = uow.session.scalar(
        select(Patient.name).where(Patient.id == copy.patient_id), execution_options=TRUSTED
    )
    by = uow.session.scalar(select(Principal.name).where(Principal.id == copy.created_by))
    near = select(CopyRequest).where(
        or_(CopyRequest.continues_id == copy.id, CopyRequest.id == copy.continues_id)
    )
    others = list(uow.session.scalars(near.order_by(CopyRequest.id), execution_options=TRUSTED))
    return CopySlip(
        copy=copy, state=COPY.state(copy.state), applicant=policies.said(papers["applicants"][copy.applicant]),
        purpose=words(uow, "copy_purpose").get(copy.purpose, copy.purpose),
        package=policies.said(copying["packages"].get(copy.package, {})), patient=masked(name or ""),
        papers=_papers(uow, copy, papers), lines=lines(uow, copy), made_by=by or "",
        follows=next((one for one in others if one.id == copy.continues_id), None),
        followed_by=[one for one in others if one.continues_id == copy.id], is_late=_is_late(uow, copy),
    )  # fmt: skip


def present(uow: UnitOfWork, copy: CopyRequest) -> set[str]:
    """The papers that have been seen."""
    seen = select(CopyProof.kind).where(CopyProof.copy_id == copy.id)
    return set(uow.session.scalars(seen, execution_options=TRUSTED))


def _papers(uow: UnitOfWork, copy: CopyRequest, body: dict[str, Any]) -> list[Paper]:
    who, seen = proofs.applicants(body)[copy.applicant], present(uow, copy)
    lacking = proofs.missing(body, who, seen, dead=copy.is_dead)
    return [
        Paper(kind, policies.said(body["papers"][kind]), kind in seen, kind in lacking)
        for kind in proofs.asked(body, who, dead=copy.is_dead)
    ]


def lines(uow: UnitOfWork, copy: CopyRequest) -> list[Line]:
    """The list of contents, in its order."""
    record, part = aliased(Node), aliased(Node)
    rows = uow.session.execute(
        select(CopyItem, record, part.page_count)
        .join(record, record.id == CopyItem.record_id)
        .join(part, part.id == CopyItem.node_id)
        .where(CopyItem.copy_id == copy.id)
        .order_by(CopyItem.id),
        execution_options=TRUSTED,
    ).all()
    words = policies.vocabulary(uow, "component")
    return [
        Line(
            node.uuid, f"{node.data.get('mrn', '')}-{node.data.get('times', '')}", item.source, _label(item, words),
            _count(item, pages), node.state in ("archived", "correcting"),
        )
        for item, node, pages in rows
    ]  # fmt: skip


def _label(item: CopyItem, words: dict[str, str]) -> str:
    if item.source == "paper":
        return _("From the paper volume")
    if item.source == "later":
        return _("The rest, when it is finished")
    if item.source == "trail":
        return _("Who has seen it")
    return words.get(item.code, item.code) if item.code else _("Not yet split")


def _count(item: CopyItem, pages: int) -> int:
    if item.source == "paper":
        return item.sheets or 0
    if item.source in ("later", "trail"):
        return 0
    return len(item.pages) if item.pages is not None else pages


def _is_late(uow: UnitOfWork, copy: CopyRequest) -> bool:
    return copy.state in OPEN and copy.ready_by is not None and copy.ready_by < uow.today


def listing(uow: UnitOfWork, which: str = "open") -> list[Row]:
    """The window's slips: those that are open, the oldest first; those that owe a later part; those that have ended."""
    statement = visible(uow)
    if which == "owing":
        statement = statement.where(CopyRequest.owes, CopyRequest.state.in_(HANDED))
        statement = statement.order_by(CopyRequest.created_at)
    elif which == "ended":
        ended = CopyRequest.state.not_in(OPEN)
        statement = statement.where(ended).order_by(CopyRequest.created_at.desc())
    else:
        statement = statement.where(CopyRequest.state.in_(OPEN)).order_by(CopyRequest.created_at)
    found = list(uow.session.scalars(statement.limit(MOST)))
    ready = _can_follow(uow, [copy.id for copy in found if copy.owes])
    words = {
        code: policies.said(one) for code, one in policies.in_force(uow, "proofs").body["applicants"].items()
    }
    return [
        Row(
            copy, COPY.state(copy.state), words.get(copy.applicant, copy.applicant),
            calendar.working_days_between(uow, calendar.day_of(uow, copy.created_at), uow.today), _is_late(uow, copy),
            copy.id in ready,
        )
        for copy in found
    ]  # fmt: skip


def _can_follow(uow: UnitOfWork, owing: Iterable[int]) -> set[int]:
    later = select(CopyItem.copy_id, Node.state).join(Node, Node.id == CopyItem.record_id)
    mine = later.where(CopyItem.copy_id.in_(list(owing)), CopyItem.source == "later")
    states = defaultdict[int, set[str]](set)
    for number, state in uow.session.execute(mine, execution_options=TRUSTED):
        states[number].add(state)
    return {number for number, held in states.items() if "archived" in held}


def counts(uow: UnitOfWork) -> Counts:
    """What the window shows at its head, in one statement over what is open, of today, or owed."""
    finished = exists().where(
        CopyItem.copy_id == CopyRequest.id, CopyItem.source == "later", CopyItem.record_id == Node.id,
        Node.state == "archived",
    )  # fmt: skip
    many = func.count(CopyRequest.id)
    wanted = (
        CopyRequest.state.in_(OPEN), CopyRequest.day == uow.today,
        CopyRequest.owes & CopyRequest.state.in_(HANDED) & finished,
    )  # fmt: skip
    asked = visible(uow, *(many.filter(one) for one in wanted))
    near = or_(CopyRequest.state.in_(OPEN), CopyRequest.day == uow.today, CopyRequest.owes)
    return Counts(*uow.session.execute(asked.where(near)).one())
