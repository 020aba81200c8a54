"""The locked requirements name every file by its hash and no place to get it from."""

import re

import pytest

from tests.house.tree import ROOT, dependencies, project

LOCKS = ("run", "dev")
PIN = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)


def lock(which: str) -> str:
    """The lock without the comments that pip-compile writes between its lines."""
    lines = (ROOT / "requirements" / f"{which}.txt").read_text().splitlines()
    return "\n".join(line for line in lines if line and not line.startswith("#"))


def pins(which: str) -> dict[str, str]:
    return dict(PIN.findall(lock(which)))


@pytest.mark.parametrize("which", LOCKS)
def test_every_library_is_pinned_with_a_hash(which):
    entries = re.sub(r"\\\n\s*", "", lock(which)).splitlines()
    assert entries
    assert [
        one
        for one in entries
        if not re.fullmatch(r"\S+==\S+( ; [^#]+?)? *( ?--hash=sha256:[0-9a-f]{64})+", one)
    ] == []


@pytest.mark.parametrize("which", LOCKS)
def test_no_place_to_get_them_from_is_named(which):
    whole = (ROOT / "requirements" / f"{which}.txt").read_text()
    assert re.findall(r"://|-index|find-links|trusted-host|@ file", whole) == []


def test_what_is_tested_is_what_runs():
    assert pins("run").items() <= pins("dev").items()


def test_every_dependency_of_the_project_is_locked():
    assert set(dependencies()) <= set(pins("dev"))


def test_development_tools_are_not_installed_to_run():
    assert {"pytest", "playwright", "psycopg"}.isdisjoint(pins("run"))


def test_the_build_backend_is_locked_too():
    (backend,) = project()["build-system"]["requires"]
    assert backend.split(">=")[0] in pins("run")
