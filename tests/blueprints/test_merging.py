"""Merging two numbers as it is clicked through: compare, say why, merge, and back."""

import pytest

from tests.blueprints.conftest import Browse
from tests.conftest import Hospital
from tests.services.lending import another, archive_it

MRN, OLD = "00218647", "00111111"
PAGE = "/patients/merge"
BOTH = {"given_up": OLD, "kept": MRN}


@pytest.fixture(autouse=True)
def two(hospital: Hospital, record: int) -> None:
    """One person has been given two numbers."""
    archive_it(hospital, record)
    another(hospital, mrn=OLD, name="刘婷婷")


def test_the_archivist_compares_merges_and_separates_again(browser: Browse) -> None:
    own = browser("archivist")
    assert f'href="{PAGE}"' in own.get("/where").text
    sealed = own.post(PAGE, BOTH).headers["Location"]
    assert MRN not in sealed
    page = own.get(sealed).text
    assert page.count("刘婷婷") == 2
    assert "停用的病案号" in page
    refused = own.post(f"{PAGE}/done", BOTH | {"reason": ""})
    assert (refused.status_code, "刘婷婷" in refused.text) == (422, True)
    assert own.post(f"{PAGE}/done", BOTH | {"reason": "身份证一致"}).status_code == 302
    assert "已并入 00218647" in own.ask("/search", q=OLD).text
    assert f"含停用号 {OLD}" in own.ask("/where", q=OLD).text
    assert own.post(f"{PAGE}/undone", {"mrn": OLD, "why": ""}).status_code == 422
    assert own.post(f"{PAGE}/undone", {"mrn": OLD, "why": "同名不同人"}).status_code == 302
    assert own.post(f"{PAGE}/undone", {"mrn": OLD, "why": "再次"}).status_code == 409


def test_a_number_that_is_not_there_is_said_beside_its_field(browser: Browse) -> None:
    answer = browser("archivist").ask(PAGE, given_up="00999999", kept=MRN)
    assert answer.status_code == 422
    assert "没有您可管理的、属于此号码的病案" in answer.text


@pytest.mark.parametrize("account", ["clinician", "head", "clerk", "desk", "auditor", "sysadmin", "stranger"])
def test_the_page_is_for_nobody_else(browser: Browse, account: str) -> None:
    somebody = browser(account)
    assert somebody.get(PAGE).status_code == 403
    assert somebody.post(PAGE, BOTH).status_code == 403
    assert somebody.post(f"{PAGE}/done", BOTH | {"reason": "x"}).status_code == 403
    if account in {"clinician", "clerk", "desk"}:
        assert PAGE not in somebody.get("/where").text
