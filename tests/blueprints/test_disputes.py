"""纠纷档案: one case on one page, and nobody else learns that there is one."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from archive.actor import Actor
from archive.models import CopyItem, CopyRequest, DisputeRecord, Node
from archive.policy.permissions import P
from archive.services import legal_holds, pinpoint, policies, setup, trash, tree
from archive.sight import href
from archive.site import Site
from tests.archives import begins, once
from tests.blueprints.conftest import Browser, words_of
from tests.conftest import HASH, RECORD, Hospital
from tests.services.lending import BARCODE, archive_it
from tests.services.sealing import BOTH, seal, typed
from tests.services.searching import indexed

Browse = Callable[..., Browser]
TEST: dict[str, Any] = {"scope": "test"}
pytestmark = once
CASE = {
    "records": "00218647-2", "title": "刘某某产后纠纷", "date_from": "2026-11-18", "retention": "D30", "claimant": "刘建国",
    "dispute_way": "litigation", "complaint_no": "TS-77", "complaint": "产后出血处理不及时", "court_no": "（2026）云0521民初88号",
}  # fmt: skip


@begins
def archived(hospital: Hospital, record: int) -> int:
    return archive_it(hospital, record)


@pytest.fixture(autouse=True)
def _affairs(site: Site) -> None:
    with site.uow(Actor.system("test")) as uow:
        user = setup.enlist(uow, account="affairs", name="医务甲", staff_no="0097", password=None,
                            roles=("medical_affairs",), clearance=1)  # fmt: skip
        user.password = HASH


def opened(browser: Browse, **other: str) -> str:
    """A case as medical affairs open it; gives its address."""
    sent = browser("affairs").post("/disputes/new", CASE | other)
    assert sent.status_code == 302, sent.text
    return str(sent.headers["Location"])


def handed_out(hospital: Hospital, record: int) -> str:
    """A copy that went out before anybody complained."""
    with hospital.uow("archivist", readonly=True) as uow:
        patient = pinpoint.by_number(uow, "00218647-2")[0]
        rules = {kind: policies.in_force(uow, kind).version for kind in ("copying", "proofs")}
        assert patient.id == record
    with hospital.site.session() as session:
        copy = CopyRequest(
            number="FY2026-000001", day=date(2026, 11, 16), queue=1, state="delivered", patient_id=1, mrn="00218647",
            applicant="patient", applicant_name="刘婷婷", purpose="other", package="whole", is_dead=False,
            rules=rules["copying"], proofs_version=rules["proofs"], created_at=hospital.clock(), ended_at=hospital.clock(),
        )  # fmt: skip
        session.add(copy)
        session.flush()
        session.add(CopyItem(copy_id=copy.id, record_id=record, node_id=record, source="paper", sheets=86))
    return "FY2026-000001"


def test_a_case_brings_together_what_is_sealed_copied_and_written(
    hospital: Hospital, archived: int, browser: Browse
) -> None:
    seal(hospital, archived)
    with hospital.uow("senior") as uow:
        legal_holds.freeze(uow, uow.node(archived), asked_by="authority", paper="（2026）保1号", review_due="2026-11-30",
                           reason="诉前保全")  # fmt: skip
    copy, affairs = handed_out(hospital, archived), browser("affairs")
    wrong = affairs.post("/disputes/new", CASE | {"records": "99999999-1", "title": ""})
    assert wrong.status_code == 422
    assert "99999999-1" in wrong.text
    assert "产后出血处理不及时" in wrong.text, "what was typed stays"
    address = opened(browser)
    assert "JF2026-0001" in affairs.get("/disputes").text
    paper = {
        "title": "应诉通知书",
        "dispute_paper": "court",
        "date_from": "2026-11-19",
        "due_on": "2026-11-25",
    }
    with hospital.uow("archivist", readonly=True) as uow:
        dispute = uow.list(uow.nodes(P.DISPUTE).where(Node.type == "dispute_file"))[0]
        place = href(uow, dispute)
    assert affairs.post(f"{place}/@@add?type=dispute_paper", paper).status_code == 302
    page = affairs.get(address).text
    for word in (
        "JF2026-0001",
        "刘某某产后纠纷",
        "FC2026-0001",
        "DJ2026-0001",
        copy,
        "86",
        "应诉通知书",
        "法院文书",
        "TS-77",
    ):
        assert word in page, word
    dates, timeline = page.split('id="h-dates"')[1].split('id="h-time"')
    for word in ("2029-11-20", "2026-11-30", "2026-11-25", "2027-05-20"):
        assert word in dates, f"{word} of the list of dates"
    for word in ("封存 FC2026-0001", "冻结", copy, "应诉通知书", "立案"):
        assert word in timeline, f"{word} of the timeline"
    assert timeline.index("应诉通知书") < timeline.index("封存 FC2026-0001"), (
        "by the day, not by when it was typed"
    )
    assert "/holds/" not in page, "medical affairs know of the seal and do not open its list"
    assert "/holds/" in browser("archivist").get(address).text


def test_nobody_else_learns_that_there_is_a_case(hospital: Hospital, archived: int, browser: Browse) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        record = href(uow, uow.node(archived))
    before = {who: browser(who).get(record).text.count("纠纷") for who in ("clinician", "head")}
    address = opened(browser)
    assert "JF2026-0001" in browser("archivist").get(record).text
    assert "JF2026-0001" in browser("affairs").get(record).text
    for who in ("clinician", "head", "desk", "clerk", "scanner", "inspector", "auditor", "sysadmin"):
        assert browser(who).get("/disputes").status_code in {403, 404}, who
        assert browser(who).get(address).status_code in {403, 404}, who
    indexed(hospital)
    for asked in ("JF2026-0001", "产后纠纷", "刘建国", "TS-77"):
        assert "刘某某产后纠纷" in browser("affairs").ask("/search", q=asked).text, asked
        for who in ("clinician", "head", "desk"):
            answer = words_of(browser(who).ask("/search", q=asked))
            assert "产后纠纷" not in answer.replace(asked, ""), (who, asked)
    for who, count in before.items():
        assert browser(who).get(record).text.count("纠纷") == count, who
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.list(uow.nodes(P.DISPUTE))[0], level=2, reason="涉诉")
    assert browser("affairs").get(address).status_code == 404
    assert "JF2026-0001" not in browser("affairs").get("/disputes").text
    assert "JF2026-0001" not in browser("affairs").get(record).text


def test_of_a_record_that_one_may_not_know_nothing_stands_in_the_case(
    hospital: Hospital, archived: int, browser: Browse
) -> None:
    """With its seals, copies and dates; nor is it told whether a number is hidden or nobody's."""
    seal(hospital, archived)
    copy, address, affairs = handed_out(hospital, archived), opened(browser), browser("affairs")
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(archived), level=3, reason="名人")
    page = affairs.get(address).text
    for word in ("00218647", "FC2026-0001", copy, "2029-11-20"):
        assert word not in page, word
    assert "FC2026-0001" in browser("senior").get(address).text
    told = [affairs.post(f"{address}/records", {"records": number}) for number in (BARCODE, "B00218647-7")]
    assert [answer.status_code for answer in told] == [422, 422]
    assert words_of(told[0]).replace(BARCODE, "N") == words_of(told[1]).replace("B00218647-7", "N")


def test_a_record_of_an_open_case_stays_and_a_case_with_records_too(
    hospital: Hospital, record: int, browser: Browse
) -> None:
    address, affairs = opened(browser), browser("affairs")
    assert affairs.post(f"{address}/records", {"records": "00218647-2"}).status_code == 422, (
        "it is on the case already"
    )
    with hospital.uow("senior", readonly=True) as uow:
        dispute = uow.list(uow.nodes(P.DISPUTE))[0]
        assert set(trash.kept_for(uow, [uow.node(record), dispute])) == {record, dispute.id}
        taken_off = {"record": str(uow.node(record).uuid)}
    assert affairs.post(f"{address}/records/off", taken_off).status_code == 302
    assert "00218647-2" not in affairs.get(address).text
    with hospital.uow("senior", readonly=True) as uow:
        assert not trash.kept_for(uow, [uow.node(record), uow.node(dispute.id)])
        assert not uow.session.scalars(select(DisputeRecord), execution_options=TEST).all()
    with hospital.uow("archivist") as uow:
        node = uow.node(dispute.id)
        kept = {"title": "改后的题名", "date_from": "2026-11-18", "retention": "D30"}
        tree.edit(uow, node, fields=kept, version=node.version)
        assert node.data["dispute_no"] == "JF2026-0001", "an edit keeps the number that was given"
    assert RECORD["mrn"] not in affairs.get("/disputes").text


STATION = {"side": "blood", "name": "金站", "office": "县中心血站", "proof": ""}
BLOOD: dict[str, Any] = {
    "kind": "blood", "what": "悬浮红细胞 2U，余 80 ml", "batch": "0521-26-118", "kept_at": "输血科 4℃ 冰箱",
    "reason": "疑输血反应",
}  # fmt: skip


def test_blood_is_sealed_with_its_station_and_opened_by_somebody_else_with_all_who_sealed_it(
    hospital: Hospital, archived: int, browser: Browse
) -> None:
    address, affairs, archivist, senior = (
        opened(browser),
        browser("affairs"),
        browser("archivist"),
        browser("senior"),
    )
    with hospital.uow("archivist", readonly=True) as uow:
        place = href(uow, uow.list(uow.nodes(P.DISPUTE))[0])
        record = href(uow, uow.node(archived))
    without = affairs.post(f"{place}/@@object", typed(BLOOD | {"people": BOTH}))
    assert without.status_code == 422
    assert "血站" in without.text or "采供血机构" in words_of(without)
    assert "刘建国" in without.text, "what was typed stays"
    there = [*BOTH, STATION]
    made = affairs.post(f"{place}/@@object", typed(BLOOD | {"people": there}))
    assert made.status_code == 302
    thing = made.headers["Location"]
    page = affairs.get(address).text
    dates, timeline = page.split('id="h-dates"')[1].split('id="h-time"')
    assert "FS2026-0001" in dates
    assert "2029-11-20" in dates, "the rule of three years, as of papers"
    assert "悬浮红细胞" in timeline
    opening: dict[str, Any] = {"ground": "together", "people": there, "reason": "送省血液中心检验"}
    assert affairs.post(f"{thing}/open", typed(opening)).status_code == 409, "not by whoever sealed it"
    for people, ground in ((BOTH, "together"), (there, "no_claim")):
        refused = archivist.post(f"{thing}/open", typed(opening | {"people": people, "ground": ground}))
        assert refused.status_code == 422, ground
    assert archivist.post(f"{thing}/open", typed(opening)).status_code == 302
    assert archivist.post(f"{thing}/open", typed(opening)).status_code == 409
    assert "省血液中心" in affairs.get(thing).text
    for who in ("clinician", "head", "desk", "clerk"):
        assert browser(who).get(thing).status_code in {403, 404}, who

    hold = seal(hospital, archived)
    slip = next(one for one in re.findall(r"/holds/[0-9a-f-]{36}", archivist.get("/holds").text))
    drug = BLOOD | {"kind": "drug", "what": "缩宫素 5 支", "people": BOTH, "hold": slip.rpartition("/")[2]}
    assert archivist.post(f"{record}/@@object", typed(drug)).status_code == 302
    assert hold
    assert "缩宫素" in senior.get(slip).text
    assert "缩宫素" in affairs.get(address).text, "what was sealed with a record of the case belongs to it"
    assert affairs.get(f"{record}/@@object").status_code == 403
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(archived), level=3, reason="涉密")
    assert "缩宫素" not in affairs.get(address).text
