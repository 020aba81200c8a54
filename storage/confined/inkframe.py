"""Where on a page anything is printed at all: looking for lines costs by area, and a third of a page is margin."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]

_CELL = 8  # pixels of half the size, by which the page is looked over
_DARKER = 32  # of 255, than the paper: pale thermal print has 50, the grain of a scan less
_MARGIN = 3  # cells, which a line needs around it to be found
_FLAT = 4  # times as wide as high: what is flatter is not a page to whoever looks for lines


def inked(page: Image) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the part that bears ink, in pixels; the whole page where none stands out."""
    height, width = page.shape[:2]
    half = cv2.resize(
        cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA
    )
    darkest = cv2.erode(half, np.ones((_CELL, _CELL), np.uint8))[::_CELL, ::_CELL]
    dark = darkest < int(np.median(half)) - _DARKER
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    if not rows.size:
        return 0, 0, width, height
    step = 2 * _CELL
    left, right = _span(columns, step, width)
    top, bottom = _span(rows, step, height)
    lacking = -(-(right - left) // _FLAT) - (bottom - top)
    if lacking > 0:
        top, bottom = max(0, top - lacking), min(height, bottom + lacking)
    return left, top, right, bottom


def _span(cells: NDArray[np.intp], step: int, length: int) -> tuple[int, int]:
    return max(0, (int(cells[0]) - _MARGIN) * step), min(length, (int(cells[-1]) + 1 + _MARGIN) * step)
