"""Which papers an applicant must bring: §11 of the domain specification, line by line, and what holds of any policy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.policy import proofs, shapes
from archive.services import policies

BODY = policies.seeds()["proofs"]
WHO = proofs.applicants(BODY)
PAPERS = sorted(BODY["papers"])


def lacking(who: str, *shown: str, dead: bool = False) -> list[str]:
    return proofs.missing(BODY, WHO[who], shown, dead=dead)


@pytest.mark.parametrize(("who", "dead", "papers"), [
    ("patient", False, "patient_id"),
    ("agent", False, "patient_id agent_id agency attorney"),
    ("guardian_agent", False, "patient_id guardian_id guardianship agent_id agency attorney"),
    ("heir", True, "death heir_id kinship"),
    ("heir_agent", True, "death heir_id agent_id kinship agency attorney"),
    ("relative", True, "death relative_id kinship"),
    ("authority", False, "certificate handler_id work_id"),
    ("insurer", False, "certificate handler_id work_id contract consent"),
    ("insurer", True, "certificate handler_id work_id contract heir_consent"),
])  # fmt: skip
def test_the_matrix_of_the_rule(who: str, papers: str, *, dead: bool) -> None:
    needed = papers.split()
    assert lacking(who, dead=dead) == needed
    assert lacking(who, *needed, dead=dead) == []
    for one in needed:
        assert lacking(who, *(set(needed) - {one}), dead=dead) == [one]


def test_a_contract_or_a_law_may_say_otherwise_than_that_the_patient_consents() -> None:
    assert lacking("insurer", "certificate", "handler_id", "work_id", "contract", "otherwise") == []
    assert "otherwise" in proofs.asked(BODY, WHO["insurer"], dead=False)


def test_nobody_applies_for_whom_they_cannot_speak() -> None:
    def may(*, dead: bool, minor: bool) -> set[str]:
        return {code for code, one in WHO.items() if one.fits(dead=dead, minor=minor)}

    assert may(dead=False, minor=False) == {
        "patient", "guardian", "guardian_agent", "agent", "authority", "insurer",
    }  # fmt: skip
    assert may(dead=False, minor=True) == {"guardian", "guardian_agent", "authority", "insurer"}
    assert may(dead=True, minor=False) == {"heir", "heir_agent", "relative", "authority", "insurer"}
    assert may(dead=True, minor=True) == may(dead=True, minor=False)


@given(
    who=st.sampled_from(sorted(WHO)),
    few=st.sets(st.sampled_from(PAPERS)),
    more=st.sets(st.sampled_from(PAPERS)),
    dead=st.booleans(),
)
def test_more_papers_never_make_it_incomplete(*, who: str, few: set[str], more: set[str], dead: bool) -> None:
    assert set(lacking(who, *few, *more, dead=dead)) <= set(lacking(who, *few, dead=dead))
    assert lacking(who, *proofs.asked(BODY, WHO[who], dead=dead), dead=dead) == []


def test_a_policy_that_asks_for_what_has_no_words_is_refused() -> None:
    body = {key: value for key, value in BODY.items() if key != "source"}
    applicants = body["applicants"] | {"patient": body["applicants"]["patient"] | {"needs": ["passport"]}}
    found = shapes.problems("proofs", body | {"applicants": applicants})
    assert [one.place for one in found] == [("applicants", "patient", "needs")]
    copying = {key: value for key, value in policies.seeds()["copying"].items() if key != "source"}
    some = copying | {"copyable": {"everything": False, "components": ["CY"]}}
    assert {one.place[1] for one in shapes.problems("copying", some)} == {
        "whole",
        "listed",
        "reimbursement",
        "insurance",
    }
