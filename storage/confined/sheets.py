"""The task of ``storage.sheets``: workbooks by openpyxl, which uses defusedxml, and text with separators."""

import codecs
import csv
import json
import mimetypes
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import defusedxml  # noqa: F401 - without it openpyxl would follow the entities of a hostile workbook

from storage.limits import Limits, Reason, Refused

from .child import Say
from .foreign import foreign

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
COLUMNS = 200
CELL = 10_000
UNPACKED = 1 << 30
SEPARATORS = ",\t;|"
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
ONLY_ZEROS = re.compile(r"0{2,20}")


def convert(request: dict[str, Any], limits: Limits, say: Say) -> dict[str, Any]:  # noqa: ARG001 - the form of a task
    """Write the rows; tells how many there are and how they were read."""
    path, output = Path(request["path"]), Path(request["output"])
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise Refused(Reason.EMPTY)
    if head == OLE:  # an old .xls, or a workbook with a password
        raise Refused(Reason.NOT_A_KNOWN_FORMAT, detail="OLE")
    with foreign():
        if head.startswith(ZIP):
            return _write(output, limits, *_workbook(path))
        encoding = _encoding(path)
        separator = _separator(path, encoding)
        found = _write(output, limits, _text_rows(path, encoding, separator), "")
    return found | {"encoding": encoding, "separator": separator}


def _write(output: Path, limits: Limits, rows: Iterable[list[str]], sheet: str) -> dict[str, Any]:
    count = 0
    with output.open("w", encoding="utf-8") as file:
        for number, cells in enumerate(rows, start=1):
            while cells and not cells[-1]:
                cells.pop()
            if not cells:
                continue
            count += 1
            if count > limits.pages or len(cells) > COLUMNS:
                raise Refused(Reason.TOO_MANY_PAGES)
            file.write(json.dumps([number, cells], ensure_ascii=False) + "\n")
    if not count:
        raise Refused(Reason.EMPTY)
    return {"rows": count, "sheet": sheet, "encoding": "", "separator": ""}


# Workbooks


def _workbook(path: Path) -> tuple[Iterator[list[str]], str]:
    mimetypes.knownfiles.clear()  # openpyxl would read lists of the system, which lie behind the wall
    from openpyxl import load_workbook

    with ZipFile(path) as archive:
        if sum(part.file_size for part in archive.infolist()) > UNPACKED:
            raise Refused(Reason.TOO_MUCH_MEMORY)
    # Open until this process ends; openpyxl would judge a file by its name, and this one has none.
    file = path.open("rb")
    book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    for sheet in book.worksheets:
        sheet.reset_dimensions()
        if any(cell.value is not None for row in sheet.iter_rows(max_row=20) for cell in row):
            return ([_shown(cell) for cell in row] for row in sheet.iter_rows()), sheet.title
    raise Refused(Reason.EMPTY)


def _shown(cell: Any) -> str:
    """What a cell shows, as text: 218647 in the format 00000000 is 00218647."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return str(value.date() if value.time() == time.min else value.replace(microsecond=0))
    if isinstance(value, date | time):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and ONLY_ZEROS.fullmatch(cell.number_format or ""):
        return str(value).zfill(len(cell.number_format))
    return str(value)[:CELL].strip()


# Text


def _encoding(path: Path) -> str:
    """UTF-8 if the whole file is, else GB 18030, in which Chinese versions of Excel write."""
    with path.open("rb") as file:
        head = file.read(4)
    for mark, name in MARKS:
        if head.startswith(mark):
            return name
    for name in ("utf-8", "gb18030"):
        if _decodes(path, name):
            return name
    raise Refused(Reason.NOT_A_KNOWN_FORMAT)


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                if "\0" in decoder.decode(chunk):
                    return False
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _separator(path: Path, encoding: str) -> str:
    """The sign that most of the first lines have equally often; a comma where there is one column only."""
    with path.open(encoding=encoding, newline="") as file:
        lines = [line for line, _place in zip(file, range(30), strict=False) if line.strip()]
    if not lines:
        raise Refused(Reason.EMPTY)
    if lines[0].lstrip().startswith("<"):  # a web page that was named .xls
        raise Refused(Reason.NOT_A_KNOWN_FORMAT, detail="markup")
    widths = {sign: Counter(len(row) for row in csv.reader(lines, delimiter=sign)) for sign in SEPARATORS}
    fits = {sign: max((seen, width) for width, seen in counts.items() if width > 1) for sign, counts in widths.items()
            if max(counts) > 1}  # fmt: skip
    return max(fits, key=lambda sign: fits[sign], default=",")


def _text_rows(path: Path, encoding: str, separator: str) -> Iterator[list[str]]:
    with path.open(encoding=encoding, newline="") as file:
        for row in csv.reader(file, delimiter=separator):
            yield [cell[:CELL].strip() for cell in row]
