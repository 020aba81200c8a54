"""How many results there are: exact where all was counted, and said to be the least where it was not."""

import re
from html import unescape

import pytest

from archive.blueprints import totals
from archive.services.findings import CAP, Results, Tally
from tests.blueprints.conftest import Browse
from tests.conftest import Hospital
from tests.services.searching import indexed, papers

SAID = re.compile(r'<span role="status" id="total">(.*?)</span>')
LEAST = re.compile(r"至少 (\d+) 条 · .*全文尚未逐一核对")
BEHIND = re.compile(r'hx-get="(/search/facets[^"]*)"')
WITHOUT_SCRIPT = re.compile(r'<a data-instead href="([^"]*)"')
NEXT = re.compile(r'rel="next" href="([^"]+)"')
APART = "支气，管炎，气管"
"""Holds every pair of characters of 支气管炎, and does not say it."""


@pytest.mark.parametrize(("found", "expected", "unread"), [
    (Results(total=Tally(17)), "共 17 条", False),
    (Results(), "共 0 条", False),
    (Results(total=Tally(CAP)), "共 1,000 条", False),
    (Results(total=Tally(CAP, capped=True)), "1,000 条以上", False),
    (Results(total=Tally(312, capped=True)), "至少 312 条", True),
    (Results(total=Tally(0, capped=True)), "", True),
    (Results(total=Tally(12), degraded=True), "至少 12 条", False),
    (Results(total=Tally(CAP, capped=True), degraded=True), "1,000 条以上", False),
])  # fmt: skip
def test_a_total_claims_no_more_than_was_counted(found: Results, expected: str, *, unread: bool) -> None:
    assert totals.stated(found.total, degraded=found.degraded) == totals.Total(expected, unread=unread)


def test_more_than_a_thousand_are_said_to_be_more(hospital: Hospital, browser: Browse) -> None:
    papers(hospital, *[f"关于胎盘处置的通知（{number}）" for number in range(CAP)])
    indexed(hospital)
    user = browser("archivist")
    assert SAID.findall(user.ask("/search", q="胎盘").text) == ["共 1,000 条"]
    papers(hospital, "关于胎盘的又一通知")
    indexed(hospital)
    assert SAID.findall(user.ask("/search", q="胎盘").text) == ["1,000 条以上"]


def test_what_the_page_did_not_count_to_its_end_is_counted_behind_it(
    hospital: Hospital, browser: Browse
) -> None:
    """Texts that hold the phrase's pairs must be read to be counted: few for the page, all of them for its counts."""
    papers(hospital, *["支气管炎"] * 400)
    indexed(hospital)
    user = browser("archivist")
    page = user.ask("/search", q="支气管炎")
    least = LEAST.fullmatch(SAID.findall(page.text)[0])
    assert least is not None
    assert 200 <= int(least[1]) < 400
    behind = user.get(unescape(BEHIND.findall(page.text)[0])).text
    assert re.findall(r'<span role="status" id="total" hx-swap-oob="true">(.*?)</span>', behind) == [
        "共 400 条"
    ]
    assert SAID.findall(user.get(unescape(WITHOUT_SCRIPT.findall(page.text)[0])).text) == ["共 400 条"]
    papers(hospital, "支气管炎二")
    indexed(hospital)
    counted = user.ask("/search", q="支气管炎二").text
    assert SAID.findall(counted) == ["共 1 条"]
    assert 'hx-swap-oob="true"' not in user.get(unescape(BEHIND.findall(counted)[0])).text


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
