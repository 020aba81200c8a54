"""The keying desk in the browser: what each person is shown, and what becomes of what they type."""

import re

from archive.services import tree, typed
from archive.site import Site
from tests import papers
from tests.archives import begins, once
from tests.blueprints.conftest import Browse, Browser, words_of
from tests.conftest import Hospital
from tests.services.test_intake import upload
from tests.services.test_keying import another, first, says
from tests.services.test_page_checks import drawn

KEYED = {
    "mrn": "00218647", "times": "2", "patient_name": "刘婷婷", "sex": "2", "birth": "19940302", "admitted_on": "20261108",
    "discharged_on": "20261112", "attending": "周敏", "outcome": "1", "diagnosis": "妊娠合并子宫瘢痕",
    "diagnosis_code": "O34.201",
}  # fmt: skip


VERSION = re.compile(r'name="version" value="(\d+)"')


@begins
def desk(hospital: Hospital, record: int) -> str:
    """The address at which the record of the tests is keyed."""
    upload(hospital, "scanner", record, papers.pdf("住院病案首页"))
    drawn(hospital.site)
    with hospital.uow("archivist", readonly=True) as uow:
        return f"/keying/{uow.node(record).uuid}"


def form(who: Browser, desk: str, **said: str) -> dict[str, str]:
    """What the form of the desk sends, with what is typed into it."""
    page = who.get(desk).text
    kept = dict(re.findall(r'<input type="hidden" name="(version|task|batch)" value="([^"]*)">', page))
    ward = re.search(r'<option value="(\d+)" selected>', page)
    return kept | KEYED | ({"dept": ward[1]} if ward else {}) | said


def test_what_is_known_is_marked_and_saving_opens_the_next_record(
    site: Site, hospital: Hospital, record: int, desk: str, browser: Browse
) -> None:
    following = another(hospital, "00300001")
    upload(hospital, "scanner", following, papers.pdf("住院病案首页 2"))
    drawn(site)
    who = browser("archivist")
    assert desk in who.get("/keying").text
    page = who.get(desk).text
    assert 'value="刘婷婷"' in page
    assert page.count("已有此值") == 12
    assert ">2 女<" in page
    saved = who.post(desk, form(who, desk, attending="李明"))
    assert saved.status_code == 303
    with hospital.uow("archivist", readonly=True) as uow:
        assert saved.location == f"/keying/{uow.node(following).uuid}"
    assert says(hospital, record)["attending"] == "李明"
    assert "等待二录" in words_of(who.get("/keying"))
    assert who.get(f"{saved.location}/next").location == "/keying", (
        "there is nothing else to do for this person"
    )


def test_the_second_person_finds_empty_fields_and_a_difference_side_by_side(
    hospital: Hospital, record: int, desk: str, browser: Browse
) -> None:
    first(hospital, record, patient_name="刘亭亭", birth="19940203")
    who = browser("senior")
    page = who.get(desk).text
    assert "刘" not in page.partition("<main")[2]
    assert "00218647" not in page.partition("<main")[2]
    assert 'name="attending"' not in page
    assert who.post(desk, form(who, desk)).status_code == 303
    page = who.get(desk).text
    assert 'value="刘亭亭"' in page
    assert "<mark>婷婷</mark>" in page
    chosen = form(who, desk, birth="1994-02-03")
    del chosen["patient_name"]
    assert who.post(desk, chosen).status_code == 422, "the name is not chosen"
    assert (
        who.post(desk, form(who, desk, patient_name="刘亭亭", **{"other.birth": "19940320"})).status_code
        == 303
    )
    now = says(hospital, record)
    assert (now["patient_name"], now["birth"]) == ("刘亭亭", "1994-03-20")


def test_what_the_record_does_not_take_says_why(
    hospital: Hospital, record: int, desk: str, browser: Browse
) -> None:
    another(hospital, "00300009")
    first(hospital, record, mrn="00300009", patient_name="陈红")
    who = browser("senior")
    assert who.post(desk, form(who, desk)).status_code == 303
    taken = who.post(desk, form(who, desk, mrn="00300009", patient_name="陈红"))
    assert taken.status_code == 422
    assert "另一患者" in words_of(taken)


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    hospital: Hospital, desk: str, browser: Browse
) -> None:
    who = browser("archivist")
    answer = who.post(desk, form(who, desk, admitted_on="20261332", attending="李明"))
    assert answer.status_code == 422
    assert 'value="20261332"' in answer.text
    assert 'value="李明"' in answer.text
    assert "2026-11-21" in words_of(answer)
    sent = form(who, desk, attending="李明")
    assert browser("senior").post(desk, form(who, desk, attending="王芳")).status_code == 303
    stale = who.post(desk, sent | {"task": "decide"})
    assert stale.status_code == 303, "what is not there to be decided leads back to the list"


@once
def test_whoever_mends_a_slip_still_meets_what_another_has_saved_meanwhile(
    hospital: Hospital, record: int, desk: str, browser: Browse
) -> None:
    who = browser("archivist")
    sent = form(who, desk, admitted_on="20261332", attending="李明")
    with hospital.uow("senior") as uow:
        node = uow.node(record)
        tree.edit(
            uow, node, fields=typed.form_values(uow, node) | {"attending": "王芳"}, version=node.version
        )
    slip = who.post(desk, sent)
    assert slip.status_code == 422
    mended = sent | {"admitted_on": "20261108", "version": VERSION.findall(slip.text)[0]}
    met = who.post(desk, mended)
    assert met.status_code == 409
    assert "王芳" in words_of(met)
    assert says(hospital, record)["attending"] == "王芳"
    again = mended | {"version": VERSION.findall(met.text)[0]}
    assert who.post(desk, again).status_code == 303
    assert says(hospital, record)["attending"] == "李明"


def test_one_batch_alone_is_asked_for_by_its_number_and_a_strange_one_is_not_there(
    desk: str, browser: Browse
) -> None:
    who = browser("archivist")
    assert desk in who.get("/keying?show=first").text
    assert desk not in who.get("/keying?show=again").text
    assert who.get("/keying?batch=SZ2026-0999").status_code == 404
    for account in ("stranger", "auditor", "sysadmin", "clinician", "scanner"):
        assert browser(account).get(desk).status_code in {403, 404}


def test_a_diagnosis_is_offered_by_its_code_and_by_its_words(
    hospital: Hospital, desk: str, browser: Browse
) -> None:
    who = browser("archivist")
    assert 'data-suggest="/keying/codes/diagnosis_code" data-beside="diagnosis"' in who.get(desk).text
    by_code = who.post("/keying/codes/diagnosis_code", {"q": "o44"}).text
    assert 'data-insert="O44"' in by_code
    assert 'data-beside="前置胎盘"' in by_code
    by_words = who.post("/keying/codes/diagnosis", {"q": "前置胎"}).text
    assert 'data-insert="前置胎盘"' in by_words
    assert 'data-beside="O44"' in by_words
    assert "option" not in who.post("/keying/codes/diagnosis", {"q": " "}).text
    assert who.post("/keying/codes/attending", {"q": "周"}).status_code == 404
    assert browser("scanner").post("/keying/codes/diagnosis", {"q": "O44"}).status_code == 403
