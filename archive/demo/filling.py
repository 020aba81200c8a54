"""Templates with holes in format syntax, as `{who.name}`: a hole is a fact, or a phrase drawn from a bank."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random


def drawn(rng: Random, ranges: Mapping[str, Sequence[float]]) -> dict[str, int | float]:
    """One value for each range of two ends."""
    return {name: value(rng, low, high) for name, (low, high) in ranges.items()}


def value(rng: Random, low: float, high: float) -> int | float:
    """A value between two ends, as precise as the ends are written."""
    if isinstance(low, int) and isinstance(high, int):
        return rng.randint(low, high)
    places = max(len(str(end).partition(".")[2]) for end in (low, high))
    return round(rng.uniform(low, high), places)


class Facts(Mapping[str, object]):
    """What is known first, then the bank of phrases; a phrase once drawn stays the same for this text."""

    def __init__(self, known: Mapping[str, object], bank: Mapping[str, Sequence[str]], rng: Random) -> None:
        self._known, self._bank, self._rng = dict(known), bank, rng

    def __getitem__(self, name: str) -> object:
        if name not in self._known:
            self._known[name] = fill(self._rng.choice(self._bank[name]), self)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._bank, **self._known})

    def __len__(self) -> int:
        return len({**self._bank, **self._known})


def fill(template: str, facts: Mapping[str, object]) -> str:
    """The template with its holes filled. Raises KeyError for a hole that neither facts nor bank know."""
    return template.format_map(facts)
