"""What was typed and not saved is kept for whoever typed it; two who saved at once decide field by field."""

import re

import pytest
from sqlalchemy import select

from archive.errors import Forbidden, NotFound
from archive.models import AuditEvent, NodeDraft, Session
from archive.services import drafts
from tests import papers
from tests.archives import begins, once
from tests.blueprints.conftest import Browse, Browser
from tests.conftest import RECORD, Hospital
from tests.services.test_intake import upload
from tests.services.test_page_checks import drawn

TEST = {"scope": "test"}


@begins
def paged(hospital: Hospital, record: int) -> None:
    """A page in the record of the tests."""
    upload(hospital, "scanner", record, papers.pdf("糖尿疒"))
    drawn(hospital.site)


def form(hospital: Hospital, version: int = 1, **changed: str) -> dict[str, str]:
    return RECORD | {"dept": str(hospital.wards["CK"]), "version": str(version)} | changed


def kept(hospital: Hospital) -> list[dict[str, str]]:
    with hospital.site.session(readonly=True) as session:
        return list(session.scalars(select(NodeDraft.patch), execution_options=TEST))


def end_all_sessions(hospital: Hospital) -> None:
    with hospital.site.session() as session:
        for row in session.scalars(select(Session)):
            row.ended_at = hospital.site.clock()


def version_in(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found
    return found[1]


def test_typing_is_kept_offered_taken_up_and_gone_after_saving(
    hospital: Hospital, address: str, browser: Browse
) -> None:
    own = browser("archivist")
    answer = own.post(f"{address}/@@draft/edit", form(hospital, diagnosis="前置胎盘"))
    assert "草稿已于" in answer.get_json()["text"]
    assert kept(hospital) == [{"diagnosis": "前置胎盘"}], "only what differs from what is saved"
    offered = own.get(f"{address}/@@edit").text
    assert "您有一份" in offered
    assert "前置胎盘" not in offered
    assert "data-draft=" not in offered, "typing anew must not overwrite it unseen"
    taken = own.get(f"{address}/@@edit?draft=1").text
    assert "前置胎盘" in taken
    own.post(f"{address}/@@edit", form(hospital, int(version_in(taken)), diagnosis="前置胎盘"))
    assert kept(hospital) == []
    assert "您有一份" not in own.get(f"{address}/@@edit").text


def test_a_draft_can_be_discarded_and_one_that_says_nothing_new_is_none(
    hospital: Hospital, address: str, browser: Browse
) -> None:
    own = browser("archivist")
    own.post(f"{address}/@@draft/edit", form(hospital, diagnosis="前置胎盘"))
    own.post(f"{address}/@@draft/edit/discard")
    assert kept(hospital) == []
    own.post(f"{address}/@@draft/edit", form(hospital))
    assert kept(hospital) == []


def test_nobody_else_meets_a_draft(hospital: Hospital, address: str, browser: Browse) -> None:
    browser("archivist").post(f"{address}/@@draft/edit", form(hospital, diagnosis="前置胎盘"))
    assert "您有一份" not in browser("senior").get(f"{address}/@@edit").text
    assert browser("senior").post(f"{address}/@@draft/edit/discard").status_code == 302
    assert len(kept(hospital)) == 1, "a colleague discards their own at most"
    for account, status in (("scanner", 403), ("stranger", 404), ("auditor", 404), ("sysadmin", 404)):
        answer = browser(account).post(f"{address}/@@draft/edit", form(hospital, diagnosis="前置胎盘"))
        assert answer.status_code == status, account
    assert len(kept(hospital)) == 1


def test_what_is_sent_after_the_session_ended_is_offered_to_the_same_person(
    hospital: Hospital, address: str, browser: Browse
) -> None:
    own = browser("archivist")
    token = own.token("/sessions")
    end_all_sessions(hospital)
    sent = form(hospital, diagnosis="胎盘早剥") | {"csrf_token": token}
    answer = own.client.post(f"{address}/@@edit", data=sent)
    assert answer.status_code == 401
    assert "所填内容已保留" in answer.text
    assert (
        f"next={address}/@@edit".replace("/", "%2F").replace("@", "%40") in answer.text
        or "next=/a/" in answer.text
    )
    with hospital.uow("archivist", readonly=True) as uow:
        assert uow.node(address.removeprefix("/a/")).data["diagnosis"] == RECORD["diagnosis"], (
            "nothing was saved"
        )
    assert own.sign_in("archivist").status_code == 302
    assert "您有一份" in own.get(f"{address}/@@edit").text
    other = browser("senior")
    assert "您有一份" not in other.get(f"{address}/@@edit").text


def test_what_is_added_after_the_session_ended_is_kept_too(
    hospital: Hospital, address: str, browser: Browse
) -> None:
    own = browser("archivist")
    token = own.token("/sessions")
    end_all_sessions(hospital)
    typed = {"title": "手术记录", "component": "RY", "csrf_token": token}
    assert own.client.post(f"{address}/@@add?type=component", data=typed).status_code == 401
    assert own.sign_in("archivist").status_code == 302
    assert "手术记录" in own.get(f"{address}/@@add?type=component&draft=1").text
    own.post(f"{address}/@@add?type=component", {"title": "手术记录", "component": "RY"})
    assert kept(hospital) == []


def session_ends_while_sending(
    hospital: Hospital, own: Browser, place: str, form: str, typed: dict[str, str]
) -> None:
    """A form is sent with a session that has ended; the same person signs in again."""
    sent = typed | {"csrf_token": own.token("/sessions"), "version": version_in(own.get(form).text)}
    end_all_sessions(hospital)
    answer = own.client.post(place, data=sent)
    assert answer.status_code == 401
    assert "所填内容已保留" in answer.text
    assert own.sign_in("archivist").status_code == 302


@once
def test_what_was_keyed_is_kept_with_what_agrees_and_offered_to_its_person(
    hospital: Hospital, record: int, paged: None, address: str, browser: Browse
) -> None:
    own = browser("archivist")
    with hospital.uow("archivist", readonly=True) as uow:
        desk = f"/keying/{uow.node(record).uuid}"
    typed = {
        "task": "first",
        "patient_name": RECORD["patient_name"],
        "attending": "王芳",
        "other.birth": "19940302",
    }
    session_ends_while_sending(hospital, own, desk, desk, typed)
    del typed["task"]
    assert kept(hospital) == [typed]
    offered = own.get(desk).text
    assert "您有一份" in offered
    assert "王芳" not in offered
    assert "data-draft=" not in offered
    taken = own.get(f"{desk}?draft=1").text
    assert 'value="王芳"' in taken
    assert "data-unsaved" in taken
    assert own.post(f"{address}/@@draft/keying", typed | {"attending": "周敏"}).status_code == 200
    assert kept(hospital) == [typed | {"attending": "周敏"}]
    assert own.post(f"{address}/@@draft/keying/discard").location == desk
    assert kept(hospital) == []
    assert "data-draft=" in own.get(desk).text


@once
def test_a_corrected_text_is_kept_and_ends_when_it_is_saved(
    hospital: Hospital, paged: None, address: str, browser: Browse
) -> None:
    own, place = browser("archivist"), f"{address}/++page++1/correct"
    session_ends_while_sending(hospital, own, place, place, {"text": "糖尿病"})
    assert kept(hospital) == [{"text": "糖尿病"}]
    assert "您有一份" in own.get(place).text
    assert "您有一份" not in browser("senior").get(place).text
    taken = own.get(f"{place}?draft=1").text
    assert "糖尿病</textarea>" in taken
    assert own.post(place, {"text": "糖尿病", "version": version_in(taken)}).status_code == 303
    assert kept(hospital) == []
    draft = f"{address}/@@draft/text.1"
    assert own.post(draft, {"text": "糖尿病"}).status_code == 200
    assert kept(hospital) == [], "it says nothing new"
    assert own.post(f"{draft}/discard").location == place
    assert own.post(f"{address}/@@draft/text.9", {"text": "糖尿病"}).status_code == 404
    assert own.post(f"{address}/@@draft/text.x/discard").status_code == 404
    for account, status in (("scanner", 403), ("stranger", 404), ("auditor", 404), ("sysadmin", 404)):
        assert browser(account).post(draft, {"text": "别的"}).status_code == status, account


def test_somebody_who_never_signed_in_leaves_nothing(
    hospital: Hospital, address: str, browser: Browse
) -> None:
    nobody = browser()
    answer = nobody.post(f"{address}/@@edit", form(hospital, diagnosis="胎盘早剥"), page="/sign-in")
    assert answer.status_code == 401
    assert "所填内容已保留" not in answer.text
    assert kept(hospital) == []


def test_a_draft_is_no_act_of_the_journal(hospital: Hospital, address: str, browser: Browse) -> None:
    def events() -> int:
        with hospital.site.session(readonly=True) as session:
            return len(session.scalars(select(AuditEvent.id)).all())

    own = browser("archivist")
    before = events()
    own.post(f"{address}/@@draft/edit", form(hospital, diagnosis="前置胎盘"))
    assert events() == before


def conflict(hospital: Hospital, address: str, browser: Browse) -> tuple[Browser, str]:
    """Two open the form at once; the senior saves first, and the archivist meets it."""
    theirs, mine = browser("senior"), browser("archivist")
    theirs.post(f"{address}/@@edit", form(hospital, 1, diagnosis="前置胎盘", attending="李主任"))
    answer = mine.post(f"{address}/@@edit", form(hospital, 1, diagnosis="胎盘早剥", operations="剖宫产"))
    assert answer.status_code == 409
    return mine, answer.text


def test_two_who_saved_at_once_choose_field_by_field(
    hospital: Hospital, address: str, browser: Browse
) -> None:
    mine, page = conflict(hospital, address, browser)
    radios = dict(re.findall(r'type="radio" name="(\w+)" value="([^"]*)" checked', page))
    assert radios == {"diagnosis": "胎盘早剥", "attending": "李主任", "operations": "剖宫产"}
    assert page.count("双方都改过") == 1
    mine.post(
        f"{address}/@@edit", form(hospital, int(version_in(page)), **radios | {"diagnosis": "前置胎盘"})
    )
    with hospital.uow("archivist", readonly=True) as uow:
        data = uow.node(address.removeprefix("/a/")).data
    assert (data["diagnosis"], data["attending"], data["operations"]) == ("前置胎盘", "李主任", "剖宫产")


def test_only_whoever_could_save_keeps_a_draft(hospital: Hospital, record: int) -> None:
    for account in ("clinician", "stranger", "auditor"):
        with pytest.raises(NotFound), hospital.uow(account) as uow:
            drafts.keep(uow, uow.node(record), drafts.EDIT, {"diagnosis": "前置胎盘"})
    with pytest.raises(Forbidden), hospital.uow("scanner") as uow:
        drafts.keep(uow, uow.node(record), drafts.EDIT, {"diagnosis": "前置胎盘"})


def test_drafts_nobody_comes_back_to_are_cleaned_away(hospital: Hospital, record: int, clock: object) -> None:
    with hospital.uow("archivist") as uow:
        drafts.keep(uow, uow.node(record), drafts.EDIT, {"diagnosis": "前置胎盘"}, 1)
    hospital.clock.forward(days=29)
    drafts.clean_up(hospital.site)
    assert len(kept(hospital)) == 1
    hospital.clock.forward(days=2)
    drafts.clean_up(hospital.site)
    assert kept(hospital) == []
