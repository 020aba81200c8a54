"""Some pages of a foreign file become a file of their own, as they are. All reading happens in ``storage.sandbox``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .limits import MIB, Limits, Reason, Refused
from .sandbox import run, written

LIMITS = Limits(file_bytes=2048 * MIB, total_seconds=7200)
"""A part is as large as the file that it is cut from, at most. Memory does not grow with the pages: what of a file is in
use at a time is a page, and as much as pdfium keeps until the file is opened again.
"""


@dataclass(frozen=True, slots=True)
class Extract:
    """摘出的页: a file that holds some pages of another one."""

    file: Path
    mime: str
    page_count: int


def extract(
    path: Path, parts: Sequence[Sequence[int]], output: Path, *, limits: Limits | None = None
) -> list[Extract]:
    """Write one file for each list of page numbers, from 1, into the folder ``output``, which must exist.

    A PDF gives PDFs, a TIFF gives TIFFs; a part that is the whole file is its very bytes, so a picture of one page
    stays itself. Pictures inside keep their bytes: nothing is scanned down or compressed again. Nothing of the pages
    left out comes along, whatever lists the pages share. Marks and filled-in forms become part of their page; links,
    bookmarks and attachments stay behind. Each page is drawn before and after, and Refused(NOT_APART) is raised where
    the two would differ.
    Raises Refused; TOO_LARGE_APART for want of memory.
    """
    request = {
        "path": str(path.resolve()),
        "output": str(output.resolve()),
        "parts": [list(part) for part in parts],
    }
    task = "storage.confined.extraction:extract"
    try:
        said = run(task, request, limits=limits or LIMITS, reads=[path], output=output)
    except Refused as refused:
        if refused.reason is not Reason.TOO_MUCH_MEMORY:
            raise
        raise Refused(Reason.TOO_LARGE_APART, page=refused.page, detail=refused.detail) from refused
    files = [written(output / file_name(place)) for place in range(len(parts))]
    return [Extract(file, str(said["mime"]), len(part)) for file, part in zip(files, parts, strict=True)]


def file_name(place: int) -> str:
    """What the child calls the file of a part, so that neither side has to believe the other's names."""
    return f"part-{place:05}"
