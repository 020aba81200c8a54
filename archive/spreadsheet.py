"""Lists for spreadsheets: workbooks, and CSV that Excel opens as it is; no cell becomes a formula. Pure."""

import csv
import io
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guarded(cell: object) -> str:
    """The cell as text; one that Excel would work out as a formula gets an apostrophe before it."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA) else text


def as_csv(rows: Iterable[Iterable[object]]) -> bytes:
    """The rows in UTF-8 with its mark, without which Excel reads Chinese as something else."""
    text = io.StringIO()
    csv.writer(text).writerows([guarded(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(rows: Iterable[Iterable[object]]) -> bytes:
    """The rows as an Excel workbook of one sheet: numbers and days stay what they are, and every text is a text, no formula."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book, drawn = Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet()

    def cell(value: object) -> object:
        if value is None or isinstance(value, int | float | Decimal | date):
            return value
        text = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", str(value)))
        text.data_type = "s"
        return text

    for row in rows:
        sheet.append([cell(value) for value in row])
    book.save(drawn)
    return drawn.getvalue()
