"""Sealing a record and taking the seal off, as pages: the archivist, two seniors, a doctor, the auditor."""

import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from pypdf import PdfReader
from sqlalchemy import select
from werkzeug.test import TestResponse

from archive.actor import Actor
from archive.journal import CHANGES
from archive.journal import words_of as told
from archive.models import AuditEvent, Blob, Setting
from archive.services import setup
from archive.sight import href
from archive.site import Site
from tests import papers
from tests.archives import begins
from tests.blueprints.conftest import Browser
from tests.conftest import HASH, Hospital
from tests.services.lending import archive_it
from tests.services.sealing import HOSPITAL, OPENED, PACKAGE, seal, typed
from tests.services.test_derive import work_off
from tests.services.test_intake import upload

Browse = Callable[..., Browser]
ORIGINAL, COPY = typed(PACKAGE), typed(PACKAGE | {"kind": "copy"})
OPENING = typed(OPENED)
TEST: dict[str, Any] = {"scope": "test"}
SLIP = re.compile(r"/holds/[0-9a-f-]{36}")


@begins
def archived(hospital: Hospital, record: int) -> int:
    return archive_it(hospital, record)


@begins
def place(hospital: Hospital, archived: int) -> str:
    """Where that record is."""
    with hospital.uow("senior", readonly=True) as uow:
        return href(uow, uow.node(archived))


@pytest.fixture(autouse=True)
def _second_senior(site: Site) -> None:
    with site.uow(Actor.system("test")) as uow:
        second = setup.enlist(uow, account="senior2", name="senior2甲", staff_no="0099", password=None, roles=("senior",),
                              clearance=3)  # fmt: skip
        second.password = HASH


def slip_of(hospital: Hospital, browser: Browse, place: str) -> str:
    """The address of the seal that the record's page names."""
    found = SLIP.search(browser("senior").get(place).text)
    assert found
    return found[0]


def test_an_original_is_sealed_by_one_and_released_by_another(place: str, browser: Browse) -> None:
    senior, doctor, auditor = browser("senior"), browser("clinician"), browser("auditor")
    assert "@@seal" in senior.get(place).text
    sent = senior.post(f"{place}/@@seal", ORIGINAL)
    assert sent.status_code == 302
    slip = sent.headers["Location"]
    page = senior.get(slip).text
    for word in ("封存清单 FC2026-0001", "患者丈夫", "刘建国", "封存柜 F-02", "F02-17", "B00218647-2"):
        assert word in page
    assert "刘建国" in words_of(senior.get(f"{slip}/list.pdf"))

    seen = doctor.get(place).text
    assert "已封存" in seen
    for hidden in ("FC2026", "封存柜", "刘建国", "封存人"):
        assert hidden not in seen
    assert "不出借" in doctor.post(f"{place}/@@request", {"kind": "paper", "purpose": "treatment"}).text
    assert doctor.get(slip).status_code == 403

    card = senior.get(place).text
    assert "封存柜 F-02" in card
    assert "请另一位高级档案管理员启封" in card
    refused = senior.post(f"{slip}/release", OPENING)
    assert refused.status_code == 409
    assert "请另一位高级档案管理员启封" in refused.text
    assert browser("archivist").post(f"{slip}/release", OPENING).status_code == 403

    second = browser("senior2")
    assert f"{slip}/release" in second.get(place).text
    alone = second.post(f"{slip}/release", typed(OPENED | {"people": [HOSPITAL]}))
    assert alone.status_code == 422
    assert "签封各方须有人到场，缺：患方" in alone.text
    assert "双方共同启封" in alone.text, "what was typed is kept"
    assert "何志远" in alone.text
    form = second.get(f"{slip}/release").text
    keys = re.findall(r'name="(found_\w+)"', form)
    assert keys, "each line of the list can be counted"
    listed = words_of(second.get(f"{slip}/opening.pdf"))
    assert "清单数" in listed
    torn = second.post(f"{slip}/release", OPENING | {keys[0]: "许多"})
    assert torn.status_code == 422
    assert "许多" in torn.text
    opened = second.post(f"{slip}/release", OPENING | {keys[0]: "3"}, follow_redirects=True)
    assert "实有数与清单不符" in opened.text
    assert "不符" in second.get(slip).text.split('id="h-off"')[1], "the difference stays with the seal"
    assert "已封存" not in doctor.get(place).text
    assert "双方共同启封" in second.get(slip).text
    assert "双方共同启封" in words_of(second.get(f"{slip}/opening.pdf"))
    assert "FC2026-0001" in second.get("/holds?released=1").text
    for page in (second.get(f"{place}/@@history").text, second.get(place).text):
        assert "senior2甲 启封" in page
    trail = auditor.get("/audit?record=00218647-2").text
    assert "hold.applied" in trail
    assert "hold.released" in trail
    assert "刘建国" not in trail


def words_of(answer: TestResponse) -> str:
    """What stands on printed sheets."""
    return "".join(page.extract_text() for page in PdfReader(BytesIO(answer.data)).pages)


def test_a_legal_hold_stands_beside_the_seals_and_is_lifted_by_a_document(
    place: str, browser: Browse
) -> None:
    archivist, senior = browser("archivist"), browser("senior")
    court = {
        "asked_by": "authority",
        "paper": "（2026）云川民初 318 号",
        "review_due": "2027-05-20",
        "reason": "诉讼保全",
    }
    wrong = archivist.post(f"{place}/@@freeze", court | {"paper": ""})
    assert wrong.status_code == 422
    assert "诉讼保全" in wrong.text
    slip = archivist.post(f"{place}/@@freeze", court).headers["Location"]
    assert "冻结（诉讼保全）DJ2026-0001" in archivist.get(slip).text
    for paper in ("list", "opening"):  # nothing lies in a package
        assert senior.get(f"{slip}/{paper}.pdf").status_code == 404
    assert "DJ2026-0001" in archivist.get(place).text
    assert "DJ2026-0001" in archivist.get("/holds").text
    assert "DJ2026" not in browser("clinician").get(place).text
    lifting = {"ground": "settled", "reason": "结案"}
    assert senior.post(f"{slip}/release", lifting).status_code == 422
    assert senior.post(f"{slip}/release", lifting | {"paper": "（2027）云川民终 4 号"}).status_code == 302


def test_under_a_sealed_copy_the_doctor_notices_nothing(place: str, browser: Browse) -> None:
    doctor, archivist = browser("clinician"), browser("archivist")
    before = doctor.get(place).text
    assert archivist.post(f"{place}/@@seal", COPY).status_code == 302
    assert "复制件：原件继续记录和使用" in archivist.get(place).text
    after = doctor.get(place).text
    assert "封存" not in after
    assert len(after) == len(before)
    assert doctor.get(f"{place}/@@request").status_code == 200


def test_the_list_says_which_review_is_near_and_it_is_put_off_with_a_reason(
    hospital: Hospital, archived: int, place: str, browser: Browse
) -> None:
    archivist = browser("archivist")
    assert "没有封存的档案" in archivist.get("/holds").text
    seal(hospital, archived, review_due="2026-11-30")
    assert "复核临近" in archivist.get("/holds").text
    assert "待复核封存" in archivist.get("/").text
    slip = slip_of(hospital, browser, place)
    assert archivist.post(f"{slip}/review", {"review_due": "2027-06-01", "reason": ""}).status_code == 422
    assert (
        archivist.post(f"{slip}/review", {"review_due": "2027-06-01", "reason": "诉讼未结"}).status_code
        == 302
    )
    assert "复核临近" not in archivist.get("/holds").text
    assert "archivist甲 复核封存" in archivist.get(f"{place}/@@history").text


def test_what_is_missing_is_said_beside_its_field(place: str, browser: Browse) -> None:
    archivist = browser("archivist")
    wrong = archivist.post(f"{place}/@@seal", typed(PACKAGE | {"people": [HOSPITAL]}))
    assert wrong.status_code == 422
    assert "请填写患方到场人" in wrong.text
    assert "封存柜 F-02" in wrong.text, "what was typed is kept"
    assert archivist.post(f"{place}/@@seal", COPY).status_code == 302
    again = archivist.post(f"{place}/@@seal", COPY)
    assert again.status_code == 409
    assert "此后没有新增内容" in again.text


@pytest.mark.parametrize(
    "account", ["clinician", "head", "clerk", "auditor", "security", "sysadmin", "stranger", "inspector"]
)
def test_nobody_else_finds_a_trace_of_a_seal(
    hospital: Hospital, archived: int, place: str, browser: Browse, account: str
) -> None:
    seal(hospital, archived)
    slip, person = slip_of(hospital, browser, place), browser(account)
    for address in ("/holds", slip, f"{slip}/release", f"{slip}/list.pdf", f"{slip}/opening.pdf"):
        assert person.get(address).status_code == 403
    assert person.post(f"{slip}/release", OPENING).status_code == 403
    assert person.post(f"{slip}/review", {"review_due": "2027-06-01", "reason": "无"}).status_code == 403
    for act in ("@@seal", "@@freeze"):
        assert person.post(f"{place}/{act}", ORIGINAL).status_code in {403, 404}
    assert 'href="/holds"' not in person.get("/sessions").text


def test_an_unknown_seal_is_not_found(browser: Browse) -> None:
    senior = browser("senior")
    for address in (f"/holds/{uuid4()}", f"/holds/{uuid4()}/release"):
        assert senior.get(address).status_code == 404
    assert senior.post(f"/holds/{uuid4()}/release", OPENING).status_code == 404


def test_while_the_files_of_a_list_are_read_everybody_else_goes_on(
    site: Site, hospital: Hospital, record: int, browser: Browse
) -> None:
    """The disk takes its time: the master is a pipe out of which nothing comes until the test puts something in."""
    upload(hospital, "archivist", record, papers.pdf("首页"), "病历.pdf")
    work_off(site)
    seal(hospital, record, kind="copy")
    senior = browser("senior")
    (slip,) = set(SLIP.findall(senior.get("/holds").text))
    with site.session(readonly=True) as session:
        (sha256,) = session.scalars(select(Blob.sha256), execution_options=TEST)
    (master,) = site.settings.var.rglob(sha256)
    master.unlink()
    os.mkfifo(master)
    opening = ThreadPoolExecutor(1).submit(senior.post, f"{slip}/release", OPENING)
    try:
        wait([opening], 0.3)
        with site.session(patient=False) as session:  # whoever writes now finds no lock
            session.add(Setting(name="test", value="saved meanwhile"))
        assert not opening.done()
    finally:
        pipe = os.open(master, os.O_RDWR)
        os.write(pipe, b"no master")
        done = opening.result(20)
        os.close(pipe)
    assert done.status_code == 302
    with site.session(readonly=True) as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "hold.released")).one()
        noticed = told(session, CHANGES, event.id, site.keys)
    assert noticed["differs"] == ["1"], "what is no longer there is on record"
