"""Foreign tables, Excel or CSV, become rows of plain text. All reading happens in ``storage.sandbox``."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .limits import MIB, Limits
from .sandbox import run

ROWS = "rows.jsonl"
LIMITS = Limits(
    cpu_seconds=300, wall_seconds=600, file_bytes=512 * MIB, output_bytes=512 * MIB, pages=300_000
)
"""A table is read in one step; ``pages`` bounds its rows."""


@dataclass(frozen=True, slots=True)
class TableFacts:
    """表格: what was read: its rows, the sheet of a workbook, the encoding and separator of a text file."""

    rows: int
    sheet: str = ""
    encoding: str = ""
    separator: str = ""


def convert(source: Path, folder: Path, *, limits: Limits = LIMITS) -> TableFacts:
    """Write the first sheet that is not empty, or the text file, into ``folder`` as rows of text. Raises Refused.

    Formulas are not worked out: of a workbook the values are taken that were last shown. Numbers keep the zeros
    that their format shows; dates are written 2026-11-21, with the time behind a blank where there is one.
    """
    request = {"path": str(source.resolve()), "output": str((folder / ROWS).resolve())}
    task = "storage.confined.sheets:convert"
    said = run(task, request, limits=limits, reads=[source], output=folder)
    return TableFacts(
        int(said["rows"]), str(said["sheet"])[:200], str(said["encoding"])[:20], str(said["separator"])[:1]
    )


def rows(folder: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a converted table with their numbers, as a spreadsheet counts them; empty ones are left out."""
    with (folder / ROWS).open(encoding="utf-8") as file:
        for line in file:
            number, cells = json.loads(line)
            yield int(number), [str(cell) for cell in cells]
