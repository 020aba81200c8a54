"""Sending in pieces over the web, as the drop zone does it: what the script is told, and who is told nothing."""

import hashlib
import re
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from archive.services import arrivals
from archive.site import Site
from tests import papers
from tests.blueprints.conftest import Browse, Browser, words_of
from tests.conftest import Hospital

PIECE = 2**16
CONTENT = b"%PDF-1.7 " + bytes(PIECE)
JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test client keeps a body of megabytes in a file that it does not close."""
    monkeypatch.setattr(arrivals, "PIECE", PIECE)


def begin(
    who: Browser, hospital: Hospital, record: int, content: bytes = CONTENT, **more: Any
) -> TestResponse:
    with hospital.uow("senior", readonly=True) as uow:
        target = str(uow.node(record).uuid)
    form = {"kind": "record", "target": target, "name": "扫描/护理.pdf", "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest()}  # fmt: skip
    return who.post("/uploads", form | more, headers=JSON)


def piece(who: Browser, uuid: str, offset: int, content: bytes) -> TestResponse:
    form = {"offset": offset, "piece": (BytesIO(content), "piece")}
    return who.post(f"/uploads/{uuid}/piece", form, headers=JSON, content_type="multipart/form-data")


def test_a_file_comes_in_pieces_and_stands_in_the_list_of_its_record(
    browser: Browse, hospital: Hospital, record: int, address: str
) -> None:
    who = browser("archivist")
    begun = begin(who, hospital, record).get_json()
    assert begun["received"] == 0
    assert piece(who, begun["uuid"], 0, CONTENT[:PIECE]).get_json() == {"received": PIECE}
    wrong = piece(who, begun["uuid"], 0, CONTENT[:PIECE])
    assert (wrong.status_code, wrong.get_json()["received"]) == (409, PIECE)
    page = words_of(who.get(f"{address}/@@upload"))
    assert "扫描/护理.pdf" in page
    assert "65.5 kB / 65.5 kB" in page
    early = who.post(f"/uploads/{begun['uuid']}/finish", headers=JSON)
    assert (early.status_code, early.get_json()["received"]) == (409, PIECE)
    piece(who, begun["uuid"], PIECE, CONTENT[PIECE:])
    done = who.post(f"/uploads/{begun['uuid']}/finish", headers=JSON).get_json()
    assert done["state"] == "wait"
    assert who.get(done["href"]).status_code == 200
    assert "护理.pdf" in words_of(who.get(f"{address}/@@upload"))
    assert "没有未传完的文件" in words_of(who.get("/uploads"))
    assert begin(who, hospital, record).get_json()["state"] == "here"


def test_a_small_file_that_is_here_already_is_no_refusal_for_the_script(
    browser: Browse, address: str
) -> None:
    who = browser("archivist")
    for state in ("wait", "here"):
        form = {"file": (BytesIO(papers.pdf("一")), "一.pdf")}
        answer = who.post(f"{address}/@@upload", form, headers=JSON, content_type="multipart/form-data")
        assert (answer.status_code, answer.get_json()["state"]) == (200, state)
    form = {"file": (BytesIO(papers.pdf("一")), "一.pdf")}
    assert who.post(f"{address}/@@upload", form, content_type="multipart/form-data").status_code == 409


def test_somebody_elses_upload_is_as_if_it_were_not_there(
    site: Site, browser: Browse, hospital: Hospital, record: int
) -> None:
    uuid = begin(browser("archivist"), hospital, record).get_json()["uuid"]
    for account, status in (
        ("senior", 404),
        ("scanner", 404),
        ("auditor", 403),
        ("sysadmin", 403),
        ("stranger", 403),
    ):
        who = browser(account)
        assert piece(who, uuid, 0, CONTENT[:PIECE]).status_code == status
        for act in ("finish", "discard"):
            assert who.post(f"/uploads/{uuid}/{act}").status_code == status
    assert site.store.arriving.received(uuid) == 0
    assert piece(browser("archivist"), str(uuid4()), 0, CONTENT[:PIECE]).status_code == 404


def test_one_sees_what_one_left_unfinished_and_discards_it(
    site: Site, browser: Browse, hospital: Hospital, record: int
) -> None:
    who = browser("archivist")
    begin(who, hospital, record)
    listed = who.get("/uploads").text
    assert "扫描/护理.pdf" in listed
    assert "护理" not in words_of(browser("senior").get("/uploads"))
    action = re.search(r'action="(/uploads/[^"]+/discard)"', listed)
    assert action
    assert (
        "已放弃"
        in who.client.post(action[1], data={"csrf_token": who.token("/uploads")}, follow_redirects=True).text
    )
    assert "扫描/护理.pdf" not in who.get("/uploads").text


def test_nonsense_is_refused_in_words(browser: Browse, hospital: Hospital, record: int) -> None:
    who = browser("archivist")
    for more in ({"size": "much"}, {"size": "-1"}, {"sha256": "x"}, {"size": 2**62}):
        answer = begin(who, hospital, record, **more)
        assert answer.status_code in {413, 422}
        assert answer.get_json()["text"]
    assert begin(who, hospital, record, kind="elsewhere").status_code == 404
    uuid = begin(who, hospital, record).get_json()["uuid"]
    assert who.post(f"/uploads/{uuid}/piece", {"offset": "0"}, headers=JSON).status_code == 422
    assert piece(who, uuid, 0, b"short").status_code == 422
    assert "error" in piece(who, uuid, 0, b"short").get_json()
