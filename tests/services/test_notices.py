"""Who is told of what, and that a notice tells no more than one may know when it is read."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from archive.actor import Actor
from archive.errors import NotFound
from archive.models import Job, Notice
from archive.services import circulation, loans, notices, queue, reminders, requests, slips, steps, trash
from archive.services import holdings as volumes
from tests.conftest import Hospital
from tests.services.lending import BARCODE, archive_it, ask, step


def told(hospital: Hospital, account: str) -> list[tuple[str, str]]:
    with hospital.uow(account, readonly=True) as uow:
        found = notices.mine(uow)
        assert notices.waiting(uow).notices == sum(one.unread for one in found), (
            "the bell counts what the page shows"
        )
        return [(one.text, one.about) for one in found]


def test_a_decision_is_told_to_whoever_asked_and_to_nobody_else(hospital: Hospital, record: int) -> None:
    archive_it(hospital, record)
    number = ask(hospital, "clinician", record, kind="paper")
    assert told(hospital, "clinician") == []
    step(hospital, "archivist", number, "approve")
    assert told(hospital, "clinician") == [("您的申请已批准，可以领取", "00218647-2 · 刘** · 2026-11-12")]
    for account in ("archivist", "clinician2", "stranger", "auditor", "sysadmin"):
        assert told(hospital, account) == [], account


def test_a_notice_holds_no_name_and_follows_the_rights_of_the_moment(hospital: Hospital, record: int) -> None:
    archive_it(hospital, record)
    number = ask(hospital, "clinician2", record)
    step(hospital, "archivist", number, "approve")
    assert told(hospital, "clinician2") == [("您的申请已批准，可以阅览", "00218647-2 · 刘** · 2026-11-12")]
    hospital.clock.forward(days=10)
    assert [about for _text, about in told(hospital, "clinician2")] == ["00218647-2"], "the reading is over"
    with hospital.site.session(readonly=True) as session:
        row = session.scalars(select(Notice), execution_options={"scope": "test"}).one()
        kept = {column.name: getattr(row, column.name) for column in Notice.__table__.columns}
    assert not [value for value in kept.values() if "刘" in str(value) or "00218647" in str(value)]


def test_the_refusal_of_what_one_may_not_know_of_is_not_told(hospital: Hospital, record: int) -> None:
    archive_it(hospital, record, level=2)
    with hospital.uow("clinician2") as uow:
        requests.ask_by_number(
            uow,
            number="00218647-2",
            kind="eread",
            purpose="discussion",
            days=3,
            reason="会诊",
            declared="none",
        )
    with hospital.uow("senior") as uow:
        (slip,) = requests.to_decide(uow)
        requests.advance(uow, slips.one(uow, slip.uuid), "refuse", reason="与职责无关")
    assert told(hospital, "clinician2") == [], "nor does the bell count it"


def test_what_is_due_and_overdue_is_told_once_and_until_it_is_back(hospital: Hospital, record: int) -> None:
    archive_it(hospital, record)
    number = ask(hospital, "clinician", record, kind="paper", days=3)
    step(hospital, "archivist", number, "approve")
    with hospital.uow("clerk") as uow:
        barcode = circulation.pick_list(uow)[0].barcode
        loans.issue(uow, slips.one(uow, number), barcode=barcode)

    def remind() -> list[str]:
        with hospital.site.uow(Actor.system("remind")) as uow:
            reminders.remind(uow)
        return [text for text, _about in told(hospital, "clinician")]

    assert remind() == ["您的申请已批准，可以领取"]
    hospital.clock.forward(days=4)
    assert remind()[0] == "您借阅的病案即将到期"
    assert len(remind()) == 2, "told once"
    hospital.clock.forward(days=2)
    assert remind()[0] == "您借阅的病案已逾期"
    with hospital.uow("clerk") as uow:
        loans.take_back(uow, barcode)
    assert remind() == ["您的申请已批准，可以领取"]


def test_what_comes_back_is_told_to_whoever_submitted_it(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        volumes.register(uow, uow.node(record), sheets=3, barcode=BARCODE)
        steps.take(uow, uow.node(record), "catalogue")
        steps.take(uow, uow.node(record), "submit")
    with hospital.uow("senior") as uow:
        steps.take(uow, uow.node(record), "send_back", reason="缺少手术记录")
    assert told(hospital, "archivist") == [("退回给您补正", "00218647-2 · 刘婷婷 · 2026-11-12")]
    assert told(hospital, "senior") == []
    with hospital.uow("senior") as uow:
        trash.trash(uow, uow.node(record))
    assert len(told(hospital, "archivist")) == 1


@pytest.mark.parametrize(
    ("kind", "state", "wanted"),
    [("import.run", "done", ["您的任务已完成"]), ("page.derive", "done", []), ("page.derive", "failed", ["您的任务失败"]),
     ("import.run", "cancelled", [])],
)  # fmt: skip
def test_the_end_of_a_job_is_told_to_its_owner(
    hospital: Hospital, kind: str, state: str, wanted: list[str]
) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        job = uow.job(kind)
        job.owner_id = hospital.people["archivist"]
        if state == "done":
            job.state = "done"
            notices.ended(uow, job)
        else:
            queue.end(uow, uow.session.get_one(Job, job.id), state, "坏了")
    assert [text for text, _about in told(hospital, "archivist")] == wanted
    assert told(hospital, "senior") == []


def test_reading_marks_ones_own_and_nobody_elses(hospital: Hospital, record: int) -> None:
    archive_it(hospital, record)
    step(hospital, "archivist", ask(hospital, "clinician", record), "approve")
    with hospital.uow("clinician", readonly=True) as uow:
        number = notices.mine(uow)[0].id
    for account in ("clinician2", "auditor"):
        with pytest.raises(NotFound), hospital.uow(account) as uow:
            notices.read(uow, number)
        with hospital.uow(account) as uow:
            notices.read_all(uow)
    with hospital.uow("clinician", readonly=True) as uow:
        assert notices.waiting(uow).notices == 1
    with hospital.uow("clinician") as uow:
        assert notices.read(uow, number).request is not None
    with hospital.uow("clinician", readonly=True) as uow:
        assert notices.waiting(uow).notices == 0


def test_what_is_long_past_is_taken_away(hospital: Hospital, record: int) -> None:
    archive_it(hospital, record)
    step(hospital, "archivist", ask(hospital, "clinician", record), "approve")
    hospital.clock.now += timedelta(days=91)
    notices.clean_up(hospital.site)
    assert told(hospital, "clinician") == []
