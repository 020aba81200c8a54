"""Stamps over print: taken away with their ink, so that the words under them are read; what is printed in red stays."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]

_REDDER = 50  # of 255: how much more red than green and blue there is in red ink
_BRIGHT = 110  # red where words lie under the ink is darker than this, and stays
_SOME = 0.0005  # of the page; a stamp of 4 cm has 0.003
_SPREAD = 3  # pixels by which the colours of a JPEG run


def parted(page: Image) -> tuple[Image, Image] | None:
    """The page without its red ink, and the red ink alone; nothing where there is next to none."""
    blue, green, red = cv2.split(page)
    inked = (red > _BRIGHT) & (red.astype(np.int16) - np.maximum(green, blue) > _REDDER)
    if np.count_nonzero(inked) < _SOME * inked.size:
        return None
    spread = cv2.dilate(inked.astype(np.uint8), np.ones((_SPREAD, _SPREAD), np.uint8)).astype(bool)
    paper = int(np.median(red))
    # In red light red ink is nearly white, and black print as dark as ever.
    plain = np.where(spread & (red > _BRIGHT), paper, red).astype(np.uint8)
    alone = np.where(spread, green, paper).astype(np.uint8)
    return cv2.cvtColor(plain, cv2.COLOR_GRAY2BGR), cv2.cvtColor(alone, cv2.COLOR_GRAY2BGR)
