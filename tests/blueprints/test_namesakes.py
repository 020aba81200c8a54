"""是否要找 on the search page and on 病案去向: links that carry no words, for whoever may read the names."""

import re

import pytest
from sqlalchemy import select

from archive.models import ReadEvent
from archive.site import Site
from tests.blueprints.conftest import Browse, words_of
from tests.conftest import Hospital
from tests.services.searching import component, indexed, patient, written

OFFERED = re.compile(r'id="names-alike">(.*?)</p>')
LINK = re.compile(r'href="([^"]+)">([^<]+)</a>')


@pytest.fixture(autouse=True)
def _people(hospital: Hospital) -> None:
    for number, name in enumerate(("张姗", "章山", "李娜"), start=40_000_000):
        patient(hospital, f"{number}", name)


@pytest.mark.parametrize("page", ["/search", "/where"])
def test_a_name_that_finds_nobody_offers_others_and_one_click_finds_them(browser: Browse, page: str) -> None:
    archivist = browser("archivist")
    answer = archivist.ask(page, q="张珊")
    assert "是否要找：" in words_of(answer)
    (line,) = OFFERED.findall(answer.text)
    links = LINK.findall(line)
    assert [name for _href, name in links] == ["张姗", "章山"]
    for href, name in links:
        assert re.fullmatch(rf"{page}\?s=[\w.=-]+", href), "no word of it in the address"
        assert name in words_of(archivist.get(href))
    assert "40000000" in words_of(archivist.get(links[0][0]))


@pytest.mark.parametrize("page", ["/search", "/where"])
@pytest.mark.parametrize("account", ["clinician", "desk", "senior"])
def test_only_whoever_may_read_the_names_is_offered_them(browser: Browse, page: str, account: str) -> None:
    answer = browser(account).ask(page, q="张珊")
    assert answer.status_code == 200
    assert ("是否要找" in words_of(answer)) is (account == "senior")


def test_whoever_finds_enough_of_that_very_name_is_offered_no_other(
    hospital: Hospital, browser: Browse
) -> None:
    archivist = browser("archivist")
    for number in range(3):
        patient(hospital, f"{41_000_000 + number}", "张珊")
        assert ("是否要找" in words_of(archivist.ask("/search", q="张珊"))) is (number < 2)
    assert "是否要找" not in words_of(archivist.ask("/where", q="张珊"))


def test_the_journal_holds_that_names_were_offered(browser: Browse, site: Site) -> None:
    browser("archivist").ask("/search", q="张珊")
    with site.journal() as journal:
        lines = journal.scalars(select(ReadEvent).where(ReadEvent.action == "search.suggested")).all()
        assert [(line.actor, len(line.shown)) for line in lines] == [("archivist", 2)]


def test_words_of_a_text_are_no_misspelt_name(hospital: Hospital, browser: Browse) -> None:
    with_text = patient(hospital, "42000000", "王伟")
    patient(hospital, "42000001", "黄丹")
    archivist = browser("archivist")
    assert "是否要找" in words_of(archivist.ask("/search", q="黄疸"))
    written(hospital, component(hospital, with_text, "病程记录"), "新生儿黄疸")
    indexed(hospital)
    assert "是否要找" not in words_of(archivist.ask("/search", q="黄疸"))
