"""The task of ``storage.extraction``."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from storage.extraction import file_name
from storage.limits import Limits, Reason, Refused
from storage.pages import Rendition

from .child import Say
from .foreign import foreign
from .formats import PDF, TIFF, Format
from .opening import opened
from .pdfpages import copy_pages
from .source import Source
from .tiffs import copy_frames

_LOOK = Rendition(dpi=100, scan_dpi=100)
"""What a page looks like is compared at this size."""
# pdfium draws what was filled in with coloured edges, and what has become part of the page with grey ones. Measured, of
# 255: 13 for that; 96 for a letter of five points that is another, 115 for a full stop that is missing.
_UNSEEN = 32


def extract(request: dict[str, Any], limits: Limits, say: Say) -> dict[str, Any]:
    """Write part after part, and look whether its pages are what they were."""
    path, output = Path(request["path"]), Path(request["output"])
    kind, source = opened(path, limits)
    for place, part in enumerate(request["parts"]):
        _require(part, source.page_count)
        target = output / file_name(place)
        with foreign(page=part[0]):
            if part == list(range(1, source.page_count + 1)):
                shutil.copyfile(path, target)
            else:
                _copier(kind)(path, _places(source, part), target)
                _, made = opened(target, limits)
                _compare(source, part, made)
        say({"part": place})
    return {"mime": kind.mime}


def _require(part: Sequence[int], page_count: int) -> None:
    if not part or not all(1 <= number <= page_count for number in part):
        raise ValueError(f"no such pages: {part} of {page_count}")


def _copier(kind: Format) -> Callable[[Path, Sequence[int], Path], None]:
    copiers: dict[Format, Callable[[Path, Sequence[int], Path], None]] = {PDF: copy_pages, TIFF: copy_frames}
    return copiers[kind]


def _places(source: Source, part: Sequence[int]) -> list[int]:
    """Where the pages lie in the file: a TIFF has previews between them."""
    return [source.places[number - 1] for number in part]


def _compare(source: Source, part: Sequence[int], made: Source) -> None:
    if made.page_count != len(part):
        raise Refused(Reason.NOT_APART, detail=f"{made.page_count} pages instead of {len(part)}")
    for place, number in enumerate(part, start=1):
        if not _same(source.draw(number, _LOOK).image, made.draw(place, _LOOK).image):
            raise Refused(Reason.NOT_APART, page=number)


def _same(before: Image.Image, after: Image.Image) -> bool:
    if before.size != after.size:
        return False
    if before.mode == after.mode and before.tobytes() == after.tobytes():
        return True
    one, other = (np.asarray(image.convert("L"), np.int16) for image in (before, after))
    return int(np.abs(one - other).max()) <= _UNSEEN
