"""复制窗口 with the keyboard alone: the card is read, papers are brought later, the copy is made, handed over and verified."""

import hashlib
from collections.abc import Callable

import pypdfium2
import pytest
from playwright.sync_api import expect

from tests import papers
from tests.conftest import RECORD
from tests.journeys import props
from tests.journeys.conftest import Archive, Reader, sound, to, wait_for
from tests.services import searching

pytestmark = pytest.mark.browser
MRN = "00219555"


def record_of(archive: Archive) -> None:
    """A record with one scanned component, planted beside the browser."""
    with props.beside(archive) as hospital:
        record = searching.patient(hospital, MRN, RECORD["patient_name"])
        component = searching.component(hospital, record, "出院记录", "CY")
        props.taken_in(hospital, component, "出院记录", "出院记录", "续页")
        props.when_read(hospital, component)


def test_a_copy_from_application_to_verification_by_keyboard(
    archive: Archive, people: Callable[[str], Reader]
) -> None:
    record_of(archive)
    desk = people("desk")
    page = desk.page
    desk.go("/copying?applicant=agent")
    page.keyboard.type(MRN)  # the first field has the focus
    to(page, "[name=patient_name]")
    page.keyboard.type("刘婷婷")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text(f"{MRN}-1")
    sound(page)
    for kind in ("patient_id", "agent_id", "agency"):
        to(page, f"[name=paper][value={kind}]")
        page.keyboard.press("Space")
    to(page, "[name=applicant_name]")
    page.keyboard.type("刘建国")
    page.keyboard.press("F9")
    expect(page.locator("main")).to_contain_text("还缺：授权委托书")
    sound(page)
    to(page, "[name=paper][value=attorney]")
    page.keyboard.press("Space")
    page.keyboard.press("F9")
    expect(page.locator("main")).to_contain_text("待制作")
    to(page, "#step-make")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    def ready() -> bool:
        page.reload()
        return page.locator("#step-confirm").count() > 0

    wait_for(ready, "the copy", 90)
    for name in ("clerk", "applicant"):
        to(page, f"[name={name}]")
        page.keyboard.press("Space")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    to(page, "[name=paid]")
    page.keyboard.press("Space")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".jz-sub")).to_contain_text("已交付")

    digest = page.locator(".jz-digest").inner_text()
    file = page.request.get(f"{page.url}/file").body()
    assert hashlib.sha256(file).hexdigest() == digest
    assert len(pypdfium2.PdfDocument(file)) == 3

    chromium = page.context.browser
    assert chromium
    public = chromium.new_page()  # nobody is signed in there
    public.goto(f"{archive.url}/verify")
    public.keyboard.type("AAAAA-BBBBB-CCCCC")
    public.keyboard.press("Enter")
    expect(public.locator("main")).to_contain_text("此查验码未对应任何有效复印件")
    public.keyboard.type(papers.code_on(file).lower())
    public.keyboard.press("Enter")
    expect(public.locator("main")).to_contain_text(digest)
    expect(public.locator("main")).not_to_contain_text("刘")
    public.close()
