"""Searching: words in whatever the holder of the token may know at the tier of each field."""

from collections.abc import Iterator

from archive.blueprints.api import shapes
from archive.blueprints.api.operation import operation
from archive.blueprints.api.section import section
from archive.policy.permissions import P
from archive.services import search
from archive.services.findings import Filters, Group, Order, Results
from archive.sight import NodeView
from archive.uow import UnitOfWork


@operation(section, "/search", needs=P.DISCOVER, gives=shapes.Found, query=shapes.SearchAsked)
def find(uow: UnitOfWork, asked: shapes.SearchAsked) -> shapes.Found:
    """One item a place in which the words stand. What has the number or name that was asked for comes first."""
    filters = Filters(type=asked.type, dept=asked.dept, year=asked.year, state=asked.state)
    found = search.find(uow, asked.q, filters, Order(asked.sort), asked.cursor)
    return shapes.Found(
        items=list(_items(found)), next=found.next, total=found.total.count, capped=found.total.capped,
        label=f"{found.total.count:,}{'+' if found.total.capped else ''}", degraded=found.degraded,
    )  # fmt: skip


def _items(found: Results) -> Iterator[shapes.Hit]:
    placed = {group.view.id for group in found.groups}
    for view in found.called:
        if view.id not in placed:
            yield _whole(view)
    for group in found.groups:
        yield from _places(group)


def _places(group: Group) -> Iterator[shapes.Hit]:
    if not group.places:
        yield _whole(group.view)
    for place in group.places:
        snippet = "".join(piece for piece, _is_word in place.pieces)
        yield _hit(group.view, uuid=place.uuid, url=place.href, snippet=snippet)


def _whole(view: NodeView) -> shapes.Hit:
    return _hit(view, uuid=view.uuid, url=view.href, snippet="")


def _hit(file: NodeView, *, uuid: str, url: str, snippet: str) -> shapes.Hit:
    return shapes.Hit(
        uuid=uuid, file=file.uuid, archival_no=file.number, title=file.title, url=url, snippet=snippet
    )
