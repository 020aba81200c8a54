"""A plan looked up in every segment: the candidates, how they score, and which the text has yet to confirm."""

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from .allowed import Mask
from .columns import Ints
from .fields import Tier
from .lookup import Found, Tick, look_up
from .plan import Leaf, Plan, TextLeaf, leaves, positive
from .scope import Scope
from .segments import LENGTHS, Counts, Docs
from .truth import Facts, Truth, judged

_K1, _B = 1.2, 0.75  # the customary constants of BM25


@dataclass(frozen=True, eq=False)
class Candidates:
    """Documents that are hits, or may be: the part and place of each, its node's number, and whether it is certain."""

    part: Ints
    doc: Docs
    number: Ints
    certain: Mask

    def __len__(self) -> int:
        return len(self.doc)

    def at(self, indices: NDArray[np.intp]) -> "Candidates":
        return Candidates(self.part[indices], self.doc[indices], self.number[indices], self.certain[indices])

    def held(self, scope: Scope, tier: Tier) -> Mask:
        """Which of them are held at a tier."""
        found = np.zeros(len(self), np.bool_)
        for at, mask in enumerate(scope.masks(tier)):
            here = self.part == at
            found[here] = mask[self.doc[here]]
        return found


class Matches:
    """The leaves of a plan, found once; everything else about the search is read off here."""

    def __init__(self, plan: Plan, scope: Scope, tick: Tick) -> None:
        self.plan = plan
        self.scope = scope
        self.leaves = tuple(leaves(plan))
        self.found = {leaf: self._found(leaf, tick) for leaf in self.leaves}
        self.candidates = self._candidates()

    def _found(self, leaf: Leaf, tick: Tick) -> tuple[Found, ...]:
        masks = self.scope.masks(leaf.field.tier)
        parts = zip(self.scope.snapshot.parts, masks, strict=True)
        return tuple(look_up(leaf, part.view, mask, tick) for part, mask in parts)

    def _candidates(self) -> Candidates:
        parts = [_NO_CANDIDATES, *map(self._of_part, range(len(self.scope.snapshot.parts)))]
        ends = np.cumsum([len(part) for part in parts]).tolist()
        self._bounds = list(map(slice, ends, ends[1:]))
        return Candidates(
            np.concatenate([part.part for part in parts]),
            np.concatenate([part.doc for part in parts]),
            np.concatenate([part.number for part in parts]),
            np.concatenate([part.certain for part in parts]),
        )

    def _of_part(self, at: int) -> Candidates:
        view = self.scope.snapshot.parts[at].view

        def spread(leaf: Leaf) -> Truth:
            return _spread(leaf, self.found[leaf][at].docs, view.size)

        truth = judged(self.plan, Facts(spread, lambda tier: self.scope.masks(tier)[at]))
        docs = np.flatnonzero(truth.possible)
        numbers = view.numbers("number")[docs]
        return Candidates(np.full(len(docs), at, np.int64), docs, numbers, truth.certain[docs])

    def scores(self) -> Counts:
        """BM25 of each candidate, with frequencies and lengths counted over nothing but what is held.

        Whole collections of numbers are counted as integers, so hidden documents cannot even change the rounding.
        """
        scores = np.zeros(len(self.candidates))
        for leaf in dict.fromkeys(positive(self.plan)):
            for lexeme in range(len(self.found[leaf][0].counts) if self.found[leaf] else 0):
                self._add_lexeme(leaf, lexeme, scores)
        return scores

    def _add_lexeme(self, leaf: Leaf, lexeme: int, scores: Counts) -> None:
        held = self.scope.count(leaf.field.tier)
        holders = sum(part.holders[lexeme] for part in self.found[leaf])
        rarity = leaf.field.weight * log(1 + (held - holders + 0.5) / (holders + 0.5))
        for at, found in enumerate(self.found[leaf]):
            counts = found.counts[lexeme]
            of_all = np.zeros(self.scope.snapshot.parts[at].view.size)
            of_all[found.docs] = (
                rarity * counts * (_K1 + 1) / (counts + self._saturation(leaf, at, found.docs))
            )
            here = self._bounds[at]
            scores[here] += of_all[self.candidates.doc[here]]

    def _saturation(self, leaf: Leaf, at: int, docs: Docs) -> Counts:
        if not isinstance(leaf, TextLeaf):
            return np.full(len(docs), _K1)
        lengths = LENGTHS[self.scope.snapshot.parts[at].view.length_codes(leaf.field.name)[docs]]
        relative = lengths.astype(np.float64) / self.scope.mean_length(leaf.field)
        return _K1 * (1 - _B + _B * relative)


_NO_DOCS = np.zeros(0, np.int64)
_NO_CANDIDATES = Candidates(_NO_DOCS, _NO_DOCS, _NO_DOCS, np.zeros(0, np.bool_))


def _spread(leaf: Leaf, docs: Docs, size: int) -> Truth:
    """What a leaf found as truth over a whole segment; a leaf with a phrase proves nothing yet."""
    possible = np.zeros(size, np.bool_)
    possible[docs] = True
    needs_text = isinstance(leaf, TextLeaf) and leaf.wanted.phrase is not None
    return Truth(np.zeros(size, np.bool_) if needs_text else possible, possible)
