"""What is asked of a record, in the browser, with each who has a part in it: from the rule that allows it to the figures."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO

import pypdfium2
import pytest
from openpyxl import load_workbook
from playwright.sync_api import Locator, Page, expect

from archive.services import loans
from tests.journeys.conftest import Archive, Reader, sound, to, wait_for
from tests.journeys.planting import MRNS, NAME, SCANNED, House, furnished
from tests.journeys.visitors import Visitor
from tests.services import lending

pytestmark = pytest.mark.browser
Staff = Callable[[str], Reader]
UNKNOWN = "99999999-1"


@pytest.fixture(scope="module")
def house(archive: Archive) -> Iterator[House]:
    with furnished(archive) as planted:
        yield planted


def main(reader: Reader) -> Locator:
    return reader.page.locator("main")


def row(reader: Reader, words: str) -> Locator:
    return reader.page.locator("main tr", has_text=words)


def pressed(page: Page, selector: str, *, key: str = "Tab") -> None:
    """Goes to a button by keyboard and presses it."""
    to(page, selector, key=key)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def down_to(page: Page, value: str) -> None:
    """Goes down a list of choices by keyboard until this one is chosen."""
    for _step in range(20):
        if page.evaluate("document.activeElement.value") == value:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{value} cannot be chosen")


def test_a_lending_rule_is_changed_and_tried_and_whoever_asks_reads_what_holds_now(
    staff: Staff, house: House
) -> None:
    office, doctor = staff("sysadmin"), staff("clinician")
    page = office.page
    office.go("/control/policy/loans")
    sound(page)
    page.click("main a:has-text('修订')")
    sound(page)
    page.fill("[name='rules/discussion/eread_days']", "5")
    page.click("button:has-text('查看改动')")
    expect(main(office)).to_contain_text("未保存")
    page.fill("[name=source]", "病案管理委员会第 4 号决议")
    page.click("button:has-text('查看改动')")
    expect(row(office, "电子借阅天数")).to_contain_text("5")
    sound(page)
    page.click("button:has-text('发布第')")
    expect(main(office)).to_contain_text("已发布")
    _tries(staff("senior"))
    doctor.go(f"{house.where(MRNS[0])}/@@request")
    expect(row(doctor, "电子 5 天")).to_contain_text("病案审批人")
    expect(main(doctor)).to_contain_text("在架")
    for told in (row(doctor, "电子 5 天"), doctor.page.locator("#h-then")):
        expect(told).to_be_in_viewport(ratio=1)  # before the button, without scrolling
    sound(doctor.page)


def _tries(senior: Reader) -> None:
    page = senior.page
    senior.go("/approvals")
    page.click("main a:has-text('借阅规则')")
    expect(main(senior)).to_contain_text("病案管理委员会第 4 号决议")
    page.click("main a:has-text('试算借阅规则')")
    page.select_option("[name=role]", "clinician")
    page.select_option("[name=purpose]", "discussion")
    page.select_option("[name=level]", "1")
    page.click("button:has-text('试看')")
    expect(row(senior, "电子 5 天")).to_contain_text("病案审批人")
    sound(page)


def test_several_hits_are_asked_for_by_keyboard_and_the_page_says_before_what_it_comes_to(
    staff: Staff, house: House
) -> None:
    doctor = staff("clinician")
    page = doctor.page

    def found() -> bool:
        doctor.go("/")
        page.keyboard.press("/")
        page.keyboard.type(NAME)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        return page.locator(".jz-hit").count() == len(MRNS)

    wait_for(found, "the records in the index")
    for mrn in (MRNS[0], MRNS[-1]):
        to(page, f".jz-hit input[aria-label*='{mrn}']")
        page.keyboard.press("Space")
    pressed(page, "button[value=request]", key="Shift+Tab")
    to(page, "[name=kind]")
    page.keyboard.press("ArrowDown")
    to(page, "[name=reason]")
    page.keyboard.type("前置胎盘病例讨论")
    to(page, "[name=declared]")
    page.keyboard.press("ArrowDown")
    pressed(page, "main .btn-primary")
    expect(main(doctor)).to_contain_text("请选择用途")
    expect(main(doctor)).to_contain_text("不得借阅亲属的病案")
    expect(page.locator("[name=reason]")).to_have_value("前置胎盘病例讨论")
    expect(page.locator("[name=kind][value=paper]")).to_be_checked()
    sound(page)
    to(page, "[name=purpose]")
    down_to(page, "discussion")
    to(page, "[name=declared]")
    page.keyboard.press("ArrowUp")
    pressed(page, "button[value=look]")
    told = page.locator("section", has_text="提交之后")
    for words in ("病案审批人", "借阅纸质本", "纸质 3 个工作日", "在架", "借出", "归还"):
        expect(told).to_contain_text(words)
    sound(page)
    pressed(page, "main .btn-primary", key="Shift+Tab")
    expect(page.locator("h1")).to_contain_text(re.compile(r"批次 PS\d{4}-\d{4}"))
    expect(main(doctor)).to_contain_text(f"{MRNS[-1]}-1")
    sound(page)


def test_a_list_of_numbers_is_asked_for_and_one_that_nobody_knows_leaves_no_trace(
    staff: Staff, house: House
) -> None:
    doctor, senior = staff("clinician"), staff("senior")
    page = doctor.page
    doctor.go("/requests")
    page.click("main a:has-text('批量申请')")
    page.fill("[name=records]", f"{MRNS[1]}-1\n{UNKNOWN}")
    page.select_option("[name=purpose]", "treatment")
    page.fill("[name=reason]", "再次入院待产")
    page.check("[name=declared][value=none]")
    page.click("button[value=look]")
    expect(main(doctor)).to_contain_text("这一份您查不到")
    expect(main(doctor)).to_contain_text("电子 7 天")
    expect(page.locator("[name=records]")).to_have_value(f"{MRNS[1]}-1\n{UNKNOWN}")
    sound(page)
    page.click("button[value=send]")
    number = page.locator("h1").inner_text().split()[-1]
    expect(main(doctor)).not_to_contain_text(UNKNOWN)
    senior.go("/approvals")
    expect(row(senior, number)).to_contain_text("1 份病案")
    row(senior, number).locator(f"a:has-text('{number}')").click()
    expect(main(senior)).to_contain_text(f"{MRNS[1]}-1")
    expect(main(senior)).not_to_contain_text(UNKNOWN)
    sound(senior.page)


def test_a_study_asks_for_data_without_names_first_and_takes_a_table_of_what_is_granted(
    staff: Staff, house: House
) -> None:
    doctor, head, senior = staff("clinician"), staff("head"), staff("senior")
    page = doctor.page
    doctor.go("/requests/many")
    page.fill("[name=records]", "\n".join(f"{mrn}-1" for mrn in MRNS))
    page.select_option("[name=purpose]", "research")
    page.fill("[name=reason]", "前置胎盘十年回顾")
    page.check("[name=declared][value=none]")
    page.click("button[value=send]")
    expect(main(doctor)).to_contain_text("请说明去标识化数据为什么不够用")
    sound(page)
    page.check("[name=kind][value=data]")
    page.click("button[value=look]")
    for words in ("申请人所在科室主任", "病案科负责人", "数据 30 天", "不给姓名、号码、具体日期和文字内容"):
        expect(main(doctor)).to_contain_text(words)
    sound(page)
    page.click("button[value=send]")
    number = page.locator("h1").inner_text().split()[-1]
    for reader in (head, senior):
        reader.go("/approvals")
        row(reader, number).locator("input").check()
        reader.page.click("button[value=approve]")
        expect(main(reader)).to_contain_text(f"已审批 {len(MRNS)} 份申请")
    page.reload()
    sound(page)
    row(doctor, f"{MRNS[0]}-1").locator("a[href^='/requests/']").last.click()
    sound(page)
    page.click(f"a:text-is('批次 {number}')")
    with page.expect_download() as given:
        page.click("button:has-text('份病案的数据')")
    sheet = load_workbook(BytesIO(given.value.path().read_bytes())).worksheets[0]
    assert sheet.max_row == 1 + len(MRNS)
    said = {str(cell) for line in sheet.values for cell in line}
    assert "产科" in said or "*" in said
    assert said.isdisjoint({NAME, *MRNS})
    doctor.go(house.where(MRNS[0]))
    expect(page.locator("a:has-text('在线阅览')")).to_have_count(0)


def test_a_head_decides_many_on_one_page_and_neither_their_own_nor_a_relatives(
    staff: Staff, house: House
) -> None:
    lending.rules(house.hospital, quality={"approvers": ["record"]})
    bundle = house.bundle("clinician2", *MRNS[1:4], purpose="quality")
    first, second, kin = (house.ask("clinician", mrn) for mrn in MRNS[2:5])
    own = house.ask("head", MRNS[1])
    head, doctor = staff("head"), staff("clinician")
    page = head.page
    head.go("/approvals")
    expect(row(head, bundle)).to_have_count(1)
    expect(row(head, bundle)).to_contain_text("3 份病案")
    expect(main(head)).not_to_contain_text(own)
    to(page, f"input[aria-label*='{bundle}']", key="j")
    page.keyboard.press("x")
    expect(page.locator("[data-selected]")).to_have_text("已选 1")
    row(head, first).locator("input").check()
    expect(page.locator("[data-selected]")).to_have_text("已选 2")
    sound(page)
    page.click("button[value=approve]")
    expect(main(head)).to_contain_text("已审批 4 份申请")
    row(head, second).locator("input").check()
    page.click("button[value=refuse]")
    expect(row(head, second)).to_contain_text("请用一句话说明理由")
    row(head, second).locator("input").check()
    page.fill("[name=reason]", "本次讨论不涉及该患者")
    page.click("button[value=refuse]")
    doctor.go(house.of("clinician", second))
    expect(main(doctor)).to_contain_text("本次讨论不涉及该患者")
    head.go(house.of("head", own))
    expect(main(head)).to_contain_text("本人的申请不能由本人决定")
    expect(page.locator("#step-approve")).to_have_count(0)
    head.go(house.of("head", kin))
    sound(page)
    page.click("summary:has-text('患者是我的亲属')")
    page.fill("[name=words]", "患者是我的表妹")
    page.click("button:has-text('由他人审批')")
    expect(main(head)).to_contain_text("已记录，改由他人审批")
    expect(main(head)).not_to_contain_text(kin)
    head.go(house.of("head", kin))
    expect(main(head)).to_contain_text("您已声明与患者有利害关系，由他人审批")
    expect(page.locator("#step-approve")).to_have_count(0)


def test_a_head_who_is_away_names_a_deputy_who_gives_the_opinion_in_their_place(
    staff: Staff, house: House
) -> None:
    number = house.ask("clinician", MRNS[3], purpose="research", kind="paper")
    head, deputy, doctor = staff("head"), staff("affairs"), staff("clinician")
    deputy.go("/approvals")
    expect(main(deputy)).not_to_contain_text(number)
    head.go("/me/absence")
    page = head.page
    page.select_option("[name=deputy]", str(house.uuid("affairs")))
    page.fill("[name=end]", f"{house.hospital.site.clock() + timedelta(days=1):%Y-%m-%d}")
    page.click("main form:has([name=deputy]) .btn-primary")
    expect(main(head)).to_contain_text("未保存")
    page.fill("[name=because]", "外出进修")
    page.click("main form:has([name=deputy]) .btn-primary")
    expect(row(head, "外出进修")).to_contain_text("苏文")
    sound(page)
    deputy.go("/approvals")
    expect(main(deputy)).to_contain_text("苏文 代理 head甲")
    row(deputy, number).locator("input").check()
    deputy.page.click("button[value=approve]")
    expect(main(deputy)).to_contain_text("已审批 1 份申请")
    doctor.go(house.of("clinician", number))
    expect(row(doctor, "申请人所在科室主任")).to_contain_text("苏文 代 head甲")
    head.go("/me/absence")
    row(head, "外出进修").locator("button").click()
    expect(main(head)).to_contain_text("暂无代理")


def test_in_the_reading_room_a_code_opens_it_and_a_granted_copy_is_stamped_and_numbered(
    staff: Staff, house: House
) -> None:
    lending.rules(house.hospital, research={"on_site": True, "approvers": ["record"]})
    slip = house.ask("clinician", SCANNED, purpose="research")
    lending.step(house.hospital, "senior", slip, "approve")
    doctor, archivist = staff("clinician"), staff("archivist")
    page, where = doctor.page, house.of("clinician", slip)
    read = f"{house.where('YZ')}/++page++1"
    assert doctor.go(read) in {403, 404}
    archivist.go(where)
    archivist.page.click("button:has-text('发阅览室口令')")
    code = re.findall(r"口令（只显示一次）：(\d{6})", main(archivist).inner_text())[0]
    sound(archivist.page)
    doctor.go(where)
    expect(main(doctor)).to_contain_text("仅限电子阅览室")
    sound(page)
    for typed, answer in ((f"{(int(code) + 1) % 10**6:06d}", "口令不符"), (code, "开放至")):
        page.fill("[name=code]", typed)
        page.keyboard.press("Enter")
        expect(main(doctor)).to_contain_text(answer)
    assert doctor.go(read) == 200
    expect(main(doctor)).to_contain_text("医嘱单")
    assert Visitor(house.url, "clinician").get(read).status_code in {403, 404}, "at another computer"
    archivist.page.reload()
    archivist.page.click("button:has-text('结束到室阅览')")
    expect(main(archivist)).to_contain_text("到室阅览已结束")
    assert doctor.go(read) in {403, 404}
    lending.step(house.hospital, "clinician", slip, "give_back")
    _takes_a_copy(doctor, house)


def _takes_a_copy(doctor: Reader, house: House) -> None:
    slip = house.ask("clinician", SCANNED, purpose="dispute", with_copy=True)
    lending.step(house.hospital, "affairs", slip, "endorse")
    lending.step(house.hospital, "senior", slip, "approve")
    page = doctor.page
    doctor.go(house.of("clinician", slip))
    with page.expect_download() as sent:
        page.click("button:has-text('取盖印副本')")
    copy = pypdfium2.PdfDocument(sent.value.path())
    said = [one.get_textpage().get_text_range() for one in copy]
    number = sent.value.suggested_filename.removesuffix(".pdf")
    assert len(said) == 2
    for place, words in enumerate(said, start=1):
        assert f"{number} · {place}/2 · clinician甲 0004" in words
    page.reload()
    expect(main(doctor)).to_contain_text(number)
    expect(page.locator("button:has-text('取盖印副本')")).to_have_count(0)
    sound(page)


def test_an_inspector_reads_the_records_of_a_batch_and_what_is_found_is_noted(
    staff: Staff, house: House
) -> None:
    senior, inspector = staff("senior"), staff("inspector")
    page = senior.page
    senior.go("/inspections/add")
    page.select_option("[name=who]", str(house.uuid("inspector")))
    page.fill("[name=records]", "\n".join((f"{MRNS[0]}-1", f"{MRNS[1]}-1", f"{SCANNED}-1", UNKNOWN)))
    page.fill("[name=room]", "三楼阅览室")
    page.fill("[name=reason]", "医保基金飞行检查")
    sound(page)
    page.click("button:has-text('开放检查')")
    expect(main(senior)).to_contain_text(f"：{UNKNOWN}")
    page.check("[name=without]")
    page.click("button:has-text('开放检查')")
    batch = page.url.removeprefix(house.url)
    expect(main(senior)).to_contain_text("三楼阅览室")
    sound(page)
    pdf = pypdfium2.PdfDocument(page.request.get(f"{page.url}/pick-list.pdf").body())
    words = pdf[0].get_textpage().get_text_range()
    assert words.index(f"B{MRNS[1]}-1") < words.index(f"B{MRNS[0]}-1"), "by terminal digits, as they stand"
    _confirms_what_the_rules_find(senior, batch)
    inspector.go("/")
    inspector.page.click(f"main a:has-text('{SCANNED}-1')")
    expect(inspector.page.locator("h1")).to_contain_text(SCANNED)
    inspector.page.locator("main a:has-text('医嘱单')").first.click()
    sound(inspector.page)
    assert inspector.go(f"{house.where('YZ')}/++page++1") == 200
    inspector.go(house.where("YZ"))
    inspector.page.click("main a:has-text('登记问题')")
    expect(inspector.page.locator("[name=part] option:checked")).to_contain_text("医嘱单")
    assert inspector.go(house.where(MRNS[2])) == 404
    _notes_what_they_find(inspector, batch)
    senior.go(batch)
    expect(row(senior, "医嘱无医师签名")).to_contain_text("inspector甲 登记于")
    stranger = Visitor(house.url, "stranger")
    assert [stranger.get(path).status_code for path in (batch, "/inspections")] == [404, 403]


def _notes_what_they_find(inspector: Reader, batch: str) -> None:
    page = inspector.page
    inspector.go(batch)
    expect(main(inspector)).to_contain_text("手术记录无主刀签名")
    row(inspector, f"{SCANNED}-1").locator("a:has-text('登记问题')").click()
    page.select_option("[name=kind]", label="签名不全")
    page.select_option("[name=part]", index=1)
    page.fill("[name=page]", "3")
    page.fill("[name=words]", "医嘱无医师签名")
    page.click("button:has-text('登记问题')")
    expect(main(inspector)).to_contain_text("1 至 2")
    sound(page)
    page.fill("[name=page]", "2")
    page.click("button:has-text('登记问题')")
    expect(row(inspector, "医嘱无医师签名")).to_contain_text("医嘱单第 2 页")
    sound(page)


def _confirms_what_the_rules_find(senior: Reader, batch: str) -> None:
    page = senior.page
    row(senior, f"{SCANNED}-1").locator("a:has-text('核查')").click()
    expect(main(senior)).to_contain_text("自费项目无同意书：自费")
    sound(page)
    page.locator("button:has-text('确认登记')").first.click()
    expect(page.locator("[data-list=suspicions]")).to_contain_text("已登记")
    senior.go(batch)
    expect(page.locator("[data-list=findings]")).to_contain_text("自费项目无同意书：自费")
    row(senior, f"{MRNS[0]}-1").locator("a:has-text('登记问题')").click()
    page.fill("[name=words]", "手术记录无主刀签名")
    page.fill("[name=yuan]", "很多")
    page.click("button:has-text('登记问题')")
    expect(page.locator("[name=words]")).to_have_value("手术记录无主刀签名")
    page.fill("[name=yuan]", "300")
    page.click("button:has-text('登记问题')")
    expect(page.locator("[data-list=findings]")).to_contain_text("300.00")


def test_the_figures_count_a_loan_that_went_out_and_came_back(staff: Staff, house: House) -> None:
    with house.hospital.uow("clerk") as uow:
        loans.take_back(uow, f"B{MRNS[-1]}-1")
    archivist = staff("archivist")
    page = archivist.page
    archivist.go("/figures")
    for which in ("borrowed", "returned"):
        expect(page.locator(f".jz-figs a[href*='which={which}'] b").first).to_have_text("1")
    expect(row(archivist, "儿科")).to_contain_text("0.0")
    expect(main(archivist)).to_contain_text("共借出、收回 2 次")
    sound(page)
    page.locator(".jz-figs a[href*='which=borrowed']").click()
    expect(row(archivist, house.slip)).to_contain_text("clinician2甲")
    sound(page)
    assert Visitor(house.url, "stranger").get("/figures").status_code == 403
