"""工作日历的维护: holidays and working weekends are entered by a person, with the notice, and loans follow."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select

from archive.errors import Invalid
from archive.i18n import _
from archive.models import CalendarDay, Principal, Request, RequestLine
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import borrowing, calendar, rulebook
from archive.services.calendar import DAY, WorkingCalendar
from archive.uow import UnitOfWork, action

LONGEST_NAME, LONGEST_REASON, MOST_LINES, LONGEST_SPAN = 60, 200, 200, 40
YEARS = range(2000, 2100)
WORDS = {
    "休": False, "假": False, "放假": False, "休息": False, "off": False, "holiday": False,
    "班": True, "上班": True, "work": True, "平": None, "平日": None, "usual": None,
}  # fmt: skip
"""How a line says what a day is: 休 no work, 班 work, 平 whatever its weekday says."""
ONE = r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
LINE = re.compile(rf"{ONE}(?:\s*(?:\.\.|~|—+|–|至|到)\s*{ONE})?\s+(\S+)(?:\s+(.*))?")


State = tuple[bool, str] | None
"""Whether a day is worked and what it is called; nothing for a day that is as its weekday says."""


@dataclass(frozen=True)
class Day:
    """日历中的一天: `look` is work, rest, holiday or makeup 调休; the rest only where a person entered it."""

    on: date
    look: str
    name: str = ""
    because: str = ""
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Span:
    """Days in a row that were entered alike."""

    first: Day
    last: Day


@dataclass(frozen=True)
class Month:
    """`weeks`: rows of seven from Monday on, with nothing before the first and after the last day."""

    number: int
    weeks: list[list[Day | None]]


@dataclass(frozen=True)
class Year:
    """年历: twelve months, what is not as its weekday says, and how many days are worked."""

    number: int
    months: list[Month]
    exceptions: list[Span]
    worked: int
    may_change: bool


@dataclass(frozen=True)
class Change:
    """What a day was, and what it becomes: a holiday, a day that is worked, or (none of both) as its weekday says."""

    on: date
    before: State
    after: State


@dataclass(frozen=True)
class Effect:
    """What a change means for volumes that are out: how many are due later now, how many keep an earlier promise."""

    later: dict[int, datetime]
    kept: int


def year(uow: UnitOfWork, number: int) -> Year:
    """A year of the hospital's calendar."""
    rulebook.may_look(uow)
    number = min(max(number, YEARS.start), YEARS.stop - 1)
    start, end = date(number, 1, 1), date(number, 12, 31)
    rows = uow.session.execute(
        select(CalendarDay, Principal.name)
        .outerjoin(Principal, Principal.id == CalendarDay.changed_by)
        .where(CalendarDay.day.between(start, end))
        .order_by(CalendarDay.day)
    )
    known = {row.day: _entered(row, name or "") for row, name in rows}
    days = [known.get(on) or _usual(on) for on in (start + DAY * n for n in range((end - start).days + 1))]
    months = [_month(month, [day for day in days if day.on.month == month]) for month in range(1, 13)]
    worked = sum(day.look in {"work", "makeup"} for day in days)
    return Year(number, months, _spans(known.values()), worked, uow.can(P.CONFIG_MANAGE))


def _entered(row: CalendarDay, by: str) -> Day:
    look = "makeup" if row.works else "holiday"
    return Day(row.day, look, row.name, row.because or "", by, row.changed_at)


def _usual(on: date) -> Day:
    return Day(on, "work" if on.weekday() < calendar.SATURDAY else "rest")


def _spans(days: Iterable[Day]) -> list[Span]:
    found: list[Span] = []
    for day in days:
        last = found[-1].last if found else None
        if last and last.on + DAY == day.on and replace(last, on=day.on) == day:
            found[-1] = replace(found[-1], last=day)
        else:
            found.append(Span(day, day))
    return found


def _month(number: int, days: list[Day]) -> Month:
    cells: list[Day | None] = [None] * days[0].on.weekday() + list(days)
    cells += [None] * (-len(cells) % 7)
    return Month(number, [cells[at : at + 7] for at in range(0, len(cells), 7)])


def changes(uow: UnitOfWork, text: str, *, whole: int | None = None) -> list[Change]:
    """What a list says that the calendar does not: a line a day or a range. What it does not name of the year `whole`
    becomes ordinary. Raises Invalid with the number of each line that cannot be read.
    """
    said: dict[date, State] = dict(_read(text))
    if not said:
        raise Invalid(fields={"text": _("Write a line for each day or range of days.")})
    known = {row.day: (row.works, row.name) for row in uow.session.scalars(select(CalendarDay))}
    if whole is not None:
        said = {**dict.fromkeys(on for on in known if on.year == whole), **said}
    found = [Change(on, known.get(on), said[on]) for on in sorted(said) if known.get(on) != said[on]]
    if not found:
        raise Invalid(fields={"text": _("The calendar says all of this already.")})
    return found


def _read(text: str) -> Iterator[tuple[date, State]]:
    """Day by day what the lines say; of two that name a day, the later one counts."""
    lines, wrong = clean(text).split("\n"), []
    for number, line in enumerate(lines[:MOST_LINES], start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            yield from _days(line.strip())
        except ValueError as error:
            wrong.append(_("Line %(n)d: %(why)s", n=number, why=str(error)))
    if len(lines) > MOST_LINES:
        wrong.append(_("At most %(n)d lines, please.", n=MOST_LINES))
    if wrong:
        raise Invalid(fields={"text": "\n".join(wrong)})


def _days(line: str) -> list[tuple[date, State]]:
    """Raises ValueError with a sentence."""
    found = LINE.fullmatch(line)
    if not found or found[7].lower() not in WORDS:
        raise ValueError(_("Write it like 2027-02-05..2027-02-11 休 春节, with 休, 班 or 平."))
    try:
        first = date(int(found[1]), int(found[2]), int(found[3]))
        last = date(int(found[4]), int(found[5]), int(found[6])) if found[4] else first
    except ValueError:
        raise ValueError(_("There is no such day.")) from None
    works, name = WORDS[found[7].lower()], (found[8] or "").strip()
    if not 0 <= (last - first).days < LONGEST_SPAN or first.year not in YEARS or last.year not in YEARS:
        raise ValueError(_("The range ends before it begins, or is too long."))
    if works is None:
        return [(first + DAY * n, None) for n in range((last - first).days + 1)]
    if not name or len(name) > LONGEST_NAME:
        raise ValueError(_("Name the occasion, in at most %(most)d characters.", most=LONGEST_NAME))
    return [(first + DAY * n, (works, name)) for n in range((last - first).days + 1)]


def effect(uow: UnitOfWork, found: list[Change]) -> Effect:
    """What changed days mean for volumes that are out. A day that was promised never comes earlier."""
    exceptions = dict(calendar.of(uow).exceptions)
    for change in found:
        exceptions.pop(change.on, None)
        if change.after is not None:
            exceptions[change.on] = change.after[0]
    old, new = calendar.of(uow), WorkingCalendar(exceptions)
    rows = uow.session.execute(
        select(RequestLine, Request)
        .join(Request, Request.id == RequestLine.request_id)
        .where(RequestLine.in_at.is_(None), RequestLine.recalled_at.is_(None))
    )
    later, kept = {}, 0
    for line, request in rows:
        was, now = (_due(uow, each, line, request) for each in (old, new))
        if now > line.due_at:
            later[line.id] = now
        elif now < was:
            kept += 1
    return Effect(later, kept)


def _due(uow: UnitOfWork, by: WorkingCalendar, line: RequestLine, request: Request) -> datetime:
    """When a volume is due by a calendar."""
    rule, out = borrowing.rule_of(uow, request), calendar.day_of(uow, line.out_at)
    return calendar.end_of(uow, borrowing.due(by, rule, request.days, out, line.renewals))


def reason_of(text: str) -> str:
    """The notice or reason that was typed. Raises Invalid for none."""
    reason = clean(text)
    if not reason or len(reason) > LONGEST_REASON:
        sentence = _("Name the notice or the reason, in at most %(most)d characters.", most=LONGEST_REASON)
        raise Invalid(fields={"because": sentence})
    return reason


def line_of(shown: Year, text: str) -> str:
    """The line of a day that was chosen in the year, to be written on; nothing for no day."""
    days = (day for month in shown.months for week in month.weeks for day in week if day)
    chosen = next((day for day in days if str(day.on) == text), None)
    if chosen is None:
        return ""
    turned = {"work": "休", "rest": "班", "holiday": "休", "makeup": "班"}[chosen.look]
    return f"{chosen.on} {turned} {chosen.name}"


@action("calendar.changed", needs=P.CONFIG_MANAGE)
def enter(uow: UnitOfWork, found: list[Change], *, because: str) -> Effect:
    """Puts days into the calendar, with the notice or reason; loans that are out follow where that is later."""
    reason, moved = reason_of(because), effect(uow, found)
    for change in found:
        row = uow.session.get(CalendarDay, change.on) or CalendarDay(day=change.on)
        if change.after is None:
            uow.session.delete(row)
            continue
        row.works, row.name = change.after
        row.because, row.changed_by, row.changed_at = reason, uow.actor.principal_id, uow.now
        uow.session.add(row)
    for number, due_at in moved.later.items():
        uow.session.get_one(RequestLine, number).due_at = due_at
    uow.session.info.pop("calendar", None)
    uow.note(because=reason, days={str(one.on): [one.before, one.after] for one in found},
             later={str(number): due.isoformat() for number, due in moved.later.items()})  # fmt: skip
    return moved
