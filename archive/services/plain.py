"""检索降级: without the index, titles, numbers and dates are searched in the database, slower, and no pages."""

# What is asked is the same tree as for the index, so signs and labels mean the same; what it cannot tell is refused.

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, false, func, not_, or_, select, true

from archive.errors import Unavailable
from archive.i18n import _l
from archive.models import Node
from archive.numbering import normalised
from archive.policy.permissions import P
from archive.policy.types import INHERITING
from archive.services import narrowing
from archive.services.entries import searchable
from archive.services.findings import CAP, Filters
from archive.uow import IDS, UnitOfWork
from index import Among, And, Everything, Field, Hit, Not, Or, Query, Range, Said, Term, Whole

LISTED: dict[str, Any] = {"type": Node.type, "dept": Node.dept_id, "state": Node.state}
SPANS: dict[str, Any] = {"year": Node.year, "date": func.coalesce(Node.date_to, Node.date_from)}
TITLES = frozenset({"title", "patient_name"})
NOT_NOW = _l("While the search index is made anew, only titles, names, numbers and dates can be asked for.")
DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


def find(
    uow: UnitOfWork, query: Query, filters: Filters, after: int | None, page: int
) -> tuple[list[Hit], int]:
    """One more than a page of hits, newest first, and how many there are, counted up to one more than the cap.

    Raises Unavailable for what nothing but the index could tell.
    """
    matching = [searchable(), *narrowing.conditions(uow, filters), _condition(uow, query)]
    found = uow.nodes(P.DISCOVER, Node.id).where(*matching)
    total = select(func.count()).select_from(found.limit(CAP + 1).subquery())
    shown = found.where(Node.id < after) if after else found
    numbers = uow.session.scalars(shown.order_by(Node.id.desc()).limit(page + 1))
    hits = [Hit(number, 0.0, frozenset({"title"})) for number in numbers]
    return hits, uow.session.scalar(total, execution_options={"scope": "plain"}) or 0


def _condition(uow: UnitOfWork, query: Query, within: str | None = None) -> ColumnElement[bool]:
    match query:
        case Term(text):
            return _says(uow, query, text, within)
        case And(parts):
            return and_(true(), *(_condition(uow, part, within) for part in parts))
        case Or(parts) | Said(parts=parts):
            return or_(false(), *(_condition(uow, part, within) for part in parts))
        case Not(part):
            return and_(uow.access.clause(P.IDENTIFY), not_(_condition(uow, part, within)))
        case Field(name, part):
            return _condition(uow, part, name)
        case Range(name, low, high) if name in SPANS:
            bounds = [SPANS[name] >= low] if low is not None else []
            return and_(true(), *bounds, *([SPANS[name] <= high] if high is not None else []))
        case Among(_, numbers, _, by) if len(numbers) <= IDS:
            own = Node.id.in_(numbers)
            return or_(own, and_(Node.type.in_(INHERITING), Node.parent_id.in_(numbers))) if by else own
        case Everything():
            return true()
    raise Unavailable(str(NOT_NOW))


def _says(uow: UnitOfWork, query: Query, text: str, within: str | None) -> ColumnElement[bool]:
    if within is None:
        return or_(*_matches(uow, text))
    if within in LISTED:
        return cast(LISTED[within], String) == text
    if within in TITLES:
        title = Node.title == text if isinstance(query, Whole) else Node.title.contains(text, autoescape=True)
        return and_(uow.access.clause(P.IDENTIFY), title)
    if within == "mrn":
        numbered: ColumnElement[bool] = Node.data["mrn"].as_string() == text
        return numbered
    raise Unavailable(str(NOT_NOW))


def _matches(uow: UnitOfWork, word: str) -> Iterator[ColumnElement[bool]]:
    """Where one word may stand: in the title for whoever may identify, in a number or date for whoever may discover."""
    yield and_(uow.access.clause(P.IDENTIFY), Node.title.contains(word, autoescape=True))
    yield Node.archival_no == normalised(word)
    if span := _days(word):
        yield Node.date_from.between(*span)


def _days(word: str) -> tuple[date, date] | None:
    """The first and the last day of a year, a month or a day."""
    found = DAY.fullmatch(word.replace("/", "-"))
    if found is None:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        last = day or monthrange(year or 0, month or 12)[1]
        return date(year or 0, month or 1, day or 1), date(year or 0, month or 12, last)
    except ValueError:
        return None
