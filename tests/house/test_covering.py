"""Tests that ask PostgreSQL in the soak alone are there, and none of them is the last to send a statement."""

from tests.covering import IN_SOAK, Asked, told_by_others
from tests.house.tree import ROOT


def test_each_test_that_is_left_to_the_soak_is_there_by_its_name():
    missing = [
        name
        for name in IN_SOAK
        for file, _colons, function in [name.partition("::")]
        if not (ROOT / file).exists() or f"def {function}(" not in (ROOT / file).read_text()
    ]
    assert not missing, "make postgres-cover finds the tests anew"


def asked(name: str, seconds: float, statements: str, *, at_once: bool = False) -> Asked:
    return Asked(name, seconds, frozenset(statements), at_once)


def test_a_statement_is_sent_by_the_quickest_and_whoever_sends_nothing_more_stays_away():
    assert told_by_others([asked("slow", 9, "ab"), asked("quick", 1, "ab"), asked("other", 5, "c")]) == {
        "slow"
    }


def test_two_at_once_always_ask_and_so_do_all_cases_of_one_test():
    found = [
        asked("one", 1, "a"),
        asked("race", 9, "a", at_once=True),
        asked("cases", 9, "a"),
        asked("cases", 1, "b"),
    ]
    assert told_by_others(found) == {"one"}
