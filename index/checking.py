"""Phrases checked in the text. The index stores pairs of characters, not where they are; the text has the last word."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .allowed import Mask
from .analysis import Said
from .fields import Tier
from .matches import Matches
from .ordering import Indices
from .plan import Leaf, TextLeaf, positive
from .segments import among
from .truth import Facts, Truth, judged

TextsOf = Callable[[Sequence[int], str], Mapping[int, str]]
"""The texts of a TEXT field for some numbers, fetched at once; asked only of documents held at the field's tier."""

_UNKNOWN, _NO, _YES = -1, 0, 1


class Checker:
    """Judges candidates by the text, until so many texts were read or the time is up."""

    def __init__(
        self, matches: Matches, texts_of: TextsOf, *, texts: int, in_time: Callable[[], bool]
    ) -> None:
        self._matches = matches
        self._texts_of = texts_of
        self._left = texts
        self._in_time = in_time
        self._speaking = tuple(dict.fromkeys(positive(matches.plan)))
        self._verdicts = np.where(matches.candidates.certain, _YES, _UNKNOWN).astype(np.int8)

    def goes_on(self) -> bool:
        """Whether another block may be judged."""
        return not self._uses_text() or (self._left > 0 and self._in_time())

    def _uses_text(self) -> bool:
        return any(_phrase(leaf) for leaf in self._matches.leaves)

    def known(self) -> Mask:
        """The candidates that are hits as far as is known."""
        known: Mask = self._verdicts == _YES
        return known

    def unknown(self) -> Indices:
        """The candidates not judged yet, the newest numbers first."""
        left = np.flatnonzero(self._verdicts == _UNKNOWN)
        return left[np.argsort(-self._matches.candidates.number[left])]

    def judge(self, indices: Indices) -> list[frozenset[str] | None]:
        """For each candidate the fields in which it was found; None if it proves to be no hit."""
        found = {leaf: self._among(leaf, indices) for leaf in self._matches.leaves}
        self._ask(found, indices)
        block = self._matches.candidates.at(indices)

        def held(tier: Tier) -> Mask:
            return block.held(self._matches.scope, tier)

        hits = judged(self._matches.plan, Facts(lambda leaf: Truth(found[leaf], found[leaf]), held)).certain
        self._verdicts[indices] = np.where(hits, _YES, _NO)
        return [
            frozenset(leaf.field.name for leaf in self._speaking if found[leaf][at]) if hit else None
            for at, hit in enumerate(hits.tolist())
        ]

    def _among(self, leaf: Leaf, indices: Indices) -> Mask:
        """Which of the candidates a leaf found."""
        block = self._matches.candidates.at(indices)
        found = np.zeros(len(indices), np.bool_)
        for at, part in enumerate(self._matches.found[leaf]):
            here = block.part == at
            found[here] = among(block.doc[here], part.docs)
        return found

    def _ask(self, found: dict[Leaf, Mask], indices: Indices) -> None:
        """Take back what a leaf nominated and the text does not say."""
        by_field: dict[str, list[Leaf]] = {}
        for leaf in found:
            if _phrase(leaf):
                by_field.setdefault(leaf.field.name, []).append(leaf)
        for name, asking in by_field.items():
            doubtful = np.flatnonzero(np.logical_or.reduce([found[leaf] for leaf in asking]))
            numbers = self._matches.candidates.number[indices[doubtful]].tolist()
            texts = self._texts_of(numbers, name) if numbers else {}
            self._left -= len(numbers)
            for at, number in zip(doubtful.tolist(), numbers, strict=True):
                said = Said(texts.get(number, ""))
                for leaf in asking:
                    found[leaf][at] &= said.says(_phrase(leaf))


def _phrase(leaf: Leaf) -> str:
    return (leaf.wanted.phrase or "") if isinstance(leaf, TextLeaf) else ""
