"""An inspection as pages: the senior archivist opens a batch, the inspector reads it, the auditor sees it all."""

import io
import re
from collections.abc import Callable
from datetime import date, datetime
from html import unescape
from uuid import uuid4

import pytest
from openpyxl import load_workbook
from pypdfium2 import PdfDocument

from archive.services import sharing
from archive.sight import href
from tests.archives import begins
from tests.blueprints.conftest import Browser, words_of
from tests.conftest import Clock, Hospital
from tests.services.lending import another, archive_it
from tests.services.test_inspections import BATCH

Browse = Callable[..., Browser]


@begins
def place(hospital: Hospital, record: int) -> str:
    """Where the record is that will be inspected."""
    archive_it(hospital, record)
    with hospital.uow("senior", readonly=True) as uow:
        return href(uow, uow.node(record))


@begins
def beside(hospital: Hospital, place: str) -> str:
    """Where another record is, which is not in the batch."""
    number = another(hospital, mrn="00300001")
    with hospital.uow("senior", readonly=True) as uow:
        return href(uow, uow.node(number))


def form(senior: Browser, **other: str) -> dict[str, str]:
    found = re.search(r'<option value="([0-9a-f-]{36})">inspector甲', senior.get("/inspections/add").text)
    assert found
    return {"who": found[1], "records": "00218647-2"} | BATCH | other


def test_the_inspector_sees_the_batch_and_nothing_else_until_its_end(
    place: str, beside: str, browser: Browse, clock: Clock
) -> None:
    senior, inspector, auditor = browser("senior"), browser("inspector"), browser("auditor")
    assert "向您开放阅览的档案列在这里" in inspector.get("/").text
    sent = senior.post("/inspections/add", form(senior))
    assert sent.status_code == 302
    batch = sent.headers["Location"]
    assert "JC2026-0001" in senior.get("/inspections").text

    home = inspector.get("/").text
    assert place in home
    assert BATCH["reason"] in home
    for hidden in (beside, 'href="/a/"', 'href="/search"', "/inspections/add", "/holds"):
        assert hidden not in home
    assert place in inspector.get(batch).text
    page = inspector.get(place)
    assert page.status_code == 200
    assert "您可阅览至" in page.text
    folder = place.rpartition("/")[0]
    for address in (beside, folder, folder.rpartition("/")[0]):
        assert inspector.get(address).status_code == 404
        assert f'href="{address}"' not in page.text
    for address in ("/a/", "/search", "/where", "/inspections", f"{place}/@@history"):
        assert inspector.get(address).status_code == 403

    clock.forward(days=3)
    fresh = browser("inspector")
    for address in (place, batch):
        assert fresh.get(address).status_code == 404
    assert place not in fresh.get("/").text
    assert "已结束" in browser("senior").get(batch).text
    trail = browser("auditor").get("/audit?record=00218647-2").text
    for act in ("inspection.opened", "tree_view.viewed", "tree_view.refused"):
        assert act in trail
    assert auditor.get("/inspections").status_code in {302, 403}


def test_it_is_ended_by_whoever_gave_it_and_stands_in_the_history(place: str, browser: Browse) -> None:
    senior, inspector = browser("senior"), browser("inspector")
    batch = senior.post("/inspections/add", form(senior)).headers["Location"]
    assert inspector.post(f"{batch}/end").status_code == 403
    assert senior.post(f"{batch}/end").status_code == 302
    assert inspector.get(place).status_code == 404
    assert senior.post(f"{batch}/end").status_code == 409
    past = browser("archivist").get(f"{place}/@@history").text
    assert "senior甲 向检查人员开放" in past
    assert "senior甲 结束对其检查" in past


def test_records_chosen_in_a_folder_stand_in_the_form(
    hospital: Hospital, record: int, place: str, browser: Browse
) -> None:
    senior, folder = browser("senior"), place.rpartition("/")[0]
    page = senior.get(folder).text
    assert 'value="inspect"' in page
    assert 'value="inspect"' not in browser("archivist").get(folder).text
    with hospital.uow("senior", readonly=True) as uow:
        uuid = str(uow.node(record).uuid)
    sent = senior.post(f"{folder}/@@bulk", {"act": "inspect", "ids": uuid})
    assert "00218647-2" in senior.get(sent.headers["Location"]).text


def test_to_whom_a_single_record_is_open_there_is_nothing_to_browse(
    hospital: Hospital, record: int, place: str, browser: Browse
) -> None:
    person = hospital.people["inspector"]
    with hospital.uow("senior") as uow:
        sharing.share(uow, uow.node(record), principal_id=person, role="reader", cause="质量评审")
    home = browser("inspector").get("/").text
    assert place in home
    assert 'href="/a/"' not in home
    with hospital.uow("senior") as uow:
        fonds = uow.node(hospital.category(uow, "ZY·BL").parent_id)
        sharing.share(uow, fonds, principal_id=person, role="reader")
    assert 'href="/a/"' in browser("inspector").get("/").text


def test_a_wrong_number_is_named_and_what_was_typed_is_kept(place: str, browser: Browse) -> None:
    senior = browser("senior")
    wrong = senior.post("/inspections/add", form(senior, records="00218647-2\n00999999-1"))
    assert wrong.status_code == 422
    assert "不是可以开放检查的已归档档案（已封存的不能开放）：00999999-1" in wrong.text
    assert "00218647-2\n00999999-1" in wrong.text
    assert "还没有检查批次" in senior.get("/inspections").text


def test_the_inspector_notes_a_finding_mends_it_and_withdraws_it_and_a_stranger_finds_no_such_page(
    place: str, beside: str, browser: Browse
) -> None:
    senior, inspector, stranger = browser("senior"), browser("inspector"), browser("clinician")
    batch = senior.post("/inspections/add", form(senior)).location
    other = senior.post("/inspections/add", form(senior, records="00300001-1", start="2026-11-21")).location
    ask = re.search(rf'href="({batch}/findings\?record=([0-9a-f-]{{36}}))"', inspector.get("/").text)
    away = re.search(r"record=([0-9a-f-]{36})", senior.get(other).text)
    assert ask
    assert away
    assert unescape(ask[1]) in unescape(inspector.get(place).text), "from the record itself, too"
    assert "/findings?" not in senior.get(place).text
    page = inspector.get(ask[1])
    assert (page.status_code, "申诉截止" in page.text) == (200, False)
    said = {"record": ask[2], "kind": "signature", "words": "缺主刀签名", "yuan": "很多"}
    wrong = inspector.post(f"{batch}/findings", said)
    assert (wrong.status_code, "缺主刀签名" in wrong.text, 'value="很多"' in wrong.text) == (422, True, True)
    assert inspector.post(f"{batch}/findings", said | {"yuan": "20"}).location == batch
    for where, record in ((batch, away[1]), (other, away[1]), (f"/inspections/{uuid4()}", ask[2])):
        assert inspector.post(f"{where}/findings", said | {"record": record}).status_code == 404
        assert inspector.get(f"{where}/findings?record={record}").status_code == 404
    assert stranger.post(f"{batch}/findings", said).status_code == 404
    shown = re.search(r'href="(/inspections/findings/[0-9a-f-]{36})"', inspector.get(batch).text)
    assert shown
    assert "签名不全" in words_of(senior.get(batch))
    assert "inspector甲 登记于" in words_of(senior.get(batch))
    for address in (shown[1], f"{shown[1]}/withdraw"):
        assert stranger.post(address, {"version": "1", "words": "x"}).status_code == 404
        assert senior.post(address, {"version": "1", "words": "x"}).status_code == 403
    assert inspector.post(f"{shown[1]}/appeal", {"version": "1"}).status_code == 403
    assert inspector.post(f"{shown[1]}", {"version": "1", "words": " "}).status_code == 422
    assert "缺主刀签名" in senior.get(shown[1]).text
    wrong = senior.post(f"{shown[1]}/appeal", {"version": "1", "appeal_until": "soon"})
    assert (wrong.status_code, 'value="soon"' in wrong.text) == (422, True)
    assert senior.post(f"{shown[1]}/appeal", {"version": "1", "appeal_until": "2026-12-09"}).location == batch
    stale = inspector.post(shown[1], {"version": "1", "words": "缺助手签名"})
    assert (stale.status_code, "缺助手签名" in stale.text) == (409, True)
    assert inspector.post(shown[1], {"version": "2", "words": "缺助手签名"}).location == batch
    assert all(word in words_of(inspector.get(batch)) for word in ("缺助手签名", "2026-12-09"))
    assert inspector.post(f"{shown[1]}/withdraw", {"version": "3"}).location == batch
    assert "缺助手签名" not in inspector.get(batch).text
    assert inspector.get(shown[1]).status_code == 404


@pytest.mark.parametrize(
    "account", ["archivist", "clinician", "head", "clerk", "auditor", "security", "sysadmin", "stranger"]
)
def test_nobody_else_gives_or_sees_a_batch(place: str, browser: Browse, account: str) -> None:
    senior, person = browser("senior"), browser(account)
    asked = form(senior)
    batch = senior.post("/inspections/add", asked).headers["Location"]
    assert person.get(batch).status_code == 404
    assert person.get(f"/inspections/{uuid4()}").status_code == 404
    for address in ("/inspections", "/inspections/add"):
        assert person.get(address).status_code == 403
    assert person.post("/inspections/add", asked).status_code == 403
    assert person.post(f"{batch}/end").status_code == 403


def test_a_sample_becomes_a_batch_and_what_is_found_in_it_is_noted_and_answered(
    place: str, beside: str, browser: Browse
) -> None:
    senior = browser("senior")
    asked = senior.post("/search/front-page", {"discharged_from": "2010-01-01"})
    drawn = senior.get(f"{asked.location}&sample=1&seed=7")
    link = re.search(r'href="(/inspections/add\?[^"]+)"', drawn.text)
    assert link, words_of(drawn)
    chosen = senior.get(unescape(link[1]))
    assert "首页查询所得 2 份中随机抽取 1 份，种子 7" in chosen.text
    record = re.search(r">\s*(00\d{6}-\d)\s*</textarea>", chosen.text)
    assert record
    # One wrong number refuses the list, and offers to go on without it.
    sent = senior.post("/inspections/add", form(senior, records="00218647-2\n99999999-1", room="三楼"))
    assert 'name="without"' in sent.text
    sent = senior.post(
        "/inspections/add", form(senior, records="00218647-2\n99999999-1", room="三楼", without="1")
    )
    batch = sent.location
    page = senior.get(batch)
    assert "三楼" in words_of(page)
    assert senior.get(f"{batch}/pick-list.pdf").data.startswith(b"%PDF")
    choice = re.search(r'/findings\?record=([0-9a-f-]{36})"', page.text)
    assert choice
    said = {
        "record": choice[1], "words": "知情同意书无患者签名", "points": "x", "yuan": "120", "appeal_until": "2026-12-01",
        "kind": "consent",
    }  # fmt: skip
    wrong = senior.post(f"{batch}/findings", said)
    assert (wrong.status_code, "知情同意书无患者签名" in wrong.text) == (422, True)
    assert senior.post(f"{batch}/findings", said | {"points": "1.5"}).status_code == 302
    assert all(
        word in words_of(browser("inspector").get(batch)) for word in ("知情同意书无患者签名", "120.00")
    )
    reply = re.search(r'action="(/inspections/findings/[^"]+)"', senior.get(batch).text)
    assert reply
    empty = senior.post(reply[1], {"words": "", "version": "1"})
    assert (empty.status_code, "请写明答复内容" in empty.text) == (422, True)
    assert senior.post(reply[1], {"words": "已补签", "version": "1"}).status_code == 302
    again = senior.post(reply[1], {"words": "再答", "version": "1"})
    assert again.status_code == 409
    assert "已补签" in words_of(again)
    paper = PdfDocument(senior.get(f"{batch}/findings.pdf").data)
    printed = "".join(sheet.get_textpage().get_text_bounded() for sheet in paper)
    assert all(
        word in printed for word in ("00218647-2", "知情同意书无患者签名", "120.00", "已补签", "inspector甲")
    )
    assert "刘" not in printed
    (book,) = load_workbook(io.BytesIO(senior.get(f"{batch}/findings.xlsx").data)).worksheets
    rows = [
        [one.date() if isinstance(one, datetime) else one for one in row]
        for row in book.iter_rows(values_only=True)
    ]
    assert rows[1] == [
        "00218647-2", None, "知情同意不规范", "知情同意书无患者签名", 1.5, 120, date(2026, 12, 1), "已补签", "senior甲",
    ]  # fmt: skip
    assert (rows[2][4:6], len(rows)) == ([1.5, 120], 3)
    checked = senior.get(f"{batch}/check?record={choice[1]}")
    assert (checked.status_code, "无法判断" in words_of(checked)) == (200, True)
    assert senior.get(f"{batch}/check?record=x").status_code == 404
