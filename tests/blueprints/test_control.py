"""The control panel: for whoever operates or configures the system, and without anything of any record."""

from datetime import timedelta

import pytest

from archive import worker
from archive.models import Job, Mail, PolicyVersion, Setting
from archive.services import catalogue, codes, policies
from tests.blueprints.conftest import Browse, words_of
from tests.conftest import CAST, RECORD, Hospital


def test_the_panel_is_for_the_system_administrator_alone(hospital: Hospital, browser: Browse) -> None:
    for account in CAST:
        own, expected = browser(account), 200 if account == "sysadmin" else 403
        for page in ("/control", "/control/policy/gates"):
            assert own.get(page).status_code == expected, account


def test_the_panel_shows_no_record_and_no_name_of_a_patient(
    hospital: Hospital, browser: Browse, record: int
) -> None:
    with hospital.site.session() as session:
        now = hospital.site.clock()
        session.add(Job(kind="branch.classify", args={"name": RECORD["patient_name"]}, node_id=record, state="failed",
                        message=RECORD["patient_name"], run_after=now, created_at=now, done_at=now))  # fmt: skip
    page = browser("sysadmin").get("/control").text
    assert "失败的任务" in page
    assert RECORD["patient_name"] not in page
    assert RECORD["mrn"] not in page


def test_a_silent_worker_is_told_from_one_that_lives(hospital: Hospital, browser: Browse) -> None:
    sysadmin = browser("sysadmin")
    assert "没有后台进程在运行" in sysadmin.get("/control").text
    with hospital.site.session() as session:
        now = hospital.site.clock()
        session.add(Setting(name="worker.one-1", value=now.isoformat()))
        session.add(Setting(name="worker.two-2", value=(now - timedelta(hours=1)).isoformat()))
    page = sysadmin.get("/control").text
    assert "没有后台进程在运行" not in page
    assert "运行正常" in page
    assert page.index("one-1") < page.index("two-2")
    assert "无响应" in page


def test_mail_that_is_not_sent_is_said_plainly_and_what_was_given_up_is_shown(
    hospital: Hospital, browser: Browse
) -> None:
    sysadmin = browser("sysadmin")
    page = sysadmin.get("/control").text
    assert "未启用：没有配置邮件服务器" in page
    assert "放弃发送的邮件" not in page
    with hospital.site.session() as session:
        now = hospital.site.clock()
        session.add(Mail(principal_id=hospital.people["clinician"], kind="digest", key="digest:2026-11-20", day=now.date(),
                         at=now, due_at=now, state="failed", tries=1, error="550 <no> such user"))  # fmt: skip
    hospital.site.settings = hospital.site.settings.model_copy(update={"smtp_host": "post.example"})
    page = sysadmin.get("/control").text
    assert "post.example:587，尚未发送过" in page
    assert "放弃发送的邮件" in page
    assert "550 &lt;no&gt; such user" in page


def test_every_policy_in_force_is_listed_and_can_be_read(hospital: Hospital, browser: Browse) -> None:
    sysadmin = browser("sysadmin")
    panel = sysadmin.get("/control").text
    for kind, body in policies.seeds().items():
        assert f'href="/control/policy/{kind}"' in panel
        page = sysadmin.get(f"/control/policy/{kind}")
        assert page.status_code == 200
        assert body["source"]["zh"] in page.text


def test_a_version_that_is_not_valid_yet_is_listed_but_not_in_force(
    hospital: Hospital, browser: Browse
) -> None:
    with hospital.site.session() as session:
        later = hospital.site.clock() + timedelta(days=30)
        body = {"limits": {"open_requests": 99}}
        session.add(
            PolicyVersion(
                kind="loans",
                version=2,
                body=body,
                source={"zh": "2027年办公会"},
                adopted_at=later,
                valid_from=later,
            )
        )
    page = words_of(browser("sysadmin").get("/control/policy/loans"))
    assert "2027年办公会" in page
    assert "99" not in page
    assert "第 1 版" in page


def test_an_unknown_policy_is_not_found(browser: Browse) -> None:
    assert browser("sysadmin").get("/control/policy/nonsense").status_code == 404


@pytest.mark.parametrize("word", ["国庆节", "2026-10-01 – 2026-10-07", "调休上班", "sqlalchemy", "juanzong"])
def test_the_panel_shows_the_calendar_and_the_versions(browser: Browse, word: str) -> None:
    assert word in browser("sysadmin").get("/control").text


def test_the_index_page_tells_how_it_is_and_has_it_rebuilt_once(
    hospital: Hospital, browser: Browse, record: int
) -> None:
    for account in CAST:
        if account != "sysadmin":
            own = browser(account)
            assert own.get("/control/index").status_code == 403, account
            assert own.post("/control/index/rebuild").status_code == 403, account
    sysadmin = browser("sysadmin")
    assert "索引缺失或已损坏" in sysadmin.get("/control/index").text
    assert sysadmin.post("/control/index/rebuild", page="/control/index").status_code == 302
    page = sysadmin.get("/control/index").text
    assert "正在重建索引" in page
    assert "/control/index/rebuild" not in page
    assert sysadmin.post("/control/index/rebuild").status_code == 409
    worker.work(hospital.site, once=True)
    page = sysadmin.get("/control/index").text
    assert "正在重建索引" not in page
    assert "缺失" not in page
    assert RECORD["patient_name"] not in page
    with hospital.uow("sysadmin", readonly=True) as uow:
        state = catalogue.state(uow)
    assert state.stats is not None
    assert (state.stats.documents, state.stats.deleted, state.lag.changes) == (state.wanted, 0, 0)
    assert state.stats.size > 0


def test_the_index_page_shows_how_long_searches_took_and_neither_words_nor_people(
    hospital: Hospital, browser: Browse, record: int
) -> None:
    catalogue.rebuild(hospital.site)
    sysadmin = browser("sysadmin")
    assert "这些天没有人检索" in sysadmin.get("/control/index").text
    assert (
        browser("archivist").ask("/search", q=f"{RECORD['diagnosis']} 诊断:瘢痕", year="2026").status_code
        == 200
    )
    page = sysadmin.get("/control/index").text
    assert "2 个词" in page
    assert "筛选：年度" in page
    assert "全库检索" in page
    assert "常驻内存备查" in page, "the search left something there"
    for word in (RECORD["diagnosis"], "瘢痕", RECORD["patient_name"], "archivist"):
        assert word not in page


def test_the_panel_says_which_codes_are_loaded_and_where_they_are_from(
    hospital: Hospital, browser: Browse
) -> None:
    admin = browser("sysadmin")
    page = " ".join(words_of(admin.get("/control")).split())
    assert "ICD-10 疾病编码 三位类目" in page
    assert "chaseliu/ICD-10-CN (MIT)" in page
    assert "ICD-9-CM-3 手术操作编码 尚未导入" in page
    with hospital.uow("sysadmin") as uow:
        codes.load(
            uow, codes.Loading("ICD-9-CM-3", "国家临床版 3.0", "国卫办医函", [codes.Coded("74.1", "剖宫产")])
        )
    page = " ".join(words_of(admin.get("/control")).split())
    assert "ICD-9-CM-3 手术操作编码 国家临床版 3.0 1 2026-11-20 国卫办医函" in page
