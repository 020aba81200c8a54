"""The whole main job, in the browser, a story a role: scanned, described, found, borrowed, handed out, audited."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Archive, Reader, wait_for

pytestmark = pytest.mark.browser
People = Callable[[str], Reader]
SHARED = Path(__file__).parents[3] / "shared" / "data"
MRN = "00219001"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A born-digital PDF in Chinese and a scanned page, as a ward hands them over."""
    from archive.demo import sheets

    folder = tmp_path_factory.mktemp("files")
    font = Path(__file__).parents[2] / "archive" / "static" / "fonts" / "NotoSansSC-Regular.ttf"
    pdf, scan = folder / "出院记录.pdf", folder / "入院记录.jpg"
    text = "患者因停经三十九周，规律腹痛两小时入院。诊断为妊娠合并子宫瘢痕，行子宫下段剖宫产术，术后恢复良好。"
    pdf.write_bytes(sheets.text_pdf("出院记录", text * 4, font_path=font))
    page = sheets.sheet("RY", "主诉：停经三十九周，规律腹痛两小时。", sheets.Header("入院记录"), dpi=200, seed=7, font_path=font)
    scan.write_bytes(sheets.as_jpeg(page))
    return {"pdf": pdf, "scan": scan}


def test_an_archivist_scans_and_catalogues_a_record_until_it_is_archived(
    people: People, archive: Archive, files: dict[str, Path]
) -> None:
    archivist = people("archivist")
    page = archivist.page
    expect(page.locator("h1")).to_have_text("工作台")
    archivist.go("/a/h001/zy-bl/@@add")
    page.click("main a:text-is('住院病案')")
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
    upload = page.locator("main form .btn-primary")
    if upload.is_visible():
        upload.click()
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
