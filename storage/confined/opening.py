"""A foreign file is opened by what it is."""

from pathlib import Path

from storage.limits import Limits, Reason, Refused

from .foreign import foreign
from .formats import PDF, Format, format_of
from .pdf import PdfSource
from .pictures import PictureSource
from .source import Source


def opened(path: Path, limits: Limits) -> tuple[Format, Source]:
    """Raises Refused."""
    kind = format_of(path)
    with foreign():
        source: Source = PdfSource(path, limits) if kind is PDF else PictureSource(path, kind, limits)
    if source.page_count > limits.pages:
        raise Refused(Reason.TOO_MANY_PAGES)
    if source.page_count < 1:
        raise Refused(Reason.BROKEN, detail="no pages")
    return kind, source
