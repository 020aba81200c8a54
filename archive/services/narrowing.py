"""筛选: what hits are narrowed to, as a query of the index and as SQL."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_
from sqlalchemy.orm import aliased

from archive.given import uuid, whole
from archive.models import Node
from archive.policy.permissions import P
from archive.policy.types import INHERITING
from archive.services import by_register, search_labels
from archive.services.findings import Filters
from archive.services.holdings import CARRIERS, carried
from archive.uow import UnitOfWork
from index import Field, Query, Range, Term

CHOSEN = ("type", "state", "retention", "carrier", "level")
"""Of these there is a list; of departments, too, but one that is closed still has records."""


def chosen(uow: UnitOfWork, given: Mapping[str, str]) -> Filters:
    """The filters of an address or of something kept. What means nothing here narrows nothing."""
    said = {
        name: value
        for name in CHOSEN
        if (value := given.get(name)) and value in search_labels.choices(uow, name)
    }
    dept, year = (_number(given.get(name, "")) for name in ("dept", "year"))
    return Filters(dept=dept, year=year, under=uuid(given.get("under", "")), **said)


def _number(text: str) -> int | None:
    try:
        return max(0, whole(text)) or None
    except ValueError:
        return None


def top(uow: UnitOfWork, filters: Filters) -> Node | None:
    """What the hits lie under. Raises NotFound for what the actor may not know of."""
    if not filters.under:
        return None
    above = UUID(filters.under)
    return uow.once(("search top", above), lambda: uow.node(above, P.DISCOVER))


def queries(uow: UnitOfWork, filters: Filters) -> Iterator[Query]:
    """The filters as the index understands them."""
    for name in ("type", "dept", "state", "retention", "carrier", "level"):
        if value := getattr(filters, name):
            yield Field(name, Term(str(value)))
    if filters.year:
        yield Range("year", filters.year, filters.year)
    if above := top(uow, filters):
        yield by_register.branch(uow, above)


def conditions(uow: UnitOfWork, filters: Filters) -> Iterator[ColumnElement[bool]]:
    """What the filters ask of a row of nodes: the same as the index is asked."""
    wanted: dict[Any, object] = {
        Node.type: filters.type, Node.dept_id: filters.dept, Node.year: filters.year, Node.state: filters.state,
    }  # fmt: skip
    yield from (column == value for column, value in wanted.items() if value)
    if filters.level:
        yield Node.level == int(filters.level)
    if filters.retention:
        file = aliased(Node)
        of_file = (file.id == Node.parent_id, Node.type.in_(INHERITING))
        yield or_(
            Node.retention_rule == filters.retention,
            exists().where(*of_file, file.retention_rule == filters.retention),
        )
    if filters.carrier:
        on_paper, on_screen = {name: has for has, name in CARRIERS.items()}[filters.carrier]
        paper, electronic = carried(Node)
        yield and_(paper if on_paper else ~paper, electronic if on_screen else ~electronic)
    if above := top(uow, filters):
        yield Node.path >= above.path
        yield Node.path < above.path_end
