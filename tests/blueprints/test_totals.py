"""How many results there are: exact where all was counted, and said to be the least where it was not."""

import re
from html import unescape

import pytest

from archive.blueprints import totals
from archive.services.findings import CAP, Results
from tests.blueprints.conftest import Browse
from tests.conftest import Hospital
from tests.services.searching import indexed, papers

SAID = re.compile(r'<span role="status">(.*?)</span>')
NEXT = re.compile(r'rel="next" href="([^"]+)"')
APART = "支气，管炎，气管"
"""Holds every pair of characters of 支气管炎, and does not say it."""


@pytest.mark.parametrize(("found", "expected", "unread"), [
    (Results(places=17), "共 17 条", False),
    (Results(), "共 0 条", False),
    (Results(places=CAP), "共 1,000 条", False),
    (Results(places=CAP, capped=True), "1,000 条以上", False),
    (Results(places=312, capped=True), "至少 312 条", True),
    (Results(places=0, capped=True), "", True),
    (Results(places=12, degraded=True), "至少 12 条", False),
    (Results(places=CAP, capped=True, degraded=True), "1,000 条以上", False),
])  # fmt: skip
def test_a_total_claims_no_more_than_was_counted(found: Results, expected: str, *, unread: bool) -> None:
    assert (totals.said(found), totals.unread(found)) == (expected, unread)


def test_more_than_a_thousand_are_said_to_be_more(hospital: Hospital, browser: Browse) -> None:
    papers(hospital, *[f"关于胎盘处置的通知（{number}）" for number in range(CAP)])
    indexed(hospital)
    user = browser("archivist")
    assert SAID.findall(user.ask("/search", q="胎盘").text) == ["共 1,000 条"]
    papers(hospital, "关于胎盘的又一通知")
    indexed(hospital)
    assert SAID.findall(user.ask("/search", q="胎盘").text) == ["1,000 条以上"]


def test_texts_that_were_not_read_are_owned_up_to(hospital: Hospital, browser: Browse) -> None:
    """The search reads a thousand texts in which the words may stand together; the one that has them lies behind those."""
    papers(hospital, "关于支气管炎的通知", day="2025-11-01")
    papers(hospital, *[APART] * 1_200)
    indexed(hospital)
    user = browser("archivist")
    page = user.ask("/search", q="支气管炎", sort="date")
    assert "没有检索到" not in page.text
    assert "暂未检索到" in page.text
    assert "全文尚未逐一核对" in user.ask("/search/facets", q="支气管炎").text
    for _ in range(3):
        if not (further := NEXT.search(page.text)):
            break
        page = user.get(unescape(further[1]))
    assert "关于支气管炎的通知" in page.text
