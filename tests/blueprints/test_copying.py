"""The copying window as pages, from the card on the counter to the code on the paper; and the public page."""

import hashlib
import re
from collections.abc import Callable
from io import BytesIO

from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select
from werkzeug.test import TestResponse

from archive.models import ReadEvent
from archive.services.copying import verifying
from archive.site import Site
from tests import papers
from tests.archives import begins
from tests.blueprints.conftest import Browser, words_of
from tests.conftest import Hospital
from tests.services.searching import archived, component
from tests.services.test_derive import work_off
from tests.services.test_intake import upload

Browse = Callable[..., Browser]
ASKED = {"number": "00218647", "patient_name": "刘婷婷", "applicant": "agent"}
VERSION = re.compile(r'name="version" value="([0-9]+)"')
SLIP = re.compile(r"/copying/slips/[0-9a-f-]{36}")


@begins
def scanned(hospital: Hospital, record: int) -> int:
    upload(
        hospital, "archivist", component(hospital, record, "出院记录", "CY"), papers.pdf("出院记录", "续页")
    )
    work_off(hospital.site)
    archived(hospital, record)
    return record


def form_of(page: str) -> dict[str, str]:
    """What the form of the found patient holds already."""
    sealed = re.search(r'name="s" value="([^"]+)"', page)
    record = re.search(r'name="records" value="([^"]+)"', page)
    assert sealed
    assert record
    return {"s": sealed[1], "records": record[1], "applicant": "agent", "applicant_name": "刘建国",
            "purpose": "reimbursement", "package": "reimbursement", "kind": "copy"}  # fmt: skip


def test_the_story_of_a_copy_at_the_window(
    site: Site, hospital: Hospital, scanned: int, browser: Browse
) -> None:
    desk = browser("desk")
    assert "/copying" in desk.get("/").text
    nothing = desk.ask("/copying", **ASKED | {"patient_name": "不是她"})
    assert "号码与信息不符" in nothing.text
    page = desk.ask("/copying", **ASKED)
    assert "00218647-2" in page.text
    assert "出院记录" in page.text
    assert "授权委托书" in page.text
    assert "妊娠合并子宫瘢痕" not in page.text
    assert "@@upload" not in page.text, "whoever may not scan is not led there"
    form = form_of(page.text)
    sealed = desk.post("/copying", ASKED).location.partition("s=")[2]
    untold = desk.post("/copying/applications", form | {"s": sealed})
    assert untold.status_code == 422, "what was typed and never asked is a guess that nobody would count"
    assert "00218647-2" not in untold.text
    refused = desk.post(
        "/copying/applications", form | {"applicant_name": " ", "relation": "父亲", "by_mail": "1"}
    )
    assert refused.status_code == 422
    assert "父亲" in refused.text
    assert "邮寄地址" in refused.text
    heir = ASKED | {"applicant": "heir"}
    assert "没有死亡记录" in desk.ask("/copying", **heir).text
    page = desk.ask("/copying", **heir, died="1")
    assert "死亡证明" in page.text
    shown = {"paper": ["death", "heir_id", "kinship"], "applicant": "heir", "died": "1"}
    for day, said in (("", "填写死亡日期"), ("2026-12-01", "此日期尚未到来。"), ("2026-11-01", "入院日期")):
        undated = desk.post("/copying/applications", form_of(page.text) | shown | {"died_on": day})
        assert undated.status_code == 422
        assert said in undated.text
    sent = desk.post("/copying/applications", form_of(page.text) | shown | {"died_on": "2026-11-19"})
    assert "待制作" in desk.get(sent.location).text, "one who died at home"
    assert "2026-11-19" in desk.get(sent.location).text
    assert "患者已死亡" in desk.ask("/copying", **ASKED | {"applicant": "patient"}).text, (
        "whoever comes next is asked as heir"
    )
    assert "没有死亡记录" not in desk.ask("/copying", **heir).text
    back = f"{sent.location}/death"
    assert desk.post(back, {"reason": " "}).status_code == 422
    assert desk.post(back, {"reason": "同名他人的证明"}).status_code == 302
    assert desk.post(back, {"reason": "再次"}).status_code == 409
    assert "没有死亡记录" in desk.ask("/copying", **heir).text
    page = desk.ask("/copying", **ASKED)

    sent = desk.post("/copying/applications", form | {"paper": ["patient_id", "agent_id", "agency"]})
    assert sent.status_code == 302
    slip = SLIP.search(sent.location)
    assert slip
    again = desk.post("/copying/applications", form | {"paper": ["patient_id", "agent_id", "agency"]})
    assert again.location == sent.location, "a key pressed twice is one slip"

    def take(step: str, **form: str) -> TestResponse:
        version = VERSION.search(desk.get(slip[0]).text)
        return desk.post(f"{slip[0]}/{step}", form | {"version": version[1] if version else "1"})

    page = desk.get(slip[0])
    assert "还缺：授权委托书" in page.text
    assert "排队 2 号" in page.text
    assert "刘建国" not in desk.get("/copying/slips").text, "a list names nobody"
    card = {"kind": "patient_id", "photo": (BytesIO(papers.scan("居民身份证", "刘婷婷")), "IMG_0001.png")}
    assert "图片已留存" in desk.post(f"{slip[0]}/photos", card, follow_redirects=True).text
    bad = {"kind": "patient_id", "photo": (BytesIO(b"no picture"), "x.jpg")}
    assert "图片已留存" not in desk.post(f"{slip[0]}/photos", bad, follow_redirects=True).text
    other = {"kind": "death", "photo": (BytesIO(papers.scan("死亡证明")), "x.png")}
    assert "请选择是哪一份材料" in desk.post(f"{slip[0]}/photos", other, follow_redirects=True).text
    kept = re.findall(r"/pictures/[0-9a-f-]{36}", desk.get(slip[0]).text)
    assert len(kept) == 1
    looked = desk.get(kept[0])
    assert looked.data.startswith(b"\xff\xd8"), "drawn anew as a JPEG"
    assert hashlib.sha256(looked.data).hexdigest() in desk.get(slip[0]).text
    assert "no-store" in looked.headers["Cache-Control"]
    in_store = [path.read_bytes() for path in (site.settings.var / "blobs").rglob("*") if path.is_file()]
    assert looked.data not in in_store, "what lies in the store is encrypted"
    assert take("make").status_code == 409
    assert desk.post(f"{slip[0]}/papers", {"paper": "attorney"}).status_code == 302
    assert "待制作" in desk.get(slip[0]).text
    assert desk.get(f"{slip[0]}/file").status_code == 409
    for old in ({}, {"version": "x"}, {"version": "1"}):
        assert desk.post(f"{slip[0]}/make", old).status_code == 409, "no page, or an old one"
    assert take("make").status_code == 302
    work_off(site)
    pdf = desk.get(f"{slip[0]}/file")
    assert pdf.data.startswith(b"%PDF")
    assert pdf.headers["Content-Disposition"].startswith("inline; filename*=UTF-8''FY2026-000002.pdf")
    half = take("confirm", clerk="1")
    assert half.status_code == 422
    assert "申请人也须确认" in half.text
    assert take("confirm", clerk="1", applicant="1").status_code == 302
    assert "已收费 1.00 元" in desk.get(slip[0]).text
    assert take("deliver", paid="1").status_code == 302
    assert "已交付" in desk.get("/copying/slips?which=ended").text
    assert "近一个月交付 1 件，其中按时 1 件" in desk.get("/copying/slips?which=owing").text

    assert desk.get(kept[0]).status_code == 200, (
        "the picture stays when the copy is made, and while the slip is kept"
    )
    late = {"kind": "patient_id", "photo": (BytesIO(papers.scan("迟到")), "x.png")}
    assert "已办结" in desk.post(f"{slip[0]}/photos", late, follow_redirects=True).text
    for account in ("clinician", "clerk", "auditor"):
        assert browser(account).get(kept[0]).status_code in {403, 404}
    stranger = browser()
    told = stranger.get(f"/verify/{papers.code_on(pdf.data)}")
    assert "FY2026-000002" in told.text
    for secret in ("刘", "00218647", "出院记录", "desk"):
        assert secret not in words_of(told)
    for account in ("clinician", "head", "clerk", "auditor", "sysadmin"):
        for address in ("/copying", "/copying/slips", slip[0], f"{slip[0]}/file"):
            assert browser(account).get(address).status_code == 403, (account, address)
    with site.journal() as journal:
        told_of = set(journal.scalars(select(ReadEvent.action).where(ReadEvent.action.startswith("copy."))))
    assert told_of == {"copy.patient_found", "copy.viewed", "copy.file_taken", "copy.verified"}


def test_whatever_is_not_confirmed_is_answered_alike_to_the_byte_and_nobody_gets_a_cookie(app: Flask) -> None:
    client = app.test_client()
    first = client.get("/verify")
    assert first.status_code == 200
    assert "Set-Cookie" not in first.headers
    answers = [
        client.get("/verify", query_string={"code": code})
        for code in (verifying.code(), verifying.spoken(verifying.code()), "FY2026-000001", "查", "x" * 3000, "' OR 1=1 --")
    ] + [client.get("/verify/AAAA/BBBB")]  # fmt: skip
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.data for answer in answers}) == 1
    assert not any("Set-Cookie" in answer.headers for answer in answers)
    for _time in range(30):
        last = client.get("/verify?code=AAAA")
    assert last.status_code == 429


def test_a_doctor_withholds_parts_from_the_patients_side_and_it_stands_on_the_slip(
    site: Site, hospital: Hospital, record: int, browser: Browse
) -> None:
    for title, code in (("出院记录", "CY"), ("病程记录", "BC")):
        upload(hospital, "archivist", component(hospital, record, title, code), papers.pdf(title))
    work_off(site)
    archived(hospital, record)
    desk = browser("desk")
    page = desk.ask("/copying", **ASKED).text
    found = dict(re.findall(r'name="withhold" value="([0-9a-f-]{36})"> (\S+)', page))
    notes = next(ref for ref, label in found.items() if "病程" in label)
    form = form_of(page) | {"package": "whole", "paper": ["patient_id", "agent_id", "agency", "attorney"]}
    shut = {"withhold": notes, "doctor": "周敏", "withheld_because": "病情波动，阅读可致症状加重"}
    for lacking in ({"doctor": ""}, {"withheld_because": " "}, {"withhold": ""}):
        refused = desk.post("/copying/applications", form | shut | lacking)
        assert refused.status_code == 422, lacking
    sent = desk.post("/copying/applications", form | shut)
    assert sent.status_code == 302
    slip = desk.get(sent.location).text
    assert "医师决定不予复制" in slip
    assert "周敏" in slip
    version = VERSION.search(slip)
    assert version
    assert desk.post(f"{sent.location}/make", {"version": version[1]}).status_code == 302
    work_off(site)
    copied = PdfReader(BytesIO(desk.get(f"{sent.location}/file").data)).pages
    assert len(copied) == 2, "its list, and the one page that is not withheld"
    listed = slip.partition('id="h-pages"')[2].partition("<table")[2].partition("</table>")[0]
    assert "出院记录" in listed
    assert "病程记录" not in listed
    again = desk.ask("/copying", **ASKED).text
    assert re.search(rf'name="withhold" value="{notes}" checked', again)
    assert "周敏：病情波动，阅读可致症状加重" in again
    later = form_of(again) | {"package": "whole", "paper": form["paper"], "note": "再次申请"}
    forgotten = desk.post("/copying/applications", later)
    assert forgotten.status_code == 422
    assert "已有医师决定不予复制" in forgotten.text
    freed = {"doctor": "周敏", "withheld_because": "病情稳定，可以阅读"}
    assert desk.post("/copying/applications", later | freed).status_code == 302
    assert f'value="{notes}" checked' not in desk.ask("/copying", **ASKED).text
