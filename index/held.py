"""What is held at one tier by whoever has certain masks: worked out once for each state of the index."""

import numpy as np
from numpy.typing import NDArray

from .allowed import Mask
from .docs import Docs
from .segments import LENGTHS


class Held:
    """持有范围: for each document whether it is alive and held at a tier and those below it; and what is counted over these."""

    def __init__(self, mask: Mask, key: tuple[bytes, ...]) -> None:
        self.mask = mask
        self.count = int(np.count_nonzero(mask))
        """How many documents are held."""
        self.size = mask.nbytes + sum(map(len, key))
        """Bytes in memory, with what it is found by."""
        self._all = self.count == len(mask)
        self._means: dict[str, float] = {}

    def of(self, docs: Docs) -> Mask:
        """Which of some documents are held."""
        return np.ones(len(docs), np.bool_) if self._all else self.mask[docs]

    def mean_length(self, name: str, codes: NDArray[np.uint8]) -> float:
        """The mean length of a TEXT field, whose length codes these are, over the documents held; at least 1."""
        if name not in self._means:
            total = int(np.bincount(codes[self.mask], minlength=len(LENGTHS)) @ LENGTHS)
            self._means[name] = max(1.0, total / max(1, self.count))
        return self._means[name]
