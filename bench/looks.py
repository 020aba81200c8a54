"""Somebody who looks at web pages all the while, and what each look took, by what the worker was at."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread

from bench.searchers import Person

PAUSE = 0.2


@dataclass
class Looks:
    """Milliseconds of each look, by the kind of job under way; while it is entered, one person looks and looks."""

    person: Person
    addresses: list[str]
    at: Callable[[], str]
    """The kind of job that the worker is at."""
    times: dict[str, list[float]] = field(default_factory=dict)
    _over: Event = field(default_factory=Event)

    def __enter__(self) -> "Looks":
        self._thread = Thread(target=self._look_on, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._over.is_set():
            self.once()

    def once(self) -> None:
        """Looks at each page in turn."""
        for address in self.addresses:
            kind, begin = self.at(), time.perf_counter()
            self.person.session.get(address).raise_for_status()
            self.times.setdefault(kind, []).append((time.perf_counter() - begin) * 1000)
            time.sleep(PAUSE)
