"""What somebody may see of a snapshot. Every look-up, count and statistic goes through here, so nothing else shows."""

import numpy as np

from .allowed import Allowed, Mask, checked
from .columns import Ints
from .fields import FieldSpec, Tier
from .segments import LENGTHS
from .snapshot import Snapshot


class Scope:
    """The documents of one snapshot, at each tier, that one person holds. Lives for one search."""

    def __init__(self, snapshot: Snapshot, allowed: Allowed) -> None:
        self.snapshot = snapshot
        self._allowed = allowed
        self._masks: dict[Tier, tuple[Mask, ...]] = {}
        self._means: dict[str, float] = {}

    def masks(self, tier: Tier) -> tuple[Mask, ...]:
        """For each part of the snapshot the documents that are alive and held at the tier and at those below it."""
        if tier not in self._masks:
            mask = checked(self._allowed, tier)
            own = tuple(
                part.alive & _looked_up(mask, part.view.numbers("number")) for part in self.snapshot.parts
            )
            if tier > Tier.DISCOVER:
                below = self.masks(Tier(tier - 1))
                own = tuple(mine & theirs for mine, theirs in zip(own, below, strict=True))
            self._masks[tier] = own
        return self._masks[tier]

    def count(self, tier: Tier) -> int:
        """How many documents are held at a tier."""
        return sum(int(np.count_nonzero(mask)) for mask in self.masks(tier))

    def mean_length(self, field: FieldSpec) -> float:
        """The mean length of a TEXT field over the documents held at its tier; at least 1."""
        if field.name not in self._means:
            total = 0
            for part, mask in zip(self.snapshot.parts, self.masks(field.tier), strict=True):
                codes = part.view.length_codes(field.name)[mask]
                total += int(np.bincount(codes, minlength=len(LENGTHS)) @ LENGTHS)
            self._means[field.name] = max(1.0, total / max(1, self.count(field.tier)))
        return self._means[field.name]


def _looked_up(mask: Mask, numbers: Ints) -> Mask:
    """The mask at each number; one outside it is not allowed. (To numpy a negative one would count from the end.)"""
    within = (numbers >= 0) & (numbers < len(mask))
    found = np.zeros(len(numbers), np.bool_)
    found[within] = mask[numbers[within]]
    return found
