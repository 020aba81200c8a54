"""The result page: hits without waiting for counts, pages to and fro, a picture of the page, where the paper is."""

import re

import pytest
from sqlalchemy import select

from archive.models import ReadEvent
from archive.services import search
from archive.site import Site
from tests.archives import begins
from tests.blueprints.conftest import Browse, Browser
from tests.conftest import Hospital
from tests.services import lending
from tests.services.searching import indexed, patient, written


@begins
def shelf(hospital: Hospital) -> list[int]:
    """Five records of obstetrics with the same diagnosis."""
    numbers = []
    for n in range(5):
        number = patient(hospital, f"0021860{n}", f"刘婷{'甲乙丙丁戊'[n]}", diagnosis="前置胎盘")
        written(hospital, number, f"第 {n} 例：中央性前置胎盘。")
        numbers.append(number)
    indexed(hospital)
    return numbers


def facets_of(browser: Browser, page: str) -> str:
    """What the page fetches behind its hits."""
    found = re.search(r'id="facets" hx-get="([^"]+)"', page)
    assert found
    return browser.get(found[1].replace("&amp;", "&")).text


def test_hits_are_there_before_anything_is_counted(
    hospital: Hospital, browser: Browse, shelf: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = browser("archivist")
    monkeypatch.setattr(search, "counted", lambda *_: pytest.fail("the hits wait for the counts"))
    page = someone.ask("/search", q="前置胎盘").text
    assert "00218600-1" in page
    assert 'aria-labelledby="h-facet-1"' not in page
    monkeypatch.undo()
    counts = facets_of(someone, page)
    assert "<html" not in counts
    assert "载体" not in counts, "all are electronic: nothing to narrow by"
    narrowed = someone.ask("/search", q="前置胎盘", year="2026").text
    assert re.search(r'href="/search\?s=[^"]+"[^>]*aria-current="true">2026<', facets_of(someone, narrowed))


def test_with_the_keyboard_one_skips_from_the_words_to_the_results(browser: Browse, shelf: list[int]) -> None:
    page = browser("archivist").ask("/search", q="前置胎盘").text
    main = page[page.index('id="main"') :]
    first, _rest = main[main.index("<a ") :].split("</a>", 1)
    assert 'href="#results"' in first
    behind = main[main.index('id="results" tabindex="-1"') :]
    assert behind.index('name="ids"') < behind.index("00218600-1") < behind.index('aria-label="缩小范围"')
    nothing = browser("archivist").ask("/search", q="没有这样的话").text
    assert "#results" not in nothing


def test_what_was_chosen_among_the_counts_is_a_chip_and_stays_when_the_words_change(
    browser: Browse, shelf: list[int]
) -> None:
    page = browser("archivist").ask("/search", q="前置胎盘", retention="inpatient", level="1").text
    assert '<input type="hidden" name="retention" value="inpatient">' in page
    assert "敏感级别 <b>S1 普通</b>" in page
    assert re.search(r'class="jz-x" href="/search\?s=[\w-]+&amp;retention=inpatient"', page)


def test_without_scripts_the_counts_come_with_the_page(browser: Browse, shelf: list[int]) -> None:
    someone = browser("archivist")
    page = someone.ask("/search", q="前置胎盘", year="2026").text
    found = re.search(r'<a data-instead href="([^"]+)"', page)
    assert found
    page = someone.get(found[1].replace("&amp;", "&")).text
    assert 'aria-labelledby="h-facet-1"' in page
    assert "hx-get" not in page


def test_counts_are_of_what_one_may_know_of_and_of_ones_own_words(browser: Browse, shelf: list[int]) -> None:
    """A link with somebody else's sealed words counts nothing."""
    page = browser("archivist").ask("/search", q="前置胎盘").text
    stolen = re.search(r'id="facets" hx-get="([^"]+)"', page)
    assert stolen
    assert "h-facet" not in browser("senior").get(stolen[1]).text
    assert browser("auditor").get("/search/facets?year=2026").status_code == 403


def test_one_turns_pages_to_and_fro_and_none_comes_twice(
    browser: Browse, shelf: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 2)
    someone = browser("archivist")
    first = someone.ask("/search", q="中央性前置胎盘", sort="number").text
    second = someone.get(link(first, "下一页")).text
    third = someone.get(link(second, "下一页")).text
    seen = [mrns(page) for page in (first, second, third)]
    assert [len(page) for page in seen] == [2, 2, 1]
    assert {mrn for page in seen for mrn in page} == {f"0021860{n}-1" for n in range(5)}
    assert mrns(someone.get(link(third, "上一页")).text) == seen[1]
    assert mrns(someone.get(link(someone.get(link(third, "上一页")).text, "上一页")).text) == seen[0]
    assert mrns(someone.get(link(third, "第一页")).text) == seen[0]
    assert "第 3 页" in third
    assert not re.search('href="[^"]+"[^>]*>上一页', first)
    assert not re.search('href="[^"]+"[^>]*>下一页', third)


def test_a_cursor_leads_nobody_else_anywhere(
    browser: Browse, shelf: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 2)
    address = link(browser("archivist").ask("/search", q="前置胎盘").text, "下一页")
    answer = browser("senior").get(address)
    assert "0021860" not in answer.text


def link(page: str, word: str) -> str:
    found = re.search(rf'href="([^"]+)"[^>]*>{word}<', page)
    assert found, word
    return found[1].replace("&amp;", "&")


def mrns(page: str) -> list[str]:
    return re.findall(r'class="jz-mrn" href="[^"]+">([0-9-]+)<', page)


def test_a_page_is_pictured_for_those_who_may_open_it_and_each_look_is_noted(
    hospital: Hospital, site: Site, browser: Browse, shelf: list[int]
) -> None:
    page = browser("archivist").ask("/search", q="第 3 例").text
    pictures = re.findall(r'<img src="([^"]+/thumb)"', page)
    assert len(pictures) == 1
    assert 'loading="lazy"' in page
    for account in ("clinician", "clerk"):
        said = browser(account).ask("/search", q="00218603 刘婷丁").text
        assert "/thumb" not in said, account
        assert browser(account).get(pictures[0]).status_code in {403, 404}, account
    with site.journal() as journal:
        refused = select(ReadEvent.actor).where(ReadEvent.action == "pages_thumbnail.refused")
        assert sorted(journal.scalars(refused)) == ["clerk", "clinician"]


def test_who_may_see_holdings_sees_what_is_lent_and_overdue(hospital: Hospital, browser: Browse) -> None:
    number = lending.another(hospital, mrn="00218647", location=lending.shelf(hospital))
    indexed(hospital)
    assert "在架" in browser("archivist").ask("/search", q="尹春燕").text
    asked = lending.approved(hospital, "clinician", number)
    lending.issue(hospital, asked, barcode="B00218647-1")
    assert "借出，应还" in browser("archivist").ask("/search", q="尹春燕").text
    hospital.clock.forward(days=30)
    assert "逾期未还，应还" in browser("archivist").ask("/search", q="尹春燕").text
    ward = browser("clinician").ask("/search", q="尹春燕").text
    assert "尹春燕" in ward
    assert "应还" not in ward
