"""检索降级: without the index, titles, numbers and dates are searched in the database, slower, and no pages."""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date

from sqlalchemy import ColumnElement, and_, func, or_, select

from archive.models import Node
from archive.numbering import normalised
from archive.policy.permissions import P
from archive.services import narrowing
from archive.services.entries import searchable
from archive.services.findings import CAP, Filters
from archive.uow import UnitOfWork
from index import Hit

MOST_WORDS = 8
DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


def find(uow: UnitOfWork, text: str, filters: Filters, after: int | None, page: int) -> tuple[list[Hit], int]:
    """One more than a page of hits, newest first, and how many there are, counted up to one more than the cap."""
    matching = [
        searchable(),
        *narrowing.conditions(uow, filters),
        *(or_(*_matches(uow, word)) for word in text.split()[:MOST_WORDS]),
    ]
    found = uow.nodes(P.DISCOVER, Node.id).where(*matching)
    total = select(func.count()).select_from(found.limit(CAP + 1).subquery())
    shown = found.where(Node.id < after) if after else found
    numbers = uow.session.scalars(shown.order_by(Node.id.desc()).limit(page + 1))
    hits = [Hit(number, 0.0, frozenset({"title"})) for number in numbers]
    return hits, uow.session.scalar(total, execution_options={"scope": "plain"}) or 0


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
