"""检索式: what a search asks, as a value that can be kept, said in words, and made an address again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archive.errors import NotFound
from archive.i18n import _
from archive.schema import clean
from archive.services import facets, narrowing, search_labels
from archive.services.findings import Filters, Order
from archive.sight import NodeView
from archive.uow import UnitOfWork


@dataclass(frozen=True)
class Question:
    """检索式: the words, what narrows them, and the order of the hits."""

    text: str
    filters: Filters = field(default_factory=Filters)
    order: Order = Order.RELEVANCE

    def __bool__(self) -> bool:
        return bool(self.text or self.filters)

    def beside(self, order: Order | None = None) -> dict[str, str]:
        """Whatever of it may stand openly in an address; in another order, if one is given."""
        narrowed = {name: str(value) for name, value in self.filters.__dict__.items() if value}
        sort = order or self.order
        return narrowed | ({} if sort is Order.RELEVANCE else {"sort": sort.value})

    def kept(self) -> dict[str, Any]:
        """All of it, for a text that will be encrypted."""
        return {"text": self.text, "beside": self.beside()}


def of(uow: UnitOfWork, text: str, beside: Mapping[str, str]) -> Question:
    """The question of an address: what was typed, and the rest beside it. What means nothing is left out."""
    sort = beside.get("sort", "")
    order = Order(sort) if sort in set(Order) else Order.RELEVANCE
    return Question(clean(text), narrowing.chosen(uow, beside), order)


def again(uow: UnitOfWork, kept: Mapping[str, Any]) -> Question:
    """The question that `Question.kept` gave."""
    return of(uow, str(kept["text"]), kept["beside"])


def narrowed(uow: UnitOfWork, question: Question) -> list[tuple[str, str]]:
    """What narrows it, in words: (科室, 产科). A place of which one may not know has none."""
    said = []
    for name, title in facets.titles().items():
        if value := getattr(question.filters, name):
            said.append((title, search_labels.choices(uow, name).get(str(value), str(value))))
    try:
        above = narrowing.top(uow, question.filters)
    except NotFound:
        above = None
    return [*said, (_("Within"), NodeView(uow, above).label)] if above else said
