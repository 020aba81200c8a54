"""Reconciliation in the browser: what differs is noted, taken over and closed, and nobody else knows of it."""

from collections.abc import Callable

from archive.services import reconciliation
from archive.sight import href
from tests.archives import once
from tests.blueprints.conftest import Browser, words_of
from tests.conftest import Hospital
from tests.services.test_reconciliation import counted, part, scan


def test_a_mismatch_is_noted_taken_over_and_closed_with_words(
    hospital: Hospital, record: int, browser: Callable[[str], Browser]
) -> None:
    counted(hospital, record, 2)
    scan(hospital, record, "入院记录")
    with hospital.uow("archivist", readonly=True) as uow:
        here = f"{href(uow, uow.node(record))}/@@reconciliation"
    mine = browser("archivist")
    assert "清点为2，扫描为1" in mine.get(here).text
    assert mine.post(here, {"kind": "order", "note": ""}).status_code == 422
    assert mine.post(here, {"kind": "order", "note": "第一页应在后"}).status_code == 302
    assert mine.post(here, {"kind": "order", "note": "再说一次"}).status_code == 409
    page = mine.get(here).text
    assert "第一页应在后" in page
    assert "第一页应在后" in mine.get("/mismatches").text
    close = page.split('action="/mismatches/')[1].split('"')[0]
    assert mine.post(f"/mismatches/{close.replace('close', 'take')}", {}).status_code == 302
    assert "第一页应在后" in mine.get("/mismatches?whose=mine").text
    assert browser("clinician").post(f"/mismatches/{close}", {"reason": "看不见"}).status_code in {403, 404}
    assert mine.post(f"/mismatches/{close}", {"reason": ""}).status_code == 422
    assert "第一页应在后" in mine.get("/mismatches").text, "without words it stays open"
    long = "长" * 501
    assert f'value="{long}"' in mine.post(f"/mismatches/{close}", {"reason": long}).text
    assert mine.post(f"/mismatches/{close}", {"reason": "已调整顺序"}).status_code == 302
    assert "第一页应在后" not in mine.get("/mismatches").text
    assert "已调整顺序" in mine.get(here).text
    for act in (close, close.replace("close", "take")):
        late = mine.post(f"/mismatches/{act}", {"reason": "再说一次"})
        assert late.status_code == 409
        assert "已调整顺序" in words_of(late), "the card of the record says who was quicker"


@once
def test_why_a_component_is_missing_is_said_beside_it(
    hospital: Hospital, record: int, browser: Callable[[str], Browser]
) -> None:
    scan(hospital, part(hospital, record, "SY"), "住院病案首页")
    with hospital.uow("archivist", readonly=True) as uow:
        here = f"{href(uow, uow.node(record))}/@@reconciliation"
    mine = browser("archivist")
    assert "以下缺件使本卷不能归档：入院记录、" in words_of(mine.get(here))
    refused = mine.post(f"{here}/explain", {"component": "RY", "reason": "长" * 501})
    assert refused.status_code == 422
    assert f'value="{"长" * 501}"' in refused.text
    assert mine.post(f"{here}/explain", {"component": "RY", "reason": "原件在外院"}).status_code == 302
    page = words_of(mine.get(here))
    assert "以下缺件使本卷不能归档：病程记录、" in page
    assert "原件在外院" in page
    assert mine.post(f"{here}/explain", {"component": "RY", "reason": "再说一次"}).status_code == 409


def test_the_workbench_tells_the_rate_with_the_records_behind_it(
    hospital: Hospital, record: int, browser: Callable[[str], Browser]
) -> None:
    counted(hospital, record, 2)
    scan(hospital, record, "入院记录")
    reconciliation.sweep(hospital.site)
    for who in ("archivist", "senior"):
        page = browser(who).get("/").text
        assert "纸电一致率" in page
        assert "0 / 1" in page
        assert "纸电不符待办" in page
        assert "刘婷婷" in browser(who).get("/mismatches/rate?outcome=differs").text
    assert "纸电一致率" not in browser("scanner").get("/").text
    assert browser("archivist").get("/mismatches/rate?outcome=nothing").status_code == 404
