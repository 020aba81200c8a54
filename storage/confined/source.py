"""What a PDF and a picture have in common once they are open."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from PIL.Image import Image

from storage.pages import Rendition
from storage.textlines import TextLine


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page as an upright picture, in grey or RGB."""

    image: Image
    dpi: int | None  # of this picture; None where the file does not say
    rotation: int  # clockwise degrees by which it was turned to stand upright
    lines: list[TextLine] = field(default_factory=list)
    bitonal: bool = False  # it came in black and white alone


class Source(Protocol):
    """An open foreign file. Its methods are called inside ``foreign()``."""

    page_count: int
    encrypted: bool
    repaired: bool
    places: Sequence[int]
    """Where each page lies in the file, counted from 0."""

    def draw(self, number: int, rendition: Rendition) -> Drawn:
        """The page with this number, from 1."""

    def scale(self, number: int, rendition: Rendition) -> float:
        """How finely the page would be drawn, in whatever measure: one rendition is to be set against another."""

    def fresh(self) -> None:
        """Give back what the pages that were drawn have taken of memory."""
