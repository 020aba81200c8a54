"""封存 as stories of those concerned: a case on one page, an emergency that is judged, a night, and both sides at the table."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from archive.models import Emergency
from archive.services import breakglass, holdings, legal_holds, steps
from archive.services.copying import applications, finding
from archive.services.copying.applications import Application
from archive.sight import href
from tests import papers
from tests.conftest import PASSWORD, Hospital
from tests.journeys import props
from tests.journeys.conftest import Archive, Reader, sound, to
from tests.journeys.props import paper, shoot
from tests.services.lending import SHELF, another, approved
from tests.services.sealing import BOTH, HOSPITAL, HUSBAND, seal

pytestmark = pytest.mark.browser
People = Callable[[str], Reader]
TEST: dict[str, Any] = {"scope": "test"}
MRN = "00302001"
PATIENT = "尹春燕"


@pytest.fixture(scope="module")
def hospital(archive: Archive) -> Iterator[Hospital]:
    """With medical affairs and the duty officer."""
    with props.beside(archive, props.AFFAIRS,
                      ("duty", "值班甲", "0098", "duty", "")) as found:  # fmt: skip
        yield found


@pytest.fixture(scope="module", autouse=True)
def scanned(hospital: Hospital) -> int:
    """What both sides will seal; its pages are read while the first stories are told."""
    return props.two_pages(hospital, MRN)


def place_of(hospital: Hospital, record: int) -> str:
    with hospital.uow("senior", readonly=True) as uow:
        return href(uow, uow.node(record))


def sign(page: Page, *people: dict[str, str]) -> None:
    """Who is there, a row each; what stands in other rows is taken out."""
    rows = page.locator("#f-people tbody tr")
    for number in range(rows.count()):
        one = people[number] if number < len(people) else dict.fromkeys(HOSPITAL, "")
        row = rows.nth(number)
        row.locator("[name=people_side]").select_option(one["side"])
        for name in ("name", "office", "proof"):
            row.locator(f"[name=people_{name}]").fill(one[name])


def send(page: Page) -> None:
    """Sends the one form of the page that has these fields."""
    page.locator("main form:has(#f-people) .jz-submit .btn-primary").click()


def copied(hospital: Hospital, record: int, mrn: str) -> str:
    """A copy that was asked for at the window; gives the number of its slip."""
    with hospital.uow("desk") as uow:
        patient = finding.find(uow, {"number": mrn, "patient_name": PATIENT})
        assert patient is not None
        wanted = Application(applicant="patient", applicant_name=PATIENT, purpose="reimbursement", package="reimbursement",
                             papers=frozenset({"patient_id"}), records=frozenset({record}), sheets={record: "64"})  # fmt: skip
        return applications.apply(uow, patient, wanted).number


def test_medical_affairs_have_one_case_on_one_page(people: People, hospital: Hospital) -> None:
    """Its seal, its hold, its copy and what was typed beside it, with one timeline and one list of dates."""
    record = another(hospital, mrn="00302002", location=SHELF)
    seal(hospital, record)
    with hospital.uow("senior") as uow:
        legal_holds.freeze(uow, uow.node(record), asked_by="authority", paper="（2026）保1号", review_due="2099-12-30",
                           reason="诉前保全")  # fmt: skip
    copy, affairs = copied(hospital, record, "00302002"), people("affairs")
    page, main = affairs.page, affairs.page.locator("main")
    affairs.go("/disputes")
    page.click("a:has-text('纠纷立案')")
    sound(page)
    page.fill("[name=records]", "00302999-1")
    page.fill("[name=title]", "尹某产后纠纷")
    page.fill("[name=complaint_no]", "TS-77")
    page.press("[name=complaint_no]", "Enter")
    expect(main).to_contain_text("不能确定为您可见的一份病历")
    expect(page.locator("[name=title]")).to_have_value("尹某产后纠纷")
    page.fill("[name=records]", "00302002-1")
    page.press("[name=records]", "Enter")
    expect(page.locator("h1")).to_have_text("尹某产后纠纷")
    case = page.url
    for told in ("FC", "DJ", copy, "封存柜 F-02", "TS-77", "未封存输液、血液、药物等实物"):
        expect(main).to_contain_text(told)
    sound(page)

    page.click("a:has-text('封存实物')")
    page.select_option("[name=kind]", "drug")
    page.fill("[name=what]", "缩宫素 5 支")
    page.fill("[name=kept_at]", "药房冷柜 4℃")
    page.fill("[name=reason]", "疑用药错误")
    sign(page, *BOTH)
    sound(page)
    send(page)
    expect(page.locator("h1")).to_contain_text("封存实物")
    expect(main).to_contain_text("缩宫素")
    sound(page)
    page.goto(case)
    page.click("a:has-text('添加材料')")
    page.fill("[name=title]", "应诉通知书")
    page.select_option("[name=dispute_paper]", "court")
    page.fill("[name=date_from]", "2026-11-19")
    page.fill("[name=due_on]", "2099-12-05")
    page.press("[name=due_on]", "Enter")
    expect(main).to_contain_text("应诉通知书")
    page.goto(case)
    dates, timeline = (page.locator(f"section[aria-labelledby={one}]") for one in ("h-dates", "h-time"))
    for due in ("2099-12-05", "2099-12-30", "须答复：应诉通知书", "单方启封"):
        expect(dates).to_contain_text(due)
    for told in ("立案", "列入病历", "封存 FC", "申请复制", "缩宫素", "应诉通知书"):
        expect(timeline).to_contain_text(told)
    sound(page)


def test_break_glass_is_judged_by_somebody_else(people: People, hospital: Hospital) -> None:
    another(hospital, mrn="00302003", location=SHELF)
    with hospital.uow("clinician2") as uow:
        asked = {"mrn": "00302003", "patient_name": PATIENT, "cause": "rescue", "reason": "产后大出血，昏迷送入，需了解既往史",
                 "password": PASSWORD}  # fmt: skip
        made = breakglass.declare(uow, asked)
        assert made is not None
        where, number = f"/emergencies/{made.uuid}", made.number
    doctor, head = people("clinician2"), people("head")
    assert doctor.go("/emergencies") == 403
    doctor.go("/break-glass")
    sound(doctor.page)
    doctor.page.click(f"a:has-text('{number}')")
    expect(doctor.page.locator("main")).to_contain_text("待审查")
    expect(doctor.page.locator("#h-judge")).to_have_count(0)
    assert judged_by_hand(doctor.page, where) == 403

    page, main = head.page, head.page.locator("main")
    head.go("/")
    page.click("main a:has-text('待审查的紧急调阅')")
    expect(main.locator("tr", has_text=number)).to_contain_text("clinician2甲")
    sound(page)
    page.click(f"a:text-is('{number}')")
    expect(main).to_contain_text("产后大出血")
    page.check("[name=verdict][value=justified]")
    page.click("main form:has([name=verdict]) .btn-primary")
    expect(main.locator("#f-note-error")).to_be_visible()
    expect(page.locator("[name=verdict][value=justified]")).to_be_checked()
    sound(page)
    page.fill("[name=note]", "抢救属实")
    page.click("main form:has([name=verdict]) .btn-primary")
    expect(main.locator("tr", has_text=number)).to_contain_text("理由成立")
    doctor.go("/notices")
    doctor.page.click("button:has-text('您的紧急调阅已有审查结论')")
    expect(doctor.page.locator("main")).to_contain_text("抢救属实")
    with hospital.site.session(readonly=True) as session:
        verdict = session.scalar(
            select(Emergency.verdict).where(Emergency.number == number), execution_options=TEST
        )
    assert verdict == "justified"


def judged_by_hand(page: Page, where: str) -> int:
    """What somebody is answered who sends the form of whoever judges."""
    send_it = """where => {
      const form = new FormData();
      form.set("csrf_token", document.querySelector("meta[name=csrf-token]").content);
      form.set("verdict", "justified");
      form.set("note", "由我本人审查");
      return fetch(where + "/judge", { method: "POST", body: form }).then((answer) => answer.status);
    }"""
    return int(page.evaluate(send_it, where))


def test_at_night_the_duty_officer_seals_by_number_and_the_archive_takes_it_over(
    people: People, hospital: Hospital
) -> None:
    """One record that was never scanned, and a number that nobody has registered."""
    place = place_of(hospital, another(hospital, mrn="00302004", location=SHELF))
    duty, archivist = people("duty"), people("archivist")
    page, main = duty.page, duty.page.locator("main")
    duty.go("/")
    page.click("a[href='/night-seal']")
    assert "夜间封存卡" in paper(page, "a[href$='night-seal/card.pdf']")
    sealed_at_night(page, "00302004-1")
    expect(main).to_contain_text("请填写患方到场人")
    expect(page.locator("[name=mrn]")).to_have_value("00302004-1")
    sound(page)
    sign(page, HOSPITAL, HUSBAND)
    send(page)
    expect(page.locator("h1")).to_contain_text("夜间封存 FC")
    known = page.url
    sound(page)
    card = paper(page, "a[href$='card.pdf']")
    for word in ("夜间封存卡", "00302004-1", "刘建国", "K-3", "86", "次日移交"):
        assert word in card
    photo = {"name": "IMG_7.png", "mimeType": "image/png", "buffer": papers.scan("封条 骑缝签字")}
    page.set_input_files("[name=photo]", [photo])
    page.click("form:has([name=photo]) button")
    expect(main).to_contain_text("图片已留存")
    kept = page.locator("a[href^='/pictures/']")
    seen = page.request.get(kept.evaluate("link => link.href"))
    assert seen.headers["content-type"] == "image/jpeg"
    duty.go("/night-seal")
    sealed_at_night(page, "00302005-1", HOSPITAL, HUSBAND)
    expect(page.locator("h1")).to_contain_text("夜间封存 FC")
    unknown = page.url

    page, main = archivist.page, archivist.page.locator("main")
    archivist.go("/")
    page.click("main a:has-text('待接收的夜间封存')")
    expect(main).to_contain_text("00302005-1")
    sound(page)
    page.click("tr:has-text('00302004-1') a.jz-mono")
    expect(page.locator("a[href^='/pictures/']")).to_be_visible()
    expect(page.locator(f"main a[href='{place}']")).to_be_visible()
    taken_over(page)
    expect(main).to_contain_text("已由档案室接收")
    page.goto(unknown)
    taken_over(page)
    expect(main).to_contain_text("请填写一份案卷的号码")
    expect(page.locator("[name=kept_at]")).to_have_value("病案室封存柜 F-02")
    sound(page)
    another(hospital, mrn="00302005", location=SHELF)
    page.press("[name=mrn]", "Enter")
    expect(main).to_contain_text("没有待接收的夜间封存")
    page.goto(known)
    expect(main).to_contain_text("已接收")
    archivist.go(place)
    expect(main).to_contain_text("病案室封存柜 F-02")


def sealed_at_night(page: Page, mrn: str, *there: dict[str, str]) -> None:
    """What stands on the cover is typed, from the field that has the focus; beside whoever has duty, `there` are there."""
    expect(page.locator("[name=mrn]")).to_be_focused()
    page.keyboard.type(mrn)
    for name, typed in (("name", "李秀英"), ("ward", "产科"), ("bed", "12"), ("sheets", "86")):
        to(page, f"[name={name}]")
        page.keyboard.type(typed)
    page.check("[name=kind][value=original]")
    if there:
        sign(page, *there)
    page.fill("[name=kept_at]", "总值班室保险柜")
    page.fill("[name=key_no]", "K-3")
    page.press("[name=key_no]", "Enter")


def taken_over(page: Page) -> None:
    page.fill("[name=kept_at]", "病案室封存柜 F-02")
    page.press("[name=kept_at]", "Enter")


def test_both_sides_seal_an_original_and_open_it_again(
    people: People, hospital: Hospital, scanned: int
) -> None:
    """The desk lends nothing of it; what is found later is sealed beside it; one side alone opens nothing."""
    props.archived(hospital, scanned)
    number, place = approved(hospital, "clinician", scanned), place_of(hospital, scanned)
    archivist, clerk, senior = (people(one) for one in ("archivist", "clerk", "senior"))
    page, main = archivist.page, archivist.page.locator("main")
    archivist.go(f"{place}/@@seal")
    page.check("[name=kind][value=original]")
    packed(page, HOSPITAL)
    expect(main).to_contain_text("请填写患方到场人")
    expect(page.locator("[name=kept_at]")).to_have_value("封存柜 F-02")
    sound(page)
    sign(page, *BOTH)
    send(page)
    expect(page.locator("h1")).to_contain_text("封存清单 FC")
    first = page.locator("h1").inner_text().split()[-1]
    sound(page)
    listed = paper(page, "a[href$='list.pdf']")
    for word in (first, "刘建国", "何志远", f"B{MRN}-1"):
        assert word in listed

    clerk.go("/desk")
    said = clerk.page.locator("#desk-said")
    shoot(clerk.page, number, f"B{MRN}-1")
    expect(said).to_contain_text("本卷已封存，启封之前不出借")
    sound(clerk.page)

    with hospital.uow("senior") as uow:
        steps.take(uow, uow.node(scanned), "correct", reason="病理报告归卷")
        holdings.register(uow, uow.node(scanned), sheets=3)
        steps.take(uow, uow.node(scanned), "finish")
    archivist.go(f"{place}/@@seal")
    expect(main).to_contain_text("再次封存的是此后新增的内容")
    page.check("[name=kind][value=original]")
    packed(page, *BOTH)
    expect(main).to_contain_text(f"补充自{first}")
    volumes = page.locator("section[aria-labelledby=h-what] tbody tr:has(td.jz-num:last-child) td.jz-mono")
    expect(volumes).to_have_text([f"B{MRN}-1-V2"])
    sound(page)

    page, main = senior.page, senior.page.locator("main")
    senior.go("/holds")
    sound(page)
    page.click(f"a:text-is('{first}')")
    page.click("a:has-text('启封')")
    expect(main).to_contain_text("2页已与封存清单逐页核对，完全一致")
    sound(page)
    sign(page, HOSPITAL)
    page.fill("[name=reason]", "双方共同启封")
    send(page)
    expect(main).to_contain_text("签封各方须有人到场，缺：患方")
    expect(page.locator("[name=reason]")).to_have_value("双方共同启封")
    sound(page)
    sign(page, *BOTH)
    page.locator("[name^=found_]").first.fill("2")
    send(page)
    expect(main).to_contain_text(f"{first} 已启封")
    sound(page)
    shoot(clerk.page, number, f"B{MRN}-1")
    expect(said).to_contain_text("已借出")
    shoot(clerk.page, f"B{MRN}-1-V2")
    expect(said).to_contain_text("本卷已封存")


def packed(page: Page, *there: dict[str, str]) -> None:
    page.select_option("[name=asked_by]", "patient")
    sign(page, *there)
    page.fill("[name=kept_at]", "封存柜 F-02")
    page.fill("[name=key_no]", "F02-17")
    page.fill("[name=reason]", "患方申请封存病历")
    send(page)
