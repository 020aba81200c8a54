"""The pages on which a policy is read, written, compared and adopted."""

import html
import re

from archive.models import PolicyVersion
from archive.policy import toml
from archive.services import policies
from tests.blueprints.conftest import Browse, words_of
from tests.conftest import CAST, Hospital

RULE = "院办〔2026〕88号《病历借阅管理规定》"
PAGE = "/control/policy/loans/next"
GIVEN = {"source": RULE, "day": "2026-11-20", "after": "1"}


def text_of(kind: str) -> str:
    return toml.written({name: part for name, part in policies.seeds()[kind].items() if name != "source"})


def test_only_whoever_configures_the_system_gets_the_form(hospital: Hospital, browser: Browse) -> None:
    for account in CAST:
        expected = 200 if account == "sysadmin" else 403
        own = browser(account)
        assert own.get(PAGE).status_code == expected, account
        if account != "sysadmin":
            assert own.post(PAGE, GIVEN).status_code == 403
            assert (
                own.post("/control/policy/loans/adopt", GIVEN | {"text": text_of("loans")}).status_code == 403
            )


def test_a_policy_is_changed_field_by_field_compared_and_adopted(hospital: Hospital, browser: Browse) -> None:
    own = browser("sysadmin")
    form = own.get(PAGE).text
    typed = dict(re.findall(r'name="([^"]+/[^"]+)" value="(\d+)"', form))
    assert typed["rules/treatment/paper_days"] == "3"
    shown = own.post(PAGE, typed | GIVEN | {"rules/treatment/paper_days": "5"}).text
    assert "再次住院或诊疗 › 纸质借阅天数" in shown
    assert "尚未发布" in shown
    fields = re.findall(r'name="(text|source|day|after)" value="([^"]*)"', shown)
    hidden = {name: html.unescape(value) for name, value in fields}
    again = own.post(PAGE, hidden | {"again": "1"})
    assert "制度全文" in again.text
    done = own.post("/control/policy/loans/adopt", hidden, follow_redirects=True).text
    assert "第 2 版已发布" in done
    assert RULE in done
    assert "sysadmin甲" in done
    with hospital.site.session(readonly=True) as session:
        row = session.query(PolicyVersion).filter_by(kind="loans", version=2).one()
        assert row.body["rules"]["treatment"]["paper_days"] == 5


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(
    hospital: Hospital, browser: Browse
) -> None:
    own = browser("sysadmin")
    typed = dict(re.findall(r'name="([^"]+/[^"]+)" value="(\d+)"', own.get(PAGE).text))
    got = own.post(PAGE, typed | GIVEN | {"limits/open_requests": "0", "source": ""})
    assert got.status_code == 422
    assert "不得小于 1" in got.text
    assert "请写明依据" in got.text
    assert re.search(r'name="limits/open_requests" value="0"[^>]*aria-invalid="true"', got.text)


def test_a_text_that_cannot_be_read_comes_back_as_it_was(hospital: Hospital, browser: Browse) -> None:
    text = text_of("retention") + "\n[rules.D99\n"
    got = browser("sysadmin").post("/control/policy/retention/next", GIVEN | {"text": text})
    assert got.status_code == 422
    assert "[rules.D99" in got.text
    assert "第 " in got.text


def test_a_code_in_use_stays_also_when_the_page_is_passed_by(hospital: Hospital, browser: Browse) -> None:
    text = "\n".join(line for line in text_of("retention").splitlines() if not line.startswith("inpatient"))
    got = browser("sysadmin").post("/control/policy/retention/adopt", GIVEN | {"text": text})
    assert got.status_code == 422
    assert "rules.inpatient: 已有档案按此期限保管" in got.text


def test_another_who_was_quicker_is_not_overwritten(hospital: Hospital, browser: Browse) -> None:
    own = browser("sysadmin")
    text = text_of("loans").replace("open_requests = 50", "open_requests = 60")
    assert own.post("/control/policy/loans/adopt", GIVEN | {"text": text}).status_code == 302
    late = own.post("/control/policy/loans/adopt", GIVEN | {"text": text.replace("60", "70")})
    assert late.status_code == 409
    assert "第 2 版" in late.text


def test_earlier_versions_are_read_and_the_one_in_force_is_marked(
    hospital: Hospital, browser: Browse
) -> None:
    own = browser("sysadmin")
    text = text_of("loans").replace("open_requests = 50", "open_requests = 61")
    own.post("/control/policy/loans/adopt", GIVEN | {"text": text})
    assert "61" in words_of(own.get("/control/policy/loans"))
    old = words_of(own.get("/control/policy/loans?version=1"))
    assert "这不是现行版本" in old
    assert "61" not in old
    assert own.get("/control/policy/loans?version=9").status_code == 404


def test_the_form_of_an_unknown_policy_is_not_found(browser: Browse) -> None:
    assert browser("sysadmin").get("/control/policy/nonsense/next").status_code == 404


def test_sources_are_said_in_the_language_of_the_interface(hospital: Hospital, browser: Browse) -> None:
    own = browser("sysadmin")
    assert "默认借阅规则" in own.get("/control").text
    own.client.set_cookie("locale", "en")
    assert "Default borrowing matrix" in own.get("/control").text


def test_the_lending_rules_are_tried_without_asking_for_anything(browser: Browse) -> None:
    own = browser("sysadmin")
    address = "/control/policy/loans/try"
    assert "试算借阅规则" in own.get("/control/policy/loans").text
    assert "h-said" not in own.get(address).text
    said = words_of(own.get(f"{address}?role=clinician&purpose=research&level=2"))
    assert "科研教学（敏感病案）" in said
    assert "规则未允许" in said  # on paper
    assert "该角色不能申请这类病案" in said  # S2 is beyond a clinician, whatever the rules allow
    assert "病案所在科室的科主任" in said
    ordinary = words_of(own.get(f"{address}?role=clinician&purpose=treatment&level=1"))
    assert "纸质 3 个工作日" in ordinary
    assert "该角色不能申请" not in ordinary
    assert own.get(f"{address}?role=auditor&purpose=x&level=9").status_code == 422
    for account, status in (
        ("senior", 200),
        ("head", 200),
        ("clerk", 403),
        ("clinician", 403),
        ("auditor", 403),
    ):
        other = browser(account)
        assert {other.get(page).status_code for page in (address, "/control/policy/loans")} == {status}, (
            account
        )
        assert other.get("/control/policy/gates").status_code == 403
    rules = browser("senior").get("/control/policy/loans").text
    assert "/control/policy/loans/next" not in rules
    assert 'href="/control"' not in rules
    assert 'href="/control/policy/loans"' in browser("head").get("/approvals").text
