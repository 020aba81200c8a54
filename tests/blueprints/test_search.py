"""The search page: straight to a number, hits by file, and the same answer for what is hidden and what never was."""

import re

import pytest
from sqlalchemy import func, select

from archive.models import ReadEvent
from archive.services import search
from archive.sight import href
from archive.site import Site
from index import Limits
from tests.archives import once
from tests.blueprints.conftest import Browse, words_of
from tests.conftest import Hospital
from tests.services.searching import archived, component, indexed, patient, written


def shelf(hospital: Hospital) -> dict[str, int]:
    own = patient(hospital, "00218647", "刘婷婷", diagnosis="前置胎盘", diagnosis_code="O44.100")
    operation = component(hospital, own, "手术记录")
    written(hospital, operation, "术中诊断：中央性前置胎盘<b>伴植入</b>。")
    special = patient(
        hospital, "00400001", "毛晓燕", diagnosis="人类免疫缺陷病毒病", diagnosis_code="B20.900"
    )
    for number in (operation,):
        written(hospital, number, "清点无误")
    written(hospital, special, "合并前置胎盘")
    for number in (own, special):
        archived(hospital, number)
    indexed(hospital)
    return {"own": own, "special": special}


def test_a_number_and_enter_goes_straight_to_the_record(hospital: Hospital, browser: Browse) -> None:
    shelf(hospital)
    for account, status in (("archivist", 302), ("clinician", 302), ("clinician2", 302)):
        answer = browser(account).ask("/search", q="00218647")
        assert answer.status_code == status, account
        assert answer.location.startswith("/a/h001/zy-bl/")
    assert browser("clinician").ask("/search", q="00400001").status_code == 200


def test_words_show_the_passage_with_the_words_marked(hospital: Hospital, browser: Browse) -> None:
    shelf(hospital)
    page = browser("archivist").ask("/search", q="前置胎盘").text
    assert "<mark>前置胎盘</mark>&lt;b&gt;伴植入&lt;/b&gt;" in page
    assert "手术记录 第 1 页" in page
    assert "共 3 条" in page
    assert ">刘婷婷<" in page


def test_hidden_and_never_there_give_the_same_page(hospital: Hospital, browser: Browse) -> None:
    """Byte for byte, but for the words themselves and what differs with every page."""
    shelf(hospital)
    differs = r'name="csrf-token" content="[^"]+"|name="csrf_token" value="[^"]+"|[?&]s=[\w-]+'
    for account in ("clinician2", "desk", "scanner"):
        hidden, never = (
            re.sub(rf"{words}|{differs}", "", page)
            for words in ("毛晓燕", "毛晓雁")
            if (page := browser(account).ask("/search", q=words).text)
        )
        assert hidden == never, account


def test_filters_are_chips_that_can_be_taken_away(hospital: Hospital, browser: Browse) -> None:
    shelf(hospital)
    narrowed = {
        "q": "胎盘",
        "year": "2026",
        "type": "medical_record",
        "_external": "1",
        "_scheme": "javascript",
    }
    page = browser("archivist").ask("/search", **narrowed).text
    assert "javascript:" not in page
    assert re.search(r'href="/search\?s=[\w-]+&amp;type=medical_record"', page)
    assert "住院病案" in page


def test_what_cannot_be_understood_is_said_on_the_page(hospital: Hospital, browser: Browse) -> None:
    indexed(hospital)
    answer = browser("archivist").ask("/search", q="(胎盘")
    assert answer.status_code == 200
    assert "此处的括号没有闭合。" in answer.text


def test_without_an_index_the_page_says_so(hospital: Hospital, browser: Browse) -> None:
    patient(hospital, "00218647", "刘婷婷")
    page = browser("archivist").ask("/search", q="刘婷婷").text
    assert "检索索引正在重建" in page
    assert "00218647-1" in page


def test_suggestions_name_only_whom_one_may_identify(hospital: Hospital, browser: Browse) -> None:
    shelf(hospital)
    assert "刘" in browser("clinician").post("/search/suggestions", {"q": "liu"}).text
    assert "毛" not in browser("clinician").post("/search/suggestions", {"q": "mao"}).text
    assert "刘" not in browser("clinician2").post("/search/suggestions", {"q": "liu"}).text


def test_a_search_is_one_line_in_the_journal(hospital: Hospital, site: Site, browser: Browse) -> None:
    numbers = shelf(hospital)
    browser("clinician").ask("/search", q="刘婷婷")
    with site.journal() as journal:
        lines = journal.scalars(select(ReadEvent).where(ReadEvent.action.startswith("search"))).all()
        said = [(line.action, line.actor, line.shown) for line in lines]
        assert said == [("search.run", "clinician", [numbers["own"]])]


def test_the_counts_behind_a_page_belong_to_its_search_and_others_are_an_event(
    hospital: Hospital, browser: Browse
) -> None:
    shelf(hospital)
    reader = browser("archivist")
    page = reader.ask("/search", q="前置胎盘").text
    behind = re.search(r'id="facets" hx-get="([^"]+)"', page)
    assert behind
    address = behind[1].replace("&amp;", "&")
    without = re.sub(r"&ran=[^&]+", "", address)
    assert without != address
    for asked, events in ((address, 0), (address, 0), (without, 1), (f"{address}&year=2026", 2)):
        assert reader.get(asked).status_code == 200
        assert actions(hospital) == ["search.run"] + ["search.counted"] * events, asked
    hospital.clock.forward(minutes=2)
    reader.get(address)
    assert actions(hospital) == ["search.run"] + ["search.counted"] * 3, (
        "a page of long ago told nothing of now"
    )
    reader.ask("/search", q="前置胎盘", facets="1")
    assert actions(hospital)[4:] == ["search.run"], "counts that come with the hits are the same search"


def actions(hospital: Hospital) -> list[str]:
    with hospital.site.journal() as journal:
        asked = select(ReadEvent.action).where(ReadEvent.action.startswith("search")).order_by(ReadEvent.id)
        return list(journal.scalars(asked))


def test_a_search_that_takes_too_long_comes_again_with_its_words(
    hospital: Hospital, browser: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf(hospital)
    monkeypatch.setattr(
        search, "HASTE", Limits(seconds=0)
    )  # a search that has no time, and not a large archive
    answer = browser("archivist").ask("/search", q="胎盘 出血")
    assert answer.status_code == 503
    assert "检索时间过长" in words_of(answer)
    assert 'name="q" value="胎盘 出血"' in answer.text


def test_who_has_no_part_in_the_archive_has_no_search(browser: Browse, hospital: Hospital) -> None:
    for account in ("auditor", "security", "sysadmin", "stranger"):
        assert browser(account).post("/search", {"q": "刘"}).status_code == 403, account
    assert browser().get("/search").status_code == 302


def test_the_page_says_what_was_looked_for_beside_and_offers_the_codes(
    hospital: Hospital, browser: Browse
) -> None:
    shelf(hospital)
    user = browser("archivist")
    page = user.ask("/search", q="胎盘前置").text
    assert "已同时检索：前置胎盘、placenta praevia、placenta previa" in page
    assert "疾病编码 ICD-10 三位类目" in " ".join(words_of(user.ask("/search", q="胎盘前置")).split())
    assert "<mark>前置胎盘</mark>" in page
    links = re.findall(
        r'href="(/search\?s=[\w-]+)"(?: title="|>)(只检索所输入的词|检索这个编码|检索这个名称)', page
    )
    assert [words for _address, words in links] == ["只检索所输入的词", "检索这个编码", "检索这个名称"]
    exactly, by_code, by_term = (user.get(address).text for address, _words in links)
    assert "没有检索到" in exactly
    assert "已同时检索" not in exactly
    assert "已同时检索：O44.100、前置胎盘" in by_code
    assert "共 3 条" in by_term
    assert "胎盘" not in "".join(address for address, _words in links)


@once
def test_a_patient_above_ones_clearance_is_behind_no_door_and_each_attempt_is_written_down(
    hospital: Hospital, site: Site, browser: Browse
) -> None:
    """domain.md §22.12: of an HIV patient, to a doctor of the very ward whose clearance ends below S2."""
    special = shelf(hospital)["special"]
    with hospital.uow("senior", readonly=True) as uow:
        node = uow.node(special)
        uuid, place = node.uuid, href(uow, node)
        assert node.level == 2
    doctor = browser("clinician")
    with site.journal() as session:
        before = session.scalar(select(func.max(ReadEvent.id))) or 0
    for asked in (
        "毛晓燕",
        "maoxiaoyan",
        "00400001",
        "00400001-2",
        "人类免疫缺陷病毒病",
        "B20.900",
        "合并前置胎盘",
    ):
        page = doctor.ask("/search", q=asked)
        assert page.status_code == 200, asked
        said = words_of(page).replace(asked, "")
        assert not any(word in said for word in ("毛晓燕", "00400001", "余见专科")), asked
        counted = doctor.post("/search/facets", {"q": asked})
        assert "B20" not in counted.text.replace(asked, ""), asked
        offered = doctor.post("/search/suggestions", {"q": asked[:3]}).text.replace(asked[:3], "")
        assert not any(word in offered for word in ("晓燕", "400001")), asked
    doors = (
        place, f"{place}/++page++1", f"{place}/@@request", f"{place}/@@history", f"/a/{uuid}", "/a/h001/zy-bl/nowhere",
    )  # fmt: skip
    assert {door: doctor.get(door).status_code for door in doors} == dict.fromkeys(doors, 404)
    with site.journal() as session:
        hidden = session.scalars(
            select(ReadEvent.object_id).where(ReadEvent.id > before, ReadEvent.result == "hidden")
        ).all()
    assert hidden.count(special) == 4
    assert len(hidden) == len(doors)
    assert browser("senior").get(place).status_code == 200
