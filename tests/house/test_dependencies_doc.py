"""docs/dependencies.md says why each library is there."""

import re

from tests.house.tree import ROOT, dependencies

DOCUMENT = (ROOT / "docs/dependencies.md").read_text()
ROWS = {
    cells[0].strip(): [cell.strip() for cell in cells]
    for cells in (line.strip("|").split("|") for line in DOCUMENT.splitlines() if line.startswith("| "))
}
COLUMNS = 5


def test_every_dependency_has_its_row():
    assert [library for library in dependencies() if library not in ROWS] == []


def test_a_row_tells_purpose_licence_size_and_what_it_replaced():
    assert [one for one in dependencies() if len(ROWS[one]) != COLUMNS or not all(ROWS[one])] == []


def test_no_row_outlives_its_dependency():
    of_python = DOCUMENT.split("## Vendored")[0]
    listed = set(re.findall(r"^\| ([a-z0-9-]+) \|", of_python, re.MULTILINE)) - {"library"}
    assert listed == set(dependencies())
