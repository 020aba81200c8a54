"""How long a search may take."""

from collections.abc import Callable
from time import monotonic
from typing import NoReturn

from .errors import TooSlow

Tick = Callable[[], None]
"""Called between steps; raises TooSlow when the time is up."""

_TOO_SLOW = "The search took too long. Ask for something narrower."
_FOR_CHECKING = 0.75
"""Of the time; so there is some left to count what was not checked, and to say so."""


class Clock:
    """Runs from now on, for so many seconds."""

    def __init__(self, seconds: float) -> None:
        now = monotonic()
        self._end = now + seconds
        self._checked = now + seconds * _FOR_CHECKING
        self._answered = False

    def may_check(self) -> bool:
        """Whether another text may be looked at."""
        return monotonic() < self._checked

    def tick(self) -> None:
        """Raises TooSlow when the time is up and there is nothing to show."""
        if not self._answered and monotonic() >= self._end:
            self.too_slow()

    def too_slow(self) -> NoReturn:
        raise TooSlow(_TOO_SLOW)

    def answered(self) -> None:
        """There is something to show: that it came late is no reason to throw it away."""
        self._answered = True
