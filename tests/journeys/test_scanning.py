"""A day's pile of paper, in the browser: six records in one pile go from the drop zone to accepted, and every page is where
it belongs.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from archive.models import BatchPage, Node, ScanBatch
from archive.services import policies
from archive.services.scanning import sheets
from archive.site import Site
from tests import piles
from tests.conftest import Hospital, hospital_of
from tests.journeys.conftest import Archive, Reader, wait_for

pytestmark = pytest.mark.browser
People = Callable[[str], Reader]
ANY = {"scope": "test"}


def test_a_mixed_pile_goes_from_the_drop_zone_to_accepted_and_every_page_is_accounted_for(
    people: People, archive: Archive, tmp_path: Path
) -> None:
    site = archive.site()
    hospital = hospital_of(site)
    records = piles.records(hospital, 6)
    archivist, scanner = people("archivist"), people("scanner")
    number = _checked_out(archivist)
    _counted(scanner, number)
    pile = tmp_path / "产科 十月.pdf"
    with hospital.uow("scanner", readonly=True) as uow:
        separators = piles.pages_of(sheets.separators(uow))
    leaves = piles.mixed(piles.covers(hospital, number), separators[_place_of("FZ", hospital)])
    assert len(leaves) >= 40
    pile.write_bytes(piles.pile(leaves))

    page = scanner.page
    held = page.locator("#b-volumes tbody a").first
    held.focus()
    page.set_input_files("input[type=file]:not([webkitdirectory])", str(pile))
    expect(page.locator("[data-upload-list] .is-ok")).to_be_visible(timeout=120_000)
    expect(page.locator(".jz-head a", has_text="扫描页面")).to_be_visible()
    expect(held).to_be_focused()
    wait_for(lambda: _ready(scanner, number), "the pile to be read", 120)
    page.click("button:has-text('扫描完成')")
    wait_for(lambda: "自检" in _state(scanner, number), "the pile to be recognised", 240)

    _resolved(scanner, number)
    _confirmed(scanner, number)
    page.click("button:has-text('挂接')")
    wait_for(lambda: "待抽检" in _state(scanner, number), "the pages to be linked", 120)
    _accepted(archivist, number)
    archivist.page.click("button:has-text('已装订')")
    archivist.page.click("button:has-text('还库')")
    expect(archivist.page.locator(".jz-head .jz-state")).to_have_text("已还库")
    _everything_is_where_it_belongs(site, number, records, len(leaves))
    site.close()


def _place_of(code: str, hospital: Hospital) -> int:
    with hospital.uow("scanner", readonly=True) as uow:
        return list(policies.vocabulary(uow, "component")).index(code)


def _checked_out(archivist: Reader) -> str:
    """The number of a batch with six volumes, each put in by its barcode."""
    page = archivist.page
    archivist.go("/batches/add")
    page.fill("[name=note]", "产科 十月")
    page.keyboard.press("Enter")
    page.wait_for_url("**/batches/SZ*", wait_until="domcontentloaded")
    for patient in range(6):
        page.fill("[name=barcode]", piles.barcode(patient))
        page.keyboard.press("Enter")
        expect(page.locator("main table tbody tr")).to_have_count(patient + 1)
    page.click("button:has-text('出库')")
    expect(page.locator(".jz-head .jz-state")).to_have_text("已出库")
    return page.url.rsplit("/", 1)[1]


def _counted(scanner: Reader, number: str) -> None:
    page = scanner.page
    scanner.go(f"/batches/{number}")
    for field, parts in zip(page.locator("input[name^=sides]").all(), piles.BELONGS, strict=True):
        field.fill(str(sum(parts.values())))
    page.click("button:has-text('保存页数')")
    page.click("button:has-text('整理完毕')")
    page.click("button:has-text('开始扫描')")
    expect(page.locator(".jz-drop")).to_be_visible()


def _state(reader: Reader, number: str) -> str:
    reader.go(f"/batches/{number}")
    return reader.page.locator(".jz-head .jz-state").inner_text()


def _ready(reader: Reader, number: str) -> bool:
    _state(reader, number)
    return "就绪" in reader.page.inner_text("main")


def _resolved(scanner: Reader, number: str) -> None:
    """By looking: the sheet that cannot be read is the fourth volume's, the stranger's page goes out, the double one too."""
    page = scanner.page
    scanner.go(f"/batches/{number}/pages")
    tile = page.locator("[data-tile]", has_text="无法识读的分卷页")
    expect(tile).to_have_count(1)
    loose = page.locator("[data-tile]", has_text="归属不明").count()
    assert loose == sum(piles.BELONGS[3].values()), "nothing behind it was taken for the record before"
    tile.locator("input[type=checkbox]").check(force=True)
    page.select_option("#volume", index=4)  # behind "which volume?"
    page.click("button[value=cover]")
    expect(page.locator("[data-tile]", has_text="归属不明")).to_have_count(0)
    _set_aside(page, "患者不在本批次", "foreign")
    _set_aside(page, "相似", "duplicate")
    expect(page.locator("main")).to_contain_text("没有存疑页面")


def _set_aside(page: Page, doubt: str, why: str) -> None:
    tile = page.locator("[data-tile]", has_text=doubt)
    expect(tile).to_have_count(1)
    tile.locator("input[type=checkbox]").check(force=True)
    page.select_option("#why", why)
    page.click("button[value=aside]")
    expect(page.locator("[data-tile]", has_text=doubt)).to_have_count(0)


def _confirmed(scanner: Reader, number: str) -> None:
    """One key a volume."""
    page = scanner.page
    page.locator("nav a.jz-mono").first.click()
    for _volume in range(5):
        before = page.url
        expect(page.locator("button[data-key=F2]")).to_be_enabled()
        page.keyboard.press("F2")
        page.wait_for_url(lambda address, before=before: address != before, wait_until="domcontentloaded")
    expect(page.locator("button[data-key=F2]")).to_be_enabled()
    page.keyboard.press("F2")
    page.wait_for_url(f"**/batches/{number}", wait_until="domcontentloaded")


def _accepted(archivist: Reader, number: str) -> None:
    """Somebody else looks at the sample, page after page with Enter."""
    page = archivist.page
    archivist.go(f"/batches/{number}/pages?show=sample")
    page.locator("[data-tile-open]").first.click()
    while "/pages/" in page.url:
        before = page.url
        page.locator("button:has-text('保存，看下一页')").press("Enter")
        page.wait_for_url(lambda address, before=before: address != before, wait_until="domcontentloaded")
    page.click("button:has-text('验收通过')")
    expect(page.locator(".jz-head .jz-state")).to_have_text("已验收")


def _everything_is_where_it_belongs(site: Site, number: str, records: list[int], pages: int) -> None:
    with site.session(readonly=True) as session:
        batch = session.scalar(select(ScanBatch.id).where(ScanBatch.number == number), execution_options=ANY)
        rows = session.scalars(
            select(BatchPage).where(BatchPage.batch_id == batch), execution_options=ANY
        ).all()
        why = Counter(row.aside or "linked" for row in rows)
        belong = sum(sum(parts.values()) for parts in piles.BELONGS)
        assert why == {"linked": belong, "cover": 6, "separator": 1, "blank": 1, "duplicate": 1, "foreign": 1}
        assert len(rows) == pages, "pages counted in = pages accounted for"
        for record, parts in zip(records, piles.BELONGS, strict=True):
            items = session.scalars(select(Node).where(Node.parent_id == record), execution_options=ANY).all()
            assert {item.data["component"]: item.page_count for item in items} == parts
