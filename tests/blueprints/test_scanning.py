"""Scanning from the page of a record."""

import re

from archive import worker
from archive.site import Site
from tests import papers
from tests.blueprints.conftest import Browse, words_of
from tests.conftest import Hospital
from tests.escl import scanner
from tests.services.test_adoption import adopt
from tests.services.test_derive import work_off
from tests.services.test_intake import upload
from tests.services.test_page_desk import told
from tests.services.test_scanners import PAGES

CHOSEN = {"scanner": "fs7", "source": "duplex", "colour": "RGB24", "dpi": "300", "format": "image/jpeg"}


def test_a_pile_is_scanned_from_the_page_of_its_record(
    site: Site, hospital: Hospital, record: int, address: str, browser: Browse
) -> None:
    who = browser("scanner")
    assert "@@scan" not in who.get(f"{address}/@@upload").text, "no scanner is known"
    assert "还没有登记扫描仪" in words_of(who.get(f"{address}/@@scan"))
    with scanner(*PAGES) as machine:
        adopt(
            hospital,
            "scanners",
            {"scanners": {"fs7": {"zh": "病案室扫描仪", "en": "", "address": machine.address}}},
        )
        assert "@@scan" in who.get(f"{address}/@@upload").text
        asked = words_of(who.get(f"{address}/@@scan?scanner=fs7"))
        for said in ("Yunchuan 扫描仪 7", "病案室扫描仪", "双面", "玻璃板", "灰度"):
            assert said in asked
        wrong = who.post(f"{address}/@@scan", CHOSEN | {"dpi": "7"})
        assert wrong.status_code == 422
        assert "请重新选择" in words_of(wrong)
        for chosen in ("duplex", "RGB24", "image/jpeg"):
            assert re.search(f'value="{chosen}"[^>]*checked', wrong.text), "what was chosen stays so"
        assert who.post(f"{address}/@@scan", CHOSEN | {"source": "hand"}).status_code == 422
        ordered = who.post(f"{address}/@@scan", CHOSEN)
        assert ordered.status_code == 302
        worker.work(site, once=True)
        assert "<scan:Duplex>true" in machine.settings[0]
    card = words_of(who.get(ordered.location))
    assert "已完成" in card
    assert "003.jpg" in words_of(who.get(f"{address}/@@upload"))


def test_a_scanner_that_cannot_scan_says_why(
    hospital: Hospital, record: int, address: str, browser: Browse
) -> None:
    who = browser("archivist")
    with scanner(*PAGES) as machine:
        adopt(
            hospital,
            "scanners",
            {"scanners": {"fs7": {"zh": "扫描仪", "en": "", "address": machine.address}}},
        )
        machine.state = "Processing"
        assert "正忙" in words_of(who.get(f"{address}/@@scan?scanner=fs7"))
        machine.offers = re.sub("image/jpeg|application/pdf", "image/tiff", machine.offers)
        for useless in (who.get(f"{address}/@@scan?scanner=fs7"), who.post(f"{address}/@@scan", CHOSEN)):
            assert useless.status_code == 409
            assert "JPEG" in words_of(useless)
    away = who.get(f"{address}/@@scan?scanner=fs7")
    assert away.status_code == 409
    assert "没有应答" in words_of(away)
    assert who.get(f"{address}/@@scan?scanner=other").status_code == 404


def test_two_passes_are_put_in_order_on_the_upload_page(
    site: Site, hospital: Hospital, record: int, address: str, browser: Browse
) -> None:
    who = browser("archivist")
    for content in (papers.pdf("一", "三"), papers.pdf("四", "二")):
        assert "两遍扫描" not in words_of(who.get(f"{address}/@@upload"))
        upload(hospital, "scanner", record, content)
    work_off(site)
    page = who.get(f"{address}/@@upload").text
    assert "两遍扫描" in page
    files = re.findall(r'<option value="(\d+)"', page)[:2]
    form = {"fronts": files[0], "backs": files[1], "last": files[1], "order": "backwards", "version": "0"}
    said = who.post(f"{address}/@@upload/collate", form, follow_redirects=True)
    assert "已排好 4 页" in said.text
    assert told(hospital, record) == ["一", "二", "三", "四"]
    again = who.post(f"{address}/@@upload/collate", form, follow_redirects=True)
    assert "他人" in again.text or "其他人" in again.text, "an old page works on no new order"
