"""Requests as one person sees them. Who sees which is decided here once, for pages, lists and acts alike."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, false, func, not_, or_, select, true
from sqlalchemy.orm import aliased

from archive.access import Access, Checked
from archive.actor import Actor
from archive.errors import NotFound
from archive.i18n import _, _l
from archive.models import Holding, HoldingStatus, Node, Principal, Request, RequestLine, RequestPart
from archive.policy import lending
from archive.policy.lending import EREAD, MEDIA, Rule
from archive.policy.permissions import P
from archive.policy.rights import vetoes
from archive.policy.workflows import WORKFLOWS
from archive.services import absences, conflicts, frozen, parts, policies, turns
from archive.services.scanning import batches
from archive.sight import NodeView, views
from archive.uow import UnitOfWork
from archive.workflow import State

TRUSTED: Any = {"scope": "slips"}
KINDS = MEDIA
GRANTED = ("approved", "active", "lent", "returned", "lost", "ended")
IN_HOUSE = (HoldingStatus.SHELVED, HoldingStatus.PROCESSING, HoldingStatus.HELD)
"""Where a volume can be fetched from."""
OVERDUE, IN_LINE = _l("Overdue"), _l("In line")
READ_ON_SITE = _l("Open on site")
MOST = 200
"""A list of requests is worked off from its beginning; nobody works through more in one go."""


@dataclass(frozen=True)
class Slip:
    """借阅单: one request, its record as this person may see it, and what became of it."""

    uuid: UUID
    number: str
    kind: str
    state: State
    version: int
    purpose: str
    reason: str | None
    days: int
    asked_at: datetime
    requester: str
    is_mine: bool
    node: NodeView
    decided_by: str | None
    decided_at: datetime | None
    note: str | None
    until: datetime | None
    due_at: datetime | None
    is_overdue: bool
    is_ready: bool
    """Whether a volume lies ready for it; what has been approved and is not ready stands in line."""
    id: int
    requester_id: int
    rule: str
    policy_version: int
    stage: int
    bundle_id: int | None
    part: int
    with_copy: bool
    parts: int
    """How many components it is of; none: the whole record."""
    on_site: bool
    """Whether it is read in the reading room alone."""
    conflict: str | None
    """What the asker declared, for them and for whoever decides or gives an opinion; never for the desk."""

    @property
    def href(self) -> str | None:
        """Where the record is, for whoever may go there."""
        return self.node.href if P.DISCOVER in self.node.may else None


def visible(uow: UnitOfWork, *entities: Any) -> Select[Any]:
    """A select over the requests that the actor may see, joined to their nodes: their own, those that they may
    decide or on which their opinion is asked, and the paper ones that they handle at the desk.

    Their own, too, is hidden while it asks for what they may not discover and has not been granted: a request by
    number must not tell whether the number exists (model §3).
    """
    return _joined(*entities).where(or_(_theirs(uow.actor, uow.access), judged(uow), handled(uow)))


def own(uow: UnitOfWork, person: Actor, *entities: Any) -> Select[Any]:
    """A select over somebody's own requests as they see them themselves, joined to their nodes. To be counted: it is not theirs
    who asks.
    """
    return _joined(*entities).where(_theirs(person, Access(uow.session, person, uow.now)))


def _joined(*entities: Any) -> Select[Any]:
    asked: Any = select(*(entities or (Request,))).select_from(Request)
    joined: Select[Any] = asked.join(Node, Node.id == Request.node_id).execution_options(scope="slips")
    return joined


def _theirs(person: Actor, access: Access) -> ColumnElement[bool]:
    granted_or_known = or_(Request.state.in_(GRANTED), access.clause(P.DISCOVER))
    return and_(Request.requester_id == person.principal_id, granted_or_known)


def judged(uow: UnitOfWork) -> ColumnElement[bool]:
    """The requests that the actor may decide, or on which their opinion is or was asked."""
    return or_(uow.access.clause(P.REQUEST_DECIDE), turns.to_endorse(uow), turns.endorsed(uow))


def handled(uow: UnitOfWork) -> ColumnElement[bool]:
    """The paper requests that pass over the actor's desk.

    Requests are few beside records. As a mere condition, PostgreSQL would take it for the narrow one and begin with every
    record that the desk handles.
    """
    mine = case((uow.access.clause(P.REQUEST_HANDLE), true()), else_=false())
    return and_(Request.kind == "paper", mine)


def decidable(uow: UnitOfWork) -> ColumnElement[bool]:
    """The requests that wait for the actor, their decision or their opinion; never their own."""
    return and_(
        Request.kind.in_(KINDS),  # all there are: the index of open requests begins with the kind
        Request.state == "requested",
        Request.requester_id != uow.actor.principal_id,
        not_(conflicts.is_mine(uow)),
        absences.not_theirs(uow),
        or_(
            and_(uow.access.clause(P.REQUEST_DECIDE), turns.at_the_end(uow), parts.is_due(uow)),
            turns.to_endorse(uow),
        ),
    )


def is_open(uow: UnitOfWork) -> ColumnElement[bool]:
    """Not at its end: an e-reading ends by the clock, whatever its row says."""
    reading = and_(Request.state == "active", Request.until > uow.now)
    return or_(Request.state.in_(("requested", "approved", "lent")), reading)


def may_go_out() -> ColumnElement[bool]:
    """On nodes that do not lie in the trash, and of whose paper not everything lies in a sealed package."""
    trashed = [int(over) for over, taken in vetoes().items() if P.REQUEST_CREATE in taken]
    free = select(Holding.id).where(Holding.node_id == Node.id, frozen.goes_out()).correlate(Node)
    return and_(Node.overlay.not_in(trashed), free.exists())


def in_house() -> ColumnElement[bool]:
    """Of volumes joined to their nodes: that somebody could fetch them now; none that is sealed or being scanned, and none
    of a record in the trash or being corrected.
    """
    trashed = [int(over) for over, taken in vetoes().items() if P.REQUEST_CREATE in taken]
    return and_(
        Checked(Holding.status).in_(IN_HOUSE),
        frozen.goes_out(),
        ~batches.checked_out_with(Holding.id).correlate(Holding).exists(),
        Node.overlay.not_in(trashed),
        Node.state != "correcting",
    )


def to_fetch(uow: UnitOfWork) -> ColumnElement[bool]:
    """On paper, offered to whoever asked and not yet collected, while there is something to fetch."""
    there = select(Holding.id).where(Holding.node_id == Node.id, in_house()).correlate(Node)
    return and_(is_offered(uow), there.exists())


def is_offered(uow: UnitOfWork) -> ColumnElement[bool]:
    """Approved on paper, and it is their turn: what is approved without is in line."""
    return and_(Request.state == "approved", Request.offered_until > uow.now)


def effective_state(uow: UnitOfWork, request: Request) -> str:
    """The state by the clock: a reading whose last day is over has ended, though nobody has ended it."""
    over = request.state == "active" and request.until is not None and request.until <= uow.now
    return "ended" if over else request.state


def one(uow: UnitOfWork, ref: UUID | str) -> Request:
    """The request of a uuid or a slip number. Raises NotFound for one that the actor may not see."""
    key = Request.uuid == ref if isinstance(ref, UUID) else Request.number == ref
    found: Request | None = uow.session.scalar(visible(uow).where(key))
    if found is None:
        raise NotFound
    return found


def rows(uow: UnitOfWork, refs: Iterable[UUID]) -> dict[UUID, Request]:
    """The requests of these uuids, as far as the actor may see them, in one statement."""
    found = uow.session.scalars(visible(uow).where(Request.uuid.in_(list(refs))))
    return {request.uuid: request for request in found}


def slip(uow: UnitOfWork, request: Request) -> Slip:
    """The slip of a request that the actor has come by through `one`."""
    statement: Any = select(Request, Node).join(Node, Node.id == Request.node_id)
    return slips(uow, statement.where(Request.id == request.id))[0]


def listed(
    uow: UnitOfWork, *conditions: ColumnElement[bool], newest_first: bool = False, most: int = MOST
) -> list[Slip]:
    """The slips among the visible ones that meet the conditions."""
    order = (
        (Request.created_at.desc(), Request.id.desc()) if newest_first else (Request.created_at, Request.id)
    )
    return slips(uow, visible(uow, Request, Node).where(*conditions).order_by(*order).limit(most))


def slips(uow: UnitOfWork, statement: Select[Any]) -> list[Slip]:
    """The slips of a select of (Request, Node): a fixed number of statements, however many rows."""
    requester, decider, line = aliased(Principal), aliased(Principal), aliased(RequestLine)
    due = (
        select(line.due_at)
        .where(line.request_id == Request.id, line.in_at.is_(None))
        .order_by(line.due_at)
        .limit(1)
    )
    some = select(func.count(RequestPart.node_id)).where(RequestPart.request_id == Request.id)
    rows = uow.session.execute(
        statement.add_columns(
            requester.name, decider.name, due.scalar_subquery(), judged(uow), some.scalar_subquery()
        )
        .join(requester, requester.id == Request.requester_id)
        .outerjoin(decider, decider.id == Request.decided_by),
        execution_options=TRUSTED,
    ).all()
    seen = views(uow, [row[1] for row in rows])
    words = policies.vocabulary(uow, "purpose")
    return [_slip(uow, row, view, words) for row, view in zip(rows, seen, strict=True)]


def _slip(uow: UnitOfWork, row: Iterable[Any], view: NodeView, purposes: dict[str, str]) -> Slip:
    request, _node, requester, decider, due_at, judges, parts = row
    own = request.requester_id == uow.actor.principal_id
    is_overdue = due_at is not None and due_at < uow.now
    return Slip(
        uuid=request.uuid, number=request.number, kind=request.kind, version=request.version,
        state=_standing(uow, request, is_overdue=is_overdue),
        purpose=purposes.get(request.purpose, request.purpose), reason=request.reason, days=request.days,
        asked_at=request.created_at, requester=requester, is_mine=own, node=view,
        decided_by=decider or _by_rule(uow, request, may_know=own or judges or P.DISCOVER in view.may),
        decided_at=request.decided_at, note=request.decision_note, until=request.until,
        due_at=due_at, is_overdue=is_overdue,
        is_ready=request.state == "approved" and _lies_ready(uow, request),
        id=request.id, requester_id=request.requester_id, rule=request.rule, policy_version=request.policy_version,
        stage=request.stage, bundle_id=request.bundle_id, part=request.part, parts=parts, with_copy=request.with_copy,
        on_site=is_on_site(uow, request),
        conflict=request.conflict if own or judges else None,
    )  # fmt: skip


def is_on_site(uow: UnitOfWork, request: Request) -> bool:
    """Whether it is read in the reading room alone, by the rule under which it was asked for."""
    rule = _rule(uow, request) if request.kind == EREAD else None
    return rule is not None and rule.on_site


def _standing(uow: UnitOfWork, request: Request, *, is_overdue: bool) -> State:
    """The state as it is told: what is read in the reading room alone is not called open, what others have before one is not
    called ready, and what is late is called so.
    """
    state = WORKFLOWS[request.kind].state(effective_state(uow, request))
    if is_overdue:
        return replace(state, title=OVERDUE, look="bad")
    if state.name == "approved" and request.offered_until is None:
        return replace(state, title=IN_LINE, look="wait")
    if state.name == "approved" and not _lies_ready(uow, request):
        return WORKFLOWS[request.kind].state("expired")
    is_open = state.name == "active" and is_on_site(uow, request)
    return replace(state, title=READ_ON_SITE) if is_open else state


def _lies_ready(uow: UnitOfWork, request: Request) -> bool:
    """By the clock, as `is_offered` asks it of many: the next round of the program writes down that it was not collected."""
    return request.offered_until is not None and request.offered_until > uow.now


def _by_rule(uow: UnitOfWork, request: Request, *, may_know: bool) -> str | None:
    """What nobody has decided the rule has, which stands in the hospital's lending rules. By name to whoever may know of the
    record: a rule for sensitive ones tells that this is one.
    """
    if request.decided_at is None:
        return None
    version = request.policy_version
    if not may_know:
        return _("The lending rules, version %(version)d", version=version)
    rule = _rule(uow, request)
    name = policies.said(rule.label) if rule else request.rule
    return _("The lending rule “%(name)s”, version %(version)d", name=name, version=version)


def _rule(uow: UnitOfWork, request: Request) -> Rule | None:
    """The rule under which it was asked for, as it was then. A list asks for the rules of each version once."""
    version = request.policy_version
    rules = uow.once(("rules", version), lambda: lending.rules(policies.of_version(uow, "loans", version)))
    return next((rule for rule in rules if rule.code == request.rule), None)
