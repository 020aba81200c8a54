"""What a search asks, as an address: the words sealed in it, the rest open beside them."""

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import url_for

from archive import envelope
from archive.services import questions
from archive.services.findings import Order
from archive.services.questions import Question
from archive.uow import UnitOfWork


def of_results(uow: UnitOfWork, question: Question, order: Order | None = None) -> str:
    """The result page of a question, in its own order or another."""
    return _leading_to(url_for("search.results"), uow, question, order)


def of_saving(uow: UnitOfWork, question: Question) -> str:
    """The form in which a question is saved."""
    return _leading_to(url_for("saved_searches.add_form"), uow, question)


def _leading_to(page: str, uow: UnitOfWork, question: Question, order: Order | None = None) -> str:
    return f"{page}?{urlencode(parts(uow, question, order))}"


def parts(uow: UnitOfWork, question: Question, order: Order | None = None) -> dict[str, str]:
    """A question as the parts of an address, or as the hidden fields of a form."""
    return {**question.beside(order), envelope.PARAMETER: envelope.seal(uow, {"q": question.text})}


def asked(uow: UnitOfWork, given: Mapping[str, str]) -> Question | None:
    """The question that stands in such parts; nothing where its words are no longer kept."""
    words = envelope.opened(uow, given.get(envelope.PARAMETER, ""))
    return None if words is None else questions.of(uow, words.get("q", ""), given)
