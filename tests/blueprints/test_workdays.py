"""The working calendar on a page: seen by whoever runs the system, changed by whoever configures it."""

from datetime import date

from archive.models import CalendarDay
from tests.blueprints.conftest import Browse
from tests.conftest import CAST, Hospital

YEAR = "/control/calendar"
LIST = {
    "year": "2027", "text": "2027-02-05..2027-02-11 休 春节\n2027-02-14 班 春节调休", "because": "国办发明电〔2026〕9号",
}  # fmt: skip


def test_the_calendar_is_for_the_system_administrator_alone(hospital: Hospital, browser: Browse) -> None:
    for account in CAST:
        own, may = browser(account), account == "sysadmin"
        assert own.get(YEAR).status_code == (200 if may else 403), account
        if not may:
            assert own.post(f"{YEAR}/compare", LIST).status_code == 403
            assert own.post(f"{YEAR}/enter", LIST).status_code == 403


def test_a_day_says_in_words_what_it_is(hospital: Hospital, browser: Browse) -> None:
    page = browser("sysadmin").get(f"{YEAR}?year=2026").text
    for words in (
        "2026-10-01 放假 国庆节",
        "2026-10-10 上班 调休上班",
        "2026-11-20 工作日",
        "2026-11-21 周末",
    ):
        assert f'aria-label="{words}"' in page


def test_a_chosen_day_stands_in_the_form(hospital: Hospital, browser: Browse) -> None:
    own = browser("sysadmin")
    assert "2026-11-23 休 </textarea>" in own.get(f"{YEAR}?year=2026&day=2026-11-23").text
    assert own.get(f"{YEAR}?year=2026&day=nonsense").status_code == 200
    assert "尚未录入节假日" in own.get(f"{YEAR}?year=2031").text


def test_a_list_is_compared_and_entered(hospital: Hospital, browser: Browse) -> None:
    own = browser("sysadmin")
    shown = own.post(f"{YEAR}/compare", LIST).text
    assert shown.count("春节") >= 8
    assert "应还日期无变化" in shown
    with hospital.site.session(readonly=True) as session:
        assert session.get(CalendarDay, date(2027, 2, 5)) is None
    done = own.post(f"{YEAR}/enter", LIST, follow_redirects=True).text
    assert "已录入 8 天" in done
    assert "国办发明电〔2026〕9号" in done
    with hospital.site.session(readonly=True) as session:
        assert session.get_one(CalendarDay, date(2027, 2, 14)).works


def test_what_is_wrong_names_its_line_and_nothing_is_lost(hospital: Hospital, browser: Browse) -> None:
    for page in ("compare", "enter"):
        got = browser("sysadmin").post(f"{YEAR}/{page}", LIST | {"text": "2027-02-05 休 春节\nfoo"})
        assert got.status_code == 422
        assert "第 2 行" in got.text
        assert "国办发明电〔2026〕9号" in got.text
    assert browser("sysadmin").post(f"{YEAR}/enter", LIST | {"because": ""}).status_code == 422
