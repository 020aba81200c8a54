"""The inbox of imports: a file lies here as plain rows from its receipt until it is brought in, for its owner alone."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO
from uuid import uuid4

from archive.errors import Invalid, NotFound, TooLarge
from archive.i18n import Lazy, _l
from archive.schema import clean
from archive.services import intake
from archive.site import Site
from archive.uow import UnitOfWork
from storage import Staged, sheets
from storage.header import open_body
from storage.limits import MIB, Reason, Refused
from storage.sheets import TableFacts

LARGEST = 64 * MIB
KEPT_SECONDS = 24 * 3600
"""The rows have names and identity numbers in them: what is not brought in within a day is thrown away."""

SENTENCES: dict[Reason, Lazy] = {
    Reason.EMPTY: _l("There is nothing in this file. Choose the one with the rows."),
    Reason.NOT_A_KNOWN_FORMAT: _l(
        "This is neither an Excel workbook nor a text with separators. Open it in Excel or WPS, "
        "save it as .xlsx without a password, or as CSV, and choose that."
    ),
    Reason.TOO_MANY_PAGES: _l(
        "The file has too many rows or columns. Divide it: 300,000 rows and 200 columns at most."
    ),
}
UNREADABLE = _l("The file cannot be read. Open it in Excel or WPS, save it as .xlsx or CSV, and try again.")
TOKEN = re.compile(r"\d+-[0-9a-f]{32}")


RAW, NAME, FACTS = "file", "name.txt", "facts.json"


@dataclass(frozen=True)
class Table:
    """待导入的表: the rows of a file in the inbox. `token` names it for its owner."""

    token: str
    folder: Path
    filename: str
    facts: TableFacts

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows with their numbers, as the spreadsheet counts them."""
        return sheets.rows(self.folder)

    def discard(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _inbox(site: Site) -> Path:
    folder = site.settings.var / "imports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def keep(uow: UnitOfWork, staged: Staged, filename: str) -> str:
    """Takes a staged file into its owner's inbox; gives the token by which they find it. Raises TooLarge."""
    if staged.size > LARGEST:
        raise TooLarge
    sweep(uow.site)
    token = f"{uow.actor.principal_id or 0}-{uuid4().hex}"
    folder = _inbox(uow.site) / token
    folder.mkdir(mode=0o700)
    (folder / NAME).write_text(clean(filename)[:200], encoding="utf-8")
    with open_body(staged.path) as source, (folder / RAW).open("xb") as target:
        shutil.copyfileobj(source, target)
    return token


def receive(uow: UnitOfWork, stream: IO[bytes], filename: str) -> Table:
    """Takes a file in and reads it. Raises Invalid for one that cannot be read, TooLarge above the limit."""
    staged = intake.stage(uow.site, stream)
    try:
        return table(uow, keep(uow, staged, filename))
    finally:
        intake.discard(uow.site, staged)


def table(uow: UnitOfWork, token: str) -> Table:
    """One's own file in the inbox; read when it is first asked for.

    Raises NotFound for another person's or one that is gone, Invalid for one that cannot be read.
    """
    folder = _inbox(uow.site) / token
    if (
        not TOKEN.fullmatch(token)
        or not token.startswith(f"{uow.actor.principal_id}-")
        or not folder.exists()
    ):
        raise NotFound
    if not (folder / FACTS).exists():
        _convert(folder)
    facts = TableFacts(**json.loads((folder / FACTS).read_text(encoding="utf-8")))
    return Table(token, folder, (folder / NAME).read_text(encoding="utf-8"), facts)


def _convert(folder: Path) -> None:
    with TemporaryDirectory(dir=folder) as name:
        try:
            facts = sheets.convert(folder / RAW, Path(name))
        except Refused as refused:
            shutil.rmtree(folder, ignore_errors=True)
            sentence = str(SENTENCES.get(refused.reason, UNREADABLE))
            raise Invalid(sentence, fields={"file": sentence}) from refused
        (Path(name) / FACTS).write_text(json.dumps(asdict(facts)), encoding="utf-8")
        for part in (sheets.ROWS, FACTS):  # the facts last: they say that the rows are whole
            (Path(name) / part).replace(folder / part)
    (folder / RAW).unlink(missing_ok=True)


def sweep(site: Site) -> None:
    """Throws away files that nobody has imported within a day: lists of people do not lie about."""
    limit = time.time() - KEPT_SECONDS
    for left in _inbox(site).iterdir():
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < limit:
                shutil.rmtree(left)
