"""The task of ``storage.extraction``."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from storage.extraction import file_name
from storage.limits import Limits, Reason, Refused
from storage.pages import Rendition

from .child import Say
from .foreign import foreign
from .formats import PDF, Format
from .opening import opened
from .pdfmarks import settled
from .pdfpages import copy_pages, memory
from .source import Source
from .tiffs import copy_frames
from .walls import is_short_of_memory

_LOOK = Rendition(dpi=100, scan_dpi=100)
"""What a page looks like is compared at this size."""
# pdfium draws what was filled in with coloured edges, and what has become part of the page with grey ones. Measured, of
# 255: 13 for that; 96 for a letter of five points that is another, 115 for a full stop that is missing.
_UNSEEN = 32


def extract(request: dict[str, Any], limits: Limits, say: Say) -> dict[str, Any]:
    """Write part after part, and look whether its pages are what they were. A page is a step."""
    path, output = Path(request["path"]), Path(request["output"])
    parts: list[list[int]] = request["parts"]
    kind, source = opened(path, limits)
    every = list(range(1, source.page_count + 1))
    for part in parts:
        _require(part, source.page_count)
    cut = sorted({number for part in parts if part != every for number in part})
    with _ready(kind, path, source, cut, output, limits, lambda: say({})) as copier:
        for place, part in enumerate(parts):
            target = output / file_name(place)
            if part == every:
                shutil.copyfile(path, target)
                continue
            with foreign(page=part[0]), memory(limits):
                copier(_places(source, part), target)
            _compare(source, part, target, limits, say)
    return {"mime": kind.mime}


def _require(part: Sequence[int], page_count: int) -> None:
    if not part or not all(1 <= number <= page_count for number in part):
        raise ValueError(f"no such pages: {part} of {page_count}")


@contextmanager
def _ready(
    kind: Format,
    path: Path,
    source: Source,
    cut: Sequence[int],
    output: Path,
    limits: Limits,
    step: Callable[[], None],
) -> Iterator[Callable[[Sequence[int], Path], None]]:
    """What writes pages of the file into a file of their own."""
    if kind is not PDF or not cut:
        yield partial(copy_frames, path)
        return
    copies = [output / name for name in ("settled-0", "settled-1")]
    try:
        with foreign(), memory(limits):
            ready = settled(path, _places(source, cut), copies, step, is_mended=source.repaired)
        yield partial(copy_pages, ready, limits=limits, step=step)
    finally:
        for copy in copies:
            copy.unlink(missing_ok=True)


def _places(source: Source, part: Sequence[int]) -> list[int]:
    """Where the pages lie in the file: a TIFF has previews between them."""
    return [source.places[number - 1] for number in part]


def _compare(source: Source, part: Sequence[int], target: Path, limits: Limits, say: Say) -> None:
    with foreign(page=part[0]):
        _, made = opened(target, limits)
    if made.page_count != len(part):
        raise Refused(Reason.NOT_APART, detail=f"{made.page_count} pages instead of {len(part)}")
    for place, number in enumerate(part, start=1):
        with foreign(page=number):
            if not _same(source.draw(number, _LOOK).image, made.draw(place, _LOOK).image):
                _look_again(source, number, made, place, limits)
        say({"page": number})


def _look_again(source: Source, number: int, made: Source, place: int, limits: Limits) -> None:
    """With all memory that there is: pdfium leaves a picture out without a word where it lacks some. Raises Refused."""
    images = []
    for file, page in ((source, number), (made, place)):
        source.fresh()
        made.fresh()
        images.append(file.draw(page, _LOOK).image)
    if not _same(*images):
        raise Refused(Reason.TOO_MUCH_MEMORY if is_short_of_memory(limits) else Reason.NOT_APART, page=number)


def _same(before: Image.Image, after: Image.Image) -> bool:
    if before.size != after.size:
        return False
    if before.mode == after.mode and before.tobytes() == after.tobytes():
        return True
    one, other = (np.asarray(image.convert("L"), np.int16) for image in (before, after))
    return int(np.abs(one - other).max()) <= _UNSEEN
