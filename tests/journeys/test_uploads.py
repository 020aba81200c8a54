"""Large files in the browser: cut off by the network, by a reload, by a killed server, and still the same to the last byte."""

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect
from sqlalchemy import select

from archive.models import Blob
from archive.services import tree
from archive.sight import href
from storage import BlobStatus
from tests.conftest import RECORD, hospital_of
from tests.journeys.conftest import Archive, Reader, start
from tests.journeys.test_kills import family, kill

pytestmark = pytest.mark.browser
People = Callable[[str], Reader]
PIECES = 12
CLOSED_FOLDER = """() => {
  const file = (name, read) => ({ isFile: true, fullPath: "/旧夹/" + name, file: read });
  const all = [
    file("关.pdf", (_done, fail) => fail(new DOMException("", "NotReadableError"))),
    file("开.pdf", (done) => done(new File(["%PDF-1.7 open"], "开.pdf"))),
  ];
  const folder = { isDirectory: true, fullPath: "/旧夹", createReader: () => ({ readEntries: (done) => done(all.splice(0)) }) };
  const drop = new Event("drop", { bubbles: true, cancelable: true });
  drop.dataTransfer = { items: [{ webkitGetAsEntry: () => folder }], files: [] };
  document.querySelector("form[data-upload]").dispatchEvent(drop);
}"""
"""Drops a folder of two files, one of which the browser may not read: no test can drop a real one."""


@pytest.fixture
def record(archive: Archive, request: pytest.FixtureRequest) -> str:
    """The upload page of a record of its own."""
    site = archive.site()
    hospital = hospital_of(site)
    mrn = f"{random.Random(request.node.name).randrange(10**8):08d}"
    with hospital.uow("archivist") as uow:
        fields = RECORD | {"mrn": mrn, "dept": str(hospital.wards["CK"])}
        node = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields)
        path = href(uow, node)
    site.close()
    return f"{path}/@@upload"


def large(folder: Path, seed: int) -> Path:
    path = folder / f"病程记录 {seed}.pdf"
    path.write_bytes(b"%PDF-1.7\n" + random.Random(seed).randbytes((PIECES - 1) * 4 * 2**20))
    return path


def drop(page: Page, *files: Path) -> None:
    page.set_input_files("input[type=file][name=file]", [str(file) for file in files])


@dataclass
class Sending:
    """A large file of which three pieces have arrived; the fourth is held back, however quick the machine is."""

    sent: list[Request]
    held: list[Route] = field(default_factory=list)
    is_free: bool = False

    def pass_on(self, route: Route) -> None:
        if self.is_free or len(self.sent) < 3:
            route.continue_()
        else:
            self.held.append(route)

    def go_on(self) -> None:
        """Lets go what was held back, and all that follows."""
        self.is_free = True
        for route in self.held:
            route.continue_()


def sending(reader: Reader, record: str, file: Path) -> Sending:
    """Drops a large file."""
    reader.go(record)
    begun = Sending(pieces_of(reader.page))
    reader.page.route("**/piece", begun.pass_on)
    drop(reader.page, file)
    while not begun.held:
        reader.page.wait_for_timeout(20)
    return begun


def the_network_is_lost(page: Page) -> None:
    expect(page.locator("[data-upload-list]")).to_contain_text("等待网络恢复")


def at_first(page: Page, address: str, happens: Callable[[Route], None], method: str = "GET") -> list[Route]:
    """What becomes of the first request to an address; gives it once it has been met."""
    met: list[Route] = []

    def answer(route: Route) -> None:
        if met or route.request.method != method:
            route.fallback()
        else:
            met.append(route)
            happens(route)

    page.route(address, answer)
    return met


def the_answer_is_lost(route: Route) -> None:
    route.fetch()
    route.abort()


def pieces_of(page: Page) -> list[Request]:
    sent: list[Request] = []
    page.on("requestfinished", lambda one: sent.append(one) if one.url.endswith("/piece") else None)
    return sent


def arrived_whole(page: Page) -> None:
    expect(page.locator("[data-upload-summary]")).to_contain_text("已收到 1 / 1", timeout=60_000)


def assert_kept(archive: Archive, file: Path) -> None:
    content = file.read_bytes()
    site = archive.site()
    with site.session(readonly=True) as session:
        sha256 = hashlib.sha256(content).hexdigest()
        found = select(Blob).where(Blob.sha256 == sha256)
        blob = session.scalars(found, execution_options={"scope": "test"}).one()
    assert site.store.verify(blob.record, sha256) is BlobStatus.OK
    with site.store.open(blob.record, sha256) as kept:
        assert kept.read() == content
    site.close()


def test_a_lost_network_is_waited_for(people: People, archive: Archive, record: str, tmp_path: Path) -> None:
    reader, file = people("archivist"), large(tmp_path, 1)
    page = reader.page
    first = at_first(page, "**/juanzong-hash.js*", Route.abort)
    begun = sending(reader, record, file)
    assert first, "what works out the sum of the file had to be fetched twice"
    page.context.set_offline(True)
    begun.go_on()
    the_network_is_lost(page)
    page.context.set_offline(False)
    arrived_whole(page)
    assert_kept(archive, file)


def test_after_a_reload_the_same_file_goes_on(
    people: People, archive: Archive, record: str, tmp_path: Path
) -> None:
    reader, file = people("archivist"), large(tmp_path, 2)
    page = reader.page
    begun = sending(reader, record, file)
    page.context.set_offline(True)
    begun.go_on()
    the_network_is_lost(page)
    page.close()
    again = reader.page = page.context.new_page()
    again.context.set_offline(False)
    reader.go(record)
    expect(again.locator(".jz-unfinished")).to_contain_text("病程记录 2.pdf")
    sent = pieces_of(again)
    drop(again, file)
    arrived_whole(again)
    assert 0 < len(sent) <= PIECES - 3
    assert_kept(archive, file)
    expect(again.locator(".jz-unfinished")).to_have_count(0)


def test_a_killed_server_costs_nothing_that_was_sent(
    people: People, archive: Archive, record: str, tmp_path: Path
) -> None:
    reader, file = people("archivist"), large(tmp_path, 3)
    page, begun = reader.page, sending(reader, record, file)
    for process in family(archive.server.pid):
        kill(process)
    archive.server.wait()
    begun.go_on()
    the_network_is_lost(page)
    archive.server = start(archive.var, tmp_path / "again.log", int(archive.url.rpartition(":")[2])).server
    arrived_whole(page)
    assert PIECES <= len(begun.sent) <= PIECES + 1, "none that was acknowledged is sent again"
    assert_kept(archive, file)


def test_the_same_file_twice_is_known_before_it_is_sent(
    people: People, archive: Archive, record: str, tmp_path: Path
) -> None:
    reader, file = people("archivist"), large(tmp_path, 4)
    page = reader.page
    reader.go(record)
    drop(page, file)
    arrived_whole(page)
    reader.go(record)
    sent = pieces_of(page)
    renamed = file.rename(tmp_path / "另一个名字.pdf")
    drop(page, renamed)
    expect(page.locator("[data-upload-summary]")).to_contain_text("1 个已在库中", timeout=60_000)
    assert sent == []


def test_a_whole_folder_comes_in_the_order_of_its_pages(people: People, record: str, tmp_path: Path) -> None:
    folder = tmp_path / "00218647"
    folder.mkdir()
    for number in (10, 2, 1):
        (folder / f"第 {number} 页.pdf").write_bytes(b"%PDF-1.7 " + bytes([number]) * 100)
    (folder / "Thumbs.db").write_bytes(b"litter")
    (folder / "说明.docx").write_bytes(b"no picture")
    reader = people("archivist")
    page = reader.page
    reader.go(record)
    at_first(page, f"**{record}", the_answer_is_lost, "POST")
    page.set_input_files("input[type=file][webkitdirectory]", str(folder))
    expect(page.locator("[data-upload-summary]")).to_have_text("已收到 3 / 4 · 1 个被拒收", timeout=30_000)
    lines = page.locator("[data-upload-list] > li").all_inner_texts()
    assert "说明.docx" in lines[0]
    assert "既不是 PDF 也不是图片" in lines[0]
    assert [line.split("\n")[0] for line in lines[1:]] == [
        f"00218647/第 {number} 页.pdf" for number in (1, 2, 10)
    ]
    expect(page.locator("#files tbody tr")).to_have_count(3)
    page.evaluate(CLOSED_FOLDER)
    expect(page.locator("[data-upload-summary]")).to_have_text("已收到 4 / 6 · 2 个被拒收", timeout=30_000)
    expect(page.locator("[data-upload-list] > li", has_text="关.pdf")).to_contain_text("无法读取")


def test_without_javascript_the_form_still_takes_a_file(
    archive: Archive, browser: Browser, record: str, tmp_path: Path
) -> None:
    file = tmp_path / "小.pdf"
    file.write_bytes(b"%PDF-1.7 small")
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    reader = Reader(context.new_page(), archive.url, "archivist")
    reader.sign_in()
    reader.go(record)
    expect(reader.page.locator("input[webkitdirectory]")).to_be_hidden()
    drop(reader.page, file)
    reader.page.click("[data-upload-button]")
    expect(reader.page.locator("#files tbody tr")).to_have_count(1)
    context.close()
