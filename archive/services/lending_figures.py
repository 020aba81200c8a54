"""借阅统计: what went out, came back and was asked for within some days (domain §10 "Metrics", §18.2).

Counted over the records that the reader handles at the desk and the people for whom they answer, in a fixed number of
statements, however many loans there are. Each count and the list behind it come of one condition.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, not_, or_, select, true, union_all
from sqlalchemy.orm import aliased

from archive import sql_time
from archive.errors import Forbidden, Invalid
from archive.i18n import _, _l
from archive.models import Holding, Membership, Node, Principal, Request, RequestLine
from archive.policy.permissions import P
from archive.services import actors, calendar, policies, reminders, roster, slips
from archive.sight import NodeView, views
from archive.sql_time import Days, Hour
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "lending figures"}
MOST = 8
COUNTS = {
    "borrowed": _l("Borrowed"), "returned": _l("Returned"), "due": _l("Fell due"), "back": _l("Fell due, returned"),
    "on_time": _l("Fell due, returned on time"), "overdue": _l("Overdue now"),
}  # fmt: skip


@dataclass(frozen=True)
class Span:
    """统计期间: from the first day to the last, both counted in."""

    first: date
    last: date


def span(first: str | None, last: str | None, today: date) -> Span:
    """The days that were asked for; without any, this month as far as it has come. Raises Invalid."""
    given = {"first": first or "", "last": last or ""}
    if not any(given.values()):
        return Span(today.replace(day=1), today)
    days, wrong = dict[str, date](), dict[str, str]()
    for name, text in given.items():
        try:
            days[name] = date.fromisoformat(text)
        except ValueError:
            wrong[name] = _("Give a date, like 2026-11-23.")
    if not wrong and days["last"] < days["first"]:
        wrong["last"] = _("The last day comes before the first.")
    if not wrong and not 1949 <= days["first"].year <= days["last"].year <= 9000:
        wrong["first"] = _("Give a date, like 2026-11-23.")
    if wrong:
        raise Invalid(fields=wrong)
    return Span(days["first"], days["last"])


@dataclass
class Loans:
    """借还: of one department or of all. Days are those from handing out to return, of what was returned."""

    borrowed: int = 0
    returned: int = 0
    due: int = 0
    back: int = 0
    on_time: int = 0
    overdue: int = 0
    days: float = 0.0
    dept: int | None = None
    name: str = ""

    @property
    def return_rate(self) -> float | None:
        return self.back / self.due if self.due else None

    @property
    def on_time_rate(self) -> float | None:
        return self.on_time / self.due if self.due else None

    @property
    def avg_days(self) -> float | None:
        return self.days / self.returned if self.returned else None

    def add(self, other: "Loans") -> None:
        """Counts the other in."""
        for name in (*COUNTS, "days"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True)
class Asked:
    """最常申请: what for, of which departments, and which records, those alone that the reader may know of."""

    total: int
    purposes: list[tuple[str, int]]
    departments: list[tuple[str, int]]
    records: list[tuple[NodeView, int]]


@dataclass(frozen=True)
class Desk:
    """台面业务量: hand-outs and returns by the hour of the day, and in how many hours there were any."""

    hours: list[int] = field(default_factory=lambda: [0] * 24)
    busy: int = 0

    @property
    def total(self) -> int:
        return sum(self.hours)

    @property
    def an_hour(self) -> float | None:
        return self.total / self.busy if self.busy else None


@dataclass(frozen=True)
class Figures:
    """What the page shows."""

    span: Span
    all: Loans
    departments: list[Loans]
    readings: int
    avoided: int
    asked: Asked
    desk: Desk


def may_count(uow: UnitOfWork) -> bool:
    """Whether the reader handles loans, or answers for borrowers."""
    return uow.can(P.REQUEST_HANDLE) or uow.can(P.REQUEST_OVERSEE)


def figures(uow: UnitOfWork, days: Span) -> Figures:
    """All of it for some days. Raises Forbidden for whoever neither handles loans nor answers for borrowers."""
    if not may_count(uow):
        raise Forbidden
    departments, everything = _loans(uow, days), Loans()
    for one in departments:
        everything.add(one)
    return Figures(days, everything, departments, *_readings(uow, days), _asked(uow, days), _desk(uow, days))


def mine(uow: UnitOfWork) -> ColumnElement[bool]:
    """Of requests joined to their nodes: those of records that the reader handles, and of people for whom they answer.

    What waits or was refused counts only where they may know of the record, or handle its paper: whoever asks by number
    would else learn from the figures that there is one (model §3).
    """
    known = or_(Request.state.in_(slips.GRANTED), uow.access.clause(P.DISCOVER))
    handled = and_(uow.access.clause(P.REQUEST_HANDLE), or_(Request.kind == "paper", known))
    return or_(handled, and_(reminders.of_their_people(uow), known))


def _within(uow: UnitOfWork, column: Any, days: Span) -> ColumnElement[bool]:
    since, until = moments(uow, days)
    return and_(column >= since, column < until)


def moments(uow: UnitOfWork, days: Span) -> tuple[datetime, datetime]:
    """The first moment of the days, and the first after them."""
    return calendar.begin_of(uow, days.first), calendar.begin_of(uow, days.last + calendar.DAY)


def conditions(uow: UnitOfWork, days: Span) -> dict[str, ColumnElement[bool]]:
    """What each count counts. What is not due yet is left out of both parts of a rate; what was lost was not returned."""
    brought = RequestLine.lost.is_(False)
    due = and_(_within(uow, RequestLine.due_at, days), RequestLine.due_at < uow.now)
    return {
        "borrowed": _within(uow, RequestLine.out_at, days),
        "returned": and_(brought, _within(uow, RequestLine.in_at, days)),
        "due": due,
        "back": and_(due, brought, RequestLine.in_at.is_not(None)),
        "on_time": and_(due, brought, RequestLine.in_at <= RequestLine.due_at),
        "overdue": and_(RequestLine.in_at.is_(None), RequestLine.due_at < uow.now),
    }


def lines(uow: UnitOfWork, *entities: Any) -> Select[Any]:
    """A select over the loans that the reader may count."""
    return (
        select(*entities)
        .select_from(RequestLine)
        .join(Request, Request.id == RequestLine.request_id)
        .join(Node, Node.id == Request.node_id)
        .where(mine(uow))
    )


def _loans(uow: UnitOfWork, days: Span) -> list[Loans]:
    """By the borrower: their department is looked up once for each of them and not for each loan."""
    which = conditions(uow, days)
    many = [func.count(RequestLine.id).filter(condition) for condition in which.values()]
    spent = case((which["returned"], Days(RequestLine.out_at, RequestLine.in_at)), else_=0.0)
    touched = or_(which["borrowed"], which["returned"], which["due"], which["overdue"])
    by_person = lines(uow, Request.requester_id, *many, func.sum(spent)).where(touched)
    rows = uow.session.execute(by_person.group_by(Request.requester_id), execution_options=TRUSTED).all()
    of = _departments_of(uow, {row[0] for row in rows})
    names, found = actors.department_names(uow.session), dict[int | None, Loans]()
    for person, *counts in rows:
        dept = of.get(person)
        one = found.setdefault(dept, Loans(dept=dept, name=names.get(dept or 0) or _("No department")))
        one.add(Loans(*counts))
    return sorted(found.values(), key=lambda one: (-one.overdue, -one.borrowed, one.name))


def _departments_of(uow: UnitOfWork, people: Iterable[int]) -> dict[int, int]:
    first = (
        select(Membership.principal_id, func.min(Membership.group_id))
        .join(Principal, Principal.id == Membership.group_id)
        .where(Principal.kind == "dept", roster.lasts(Membership.valid_to, uow))
    )
    wanted = set(people)
    rows = uow.session.execute(first.group_by(Membership.principal_id))
    return {person: dept for person, dept in rows if person in wanted}


def _readings(uow: UnitOfWork, days: Span) -> tuple[int, int]:
    """How many e-readings were granted, and how many of them spared a volume its way: there is paper of the record, and
    whoever read took none of it while they could read.
    """
    volume = select(Holding.id).where(Holding.node_id == Node.id).correlate(Node).exists()
    other = aliased(Request)
    taken = (
        select(RequestLine.id)
        .join(other, other.id == RequestLine.request_id)
        .where(other.node_id == Request.node_id, other.requester_id == Request.requester_id)
        .where(RequestLine.out_at >= Request.decided_at, RequestLine.out_at < Request.until)
        .correlate(Request)
        .exists()
    )
    many = func.count(Request.id)
    row = uow.session.execute(
        select(many, many.filter(and_(volume, not_(taken))))
        .join(Node, Node.id == Request.node_id)
        .where(Request.kind == "eread", Request.state.in_(slips.GRANTED), _within(uow, Request.decided_at, days), mine(uow)),
        execution_options=TRUSTED,
    ).one()  # fmt: skip
    return row[0], row[1]


def _asked(uow: UnitOfWork, days: Span) -> Asked:
    asked = (Request.kind.in_(slips.KINDS), _within(uow, Request.created_at, days))
    each = select(Request.purpose, Node.dept_id, func.count(Request.id)).join(
        Node, Node.id == Request.node_id
    )
    rows = uow.session.execute(
        each.where(*asked, mine(uow)).group_by(Request.purpose, Node.dept_id), execution_options=TRUSTED
    ).all()
    words, names = policies.vocabulary(uow, "purpose"), actors.department_names(uow.session)
    purposes, departments = Counter[str](), Counter[str]()
    for purpose, dept, count in rows:
        purposes[words.get(purpose, purpose)] += count
        departments[names.get(dept or 0) or _("No department")] += count
    return Asked(
        purposes.total(), purposes.most_common(MOST), departments.most_common(MOST), _records(uow, asked)
    )


def _records(uow: UnitOfWork, asked: tuple[ColumnElement[bool], ...]) -> list[tuple[NodeView, int]]:
    """Records that were asked for more than once, for whoever handles them and may know of them."""
    many = func.count(Request.id)
    known = (uow.access.clause(P.REQUEST_HANDLE), uow.access.clause(P.DISCOVER))
    rows = uow.session.execute(
        select(Request.node_id, many)
        .join(Node, Node.id == Request.node_id)
        .where(*asked, *known)
        .group_by(Request.node_id)
        .having(many > 1)
        .order_by(many.desc(), Request.node_id)
        .limit(MOST),
        execution_options=TRUSTED,
    ).all()
    counts = dict(rows)
    seen = views(uow, uow.list(uow.nodes(P.DISCOVER).where(Node.id.in_(counts)))) if counts else []
    return sorted(((view, counts[view.id]) for view in seen), key=lambda one: (-one[1], one[0].id))


def _desk(uow: UnitOfWork, days: Span) -> Desk:
    """By whole hours of UTC, which are whole hours of the hospital wherever its zone is one of whole hours."""
    many = func.count(RequestLine.id)
    each = [
        lines(uow, Hour(moment).label("hour"), many).where(_within(uow, moment, days), kept).group_by("hour")
        for moment, kept in ((RequestLine.out_at, true()), (RequestLine.in_at, RequestLine.lost.is_(False)))
    ]  # fmt: skip
    hours, busy = [0] * 24, set[str]()
    for hour, count in uow.session.execute(union_all(*each), execution_options=TRUSTED):
        hours[uow.local(sql_time.hour_of(hour)).hour] += count
        busy.add(hour)
    return Desk(hours, len(busy))
