"""The pages of the journals: the auditor's, and everybody's own acts."""

import csv
import io
import re

import pytest

from archive import worker
from archive.sight import href
from tests.blueprints.conftest import Browse
from tests.conftest import CAST, Hospital


def address(hospital: Hospital, record: int) -> str:
    with hospital.uow("senior", readonly=True) as uow:
        return href(uow, uow.node(record))


@pytest.fixture
def read(hospital: Hospital, browser: Browse, record: int) -> str:
    """The archivist has read a record; a clinician of another ward has tried."""
    target = address(hospital, record)
    assert browser("archivist").get(target).status_code == 200
    assert browser("clinician2").get(target).status_code == 404
    return target


def test_the_auditor_sees_who_read_and_who_was_refused_and_no_name_of_a_patient(
    browser: Browse, read: str
) -> None:
    page = browser("auditor").get("/audit").text
    assert "archivist甲" in page
    assert "tree_view.viewed" in page
    assert "按不存在答复" in page
    for word in ("刘婷婷", "00218647", "妊娠", "周敏"):
        assert word not in page


def test_one_record_is_followed_in_the_order_of_time(browser: Browse, read: str) -> None:
    page = browser("auditor").get("/audit?record=00218647-2").text
    table = page[page.index("<tbody>") :]
    assert table.index("node.added") < table.index("tree_view.viewed")
    assert "刘婷婷" not in page


def test_a_patient_is_found_by_number_and_then_by_code_alone(
    hospital: Hospital, browser: Browse, read: str
) -> None:
    auditor = browser("auditor")
    code = hospital.site.keys.identity_hash("00218647")
    assert f"/audit?patient={code}" in auditor.get("/audit?patient=00218647").text
    assert "node.added" in auditor.get(f"/audit?patient={code}").text


def test_looking_into_the_journals_is_an_event_with_what_was_looked_for(browser: Browse, read: str) -> None:
    auditor = browser("auditor")
    auditor.get("/audit?patient=00218647")
    assert "audit.viewed" in auditor.get("/audit?person=auditor").text


def test_an_export_is_a_list_without_formulas_and_an_event(browser: Browse, read: str) -> None:
    auditor = browser("auditor")
    answer = auditor.get("/audit/export.csv?person=archivist")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert {row[3] for row in rows[1:]} == {"archivist"}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert "刘婷婷" not in answer.text
    assert "audit.exported" in auditor.get("/audit?person=auditor").text


def test_the_chains_are_verified_by_a_job_and_the_page_says_what_was_found(
    hospital: Hospital, browser: Browse, read: str
) -> None:
    auditor = browser("auditor")
    worker.seal(hospital.site, "test")
    worker.checkpoint(hospital.site, "test")
    assert auditor.post("/audit/verification").status_code == 302
    assert "等待中" in auditor.get("/audit/verification").text
    worker.take_one(hospital.site, "test")
    page = auditor.get("/audit/verification").text
    assert "链完整" in page
    assert "条事件均与封链时一致" in page
    assert "链完整" in auditor.get("/audit").text


def test_everybody_sees_their_own_acts(browser: Browse, read: str) -> None:
    for account in CAST:
        answer = browser(account).get("/audit/mine")
        assert answer.status_code == 200
        assert bool(re.search(r"<td[^>]*>\s*打开\s*</td>", answer.text)) == (account == "archivist")
        assert re.search(r'data-row="[^"]', answer.text) is None, (
            "a number would tell how much the others did"
        )


@pytest.mark.parametrize("account", [name for name in CAST if name != "auditor"])
def test_nobody_else_sees_the_journals(browser: Browse, account: str) -> None:
    person = browser(account)
    for path in ("/audit", "/audit?record=00218647-2", "/audit/export.csv", "/audit/verification"):
        assert person.get(path).status_code == 403
    assert person.post("/audit/verification").status_code == 403


def test_a_day_that_is_none_is_refused_in_words(browser: Browse) -> None:
    answer = browser("auditor").get("/audit?start=yesterday")
    assert answer.status_code == 422
    assert "2026-11-21" in answer.text
