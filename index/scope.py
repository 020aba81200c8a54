"""What somebody may see of a snapshot. Every look-up, count and statistic goes through here, so nothing else shows."""

import numpy as np

from .allowed import NOBODY, Allowed, Mask, sealed
from .columns import Ints
from .fields import FieldSpec, Tier
from .held import Held
from .snapshot import Snapshot


class Scope:
    """The documents of one snapshot, at each tier, that one person holds.

    What was worked out for an earlier search is found by the contents of the masks and by nothing else: whoever comes
    with other masks, if only because a right was revoked, has nothing of it.
    """

    def __init__(self, snapshot: Snapshot, allowed: Allowed) -> None:
        self.space = snapshot.space
        self._allowed = allowed
        self._found: dict[Tier, tuple[Held, tuple[bytes, ...]]] = {}

    def key(self) -> tuple[tuple[bytes, ...], ...]:
        """All that the masks say at each tier, and nothing else. Whoever allowed it is not asked, or kept, any longer."""
        found = tuple(self._at(tier)[1] for tier in Tier)
        self._allowed = NOBODY
        return found

    def held(self, tier: Tier) -> Held:
        """What is held at a tier and at those below it."""
        return self._at(tier)[0]

    def mean_length(self, field: FieldSpec) -> float:
        """The mean length of a TEXT field over the documents held at its tier; at least 1."""
        return self.held(field.tier).mean_length(field.name, self.space.length_codes(field.name))

    def _at(self, tier: Tier) -> tuple[Held, tuple[bytes, ...]]:
        if tier not in self._found:
            below = self._at(Tier(tier - 1)) if tier > Tier.DISCOVER else None
            mask = sealed(self._allowed, tier)  # whoever gave an array may go on writing in it
            held = below[0].mask if below else self.space.alive
            key = tuple(dict.fromkeys((*(below[1] if below else ()), mask.key)))
            found = self.space.held.get(
                key, lambda: Held(held & _looked_up(mask.mask, self.space.numbers("number")), key)
            )
            self._found[tier] = found, key
        return self._found[tier]


def _looked_up(mask: Mask, numbers: Ints) -> Mask:
    """The mask at each number; one outside it is not allowed. (To numpy a negative one would count from the end.)"""
    within = (numbers >= 0) & (numbers < len(mask))
    if within.all():
        return mask[numbers]
    found = np.zeros(len(numbers), np.bool_)
    found[within] = mask[numbers[within]]
    return found
