"""命中: how many places a search finds and in which files, without showing any: for counts, and for what is new."""

from collections.abc import Sequence

from archive.errors import ArchiveError, TakesTooLong
from archive.models import Node
from archive.policy.permissions import P
from archive.policy.types import INHERITING
from archive.services import search
from archive.services.entries import texts_of
from archive.services.findings import Tally
from archive.services.questions import Question
from archive.uow import UnitOfWork
from index import Allowed, Damaged, Results, Sort, TooSlow

NEWEST = Sort("date")
FOLLOWED = 1_000
"""Hits in which something new is looked for, those of the newest dates first: one look costs as much as this at most."""


def tally(uow: UnitOfWork, question: Question, allowed: Allowed | None = None) -> Tally | None:
    """The number that stands over the result page for this actor; nothing where it cannot be told now.

    `allowed`: what the actor holds, where several searches of one unit of work are counted at once.
    """
    try:
        found = _asked(uow, question, limit=1, allowed=allowed)
    except (
        ArchiveError
    ):  # not understood, too slow, or within a place that is hidden: the page of the search says so
        return None
    return Tally(found.total.count, not found.total.exact) if found else None


def files(uow: UnitOfWork, question: Question) -> set[int] | None:
    """The ids of the files, of the newest hits, in which this actor finds something; nothing while there is no index.

    Each node is asked for again with the rights of the moment: the index may be a moment behind. Raises
    Misunderstood, NotFound for a place that is hidden, TakesTooLong.
    """
    found = _asked(uow, question, limit=FOLLOWED)
    if found is None:
        return None
    return set(homes(uow, [hit.number for hit in found.hits]))


def homes(uow: UnitOfWork, numbers: Sequence[int]) -> list[int]:
    """The files in which these nodes lie, in their order; of one whose file is hidden, the node itself.

    What the actor may not know of, or no longer, is left out.
    """
    nodes = uow.nodes(P.DISCOVER, Node.id, Node.parent_id, Node.type).where(Node.id.in_(numbers))
    rows = uow.session.execute(nodes).all()
    above = {parent for _id, parent, kind in rows if kind in INHERITING}
    known = set(uow.session.scalars(uow.nodes(P.DISCOVER, Node.id).where(Node.id.in_(above))))
    home = {
        number: parent if kind in INHERITING and parent in known else number for number, parent, kind in rows
    }
    return list(dict.fromkeys(home[number] for number in numbers if number in home))


def _asked(uow: UnitOfWork, question: Question, limit: int, allowed: Allowed | None = None) -> Results | None:
    asked = search.understood(uow, question.text, question.filters, question.order)
    allowed = allowed or uow.site.access_map.allowed(uow)
    try:
        return uow.site.index.search(asked.query, allowed, texts_of=texts_of(uow), limit=limit, sort=NEWEST)
    except Damaged:
        return None
    except TooSlow as slow:
        raise TakesTooLong from slow
