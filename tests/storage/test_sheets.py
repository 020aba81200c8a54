"""Tables of strangers become rows of text, or are refused."""

import io
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from storage import sheets
from storage.limits import Reason, Refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "rows"
    made.mkdir()
    return made


def read(folder: Path, content: bytes) -> list[tuple[int, list[str]]]:
    source = folder.parent / "file"
    source.write_bytes(content)
    sheets.convert(source, folder)
    return list(sheets.rows(folder))


def refusal(folder: Path, content: bytes) -> Reason:
    with pytest.raises(Refused) as refused:
        read(folder, content)
    return refused.value.reason


def workbook(*rows: tuple[Any, ...], formats: dict[str, str] | None = None) -> bytes:
    book, content = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for cell, form in (formats or {}).items():
        sheet[cell].number_format = form
    book.save(content)
    return content.getvalue()


def test_a_cell_is_read_as_it_is_shown(folder: Path) -> None:
    content = workbook(
        ("病案号", "日期", "时间", "数", "文字"),
        (218647, date(2026, 11, 8), datetime(2026, 11, 8, 9, 30), 3.0, " 甲 "),  # noqa: DTZ001 - a cell has no zone
        formats={"A2": "00000000"},
    )
    assert read(folder, content)[1] == (2, ["00218647", "2026-11-08", "2026-11-08 09:30:00", "3", "甲"])


def test_a_text_that_looks_like_a_formula_stays_a_text(folder: Path) -> None:
    assert read(folder, '姓名,电话\n=HYPERLINK("x"),+86\n'.encode())[1] == (2, ['=HYPERLINK("x")', "+86"])


def test_a_formula_is_not_worked_out(folder: Path) -> None:
    assert read(folder, workbook(("甲", "乙"), ("=1+1", 5)))[1] == (2, ["", "5"])


def test_empty_rows_are_left_out_and_still_counted(folder: Path) -> None:
    assert [number for number, _cells in read(folder, "甲,乙\n\n1,2\n,\n3,4\n".encode())] == [1, 3, 5]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encoding_and_separator_are_found(folder: Path, encoding: str, separator: str) -> None:
    text = separator.join(("病案号", "姓名")) + "\n" + separator.join(("00218647", "㛃婷婷")) + "\n"
    assert read(folder, text.encode(encoding)) == [(1, ["病案号", "姓名"]), (2, ["00218647", "㛃婷婷"])]


def test_a_cell_may_hold_separators_and_line_ends(folder: Path) -> None:
    assert read(folder, '题名,备注\n"甲,乙","一\n二"\n'.encode())[1] == (2, ["甲,乙", "一\n二"])


def test_the_first_sheet_that_is_not_empty_is_read(folder: Path) -> None:
    book, content = Workbook(), io.BytesIO()
    book.create_sheet("出院").append(["病案号"])
    book.save(content)
    assert read(folder, content.getvalue()) == [(1, ["病案号"])]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"\n\n", Reason.EMPTY),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old workbook, or one with a password",
            Reason.NOT_A_KNOWN_FORMAT,
        ),
        (b"<html><table><tr><td>1</td></tr></table>", Reason.NOT_A_KNOWN_FORMAT),
        (bytes(range(256)) * 8, Reason.NOT_A_KNOWN_FORMAT),
        (b"PK\x03\x04 and nothing more", Reason.BROKEN),
        (",".join("x" * 300).encode(), Reason.TOO_MANY_PAGES),
    ],
)
def test_what_is_no_table_is_refused(folder: Path, content: bytes, reason: Reason) -> None:
    assert refusal(folder, content) is reason


def test_entities_of_a_hostile_workbook_are_not_followed(folder: Path) -> None:
    hostile = io.BytesIO()
    bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><worksheet><sheetData><row><c><v>&b;</v></c></row>'
    with zipfile.ZipFile(io.BytesIO(workbook(("甲",)))) as good, zipfile.ZipFile(hostile, "w") as bad:
        for part in good.infolist():
            is_sheet = part.filename.endswith("sheet1.xml")
            bad.writestr(part, f"{bomb}</sheetData></worksheet>" if is_sheet else good.read(part))
    assert refusal(folder, hostile.getvalue()) is Reason.BROKEN
