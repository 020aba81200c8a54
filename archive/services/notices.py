"""通知: what somebody should know, written in the transaction in which it happens. What it is about is looked up when it
is read, with the rights of that moment: a notice on what one may not see any more is not there, and is not counted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, func, or_, select, update

from archive.errors import NotFound
from archive.models import (
    AuditEvent,
    Emergency,
    Job,
    Node,
    Notice,
    Request,
    RequestBundle,
    RequestLine,
    SearchNews,
)
from archive.policy.permissions import P
from archive.services import (
    bundle_news,
    emergencies,
    inspection_reminders,
    mismatch_news,
    news,
    reminders,
    slips,
)
from archive.services.handlers import LIVE, handlers
from archive.services.mismatch_news import OWNED
from archive.services.news import FOUND
from archive.services.notice_words import ALARM, KINDS, LEFT, RECALLED
from archive.sight import NodeView, views
from archive.site import Site
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "notices", "synchronize_session": False}
KEPT = timedelta(days=90)
MOST = 100
LOANS = frozenset({*reminders.OWN, *reminders.WATCHED})
APPEAL = inspection_reminders.KIND
DECISIONS = {"refuse": "request.refused", "object": "request.refused", "revoke": "request.revoked"}
QUIET = "page."
"""Jobs that follow an upload by themselves: their end is seen on the record, only their failure is told."""


def _tell(uow: UnitOfWork, person: int | None, kind: str, key: str, *, node: int | None = None,
          request: int | None = None, bundle: int | None = None, job: int | None = None,
          emergency: int | None = None) -> None:  # fmt: skip
    """Writes a notice, unless the very same has been told; nobody is told of what they have just done themselves."""
    if person is None or person == uow.actor.principal_id:
        return
    told = select(Notice.id).where(Notice.principal_id == person, Notice.key == f"{kind}:{key}")
    if uow.session.scalar(told, execution_options=TRUSTED) is None:
        uow.session.add(Notice(principal_id=person, kind=kind, key=f"{kind}:{key}", node_id=node, request_id=request,
                               bundle_id=bundle, job_id=job, emergency_id=emergency, at=uow.now))  # fmt: skip


def decided(uow: UnitOfWork, request: Request, step: str) -> None:
    """Tells whoever asked what has been decided; of a bundle once for all that is decided at one time."""
    opened = "request.on_site" if slips.is_on_site(uow, request) else "request.approved"
    there = "request.ready" if request.offered_until else "request.in_line"
    approved = there if request.kind == "paper" else opened
    if not (kind := approved if step == "approve" else DECISIONS.get(step)):
        return
    if request.bundle_id is not None and step != "revoke":
        whole = bundle_news.GRANTED if step == "approve" else bundle_news.REFUSED
        _tell(
            uow,
            request.requester_id,
            whole,
            f"{request.bundle_id}:{uow.now:%y%m%d%H%M}",
            bundle=request.bundle_id,
        )
    else:
        _tell(uow, request.requester_id, kind, str(request.id), request=request.id)


def in_line(uow: UnitOfWork, request: Request, kind: str) -> None:
    """Tells whoever asked what somebody else has done about their request, or that it is their turn: each thing once a minute."""
    _tell(uow, request.requester_id, kind, f"{request.id}:{uow.now:%y%m%d%H%M}", request=request.id)


def incident(uow: UnitOfWork, kind: str, number: str, node: Node, people: Iterable[int]) -> None:
    """Tells people of a lost or damaged volume; whoever may not know of its record is told nothing."""
    for person in people:
        _tell(uow, person, kind, number, node=node.id)


def left_with(uow: UnitOfWork, request: Request, people: Iterable[int]) -> None:
    """Tells people that an account was closed whose holder still has what went out on this request."""
    for person in people:
        _tell(uow, person, LEFT, f"{request.id}:{uow.now:%y%m%d}", request=request.id)


def sent_back(uow: UnitOfWork, node: Node) -> None:
    """Tells whoever submitted a description that it came back."""
    submitted = (
        select(AuditEvent.actor_id)
        .where(AuditEvent.object_kind == "node", AuditEvent.object_id == node.id)
        .where(AuditEvent.action == "node.submit")
        .order_by(AuditEvent.id.desc())
        .limit(1)
    )
    person = uow.session.scalar(submitted) or node.created_by
    _tell(uow, person, "node.sent_back", f"{node.id}:{node.version}", node=node.id)


def ended(uow: UnitOfWork, job: Job) -> None:
    """Tells whoever asked for a job that it is done or has failed."""
    if job.state == "failed" or (job.state == "done" and not job.kind.startswith(QUIET)):
        _tell(uow, job.owner_id, f"job.{job.state}", f"{job.id}:{uow.now:%y%m%d%H%M%S}", job=job.id)


def emergency(uow: UnitOfWork, kind: str, row: Emergency, people: Iterable[int]) -> None:
    """Tells people of a break-glass. What they are told names no record: some of them may see none."""
    for person in people:
        _tell(uow, person, kind, str(row.id), emergency=row.id)


def alarm(uow: UnitOfWork, row: Emergency, people: Iterable[int], within: timedelta) -> bool:
    """Tells people that break-glass is used unusually often, unless they were told within that time; gives whether they are."""
    lately = select(Notice.id).where(Notice.kind == ALARM, Notice.at > uow.now - within).limit(1)
    if uow.session.scalar(lately, execution_options=TRUSTED) is not None:
        return False
    emergency(uow, ALARM, row, people)
    return True


def found(uow: UnitOfWork, person: int, new: Mapping[int, Iterable[int]]) -> None:
    """Tells somebody what their subscriptions, by the id of the search, have found anew; once a day."""
    key = f"{FOUND}:{uow.today}"
    told = select(Notice.id).where(Notice.principal_id == person, Notice.key == key)
    if uow.session.scalar(told, execution_options=TRUSTED) is not None:
        return
    notice = Notice(principal_id=person, kind=FOUND, key=key, at=uow.now)
    uow.session.add(notice)
    uow.session.flush()
    news.keep(uow, notice, new)


def clean_up(site: Site) -> None:
    """Takes away what is long past."""
    with site.session() as session:
        session.execute(delete(Notice).where(Notice.at < site.clock() - KEPT), execution_options=TRUSTED)


# Reading


@dataclass(frozen=True)
class Told:
    """One notice as its reader sees it: what happened, and with what."""

    id: int
    text: str
    icon: str
    look: str
    about: str
    at: datetime
    unread: bool
    node: NodeView | None
    request: UUID | None
    job: UUID | None
    searches: Sequence[UUID] = ()
    """The saved searches of which it tells, as far as one may use them still."""
    mismatches: bool = False
    """Whether it tells of mismatches that are one's own."""
    emergency: UUID | None = None
    bundle: UUID | None = None
    loans: str | None = None
    """Which reminder of loans it is."""
    incident: bool = False
    appeals: bool = False
    """Whether it tells of findings of inspections that may be contested still."""
    inspection: UUID | None = None
    """The batch of these, where it is one."""


def _mine(uow: UnitOfWork, *entities: Any) -> Select[Any]:
    """One's own notices on what one may see now."""
    seen = slips.visible(uow, Request.id).where(Request.id == Notice.request_id).correlate(Notice).exists()
    # That it is asked back is over once the volume is back.
    lent = select(RequestLine.id).where(
        RequestLine.request_id == Notice.request_id, RequestLine.in_at.is_(None)
    )
    of_request = and_(Notice.request_id.is_not(None), seen, or_(Notice.kind != RECALLED, lent.exists()))
    known = uow.nodes(P.DISCOVER, Node.id).where(Node.id == Notice.node_id).correlate(Notice).exists()
    urgent = emergencies.visible(uow, Emergency.id).where(Emergency.id == Notice.emergency_id)
    shown: ColumnElement[bool] = or_(
        bundle_news.of_notice(uow),
        and_(Notice.emergency_id.is_not(None), urgent.correlate(Notice).exists()),
        Notice.job_id.is_not(None), of_request, and_(Notice.node_id.is_not(None), known), news.of_notice(uow),
        reminders.of_notice(uow), and_(Notice.kind == OWNED, mismatch_news.of_notice(uow)),
        inspection_reminders.of_notice(uow),
    )  # fmt: skip
    return select(*entities).where(Notice.principal_id == uow.actor.principal_id, shown)


@dataclass(frozen=True)
class Waiting:
    """The two numbers that stand on every page."""

    jobs: int = 0
    notices: int = 0


_ME: ColumnElement[Any] = bindparam("me")
_WAITING = select(
    select(func.count(Job.id)).where(Job.owner_id == _ME, Job.state.in_(LIVE)).scalar_subquery(),
    select(Notice.id).where(Notice.principal_id == _ME, Notice.read_at.is_(None)).exists(),
)
"""Jobs that are not finished; and whether any notice is unread, on whatever it is. Made once: every page asks."""


def waiting(uow: UnitOfWork) -> Waiting:
    """How many jobs of one's own are not finished, and how many notices are unread."""
    if not uow.actor.is_authenticated:
        return Waiting()
    me = {"me": uow.actor.principal_id}
    jobs, unread = uow.session.execute(_WAITING, me, execution_options=TRUSTED).one()
    if not unread:
        return Waiting(jobs)
    unseen = _mine(uow, func.count(Notice.id)).where(Notice.read_at.is_(None))
    return Waiting(jobs, uow.session.scalar(unseen, execution_options=TRUSTED) or 0)


@dataclass(frozen=True)
class Unread:
    """Of one kind how many one has not read, and the numbers of their slips or emergencies."""

    text: str
    many: int
    numbers: list[str]


def unread(uow: UnitOfWork, key: str = "") -> list[Unread]:
    """What one has not read, or the one of that key, by kind: no word of a record, and none that somebody typed."""
    slip = select(Request.number).where(Request.id == Notice.request_id).scalar_subquery()
    code = select(Emergency.number).where(Emergency.id == Notice.emergency_id).scalar_subquery()
    bundle = select(RequestBundle.number).where(RequestBundle.id == Notice.bundle_id).scalar_subquery()
    rows = _mine(uow, Notice.kind, Notice.key, func.coalesce(slip, bundle, code)).where(
        Notice.read_at.is_(None)
    )
    rows = rows.where(Notice.key == key) if key else rows
    found: dict[str, list[str | None]] = {}
    for kind, which, number in uow.session.execute(rows.order_by(Notice.id), execution_options=TRUSTED):
        found.setdefault(kind, []).append(number or _counted(uow, kind, which))
    return [
        Unread(str(KINDS[kind].text), len(numbers), list(dict.fromkeys(filter(None, numbers))))
        for kind, numbers in found.items()
    ]


def _counted(uow: UnitOfWork, kind: str, key: str) -> str | None:
    """What a notice is about that counts what there is now."""
    if kind == APPEAL:
        return inspection_reminders.told(uow, key)[0]
    return reminders.told(uow, kind)[0] if kind in LOANS else None


def mine(uow: UnitOfWork) -> list[Told]:
    """One's own notices, newest first."""
    return _told(uow, _mine(uow, Notice))


def _told(uow: UnitOfWork, statement: Select[Any]) -> list[Told]:
    newest = statement.order_by(Notice.id.desc()).limit(MOST)
    found = list(uow.session.scalars(newest, execution_options=TRUSTED))
    asked = {
        slip.uuid: slip
        for slip in slips.listed(uow, Request.id.in_([n.request_id for n in found if n.request_id]))
    }
    requests = _uuids(uow, Request, {n.request_id for n in found})
    bundles = bundle_news.told_of(uow, {n.bundle_id for n in found})
    jobs = {
        job.id: job
        for job in uow.session.scalars(select(Job).where(Job.id.in_([n.job_id for n in found if n.job_id])))
    }
    nodes = uow.nodes(P.DISCOVER).where(Node.id.in_([n.node_id for n in found if n.node_id]))
    seen = {view.id: view for view in views(uow, uow.list(nodes))}
    fresh = news.in_words(uow, [n.id for n in found if n.kind == FOUND])
    loans = {kind: reminders.told(uow, kind) for kind in {n.kind for n in found} & LOANS}
    urgent = emergencies.told_of(uow, [n.emergency_id for n in found if n.emergency_id])
    rows = []
    for notice in found:
        request, job = requests.get(notice.request_id or 0), jobs.get(notice.job_id or 0)
        slip, node = asked.get(request) if request else None, seen.get(notice.node_id or 0)
        about = slip.node.label if slip else node.label if node else _job_label(job)
        about = mismatch_news.in_words(uow) if notice.kind == OWNED else about
        about, request = loans.get(notice.kind, (about, request))
        searches = fresh.get(notice.id, {})
        ref, code = urgent.get(notice.emergency_id or 0, (None, ""))
        bundle, code = bundles.get(notice.bundle_id or 0, (None, code))
        kind, inspection = KINDS[notice.kind], None
        if notice.kind == APPEAL:
            about, inspection = inspection_reminders.told(uow, notice.key)
        rows.append(Told(
            notice.id, str(kind.text), kind.icon, kind.look, about or code or "；".join(searches.values()), notice.at,
            notice.read_at is None, node, request, job.uuid if job else None, list(searches),
            notice.kind == OWNED, ref, bundle, notice.kind if notice.kind in LOANS else None,
            notice.kind.startswith("incident."), notice.kind == APPEAL, inspection,
        ))  # fmt: skip
    return rows


def _uuids(uow: UnitOfWork, model: Any, ids: set[int | None]) -> dict[int, UUID]:
    rows = uow.session.execute(select(model.id, model.uuid).where(model.id.in_(ids - {None})))
    return dict(rows.all())


def _job_label(job: Job | None) -> str:
    handler = handlers().get(job.kind) if job else None
    return str(handler.label) if handler else ""


def read(uow: UnitOfWork, number: int) -> Told:
    """Marks one of one's own notices as read, and gives it. Raises NotFound."""
    found = _told(uow, _mine(uow, Notice).where(Notice.id == number))
    if not found:
        raise NotFound
    _mark(uow, Notice.id == number)
    if (
        len(found[0].searches) == 1
    ):  # several are chosen from on a page that shows which of them have something new
        news.open_all(uow, SearchNews.notice_id == number)
    return found[0]


def open_search(uow: UnitOfWork, search: int) -> None:
    """One looks at what a saved search has found anew; whoever has looked at all that a notice tells of has read it."""
    news.open_all(uow, SearchNews.search_id == search)
    _mark(uow, news.is_opened())


def read_all(uow: UnitOfWork) -> None:
    """Marks all of one's own as read."""
    news.open_all(uow)
    _mark(uow)


def _mark(uow: UnitOfWork, *which: ColumnElement[bool]) -> None:
    own = (Notice.principal_id == uow.actor.principal_id, Notice.read_at.is_(None))
    uow.session.execute(update(Notice).where(*own, *which).values(read_at=uow.now), execution_options=TRUSTED)
