"""What goes on in a thread of its own while something else is measured."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Self


@dataclass
class Beside(ABC):
    """Works from when it is entered until it is left."""

    over: Event = field(default_factory=Event, init=False)

    def __enter__(self) -> Self:
        self._thread = Thread(target=self.work, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.over.set()
        self._thread.join()

    @abstractmethod
    def work(self) -> None:
        """Ends soon after `over` is set."""
