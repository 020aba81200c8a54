"""The task of ``storage.detail``."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from PIL import Image

from storage.limits import Limits
from storage.pages import Rendition
from storage.processing import Step
from storage.turning import clockwise

from .child import Say
from .foreign import foreign
from .opening import opened
from .pdf import use_fonts
from .processing import repeated

_MORE = 1.1
"""By so much the master must be finer than the access copy, or nobody would see it."""
_ALL = 0.99


def cut(request: dict[str, Any], limits: Limits, say: Say) -> dict[str, Any]:  # noqa: ARG001 - the form of a task
    """Draw one page, cut it, and say of it what ``Detail`` tells."""
    number, finest = request["number"], Rendition(**request["finest"])
    if request["fonts"]:
        use_fonts(Path(request["fonts"]))
    _, source = opened(Path(request["path"]), limits)
    with foreign(page=number):
        scale = source.scale(number, finest)
        finer = scale / source.scale(number, Rendition(**request["coarse"]))
        limited = scale < _ALL * source.scale(number, replace(finest, pixels=None))
        if finer < _MORE:
            return {"width": 0, "height": 0, "limited": limited, "lengths": []}
        steps = [Step.of(step).larger(finer) for step in request["steps"]]
        image = repeated(source.draw(number, finest).image, steps)
        if request["rotation"]:
            image = clockwise(image, request["rotation"])
        lengths = _cut(image, request["side"], Path(request["output"]))
    return {"width": image.width, "height": image.height, "limited": limited, "lengths": lengths}


def _cut(image: Image.Image, side: int, output: Path) -> list[int]:
    """Writes the squares one behind the other, as pixels alone; gives how long each is."""
    image.info = {}
    ends = [0]
    with output.open("wb") as file:
        for top in range(0, image.height, side):
            for left in range(0, image.width, side):
                right, bottom = min(left + side, image.width), min(top + side, image.height)
                image.crop((left, top, right, bottom)).save(file, "JPEG", quality=Rendition().quality)
                ends.append(file.tell())
    return [end - begin for begin, end in pairwise(ends)]
