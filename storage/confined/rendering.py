"""The tasks of ``storage.pages``."""

from pathlib import Path
from typing import Any

from PIL import Image

from storage.limits import Limits
from storage.pages import Rendition, file_names

from . import codes
from .child import Say
from .foreign import foreign
from .opening import opened
from .pdf import use_fonts
from .quality import measured
from .source import Drawn


def inspect(request: dict[str, Any], limits: Limits, say: Say) -> dict[str, Any]:  # noqa: ARG001 - the form of a task
    """What the file is; see ``FileFacts``."""
    kind, source = opened(Path(request["path"]), limits)
    return {
        "mime": kind.mime,
        "page_count": source.page_count,
        "encrypted": source.encrypted,
        "repaired": source.repaired,
    }


def render(request: dict[str, Any], limits: Limits, say: Say) -> dict[str, Any]:
    """Draw page after page, and say of each what ``PageImage`` tells."""
    rendition = Rendition(**request["rendition"])
    if request["fonts"]:
        use_fonts(Path(request["fonts"]))
    _, source = opened(Path(request["path"]), limits)
    say({"opened": True})
    for number in range(request["first_page"], source.page_count + 1):
        with foreign(page=number):
            drawn = source.draw(number, rendition)
            _save(drawn, [Path(request["output"], name) for name in file_names(number)], rendition)
        width, height = drawn.image.size
        say(
            {
                "width": width,
                "height": height,
                "dpi": drawn.dpi,
                "rotation": drawn.rotation,
                "lines": drawn.lines,
                "quality": measured(drawn.image),
                "codes": codes.said(drawn.image) if request["codes"] else [],
            }
        )
    return {}


def _save(drawn: Drawn, files: list[Path], rendition: Rendition) -> None:
    """Written as pixels alone: neither EXIF nor colour profile, nor anything else of the foreign file, comes along."""
    image, thumbnail = drawn.image, drawn.image.copy()
    thumbnail.thumbnail((rendition.thumbnail, rendition.thumbnail), Image.Resampling.BICUBIC)
    dpi = drawn.dpi or 0
    for picture, file in zip((image, thumbnail), files, strict=True):
        picture.info = {}
        picture.save(file, "JPEG", quality=rendition.quality, dpi=(dpi, dpi))
