"""The keying desk by keyboard alone: a front page keyed and saved, the next one opened, keyed again and decided."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from tests import papers
from tests.conftest import Hospital, hospital_of
from tests.journeys.conftest import Archive, Reader, wait_for
from tests.journeys.test_viewer import new_record
from tests.services.test_intake import upload

pytestmark = pytest.mark.browser
KEYS = (
    "00900001", "1", "王秀英", "2", "19840302", "20261101", "20261109", "ck", "周敏", "1", "子宫瘢痕", "O34.201",
)  # fmt: skip
"""What is pressed for each of the twelve fields, before Enter."""


class Hands:
    """Types, and counts what was pressed: the hands never leave the keys."""

    def __init__(self, page: Page) -> None:
        self.page, self.pressed = page, 0

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.pressed += len(text)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1


def laid_out(archive: Archive, *numbers: str) -> None:
    """Records of a registered volume each, with a front page and little that is known."""
    site = archive.site()
    hospital = hospital_of(site)
    for number in numbers:
        thin = {"mrn": number, "patient_name": "待录", "birth": "", "discharged_on": "", "attending": "", "outcome": "",
                "diagnosis": "", "diagnosis_code": "", "times": "1", "sex": "9"}  # fmt: skip
        target = new_record(site, **thin)
        with hospital.uow("archivist", readonly=True) as uow:
            record = uow.node(target.removeprefix("/a/")).id
        upload(hospital, "archivist", record, papers.pdf(f"住院病案首页 {number}", "背面"))
        wait_for(partial(has_pages, hospital, record), "the pages")
    site.close()


def has_pages(hospital: Hospital, record: int) -> bool:
    with hospital.uow("archivist", readonly=True) as uow:
        return uow.node(record).page_count == 2


def test_twelve_fields_are_keyed_and_saved_by_keyboard_alone_and_the_next_record_opens(
    archive: Archive, people: Callable[[str], Reader]
) -> None:
    laid_out(archive, "00900011", "00900012")
    reader = people("archivist")
    page, hands = reader.page, Hands(reader.page)
    reader.go("/keying")
    page.get_by_role("link", name="开始著录").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    begun = page.url
    expect(page.locator(":focus")).to_have_attribute("name", "mrn")
    expect(page.locator(".is-known [name=mrn]")).to_be_visible()
    for text in KEYS[:-1]:
        hands.type(text)
        hands.press("Enter")
    hands.type(KEYS[-1])
    expect(page.locator("[name=birth]")).to_have_value("1984-03-02")
    with page.expect_navigation():
        hands.press("Enter")
    assert page.url != begun
    assert "/keying/" in page.url
    expect(page.locator(":focus")).to_have_attribute("name", "mrn")
    assert hands.pressed == sum(map(len, KEYS)) + 12, "one Enter for each field, and nothing else"

    # A diagnosis is taken from the classification: its words and its code.
    page.locator("[name=diagnosis]").focus()
    hands.type("前置胎盘")
    expect(page.locator(".jz-key [role=option]").first).to_contain_text("O44")
    hands.press("ArrowDown", "Enter")
    expect(page.locator("[name=diagnosis_code]")).to_have_value("O44")
    expect(page.locator(":focus")).to_have_attribute("name", "diagnosis")
    page.locator("[name=mrn]").focus()

    # The image follows the keys while the hands are in a field.
    expect(page.locator("[data-zoom]")).to_have_text("100%")
    hands.press("Alt+Equal", "Alt+Equal")
    expect(page.locator("[data-zoom]")).to_have_text("169%")
    hands.press("Alt+PageDown")
    expect(page.locator("[data-side]")).to_have_text("2 / 2")
    expect(page.locator(":focus")).to_have_attribute("name", "mrn")
    hands.press("Enter", "Shift+Enter")
    expect(page.locator(":focus")).to_have_attribute("name", "mrn")
    with page.expect_navigation():
        hands.press("Control+Enter")
    assert page.url.endswith("/keying"), "nothing more to do for this person"

    # Another person keys what matters again; one number differs, and is chosen by the image.
    other = people("senior")
    page, hands = other.page, Hands(other.page)
    other.go(begun.removeprefix(archive.url))
    expect(page.locator("main")).not_to_contain_text("王秀英")
    for text in ("00900002", "王秀英", "19840302", "20261101"):
        hands.type(text)
        hands.press("Enter")
    hands.type("20261109")
    with page.expect_navigation():
        hands.press("Enter")
    other.go(begun.removeprefix(archive.url))
    expect(page.locator("mark").first).to_have_text("1")
    hands.press("Space")
    with page.expect_navigation():
        hands.press("Control+Enter")
    site = archive.site()
    with hospital_of(site).uow("senior", readonly=True) as uow:
        node = uow.node(UUID(begun.rpartition("/")[2]))
        assert node.data["mrn"] == "00900001"
        assert (node.data["patient_name"], node.data["attending"], node.data["sex"]) == (
            "王秀英",
            "周敏",
            "2",
        )
    site.close()
