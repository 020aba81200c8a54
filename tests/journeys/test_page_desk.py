"""The page desk by keyboard alone, by mouse and by finger, and without JavaScript."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import papers
from tests.journeys.conftest import Archive, Reader
from tests.journeys.test_viewer import new_record

pytestmark = pytest.mark.browser
NAMES = ["首页", "入院记录", "病程记录", "体温单", "医嘱单"]


def laid_out(archive: Archive, reader: Reader, folder: Path, mrn: str) -> str:
    """A record with five pages; gives the address of its desk."""
    site = archive.site()
    target = new_record(site, mrn=mrn, patient_name="柏青")
    site.close()
    scan = folder / "病历.pdf"
    scan.write_bytes(papers.pdf(*NAMES))
    reader.go(f"{target}/@@upload")
    reader.page.set_input_files("input[type=file]", str(scan))
    reader.page.wait_for_selector("#files .is-ok", timeout=60_000)
    reader.go(f"{target}/@@pages")
    return f"{target}/@@pages"


def order(page: Page) -> list[str]:
    """The keys of the pages as they lie."""
    return page.eval_on_selector_all("#desk [data-tile] input", "boxes => boxes.map(box => box.value)")


def pressed(page: Page, *keys: str) -> None:
    """Keys of which the last one sends the form."""
    for key in keys[:-1]:
        page.keyboard.press(key)
    with page.expect_navigation():
        page.keyboard.press(keys[-1])


def test_pages_are_turned_ordered_taken_out_and_all_is_undone_by_keyboard_alone(
    archive: Archive, people: Callable[[str], Reader], tmp_path: Path
) -> None:
    reader = people("archivist")
    page = reader.page
    laid_out(archive, reader, tmp_path, "00800001")
    one, two, three, four, five = before = order(page)
    for _ in range(60):
        if page.evaluate("document.activeElement.name") == "pages":
            break
        page.keyboard.press("Tab")

    pressed(page, "ArrowRight", "r")
    expect(page.locator(f"[data-tile]:has([value='{two}'])")).to_contain_text("90°")
    assert page.evaluate("document.activeElement.value") == two, "one stands where one stood"
    assert page.locator("#desk input:checked").count() == 1, "and what was ticked stays ticked"
    pressed(page, "Alt+ArrowLeft")
    assert order(page) == [two, one, three, four, five]
    pressed(page, "Escape", "ArrowRight", "Shift+ArrowRight", "Delete")
    assert order(page) == [two, four, five]
    assert page.locator("[data-tile] .is-gone").count() == 2
    pressed(page, "u")
    pressed(page, "u")
    pressed(page, "u")
    assert order(page) == before
    assert page.get_by_text("90°").count() == 0
    assert page.locator("button[value=undo]").count() == 0

    # Where one stands on no page, no key and no button acts on any.
    page.locator("#desk input:checked").evaluate_all("boxes => boxes.forEach(box => box.click())")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Delete")
    expect(page.locator("#desk [data-grid-count]")).to_have_text("请先选择页面。")
    page.click("button[value=set_aside]")
    assert page.locator("#desk input:checked").count() == 0
    assert order(page) == before


def test_pages_are_dragged_by_mouse_and_ticked_in_a_row(
    archive: Archive, people: Callable[[str], Reader], tmp_path: Path
) -> None:
    reader = people("scanner")
    page = reader.page
    reader.go(laid_out(archive, people("archivist"), tmp_path, "00800002"))
    one, two, three, four, five = order(page)
    tiles = page.locator("#desk [data-tile]")
    tiles.nth(0).click()
    tiles.nth(1).click(modifiers=["Shift"])
    expect(page.locator("#desk [data-grid-count]")).to_contain_text("2")
    start, end = tiles.nth(1).bounding_box(), tiles.nth(3).bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 60, start["y"] + 80)
    page.mouse.down()
    page.mouse.move(start["x"] + 90, start["y"] + 90, steps=3)
    page.mouse.move(end["x"] + end["width"] * 0.8, end["y"] + 80, steps=5)
    with page.expect_navigation():
        page.mouse.up()
    assert order(page) == [three, four, one, two, five]

    # Enter behind the number of a record asks whether its pages are to go there, whatever another field says.
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.fill("#to", "1")
    page.fill("[name=record]", "00218647-1")
    page.keyboard.press("Enter")
    assert len(asked) == 1
    assert "移入另一案卷" in asked[0]
    page.click("#desk [data-grid-none]")
    page.locator("[name=record]").press("Enter")
    expect(page.locator("#give-away ~ [data-grid-count]")).to_have_text("请先选择页面。")
    assert len(asked) == 1, "where no page is chosen nothing is asked"
    page.reload()
    assert order(page) == [three, four, one, two, five]


def test_without_javascript_boxes_and_buttons_do_the_same(
    archive: Archive, people: Callable[[str], Reader], tmp_path: Path
) -> None:
    reader = people("archivist")
    desk = laid_out(archive, reader, tmp_path, "00800003")
    one, two, three, four, five = order(reader.page)
    context = reader.page.context.browser.new_context(
        java_script_enabled=False, storage_state=reader.page.context.storage_state(), locale="zh-CN"
    )
    page = context.new_page()
    page.goto(f"{archive.url}{desk}")
    page.check(f"[value='{four}']")
    page.check(f"[value='{five}']")
    page.fill("input[name=to]", "2")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    found = page.locator("#desk [data-tile] input")
    assert [found.nth(place).get_attribute("value") for place in range(5)] == [one, four, five, two, three]
    page.click("button[value=undo]")
    assert found.nth(1).get_attribute("value") == two
    context.close()
