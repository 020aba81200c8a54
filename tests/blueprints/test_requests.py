"""Asking, deciding and one's own requests, as pages."""

import io
import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from archive.models import ReadEvent
from archive.sight import href
from tests import papers
from tests.archives import begins
from tests.blueprints.conftest import Browser
from tests.conftest import Hospital
from tests.services import lending, searching
from tests.services.lending import approved, archive_it, ask, state_of, step

Browse = Callable[..., Browser]
FORM = {"kind": "eread", "purpose": "discussion", "days": "3", "reason": "多次剖宫产讨论", "declared": "none"}
IDS = re.compile(r'name="ids" value="([^"]+)"')


@begins
def archived(hospital: Hospital, record: int) -> int:
    """An archived record of obstetrics."""
    return archive_it(hospital, record)


@begins
def place(hospital: Hospital, archived: int) -> str:
    """Where that record is."""
    with hospital.uow("senior", readonly=True) as uow:
        return href(uow, uow.node(archived))


def test_a_doctor_asks_on_the_page_of_the_record_and_reads_after_approval(
    hospital: Hospital, place: str, browser: Browse
) -> None:
    doctor, head = browser("clinician"), browser("head")
    page = doctor.get(f"{place}/@@request").text
    assert "多次" not in page
    assert page.index("提交之后") < page.index(">利害关系声明") < page.index(">提交申请<"), (
        "what happens then is read before"
    )
    sent = doctor.post(f"{place}/@@request", FORM)
    assert sent.status_code == 302
    slip = doctor.get(sent.headers["Location"]).text
    assert "JY2026-000001" in slip
    assert "待审批" in slip
    (ref,) = IDS.findall(head.get("/approvals").text)
    assert head.post("/approvals", {"act": "approve", "ids": ref}).status_code == 302
    assert "没有待审批的申请" in head.get("/approvals").text
    assert "可在线阅览" in doctor.get("/requests").text
    assert state_of(hospital, "JY2026-000001") == "active"


def test_a_refused_form_that_shows_a_name_stands_in_the_journal(
    hospital: Hospital, archived: int, place: str, browser: Browse
) -> None:
    def shown() -> list[tuple[str, bool]]:
        with hospital.site.journal() as session:
            lines = session.scalars(select(ReadEvent).where(ReadEvent.action == "requests_ask.viewed")).all()
            return [(line.actor, archived in (line.shown or ())) for line in lines]

    doctor, other = browser("clinician"), browser("clinician2")
    assert "刘**" in doctor.post(f"{place}/@@request", FORM | {"days": "99"}).text
    assert shown() == [("clinician", True)]
    assert "刘" not in other.post(f"{place}/@@request", FORM | {"days": "99"}).text
    assert doctor.post(f"{place}/@@request", FORM).status_code == 302
    for account in ("auditor", "sysadmin", "stranger"):
        assert browser(account).post(f"{place}/@@request", FORM).status_code == 404
    assert shown() == [("clinician", True), ("clinician2", False)], (
        "what the change itself tells is told once"
    )


def test_whoever_may_ask_for_nothing_while_something_is_overdue_is_told_so_and_gets_no_empty_form(
    hospital: Hospital, place: str, archived: int, browser: Browse
) -> None:
    lending.rules(hospital, treatment={"while_overdue": False}, dispute={"who": ["senior"]})
    lending.issue(hospital, approved(hospital, "clinician", archived))
    hospital.clock.forward(days=6)
    page = browser("clinician").get(f"{place}/@@request").text
    assert "您有逾期" in page
    assert browser("clinician").get("/requests").text.count(">逾期</span>") == 2, "the volume and its slip"
    assert "<select" not in page


def test_what_cannot_be_asked_is_said_beside_its_field(place: str, browser: Browse) -> None:
    doctor = browser("clinician")
    wrong = doctor.post(f"{place}/@@request", FORM | {"days": "99"})
    assert wrong.status_code == 422
    assert "此用途可借 1 至 3 天" in wrong.text
    assert "多次剖宫产讨论" in wrong.text, "what was typed is kept"
    assert doctor.post(f"{place}/@@request", FORM).status_code == 302
    again = doctor.post(f"{place}/@@request", FORM)
    assert again.status_code == 409
    assert "您已申请过" in again.text


def test_a_refusal_without_a_reason_is_said_in_its_row(
    hospital: Hospital, archived: int, browser: Browse
) -> None:
    number = ask(hospital, "clinician", archived)
    head = browser("head")
    (ref,) = IDS.findall(head.get("/approvals").text)
    head.post("/approvals", {"act": "refuse", "ids": ref})
    page = head.get("/approvals").text
    assert "请用一句话说明理由" in page
    assert state_of(hospital, number) == "requested"
    head.post("/approvals", {"act": "refuse", "ids": ref, "reason": "请先说明诊疗需要"})
    assert "请先说明诊疗需要" in browser("clinician").get("/requests").text


def test_asking_by_number_answers_alike_for_what_is_there_and_what_is_not(
    hospital: Hospital, archived: int, browser: Browse
) -> None:
    lending.another(hospital, mrn="00217720", level=3)
    doctor = browser("clinician2")
    answers = []
    for number in ("00217720-1", "99999999-1"):
        sent = doctor.post("/requests", FORM | {"number": number})
        page = doctor.get("/requests").text
        answers.append(
            (sent.status_code, sent.headers["Location"], re.sub(r'content="[^"]+"|value="[^"]+"', "", page))
        )
    assert answers[0] == answers[1]
    assert "00217720" not in answers[0][2]


def test_many_are_asked_for_by_a_list_and_decided_on_one_line(
    hospital: Hospital, archived: int, browser: Browse
) -> None:
    lending.another(hospital, mrn="00300001", name="陈朵朵")
    doctor, head = browser("clinician"), browser("head")
    assert "批量申请" in doctor.get("/requests").text
    assert "申请内容</h2>" in doctor.get("/requests/many").text, (
        "the form lies on a card, as on its sister pages"
    )
    typed = FORM | {"records": "00218647-2\n00300001-1\n99999999-1", "act": "look"}
    seen = doctor.post("/requests/many", typed).text
    assert seen.count("这一份您查不到") == 1
    assert "00218647-2 · " in seen
    assert "\n00218647-2\n00300001-1\n99999999-1</textarea>" in seen, "what was typed stands there still"
    wrong = doctor.post("/requests/many", typed | {"records": "不是号码"})
    assert wrong.status_code == 422
    assert "查不到的病案请填写病案号和住院次" in wrong.text
    page = doctor.post("/requests/many", typed | {"act": "send"}).location
    assert "您查不到的病案，批准后显示在这里" in doctor.get(page).text
    (ref,) = re.findall(r'name="bundles" value="([^"]+)"', head.get("/approvals").text)
    head.post("/approvals", {"act": "refuse", "bundles": ref})
    assert "请用一句话说明理由" in head.get("/approvals").text
    one = IDS.findall(head.get(f"/requests/bundles/{ref}").text)[0]
    head.post(f"/requests/bundles/{ref}", {"act": "refuse", "ids": one, "reason": "不在讨论之列"})
    head.post("/approvals", {"act": "approve", "bundles": ref})
    assert "不在讨论之列" in doctor.get(page).text
    told = doctor.get("/notices").text
    assert "您的批次申请中有病案已批准" in told
    (number,) = re.findall(r"/notices/(\d+)\"[^>]*>(?:(?!</form>).)*已批准", told)
    assert doctor.post(f"/notices/{number}").location == page
    assert browser("clinician2").get(page).status_code == 404


def test_the_approval_of_the_ethics_committee_is_attached_on_the_page_of_a_study(
    hospital: Hospital, archived: int, browser: Browse
) -> None:
    lending.another(hospital, mrn="00300001", name="陈朵朵")
    doctor, head = browser("clinician"), browser("head")
    study = FORM | {"records": "00218647-2 00300001-1", "purpose": "research", "days": ""}
    assert "图像和文字不作去标识化处理" in doctor.post("/requests/many", study | {"act": "look"}).text
    page = doctor.post("/requests/many", study | {"act": "send"}).location
    form = {"number": "LL-2026-17", "day": "2026-11-02"}
    wrong = doctor.post(f"{page}/ethics", form)
    assert wrong.status_code == 422
    assert 'value="LL-2026-17"' in wrong.text
    sent = doctor.post(f"{page}/ethics", {**form, "file": (io.BytesIO(papers.pdf("批件")), "批件.pdf")})
    assert sent.status_code == 302
    assert all(words in head.get(page).text for words in ("LL-2026-17", "病毒检查：未进行"))
    shown = head.get(f"{page}/ethics/1")
    assert shown.mimetype == "image/jpeg"
    assert shown.headers["Cache-Control"] == "no-store"
    assert browser("clinician2").get(f"{page}/ethics/1").status_code == 404


def test_components_are_ticked_by_whoever_asks_and_fewer_by_whoever_decides(
    hospital: Hospital, record: int, browser: Browse
) -> None:
    for title, kind in (("手术记录", "SSJL"), ("出院记录", "CY"), ("入院记录", "RY")):
        searching.written(hospital, searching.component(hospital, record, title, kind), title)
    archive_it(hospital, record)
    with hospital.uow("senior", readonly=True) as uow:
        where = href(uow, uow.node(record))
    doctor, senior = browser("clinician"), browser("senior")
    refs = re.findall(r'name="parts" value="([^"]+)"', doctor.get(f"{where}/@@request").text)
    assert len(refs) == 3
    wrong = doctor.post(f"{where}/@@request", {**FORM, "with_copy": "1"})
    assert "此用途或借阅纸质本不提供盖印副本" in wrong.text
    assert re.search(r'checked[^>]* id="f-with_copy"', wrong.text)
    wrong = doctor.post(f"{where}/@@request", {**FORM, "kind": "paper", "parts": refs[:2]})
    assert wrong.status_code == 422
    assert "只有在线阅览可以选卷内文件" in wrong.text
    assert wrong.text.count(f'value="{refs[0]}" checked') == 1, "what was ticked stays ticked"
    slip = doctor.post(
        f"{where}/@@request", {**FORM, "purpose": "dispute", "parts": refs[:2], "with_copy": "1"}
    ).location
    page = senior.get(slip).text
    assert "只开放部分卷内文件" in page
    assert "只准阅览，不给副本" in page
    assert refs[2] not in page
    senior.post(f"{slip}/narrow", {"parts": refs[0]})
    senior.post(f"{slip}/approve")
    shown = doctor.get(slip).text
    assert "取盖印副本" in shown
    assert senior.post(f"{slip}/copy").status_code == 403
    (link,) = re.findall(r'<li><a href="([^"]+)">', shown)
    assert doctor.get(f"{link}/++page++1").status_code == 200
    assert doctor.get(f"{where}/++page++1").status_code in {403, 404}


def test_in_the_reading_room_a_code_opens_it_in_one_session_until_the_visit_is_ended(
    hospital: Hospital, record: int, browser: Browse
) -> None:
    searching.written(hospital, record, "手术记录")
    archive_it(hospital, record)
    lending.rules(hospital, dispute={"on_site": True})
    with hospital.uow("senior", readonly=True) as uow:
        page = f"{href(uow, uow.node(record))}/++page++1"
    here, elsewhere, archivist = browser("clinician"), browser("clinician"), browser("archivist")
    asked = FORM | {"purpose": "dispute", "with_copy": "1"}
    slip = here.post(f"{page.removesuffix('/++page++1')}/@@request", asked).location
    assert "只准阅览，不给副本" not in archivist.get(slip).text, "the rule lets another decide"
    browser("senior").post(f"{slip}/approve")
    told = here.get(slip).text
    assert all(
        words in told for words in ("仅限电子阅览室", "请到电子阅览室向工作人员索取六位口令", "可到室阅览")
    )
    assert "取盖印副本" not in told, "nothing is offered that would be refused"
    assert "您的申请已批准：请到电子阅览室阅览" in here.get("/notices").text
    assert f'href="{slip}">到阅览室阅读</a>' in here.get("/requests").text
    assert ">在线阅览</a>" not in here.get(slip).text + here.get("/requests").text
    assert here.get(page).status_code == 403
    archivist.post(f"{slip}/room-code")
    (code,) = re.findall(r"阅览室口令（只显示一次）：(\d{6})", archivist.get(slip).text)
    assert code not in archivist.get(slip).text
    here.post(f"{slip}/room-enter", {"code": "x"})
    assert "口令不符" in here.get(slip).text
    here.post(f"{slip}/room-enter", {"code": code})
    assert "开放至" in here.get(slip).text
    assert all(words in here.get(slip).text for words in (">在线阅览</a>", "取盖印副本"))
    away = elsewhere.get(slip).text
    assert "已在阅览室输入口令的电脑上开放" in away
    assert ">在线阅览</a>" not in away
    assert "取盖印副本" not in away
    assert (here.get(page).status_code, elsewhere.get(page).status_code) == (200, 403)
    archivist.post(f"{slip}/room-end")
    assert here.get(page).status_code == 403, "also while it stands open"


def test_a_reading_is_ended_from_its_slip(
    hospital: Hospital, archived: int, place: str, browser: Browse
) -> None:
    number = approved(hospital, "clinician", archived, kind="eread")
    doctor = browser("clinician")
    slip = re.search(r"/requests/[0-9a-f-]{36}", doctor.get("/requests").text)
    assert slip
    assert doctor.post(f"{slip[0]}/give_back").status_code == 302
    assert state_of(hospital, number) == "ended"


def test_whoever_saw_an_older_state_is_told_so(hospital: Hospital, archived: int, browser: Browse) -> None:
    ask(hospital, "clinician", archived)
    archivist = browser("archivist")
    slip = re.search(r"/requests/[0-9a-f-]{36}", archivist.get("/approvals").text)
    assert slip
    step(hospital, "senior", "JY2026-000001", "refuse", reason="重复申请")
    archivist.post(f"{slip[0]}/approve", {"version": "1"})
    assert "他人已作出决定" in archivist.get(slip[0]).text
    assert state_of(hospital, "JY2026-000001") == "refused"


def test_whoever_declares_and_may_not_see_the_slip_any_more_is_back_at_their_list(
    hospital: Hospital, archived: int, browser: Browse
) -> None:
    ask(hospital, "clinician", lending.another(hospital, mrn="00300005", ward="EK"), purpose="research")
    head = browser("head")
    slip = re.search(r"/requests/[0-9a-f-]{36}", head.get("/approvals").text)
    assert slip
    sent = head.post(f"{slip[0]}/recuse", {"words": "患者是我的表妹"})
    page = head.get(sent.headers["Location"])
    assert page.status_code == 200
    assert "已记录，改由他人审批" in page.text
    assert head.get(slip[0]).status_code == 404


@pytest.mark.parametrize("account", ["auditor", "security", "sysadmin", "stranger", "clinician2", "clerk"])
def test_a_slip_is_for_those_whom_it_concerns(
    hospital: Hospital, archived: int, browser: Browse, account: str
) -> None:
    ask(hospital, "clinician", archived)
    slip = re.search(r"/requests/[0-9a-f-]{36}", browser("clinician").get("/requests").text)
    assert slip
    other = browser(account)
    assert other.get(slip[0]).status_code == 404
    assert other.post(f"{slip[0]}/cancel").status_code == 404
    assert "JY2026-000001" not in other.get("/requests").text
