"""全选: every file in which a search finds something, to be chosen as far as there is room in one's own selection."""

from collections.abc import Sequence
from dataclasses import dataclass

from archive.errors import TakesTooLong
from archive.journal import Event
from archive.services import hits, plain, search
from archive.services.entries import texts_of
from archive.services.questions import Question
from archive.uow import UnitOfWork
from index import Damaged, TooSlow

LOOKED_AT = 1_000
"""So many results are gone through, the first of the list: many of them may lie in one file."""


@dataclass(frozen=True)
class Files:
    """The ids of files in the order of the list, and whether there are further results."""

    numbers: Sequence[int] = ()
    further: bool = False


def files(uow: UnitOfWork, question: Question) -> Files:
    """The files that the search lists, those called up by number or name first; one line in the journal of reads.

    The search is run again with the rights of this moment. Raises Misunderstood, NotFound for a place that is hidden,
    TakesTooLong, and Unavailable for what nothing but the index could tell.
    """
    if not question:
        return Files()
    asked = search.understood(uow, question.text, question.filters, question.order)
    numbers, further = _found(uow, asked)
    called = [view.id for view in search.called_up(uow, asked)]
    said = {"query": question.text, "filters": question.filters.said(), "places": len(numbers)}
    uow.read(Event("search.selected", words=said))
    return Files(list(dict.fromkeys([*called, *hits.homes(uow, numbers)])), further)


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
        raise TakesTooLong from slow
    return [hit.number for hit in page.hits], page.next is not None
