"""The files of the checkout that are ours: what git tracks or would track, less what others published."""

import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = (ROOT / "archive/static/vendor", ROOT / "archive/static/fonts")


@cache
def our_files() -> tuple[Path, ...]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    files = sorted(ROOT / name for name in listed.split("\0") if name)
    return tuple(
        file
        for file in files
        if file.is_file() and not any(file.is_relative_to(folder) for folder in PUBLISHED)
    )


def python_files(*folders: str) -> list[Path]:
    """Our Python files, in the top-level folders named, or everywhere."""
    return [
        file
        for file in our_files()
        if file.suffix == ".py" and (not folders or file.relative_to(ROOT).parts[0] in folders)
    ]


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@cache
def text(file: Path) -> str | None:
    """What the file says, or None where it is no text."""
    content = file.read_bytes()
    return None if b"\0" in content else content.decode(errors="replace")


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def dependencies() -> list[str]:
    """The name of each library that pyproject.toml asks for, to run, for PostgreSQL, or to develop."""
    table = project()["project"]
    asked = table["dependencies"] + [
        one for extra in table["optional-dependencies"].values() for one in extra
    ]
    return sorted({_bare(one) for one in asked})


def _bare(requirement: str) -> str:
    for mark in "[<>=!~; ":
        requirement = requirement.split(mark, 1)[0]
    return requirement.lower()
