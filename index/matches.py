"""A plan looked up in every segment: the candidates, how they score, and which the text has yet to confirm."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from .allowed import Mask
from .columns import Ints
from .fields import FieldSpec, Tier
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
        parts = [self._of_part(at) for at in range(len(self.scope.snapshot.parts))]
        return Candidates(*(_joined([part[column] for part in parts], kind) for column, kind in enumerate(_KINDS)))

    def _of_part(self, at: int) -> tuple[Ints, Docs, Ints, Mask]:
        view = self.scope.snapshot.parts[at].view
        truth = judged(
            self.plan,
            Facts(lambda leaf: _spread(leaf, self.found[leaf][at].docs, view.size), lambda t: self.scope.masks(t)[at]),
        )
        docs = np.flatnonzero(truth.possible)
        return np.full(len(docs), at), docs, view.numbers("number")[docs], truth.certain[docs]

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
        held, holders = self.scope.count(leaf.field.tier), sum(part.holders[lexeme] for part in self.found[leaf])
        rarity = leaf.field.weight * log(1 + (held - holders + 0.5) / (holders + 0.5))
        for at, found in enumerate(self.found[leaf]):
            counts = found.counts[lexeme]
            score = rarity * counts * (_K1 + 1) / (counts + self._saturation(leaf, leaf.field, at, found.docs))
            here = np.flatnonzero(self.candidates.part == at)
            own = np.isin(found.docs, self.candidates.doc[here], assume_unique=True)
            scores[here[np.searchsorted(self.candidates.doc[here], found.docs[own])]] += score[own]

    def _saturation(self, leaf: Leaf, field: FieldSpec, at: int, docs: Docs) -> Counts | float:
        if not isinstance(leaf, TextLeaf):
            return _K1
        lengths = LENGTHS[self.scope.snapshot.parts[at].view.length_codes(field.name)[docs]]
        return _K1 * (1 - _B + _B * lengths / self.scope.mean_length(field))


_KINDS = (np.int64, np.int64, np.int64, np.bool_)


def _joined(arrays: Sequence[NDArray[np.generic]], kind: type) -> NDArray[np.generic]:
    return np.concatenate([np.zeros(0, kind), *arrays])


def _spread(leaf: Leaf, docs: Docs, size: int) -> Truth:
    """What a leaf found as truth over a whole segment; a leaf with a chain proves nothing yet."""
    possible = np.zeros(size, np.bool_)
    possible[docs] = True
    needs_text = isinstance(leaf, TextLeaf) and leaf.wanted.chain is not None
    return Truth(np.zeros(size, np.bool_) if needs_text else possible, possible)
