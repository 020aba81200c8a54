"""The storeroom in a browser: registering on the record, shelves, boxes, a gun and nothing else; and what a clerk never sees."""

import re
from collections.abc import Callable

import pytest

from archive.services import holdings, places, tree
from tests.archives import begins
from tests.blueprints.conftest import Browser
from tests.conftest import CAST, Hospital

Browse = Callable[..., Browser]
ROOM, SHELF, BARCODE = "R01", "R01-S01", "B00218647-2"
HANDLES = {"archivist", "senior", "clerk"}
PAGES = (
    "/storeroom", f"/storeroom/places/{ROOM}", f"/storeroom/places/{SHELF}", f"/storeroom/places/{SHELF}?view=boxes",
    "/storeroom/boxes/H000001", f"/storeroom/volumes/{BARCODE}", f"/storeroom/volumes/{BARCODE}/@@edit",
    f"/storeroom/volumes/{BARCODE}/@@another", f"/storeroom/volumes/{BARCODE}/@@mark/lost", "/storeroom/shelving",
)  # fmt: skip


@begins
def volume(hospital: Hospital, record: int) -> str:
    """A volume in a box on a shelf."""
    with hospital.uow("archivist") as uow:
        places.add(uow, code=ROOM, title="一号库房", kind="room")
        places.add(uow, code=SHELF, title="甲架", kind="shelf", within=ROOM, capacity_mm=900)
        box = places.add_container(uow, kind="box", location=SHELF, thickness_mm=50)
        return holdings.register(uow, uow.node(record), sheets=64, container=box.barcode).barcode


def scan(somebody: Browser, *typed: str) -> str:
    """Shots of the gun, and the page after the last."""
    for code in typed:
        answer = somebody.post("/storeroom/shelving", {"barcode": code})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/storeroom/shelving")
    return somebody.get("/storeroom/shelving").text


# The record's page


def test_a_record_without_paper_says_so_and_offers_it(browser: Browse, address: str) -> None:
    archivist = browser("archivist")
    page = archivist.get(address).text
    assert "未登记纸质本" in page
    assert f'href="{address}/@@volume"' in page
    form = archivist.get(f"{address}/@@volume")
    assert "autofocus" in form.text
    made = archivist.post(f"{address}/@@volume", {"sheets": "64", "condition": "完好"})
    assert (made.status_code, made.headers["Location"]) == (302, address)
    page = archivist.get(address).text
    assert BARCODE in page
    assert "登记另一卷" in page


def test_a_record_has_a_second_volume(browser: Browse, address: str, volume: str) -> None:
    archivist = browser("archivist")
    archivist.post(f"{address}/@@volume", {"location": SHELF})
    page = archivist.get(address).text
    assert f"{BARCODE}-V2" in page
    assert f"{BARCODE}-V3" not in page


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [({"barcode": "条码"}, "3 至 32"), ({"barcode": BARCODE}, "已属于另一卷"), ({"barcode": SHELF}, "已被使用"),
     ({"sheets": "很多"}, "请填写整数"), ({"location": "R99"}, "没有库位 R99")],
)  # fmt: skip
def test_what_cannot_be_registered_is_a_sentence(
    browser: Browse, address: str, volume: str, typed: dict[str, str], sentence: str
) -> None:
    answer = browser("archivist").post(f"{address}/@@volume", {"condition": "水渍", **typed})
    assert answer.status_code in {409, 422}
    assert sentence in answer.text
    assert "水渍" in answer.text, "what was typed is still there"


def test_who_handles_no_paper_is_offered_none(hospital: Hospital, browser: Browse, address: str) -> None:
    page = browser("scanner").get(address)
    assert page.status_code == 200
    assert "@@volume" not in page.text


# Shelves and boxes


@pytest.mark.parametrize("account", sorted(CAST))
def test_the_pages_are_for_who_handles_paper(browser: Browse, volume: str, account: str) -> None:
    somebody = browser(account)
    codes = {somebody.get(page).status_code for page in PAGES}
    if account in HANDLES:
        assert codes == {200}
    elif account in {"scanner", "desk"}:
        assert codes <= {200, 403, 404}
        assert somebody.get("/storeroom/shelving").status_code == 403
    else:
        assert codes == {403}
    assert ('href="/storeroom"' in somebody.get("/sessions").text) is (account in HANDLES)


def test_a_clerk_sees_numbers_and_never_a_name(
    hospital: Hospital, browser: Browse, volume: str, record: int
) -> None:
    with hospital.uow("archivist") as uow:
        document = tree.add(
            uow,
            hospital.category(uow, "WS"),
            kind="document",
            fields={
                "title": "关于刘姓职工的处分决定",
                "date_from": "2026-03-02",
                "responsible": "院办",
                "open_status": "controlled",
            },
        )
        holdings.register(uow, document, location=SHELF)
    clerk = browser("clerk")
    pages = [clerk.get(page).text for page in (*PAGES, f"/storeroom/places/{SHELF}?view=volumes")]
    pages.append(scan(clerk, volume, SHELF))
    assert all("刘" not in page and "处分" not in page and "周敏" not in page for page in pages)
    assert any("00218647-2" in page for page in pages)
    assert all('href="/a/h' not in page for page in pages), "there is nowhere for her to go"
    assert "刘婷婷" in browser("archivist").get(f"/storeroom/volumes/{BARCODE}").text


def test_a_barcode_leads_a_clerk_to_the_volume_and_an_archivist_to_the_record(
    browser: Browse, volume: str, address: str
) -> None:
    assert browser("clerk").get(f"/b/{volume}").headers["Location"] == f"/storeroom/volumes/{volume}"
    assert browser("archivist").get(f"/b/{volume}").headers["Location"] == address


@pytest.mark.parametrize(
    ("code", "page"),
    [(BARCODE.lower(), f"volumes/{BARCODE}"), (SHELF, f"places/{SHELF}"), ("H000001", "boxes/H000001")],
)
def test_a_scan_opens_the_page_of_what_was_scanned(
    browser: Browse, volume: str, code: str, page: str
) -> None:
    answer = browser("clerk").ask("/storeroom", q=code)
    assert answer.headers["Location"] == f"/storeroom/{page}"


def test_a_scan_that_leads_nowhere_is_said(browser: Browse, volume: str) -> None:
    page = browser("clerk").ask("/storeroom", q="X<9").text
    assert "没有号码为 X&lt;9 的卷、盒或库位" in page


def test_places_are_added_changed_and_closed(browser: Browse) -> None:
    clerk = browser("clerk")
    assert "尚未建立库房" in clerk.get("/storeroom").text
    clerk.post("/storeroom/add", {"kind": "room", "code": "r02", "title": "二号库房"})
    assert (
        clerk.post("/storeroom/add?within=R02", {"kind": "room", "code": "R02-X", "title": "错"}).status_code
        == 422
    )
    clerk.post(
        "/storeroom/add?within=R02",
        {"kind": "shelf", "code": "R02-S01", "title": "一架", "capacity_mm": "900"},
    )
    page = clerk.get("/storeroom/places/R02").text
    assert "R02-S01" in page
    assert "0 / 900 mm" in page
    late = {"title": "甲架", "capacity_mm": "900", "version": "7"}
    assert clerk.post("/storeroom/places/R02-S01/@@edit", late).status_code == 409
    clerk.post("/storeroom/places/R02-S01/@@edit", {"title": "甲架", "capacity_mm": "", "version": "1"})
    clerk.post("/storeroom/places/R02-S01/@@close")
    page = clerk.get("/storeroom/places/R02").text
    assert "甲架" in page
    assert "停用" in page


def test_a_place_in_use_is_not_closed(browser: Browse, volume: str) -> None:
    clerk = browser("clerk")
    clerk.post(f"/storeroom/places/{SHELF}/@@close")
    assert "请先移往别处" in clerk.get(f"/storeroom/places/{SHELF}").text


def test_a_box_is_added_and_numbered(browser: Browse, volume: str) -> None:
    clerk = browser("clerk")
    clerk.post(f"/storeroom/places/{SHELF}/@@box", {"kind": "box", "thickness_mm": "30"})
    assert "H000002" in clerk.get(f"/storeroom/places/{SHELF}?view=boxes").text
    clerk.post("/storeroom/boxes/H000002/@@edit", {"seq": "9", "thickness_mm": "30", "version": "1"})
    assert "第 9 位" in clerk.get("/storeroom/boxes/H000002").text
    assert clerk.post("/storeroom/boxes/H000002/@@edit", {"seq": "0", "version": "2"}).status_code == 422


# A gun and nothing else


def test_put_away_with_nothing_but_a_gun(browser: Browse, volume: str) -> None:
    clerk = browser("clerk")
    assert "autofocus" in clerk.get("/storeroom/shelving").text
    waiting = scan(clerk, volume)
    assert 'class="jz-echo is-wait"' in waiting
    assert "放到哪里" in waiting
    done = scan(clerk, SHELF)
    assert 'class="jz-echo is-ok"' in done
    assert "已上架" in done
    wrong = scan(clerk, "R99")
    assert 'class="jz-echo is-bad"' in wrong
    assert "R99" in wrong


def test_a_whole_box_goes_along(browser: Browse, volume: str) -> None:
    clerk = browser("clerk")
    clerk.post("/storeroom/add?within=R01", {"kind": "shelf", "code": "R01-S02", "title": "乙架"})
    assert "已上架" in scan(clerk, "H000001", "R01-S02")
    page = clerk.get(f"/storeroom/volumes/{volume}").text
    assert "R01-S02" in page
    assert "H000001" in page


def test_the_trolley_can_be_emptied(browser: Browse, volume: str) -> None:
    clerk = browser("clerk")
    assert 'data-key="F2"' in scan(clerk, volume)
    assert volume not in scan(clerk, "")


def test_nobody_goes_on_with_another_persons_trolley(browser: Browse, volume: str) -> None:
    """A computer in the storeroom is shared."""
    shared = browser("clerk")
    assert volume in scan(shared, volume)
    shared.post("/sign-out")
    assert shared.sign_in("archivist").status_code == 302
    assert volume not in shared.get("/storeroom/shelving").text


# The way of a volume


def test_the_way_of_a_volume_is_on_its_page(browser: Browse, volume: str) -> None:
    clerk = browser("clerk")
    at = f"/storeroom/volumes/{volume}"
    assert "修复" not in clerk.get(at).text
    clerk.post(f"{at}/@@mark/damaged", {"because": "封面脱落"})
    page = clerk.get(at).text
    assert "破损" in page
    assert "封面脱落" in page
    assert "已修复" in page
    clerk.post(f"{at}/@@mark/lost", {"because": "季度清点"})
    assert "下落不明" in clerk.get(at).text
    clerk.post(f"{at}/@@mark/found", {"because": "夹在邻卷中", "location": SHELF})
    page = clerk.get(at).text
    assert "夹在邻卷中" in page
    assert "在架" in page


def test_what_is_lost_is_on_a_list_and_is_closed_in_words(browser: Browse, volume: str) -> None:
    clerk, at = browser("clerk"), f"/storeroom/volumes/{volume}"
    assert "没有遗失或损坏" in clerk.get("/incidents").text
    wrong = clerk.post(
        f"{at}/@@mark/lost", {"because": "清点<b>", "noticed_on": "2099-01-01", "noticed_by": "王"}
    )
    assert wrong.status_code == 422
    assert "清点&lt;b&gt;" in wrong.text
    clerk.post(f"{at}/@@mark/lost", {"because": "清点<b>", "noticed_by": "库管王"})
    page = clerk.get("/incidents").text
    assert all(word in page for word in ("SG2026-0001", "清点&lt;b&gt;", "库管王", volume))
    assert "刘" not in page, "a clerk reads no names"
    link = re.search(r'href="(/incidents/[0-9a-f-]{36})"', page)
    assert link is not None
    one = link[1]
    assert one in clerk.get(at).text
    assert "依电子副本重建" not in clerk.get(one).text
    assert clerk.post(f"{one}/close", {"words": "", "version": "1"}).status_code == 422
    assert clerk.post(f"{one}/close", {"words": "报失", "version": "9"}).status_code == 409
    assert clerk.post(f"{one}/reconstruct", {"sheets": "x", "version": "1"}).status_code == 422
    assert clerk.post(f"{one}/reconstruct", {"version": "1"}).status_code == 409
    assert clerk.post(f"{one}/close", {"words": "已报失", "version": "1"}).status_code == 302
    assert "已报失" in clerk.get(one).text
    assert one not in clerk.get("/incidents").text
    assert one in clerk.get("/incidents?all=1").text
    assert browser("clinician").get(one).status_code == 403


@pytest.mark.parametrize(("mark", "status"), [("found", 409), ("mended", 409), ("lost", 422), ("eaten", 404)])
def test_a_mark_that_makes_no_sense_is_refused(browser: Browse, volume: str, mark: str, status: int) -> None:
    because = "" if mark == "lost" else "无"
    assert (
        browser("clerk").post(f"/storeroom/volumes/{volume}/@@mark/{mark}", {"because": because}).status_code
        == status
    )


def test_a_volume_is_put_right(browser: Browse, volume: str) -> None:
    clerk = browser("clerk")
    answer = clerk.post(
        f"/storeroom/volumes/{volume}/@@edit", {"barcode": "WL-0001", "sheets": "66", "version": "1"}
    )
    assert answer.headers["Location"] == "/storeroom/volumes/WL-0001"
    late = clerk.post(
        "/storeroom/volumes/WL-0001/@@edit", {"barcode": "WL-0001", "sheets": "6", "version": "1"}
    )
    assert late.status_code == 409
    assert "他人已保存：66" in late.text
    assert 'name="version" value="2"' in late.text, "who has read that may save what should stay"


def test_a_clerk_registers_the_second_volume_beside_the_first(browser: Browse, volume: str) -> None:
    answer = browser("clerk").post(f"/storeroom/volumes/{volume}/@@another", {"location": "H000001"})
    assert answer.headers["Location"] == f"/storeroom/volumes/{BARCODE}-V2"


def test_labels_are_printed_for_the_rows_that_are_ticked(browser: Browse, volume: str) -> None:
    clerk = browser("clerk")
    chosen = clerk.post("/storeroom/labels", {"ids": [volume, "H000001"], "act": "labels"})
    sheet = clerk.get(chosen.headers["Location"])
    assert sheet.headers["Content-Type"] == "application/pdf"
    assert sheet.data.startswith(b"%PDF")
    assert clerk.get("/storeroom/labels.pdf").status_code == 422
