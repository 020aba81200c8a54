"""The tasks of ``storage.pages``."""

from pathlib import Path
from typing import Any

from PIL import Image

from storage.limits import Limits
from storage.pages import Rendition, file_names
from storage.processing import Processing, Step

from . import codes
from .child import Say
from .foreign import foreign
from .formats import Format
from .opening import opened
from .pdf import use_fonts
from .processing import processed, repeated
from .quality import measured
from .source import Drawn, Source


def inspect(request: dict[str, Any], limits: Limits, say: Say) -> dict[str, Any]:  # noqa: ARG001 - the form of a task
    """What the file is; see ``FileFacts``."""
    return _facts(*opened(Path(request["path"]), limits))


def _facts(kind: Format, source: Source) -> dict[str, Any]:
    return {
        "mime": kind.mime,
        "page_count": source.page_count,
        "encrypted": source.encrypted,
        "repaired": source.repaired,
    }


def render(request: dict[str, Any], limits: Limits, say: Say) -> dict[str, Any]:
    """Say what the file is, then draw page after page, and say of each what ``PageImage`` tells."""
    rendition = Rendition(**request["rendition"])
    limits_of_steps = Processing(**request["processing"]) if request["processing"] else None
    known = [Step.of(step) for step in request["steps"]]
    if request["fonts"]:
        use_fonts(Path(request["fonts"]))
    kind, source = opened(Path(request["path"]), limits)
    say(_facts(kind, source))
    for number in range(request["first_page"], source.page_count + 1):
        with foreign(page=number):
            drawn = source.draw(number, rendition)
            quality = measured(drawn.image, bitonal=drawn.bitonal)
            said = codes.said(drawn.image) if request["codes"] else []
            image, steps = _finished(drawn, quality["tilt"], limits_of_steps, known)
            _save(image, drawn.dpi, [Path(request["output"], name) for name in file_names(number)], rendition)
        width, height = image.size
        say(
            {
                "width": width,
                "height": height,
                "dpi": drawn.dpi,
                "rotation": drawn.rotation,
                "lines": drawn.lines,
                "quality": quality,
                "codes": said,
                "steps": [step.told() for step in steps],
            }
        )
    return {}


def _finished(
    drawn: Drawn, tilt: float | None, limits: Processing | None, known: list[Step]
) -> tuple[Image.Image, list[Step]]:
    """The picture as it is shown. A page that brings its text stays as it is: the words stand where they stand on it."""
    if known:
        return repeated(drawn.image, known), known
    if limits is None or drawn.lines:
        return drawn.image, []
    return processed(drawn.image, tilt, drawn.dpi, limits)


def _save(image: Image.Image, known_dpi: int | None, files: list[Path], rendition: Rendition) -> None:
    """Written as pixels alone: neither EXIF nor colour profile, nor anything else of the foreign file, comes along."""
    thumbnail = image.copy()
    thumbnail.thumbnail((rendition.thumbnail, rendition.thumbnail), Image.Resampling.BICUBIC)
    dpi = known_dpi or 0
    image.info, thumbnail.info = {}, {}
    image.save(files[0], "JPEG", quality=rendition.quality, dpi=(dpi, dpi))
    # WebP takes a millisecond more here and a third to a half of the bytes less. Of the whole page it would take a second.
    thumbnail.save(files[1], "WEBP", quality=rendition.thumbnail_quality, method=2)
