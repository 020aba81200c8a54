"""保管期限 on the forms: chosen when something is described, changed with a reason once it has its number."""

import re

from flask import Flask
from werkzeug.test import TestResponse

from archive.services import steps
from archive.sight import href
from archive.site import Site
from tests.blueprints.conftest import Browse
from tests.blueprints.test_api import token_of
from tests.conftest import CAST, Hospital
from tests.services.test_retention import NOTICE, add, archive_it


def address(hospital: Hospital, number: int) -> str:
    with hospital.uow("senior", readonly=True) as uow:
        return href(uow, uow.node(number))


def test_the_form_offers_the_periods_of_the_policy_and_the_type_s_own_first(
    hospital: Hospital, browser: Browse
) -> None:
    page = browser("senior").get("/a/h001/ws/@@add?type=document").text
    choices = re.search(r'<select[^>]*name="retention".*?</select>', page, re.DOTALL)
    assert choices
    assert re.findall(r'<option value="([^"]*)"( selected)?', choices[0]) == [
        ("", ""), ("Y", ""), ("D30", " selected"), ("D15", ""), ("D10", ""),
    ]  # fmt: skip


def test_a_medical_record_is_kept_as_the_rule_says(hospital: Hospital, browser: Browse) -> None:
    assert 'name="retention"' not in browser("archivist").get("/a/h001/zy-bl/@@add?type=medical_record").text


def test_what_is_added_lies_in_the_series_of_its_period(hospital: Hospital, browser: Browse) -> None:
    made = browser("senior").post("/a/h001/ws/@@add?type=document", NOTICE | {"retention": "Y"})
    assert "/ws/2026-y/" in made.headers["Location"]


def test_a_numbered_document_gets_another_period_on_a_page_of_its_own(
    hospital: Hospital, browser: Browse
) -> None:
    number = add(hospital)
    archive_it(hospital, number)
    own, page = browser("senior"), address(hospital, number)
    assert "调整保管期限" in own.get(page).text
    assert "不变" in own.get(f"{page}/@@retention").text
    refused = own.post(f"{page}/@@retention", {"retention": "Y", "reason": ""})
    assert refused.status_code == 422
    assert "请用一句话说明理由" in refused.text or "jz-error" in refused.text
    done = own.post(
        f"{page}/@@retention", {"retention": "Y", "reason": "鉴定小组决定"}, follow_redirects=True
    ).text
    assert "永久" in done
    assert "H001-WS·2026·D30-00001" in done


def test_nobody_but_who_classifies_has_the_button_or_the_page(hospital: Hospital, browser: Browse) -> None:
    number = add(hospital)
    archive_it(hospital, number)
    page = address(hospital, number)
    for account in set(CAST) - {"senior"}:
        own = browser(account)
        assert "@@retention" not in own.get(page).text
        assert own.get(f"{page}/@@retention").status_code in {403, 404}
        assert own.post(f"{page}/@@retention", {"retention": "Y", "reason": "试"}).status_code in {403, 404}


def test_the_page_is_not_there_before_the_number_is_given(hospital: Hospital, browser: Browse) -> None:
    page = address(hospital, add(hospital))
    assert browser("senior").get(f"{page}/@@retention").status_code == 404


def test_correcting_shows_no_field_that_the_number_says(hospital: Hospital, browser: Browse) -> None:
    number = add(hospital)
    page = address(hospital, number)
    assert 'name="retention"' in browser("senior").get(f"{page}/@@edit").text
    archive_it(hospital, number)
    with hospital.uow("senior") as uow:
        steps.take(uow, uow.node(number), "correct", reason="题名有误")
    page = address(hospital, number)
    own = browser("senior")
    assert 'name="retention"' not in own.get(f"{page}/@@edit").text
    with hospital.uow("senior", readonly=True) as uow:
        version = str(uow.node(number).version)
    assert own.post(f"{page}/@@edit", NOTICE | {"title": "更正", "version": version}).status_code == 302


def test_a_program_says_and_changes_the_period_as_a_person_does(
    hospital: Hospital, app: Flask, site: Site
) -> None:
    def asked(account: str, path: str, body: dict[str, object]) -> TestResponse:
        proof = {"Authorization": f"Bearer {token_of(site, account)}"}
        return app.test_client(use_cookies=False).post(f"/api/v1{path}", json=body, headers=proof)

    said = {name: value for name, value in NOTICE.items() if name != "title"} | {"retention": "D10"}
    made = asked(
        "senior", "/nodes", {"parent": "/h001/ws", "type": "document", "title": "通知", "fields": said}
    )
    assert (made.status_code, made.json and made.json["fields"]["retention"]) == (201, "D10")
    number = add(hospital)
    archive_it(hospital, number)
    with hospital.uow("senior", readonly=True) as uow:
        path = f"/nodes/{uow.node(number).uuid}/retention"
    assert asked("archivist", path, {"retention": "Y", "reason": "鉴定"}).status_code == 403
    assert asked("senior", path, {"retention": "Y", "reason": ""}).status_code == 422
    got = asked("senior", path, {"retention": "Y", "reason": "鉴定"})
    assert got.json
    assert (got.json["fields"]["retention"], got.json["archival_no"]) == ("Y", "H001-WS·2026·D30-00001")
