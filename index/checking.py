"""Phrases checked in the text. The index stores pairs of characters, not where they are; the text has the last word."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeGuard

import numpy as np

from .allowed import Mask
from .docs import Docs
from .matches import Matches
from .ordering import Indices, newest_first
from .plan import Leaf, TextLeaf, positive
from .saying import being, saying
from .segments import LENGTHS
from .truth import Facts, Truth, judged

TextsOf = Callable[[Sequence[int], str], Mapping[int, str]]
"""The texts of a TEXT field for some numbers, fetched at once; asked only of documents held at the field's tier."""

_UNKNOWN, _NO, _YES = -1, 0, 1
_LEAST, _MOST, _GROWS = 32, 500, 4  # texts fetched at once: few at first, then so many times as many
_LETTERS = 2_000_000
"""Of texts fetched at once so many characters, about: fewer texts where they are long, one at least."""
_COUNTED_ONCE = 50_000
"""Characters: to read a longer text counts as reading several."""
_VERY_LONG = _LETTERS // 4
"""Characters of a text of which the index only knows that it is longer than it can say."""


class Checker:
    """Judges candidates by the text, until so many texts were read or the time is up."""

    _texts_of: TextsOf
    _in_time: Callable[[], bool]

    def __init__(self, matches: Matches, *, texts: int) -> None:
        self._matches = matches
        self._left = self._texts = texts
        self._speaking = tuple(dict.fromkeys(positive(matches.plan)))
        self._asking: dict[str, list[TextLeaf]] = {}
        for leaf in matches.leaves:
            if _asks(leaf):
                self._asking.setdefault(leaf.field.name, []).append(leaf)
        self._verdicts = matches.candidates.certain.astype(np.int8)
        self._verdicts += self._verdicts + _UNKNOWN
        asking = (leaf for leaves in self._asking.values() for leaf in leaves)
        self._told = {leaf: np.full(len(self._verdicts), _UNKNOWN, np.int8) for leaf in asking}
        """What the text of each candidate has said of a leaf."""

    def look_into(self, texts_of: TextsOf, in_time: Callable[[], bool]) -> None:
        """Looks texts up here from now on, as long as there is time. Called before anything is judged."""
        self._texts_of, self._in_time = texts_of, in_time

    def allow_a_page(self) -> None:
        """Allows as many texts again as at first: each page may read them."""
        self._left = self._texts

    def goes_on(self) -> bool:
        """Whether another block may be judged."""
        return not self._asking or (self._left > 0 and self._in_time())

    def known(self) -> int:
        """How many candidates are hits as far as is known."""
        return int(np.count_nonzero(self._verdicts == _YES))

    def possible(self) -> Indices:
        """The candidates that are hits as far as is known, or not judged yet."""
        return np.flatnonzero(self._verdicts != _NO)

    def all_known(self) -> bool:
        """Whether every candidate has been judged."""
        return not (self._verdicts == _UNKNOWN).any()

    def settle(self, wanted: Callable[[], bool], texts: int) -> None:
        """Judge what is still open, the newest numbers first, while it is wanted and may be done; reads so many texts."""
        keeps = self._left - texts
        if not (wanted() and self.goes_on()):
            return
        open_ = np.flatnonzero(self._verdicts == _UNKNOWN)
        left = newest_first(open_, self._matches.candidates.number[open_])
        some, size = list(islice(left, _LEAST)), _LEAST
        while some and wanted() and self.goes_on() and self._left > keeps:
            block = next(self._portions(np.array(some[:size], np.intp)))
            self._judge(block)
            size = min(size * _GROWS, _MOST, max(self._left - max(0, keeps), _LEAST))
            some = some[len(block) :]
            some += islice(left, max(0, size - len(some)))

    def judge(self, indices: Indices) -> Iterator[frozenset[str] | None]:
        """For each candidate the fields in which it was found; None if it proves to be no hit.

        Ends before the last of them where no more may be judged.
        """
        for block in self._portions(indices):
            if not self.goes_on():
                return
            found, hits = self._judge(block)
            for at, hit in enumerate(hits.tolist()):
                yield (
                    frozenset(leaf.field.name for leaf in self._speaking if found[leaf][at]) if hit else None
                )

    def _portions(self, indices: Indices) -> Iterator[Indices]:
        """The candidates in blocks, for each of which texts of a bearable length are fetched."""
        letters = np.zeros(len(indices), np.int64)
        for name, asking in self._asking.items():
            docs = self._matches.candidates.doc[indices]
            wanted = np.logical_or.reduce([self._found_in(leaf, docs) for leaf in asking])
            lengths = LENGTHS[self._matches.space.length_codes(name)[docs]]
            # Only of what is asked for: nothing may depend on how long a text is that one may not read.
            letters += np.where(lengths == LENGTHS[-1], _VERY_LONG, lengths) * wanted
        if letters.sum() < _LETTERS:
            yield indices
            return
        block = np.cumsum(letters) // _LETTERS
        yield from np.split(indices, np.flatnonzero(np.diff(block)) + 1)

    def _found_in(self, leaf: Leaf, docs: Docs) -> Mask:
        return self._matches.found(leaf, docs)

    def _judge(self, indices: Indices) -> tuple[dict[Leaf, Mask], Mask]:
        """Which leaves found each candidate, and which candidates are hits."""
        matches, docs = self._matches, self._matches.candidates.doc[indices]
        found = {leaf: self._found_in(leaf, docs) for leaf in matches.leaves}
        self._ask(found, indices)
        facts = Facts(
            lambda leaf: Truth(found[leaf], found[leaf]), lambda tier: matches.scope.held(tier).of(docs)
        )
        hits = judged(matches.plan, facts).certain
        self._verdicts[indices] = hits
        return found, hits

    def _ask(self, found: dict[Leaf, Mask], indices: Indices) -> None:
        """Take back what a leaf nominated and the text does not say."""
        for name, asking in self._asking.items():
            untold = [found[leaf] & (self._told[leaf][indices] == _UNKNOWN) for leaf in asking]
            doubtful = indices[np.logical_or.reduce(untold)]
            if len(doubtful):
                texts = self._fetched(name, doubtful)
                for leaf in asking:
                    check = being if leaf.whole else saying
                    self._told[leaf][doubtful] = check(texts, leaf.wanted.phrase or "")
            for leaf in asking:
                found[leaf] &= self._told[leaf][indices] == _YES

    def _fetched(self, name: str, indices: Indices) -> list[str]:
        numbers = self._matches.candidates.number[indices].tolist()
        known = self._texts_of(numbers, name)
        texts = [known.get(number, "") for number in numbers]
        self._left -= sum(1 + len(text) // _COUNTED_ONCE for text in texts)
        return texts


def _asks(leaf: Leaf) -> TypeGuard[TextLeaf]:
    """Whether the text has the last word."""
    return isinstance(leaf, TextLeaf) and leaf.wanted.phrase is not None
