"""Who may see what: a mask over node numbers for each tier, given anew with every search."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .fields import Tier

Mask = NDArray[np.bool_]


class Sealed:
    """封存的许可: a copy of a mask that nobody can write in any more; so its contents are read once and not with every search.

    Raises TypeError for what is no mask.
    """

    def __init__(self, mask: Mask) -> None:
        self.mask: Mask = np.frombuffer(_flat(mask).tobytes(), np.bool_)
        self.key = np.packbits(self.mask).tobytes()
        """All that it says, and nothing else: of two that allow the same it is the same."""
        self.size = self.mask.nbytes + len(self.key)
        """Bytes in memory."""


class Allowed(Protocol):
    """许可: the documents that somebody holds at a tier.

    ``mask`` is indexed by node number; a number beyond its end is not allowed. A tier is only ever consulted together
    with those below it, so a node allowed at *read* but not at *discover* is not found at all.
    """

    def mask(self, tier: Tier) -> Mask | Sealed: ...


def _nothing() -> Mask:
    return np.zeros(0, dtype=np.bool_)


@dataclass(frozen=True, eq=False)
class Masks:
    """Three arrays made beforehand. What is not given allows nothing."""

    discover: Mask = field(default_factory=_nothing)
    identify: Mask = field(default_factory=_nothing)
    read: Mask = field(default_factory=_nothing)

    def mask(self, tier: Tier) -> Mask:
        return (self.discover, self.identify, self.read)[tier]


NOBODY = Masks()
"""May see nothing."""


def sealed(allowed: Allowed, tier: Tier) -> Sealed:
    """The mask of a tier as it is now. Raises TypeError for anything but a flat array of booleans: None must not mean *all*."""
    mask = allowed.mask(tier)
    return mask if isinstance(mask, Sealed) else Sealed(mask)


def _flat(mask: object) -> Mask:
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.ndim != 1:
        raise TypeError("a mask of allowed numbers is a flat array of booleans")
    return mask
