"""修复: a PDF that cannot be read as it came is put in order in a copy, by qpdf in ``storage.sandbox``.

The master stays as it is.
"""

from pathlib import Path

from .limits import MIB, Limits
from .sandbox import run, written

LIMITS = Limits(cpu_seconds=300, wall_seconds=600, file_bytes=4096 * MIB, output_bytes=8192 * MIB)
"""The whole file is written again, twice, in one step."""
_NAME = "repaired.pdf"


def repaired(path: Path, folder: Path, *, limits: Limits = LIMITS) -> Path:
    """Write a copy in which whatever could be found again has its place; pages and pictures in it are as they were.

    It may lack pages: somebody has to look. Raises Refused where nothing could be found, and for what is no PDF.
    """
    copy = folder / _NAME
    request = {"path": str(path.resolve()), "output": str(copy.resolve())}
    run("storage.confined.repairing:repair", request, limits=limits, reads=[path], output=folder)
    return written(copy)
