"""A file that a library writes which cannot bear that a write fails: qpdf ends the process, pdfium goes on as if nothing were."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast


class _Out:
    """Keeps the first error."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, content: bytes) -> int:
        if self.error is None:
            try:
                self._file.write(content)
            except OSError as error:
                self.error = error
        return len(content)

    def seek(self, place: int, whence: int = 0) -> int:
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        """Done when the file is closed."""


@contextmanager
def writing(target: Path) -> Iterator[BinaryIO]:
    """Raises OSError at the end if anything could not be written."""
    with target.open("wb") as file:
        out = _Out(file)
        yield cast(BinaryIO, out)
        if out.error is not None:
            raise out.error
