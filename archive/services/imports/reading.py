"""The inbox of imports: a file lies here as plain rows from its receipt until it is brought in, for its owner alone."""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO
from uuid import uuid4

from archive.errors import Invalid, NotFound, TooLarge
from archive.i18n import Lazy, _l
from archive.uow import UnitOfWork
from storage import sheets
from storage.limits import MIB, Reason, Refused

LARGEST = 64 * MIB
KEPT_SECONDS = 24 * 3600
"""The rows have names and identity numbers in them: what is not brought in within a day is thrown away."""

SENTENCES: dict[Reason, Lazy] = {
    Reason.EMPTY: _l("There is nothing in this file. Choose the one with the rows."),
    Reason.NOT_A_KNOWN_FORMAT: _l("This is neither an Excel workbook nor a text with separators. Open it in Excel or WPS, "
                                  "save it as .xlsx without a password, or as CSV, and choose that."),
    Reason.TOO_MANY_PAGES: _l("The file has too many rows or columns. Divide it: 300,000 rows and 200 columns at most."),
}  # fmt: skip
UNREADABLE = _l("The file cannot be read. Open it in Excel or WPS, save it as .xlsx or CSV, and try again.")
NAME = re.compile(r"\d+-[0-9a-f]{32}")


@dataclass(frozen=True)
class Table:
    """待导入的表: the rows of a file in the inbox. `token` names it for its owner."""

    token: str
    folder: Path
    facts: sheets.TableFacts | None = None

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows with their numbers, as the spreadsheet counts them."""
        return sheets.rows(self.folder)

    def __len__(self) -> int:
        with (self.folder / sheets.ROWS).open("rb") as file:
            return sum(1 for _line in file)

    def discard(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def inbox(uow: UnitOfWork) -> Path:
    folder = uow.site.settings.var / "imports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def receive(uow: UnitOfWork, stream: BinaryIO) -> Table:
    """Takes a file in. Raises Invalid for one that cannot be read, TooLarge above the limit."""
    _sweep(inbox(uow))
    folder = inbox(uow) / f"{uow.actor.principal_id or 0}-{uuid4().hex}"
    with TemporaryDirectory(dir=inbox(uow), prefix=".") as name:
        source, rows = Path(name) / "file", Path(name) / "rows"
        _copy(stream, source)
        rows.mkdir()
        try:
            facts = sheets.convert(source, rows)
        except Refused as refused:
            sentence = str(SENTENCES.get(refused.reason, UNREADABLE))
            raise Invalid(sentence, fields={"file": sentence}) from refused
        rows.rename(folder)
    return Table(folder.name, folder, facts)


def _copy(stream: BinaryIO, target: Path) -> None:
    size = 0
    with target.open("wb") as file:
        while chunk := stream.read(MIB):
            size += len(chunk)
            if size > LARGEST:
                raise TooLarge
            file.write(chunk)


def table(uow: UnitOfWork, token: str) -> Table:
    """One's own file in the inbox. Raises NotFound for another person's, or one that is gone."""
    folder = inbox(uow) / token
    mine = NAME.fullmatch(token) and token.startswith(f"{uow.actor.principal_id}-")
    if not mine or not (folder / sheets.ROWS).exists():
        raise NotFound
    return Table(token, folder)


def _sweep(folder: Path) -> None:
    limit = time.time() - KEPT_SECONDS
    for left in folder.iterdir():
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < limit:
                shutil.rmtree(left, ignore_errors=True)
