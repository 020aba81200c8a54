"""Bad input before an archive that runs: each gets a sentence that says what to do next, and nothing is lost."""

import csv
import io
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests
from sqlalchemy import select

from archive.models import Blob, User
from archive.models import Session as SessionRow
from archive.services import slips
from archive.site import Site
from tests import naughty, papers
from tests.conftest import Hospital
from tests.journeys.conftest import Archive, start, wait_for
from tests.journeys.visitors import JSON, Program, Visitor, new_record, record_fields, said
from tests.services import lending

LIMIT = 1_000_000
CHINESE = re.compile(r"[\u4e00-\u9fff]")
TEST = {"scope": "test"}


@pytest.fixture(scope="module")
def archive(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """The furnished archive, which takes files up to a megabyte."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(sqlite_template, folder / "var")
    served = start(folder / "var", folder / "serve.log", upload_limit=str(LIMIT))
    yield served
    served.server.terminate()
    served.server.wait(timeout=20)
    assert "Traceback" not in (folder / "serve.log").read_text()


@pytest.fixture(scope="module")
def archivist(archive: Archive) -> Visitor:
    return Visitor(archive.url, "archivist")


@pytest.fixture(scope="module")
def program(archive: Archive) -> Program:
    return Program(archive, "archivist")


def place(node: dict[str, Any]) -> str:
    return f"/a{node['path']}"


# Files

BAD_FILES = {
    "wrong.docx": (b"PK\x03\x04" + bytes(100), "请存为 PDF、TIFF、JPEG 或 PNG 后重试"),
    "text.pdf": ("张三的病历".encode(), "请存为 PDF、TIFF、JPEG 或 PNG 后重试"),
    "locked.pdf": (papers.pdf("一", password="x"), "请去除密码后重试"),
    "cut.pdf": (papers.pdf("一", "二")[:4_000], "请重新扫描或导出"),
    "bomb.png": (papers.bomb(), "请降低分辨率后重新扫描"),
}


def test_a_file_that_cannot_be_read_is_kept_byte_for_byte_and_its_job_says_what_to_do(
    archive: Archive, archivist: Visitor, program: Program
) -> None:
    node = new_record(archive, program, "00410001")
    for number, (name, (content, _sentence)) in enumerate(BAD_FILES.items()):
        if number % 2:
            assert archivist.upload(place(node), name, content).status_code == 302, name
        else:
            assert program.upload(node["uuid"], name, content).status_code == 201, name
    assert program.upload(node["uuid"], "名为pdf的图片.pdf", papers.scan("扫描")).status_code == 201
    wait_for(lambda: "生成页面" not in _files(archivist, node), "the files to be looked at", 120)
    shown = _files(archivist, node)
    for name, (_content, sentence) in BAD_FILES.items():
        assert re.search(f"{re.escape(name)} [^。]*。?{sentence}", shown), (name, shown)
    assert re.search(r"名为pdf的图片\.pdf .*就绪", shown), "its content counts, not its name"
    site = archive.site()
    with site.session(readonly=True) as session:
        kept = session.execute(
            select(Blob.record, Blob.sha256, Blob.filename).where(Blob.filename.in_(list(BAD_FILES))),
            execution_options=TEST,
        ).all()
    assert {name for _record, _sha256, name in kept} == set(BAD_FILES)
    for record, sha256, name in kept:
        with site.store.open(UUID(record), sha256) as file:
            assert file.read() == BAD_FILES[name][0]
    site.close()


def _files(visitor: Visitor, node: dict[str, Any]) -> str:
    return said(visitor.get(f"{place(node)}/@@upload/files"))


def test_an_empty_file_no_file_and_one_too_large_are_refused_at_once_in_the_readers_language(
    archive: Archive, archivist: Visitor, program: Program
) -> None:
    node = new_record(archive, program, "00410002")
    cases: dict[str, tuple[bytes, int, str, str]] = {
        "empty.pdf": (b"", 422, "文件是空的", "Scan or export it again"),
        "large.pdf": (bytes(LIMIT + 1), 413, "请拆分后上传", "Split it"),
        "far too large.pdf": (bytes(3 * LIMIT), 413, "拆分", "Split it"),
    }
    for name, (content, status, chinese, english) in cases.items():
        page = archivist.upload(place(node), name, content)
        assert (page.status_code, chinese in said(page)) == (status, True), (name, said(page))
        script = archivist.upload(place(node), name, content, headers=JSON)
        assert (script.status_code, script.json()["state"], chinese in said(script)) == (
            status,
            "bad",
            True,
        ), (name, said(script))
        other = archivist.upload(place(node), name, content, headers=JSON, cookies={"locale": "en"})
        assert english in said(other), (name, said(other))
        told = program.upload(node["uuid"], name, content)
        assert (told.status_code, chinese in said(told)) == (status, True), (name, said(told))
    assert "请先选择文件" in said(archivist.post(f"{place(node)}/@@upload"))
    assert program.post("/uploads", data={"node": node["uuid"]}).json()["fields"]["file"]
    assert "还没有文件" in _files(archivist, node)


def test_nobody_fills_the_disk_before_they_have_signed_in(archive: Archive, program: Program) -> None:
    node = new_record(archive, program, "00410007")
    host, port = archive.url.removeprefix("http://").split(":")
    asked = {f"{place(node)}/@@upload": 401, "/api/v1/uploads": 401, "/api/v1/nodes": 401, "/sign-in": 413}
    for path, status in asked.items():
        with socket.create_connection((host, int(port)), timeout=30) as raw:
            kind = (
                "multipart/form-data; boundary=x" if "upload" in path else "application/x-www-form-urlencoded"
            )
            head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {2**30}\r\n\r\n"
            raw.sendall(head.encode())
            assert raw.recv(4_000).split()[1] == str(status).encode(), (
                "answered before anything of the body is sent"
            )


def test_a_name_of_a_file_leads_nowhere_and_adds_no_header(
    archive: Archive, archivist: Visitor, program: Program
) -> None:
    node = new_record(archive, program, "00410003")
    names = (
        "../../../etc/passwd", "..\\..\\boot.ini", "a\r\nX-Evil: 1.pdf", "/dev/null", "\u202efdp.exe", "长" * 300 + ".pdf",
        '"><b>.pdf',
    )  # fmt: skip
    for number, name in enumerate(names):
        answer = program.upload(node["uuid"], name, b"%PDF-1.4 " + bytes([65 + number]))
        assert answer.status_code == 201, name
        assert "X-Evil" not in answer.headers
    site = archive.site()
    with site.session(readonly=True) as session:
        kept = session.scalars(
            select(Blob.filename).where(Blob.record == node["uuid"]), execution_options=TEST
        ).all()
    site.close()
    assert {"passwd", "null"} <= set(kept)
    assert not [name for name in kept if re.search(r"[/\\\r\n\u202e]", name) or len(name) > 200]
    assert '"><b>' not in archivist.get(f"{place(node)}/@@upload/files").text


# What is typed


def test_a_title_of_anything_is_kept_shown_found_exported_or_refused_with_a_sentence(
    archive: Archive, archivist: Visitor, program: Program
) -> None:
    papers_of_the_office = program.get("/nodes", path="/h001/ws").json()
    kept = []
    for number, title in enumerate(naughty.TEXTS):
        fields = {"date_from": "2026-11-01", "responsible": "院办公室", "open_status": "open", "title": title}
        body = {"parent": papers_of_the_office["uuid"], "type": "document", "fields": fields}
        if number % 2:
            made = program.post("/nodes", body)
            assert made.status_code == 201 or made.json()["fields"]["title"], (title[:40], made.text)
            kept += [made.json()] if made.status_code == 201 else []
        else:
            typed = archivist.post("/a/h001/ws/@@add?type=document", fields)
            assert typed.status_code == 302 or (
                typed.status_code == 422 and ("此项必填" in typed.text or "最多" in typed.text)
            ), title[:40]
    assert len(kept) > 25
    for node in kept:
        for part in ("", "/@@history"):
            page = archivist.get(place(node) + part)
            assert page.status_code == 200, (node["title"], part)
            assert "<script>alert" not in page.text
        assert not re.search(r"[\0\u200b\u202a-\u202e\u2066-\u2069\ufeff]", node["title"])
    for title in naughty.TEXTS[::2]:
        if len(title) < 800:
            assert archivist.ask("/search", q=title).status_code == 200, title
            assert archivist.ask("/where", q=title).status_code == 200, title
    exported = Visitor(archive.url, "auditor").get("/audit/export.csv")
    rows = list(csv.reader(io.StringIO(exported.content.decode("utf-8-sig"))))
    assert len(rows) > len(kept)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_an_address_that_is_too_long_is_refused_in_both_languages(archivist: Visitor) -> None:
    answer = archivist.get("/search", params={"q": "长" * 3_000})
    assert answer.status_code == 414
    assert "缩短检索的文字" in answer.content.decode()
    assert "search for fewer words" in answer.text


REQUESTS: dict[str, Callable[[Program], requests.Response]] = {
    "no JSON": lambda p: p.post("/nodes", data=b"{", headers={"Content-Type": "application/json"}),
    "a list": lambda p: p.post("/nodes", [1, 2]),
    "wrong types": lambda p: p.post("/nodes", {"parent": 1, "type": [], "fields": "x"}),
    "an unknown field": lambda p: p.post("/nodes", {"parent": "/h001/ws", "type": "document", "fields": {"drop": 1}}),
    "half a character": lambda p: p.post("/nodes", data=b'{"parent": "\\ud800", "type": "x"}'),
    "a huge body": lambda p: p.post("/nodes", {"parent": "/h001", "type": "x" * 900_000}),
    "arrays in arrays": lambda p: p.post("/nodes", data=b"[" * 100_000),
    "a bad cursor": lambda p: p.get("/search", q="一", cursor="e30.AAAA"),
    "a huge number": lambda p: p.get("/search", q="一", year="9" * 40),
    "no uuid": lambda p: p.get("/nodes/not-a-uuid"),
    "a path upwards": lambda p: p.get("/nodes", path="/../../etc"),
    "a page beyond the last": lambda p: p.get("/nodes/00000000-0000-0000-0000-000000000000/pages/99999999999999999999"),
    "a bad If-Match": lambda p: p.post(
        "/nodes/00000000-0000-0000-0000-000000000000/transitions/archive", {}, headers={"If-Match": "nonsense"}
    ),
    "a wrong method": lambda p: requests.delete(f"{p.url}/nodes", headers=p.headers, timeout=30),
    "no token": lambda p: requests.get(f"{p.url}/requests", timeout=30),
    "a false token": lambda p: requests.get(f"{p.url}/requests", headers={"Authorization": "Bearer \x80"}, timeout=30),
}  # fmt: skip


@pytest.mark.parametrize("what", REQUESTS)
def test_a_malformed_request_of_a_program_gets_its_code_and_a_sentence(program: Program, what: str) -> None:
    answer = REQUESTS[what](program)
    assert 400 <= answer.status_code < 500, answer.text
    assert set(answer.json()) <= {"error", "message", "fields"}
    assert CHINESE.search(answer.json()["message"]), answer.text


def test_what_is_hardly_http_is_refused_and_harms_nobody(archive: Archive, archivist: Visitor) -> None:
    host, port = archive.url.removeprefix("http://").split(":")
    for sent in (
        b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"GET /%ff%00%0d%0aX: HTTP/1.1\r\nHost: a\r\n\r\n",
    ):  # fmt: skip
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall(sent)
            raw.shutdown(socket.SHUT_WR)
            answer = raw.recv(4_000)
        assert not answer or b" 4" in answer[:12] or b" 5" in answer[:12] or b" 302" in answer[:12], (
            sent,
            answer[:200],
        )
    assert archivist.get("/sessions").status_code == 200


# People


def test_a_stale_form_shows_both_versions_and_keeps_what_was_typed(
    archive: Archive, archivist: Visitor, program: Program
) -> None:
    node = new_record(archive, program, "00410004")
    first = record_fields(archive, mrn="00410004", diagnosis="先保存的诊断") | {
        "version": str(node["version"])
    }
    late = first | {"diagnosis": "后保存的诊断"}
    assert archivist.post(f"{place(node)}/@@edit", first).status_code == 302
    refused = archivist.post(f"{place(node)}/@@edit", late)
    assert refused.status_code == 409
    assert "先保存的诊断" in refused.text
    assert "后保存的诊断" in refused.text
    step = program.post(
        f"/nodes/{node['uuid']}/transitions/catalogue", {}, headers={"If-Match": f'"{node["version"]}"'}
    )
    assert (step.status_code, step.json()["error"]) == (409, "stale")
    assert CHINESE.search(said(step))


def test_a_session_that_was_ended_is_asked_to_sign_in_and_loses_no_file_that_was_acknowledged(
    archive: Archive, program: Program
) -> None:
    node = new_record(archive, program, "00410005")
    scanner = Visitor(archive.url, "senior")
    assert scanner.upload(place(node), "第一份.pdf", papers.pdf("一")).status_code == 302
    site = archive.site()
    with site.session() as session:
        senior = session.scalars(select(User.id).where(User.account == "senior")).one()
        for row in session.scalars(select(SessionRow).where(SessionRow.user_id == senior)):
            row.ended_at = site.clock()
    late = scanner.upload(place(node), "第二份.pdf", papers.pdf("二"), headers=JSON)
    assert (late.status_code, "重新登录" in said(late)) == (401, True), said(late)
    assert scanner.get(place(node), allow_redirects=False).headers["Location"].startswith("/sign-in?next=")
    forged = requests.post(f"{archive.url}{place(node)}/@@trash", timeout=30)
    assert (forged.status_code, bool(CHINESE.search(said(forged)))) == (400, True)
    with site.session(readonly=True) as session:
        names = session.scalars(
            select(Blob.filename).where(Blob.record == node["uuid"]), execution_options=TEST
        ).all()
    site.close()
    assert names == ["第一份.pdf"]


@pytest.fixture
def shared(site: Site, tmp_path: Path) -> Iterator[Archive]:
    """An archive on each database in turn, served."""
    site.close()
    url = site.settings.database_url
    served = start(site.settings.var, tmp_path / "serve.log", **({"database_url": url} if url else {}))
    yield served
    served.server.terminate()
    served.server.wait(timeout=20)


def test_two_desks_that_issue_one_volume_at_once_issue_it_once(
    shared: Archive, hospital: Hospital, record: int
) -> None:
    barcode, slips_of = _ready_to_issue(hospital, record)
    desks = [Program(shared, account) for account in ("clerk", "senior")]
    for _again in range(3):
        with ThreadPoolExecutor(2) as pool:
            issue = [partial(desk.post, f"/requests/{uuid}/transitions/issue", {"barcode": barcode, "sheets": 64})
                     for desk, uuid in zip(desks, slips_of, strict=True)]  # fmt: skip
            answers = [future.result() for future in [pool.submit(act) for act in issue]]
        assert sorted(answer.status_code for answer in answers) == [200, 409], [
            answer.text for answer in answers
        ]
        refused = next(answer for answer in answers if answer.status_code == 409)
        assert "请先归还" in said(refused) or CHINESE.search(said(refused))
        winner = answers.index(next(answer for answer in answers if answer.status_code == 200))
        wrong = desks[0].post(f"/requests/{slips_of[winner]}/transitions/return", {"barcode": "B0000"})
        assert (wrong.status_code, bool(CHINESE.search(said(wrong)))) == (404, True)
        back = desks[0].post(
            f"/requests/{slips_of[winner]}/transitions/return", {"barcode": barcode, "sheets": 64}
        )
        assert back.status_code == 200, back.text
        slips_of = _asked_again(hospital, record, slips_of, winner)


def _ready_to_issue(hospital: Hospital, record: int) -> tuple[str, list[str]]:
    lending.archive_it(hospital, record)
    numbers = [lending.ask(hospital, account, record, kind="paper") for account in ("clinician", "head")]
    for number in numbers:
        lending.step(hospital, "senior", number, "approve")
    with hospital.uow("senior", readonly=True) as uow:
        return lending.BARCODE, [str(slips.one(uow, number).uuid) for number in numbers]


def _asked_again(hospital: Hospital, record: int, known: list[str], winner: int) -> list[str]:
    """The one who had it asks once more."""
    number = lending.ask(hospital, ("clinician", "head")[winner], record, kind="paper")
    lending.step(hospital, "senior", number, "approve")
    with hospital.uow("senior", readonly=True) as uow:
        return [
            str(slips.one(uow, number).uuid) if place == winner else uuid for place, uuid in enumerate(known)
        ]


# A disk that is full


def test_a_full_disk_says_so_on_every_way_in_and_the_next_upload_works_once_there_is_room(
    sqlite_template: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        # To fill a disk takes one of its own; only who may mount can have it.
        pytest.skip(f"a file system cannot be mounted here: {mounted.stderr}")
    shutil.copytree(sqlite_template, disk / "var")
    served = start(disk / "var", tmp_path / "serve.log")
    try:
        _fill_and_empty(served, disk)
    finally:
        served.server.terminate()
        served.server.wait(timeout=20)
        wait_for(
            lambda: subprocess.run(["umount", disk], capture_output=True, check=False).returncode == 0,
            "the disk",
            30,
        )


def _fill_and_empty(served: Archive, disk: Path) -> None:
    archivist, program = Visitor(served.url, "archivist"), Program(served, "archivist")
    node = new_record(served, program, "00410006")
    assert program.upload(node["uuid"], "先到.pdf", papers.pdf("先到")).status_code == 201
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(1 << 16))
    with ballast.open("ab", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(512))
    late = papers.pdf("后到")
    for answer in (
        archivist.upload(place(node), "后到.pdf", late),
        archivist.upload(place(node), "后到.pdf", late, headers=JSON),
        program.upload(node["uuid"], "后到.pdf", late),
        archivist.get(place(node)),
    ):
        assert (answer.status_code, "系统管理员" in said(answer)) == (507, True), said(answer)
    assert requests.get(f"{served.url}/healthz", timeout=30).json()["reasons"] == ["store: StoreFull"]
    ballast.unlink()
    wait_for(lambda: program.upload(node["uuid"], "后到.pdf", late).status_code == 201, "room", 30)
    assert {"先到.pdf", "后到.pdf"} <= set(re.findall(r"\S+\.pdf", _files(archivist, node)))
