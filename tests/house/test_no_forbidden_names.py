"""What no file of ours may contain, and how long it may grow."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import ROOT, name, our_files, python_files, text

CODE = ("archive", "index", "storage")
LONGEST_FILE = 350
LONGEST_FUNCTION = 45

# "path:function" → why it reads better whole than cut.
LONG_FUNCTIONS: dict[str, str] = {}

VAGUE_MODULES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "misc"}

# Put together here, so that this file does not contain what it looks for.
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "Not" + "ImplementedError")) + r")\b")
PACKAGE_INDEXES = [
    ".".join(host)
    for host in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs"),
        ("deb", "debian"),
        ("unpkg", "com"),
    )
]
MACHINE_PATHS = [f"{folder}/" for folder in (ROOT, Path.home()) if len(folder.parts) > 1] + [
    f"/{homes}/" for homes in ("home", "Users")
]


def lines_with(wanted: re.Pattern[str]) -> list[str]:
    return [
        f"{name(file)}:{number}: {line.strip()[:100]}"
        for file in our_files()
        for number, line in enumerate((text(file) or "").splitlines(), 1)
        if wanted.search(line)
    ]


def one_of(strings: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, strings)))


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    return (function.end_lineno or first) - first + 1


def measured_files() -> list[Path]:
    """All our code but the migrations: alembic writes them, and a step of the database is never cut up later."""
    return [file for file in python_files(*CODE) if file.parent.name != "versions"]


def long_functions() -> list[str]:
    return [
        f"{name(file)}:{function.name}"
        for file in measured_files()
        for function in functions(file)
        if length(function) > LONGEST_FUNCTION
    ]


def test_no_file_holds_two_versions_of_itself():
    assert not lines_with(re.compile("^(" + "<" * 7 + "|" + ">" * 7 + ") "))


def test_no_module_has_a_name_that_says_nothing():
    vague = [
        name(file)
        for file in python_files()
        if VAGUE_MODULES & {part.removesuffix(".py") for part in file.relative_to(ROOT).parts}
    ]
    assert vague == []


def test_no_file_names_a_package_index():
    assert lines_with(one_of(PACKAGE_INDEXES)) == []


def test_no_file_names_a_folder_of_one_machine():
    assert lines_with(one_of(MACHINE_PATHS)) == []


def test_nothing_is_left_for_later():
    assert lines_with(UNFINISHED) == []


def test_no_file_outgrows_one_head():
    long = {name(file): len((text(file) or "").splitlines()) for file in measured_files()}
    assert {file: lines for file, lines in long.items() if lines > LONGEST_FILE} == {}


def test_a_long_function_has_a_reason():
    assert [function for function in long_functions() if function not in LONG_FUNCTIONS] == []


def test_a_reason_for_a_long_function_goes_when_the_function_is_short():
    assert set(LONG_FUNCTIONS) <= set(long_functions())
    assert all(LONG_FUNCTIONS.values())
