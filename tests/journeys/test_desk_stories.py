"""借阅台 as stories of those concerned: counting, collecting, a file that nobody knew, a ward, a loss, a leaver, a queue, and
being late. Each person at their own browser, the clerk with a gun.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from archive.actor import Actor
from archive.models import Request, RequestLine
from archive.services import reminders
from archive.sight import href
from tests.conftest import Hospital
from tests.journeys import props
from tests.journeys.conftest import Archive, Reader, sound, to
from tests.journeys.props import AFFAIRS, BADGE, paper, shoot
from tests.services.lending import SHELF, another, approved, ask, issue, state_of, step

pytestmark = pytest.mark.browser
People = Callable[[str], Reader]
LOST = "00301005"


@pytest.fixture(scope="module")
def hospital(archive: Archive) -> Iterator[Hospital]:
    """With medical affairs, and a doctor of obstetrics who comes late."""
    with props.beside(archive, AFFAIRS,
                      ("late", "迟医生", "0091", "clinician", "CK")) as found:  # fmt: skip
        yield found


@pytest.fixture(scope="module", autouse=True)
def scanned(hospital: Hospital) -> int:
    """What will be lost; its pages are read while the first stories are told."""
    return props.two_pages(hospital, LOST)


def earlier(hospital: Hospital, **span: float) -> None:
    """What is out went out, and is due, so much earlier."""
    with hospital.site.session() as session:
        for line in session.scalars(select(RequestLine).where(RequestLine.in_at.is_(None))):
            line.out_at -= timedelta(**span)


def slip_of(hospital: Hospital, number: str) -> str:
    """The address of a slip."""
    with hospital.site.session(readonly=True) as session:
        uuid = session.scalar(select(Request.uuid).where(Request.number == number))
    return f"/requests/{uuid}"


def place_of(hospital: Hospital, record: int) -> str:
    with hospital.uow("senior", readonly=True) as uow:
        return href(uow, uow.node(record))


def for_a_dispute(hospital: Hospital, account: str, record: int) -> str:
    """Asked for by somebody, agreed to by medical affairs, approved by the record room; gives the number of the slip."""
    number = ask(hospital, account, record, kind="paper", purpose="dispute")
    step(hospital, "affairs", number, "endorse")
    step(hospital, "senior", number, "approve")
    return number


def test_the_clerk_counts_where_the_rules_want_it_and_writes_down_who_has_come(
    people: People, hospital: Hospital
) -> None:
    """A dispute is counted out and back, whoever collects it; anything else goes with the one tick."""
    number = for_a_dispute(hospital, "clinician", another(hospital, mrn="00301001", location=SHELF))
    other = approved(hospital, "clinician", another(hospital, mrn="00301002", location=SHELF))
    clerk = people("clerk")
    page, said = clerk.page, clerk.page.locator("#desk-said")
    counted = page.locator("#f-counted")
    clerk.go("/desk/pick-list")
    expect(page.locator("main")).to_contain_text(SHELF)
    sound(page)
    assert all(word in paper(page, "a[href*='pick-list.pdf']") for word in (SHELF, number, "B00301001-1"))

    clerk.go("/desk")
    shoot(page, other, "B00301002-1")
    expect(said).to_contain_text("已借出")
    page.keyboard.press("F9")
    page.keyboard.type("王秀英")
    page.keyboard.press("Tab")
    page.keyboard.type("13900010002\n")
    expect(said).to_contain_text("代领：王秀英 13900010002")
    expect(page.locator("#desk-today")).to_contain_text("借出 1")
    sound(page)

    shoot(page, number)
    expect(page.locator("#desk-person")).to_contain_text("clinician甲")
    shoot(page, BADGE["head"])
    expect(page.locator("#desk-person")).to_contain_text("代领：head甲")
    shoot(page, "B00301001-1")
    expect(said).to_contain_text("请清点页数")
    expect(said).to_contain_text("借阅用途：医疗纠纷或司法")
    expect(counted).to_be_focused()
    sound(page)
    shoot(page, "62")
    expect(said).to_contain_text("应有 64 张，缺 2 张")
    expect(counted).to_be_focused()
    shoot(page, "64")
    expect(said).to_contain_text("已借出")
    expect(said).to_contain_text("代领：head甲")
    expect(page.locator("#bc")).to_be_focused()
    card = paper(page, "[data-key=F8]")
    assert all(word in card for word in (SHELF, "00301001-1", number, "clinician甲"))
    list_of = paper(page, "[data-key=F3]")
    assert all(word in list_of for word in ("B00301001-1", "B00301002-1", number, other))

    earlier(hospital, minutes=2)
    page.keyboard.press("F2")
    to(page, "[name=intact]")
    page.keyboard.press("Space")
    for _field in ("sheets", "barcode"):
        page.keyboard.press("Shift+Tab")
    shoot(page, "B00301002-1")
    expect(said).to_contain_text("装订或封条不完好")
    expect(counted).to_be_focused()
    page.keyboard.type("64")
    page.keyboard.press("F7")
    expect(said).to_contain_text("已归还")
    shoot(page, "B00301001-1")
    expect(said).to_contain_text("借阅用途：医疗纠纷或司法")
    expect(counted).to_be_focused()
    shoot(page, "64")
    expect(said).to_contain_text(f"放回{SHELF}")
    assert [state_of(hospital, one) for one in (number, other)] == ["returned", "returned"]


def test_a_file_that_nobody_catalogued_is_registered_while_it_is_handed_out(
    people: People, hospital: Hospital
) -> None:
    archivist = people("archivist")
    page, said = archivist.page, archivist.page.locator("#desk-said")
    archivist.go("/desk")
    shoot(page, BADGE["clinician"], "00087654-1")
    expect(said).to_contain_text("查无此号")
    expect(said.locator("[name=name]")).to_be_focused()
    sound(page)
    page.keyboard.type("周桂兰")
    page.select_option("[name=dept]", label="产科")
    page.select_option("[name=purpose]", "discussion")
    to(page, "[name=declared]")
    page.keyboard.press("Space")
    page.keyboard.press("F7")
    expect(said).to_contain_text("请填写出院日期")
    expect(said.locator("[name=name]")).to_have_value("周桂兰")
    page.fill("[name=discharged_on]", "2009-03-14")
    page.keyboard.press("F7")
    expect(said).to_contain_text("已补录并借出")
    expect(said).to_contain_text("clinician甲")
    assert "00087654-1" in paper(page, "[data-key=F10]")
    assert "B00087654-1" in paper(page, "[data-key=F8]")
    sound(page)
    archivist.go("/desk/out")
    expect(page.locator("tr", has_text="B00087654-1")).to_contain_text("死亡或疑难讨论")


def test_whoever_brings_a_volume_unasked_has_it_at_once_for_their_ward_and_else_asks_where_they_stand(
    people: People, hospital: Hospital
) -> None:
    another(hospital, mrn="00301003", location=SHELF)
    clerk = people("clerk")
    page, said = clerk.page, clerk.page.locator("#desk-said")
    clerk.go("/desk")
    shoot(page, BADGE["clinician2"], "B00301003-1")
    expect(said).to_contain_text("尚未申请")
    expect(said).not_to_contain_text("取回完善")
    sound(page)
    page.keyboard.press("F10")
    expect(page.locator("[name=purpose]")).to_be_focused()
    page.select_option("[name=purpose]", "discussion")
    page.check("[name=declared][value=none]")
    sound(page)
    page.click("button:has-text('以其名义提交申请')")
    expect(said).to_contain_text("由病案审批人审批。")
    shoot(page, BADGE["clinician"], "B00301003-1")
    expect(said).to_contain_text("按规则直接借出")
    sound(page)
    page.keyboard.press("F7")
    expect(said).to_contain_text("已借出")
    expect(said).to_contain_text("科室取回完善")
    expect(page.locator("#desk-person")).to_contain_text("B00301003-1")
    doctor = people("clinician2")
    doctor.go("/notices")
    expect(doctor.page.locator("main")).to_contain_text("借阅台以您的名义提交了申请")


def test_a_lent_volume_is_lost_and_printed_anew_from_its_pages(
    people: People, hospital: Hospital, scanned: int
) -> None:
    """The clerk comes to it by the badge of whoever lost it: scanning it would take it back."""
    props.archived(hospital, scanned)
    number = approved(hospital, "clinician2", scanned)
    issue(hospital, number, f"B{LOST}-1")
    clerk, archivist = people("clerk"), people("archivist")
    page, barcode = clerk.page, f"B{LOST}-1"
    clerk.go("/desk")
    shoot(page, BADGE["clinician2"])
    page.click(f"#desk-person a:text-is('{barcode}')")
    sound(page)
    page.click("a:has-text('登记下落不明')")
    expect(page.locator("[name=because]")).to_be_focused()
    page.keyboard.type("科室搬迁后找不到")
    to(page, "[name=noticed_by]")
    page.keyboard.type("clinician2甲")
    page.keyboard.press("Enter")
    expect(page.locator(".jz-sub")).to_contain_text("下落不明")
    sound(page)
    clerk.go("/incidents")
    expect(page.locator("tr", has_text=barcode)).to_contain_text("科室搬迁后找不到")
    sound(page)
    assert state_of(hospital, number) == "lost"

    page = archivist.page
    archivist.go("/incidents")
    page.click(f"tr:has-text('{barcode}') a.jz-mono")
    sound(page)
    assert "续页" in paper(page, "a[href$='@@pdf']")
    page.fill("[name=sheets]", "2")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("已重建")
    assert f"{LOST}-1" in paper(page, "a[href*='labels.pdf']")
    archivist.go(f"/storeroom/volumes/{barcode}-V2")
    expect(page.locator("main")).to_contain_text("依电子副本重建，非原件")


def test_whoever_leaves_is_cleared_on_one_page_and_signs_it(people: People, hospital: Hospital) -> None:
    """The clerk takes back and prints; what somebody has approved is withdrawn by who may decide on it."""
    first = approved(hospital, "head", another(hospital, mrn="00301006", location=SHELF))
    waits = approved(hospital, "head", another(hospital, mrn="00301007", location=SHELF))
    issue(hospital, first, "B00301006-1")
    earlier(hospital, minutes=2)
    clerk = people("clerk")
    page, main = clerk.page, clerk.page.locator("main")
    clerk.go("/desk")
    shoot(page, BADGE["head"])
    page.click("a:has-text('离职清退')")
    expect(main).to_contain_text("未结清")
    expect(main).to_contain_text("B00301006-1")
    expect(main).to_contain_text(waits)
    sound(page)
    signed = paper(page, "a[href*='clearance.pdf']")
    assert all(word in signed for word in ("离职清退单", "B00301006-1", "head甲"))
    expect(main).to_contain_text("须经审批的申请，由有权审批的人撤回。")
    senior = people("senior")
    senior.go("/desk/clearance")
    shoot(senior.page, BADGE["head"])
    senior.page.once("dialog", lambda asked: asked.accept())
    senior.page.click("button:has-text('撤回未领取的申请')")
    expect(senior.page.locator("main")).to_contain_text("已撤回 1 份申请")
    clerk.go("/desk")
    shoot(page, "", "B00301006-1")
    expect(page.locator("#desk-said")).to_contain_text("已归还")
    clerk.go("/desk/clearance")
    shoot(page, BADGE["head"])
    expect(main).to_contain_text("已结清")
    assert state_of(hospital, waits) == "cancelled"


def test_two_want_one_volume_and_it_goes_from_hand_to_hand(people: People, hospital: Hospital) -> None:
    """Recalled, brought back, held for the next who is told so, and handed on to the one behind."""
    record = another(hospital, mrn="00301008", location=SHELF)
    has = approved(hospital, "clinician", record, purpose="treatment")
    issue(hospital, has, "B00301008-1")
    earlier(hospital, minutes=2)
    second, third = (approved(hospital, account, record) for account in ("head", "clinician2"))
    clinician, head, other, clerk = (people(one) for one in ("clinician", "head", "clinician2", "clerk"))

    clinician.go(slip_of(hospital, has))
    expect(clinician.page.locator("main")).to_contain_text("现在不能续借：已有他人等候借阅。")
    sound(clinician.page)
    head.go(slip_of(hospital, second))
    expect(head.page.locator("main")).to_contain_text("排队第 1 位")
    expect(head.page.locator("main")).to_contain_text("到期")
    other.go(slip_of(hospital, third))
    expect(other.page.locator("main")).to_contain_text("排队第 2 位")
    clerk.go(slip_of(hospital, has))
    clerk.page.click("button:has-text('催还')")
    expect(clerk.page.locator("button:has-text('催还')")).to_have_count(0)
    clinician.go("/notices")
    expect(clinician.page.locator("main")).to_contain_text("有人等候您借的病案：请提前归还")
    sound(clinician.page)

    clerk.go("/desk")
    said = clerk.page.locator("#desk-said")
    shoot(clerk.page, "", "B00301008-1")
    expect(said).to_contain_text("为head甲预留至")
    expect(said).to_contain_text("其后是clinician2甲")
    sound(clerk.page)
    head.go("/notices")
    head.page.click("button:has-text('您申请的病案已归还，待您领取')")
    expect(head.page.locator("main")).to_contain_text("待领至")
    sound(head.page)
    shoot(clerk.page, BADGE["clinician2"], "B00301008-1")
    expect(said).to_contain_text("已为他人预留至")
    shoot(clerk.page, second, "B00301008-1")
    expect(said).to_contain_text("已借出")

    head.page.reload()
    head.page.fill("[name=staff_no]", BADGE["clinician2"])
    head.page.keyboard.press("Enter")
    expect(head.page.locator("main")).to_contain_text("clinician2甲尚未确认")
    other.go("/notices")
    other.page.click("button:has-text('请确认收到')")
    expect(other.page.locator("main")).to_contain_text("head甲把 B00301008-1 转交给您")
    sound(other.page)
    other.page.click("button:has-text('我已收到')")
    expect(other.page.locator("#h-lent")).to_be_visible()
    head.page.reload()
    expect(head.page.locator("main")).to_contain_text("转借给clinician2甲")
    assert [state_of(hospital, one) for one in (has, second, third)] == ["returned", "returned", "lent"]


def test_whoever_is_late_is_reminded_and_asks_for_treatment_alone(people: People, hospital: Hospital) -> None:
    first = another(hospital, mrn="00301009", location=SHELF)
    number = approved(hospital, "late", first, purpose="treatment")
    wanted = place_of(hospital, another(hospital, mrn="00301010", location=SHELF))
    issue(hospital, number, "B00301009-1")
    overdue(hospital, number)
    late, head = people("late"), people("head")
    page, main = late.page, late.page.locator("main")
    late.go("/notices")
    expect(main).to_contain_text("您借阅的病案已逾期")
    page.click("button:has-text('您借阅的病案已逾期')")
    expect(page.locator("h1")).to_contain_text(number)
    expect(main).to_contain_text("现在不能续借：已逾期，请归还。")
    sound(page)
    late.go("/")
    expect(page.locator(".jz-figs a", has_text="在我手中")).to_contain_text("逾期 1")
    sound(page)

    late.go(f"{wanted}/@@request")
    expect(main.locator("tr", has_text="科研教学").first).to_contain_text("您有逾期未还，暂不可借")
    expect(page.locator("[name=purpose]")).not_to_contain_text("科研教学")
    sound(page)
    page.check("[name=kind][value=paper]")
    page.select_option("[name=purpose]", "treatment")
    page.check("[name=declared][value=none]")
    page.click("main form .btn-primary")
    expect(main).to_contain_text("等待审批")

    head.go("/")
    head.page.click("a:has-text('逾期未还')")
    expect(head.page.locator("main")).to_contain_text("迟医生")
    expect(head.page.locator("main")).to_contain_text(number)
    sound(head.page)


def overdue(hospital: Hospital, number: str) -> None:
    """It should have been back two days ago, and the morning's round has been."""
    with hospital.site.session() as session:
        lent = select(RequestLine).join(Request, Request.id == RequestLine.request_id)
        row = session.scalars(lent.where(Request.number == number)).one()
        row.out_at -= timedelta(days=9)
        row.due_at = row.out_at + timedelta(days=7)
    with hospital.site.uow(Actor.system("remind")) as uow:
        assert reminders.remind(uow)
