"""The whole main job, in the browser, a story a role: scanned, described, found, borrowed, handed out, audited."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from archive.demo import sheets
from archive.models import RequestLine
from archive.services import holdings, intake, records, requests, slips, steps, tree
from archive.sight import href
from tests.conftest import PASSWORD, RECORD, Hospital, hospital_of
from tests.journeys.conftest import Archive, Reader, wait_for

pytestmark = pytest.mark.browser
People = Callable[[str], Reader]
SHARED = Path(__file__).parents[3] / "shared" / "data"
MRN = "00219001"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A born-digital PDF in Chinese and a scanned page, as a ward hands them over."""
    folder = tmp_path_factory.mktemp("files")
    font = Path(__file__).parents[2] / "archive" / "static" / "fonts" / "NotoSansSC-Regular.ttf"
    pdf, scan = folder / "出院记录.pdf", folder / "入院记录.jpg"
    text = (
        "患者因停经三十九周，规律腹痛两小时入院。诊断为妊娠合并子宫瘢痕，行子宫下段剖宫产术，术后恢复良好。"
    )
    pdf.write_bytes(sheets.text_pdf("出院记录", text * 4, font_path=font))
    page = sheets.sheet(
        "RY",
        "主诉：停经三十九周，规律腹痛两小时。",
        sheets.Header("入院记录"),
        dpi=200,
        seed=7,
        font_path=font,
    )
    scan.write_bytes(sheets.as_jpeg(page))
    return {"pdf": pdf, "scan": scan}


def test_an_archivist_scans_and_catalogues_a_record_until_it_is_archived(
    people: People, archive: Archive, files: dict[str, Path]
) -> None:
    archivist = people("archivist")
    page = archivist.page
    expect(page.locator("h1")).to_have_text("工作台")
    archivist.go("/a/h001/zy-bl/@@add")
    for name, value in {
        "mrn": MRN, "patient_name": "苏晚晴", "times": "1", "birth": "1996-05-04", "admitted_on": "2026-11-09",
        "discharged_on": "2026-11-13", "diagnosis": "妊娠合并子宫瘢痕", "diagnosis_code": "O34.201",
    }.items():  # fmt: skip
        page.fill(f"[name={name}]", value)
    page.select_option("[name=dept]", label="产科")
    page.select_option("[name=sex]", label="女")
    page.click("main button[type=submit], main .jz-savebar .btn-primary, main form .btn-primary")
    expect(page.locator("h1")).to_contain_text(f"{MRN}-1 · 苏晚晴 · 2026-11-13")
    record = page.url.removeprefix(archive.url)

    archivist.go(f"{record}/@@upload")
    page.set_input_files("input[type=file]", [str(files["pdf"]), str(files["scan"])])
    expect(page.locator("main table")).to_contain_text("入院记录.jpg", timeout=20_000)
    archivist.go(record)
    wait_for(lambda: _has_pages(archivist, record, "2 页"), "the pages of both files", 90)

    archivist.go(f"{record}/++page++1")
    expect(page.locator("main")).to_contain_text("子宫下段剖宫产术")
    archivist.go(f"{record}/@@edit")
    page.fill("[name=attending]", "周敏")
    page.click("main form .btn-primary")
    expect(page.locator("main")).to_contain_text("周敏")
    for step in ("签收", "整理"):
        page.click(f"section[aria-labelledby=h-mark] button:text-is('{step}')")
    for step in ("开始著录", "提交审核", "归档"):
        page.click(f".jz-actions button:has-text('{step}')")
    expect(page.locator(".jz-sub")).to_contain_text("已归档")
    expect(page.locator(".jz-sub")).to_contain_text("H001-ZY·BL·2026·D30-000001")
    archivist.go(f"{page.url.removeprefix(archive.url)}/@@history")
    expect(page.locator("main")).to_contain_text("主治医师")


def _has_pages(reader: Reader, path: str, text: str) -> bool:
    reader.go(path)
    return text in reader.page.inner_text(".jz-sub")


@pytest.fixture(scope="module")
def filed(archive: Archive, files: dict[str, Path]) -> str:
    """The path of an archived record of obstetrics: two pages to read, one paper volume on its shelf."""
    site = archive.site()
    hospital = hospital_of(site)
    with hospital.uow("archivist") as uow:
        fields = RECORD | {"mrn": "00219777", "times": "1", "dept": str(hospital.wards["CK"])}
        node = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields)
        number = node.id
    with files["pdf"].open("rb") as stream:
        staged = intake.stage(site, stream)
    with hospital.uow("archivist") as uow:
        intake.upload(uow, uow.node(number), staged, filename="出院记录.pdf")
    wait_for(lambda: _page_count(hospital, number) > 0, "the pages", 90)
    with hospital.uow("archivist") as uow:
        node = uow.node(number)
        for step in ("collected", "arranged"):
            records.mark(uow, node, track="paper", step=step)
        holdings.register(uow, node, barcode="B00219777-1", sheets=12)
        for step in ("catalogue", "submit", "archive"):
            steps.take(uow, node, step)
        path = href(uow, node)
    site.close()
    return path


def _page_count(hospital: Hospital, number: int) -> int:
    with hospital.uow("archivist", readonly=True) as uow:
        return uow.node(number).page_count


def _ask(reader: Reader, path: str, kind: str) -> str:
    """Asks for a record, on the screen or on paper; gives the number of the slip."""
    page = reader.page
    reader.go(f"{path}/@@request")
    page.check(f"input[name=kind][value={kind}]")
    page.select_option("select[name=purpose]", "discussion")
    page.fill("input[name=days]", "3")
    page.check("input[name=declared][value=none]")
    page.click("main form .btn-primary")
    expect(page.locator("main")).to_contain_text("JY2026-")
    return page.locator("main").inner_text().split("JY")[1].split()[0]


def _approve(reader: Reader, slip: str) -> None:
    reader.go("/approvals")
    page = reader.page
    page.locator("tr", has_text=slip).locator("input[name=ids]").check()
    page.click("button[name=act][value=approve]")
    expect(page.locator("main")).not_to_contain_text(f"JY{slip}")


def test_a_clinician_asks_the_head_approves_and_the_pages_open_for_the_days(
    people: People, archive: Archive, filed: str
) -> None:
    clinician, head = people("clinician"), people("head")
    clinician.go(filed)
    expect(clinician.page.locator("h1")).to_contain_text("00219777-1 · 刘**")
    expect(clinician.page.locator("main")).not_to_contain_text("妊娠合并子宫瘢痕")
    assert clinician.go(f"{filed}/++page++1") == 403
    slip = _ask(clinician, filed, "eread")
    head.go("/approvals")
    _approve(head, slip)
    assert clinician.go(f"{filed}/++page++1") == 200
    expect(clinician.page.locator("main")).to_contain_text("子宫下段剖宫产术")
    clinician.go("/")
    expect(clinician.page.locator("main")).to_contain_text("00219777-1")
    _shows_nothing_on_paper(clinician, filed)
    _ends_at_once(clinician, archive, filed, f"JY{slip}")


def _shows_nothing_on_paper(reader: Reader, filed: str) -> None:
    reader.go(f"{filed}/++page++1")
    stage, text = reader.page.locator("[data-stage]"), reader.page.locator("[data-part=side]")
    expect(stage).to_be_visible()
    reader.page.emulate_media(media="print")
    expect(stage).not_to_be_visible()
    expect(text).not_to_be_visible()
    expect(reader.page.locator(".jz-instead")).to_be_visible()
    reader.page.emulate_media(media="screen")


def _ends_at_once(reader: Reader, archive: Archive, filed: str, slip: str) -> None:
    """Revoked while the page is open and its image drawn: nothing of it comes again, not even from the browser's own store."""
    picture = json.loads(reader.page.locator("[data-stage]").get_attribute("data-levels") or "[]")[0]["url"]
    asked = "address => fetch(address, {cache: 'force-cache'}).then(answer => answer.status)"
    page = f"{filed}/++page++1"
    addresses = (picture, page, f"{page}/text", f"{page}/thumb")
    assert [reader.page.evaluate(asked, address) for address in addresses] == [200] * 4
    text = reader.page.evaluate("address => fetch(address).then(answer => answer.text())", f"{page}/text")
    assert "子宫下段剖宫产术" in text
    assert "clinician甲 0004" in text.splitlines()[-1]
    site = archive.site()
    with hospital_of(site).uow("head") as uow:
        requests.advance(uow, slips.one(uow, slip), "revoke", reason="讨论已经结束")
    site.close()
    assert {reader.page.evaluate(asked, address) for address in addresses} == {403}
    reader.go("/")
    reader.page.go_back()
    expect(reader.page.locator("[data-stage]")).to_have_count(0)


def test_in_an_emergency_a_doctor_of_another_ward_opens_it_by_keyboard_and_ends_it_in_the_viewer(
    people: People, filed: str
) -> None:
    doctor = people("clinician2")
    doctor.go("/break-glass")
    page = doctor.page
    for name, typed in (
        ("mrn", "00219777"),
        ("patient_name", "刘婷婷"),
        ("reason", "产后大出血，昏迷送入"),
        ("password", PASSWORD),
    ):
        page.fill(f"[name={name}]", typed)
    page.select_option("[name=cause]", "rescue")
    page.press("[name=password]", "Enter")
    page.click("main a:has-text('00219777-1')")
    assert doctor.go(f"{filed}/++page++1") == 200
    page.click("form[action*='/emergencies/'] button")
    expect(page.locator("main")).to_contain_text("JJ2026-0001")
    assert doctor.go(f"{filed}/++page++1") in {403, 404}


def test_a_clinician_of_another_ward_finds_a_patient_by_exact_number_and_a_second_factor(
    people: People, filed: str
) -> None:
    other = people("clinician2")
    other.go(filed)
    expect(other.page.locator("main")).not_to_contain_text("刘")
    other.go("/find-patient")
    page = other.page
    for name, discharged, found in (("刘婷婷", "", True), ("王小明", "", False), ("", "2026-11-12", True)):
        other.go("/find-patient")
        page.fill("input[name=mrn]", "00219777")
        page.fill("input[name=patient_name]", name)
        page.fill("input[name=discharged_on]", discharged)
        page.select_option("select[name=purpose]", "request")
        page.click("main form .btn-primary")
        shown = page.locator("main table", has_text="00219777-1")
        expect(shown).to_have_count(1 if found else 0)


def test_the_clerk_hands_out_and_takes_back_by_barcode_and_nothing_else(
    people: People, archive: Archive, filed: str
) -> None:
    clinician, head, clerk = people("clinician"), people("head"), people("clerk")
    slip = _ask(clinician, filed, "paper")
    _approve(head, slip)
    page = clerk.page
    clerk.go("/desk")
    for scanned in (f"JY{slip}", "B99999999-1", "B00219777-1"):  # the gun does not wait for an answer
        page.keyboard.type(f"{scanned}\n")
    expect(page.locator("#desk-said")).to_contain_text("已借出")
    expect(page.locator("#desk-today")).to_contain_text("今天 借出 1")
    expect(page.locator("#bc")).to_be_focused()
    clinician.go("/requests")
    expect(clinician.page.locator("main")).to_contain_text("借出")
    _let_two_minutes_pass(archive)
    page.keyboard.type("B00219777-1\n")
    expect(page.locator("#desk-today")).to_contain_text("归还 1")
    page.keyboard.press("F4")
    expect(page.locator("#desk-said")).to_contain_text("已撤销")
    page.route("**/desk", lambda route: route.abort())
    page.keyboard.type("B00219777-1\n")
    expect(page.locator("#desk-said")).to_contain_text("B00219777-1")
    expect(page.locator("#bc")).to_have_value("B00219777-1")


def _let_two_minutes_pass(archive: Archive) -> None:
    """A second shot of the gun at the same volume within a minute is an echo, and the desk lets it pass by."""
    site = archive.site()
    with site.session() as session:
        for line in session.scalars(select(RequestLine)):
            line.out_at -= timedelta(minutes=2)
    site.close()


def test_the_auditor_follows_one_record_and_proves_that_nothing_was_changed(
    people: People, filed: str
) -> None:
    auditor = people("auditor")
    page = auditor.page
    assert auditor.go(filed) == 404
    auditor.go("/audit?patient=00219777")
    expect(page.locator("main")).to_contain_text("archivist")
    expect(page.locator("main")).not_to_contain_text("刘婷婷")
    auditor.go("/audit/verification")
    page.click("main form button.btn-primary")
    wait_for(lambda: _says(auditor, "/audit/verification", "完整"), "the verdict", 60)


def _says(reader: Reader, path: str, text: str) -> bool:
    reader.go(path)
    return text in reader.page.inner_text("main")


@pytest.mark.parametrize("account", ["sysadmin", "security", "inspector"])
def test_whoever_has_no_business_with_content_finds_nothing(people: People, filed: str, account: str) -> None:
    reader = people(account)
    assert reader.go(filed) == 404
    assert "00219777" not in reader.page.content()
