"""People, their accounts, their roles and one's own password, as they are clicked through."""

import pytest
from sqlalchemy import select

from archive.journal import CHANGES, words_of
from archive.models import AuditEvent, Principal, Session, User
from tests.blueprints.conftest import Browse
from tests.conftest import CAST, PASSWORD, Hospital
from tests.services.lending import BARCODE, approved, archive_it, issue

NEW, OWN = "four horses in the rain", "seven boats on the lake"


def page_of(hospital: Hospital, account: str) -> str:
    with hospital.site.session(readonly=True) as session:
        return f"/people/{session.get_one(Principal, hospital.people[account]).uuid}"


def test_the_list_and_a_page_are_for_those_who_keep_accounts_or_give_roles(
    hospital: Hospital, browser: Browse
) -> None:
    person = page_of(hospital, "clinician")
    for account in CAST:
        own = browser(account)
        expected = 200 if account in {"sysadmin", "security"} else 403
        assert (own.get("/people").status_code, own.get(person).status_code) == (expected, expected), account


def test_whoever_is_not_signed_in_is_asked_to(browser: Browse) -> None:
    for page in ("/people", "/control", "/me/password"):
        answer = browser().get(page)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/sign-in")


def test_the_menu_offers_people_only_to_those_two(hospital: Hospital, browser: Browse) -> None:
    for account in ("sysadmin", "security", "clerk", "auditor"):
        shown = 'href="/people"' in browser(account).get("/sessions").text
        assert shown is (account in {"sysadmin", "security"})


def test_a_new_person_is_made_given_a_role_and_works(
    hospital: Hospital, browser: Browse, address: str
) -> None:
    sysadmin, security = browser("sysadmin"), browser("security")
    typed = {"name": "周敏", "staff_no": "2001", "password": NEW, "departments": [str(hospital.wards["CK"])]}
    made = sysadmin.post("/people/add", typed, page="/people/add")
    assert made.status_code == 302
    person = made.headers["Location"]
    newcomer = browser()
    assert newcomer.sign_in("2001", NEW).status_code == 302
    for page in ("/", "/a/", "/sessions", "/people"):
        assert newcomer.get(page).headers["Location"] == "/me/password", page
    form = newcomer.get("/me/password").text
    assert "此密码由他人设定" in form
    assert 'href="/jobs"' not in form
    own = {"old": NEW, "new": OWN, "again": OWN}
    assert newcomer.post("/me/password", own, page="/me/password").headers["Location"] == "/"
    assert newcomer.get("/a/").status_code == 403
    assert security.post(f"{person}/roles", {"role": "archivist"}, page=person).status_code == 302
    assert security.post(f"{person}/clearance", {"level": "1"}, page=person).status_code == 302
    assert newcomer.get(address).status_code == 200
    assert security.post(f"{person}/roles/archivist/withdraw", page=person).status_code == 302
    assert newcomer.get(address).status_code == 404
    shown = security.get(person).text
    assert "security甲 收回角色" in shown
    assert "产科" in shown


def test_a_refused_new_person_keeps_what_was_typed_but_the_password(
    hospital: Hospital, browser: Browse
) -> None:
    ward = str(hospital.wards["CK"])
    typed = {"name": "周敏", "staff_no": "0001", "password": "too few", "departments": [ward]}
    answer = browser("sysadmin").post("/people/add", typed)
    assert answer.status_code == 422
    assert "已有人用它登录" in answer.text
    assert 'value="周敏"' in answer.text
    assert f'value="{ward}" checked' in answer.text
    assert "too few" not in answer.text


def test_a_disabled_person_is_out_with_the_next_click(hospital: Hospital, browser: Browse) -> None:
    clerk, sysadmin, person = browser("clerk"), browser("sysadmin"), page_of(hospital, "clerk")
    assert clerk.get("/sessions").status_code == 200
    assert sysadmin.post(f"{person}/disable", page=person).status_code == 302
    assert clerk.get("/sessions").headers["Location"].startswith("/sign-in")
    assert browser().sign_in("clerk").status_code == 422
    assert "clerk甲" not in sysadmin.get("/people").text
    assert "clerk甲" in sysadmin.get("/people?disabled=1").text
    assert sysadmin.post(f"{person}/enable", page=person).status_code == 302
    assert browser().sign_in("clerk").status_code == 302


def test_a_conflict_of_duty_is_refused_in_words_and_was_not_offered(
    hospital: Hospital, browser: Browse
) -> None:
    person = page_of(hospital, "archivist")
    security = browser("security")
    shown = security.get(person).text
    assert '<option value="clerk">' in shown
    assert '<option value="sysadmin">' not in shown
    answer = security.post(f"{person}/roles", {"role": "sysadmin"}, page=person)
    assert answer.status_code == 409
    assert "系统管理员与档案管理员不相容" in answer.text


def test_a_role_that_is_none_and_a_day_that_is_over_are_refused(hospital: Hospital, browser: Browse) -> None:
    person, security = page_of(hospital, "stranger"), browser("security")
    for typed in (
        {"role": "reader"},
        {"role": ""},
        {"role": "duty", "until": "2020-01-01"},
        {"role": "duty", "until": "x"},
    ):
        assert security.post(f"{person}/roles", typed, page=person).status_code == 422


def test_nobody_finds_a_form_for_their_own_roles_or_gets_through_one(
    hospital: Hospital, browser: Browse
) -> None:
    person, security = page_of(hospital, "security"), browser("security")
    assert f"{person}/roles" not in security.get(person).text
    assert security.post(f"{person}/roles", {"role": "archivist"}).status_code == 409
    assert security.post(f"{person}/clearance", {"level": "3"}).status_code == 409


def test_the_system_administrator_gives_no_role_and_the_security_administrator_keeps_no_account(
    hospital: Hospital, browser: Browse
) -> None:
    person = page_of(hospital, "stranger")
    sysadmin, security = browser("sysadmin"), browser("security")
    assert f"{person}/roles" not in sysadmin.get(person).text
    assert f"{person}/disable" not in security.get(person).text
    assert sysadmin.post(f"{person}/roles", {"role": "clerk"}).status_code == 403
    assert sysadmin.post(f"{person}/clearance", {"level": "3"}).status_code == 403
    assert security.post(f"{person}/disable").status_code == 403
    assert security.post(f"{person}/password", {"password": NEW}).status_code == 403
    assert security.get("/people/add").status_code == 403


def test_names_and_departments_are_changed_and_whoever_saves_second_is_told(
    hospital: Hospital, browser: Browse
) -> None:
    person, sysadmin = page_of(hospital, "clinician"), browser("sysadmin")
    with hospital.site.session(readonly=True) as session:
        version = session.get_one(User, hospital.people["clinician"]).version
    typed = {"name": "周敏", "departments": [str(hospital.wards["EK"])], "version": version}
    assert sysadmin.post(person, typed, page=person).status_code == 302
    assert "周敏" in sysadmin.get(person).text
    assert sysadmin.post(person, typed, page=person).status_code == 409


def test_a_person_who_is_not_there_is_not_found(browser: Browse) -> None:
    assert browser("security").get("/people/00000000-0000-4000-8000-000000000000").status_code == 404


@pytest.mark.parametrize("account", ["clinician", "auditor", "security", "sysadmin", "stranger"])
def test_everybody_changes_their_own_password_and_only_this_session_stays(
    hospital: Hospital, browser: Browse, account: str
) -> None:
    here, there = browser(account), browser(account)
    assert 'href="/me/password"' in here.get("/sessions").text
    wrong = here.post("/me/password", {"old": "guess", "new": NEW, "again": NEW}, page="/me/password")
    assert (wrong.status_code, "密码不正确" in wrong.text) == (422, True)
    right = here.post("/me/password", {"old": PASSWORD, "new": NEW, "again": NEW}, page="/me/password")
    assert right.status_code == 302
    assert here.get("/sessions").status_code == 200
    assert there.get("/sessions").status_code == 302
    assert browser().sign_in(account).status_code == 422
    assert browser().sign_in(account, NEW).status_code == 302


def test_too_many_wrong_passwords_say_when_to_try_again(browser: Browse) -> None:
    stranger = browser()
    answers = [stranger.sign_in("clerk", f"wrong {n}") for n in range(7)]
    assert answers[-1].status_code == 429
    assert answers[-1].headers["Retry-After"] == "900"


def test_a_person_page_counts_what_is_open(hospital: Hospital, browser: Browse) -> None:
    browser("clerk")
    browser("clerk")
    with hospital.site.session(readonly=True) as session:
        count = len(
            session.scalars(select(Session.id).where(Session.user_id == hospital.people["clerk"])).all()
        )
    assert f"<dd>{count}</dd>" in browser("sysadmin").get(page_of(hospital, "clerk")).text


def test_everybody_says_themselves_whether_they_are_told_by_mail_and_the_journal_keeps_no_address(
    hospital: Hospital, browser: Browse
) -> None:
    mine, page = browser("clinician"), "/me/mail"
    assert f'href="{page}"' in mine.get("/sessions").text
    assert "医院尚未配置邮件服务器" in mine.get(page).text
    for typed in (
        "",
        "two@a.cn, three@a.cn",
        "a@b.cn\r\nBcc: c@d.cn",
        f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}",
    ):
        form = {"email": typed, "by_mail": "1", "locale": "en"}
        refused = mine.post(page, form, page=page)
        assert refused.status_code == 422
        assert f'value="{typed[:5]}' in refused.text, "as it was typed"
        assert 'aria-invalid="true"' in refused.text
        assert " checked" in refused.text
    refused = mine.post(page, {"email": "a@b.cn", "locale": "xx"}, page=page)
    assert (refused.status_code, " checked" in refused.text) == (422, False)
    kept = {"email": " cl@yunchuan.example ", "by_mail": "1", "locale": "en"}
    assert mine.post(page, kept, page=page).status_code == 302
    shown = mine.get(page).text
    assert 'value="cl@yunchuan.example"' in shown
    assert " checked" in shown
    with hospital.site.session(readonly=True) as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "user.mail_set")).one()
        assert words_of(session, CHANGES, event.id, hospital.site.keys) == {"by_mail": True}
        user = session.get_one(User, hospital.people["clinician"])
        assert (user.email, user.by_mail, user.locale) == ("cl@yunchuan.example", True, "en")
    assert mine.post(page, {"email": "", "locale": "zh_CN"}, page=page).status_code == 302
    assert 'value="cl@' not in mine.get(page).text


def test_an_account_with_volumes_out_is_closed_only_when_that_was_said(
    hospital: Hospital, record: int, browser: Browse
) -> None:
    issue(hospital, approved(hospital, "clinician", archive_it(hospital, record)))
    sysadmin, person = browser("sysadmin"), page_of(hospital, "clinician")
    assert 'name="anyway"' in sysadmin.get(person).text
    refused = sysadmin.post(f"{person}/disable", page=person)
    assert (refused.status_code, "尚有 1 卷在借" in refused.text) == (409, True)
    assert BARCODE not in refused.text
    assert sysadmin.post(f"{person}/disable", {"anyway": "1"}, page=person).status_code == 302
