"""Which lending rule a request falls under."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from archive.policy import lending
from archive.policy.lending import Asker, Rule
from archive.services import borrowing, policies
from archive.services.calendar import WorkingCalendar

RULE = Rule("a", "treatment", frozenset(), 3, ("eread", "paper"), 7, 3, True, 1, 3, True)
DOCTOR = Asker(frozenset({"clinician"}), clearance=1)
ROLES = ["clinician", "head", "senior"]
PURPOSES = ["treatment", "research"]


def rules() -> st.SearchStrategy[list[Rule]]:
    one = st.builds(
        replace, st.just(RULE), purpose=st.sampled_from(PURPOSES), who=st.frozensets(st.sampled_from(ROLES)),
        level_to=st.integers(0, 3), own_ward=st.booleans(), approvers=st.sampled_from([(), ("record",)]),
        media=st.sampled_from([("eread",), ("paper",), ("eread", "paper")]),
    )  # fmt: skip
    return st.lists(one, max_size=6).map(
        lambda found: [replace(rule, code=str(place)) for place, rule in enumerate(found)]
    )


@given(
    found=rules(),
    roles=st.frozensets(st.sampled_from(ROLES), min_size=1),
    level=st.integers(0, 3),
    clearance=st.integers(-1, 3),
    treats=st.booleans(),
)
def test_the_first_rule_that_fits_is_the_one_and_one_that_is_never_reached_is_never_the_one(
    *,
    found: list[Rule],
    roles: frozenset[str],
    level: int,
    clearance: int,
    treats: bool,
) -> None:
    never = {rule.code for rule in lending.never_reached(found)}
    offered = lending.offered(found, Asker(roles, clearance, treats), level)
    for purpose in PURPOSES:
        for kind in ("eread", "paper"):
            fitting = [
                rule.code for rule in found
                if rule.purpose == purpose and kind in rule.media and level <= rule.level_to
                and (not rule.who or rule.who & roles) and (treats or not rule.own_ward)
                and (rule.approvers or level <= clearance)
            ]  # fmt: skip
            one = offered.get(purpose, {}).get(kind)
            assert (one and one.code) == (fitting[0] if fitting else None)
            assert one is None or one.code not in never


def test_the_shipped_rules_keep_other_institutions_to_three_working_days_and_consulting_to_the_day() -> None:
    """Rules on medical records 2013 art. 16. On Friday, 20 November."""
    shipped = lending.rules(policies.seeds()["loans"])
    friday, by = date(2026, 11, 20), WorkingCalendar({})
    asked = lending.offered(shipped, Asker(frozenset({"medical_affairs"})), 1)
    outside, consult = asked["outside"]["paper"], asked["consult"]["paper"]
    assert borrowing.due(by, outside, outside.paper_days, friday) == date(2026, 11, 25)
    assert borrowing.due(by, consult, consult.paper_days, friday) == friday
    assert (outside.renewals, consult.renewals) == (0, 0)
    assert {"outside", "consult"}.isdisjoint(lending.offered(shipped, DOCTOR, 1))
    assert list(lending.offered(shipped, DOCTOR, 2)["research"]) == ["data", "eread"]


def test_thirty_days_of_research_are_thirty_days_and_fifteen_more_once() -> None:
    research = lending.offered(lending.rules(policies.seeds()["loans"]), DOCTOR, 0)["research"]["paper"]
    by = WorkingCalendar({})
    assert borrowing.due(by, research, 30, date(2026, 11, 20)) == date(2026, 12, 20)
    assert borrowing.due(by, research, 30, date(2026, 11, 20), renewals=1) == date(2027, 1, 4)
