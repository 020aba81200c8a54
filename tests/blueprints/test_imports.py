"""Importing in a browser: choose, say which column is which, look, bring in, take back."""

import io
import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from archive import worker
from tests.blueprints.conftest import Browse, Browser
from tests.conftest import CAST, Hospital
from tests.services.importing import discharges, sample

CHOSEN = re.compile(
    r'<select class="form-select" id="f-(col-[a-z_]+)"(?:(?!</select>).)*?<option value="(\d+)" selected',
    re.DOTALL,
)


def send(person: Browser, kind: str, content: bytes, name: str = "出院.csv", **more: Any) -> TestResponse:
    form = {"kind": kind, "file": (io.BytesIO(content), name), **more}
    return person.post("/imports", form, content_type="multipart/form-data")


def checked(hospital: Hospital, person: Browser, kind: str, content: bytes, **more: Any) -> str:
    """The address of the finished dry run."""
    columns = send(person, kind, content, **more).location
    found = dict(CHOSEN.findall(person.get(columns).text))
    answer = person.post(columns, found)
    assert answer.status_code == 302, answer.text
    worker.take_one(hospital.site, "test")
    return answer.location


def test_a_list_is_looked_at_brought_in_and_taken_back(hospital: Hospital, browser: Browse) -> None:
    archivist = browser("archivist")
    dry = checked(hospital, archivist, "discharges", discharges({}, {"次": "3", "科室": "妇科"}))
    page = archivist.get(dry).text
    assert "没有名为 妇科 的科室" in page
    assert "导入 1 行" in page
    real = archivist.post(f"{dry}/run").location
    assert "jz-job" in archivist.get(real).text
    worker.take_one(hospital.site, "test")
    assert "撤销这次导入" in archivist.get(real).text
    assert "00218647-2" in archivist.get("/a/h001/zy-bl/2026-d30").text
    undone = archivist.post(f"{real}/undo").location
    worker.take_one(hospital.site, "test")
    assert "撤销的档案" in archivist.get(undone).text
    assert "00218647-2" not in archivist.get("/a/h001/zy-bl").text


def test_the_card_asks_for_itself_and_the_page_is_loaded_anew_at_the_end(
    hospital: Hospital, browser: Browse
) -> None:
    archivist = browser("archivist")
    columns = send(archivist, "discharges", discharges({})).location
    job = archivist.post(columns, dict(CHOSEN.findall(archivist.get(columns).text))).location
    asked = {"HX-Request": "true"}
    assert f'hx-get="{job}"' in archivist.get(job, headers=asked).text
    worker.take_one(hospital.site, "test")
    assert archivist.get(job, headers=asked).headers["HX-Refresh"] == "true"


def test_the_person_may_say_otherwise_which_column_is_which(hospital: Hospital, browser: Browse) -> None:
    admin = browser("sysadmin")
    content = "甲,乙\nFK,妇科\n".encode()
    columns = send(admin, "departments", content).location
    assert "第 1 行" in admin.get(columns).text
    refused = admin.post(columns, {"col-code": "0", "col-name": ""})
    assert refused.status_code == 409
    assert "科室名称" in refused.text
    assert admin.post(columns, {"col-code": "0", "col-name": "1"}).status_code == 302


@pytest.mark.parametrize(
    "content", [b"", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old workbook", b"PK\x03\x04 broken"]
)
def test_a_file_that_cannot_be_read_says_what_to_do(browser: Browse, content: bytes) -> None:
    archivist = browser("archivist")
    columns = send(archivist, "patients", content, "旧表.xls").location
    answer = archivist.get(columns, follow_redirects=True)
    assert answer.status_code == 200
    assert "请" in re.findall(r'class="jz-note is-bad.*?</div></div>', answer.text, re.DOTALL)[0]


def test_without_a_file_or_a_category_it_says_what_is_missing(browser: Browse) -> None:
    archivist = browser("archivist")
    assert "请先选择文件。" in archivist.post("/imports", {"kind": "patients"}).text
    assert "请选择导入到哪个门类。" in send(archivist, "index", sample("index.csv")).text


def test_the_address_of_a_file_says_nothing_of_it_and_is_its_owners_alone(browser: Browse) -> None:
    columns = send(browser("archivist"), "patients", sample("patients.csv"), "舒婉晴.csv").location
    assert "舒" not in columns
    assert "%" not in columns
    assert "舒婉晴.csv" in browser("archivist").get(columns).text
    assert browser("senior").get(columns).status_code == 404


def test_errors_can_be_taken_along_and_no_cell_is_a_formula(hospital: Hospital, browser: Browse) -> None:
    archivist = browser("archivist")
    content = "病案号,姓名,=1+1\n1,甲,?\n".encode()
    columns = send(archivist, "patients", content).location
    found = dict(CHOSEN.findall(archivist.get(columns).text)) | {"col-sex": "2"}
    job = archivist.post(columns, found).location
    worker.take_one(hospital.site, "test")
    listed = archivist.get(f"{job}/problems.csv")
    assert listed.headers["Content-Disposition"] == 'attachment; filename="problems.csv"'
    assert "2,病案号," in listed.text
    assert "2,'=1+1," in listed.text


def test_samples_are_there_for_everything_and_nothing_else_is(browser: Browse) -> None:
    archivist = browser("archivist")
    for kind in ("departments", "staff", "patients", "discharges", "index"):
        for ending in ("csv", "xlsx"):
            with archivist.get(f"/imports/samples/{kind}.{ending}") as answer:
                assert answer.data == sample(f"{kind}.{ending}")
    for name in ("x.csv", "index.txt", "..%2f..%2fpyproject.toml"):
        assert archivist.get(f"/imports/samples/{name}").status_code == 404


@pytest.mark.parametrize("account", list(CAST))
def test_everybody_is_offered_what_they_may_import_and_nothing_more(browser: Browse, account: str) -> None:
    offered = {
        "archivist": {"patients", "discharges", "index"}, "senior": {"patients", "discharges", "index"},
        "sysadmin": {"departments", "staff"}, "desk": {"index"},
    }  # fmt: skip
    answer = browser(account).get("/imports")
    assert answer.status_code == (200 if account in offered else 403)
    assert set(re.findall(r'name="kind" value="([a-z]+)"', answer.text)) == offered.get(account, set())
    if account not in offered:
        assert send(browser(account), "discharges", discharges({})).status_code == 403
