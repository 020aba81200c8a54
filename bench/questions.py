"""What people ask where there are no texts: QUESTIONS of each kind, each another, so that each has a first time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random

from archive.names import name_key
from archive.services import completion, search
from archive.services.findings import Filters, Order
from archive.uow import UnitOfWork
from bench import stays
from bench.names import GIVEN, NAMES, SURNAMES, beginnings, mrn_of

QUESTIONS = 40


@dataclass(frozen=True)
class Question:
    """What is typed, and by what it is narrowed and sorted."""

    text: str
    filters: Filters = search.NOTHING
    order: Order = Order.RELEVANCE


@dataclass(frozen=True)
class Kind:
    """Questions of one kind; `ask` gives how much was found."""

    name: str
    questions: tuple[Question, ...]
    ask: Callable[[UnitOfWork, Question], int]


def kinds() -> Iterator[Kind]:
    """All of them."""
    yield from _of_patients()
    yield from _of_diagnoses()
    yield from _of_everything()
    yield _kind("what nobody has", (f"龘靐{name}齉" for name in _names(13)))
    yield _kind(
        "a number's beginning, completed",
        (f"病案号:{one}" for one in beginnings(10_000)),
        ask=_completed,
    )
    yield _kind(
        "a name's beginning, suggested",
        dict.fromkeys(name[:2] for name in _names(331, 1_000)),
        ask=_suggested,
    )


def _of_patients() -> Iterator[Kind]:
    yield _kind("a record number", (mrn_of(1_000 + 37 * turn) for turn in range(QUESTIONS)))
    yield _kind("a name", _names(97))
    yield _kind("a name's initials", dict.fromkeys(name_key(name).split()[-1] for name in _names(331, 1_000)))
    yield _kind("two characters of a name", dict.fromkeys(name[1:] for name in _names(89)))
    yield _kind("one character", SURNAMES + GIVEN + "瘤")


def _of_diagnoses() -> Iterator[Kind]:
    said = pieces()
    yield _kind("words of a diagnosis", said)
    yield _kind("… in its field", (f"主要诊断:{one}" for one in said))
    yield _kind("… without others", (f"{one} -{other}" for one, other in zip(said, said[7:], strict=False)))
    yield _kind("… or others", (f"{one} OR {other}" for one, other in zip(said, said[11:], strict=False)))
    yield _kind(
        "… in a year", (f"{one} 年度:{year}" for one, year in zip(said, cycle(stays.YEARS), strict=False))
    )
    yield _kind("… newest first", said, order=Order.DATE)
    yield _kind("… by number", said, order=Order.NUMBER)


def _of_everything() -> Iterator[Kind]:
    """Years; and spans of them that hold every year there is, each another span, so that each is asked anew."""
    yield _kind("a year", (f"年度:{year}" for year in stays.YEARS))
    wards = zip(cycle(("产科", "儿科")), stays.YEARS, strict=False)
    yield _kind("a department's year", (f"科室:{ward} 年度:{year}" for ward, year in wards))
    drafts = tuple(Question("", Filters(state="draft", year=year)) for year in stays.YEARS)
    yield Kind("drafts of a year", drafts, _found)
    records = Filters(type="medical_record")
    spans = [f"年度:{1900 + turn}..2100" for turn in range(QUESTIONS)]
    yield _kind("all records", spans, records)
    yield _kind("all records, newest first", spans, records, Order.DATE)
    yield _kind("all records, by number", spans, records, Order.NUMBER)


def _kind(
    name: str,
    texts: Iterable[str],
    filters: Filters = search.NOTHING,
    order: Order = Order.RELEVANCE,
    ask: Callable[[UnitOfWork, Question], int] | None = None,
) -> Kind:
    asked = tuple(Question(text, filters, order) for text in islice(texts, QUESTIONS))
    return Kind(name, asked, ask or _found)


def pieces() -> list[str]:
    """Two to four characters that stand together in a diagnosis, in an order of chance, the same each time."""
    found = sorted({
        diagnosis[start : start + length]
        for diagnosis in stays.DIAGNOSES
        for length in (2, 3, 4)
        for start in range(len(diagnosis) - length + 1)
    })  # fmt: skip
    Random(3).shuffle(found)
    return found


def _names(step: int, count: int = QUESTIONS) -> list[str]:
    return [NAMES[turn * step % len(NAMES)] for turn in range(count)]


def _found(uow: UnitOfWork, question: Question) -> int:
    results = search.find(uow, question.text, question.filters, question.order)
    return results.total.count or len(results.called)


def _completed(uow: UnitOfWork, question: Question) -> int:
    return len(completion.offers(uow, question.text))


def _suggested(uow: UnitOfWork, question: Question) -> int:
    return len(search.suggest(uow, question.text))
