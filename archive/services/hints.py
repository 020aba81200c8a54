"""检索提示: beside the hits of a search, what was looked for as well, and which codes a word may mean."""

from dataclasses import dataclass, field

from archive.services import codes, search_labels
from archive.services.codes import Coded
from archive.services.widening import Widened, widened
from archive.uow import UnitOfWork
from index import Everything, QuerySyntax, Term, parse


@dataclass(frozen=True)
class Hints:
    """`exactly`: what to type for the typed words alone."""

    beside: tuple[str, ...] = ()
    exactly: str = ""
    codes: list[Coded] = field(default_factory=list)


def of(uow: UnitOfWork, text: str) -> Hints:
    """The hints to a search that was run; none for what could not be read."""
    text = text.strip()
    try:
        query = parse(text, search_labels.labels(uow)) if text else Everything()
    except QuerySyntax:
        return Hints()
    wide: Widened = widened(uow, query)
    word = query.text if isinstance(query, Term) else ""
    return Hints(
        wide.beside, wide.exactly(text) if wide.typed else "", codes.meant(uow, word) if word else []
    )
