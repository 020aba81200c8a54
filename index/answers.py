"""Answers kept for a moment: whoever sees hits is shown their counts next, or turns the page."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from time import monotonic

from .checking import Checker, TextsOf
from .clock import Clock
from .fields import Fields
from .matches import Matches
from .ordering import Order, ordered
from .results import Sort

ROOM = 16 << 20
"""Bytes of answers that are kept, about."""
SECONDS = 20.0
"""So long they are kept: long enough to read a page of hits. A text that changes meanwhile is judged anew with the next state of
the index, and after this time at the latest."""

_OVERHEAD, _OF_A_CANDIDATE, _OF_AN_ORDER = 5_000, 24, 32  # bytes; a word is looked for in dozens of fields


class Answer:
    """判定: what a plan found for somebody, in what order, and what the texts have said so far. For one thread at a time."""

    def __init__(self, matches: Matches, texts: int) -> None:
        self.matches = matches
        self.checker = Checker(matches, texts=texts)
        self._made = monotonic()
        self._orders: dict[Sort, Order] = {}

    def is_fresh(self) -> bool:
        """Whether it may still be used."""
        return monotonic() - self._made <= SECONDS

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        of_each = _OF_A_CANDIDATE + _OF_AN_ORDER * len(self._orders)
        return _OVERHEAD + self.matches.size + len(self.matches.candidates) * of_each

    def put_to(self, texts_of: TextsOf, clock: Clock) -> None:
        """From now on it looks texts up here, and has so long."""
        self.matches.tick = clock.tick
        self.checker.look_into(texts_of, clock.may_check)

    def order(self, sort: Sort, fields: Fields) -> Order:
        """The order of the candidates. Raises as ``ordered``."""
        if sort not in self._orders:
            self._orders[sort] = ordered(self.matches, sort, fields)
        return self._orders[sort]


class Answers:
    """The newest answers from one state of the index, found by the question, the contents of the masks, and nothing else.

    One that is being used is not here: whoever asks the same at that moment gets their own. (`Kept` would not do: there a
    value is used by many at once, and is as large as it was when it came.)
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, tuple[Answer, int]] = OrderedDict()
        self._lock = Lock()
        self.size = 0
        """Bytes in memory, about."""

    def take(self, asked: Hashable) -> Answer | None:
        """The answer to what is asked, if there is one."""
        with self._lock:
            self._forget()
            answer = self._out(asked) if asked in self._answers else None
            return answer if answer and answer.is_fresh() else None

    def give(self, asked: Hashable, answer: Answer) -> None:
        """Keeps an answer that nobody uses any more."""
        answer.put_to(_nowhere, Clock(0))
        size = answer.size
        with self._lock:
            if asked in self._answers:
                self._out(asked)
            self._answers[asked] = answer, size
            self.size += size
            self._forget()

    def _forget(self) -> None:
        """What was given first goes, where it is too old or there is no more room: nobody looks through all of them."""
        while self._answers:
            first = next(iter(self._answers))
            if self.size <= ROOM and self._answers[first][0].is_fresh():
                return
            self._out(first)

    def _out(self, asked: Hashable) -> Answer:
        answer, size = self._answers.pop(asked)
        self.size -= size
        return answer


def _nowhere(_numbers: object, _name: str) -> dict[int, str]:
    """No text, and nobody's right to read one, is kept with an answer."""
    return {}
