"""The task of ``storage.repair``: qpdf looks through the whole file for its objects and writes them in order."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pikepdf

from storage.limits import Limits, Reason, Refused

from .child import Say
from .foreign import foreign
from .formats import PDF, format_of


def repair(request: dict[str, Any], limits: Limits, say: Say) -> dict[str, Any]:  # noqa: ARG001 - the form of a task
    """Write the copy; tells how many pages it has."""
    path = Path(request["path"])
    if format_of(path) is not PDF:
        raise Refused(Reason.BROKEN, detail="no PDF")
    output = Path(request["output"])
    with foreign(), _ended(path, output.with_suffix(".ended")) as whole:
        try:
            pdf = pikepdf.open(whole, suppress_warnings=True)
        except pikepdf.PasswordError as error:
            raise Refused(Reason.ENCRYPTED) from error
        with pdf:
            if not 0 < len(pdf.pages) <= limits.pages:
                raise Refused(Reason.BROKEN, detail=f"{len(pdf.pages)} pages")
            if not any(map(_can_be_read, pdf.pages)):
                raise Refused(Reason.BROKEN, detail="no page has readable contents")
            pages = len(pdf.pages)
            # Streams are copied and not opened: nothing is packed anew, and a broken one keeps what it has.
            pdf.save(
                output, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none,
                object_stream_mode=pikepdf.ObjectStreamMode.disable,
            )  # fmt: skip
    return {"pages": pages}


@contextmanager
def _ended(path: Path, aside: Path) -> Iterator[Path]:
    """A copy with an end after its last byte: qpdf loses the last object of a file that ends with it."""
    shutil.copyfile(path, aside)
    with aside.open("ab") as file:
        file.write(b"\nstartxref\n0\n%%EOF\n")
    try:
        yield aside
    finally:
        aside.unlink()


def _can_be_read(page: pikepdf.Page) -> bool:
    """Whether it says what stands on it. Of a file that lost its key with its end all pages would be white."""
    said = page.obj.get("/Contents")
    streams: list[Any] = list(said) if isinstance(said, pikepdf.Array) else [said]
    with suppress(pikepdf.PdfError, AttributeError, RuntimeError):
        return any(stream.read_bytes() for stream in streams)
    return False
