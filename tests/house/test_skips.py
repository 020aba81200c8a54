"""A test that does not run says why."""

import ast
from pathlib import Path

import pytest

from tests.house.tree import name, python_files

# How many arguments come before the reason, where it has no name.
BEFORE_THE_REASON = {
    "pytest.skip": 0,
    "pytest.mark.skip": 0,
    "pytest.xfail": 0,
    "pytest.mark.skipif": None,
    "pytest.mark.xfail": None,
}


def silent_skips(source: str) -> list[int]:
    """The lines of `source` that skip a test, or expect it to fail, without a reason."""
    tree = ast.parse(source)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and not gives_a_reason(node)]
    bare = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and id(node) not in called
        and ast.unparse(node) in {"pytest.mark.skip", "pytest.mark.xfail"}
    ]
    return sorted(node.lineno for node in [*calls, *bare])


def gives_a_reason(call: ast.Call) -> bool:
    skip = ast.unparse(call.func)
    if skip not in BEFORE_THE_REASON:
        return True
    position = BEFORE_THE_REASON[skip]
    named = any(keyword.arg == "reason" for keyword in call.keywords)
    return named or (position is not None and len(call.args) > position)


@pytest.mark.parametrize("file", python_files("tests"), ids=name)
def test_a_skip_gives_its_reason(file: Path):
    assert silent_skips(file.read_text()) == []


SILENT = """
@pytest.mark.skip
def test(): pytest.skip()
pytest.mark.skipif(True)
pytest.skip("it rains")
"""


def test_a_silent_skip_is_found():
    assert silent_skips(SILENT) == [2, 3, 4]
