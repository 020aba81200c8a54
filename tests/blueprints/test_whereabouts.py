"""The pages that find a patient: where every file is, and the exact search that stands in no address."""

import re
from urllib.parse import unquote

import pytest
from sqlalchemy import select

from archive.models import ReadEvent
from tests.archives import begins
from tests.blueprints.conftest import Browse, Browser
from tests.conftest import Hospital
from tests.services.lending import SHELF, approved, archive_it, issue, shelf

MRN = "00218647"
TITLE = re.compile(r"<title>(.*?)</title>")
NAMED = {"mrn": MRN, "patient_name": "刘婷婷", "purpose": "treatment"}


@begins
def archived(hospital: Hospital, record: int) -> int:
    """An archived stay of 刘婷婷 in obstetrics, on its shelf."""
    return archive_it(hospital, record, location=shelf(hospital))


def asked(browser: Browser, typed: str) -> str:
    answer = browser.ask("/where", q=typed)
    assert answer.status_code == 200
    return answer.text


def test_the_archivist_reads_who_it_is_and_where_the_paper_stands(browser: Browse, archived: int) -> None:
    page = asked(browser("archivist"), "ltt")
    for word in (
        "刘婷婷",
        "00218647-2",
        "2026-11-12",
        "产科",
        "已归档",
        "双套",
        "64 页",
        "在架",
        SHELF,
        "B00218647-2",
    ):
        assert word in page, word


def test_the_one_who_has_it_is_named_with_since_when_and_until_when(
    browser: Browse, hospital: Hospital, archived: int
) -> None:
    number = approved(hospital, "clinician2", archived)
    issue(hospital, number)
    page = asked(browser("clerk"), "b00218647-2")
    for word in ("借出", "clinician2甲", "应还 2026-11-25", number):
        assert word in page, word
    assert "clinician2甲" not in asked(browser("clinician"), MRN)


def test_a_clerk_is_told_no_name(browser: Browse, archived: int) -> None:
    clerk = browser("clerk")
    page = asked(clerk, MRN)
    assert SHELF in page
    for word in ("刘", "1994-03-02", "2026-11-12", "产科", "/a/h001"):
        assert word not in page, word
    assert "没有查到" in asked(clerk, "刘婷婷")


def test_a_ward_reads_a_masked_name_and_may_ask(browser: Browse, archived: int) -> None:
    page = asked(browser("clinician"), "liutingting")
    assert "刘**" in page
    assert "刘婷婷" not in page
    assert "@@request" in page
    assert SHELF not in page


def test_who_finds_nothing_is_told_the_same_whether_there_is_anything(browser: Browse, archived: int) -> None:
    doctor = browser("clinician2")
    known, unknown = (_without_the_words(asked(doctor, typed), typed) for typed in (MRN, "00999999"))
    assert known == unknown


def _without_the_words(page: str, *typed: str) -> str:
    """A page without what was typed and the token, which is another on each."""
    for words in typed:
        page = page.replace(words, "·")
    return re.sub(r'(content|value)="[\w.-]{60,}"', "", page)


@pytest.mark.parametrize("account", ["stranger", "auditor", "security", "sysadmin", "inspector"])
def test_neither_page_is_for_those_who_have_nothing_to_do_with_records(browser: Browse, account: str) -> None:
    somebody = browser(account)
    assert somebody.get("/where").status_code == 403
    assert somebody.get("/find-patient").status_code == 403
    assert somebody.post("/find-patient", NAMED).status_code == 403
    menu = somebody.get("/sessions").text
    assert "/where" not in menu
    assert "/find-patient" not in menu


def test_the_field_comes_back_empty_for_the_next_shot_of_the_gun(browser: Browse, archived: int) -> None:
    field = re.search(r'<input[^>]*id="where"[^>]*>', asked(browser("clerk"), MRN))
    assert field is not None
    assert "autofocus" in field[0]
    assert "value=" not in field[0]


def test_a_search_is_in_the_journal_and_an_empty_page_is_not(
    browser: Browse, hospital: Hospital, archived: int
) -> None:
    somebody = browser("archivist")
    somebody.get("/where")
    asked(somebody, "刘婷婷")
    lines = select(ReadEvent.actor, ReadEvent.shown).where(ReadEvent.action.startswith("whereabouts"))
    with hospital.site.journal() as session:
        assert [tuple(line) for line in session.execute(lines)] == [("archivist", [archived])]


def test_a_doctor_finds_a_patient_of_another_ward_and_asks(browser: Browse, archived: int) -> None:
    answer = browser("clinician2").ask("/find-patient", **NAMED)
    assert answer.status_code == 200
    for word in ("00218647-2", "刘婷婷", "2026-11-08", "2026-11-12", "@@request"):
        assert word in answer.text, word
    assert "++page++" not in answer.text


def test_a_wrong_name_an_unknown_number_and_a_hidden_record_answer_alike(
    browser: Browse, hospital: Hospital, record: int
) -> None:
    archive_it(hospital, record, level=2)
    doctor = browser("clinician")
    pages = set()
    for mrn, name in ((MRN, "刘婷婷"), (MRN, "刘婷某"), ("00999999", "刘婷婷")):
        answer = doctor.ask("/find-patient", **(NAMED | {"mrn": mrn, "patient_name": name}))
        assert answer.status_code == 200
        pages.add(_without_the_words(answer.text, mrn, name))
    assert len(pages) == 1
    assert "没有查到" in pages.pop()


@pytest.mark.parametrize(
    ("page", "typed"), [("/find-patient", NAMED), ("/where", {"q": "刘婷婷"}), ("/search", {"q": "刘婷婷"})]
)
def test_no_number_and_no_name_stands_in_an_address(
    browser: Browse, archived: int, page: str, typed: dict[str, str]
) -> None:
    somebody = browser("archivist")
    assert f'method="post" action="{page}"' in somebody.get(page).text
    address = somebody.post(page, typed).headers["Location"]
    assert address.isascii()
    assert not any(words in unquote(address) for words in typed.values())
    first, again = (somebody.get(address).text for _time in range(2))
    assert "00218647-2" in first, "the address works, also when it is loaded again"
    assert "00218647-2" in again
    assert "刘婷婷" not in TITLE.findall(first)[0], "browsers keep titles too"


def test_an_address_with_words_opens_in_no_other_session(browser: Browse, archived: int) -> None:
    mine = browser("archivist")
    address = mine.post("/where", {"q": "刘婷婷"}).headers["Location"]
    for other in (browser("senior"), browser("archivist")):
        page = other.get(address).text
        assert "00218647-2" not in page
        assert "刚才查找的内容已不再保留" in page
    assert "00218647-2" in mine.get(address).text
    assert "刚才查找的内容已不再保留" in browser("archivist").get("/where?s=made-up").text


def test_what_is_missing_stands_beside_its_field(browser: Browse, archived: int) -> None:
    answer = browser("clinician2").ask("/find-patient", mrn=MRN)
    assert answer.status_code == 422
    assert "请另填姓名、出生日期或出院日期。" in answer.text
    assert f'value="{MRN}"' in answer.text


def test_who_guesses_on_is_told_whom_to_ask(browser: Browse, archived: int) -> None:
    doctor = browser("clinician2")
    for number in range(20):
        doctor.ask("/find-patient", **(NAMED | {"patient_name": f"刘{number}"}))
    answer = doctor.ask("/find-patient", **NAMED)
    assert answer.status_code == 429
    assert "请联系病案科协助" in answer.text
    assert "00218647-2" not in answer.text
