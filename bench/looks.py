"""Somebody who looks at web pages all the while, and what each look took, by what the worker was at."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.beside import Beside
from bench.searchers import Person

PAUSE = 0.2


@dataclass
class Looks(Beside):
    """Milliseconds of each look, by the kind of job under way; one person looks and looks."""

    person: Person
    addresses: list[str]
    at: Callable[[], str]
    """The kind of job that the worker is at."""
    times: dict[str, list[float]] = field(default_factory=dict)

    def work(self) -> None:
        while not self.over.is_set():
            self.once()

    def once(self) -> None:
        """Looks at each page in turn."""
        for address in self.addresses:
            kind, begin = self.at(), time.perf_counter()
            self.person.session.get(address).raise_for_status()
            self.times.setdefault(kind, []).append((time.perf_counter() - begin) * 1000)
            time.sleep(PAUSE)
