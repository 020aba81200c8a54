"""图像处理: what may be done to the picture of a page when it is made, and what has been done. Masters stay as they came."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

BORDERS, DESKEW, CROP, DESPECKLE = "borders", "deskew", "crop", "despeckle"
NAMES = (BORDERS, DESKEW, CROP, DESPECKLE)
"""The steps in the order in which they are taken."""
_MOST_NUMBERS = 4096


@dataclass(frozen=True, slots=True)
class Processing:
    """处理参数: which steps are taken, and within which limits."""

    deskew: bool = True
    borders: bool = True
    crop: bool = True
    despeckle: bool = True
    deskew_from_tenths: int = 3
    """Tenths of a degree: what lies straighter is left alone."""
    deskew_most_tenths: int = 60
    """What lies more askew than this is askew on purpose, or no lines were found."""
    black_percent: int = 30
    """So much of an edge must be black, to be the scanner's and not the page's."""
    crop_from_mm: int = 8
    """A black edge is painted over; one that is wider all along is the bed around a smaller sheet, and cut off."""
    speck_um: int = 400
    """Micrometres: how large a speck may be."""


@dataclass(frozen=True, slots=True)
class Step:
    """处理步骤: what was done, with the numbers by which it can be done again to the same master."""

    name: str
    numbers: tuple[float, ...]
    """borders: red, green, blue of the paper, then for stretches of equal length how many pixels deep it was painted, along
    the left, the top, the right and the bottom edge. deskew: degrees as of `tilt`, and the paper. crop: left, top, right, bottom.
    despeckle: left, top, right, bottom of each place."""

    @classmethod
    def of(cls, said: Any) -> "Step":
        """Takes nothing on trust. Raises KeyError, TypeError, ValueError."""
        name, numbers = said["name"], tuple(said["numbers"])
        sound = all(type(one) in (int, float) and isfinite(one) for one in numbers)
        if name not in NAMES or not numbers or len(numbers) > _MOST_NUMBERS or not sound:
            raise ValueError("no step")
        return cls(name, numbers)

    def larger(self, by: float) -> "Step":
        """The same step on a picture of the same page that is so much larger."""
        colours = {BORDERS: 3, DESKEW: len(self.numbers)}.get(self.name, 0)  # and degrees: neither grows
        grown = (round(number * by) for number in self.numbers[colours:])
        return Step(self.name, (*self.numbers[:colours], *grown))

    def told(self) -> dict[str, Any]:
        """As it is kept, and handed to the child."""
        return {"name": self.name, "numbers": list(self.numbers)}
