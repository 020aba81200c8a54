"""夜间封存: the duty officer who has never seen the system, and the archive in the morning."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import select, update

from archive.actor import Actor
from archive.models import Encounter, HoldingStatus, Node, Patient, PatientAlias
from archive.services import desk, frozen, holdings, setup, tree
from archive.sight import href
from archive.site import Site
from tests import papers
from tests.archives import begins
from tests.blueprints.conftest import Browser
from tests.blueprints.test_holds import words_of
from tests.conftest import HASH, Hospital
from tests.services.lending import BARCODE, another, approved, archive_it, issue
from tests.services.sealing import BOTH, HUSBAND, OPENED, typed

Browse = Callable[..., Browser]
ADDRESS = re.compile(r"/night-seal/[0-9a-f-]{36}")
CORRECTED = "晨间认定病案号"
NO_SUCH = "请填写一份案卷的号码"
OPENING = typed(OPENED)
TEST: dict[str, Any] = {"scope": "test", "synchronize_session": False}
NIGHT: dict[str, Any] = typed({
    "mrn": "00218647-2", "name": "李秀英", "ward": "产科", "bed": "12", "sheets": "86", "kind": "original", "asked_by": "patient",
    "people": BOTH, "kept_at": "总值班室保险柜", "key_no": "K-3", "told_by": "", "reason": "",
})  # fmt: skip


@begins
def archived(hospital: Hospital, record: int) -> int:
    return archive_it(hospital, record)


@begins
def place(hospital: Hospital, archived: int) -> str:
    with hospital.uow("senior", readonly=True) as uow:
        return href(uow, uow.node(archived))


@pytest.fixture(autouse=True)
def _duty_officer(site: Site) -> None:
    with site.uow(Actor.system("test")) as uow:
        duty = setup.enlist(
            uow, account="duty", name="值班甲", staff_no="0098", password=None, roles=("duty",)
        )
        duty.password = HASH


def sealed(browser: Browse, **other: Any) -> str:
    """What the duty officer seals; gives the address of the card's page."""
    sent = browser("duty").post("/night-seal", NIGHT | other)
    assert sent.status_code == 302, sent.text
    return str(sent.headers["Location"])


def test_at_night_it_is_sealed_in_one_save_and_taken_over_in_the_morning(
    hospital: Hospital, archived: int, place: str, browser: Browse
) -> None:
    duty, archivist = browser("duty"), browser("archivist")
    page = duty.get("/night-seal").text
    assert "值班甲" in page, "who has duty need not write their own name"
    assert 'href="/night-seal"' in duty.get("/").text
    address = sealed(browser)
    seen = duty.get(address).text
    for word in ("FC2026-0001", "00218647-2", "李秀英", "刘建国", "总值班室保险柜", "K-3", "待接收"):
        assert word in seen
    card = words_of(duty.get(f"{address}/card.pdf"))
    for word in ("夜间封存卡FC2026-0001", "6.次日早晨", "刘建国", "K-3", "86", "次日移交"):
        assert word in "".join(card.split())
    assert "已封存" in browser("clinician").get(place).text
    number = approved(hospital, "clinician", archived, kind="eread")
    assert number

    photo = {"photo": (BytesIO(papers.scan("封条 骑缝签字")), "IMG_7.png")}
    assert "图片已留存" in duty.post(f"{address}/photos", photo, follow_redirects=True).text
    kept = re.findall(r"/pictures/[0-9a-f-]{36}", duty.get(address).text)
    assert len(kept) == 1
    for who in (duty, archivist):
        assert who.get(kept[0]).data.startswith(b"\xff\xd8"), (
            "the archive sees in the morning what was photographed"
        )
    assert browser("clinician").get(kept[0]).status_code in {403, 404}

    assert "待接收的夜间封存" in archivist.get("/").text
    assert address in archivist.get("/night-seal/waiting").text
    assert place in archivist.get(address).text
    assert archivist.post(f"{address}/take-over", {"kept_at": ""}).status_code == 422
    assert (
        archivist.post(
            f"{address}/take-over", {"kept_at": "病案室封存柜 F-02", "key_no": "F02-9"}
        ).status_code
        == 302
    )
    assert address not in archivist.get("/night-seal/waiting").text
    assert archivist.post(f"{address}/take-over", {"kept_at": "别处"}).status_code == 409
    slip = address.replace("night-seal", "holds")
    assert "病案室封存柜 F-02" in archivist.get(slip).text
    assert "李秀英" in archivist.get(slip).text
    assert kept[0] in archivist.get(slip).text
    late = {"photo": (BytesIO(papers.scan("另一封")), "x.png")}
    assert duty.post(f"{address}/photos", late).status_code == 403, "after the hand-over it is the archive's"
    with hospital.uow("clerk", readonly=True) as uow:
        assert uow.holding(BARCODE)
    released = browser("senior").post(
        f"{slip}/release", typed({"ground": "together", "people": BOTH, "reason": "双方共同启封"})
    )
    assert released.status_code == 302
    assert "已封存" not in browser("clinician").get(place).text


def test_nobody_learns_at_night_whether_there_is_such_a_record(
    hospital: Hospital, archived: int, place: str, browser: Browse
) -> None:
    """Of a record that is locked, of one that is not and of a number that nobody has, the answer is the same."""
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(archived), level=3, reason="涉诉")
    duty, told = browser("duty"), []
    for mrn in ("00218647-2", "00218647-7", "99999999"):
        address = sealed(browser, mrn=mrn)
        page = duty.get(address).text.replace(mrn, "M").replace(address, "A")
        told.append(re.sub(r"FC2026-\d+|nonce-\S+|(value|content)=\"[^\"]{40,}\"|[0-9a-f-]{36}", "", page))
    assert told[0] == told[1] == told[2]
    assert len(ADDRESS.findall(duty.get("/night-seal").text)) >= 3
    senior, archivist = browser("senior"), browser("archivist")
    lists = {account: browser(account).get("/night-seal/waiting").text for account in ("senior", "archivist")}
    assert ADDRESS.findall(lists["senior"]) == ADDRESS.findall(lists["archivist"])
    hidden, unknown = ADDRESS.findall(lists["archivist"])[0], address
    taking = {"kept_at": "封存柜 F-02", "mrn": "99999999"}
    answers = [archivist.post(f"{where}/take-over", taking) for where in (hidden, unknown)]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert all(NO_SUCH in answer.text for answer in answers)
    assert place not in archivist.get(hidden).text
    assert senior.post(f"{hidden}/take-over", taking | {"mrn": ""}).status_code == 302
    assert archivist.get(hidden).status_code == 404


def test_paper_without_a_number_waits_for_the_archive_to_say_which_record_it_is(
    hospital: Hospital, archived: int, place: str, browser: Browse
) -> None:
    duty, archivist = browser("duty"), browser("archivist")
    wrong = duty.post("/night-seal", NIGHT | {"mrn": "", "bed": "", "kept_at": ""})
    assert wrong.status_code == 422
    assert "没有病案号的，请填写床号" in wrong.text
    assert "刘建国" in wrong.text, "what was typed is kept"
    assert duty.post("/night-seal", NIGHT | typed({"people": [HUSBAND]})).status_code == 422
    assert duty.post("/night-seal", NIGHT | {"sheets": "许多"}).status_code == 422
    address = sealed(browser, mrn="", told_by="产科护士 王敏（电话）")
    assert "王敏" in words_of(duty.get(f"{address}/card.pdf"))
    assert "已封存" not in browser("clinician").get(place).text
    taking = {"kept_at": "封存柜 F-02"}
    for mrn in ("", "99999999-1"):
        assert archivist.post(f"{address}/take-over", taking | {"mrn": mrn}).status_code == 422
    assert archivist.post(f"{address}/take-over", taking | {"mrn": "00218647-2"}).status_code == 302
    assert "已封存" in browser("clinician").get(place).text
    assert CORRECTED not in archivist.get(address.replace("night-seal", "holds")).text


def test_a_sealed_original_goes_out_to_nobody_wherever_its_volumes_are(
    hospital: Hospital, archived: int, browser: Browse
) -> None:
    """What lies on the ward stands as lent to it; another volume on its shelf, and one that is registered only later."""
    second = f"{BARCODE}-V2"
    with hospital.uow("senior") as uow:
        holdings.register(uow, uow.node(archived), barcode=second)
    issue(hospital, approved(hospital, "clinician", archived))
    approved(hospital, "head", archived)
    sealed(browser)
    with hospital.uow("senior") as uow:
        third = holdings.register(uow, uow.node(archived)).barcode
    with hospital.uow("clerk") as uow:
        for barcode in (BARCODE, second, third):
            assert "封存" in (frozen.volume(uow, uow.holding(barcode)[0]) or "")
        desk.hear(uow, BARCODE, desk.Memo())
    with hospital.uow("clerk", readonly=True) as uow:
        assert uow.holding(BARCODE)[0].status not in {HoldingStatus.LENT, HoldingStatus.HELD}


def test_what_is_opened_before_the_morning_waits_for_nobody(archived: int, browser: Browse) -> None:
    address, senior = sealed(browser), browser("senior")
    slip = address.replace("night-seal", "holds")
    assert "封存清单未列页面" in words_of(senior.get(f"{slip}/opening.pdf"))
    assert senior.post(f"{slip}/release", OPENING).status_code == 302
    assert address not in senior.get("/night-seal/waiting").text
    assert senior.post(f"{address}/take-over", {"kept_at": "封存柜 F-02"}).status_code == 409


def test_a_number_that_was_mistyped_at_night_is_put_right_in_the_morning_and_both_stay(
    hospital: Hospital, archived: int, place: str, browser: Browse
) -> None:
    right = another(hospital, mrn="00318647")
    with hospital.uow("senior", readonly=True) as uow:
        belongs, code = href(uow, uow.node(right)), "00318647-1"
    address, archivist, clinician = sealed(browser), browser("archivist"), browser("clinician")
    assert "已封存" in clinician.get(place).text
    assert "00218647-2" in archivist.get(address).text
    drug = {
        "kind": "drug",
        "what": "缩宫素 5 支",
        "batch": "",
        "kept_at": "药剂科",
        "people": BOTH,
        "reason": "疑用药有误",
    }
    beside = archivist.post(f"{place}/@@object", typed(drug) | {"hold": address.rpartition("/")[2]})
    assert beside.status_code == 302
    taking = {"kept_at": "封存柜 F-02", "mrn": "00999999-1"}
    assert archivist.post(f"{address}/take-over", taking).status_code == 422
    assert "已封存" in clinician.get(place).text
    assert archivist.post(f"{address}/take-over", taking | {"mrn": code}).status_code == 302
    assert "已封存" not in clinician.get(place).text
    assert "已封存" in clinician.get(belongs).text
    slip = archivist.get(address.replace("night-seal", "holds")).text
    assert "00218647-2" in slip, "what was signed at night stays"
    assert CORRECTED in slip
    assert code in slip
    assert "缩宫素" in slip
    thing = archivist.get(beside.headers["Location"]).text
    assert belongs in thing, "what was sealed beside the papers is of the same record as they"
    assert f'href="{place}"' not in thing
    with hospital.uow("clerk", readonly=True) as uow:
        assert frozen.volume(uow, uow.holding(BARCODE)[0]) is None
        assert frozen.all_volumes(uow, uow.session.get_one(Node, right, execution_options=TEST))
    trail = browser("auditor").get("/audit?record=00318647-1").text
    assert "hold.taken_over" in trail


@pytest.mark.parametrize("doubt", ["another's old number", "no stay in the house"])
def test_in_doubt_a_night_seal_lies_over_no_record(
    hospital: Hospital, archived: int, place: str, browser: Browse, doubt: str
) -> None:
    if doubt == "another's old number":
        another(hospital, mrn="00999999")
    with hospital.site.session() as session:
        if doubt == "no stay in the house":
            session.execute(update(Encounter).values(kind="outpatient"), execution_options=TEST)
        else:
            whose = session.scalar(
                select(Patient.id).where(Patient.mrn == "00999999"), execution_options=TEST
            )
            session.add(PatientAlias(patient_id=whose, kind="old_number", value="00218647"))
    address, archivist = sealed(browser, mrn="00218647"), browser("archivist")
    assert "已封存" not in browser("clinician").get(place).text
    taking = {"kept_at": "封存柜 F-02", "mrn": "00218647-2"}
    assert archivist.post(f"{address}/take-over", taking).status_code == 302
    slip = archivist.get(address.replace("night-seal", "holds"))
    assert CORRECTED not in slip.text, "what the night had typed was right"


@pytest.mark.parametrize(
    "account", ["clinician", "head", "archivist", "senior", "clerk", "auditor", "sysadmin"]
)
def test_only_the_duty_officer_seals_at_night(browser: Browse, account: str) -> None:
    person = browser(account)
    for address in ("/night-seal", "/night-seal/card.pdf"):
        assert person.get(address).status_code == 403
    assert person.post("/night-seal", NIGHT).status_code == 403
    mine = sealed(browser)
    assert person.get(mine).status_code == (200 if account in {"archivist", "senior"} else 403)


def test_an_empty_card_is_printed_for_when_there_is_no_computer(browser: Browse) -> None:
    assert "夜间封存卡" in words_of(browser("duty").get("/night-seal/card.pdf"))
