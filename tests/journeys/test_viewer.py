"""A scan is dropped on a record and read: by mouse, by keyboard, with the words that were looked for drawn on it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from sqlalchemy import select

from archive.actor import Actor
from archive.models import Node, Principal
from archive.services import actors, tree
from archive.sight import href
from archive.site import Site
from tests import papers
from tests.conftest import RECORD
from tests.journeys.conftest import Archive, Reader, wait_for

pytestmark = pytest.mark.browser


def person(site: Site, account: str) -> Actor:
    with site.session(readonly=True) as session:
        found = actors.by_account(session, account, site.clock())
    assert found
    return found


def new_record(site: Site, **other: str) -> str:
    """The address of a record of obstetrics, just described."""
    with site.uow(person(site, "archivist")) as uow:
        ward = uow.session.scalar(select(Principal.id).where(Principal.code == "CK"))
        category = select(Node).where(Node.slug == "zy-bl")
        node = uow.session.scalars(category, execution_options={"scope": "test"}).one()
        return href(
            uow, tree.add(uow, node, kind="medical_record", fields=RECORD | {"dept": str(ward)} | other)
        )


def dropped_and_opened(reader: Reader, target: str, scan: Path) -> Page:
    """The viewer, open at the first page of a file that was just dropped on a record."""
    reader.go(f"{target}/@@upload")
    reader.page.set_input_files("input[type=file]", str(scan))
    reader.page.wait_for_selector("#files .is-ok", timeout=60_000)
    reader.go(f"{target}/++page++1")
    reader.page.wait_for_selector(".jz-deep canvas")
    return reader.page


def test_a_scan_is_dropped_made_into_pages_and_read(
    archive: Archive, people: Callable[[str], Reader], tmp_path: Path
) -> None:
    site = archive.site()
    target = new_record(site)
    site.close()
    scan = tmp_path / "手术记录.pdf"
    scan.write_bytes(papers.pdf("手术记录\n见条索状粘连", "术后第一日", "拔除引流管，无粘连"))
    reader = people("archivist")
    page = reader.page
    reader.go(f"{target}/@@upload")
    page.set_input_files("input[type=file]", str(scan))
    page.wait_for_selector("[data-upload-list] .is-wait")
    page.wait_for_selector("#files .is-ok", timeout=60_000)

    reader.go(f"{target}/++page++1")
    page.wait_for_selector(".jz-deep canvas")
    page.fill("[data-find-in] [name=q]", "粘连")
    page.keyboard.press("Enter")
    page.wait_for_url("**/++page++1?s=*")
    page.locator("[data-find-in] [name=q]").blur()
    page.wait_for_selector(".jz-hit.is-now")
    assert page.locator(".jz-strip .hits > [aria-hidden]").all_inner_texts() == ["1", "1"]
    wait_for(lambda: page.locator("[data-zoom]").inner_text().endswith("%"), "the zoom to be told")

    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/++page++2?s=*")
    assert "术后第一日" in page.locator(".jz-text").inner_text()
    before = page.locator("[data-zoom]").inner_text()
    page.keyboard.press("+")
    wait_for(lambda: page.locator("[data-zoom]").inner_text() != before, "the page to become larger")
    page.keyboard.press("t")
    assert not page.locator("aside").is_visible()
    page.keyboard.press("t")
    page.keyboard.press("r")

    page.fill("[name=n]", "3")
    page.keyboard.press("Enter")
    page.wait_for_url("**/++page++3?s=*")
    page.go_back()
    page.wait_for_url("**/++page++2?s=*")
    page.fill("[data-find-in] [name=q]", "引流管")
    page.keyboard.press("Enter")
    page.wait_for_selector("mark >> text=引流管")


def test_words_are_found_in_a_record_by_keyboard_alone(
    archive: Archive, people: Callable[[str], Reader], tmp_path: Path
) -> None:
    site = archive.site()
    target = new_record(site, mrn="00218648")
    site.close()
    scan = tmp_path / "病程记录.pdf"
    texts = ["体温正常"] * 6
    texts[1], texts[4] = "盆腔粘\n连，粘连松解", "无粘連"
    scan.write_bytes(papers.pdf(*texts))
    page = dropped_and_opened(people("archivist"), target, scan)

    page.keyboard.press("f")
    page.keyboard.type("粘连")
    page.keyboard.press("Enter")
    said = page.locator("[data-said]")
    wait_for(lambda: said.count() == 1 and said.inner_text() == "第 1 处 / 共 3 处", "the first place")
    assert "/++page++2?s=" in page.url
    page.wait_for_selector(".jz-hit.is-now")
    assert page.locator(".jz-hit").count() == 3, "one place goes over the end of a line"
    assert page.locator(".jz-hit.is-now").count() == 2
    assert page.locator(".jz-strip a:has(.hits)").count() == 2
    assert page.locator(".jz-ruler a").count() == 2
    faults = Axe().run(page).response["violations"]
    assert [fault["id"] for fault in faults if fault["impact"] in {"serious", "critical"}] == []

    page.keyboard.press("Enter")
    wait_for(lambda: said.inner_text() == "第 2 处 / 共 3 处", "the second place, on the same page")
    assert page.locator(".jz-hit.is-now").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_url("**/++page++5?s=*")
    wait_for(lambda: page.locator(".jz-text mark.is-now").inner_text() == "粘連", "the place in the text")
    page.keyboard.press("Enter")
    page.wait_for_url("**/++page++2?s=*")
    page.keyboard.press("Shift+Enter")
    page.wait_for_url("**/++page++5?s=*")
    wait_for(lambda: said.inner_text() == "第 3 处 / 共 3 处", "the last place")
    page.go_back()
    wait_for(lambda: said.inner_text() == "第 1 处 / 共 3 处", "the place before")
    page.keyboard.press("Control+f")
    page.keyboard.press("Escape")
    page.wait_for_url("**/++page++2")
    wait_for(lambda: page.locator(".jz-hit, [data-said], .jz-strip .hits").count() == 0, "the marks to go")


def test_text_is_corrected_and_marked_on_the_image_by_keyboard(
    archive: Archive, people: Callable[[str], Reader], tmp_path: Path
) -> None:
    site = archive.site()
    target = new_record(site, mrn="00218655")
    site.close()
    scan = tmp_path / "出院记录.pdf"
    scan.write_bytes(papers.pdf("出院诊断：糖尿疒"))
    page = dropped_and_opened(people("archivist"), target, scan)

    page.keyboard.press("e")
    page.wait_for_url("**/correct")
    wait_for(lambda: page.locator("#typing-text:focus").count() == 1, "the field to be ready")
    page.keyboard.press("Control+a")
    page.keyboard.type("出院诊断：糖尿病")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/++page++1")
    wait_for(lambda: "糖尿病" in page.locator(".jz-text").inner_text(), "the corrected text")
    assert page.locator(".jz-machine").count() == 1

    page.keyboard.press("s")
    words = page.locator(".jz-words text").first
    assert words.text_content() == "出院诊断：糖尿病\n"
    box = words.bounding_box()
    assert box
    assert box["width"] > box["height"] > 0
    page.keyboard.press("s")
    assert page.locator(".jz-words").count() == 0
