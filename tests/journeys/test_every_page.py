"""Every page, as the roles that use it: no serious fault of access, nothing wider than the screen, usable without JavaScript."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from archive.models import Job
from archive.services import holdings, places, tree
from archive.services.handlers import LIVE
from archive.sight import href
from archive.site import Site
from tests import papers, piles
from tests.conftest import PASSWORD, RECORD, hospital_of
from tests.journeys.conftest import Archive, Reader, wait_for
from tests.services.test_intake import upload
from tests.services.test_scanning import hand_in

pytestmark = pytest.mark.browser
People = Callable[[str], Reader]

PAGES = {
    "archivist": (
        "/", "/a/h001", "/a/h001/zy-bl", "/a/h001/zy-bl/@@add", "/a/h001/zy-bl/@@add?type=medical_record", "{record}",
        "{record}/@@contents", "{record}/@@edit", "{record}/@@history", "{record}/@@upload", "/search 刘婷婷", "/jobs",
        "/where 00218647", "/imports", "/sessions", "/worklists/draft", "/worklists/late", "/notices", "/approvals", "/desk",
        "{record}/@@volume", "/holds", "{record}/@@seal", "/trash", "{record}/@@move", "{record}/@@move?to=/a/h001/zy-bl",
        "{record}/@@reconciliation", "/mismatches", "/mismatches/rate", "{record}/@@pages", "{record}/++page++1", "/keying",
        "/keying/{uuid}", "/batches", "/batches/add", "/batches/{batch}", "/batches/{batch}/pages?show=all",
    ),
    "senior": ("/", "{record}/@@sharing", "{record}/@@sharing/add", "{record}/@@level", "/inspections",
               "/inspections/add", "/copying", "/copying/slips", "/copying/bookings", "/disputes", "/disputes/new", "/verify"),
    "scanner": ("/", "/worklists/to_scan", "/batches/{batch}", "/batches/{batch}/pages", "/batches/{batch}/pages/2"),
    "clinician": ("/", "/requests", "/find-patient", "/search 病历"),
    "clerk": (
        "/", "/desk", "/desk/pick-list", "/desk/out", "/desk/overdue", "/storeroom", "/storeroom/add", "/storeroom/shelving",
        "/storeroom/places/R01", "/storeroom/places/R01-S01?view=boxes", "/storeroom/places/R01-S01?view=volumes",
        "/storeroom/places/R01-S01/@@box", "/storeroom/boxes/H000001", "/storeroom/volumes/B00218647-2",
        "/storeroom/volumes/B00218647-2/@@edit", "/storeroom/volumes/B00218647-2/@@mark/damaged",
        "/incidents", "/desk/clearance?c=0004",
    ),
    "auditor": ("/audit", "/audit/verification", "/audit/mine"),
    "security": ("/people",),
    "sysadmin": ("/", "/control", "/control/policy/loans", "/control/policy/loans/next", "/control/policy/gates/next?text=1",
                 "/control/calendar", "/people", "/people/add", "/jobs/all", "/me/password"),
}  # fmt: skip


def visit(reader: Reader, path: str) -> int:
    """Goes to a page; words after its address are typed into it."""
    address, _space, words = path.partition(" ")
    status = reader.go(address)
    if words:
        reader.page.fill("main [name=q]", words)
        with reader.page.expect_navigation() as arrived:
            reader.page.press("main [name=q]", "Enter")
        status = arrived.value.status
    return status


@pytest.fixture(scope="module")
def names(archive: Archive) -> dict[str, str]:
    """A draft record with a page, a component and a volume, by its path and its uuid; and a batch whose pile has been read."""
    site = archive.site()
    hospital = hospital_of(site)
    with hospital.uow("archivist") as uow:
        fields = RECORD | {"dept": str(hospital.wards["CK"])}
        node = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields)
        tree.add(uow, node, kind="component", fields={"title": "入院记录", "component": "RY"})
        places.add(uow, code="R01", title="病案库房", kind="room")
        places.add(uow, code="R01-S01", title="一架", kind="shelf", within="R01", capacity_mm=900)
        box = places.add_container(uow, kind="box", location="R01-S01", thickness_mm=50)
        holdings.register(uow, node, barcode="B00218647-2", sheets=12, container=box.barcode)
        found = {"record": href(uow, node), "uuid": str(node.uuid)}
    upload(hospital, "archivist", node.id, papers.pdf("住院病案首页"))
    piles.records(hospital, 1)
    found["batch"] = piles.prepared(hospital, (2,))
    (cover,) = piles.covers(hospital, found["batch"])
    hand_in(hospital, found["batch"], piles.pile([cover, piles.sheet("入院记录"), piles.sheet("出院记录")]))
    wait_for(lambda: not _at_work(site), "pages and pile")
    site.close()
    return found


def _at_work(site: Site) -> bool:
    with site.session(readonly=True) as session:
        return session.scalar(select(Job.id).where(Job.state.in_(LIVE)).limit(1)) is not None


@pytest.mark.parametrize("account", PAGES)
def test_no_page_has_a_serious_fault_and_none_is_wider_than_the_screen(
    people: People, names: dict[str, str], account: str
) -> None:
    reader, faults = people(account), []
    for path in PAGES[account]:
        status = visit(reader, path.format(**names))
        assert status == 200, (path, status)
        faults += [
            (path, violation["id"], [node["target"] for node in violation["nodes"]][:3])
            for violation in Axe().run(reader.page).response["violations"]
            if violation["impact"] in {"serious", "critical"}
        ]
        if reader.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append((path, "wider than the screen", []))
    assert not faults


def test_a_record_is_described_without_javascript(
    archive: Archive, browser: Browser, names: dict[str, str]
) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{archive.url}/sign-in")
    page.fill("input[name=account]", "archivist")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button.btn-primary")
    expect(page.locator("h1")).to_have_text("工作台")
    page.goto(f"{archive.url}{names['record']}/@@edit")
    page.fill("[name=attending]", "周敏敏")
    page.click("main form .btn-primary")
    expect(page.locator("main")).to_contain_text("周敏敏")
    page.click(".jz-actions button:has-text('开始著录')")
    expect(page.locator(".jz-sub")).to_contain_text("著录中")
    context.close()


def test_the_interface_speaks_english_when_asked(archive: Archive, people: People) -> None:
    reader = people("archivist")
    reader.page.context.add_cookies([{"name": "locale", "value": "en", "url": archive.url}])
    reader.go("/")
    expect(reader.page.locator("h1")).to_have_text("Workbench")
    expect(reader.page.locator("html")).to_have_attribute("lang", "en")
