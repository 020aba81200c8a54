"""The logic of a plan, before the text has been asked: what is certain, and what is possible."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .allowed import Mask
from .fields import Tier
from .plan import AllOf, Leaf, OneOf, Plan, Ways, Without


@dataclass(frozen=True, eq=False)
class Truth:
    """For each document whether it is surely a hit and whether it may be one; ``certain`` implies ``possible``."""

    certain: Mask
    possible: Mask

    def __and__(self, other: "Truth") -> "Truth":
        return Truth(self.certain & other.certain, self.possible & other.possible)

    def __or__(self, other: "Truth") -> "Truth":
        return Truth(self.certain | other.certain, self.possible | other.possible)

    def without(self, universe: Mask) -> "Truth":
        """The negation, within the universe only: outside it nothing is a hit, so nothing shows."""
        return Truth(universe & ~self.possible, universe & ~self.certain)


@dataclass(frozen=True)
class Facts:
    """Where a plan is judged: the truth of each leaf, and the documents held at each tier, all of one shape."""

    leaf: Callable[[Leaf], Truth]
    held: Callable[[Tier], Mask]


def judged(node: Plan, facts: Facts) -> Truth:
    """The truth of a plan."""
    match node:
        case AllOf(parts):
            held = facts.held(Tier.DISCOVER)
            truth = Truth(held, held)
            for part in parts:
                truth = truth & judged(part, facts)
            return truth
        case OneOf((first, *others), 1):
            truth = judged(first, facts)
            for part in others:
                truth = truth | judged(part, facts)
            return truth
        case OneOf(parts, least):
            certain = np.zeros(facts.held(Tier.DISCOVER).shape, np.int16)
            possible = certain.copy()
            for part in parts:
                truth = judged(part, facts)
                certain += truth.certain
                possible += truth.possible
            return Truth(certain >= least, possible >= least)
        case Ways():
            return judged(OneOf(node.parts), facts)
        case Without(part, tier):
            return judged(part, facts).without(facts.held(tier))
        case _:
            return facts.leaf(node)
