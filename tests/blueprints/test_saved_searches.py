"""The pages of what one searches for again: saving, running, sharing, being told, forgetting."""

import re
from functools import partialmethod
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from archive import journal
from archive.actor import Actor
from archive.models import Membership, ReadEvent, Setting, User
from archive.services import digest, hits, people, saved_searches
from archive.services.findings import Filters
from archive.services.questions import Question
from archive.uow import UnitOfWork
from index import Index, Limits
from tests.blueprints.conftest import Browse, Browser, words_of
from tests.conftest import CAST, Hospital
from tests.services.searching import indexed
from tests.services.test_saved_searches import listed, save, stay

EDIT = re.compile(r'href="(/searches/[0-9a-f-]{36})/edit"')
SAVE = re.compile(r'href="(/searches/add\?[^"]+)"')


def saving(reader: Browser, words: str, **filters: str) -> tuple[str, dict[str, str]]:
    """The form in which a search is saved, as one comes to it from the results, and its hidden fields."""
    found = SAVE.search(reader.ask("/search", q=words, **filters).text)
    assert found
    page = reader.get(found[1].replace("&amp;", "&")).text
    hidden = dict(
        re.findall(r'<input type="hidden" name="(s|dept|year|type|state|sort)" value="([^"]*)">', page)
    )
    return page, hidden


def test_a_search_is_saved_from_its_results_and_run_by_its_name(hospital: Hospital, browser: Browse) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘伴植入")
    reader = browser("archivist")
    page, hidden = saving(reader, "前置胎盘", year="2026", sort="date")
    assert 'value="前置胎盘"' in page
    assert "年度 2026" in page
    answer = reader.post("/searches", {**hidden, "name": "胎盘病例", "audience": "all"})
    assert answer.status_code == 302
    listing = browser("senior").get("/searches").text
    assert "胎盘病例" in listing
    assert "archivist甲" in listing
    ran = browser("senior").get(answer.location)
    assert ran.status_code == 302
    assert "前置胎盘" not in ran.location
    assert "%E5" not in ran.location
    assert re.search(r"^/search\?year=2026&sort=date&s=", ran.location)


def test_a_saved_search_leads_each_runner_to_their_own_results(hospital: Hospital, browser: Browse) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘伴植入")
    number = save(hospital, "archivist", audience="all")
    texts = {}
    for account in ("archivist", "clinician2"):
        reader = browser(account)
        texts[account] = reader.get(reader.get(f"/searches/{number}").location).text
    assert "00218647-1" in texts["archivist"]
    assert "00218647-1" not in texts["clinician2"]


def test_what_is_private_or_never_was_answers_alike(hospital: Hospital, browser: Browse) -> None:
    hidden, never = save(hospital, "archivist"), "00000000-0000-4000-8000-000000000000"
    reader = browser("senior")
    for path in ("", "/edit"):
        answers = [reader.get(f"/searches/{number}{path}") for number in (hidden, never)]
        assert [answer.status_code for answer in answers] == [404, 404]
    for path in ("/edit", "/delete", "/follow"):
        answers = [reader.post(f"/searches/{number}{path}", {"pinned": "1"}) for number in (hidden, never)]
        assert [answer.status_code for answer in answers] == [404, 404]


def test_others_use_a_shared_search_and_do_not_change_it(hospital: Hospital, browser: Browse) -> None:
    number = save(hospital, "archivist", audience="all")
    reader = browser("clinician")
    assert not EDIT.search(reader.get("/searches").text)
    assert reader.get(f"/searches/{number}/edit").status_code == 403
    assert reader.post(f"/searches/{number}/edit", {"name": "别的", "audience": "private"}).status_code == 403
    assert reader.post(f"/searches/{number}/delete").status_code == 403
    assert listed(hospital, "archivist") == ["前置胎盘病例"]


def test_the_owner_renames_shares_otherwise_and_deletes(hospital: Hospital, browser: Browse) -> None:
    save(hospital, "archivist", audience="all")
    reader = browser("archivist")
    found = EDIT.search(reader.get("/searches").text)
    assert found
    assert reader.post(f"{found[1]}/edit", {"name": "", "audience": "private"}).status_code == 422
    assert reader.post(f"{found[1]}/edit", {"name": "胎盘", "audience": "role:senior"}).status_code == 302
    assert listed(hospital, "senior") == ["胎盘"]
    assert listed(hospital, "clinician") == []
    assert reader.post(f"{found[1]}/delete").status_code == 302
    assert listed(hospital, "senior") == []


def test_a_refused_form_comes_again_with_what_was_typed(hospital: Hospital, browser: Browse) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘伴植入")
    reader = browser("archivist")
    _page, hidden = saving(reader, "婷婷 前置胎盘 00218647")
    answer = reader.post("/searches", {**hidden, "name": "病例", "audience": "all", "subscribed": "1"})
    assert answer.status_code == 422
    assert "只能设为“仅本人”" in answer.text
    assert 'value="病例"' in answer.text
    assert hidden["s"]
    again = dict(re.findall(r'<input type="hidden" name="(s)" value="([^"]*)">', answer.text))
    assert reader.post("/searches", {**again, "name": "病例", "audience": "private"}).status_code == 302
    assert listed(hospital, "archivist") == ["病例"]


def test_words_of_another_session_are_not_saved(hospital: Hospital, browser: Browse) -> None:
    indexed(hospital)
    _page, hidden = saving(browser("archivist"), "前置胎盘")
    answer = browser("senior").post("/searches", {**hidden, "name": "别人的", "audience": "private"})
    assert (answer.status_code, answer.location) == (302, "/search")
    assert listed(hospital, "senior") == []


def test_a_pinned_search_stands_on_the_workbench_with_ones_own_count(
    hospital: Hospital, browser: Browse
) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘伴植入", diagnosis="前置胎盘")
    stay(hospital, "00300001", "陈朵朵", "其母曾患前置胎盘", ward="EK", diagnosis="肺炎")
    number = save(hospital, "archivist", Question("", Filters(year=2026)), name="本年病案", audience="all")
    counts = {}
    for account in ("archivist", "clerk"):
        reader = browser(account)
        assert reader.post(f"/searches/{number}/follow", {"pinned": "1"}).status_code == 302
        page = reader.get("/").text
        assert figure(number, page) == "…", "nobody waits for the figures to see the page"
        behind = re.search(r'id="kept-figures" hx-get="([^"]+)"', page)
        assert behind
        counts[account] = [figure(number, reader.get(at).text) for at in (behind[1], "/?figures=1")]
    assert counts == {"archivist": ["2", "2"], "clerk": ["0", "0"]}
    assert told_of(hospital, "search.tallied") == [{"searches": [str(number)]}] * 4
    reader.post(f"/searches/{number}/follow", {"pinned": "0"})
    assert "本年病案" not in reader.get("/").text


def figure(number: UUID, page: str) -> str:
    found = re.search(rf'href="/searches/{number}"><span>本年病案</span><b>([^<]*)</b>', page)
    assert found
    return found[1]


def told_of(hospital: Hospital, action: str) -> list[dict[str, Any]]:
    """The words of the events of an action."""
    with hospital.site.journal() as session:
        numbers = session.scalars(
            select(ReadEvent.id).where(ReadEvent.action == action).order_by(ReadEvent.id)
        ).all()
        return [journal.words_of(session, journal.READS, number, hospital.site.keys) for number in numbers]


def test_a_workbench_without_pins_is_no_event(hospital: Hospital, browser: Browse) -> None:
    assert browser("archivist").get("/searches/figures").status_code == 200
    assert told_of(hospital, "search.tallied") == []


def test_a_notice_leads_to_the_newest_results(hospital: Hospital, browser: Browse) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    number = save(hospital, "archivist", audience="all")
    reader = browser("senior")
    assert reader.post(f"/searches/{number}/follow", {"subscribed": "1"}).status_code == 302
    stay(hospital, "00218650", "王芳", "前置胎盘")
    hospital.clock.forward(days=3)
    digest.daily(hospital.site)
    reader = browser("senior")
    page = reader.get("/notices").text
    assert "“前置胎盘病例”新增 1 条" in page
    found = re.search(r'action="(/notices/\d+)"', page)
    assert found
    answer = reader.post(found[1])
    assert answer.location == f"/searches/{number}?newest=1"
    assert "sort=date" in reader.get(answer.location).location
    assert "新增" not in words_of(reader.get("/searches")), "what one has looked at is new no longer"


def test_what_is_new_is_new_until_one_looks_at_it(hospital: Hospital, browser: Browse) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    reader = browser("senior")
    for words in ("前置胎盘", "出血"):
        number = save(hospital, "senior", Question(words), name=words)
        reader.post(f"/searches/{number}/follow", {"subscribed": "1"})
    stay(hospital, "00218650", "王芳", "前置胎盘伴出血")
    hospital.clock.forward(days=3)
    digest.daily(hospital.site)
    reader = browser("senior")
    notice = re.search(r'action="(/notices/\d+)"', reader.get("/notices").text)
    assert notice
    assert reader.post(notice[1]).location == "/searches", "it tells of two: there one sees which"
    for left in (2, 1):
        page = reader.get("/searches")
        assert words_of(page).count("新增 1 条") == left
        opening = re.search(r'action="(/searches/[0-9a-f-]{36}/newest)"', page.text)
        assert opening
        answer = reader.post(opening[1])
        assert answer.location == opening[1].removesuffix("/newest") + "?newest=1"
    assert "新增" not in words_of(reader.get("/searches"))
    assert "新增 1 条" in words_of(reader.get("/notices")), "the notice still tells what it told"


def test_the_history_is_run_again_and_forgotten(hospital: Hospital, browser: Browse) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘伴植入")
    reader = browser("archivist")
    for words in ("前置胎盘", "子宫破裂", "前置胎盘"):
        reader.ask("/search", q=words)
    page = reader.get("/searches/history").text
    assert "2 次" in page
    again = re.search(r'<a class="g" href="(/search\?s=[\w-]+)"><span>前置胎盘</span>', page)
    assert again
    assert "00218647-1" in reader.get(again[1]).text
    entries = re.findall(r'name="entry" value="([^"]+)"', page)
    assert not [entry for entry in entries if entry.isdigit()]
    browser("senior").post("/searches/history/forget", {"entry": entries[0]})
    reader.post("/searches/history/forget", {"entry": entries[1]})
    assert "子宫破裂" not in reader.get("/searches/history").text
    assert "前置胎盘" in reader.get("/search").text, "what was asked last stands beside an empty search"
    for nonsense in ("all of it", "1", again[1].partition("s=")[2]):
        assert reader.post("/searches/history/forget", {"entry": nonsense}).status_code == 302
    assert "前置胎盘" in reader.get("/searches/history").text, (
        "only the button that says so forgets everything"
    )
    reader.post("/searches/history/forget", {"all": "1"})
    assert "前置胎盘" not in reader.get("/searches/history").text
    reader.post("/searches/history/keep", {"kept": "0"})
    reader.ask("/search", q="肺炎")
    page = reader.get("/searches/history").text
    assert "检索历史已关闭" in page
    assert "肺炎" not in page
    assert "肺炎" not in browser("sysadmin").get("/audit/mine").text


def test_no_window_is_named_after_what_somebody_searches_for(hospital: Hospital, browser: Browse) -> None:
    indexed(hospital)
    save(hospital, "archivist", Question("刘婷婷"), name="刘婷婷的病案")
    reader = browser("archivist")
    reader.ask("/search", q="刘婷婷")
    found = EDIT.search(reader.get("/searches").text)
    assert found
    for path in ("/searches", "/searches/history", f"{found[1]}/edit"):
        page = reader.get(path).text
        assert "刘婷婷" in page
        title = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
        assert title
        assert "刘" not in title[1]


@pytest.mark.parametrize("account", [None, *CAST])
def test_who_may_not_search_has_none_of_these_pages(
    hospital: Hospital, browser: Browse, account: str | None
) -> None:
    save(hospital, "archivist", audience="all")
    expected = (
        302
        if account is None
        else 403
        if account in {"auditor", "security", "sysadmin", "stranger", "inspector"}
        else 200
    )
    for path in ("/searches", "/searches/history"):
        assert browser(account).get(path).status_code == expected, path


def test_limits_are_said_and_nothing_is_half_done(
    hospital: Hospital, browser: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed(hospital)
    monkeypatch.setattr(saved_searches, "MOST_PINNED", 0)
    reader = browser("archivist")
    _page, hidden = saving(reader, "前置胎盘")
    answer = reader.post("/searches", {**hidden, "name": "胎盘", "audience": "private", "pinned": "1"})
    assert answer.status_code == 409
    assert "最多只能设置 0 个" in answer.text
    assert listed(hospital, "archivist") == []


def test_who_is_shared_a_leavers_search_takes_it_over_on_the_page(
    hospital: Hospital, browser: Browse
) -> None:
    number = save(hospital, "head", audience="all")
    reader, boss = browser("clinician"), browser("sysadmin")
    assert "take-over" not in reader.get("/searches").text
    assert reader.post(f"/searches/{number}/take-over").status_code == 409
    with hospital.uow("sysadmin") as uow:
        people.disable(uow, uow.session.get_one(User, hospital.people["head"]))
    page = reader.get("/searches").text
    assert "head甲（已离岗）" in page
    assert f"/searches/{number}/take-over" in page
    assert boss.post(f"/searches/{number}/take-over").status_code == 403
    assert browser("stranger").post(f"/searches/{number}/take-over").status_code == 403
    assert reader.post(f"/searches/{number}/take-over").location == "/searches"
    assert EDIT.search(reader.get("/searches").text)
    assert "take-over" not in browser("senior").get("/searches").text


def test_nobody_waits_while_a_subscription_looks_for_what_is_known(
    hospital: Hospital, browser: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one lock for all who write: no search is run while it is held."""
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    reader, number = browser("archivist"), save(hospital, "archivist")
    _page, hidden = saving(reader, "前置胎盘")
    search, written = hits.files, []

    def meanwhile(uow: UnitOfWork, question: Question) -> set[int] | None:
        with hospital.site.session(patient=False) as session:
            session.merge(Setting(name="test", value=len(written)))
        written.append(question.text)
        return search(uow, question)

    monkeypatch.setattr(hits, "files", meanwhile)
    assert reader.post(f"/searches/{number}/follow", {"subscribed": "1"}).status_code == 302
    assert (
        reader.post(
            "/searches", {**hidden, "name": "胎盘", "audience": "private", "subscribed": "on"}
        ).status_code
        == 302
    )
    assert written == ["前置胎盘", "前置胎盘"]
    with hospital.uow("archivist", readonly=True) as uow:
        assert [saved.subscribed for saved in saved_searches.listing(uow)] == [True, True]
    assert len(told_of(hospital, "search.counted")) == 2


def test_what_is_refused_is_said_beside_what_was_typed(
    hospital: Hospital, browser: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed(hospital)
    reader, number = browser("archivist"), save(hospital, "archivist", Question("胎盘 出血"))
    _page, hidden = saving(reader, "胎盘 出血")
    monkeypatch.setattr(Index, "search", partialmethod(Index.search, limits=Limits(seconds=0)))
    form = {**hidden, "name": "胎盘出血", "audience": "private", "subscribed": "on"}
    answer = reader.post("/searches", form)
    assert answer.status_code == 503
    assert "检索时间过长" in words_of(answer)
    assert 'value="胎盘出血"' in answer.text
    assert reader.post(f"/searches/{number}/follow", {"subscribed": "1"}).location == "/searches"
    assert "检索时间过长" in words_of(reader.get("/searches"))
    monkeypatch.setattr(saved_searches, "MOST_PINNED", 0)
    assert reader.post(f"/searches/{number}/follow", {"pinned": "1"}).location == "/searches"
    assert "最多只能设置 0 个" in words_of(reader.get("/searches"))
    assert listed(hospital, "archivist") == ["前置胎盘病例"]


def test_a_search_within_a_place_that_nobody_knows_is_refused_with_its_form(
    hospital: Hospital, browser: Browse
) -> None:
    indexed(hospital)
    reader = browser("archivist")
    _page, hidden = saving(reader, "前置胎盘")
    form = {**hidden, "under": "00000000-0000-4000-8000-000000000000", "name": "胎盘", "audience": "private"}
    answer = reader.post("/searches", {**form, "subscribed": "on"})
    assert answer.status_code == 404
    assert 'value="胎盘"' in answer.text
    assert listed(hospital, "archivist") == []


def test_whoever_left_a_department_finds_it_chosen_in_the_form(hospital: Hospital, browser: Browse) -> None:
    ward = hospital.wards["CK"]
    number = save(hospital, "head", audience=f"dept:{ward}")
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.execute(delete(Membership).where(Membership.principal_id == hospital.people["head"]))
    page = browser("head").get(f"/searches/{number}/edit").text
    assert re.search(rf'<option value="dept:{ward}"[^>]*selected[^>]*>产科<', page)
