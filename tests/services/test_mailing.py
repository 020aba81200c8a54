"""邮件通知, against a server that speaks SMTP: one a day, at once what cannot wait, never a word of a record."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from archive import worker
from archive.models import AuditSeal, Mail, Notice, Setting, User
from archive.policy.permissions import P
from archive.services import loans, mailing, notice_words, notices, people, post, slips, tree
from archive.settings import BadSettings, load
from archive.site import Site
from tests import smtp
from tests.archives import Clock, begins, once
from tests.conftest import RECORD, Hospital
from tests.services.lending import another, approved, archive_it, ask, issue, step

TEST: dict[str, Any] = {"scope": "test"}


@begins
def told(hospital: Hospital, record: int) -> list[str]:
    """A clinician has been told of three readings that were approved; gives the slips."""
    numbers = [archive_it(hospital, record), *(another(hospital, mrn=f"0030000{n}") for n in range(2))]
    return [approved(hospital, "clinician", number, kind="eread") for number in numbers]


@pytest.fixture
def office(site: Site) -> Iterator[smtp.Office]:
    with smtp.office() as opened:
        configure(site, smtp_port=opened.port)
        yield opened


def configure(site: Site, **more: Any) -> None:
    """What the settings say of mail, from now on."""
    plain = {"smtp_host": "127.0.0.1", "smtp_security": "none", "smtp_from": "archive@yunchuan.example",
             "address": "https://archive.yunchuan.example/"}  # fmt: skip
    site.settings = type(site.settings).model_validate(site.settings.model_dump() | plain | more)


def tick(hospital: Hospital, account: str, *, by_mail: bool = True, locale: str = "zh_CN") -> None:
    with hospital.uow(account) as uow:
        people.set_own_mail(uow, email=f"{account}@yunchuan.example", by_mail=by_mail, locale=locale)


def rows(site: Site) -> list[Mail]:
    with site.session(readonly=True) as session:
        return list(session.scalars(select(Mail).order_by(Mail.id)))


def test_many_notices_make_one_mail_a_day_and_no_word_of_a_record_is_in_it(
    hospital: Hospital, told: list[str], office: smtp.Office, clock: Clock
) -> None:
    elsewhere = approved(hospital, "clinician2", another(hospital, mrn="00400001", ward="EK"))
    tick(hospital, "clinician")
    tick(hospital, "clinician2", by_mail=False)
    tick(hospital, "head")  # who has been told nothing
    assert mailing.deliver(hospital.site) == 1
    (letter,) = office.letters
    text = f"{letter['Subject']} {letter.get_content()}"
    assert letter["To"] == "clinician@yunchuan.example"
    assert letter["From"].addresses[0].addr_spec == "archive@yunchuan.example"
    assert letter["Subject"].endswith("3 条未读通知")
    assert "您的申请已批准，可以阅览：3" in text
    assert all(number in text for number in told)
    assert "https://archive.yunchuan.example/notices" in text
    assert elsewhere not in text
    for word in ("刘", "尹", "00218647", "00300000", RECORD["patient_name"], "剖宫产", "clinician甲"):
        assert word not in text, word
    assert letter["Message-ID"].startswith(f"<{rows(hospital.site)[0].uuid}@")
    assert mailing.deliver(hospital.site) == 0, "one a day"
    clock.forward(days=3)
    assert mailing.deliver(hospital.site) == 0, "what has been told is not told day by day"
    with hospital.uow("senior") as uow:
        notices.in_line(uow, slips.one(uow, told[0]), "request.expired")
    tick(hospital, "clinician", locale="en")
    assert mailing.deliver(hospital.site) == 1
    assert office.letters[1]["Subject"].endswith("4 unread notices")
    clock.forward(days=1, hours=-3)
    with hospital.uow("senior") as uow:
        notices.in_line(uow, slips.one(uow, told[0]), "request.offered")
    assert mailing.deliver(hospital.site) == 0, "before the hour of the policy"
    with hospital.uow("sysadmin") as uow:
        people.disable(uow, uow.session.get_one(User, hospital.people["clinician"]))
    clock.forward(hours=3)
    assert mailing.deliver(hospital.site) == 0, "a closed account"


@once
def test_what_one_may_not_see_any_more_is_neither_counted_nor_sent(
    hospital: Hospital, record: int, office: smtp.Office
) -> None:
    archive_it(hospital, record)
    step(hospital, "archivist", ask(hospital, "clinician2", record), "refuse", reason="与职责无关")
    tick(hospital, "clinician2")
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(record), level=2, reason="特殊病案")
    with hospital.uow("clinician2", readonly=True) as uow:
        assert not uow.can(P.DISCOVER, uow.session.get(tree.Node, record, execution_options=TEST))
    assert mailing.deliver(hospital.site) == 0
    assert [(mail.kind, mail.state) for mail in rows(hospital.site)] == [("digest", "dropped")]
    assert office.letters == []
    assert "RCPT" not in office.heard


@once
def test_a_recall_goes_at_once_at_any_hour_and_not_to_whoever_has_read_of_it(
    hospital: Hospital, record: int, office: smtp.Office, clock: Clock
) -> None:
    archive_it(hospital, record)
    number = approved(hospital, "clinician", record, purpose="treatment")
    issue(hospital, number)
    approved(hospital, "head", record)
    tick(hospital, "clinician")
    clock.forward(hours=15)
    assert mailing.deliver(hospital.site) == 0, "half past midnight, and a Saturday"
    with hospital.uow("clerk") as uow:
        loans.recall(uow, slips.one(uow, number))
    assert mailing.deliver(hospital.site) == 1
    (letter,) = office.letters
    assert letter["Subject"].endswith("有人等候您借的病案：请提前归还")
    assert number in letter.get_content()
    assert "已批准" not in letter.get_content(), "the rest waits for the digest"
    assert mailing.deliver(hospital.site) == 0, "told once"
    with hospital.site.session() as session:
        for notice in session.scalars(
            select(Notice).where(Notice.kind == notice_words.RECALLED), execution_options=TEST
        ):
            notice.key = "loan.recalled:another"
    with hospital.uow("clinician") as uow:
        notices.read_all(uow)
    assert mailing.deliver(hospital.site) == 0
    assert set(notice_words.KINDS) >= mailing.URGENT


@once
def test_what_the_server_puts_off_comes_later_with_the_same_mark_and_what_it_refuses_is_given_up(
    hospital: Hospital, told: list[str], office: smtp.Office, clock: Clock
) -> None:
    site = hospital.site
    tick(hospital, "clinician")
    office.answers = ["451 4.7.1 greylisted, come back", "421 4.3.2 not now"]
    for pause in (5, 10):
        assert mailing.deliver(site) == 0
        clock.forward(minutes=pause - 1)
        tries = len(office.heard)
        assert mailing.deliver(site) == 0
        assert len(office.heard) == tries, "the pause grows"
        clock.forward(minutes=1)
    office.hangs_up = True
    assert mailing.deliver(site) == 0, "nobody knows whether it has arrived"
    clock.forward(minutes=20)
    assert mailing.deliver(site) == 1
    (row,) = rows(site)
    assert (row.state, row.tries, row.error) == ("sent", 4, None)
    assert str(row.uuid) in office.letters[0]["Message-ID"]

    approved(hospital, "clinician", another(hospital, mrn="00500001"), kind="eread")
    clock.forward(days=3)
    office.answers = ["550 5.1.1 no such user"]
    assert mailing.deliver(site) == 0
    clock.forward(hours=5)
    assert mailing.deliver(site) == 0
    row = rows(site)[-1]
    assert (row.state, row.tries, row.error) == ("failed", 1, "550 5.1.1 no such user")
    with hospital.uow("sysadmin", readonly=True) as uow:
        state = mailing.state(uow)
    assert [(one.name, one.tries, one.error) for one in state.failed] == [
        ("clinician甲", 1, "550 5.1.1 no such user")
    ]
    clock.forward(days=1)
    assert mailing.deliver(site) == 1, "the next digest has what is still unread"
    clock.forward(days=100)
    mailing.clean_up(site)
    assert rows(site) == []


@once
def test_without_a_server_a_mail_is_tried_as_often_as_the_policy_says(
    hospital: Hospital, told: list[str], clock: Clock
) -> None:
    site = hospital.site
    tick(hospital, "clinician")
    assert mailing.deliver(site) == 0, "none is configured"
    with hospital.uow("sysadmin", readonly=True) as uow:
        assert mailing.state(uow).said == "未启用：没有配置邮件服务器"
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        configure(site, smtp_port=nobody.getsockname()[1])
    for _hour in range(17):
        assert mailing.deliver(site) == 0
        clock.forward(hours=1)
    (row,) = rows(site)
    assert (row.state, row.tries) == ("failed", 8)
    assert row.error
    assert "ConnectionRefused" in row.error


@once
def test_with_starttls_the_password_goes_encrypted_to_a_server_that_is_known_or_not_at_all(
    hospital: Hospital, told: list[str], office: smtp.Office, tmp_path: Path
) -> None:
    tick(hospital, "clinician")
    office.tls, authority = smtp.certified(tmp_path)
    office.login = ("archive", "an invented word")
    secret = tmp_path / "secret"
    secret.write_text("an invented word\n")
    safe = {
        "smtp_port": office.port,
        "smtp_security": "starttls",
        "smtp_user": "archive",
        "smtp_password_file": secret,
    }
    configure(hospital.site, **safe)
    assert mailing.deliver(hospital.site) == 0
    assert not {"AUTH", "MAIL", "AUTH*", "MAIL*"} & set(office.heard), "nobody vouches for it"
    with hospital.uow("sysadmin", readonly=True) as uow:
        assert "CERTIFICATE_VERIFY_FAILED" in mailing.state(uow).said
    hospital.clock.forward(hours=1)
    configure(hospital.site, **safe, smtp_ca_file=authority)
    assert mailing.deliver(hospital.site) == 1
    assert "AUTH*" in office.heard
    assert "AUTH" not in office.heard
    office.tls = None
    with pytest.raises(post.Unreachable, match="STARTTLS"), post.connected(hospital.site.settings):
        pass


@once
def test_a_mute_server_keeps_the_other_chores_waiting_for_nothing(
    hospital: Hospital, told: list[str]
) -> None:
    site, stop, begun = hospital.site, Event(), monotonic()
    tick(hospital, "clinician")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        configure(site, smtp_port=mute.getsockname()[1])
        working = Thread(target=worker.work, args=(site,), kwargs={"stop": stop}, daemon=True)
        working.start()
        caller, _address = mute.accept()
        with caller:
            before = sealed(site)
            tick(hospital, "head")
            while sealed(site) <= before:
                assert monotonic() - begun < 10, "a second is enough when nothing waits"
                sleep(0.05)
            with site.session(readonly=True) as session:
                assert session.scalar(select(Setting.name).where(Setting.name.like("worker.%")))
            assert [mail.state for mail in rows(site)] == ["waiting"]
            stop.set()
    working.join(timeout=10)
    assert not working.is_alive()
    assert ["mail"] in [[chore.name for chore in thread] for thread in worker.rounds(Event())]


def sealed(site: Site) -> int:
    with site.session(readonly=True) as session:
        return session.scalar(select(func.count()).select_from(AuditSeal)) or 0


def test_no_word_of_a_letter_becomes_a_header() -> None:
    letter = post.Letter(uuid4(), "a@b.cn", "one\r\nBcc: all@b.cn", "", Clock()() + timedelta())
    with pytest.raises(ValueError, match="linefeed"):
        post.written(letter, sender="c@d.cn", name="云川县妇幼保健院")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"SMTP_FROM": ""}, "smtp_from"),
        ({"SMTP_FROM": "a@b.cn\nBcc: c@d.cn"}, "smtp_from"),
        ({"ADDRESS": ""}, "address"),
        ({"SMTP_SECURITY": "none", "SMTP_USER": "a"}, "in the clear"),
        ({"SMTP_USER": "a"}, "smtp_password_file"),
        ({"SMTP_CA_FILE": "/nowhere.pem"}, "smtp_ca_file"),
        ({"SMTP_SECURITY": "ssl"}, "smtp_security"),
    ],
)
def test_settings_by_which_no_mail_could_be_sent_stop_the_start(
    given: dict[str, str], named: str, tmp_path: Path
) -> None:
    right = {"SMTP_HOST": "post", "SMTP_FROM": "a@b.cn", "ADDRESS": "http://archive"}
    assert load({f"JUANZONG_{name}": value for name, value in right.items()}, tmp_path).mail_port == 587
    with pytest.raises(BadSettings, match=named):
        load({f"JUANZONG_{name}": value for name, value in (right | given).items()}, tmp_path)
