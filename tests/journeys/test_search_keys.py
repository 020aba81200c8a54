"""A search by keyboard alone: hits that stay where they are, ticked, kept, opened; and from a picture to its page."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Route

from tests import papers
from tests.journeys.conftest import Archive, Reader, wait_for
from tests.journeys.test_viewer import new_record

pytestmark = pytest.mark.browser


def found(reader: Reader, words: str) -> None:
    """Types words into the field on every page, as a person does."""
    reader.page.keyboard.press("/")
    reader.page.keyboard.type(words)
    with reader.page.expect_navigation():
        reader.page.keyboard.press("Enter")


def test_hits_are_walked_ticked_kept_and_opened_by_keyboard(
    archive: Archive, people: Callable[[str], Reader]
) -> None:
    site = archive.site()
    for n, mrn in enumerate(("00700001", "00700002", "00700003")):
        new_record(site, mrn=mrn, diagnosis="胎盘早剥", patient_name=f"尹春{'燕莺雁'[n]}")
    site.close()
    reader = people("archivist")
    page = reader.page

    def searched() -> int:
        reader.go("/")
        found(reader, "胎盘早剥")
        return page.locator(".jz-hit").count()

    wait_for(lambda: searched() == 3, "the three records in the index")
    place = page.locator(".jz-hit").first.bounding_box()
    page.wait_for_selector("#facets:not([hx-get])")
    said = page.locator("[data-announce]")
    assert said.text_content(), "whoever does not see the counts is told that they have come"
    assert page.locator(".jz-hit").first.bounding_box() == place, "nothing moves when the counts have come"

    page.locator("body").click(position={"x": 700, "y": 140})
    for key in ("j", "x", "j", "j", "x", "k"):
        page.keyboard.press(key)
    assert page.locator(".jz-hit.is-on").count() == 2
    page.keyboard.press("Enter")
    page.wait_for_url("**/a/**")
    page.go_back()
    assert page.locator(".jz-hit.is-on").count() == 2, "what is ticked stays ticked"
    with page.expect_navigation():
        page.locator("button[value=put]").press("Enter")
    reader.go("/basket")
    assert page.locator("tr[data-row]").count() == 2
    page.keyboard.press("j")
    page.keyboard.press("x")
    with page.expect_navigation():
        page.locator("button[value=take_out]").press("Enter")
    assert page.locator("tr[data-row]").count() == 1


def test_counts_that_do_not_come_are_asked_for_again_and_then_left_to_a_link(
    archive: Archive, people: Callable[[str], Reader]
) -> None:
    site = archive.site()
    new_record(site, mrn="00700011", diagnosis="羊水过少", patient_name="尹春鹂")
    site.close()
    reader = people("archivist")
    page = reader.page

    def searched() -> int:
        reader.go("/")
        found(reader, "羊水过少")
        return page.locator(".jz-hit").count()

    wait_for(lambda: searched() == 1, "the record in the index")
    asked: list[str] = []

    def lost(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.abort()
        else:
            route.continue_()

    page.route("**/search/facets*", lost)
    searched()
    page.wait_for_selector("#facets:not([hx-get])")
    assert len(asked) == 2

    page.unroute("**/search/facets*")
    page.route("**/search/facets*", lambda route: route.fulfill(status=503))
    searched()
    page.wait_for_selector("#facets[data-failed]")
    assert not page.locator("#facets [data-scripted]").is_visible(), "nothing is being counted any more"
    page.unroute("**/search/facets*")
    page.locator("#facets [data-instead]").click()
    page.wait_for_selector("#facets:not([hx-get])")


def test_the_picture_beside_a_hit_leads_to_the_page_with_the_words_drawn_on_it(
    archive: Archive, people: Callable[[str], Reader], tmp_path: Path
) -> None:
    site = archive.site()
    target = new_record(site, mrn="00700009", patient_name="柏青")
    site.close()
    scan = tmp_path / "出院记录.pdf"
    scan.write_bytes(papers.pdf("入院记录", "宫腔球囊填塞"))
    reader = people("archivist")
    page = reader.page
    reader.go(f"{target}/@@upload")
    page.set_input_files("input[type=file]", str(scan))
    page.wait_for_selector("#files .is-ok", timeout=60_000)

    def pictured() -> bool:
        reader.go("/")
        found(reader, "球囊填塞")
        return page.locator(".jz-hit-page img").count() == 1

    wait_for(pictured, "the page in the index")
    wait_for(
        lambda: page.locator(".jz-hit-page img").evaluate("i => i.complete && i.naturalWidth > 0") is True,
        "the picture of the page",
    )
    page.locator(".jz-hit-page").click()
    page.wait_for_url("**/++page++2?s=*")
    page.wait_for_selector(".jz-deep canvas")
    page.wait_for_selector(".jz-hit")
    assert "球囊填塞" in page.locator(".jz-text mark").first.inner_text()
