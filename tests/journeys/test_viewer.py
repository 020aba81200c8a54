"""A scan is dropped on a record and read: by mouse, by keyboard, with the words that were looked for drawn on it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from archive.actor import Actor
from archive.models import Node, Principal, ReadEvent
from archive.services import actors, corrections, tree
from archive.sight import href
from archive.site import Site
from tests import papers
from tests.conftest import RECORD
from tests.journeys.conftest import Archive, Reader, wait_for
from tests.storage.test_detail import fine

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
    _neither_the_network_nor_the_way_back_takes_it(page)
    site = archive.site()
    with site.uow(person(site, "senior")) as uow:
        corrections.correct(uow, uow.node(target.removeprefix("/a/")), 1, text="出院诊断：糖尿", version=0)
    site.close()
    sent: list[str] = []
    page.on(
        "request",
        lambda one: sent.append(one.url) if one.method == "POST" and "/correct" in one.url else None,
    )
    page.keyboard.press("Control+Enter")
    expect(page.locator(".jz-theirs")).to_have_text("出院诊断：糖尿")
    expect(page.locator("#typing-text")).to_have_value("出院诊断：糖尿病")
    assert len(sent) == 1, "what was told is shown, not asked for a second time"
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
    _a_page_in_the_background_asks_for_its_text_once_it_is_seen(page)


CONTRAST = """() => {
  const canvas = document.querySelector(".jz-deep canvas");
  const row = canvas.getContext("2d").getImageData(canvas.width / 2 - 60, canvas.height / 3, 120, 1).data;
  const grey = Array.from({ length: 120 }, (_, place) => row[4 * place]);
  return Math.max(...grey) - Math.min(...grey);
}"""


def test_who_looks_closer_at_a_long_strip_sees_what_its_picture_does_not_hold(
    archive: Archive, people: Callable[[str], Reader], tmp_path: Path
) -> None:
    site = archive.site()
    target = new_record(site, mrn="00218662")
    scan = tmp_path / "胎心监护.png"
    fine(11800, 1500).save(scan, dpi=(300, 300))
    reader = people("archivist")
    page = dropped_and_opened(reader, target, scan)
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url.rpartition("++page++1/")[2]))
    expect(page.locator("[data-fine]")).to_be_empty()
    page.wait_for_timeout(500)
    assert [one for one in asked if one.startswith(("detail", "square"))] == [], "nobody looks closer yet"

    zoom = page.locator("[data-zoom]")
    while int(zoom.inner_text().rstrip("%")) < 250:
        page.keyboard.press("+")
        page.wait_for_timeout(60)
    at = zoom.inner_text()
    expect(page.locator("[data-fine]")).to_have_text("已显示扫描原图的全部细节", timeout=30_000)
    wait_for(lambda: int(page.evaluate(CONTRAST)) > 150, "its columns to stand apart")
    assert zoom.inner_text() == at, "nothing jumps"
    assert len([one for one in asked if one.startswith("square")]) >= 2
    _at_the_picture_alone_they_run_together(page)

    while int(zoom.inner_text().rstrip("%")) > 80:
        page.keyboard.press("-")
        page.wait_for_timeout(60)
    expect(page.locator("[data-fine]")).to_be_empty()
    with site.journal() as session:
        lines = session.scalars(select(ReadEvent.action).where(ReadEvent.action.startswith("page."))).all()
    # The page opens itself anew when its text has been read meanwhile.
    assert 2 <= lines.count("page.detail_viewed") <= lines.count("page.viewed"), "one each time it was opened"
    assert len([one for one in asked if one.startswith("square")]) > lines.count("page.detail_viewed")
    site.close()


def _at_the_picture_alone_they_run_together(page: Page) -> None:
    """The same place without its detail, and then with it again."""
    page.route("**/detail?*", lambda route: route.abort())
    page.reload()
    page.wait_for_selector(".jz-deep canvas")
    zoom = page.locator("[data-zoom]")
    expect(zoom).to_contain_text("%")
    while int(zoom.inner_text().rstrip("%")) < 250:
        page.keyboard.press("+")
        page.wait_for_timeout(60)
    page.wait_for_timeout(1000)
    assert int(page.evaluate(CONTRAST)) < 120
    expect(page.locator("[data-fine]")).to_be_empty()
    page.unroute("**/detail?*")
    page.reload()
    expect(zoom).to_contain_text("%")
    page.locator(".jz-deep").click()
    while int(zoom.inner_text().rstrip("%")) < 250:
        page.mouse.wheel(0, -200)
        page.wait_for_timeout(60)
    wait_for(lambda: int(page.evaluate(CONTRAST)) > 150, "its columns to stand apart, by the wheel")


def _neither_the_network_nor_the_way_back_takes_it(page: Page) -> None:
    """What is typed stays in its field where no answer comes, and its address where somebody would rather stay."""
    typed = page.locator("#typing-text")
    page.context.set_offline(True)
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-unsent]")).to_contain_text("没有收到应答")
    page.context.set_offline(False)
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.evaluate("history.back()")
    page.wait_for_timeout(300)
    assert page.url.endswith("/++page++1/correct")
    expect(typed).to_have_value("出院诊断：糖尿病")
    typed.focus()


def _a_page_in_the_background_asks_for_its_text_once_it_is_seen(page: Page) -> None:
    asked: list[str] = []
    waiting = '<form data-waiting="is-read" action="recognise"></form>'

    def without_text(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(
            response=answer,
            body=answer.text().replace('<div class="jz-text">', waiting + '<div class="jz-text">'),
        )

    page.route("**/++page++1", without_text)
    page.route("**/recognise", lambda route: (asked.append(route.request.url), route.fulfill(json={})))
    page.route("**/is-read", lambda route: route.fulfill(json={"read": False}))
    page.add_init_script(
        "Object.defineProperty(document, 'hidden', {value: true, configurable: true, writable: true})"
    )
    page.reload()
    page.wait_for_selector("[data-waiting]", state="attached")
    page.wait_for_timeout(1500)
    assert asked == [], "nobody looks at it"
    with page.expect_request("**/recognise"):
        page.evaluate("document.hidden = false; document.dispatchEvent(new Event('visibilitychange'))")
