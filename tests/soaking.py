"""What the long tests found, told in sentences at the end of `make soak`. A pytest plugin, named by tests/conftest.py."""

import os

import pytest


def how_many(name: str, *, usual: int) -> int:
    """So many of something in the soak; JUANZONG_SOAK_<NAME> asks for fewer or more."""
    return int(os.environ.get(f"JUANZONG_SOAK_{name.upper()}", usual))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told = [
        f"{'held' if outcome == 'passed' else 'DID NOT HOLD'}: {words}"
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, words in report.user_properties
        if name == "soak" and report.when == "call"
    ]
    if told:
        terminalreporter.section("what the soak found")
        for line in told:
            terminalreporter.write_line(line)
