"""The sharing page, as people click through it."""

import pytest
from sqlalchemy import select

from archive import classes
from archive.models import AuditEvent, LocalRole, Node, Principal, ReadEvent
from archive.services import sharing
from tests.blueprints.conftest import Browse
from tests.conftest import CAST, Hospital

PATIENT = "刘婷婷"


@pytest.fixture
def archived(hospital: Hospital, record: int, address: str) -> str:
    """Where the record is, which has been archived meanwhile."""
    with hospital.site.session() as session:
        node = session.get_one(Node, record, execution_options={"scope": "test"})
        node.state = "archived"
        session.flush()
        classes.classify_branch(session, node)
    return address


def uuid_of(hospital: Hospital, account: str) -> str:
    with hospital.site.session(readonly=True) as session:
        return str(session.get_one(Principal, hospital.people[account]).uuid)


def shares(hospital: Hospital) -> list[LocalRole]:
    with hospital.site.session(readonly=True) as session:
        return list(session.scalars(select(LocalRole)))


def test_only_whoever_may_share_sees_the_page(browser: Browse, address: str) -> None:
    expected = dict.fromkeys(CAST, 404) | {"senior": 200, "archivist": 403, "scanner": 403}
    answers = {account: browser(account).get(f"{address}/@@sharing").status_code for account in CAST}
    assert answers == expected


def test_the_page_says_who_why_and_until_when(browser: Browse, address: str) -> None:
    page = browser("senior").get(f"{address}/@@sharing").text
    assert "档案管理员" in page
    assert "全院角色，敏感授权级别不低于 S1" in page
    assert "停止继承" in page


def test_somebody_is_found_shared_with_and_reads_until_the_share_ends(
    hospital: Hospital, browser: Browse, address: str
) -> None:
    senior, colleague = browser("senior"), browser("clinician2")
    assert colleague.get(address).status_code == 404
    form = senior.get(f"{address}/@@sharing/add?q=0006").text
    assert "clinician2甲" in form
    typed = {
        "who": uuid_of(hospital, "clinician2"),
        "role": "contributor",
        "cause": "会诊",
        "until": "2026-12-31",
    }
    answer = senior.post(f"{address}/@@sharing/add", typed, page=f"{address}/@@sharing/add")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{address}/@@sharing")
    listed = senior.get(f"{address}/@@sharing").text
    assert "授为协作者：会诊" in listed
    assert "2026-12-31 23:59" in listed
    assert PATIENT[0] in colleague.get(address).text
    ended = senior.post(f"{address}/@@sharing/{shares(hospital)[0].id}/end", page=f"{address}/@@sharing")
    assert ended.status_code == 302
    assert colleague.get(address).status_code == 404


def test_a_refused_form_keeps_what_was_typed_and_says_what_is_wrong(browser: Browse, address: str) -> None:
    senior = browser("senior")
    answer = senior.post(
        f"{address}/@@sharing/add",
        {"q": "0006", "role": "steward", "cause": "年度整理", "until": "2020-01-01"},
    )
    assert answer.status_code == 422
    assert "请选择人员、组或科室。" in answer.text
    assert "这一天已经过去。" in answer.text
    assert 'value="年度整理"' in answer.text
    assert "clinician2甲" in answer.text
    assert 'value="steward" checked' in answer.text


def test_an_office_apart_is_refused_in_words(hospital: Hospital, browser: Browse, address: str) -> None:
    typed = {"who": uuid_of(hospital, "auditor"), "role": "reader", "cause": "查账"}
    answer = browser("senior").post(f"{address}/@@sharing/add", typed)
    assert answer.status_code == 409
    assert "不接触档案内容" in answer.text
    assert shares(hospital) == []


def test_without_the_token_of_a_page_nothing_is_shared(
    hospital: Hospital, browser: Browse, address: str
) -> None:
    typed = {"who": uuid_of(hospital, "clinician2"), "role": "reader", "cause": "会诊"}
    assert browser("senior").client.post(f"{address}/@@sharing/add", data=typed).status_code == 400
    assert shares(hospital) == []


def test_the_page_is_narrowed_to_what_was_shared_here(
    hospital: Hospital, browser: Browse, record: int, address: str
) -> None:
    with hospital.uow("senior") as uow:
        sharing.share(uow, uow.node(record), principal_id=hospital.wards["EK"], role="reader", cause="会诊")
    page = browser("senior").get(f"{address}/@@sharing?source=here").text
    assert "会诊" in page
    assert "档案管理员</b>" not in page


def test_inheritance_is_blocked_and_let_through_again(
    hospital: Hospital, browser: Browse, record: int, address: str
) -> None:
    senior = browser("senior")
    for inherits in ("0", "1"):
        assert senior.post(f"{address}/@@sharing/inheritance", {"inherits": inherits}).status_code == 302
        with hospital.site.session(readonly=True) as session:
            node = session.get_one(Node, record, execution_options={"scope": "test"})
            assert node.inherits is (inherits == "1")


def test_a_steward_who_shuts_themselves_out_lands_on_the_workbench(
    hospital: Hospital, browser: Browse, record: int, address: str
) -> None:
    with hospital.uow("senior") as uow:
        series = uow.node(uow.node(record).parent_id)
        sharing.share(uow, series, principal_id=hospital.people["clinician2"], role="steward")
    answer = browser("clinician2").post(
        f"{address}/@@sharing/inheritance", {"inherits": "0"}, follow_redirects=True
    )
    assert answer.request.path == "/"
    assert "您不再能在此授权" in answer.text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0004", "能看到题名"),
        ("0012", "看不到：检索不会出现"),
        ("clinician2", "只知道有此件"),
        ("9999", "没有这个姓名或工号"),
    ],
)
def test_the_record_is_tried_as_a_person(browser: Browse, archived: str, typed: str, said: str) -> None:
    assert said in browser("senior").get(f"{archived}/@@sharing?as={typed}").text


def test_several_of_a_name_are_offered_to_choose_from(browser: Browse, address: str) -> None:
    page = browser("senior").get(f"{address}/@@sharing?as=甲").text
    assert page.count("?as=00") > 5


def test_looking_leaves_a_line_that_says_as_whom_it_was_tried(
    hospital: Hospital, browser: Browse, record: int, address: str
) -> None:
    browser("senior").get(f"{address}/@@sharing?as=0004")
    with hospital.site.journal() as session:
        event = session.scalars(select(ReadEvent).where(ReadEvent.action == "sharing_show.viewed")).one()
        assert (event.actor, event.object_id, event.detail_hash is not None) == ("senior", record, True)


@pytest.mark.parametrize("account", ["archivist", "senior"])
def test_the_record_says_who_may_see_it_to_those_who_may_ask(
    browser: Browse, address: str, account: str
) -> None:
    page = browser(account).get(address).text
    assert "谁能看，为什么" in page
    assert ("@@sharing" in page) is (account == "senior")


def test_the_record_does_not_say_it_to_others(browser: Browse, address: str) -> None:
    assert "谁能看，为什么" not in browser("scanner").get(address).text


def test_each_change_leaves_its_event(hospital: Hospital, browser: Browse, address: str) -> None:
    senior = browser("senior")
    senior.post(
        f"{address}/@@sharing/add", {"who": uuid_of(hospital, "desk"), "role": "reader", "cause": "会诊"}
    )
    senior.post(f"{address}/@@sharing/{shares(hospital)[0].id}/end")
    senior.post(f"{address}/@@sharing/inheritance", {"inherits": "0"})
    with hospital.site.session(readonly=True) as session:
        told = session.scalars(
            select(AuditEvent.action).where(AuditEvent.action.like("node.%")).order_by(AuditEvent.id)
        )
        assert told.all()[-3:] == ["node.shared", "node.unshared", "node.inheritance_changed"]
