"""全选: every file in which a search finds something goes into one's own selection, as far as there is room."""

from collections.abc import Sequence
from dataclasses import dataclass

from archive.errors import Unavailable
from archive.i18n import _
from archive.journal import Event
from archive.services import basket, hits, plain, search
from archive.services.entries import texts_of
from archive.services.questions import Question
from archive.uow import UnitOfWork
from index import Damaged, TooSlow

LOOKED_AT = 1_000
"""So many results are gone through, the first of the list: many of them may lie in one file."""


@dataclass(frozen=True)
class Taken:
    """How many files are new in the selection; whether some found no room there; whether there are further results."""

    added: int
    full: bool = False
    further: bool = False


def everything(uow: UnitOfWork, question: Question) -> Taken:
    """Chooses the files that the search lists, in its order, those called up by number or name first.

    The search is run again with the rights of this moment. Raises Misunderstood, NotFound for a place that is hidden,
    Unavailable for what takes too long.
    """
    if not question:
        return Taken(0)
    asked = search.understood(uow, question.text, question.filters, question.order)
    numbers, further = _found(uow, asked)
    called = [view.id for view in search.called_up(uow, asked)]
    added, left = basket.fill(uow, [*called, *hits.homes(uow, numbers)])
    said = {"query": question.text, "filters": question.beside(), "places": len(numbers), "rows": added}
    uow.read(Event("search.selected", words=said))
    return Taken(added, full=left > 0, further=further)


def _found(uow: UnitOfWork, asked: search.Asked) -> tuple[Sequence[int], bool]:
    """The nodes of the first results in their order, and whether there are more."""
    allowed = uow.site.access_map.allowed(uow)
    try:
        page = uow.site.index.search(
            asked.query, allowed, texts_of=texts_of(uow), limit=LOOKED_AT, sort=search.SORTS[asked.order]
        )
    except Damaged:
        found, _total = plain.find(uow, asked.said, asked.filters, None, LOOKED_AT)
        return [hit.number for hit in found[:LOOKED_AT]], len(found) > LOOKED_AT
    except TooSlow as slow:
        raise Unavailable(_("This search takes too long. Add a word or a filter.")) from slow
    return [hit.number for hit in page.hits], page.next is not None
