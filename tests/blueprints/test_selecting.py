"""全选: all that a search finds is selected at once, never what one may not know of, and no more than the selection holds."""

import re
from html import unescape

import pytest
from sqlalchemy import select

from archive.models import BasketItem, Node, ReadEvent
from archive.services import basket, tree
from archive.site import Site
from tests.archives import begins
from tests.blueprints.conftest import Browse, Browser, words_of
from tests.conftest import Hospital
from tests.services import lending
from tests.services.searching import TEST, component, indexed, papers, patient, written

HIDDEN = re.compile(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">')
LISTED = re.compile(r'<article[^>]* data-row="([^"]+)"')
IN_THE_TABLE = re.compile(r'<tr[^>]* data-row="([^"]+)"')
RECORDS = {"q": "", "type": "medical_record"}


def look(browser: Browser, **typed: str) -> str:
    return browser.ask("/search", **typed).text


def press(browser: Browser, page: str) -> str:
    """Presses the button of that page as a browser without JavaScript does; gives what is said then."""
    assert 'formaction="/basket/all"' in page
    form = page[page.index('<form method="post" action="/basket"') :]
    fields = {name: unescape(value) for name, value in HIDDEN.findall(form[: form.index("</form>")])}
    answer = browser.post("/basket/all", fields)
    assert answer.status_code == 302
    return words_of(browser.get(answer.location))


def selected(browser: Browser) -> set[str]:
    return set(IN_THE_TABLE.findall(browser.get("/basket").text))


@begins
def wards(hospital: Hospital) -> list[int]:
    """Archived records of two wards, two each, and one of obstetrics that is still a draft."""
    stays = (("00300001", "CK"), ("00300002", "CK"), ("00300003", "EK"), ("00300004", "EK"))
    made = [lending.another(hospital, mrn=mrn, ward=ward) for mrn, ward in stays]
    made.append(patient(hospital, "00300005", "毛晓燕"))
    indexed(hospital)
    return made


def test_all_pages_of_a_search_are_selected_and_the_journal_has_a_line(
    hospital: Hospital, site: Site, browser: Browse
) -> None:
    papers(hospital, *[f"关于胎盘处置的通知（{number}）" for number in range(45)])
    indexed(hospital)
    user = browser("archivist")
    page = look(user, q="胎盘")
    assert len(LISTED.findall(page)) < 45
    assert "已加入 45 件。" in press(user, page)
    assert len(selected(user)) == 45
    assert "均已在已选中。" in press(user, page)
    with site.journal() as session:
        lines = session.scalars(select(ReadEvent).where(ReadEvent.action == "search.selected")).all()
    assert len(lines) == 2


def test_a_file_is_selected_once_and_not_its_items(hospital: Hospital, browser: Browse) -> None:
    record = patient(hospital, "00300001", "陈朵朵", diagnosis="前置胎盘")
    for title in ("手术记录", "病程记录"):
        written(hospital, component(hospital, record, title), "中央性前置胎盘")
    indexed(hospital)
    user = browser("archivist")
    page = look(user, q="前置胎盘")
    assert "已加入 1 件。" in press(user, page)
    assert selected(user) == set(LISTED.findall(page))


@pytest.mark.parametrize(
    ("account", "count"),
    [("archivist", 5), ("senior", 5), ("clinician", 4), ("clinician2", 4), ("head", 4)],
)
def test_nobody_gets_more_than_they_are_shown(
    wards: list[int], browser: Browse, account: str, count: int
) -> None:
    """Of the other ward's records clinicians know that they are there; of drafts they do not."""
    user = browser(account)
    page = look(user, **RECORDS)
    shown = set(LISTED.findall(page))
    assert len(shown) == count
    press(user, page)
    assert selected(user) == shown


def test_what_is_hidden_between_the_page_and_the_button_is_not_selected(
    hospital: Hospital, wards: list[int], browser: Browse
) -> None:
    user = browser("clinician")
    page = look(user, **RECORDS)
    with hospital.uow("senior") as uow:
        node = uow.session.get_one(Node, wards[0], execution_options=TEST)
        hidden = str(node.uuid)
        tree.set_level(uow, node, level=3, reason="保密")
    assert hidden in LISTED.findall(page)
    press(user, page)
    assert selected(user) == set(LISTED.findall(page)) - {hidden}


def test_more_than_the_selection_holds_is_said_and_left_out(hospital: Hospital, browser: Browse) -> None:
    papers(hospital, *["关于胎盘处置的通知"] * (basket.MOST + 9))
    indexed(hospital)
    user = browser("archivist")
    page = look(user, q="胎盘")
    assert f"全部加入已选（最多 {basket.MOST} 件）" in page
    assert f"已加入 {basket.MOST} 件。已选最多 {basket.MOST} 件，其余检索结果未加入。" in press(user, page)
    assert len(selected(user)) == basket.MOST
    assert f"已加入 0 件。已选最多 {basket.MOST} 件" in press(user, page)


def test_words_of_somebody_else_or_none_select_nothing(
    hospital: Hospital, site: Site, wards: list[int], browser: Browse
) -> None:
    page = look(browser("archivist"), **RECORDS)
    sealed = dict(HIDDEN.findall(page))["s"]
    for form in ({"s": unescape(sealed), "type": "medical_record"}, {"s": "x"}, {}):
        answer = browser("clinician").post("/basket/all", form)
        assert answer.status_code == 302
    for account in ("auditor", "security", "stranger"):
        assert browser(account).post("/basket/all", {"s": unescape(sealed)}).status_code == 403, account
    with site.session() as session:
        assert session.scalars(select(BasketItem), execution_options=TEST).all() == []


def test_while_there_is_no_index_what_the_database_finds_is_selected(
    hospital: Hospital, browser: Browse
) -> None:
    papers(hospital, "关于胎盘处置的通知", "关于胎盘的又一通知", "另一通知")
    user = browser("archivist")
    page = look(user, q="胎盘")
    assert "至少 2 条" in page
    assert "已加入 2 件。" in press(user, page)
