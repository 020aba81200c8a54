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


def as_xlsx(rows: Iterable[Iterable[object]], remarks: Iterable[Iterable[object]] = ()) -> bytes:
    """The rows as an Excel workbook: numbers and days stay what they are, and every text is a text, no formula.

    Remarks stand on a sheet of their own: programs that read the first sheet find nothing but the table.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    book, drawn = Workbook(write_only=True), io.BytesIO()

    def cell(sheet: WriteOnlyWorksheet, value: object) -> object:
        if value is None or isinstance(value, int | float | Decimal | date):
            return value
        text = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", str(value)))
        text.data_type = "s"
        return text

    for listed in (rows, remarks):
        written = [list(row) for row in listed]
        if listed is rows or written:
            sheet = book.create_sheet()
            for row in written:
                sheet.append([cell(sheet, value) for value in row])
    book.save(drawn)
    return drawn.getvalue()
