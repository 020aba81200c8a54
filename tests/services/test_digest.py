"""The daily digest: what is new is told once a day, to whoever may see it at that moment, and to nobody else."""

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update

from archive import journal, worker
from archive.actor import Actor
from archive.models import (
    AuditSeal,
    Membership,
    Node,
    Notice,
    PolicyVersion,
    ReadEvent,
    RoleAssignment,
    SavedSearch,
    SearchFollow,
    SearchNews,
    User,
)
from archive.policy.rights import Overlay
from archive.services import digest, following, hits, news, notices, people, saved_searches
from archive.services.findings import Filters
from archive.services.questions import Question
from tests.conftest import CAST, Hospital
from tests.services.searching import TEST, component, indexed, patient, written
from tests.services.test_saved_searches import save, stay
from tests.services.test_worker import wait_until


def subscribe(hospital: Hospital, account: str, text: str = "前置胎盘", *, audience: str = "private") -> None:
    number = save(hospital, account, Question(text), name=text, audience=audience)
    follow(hospital, account, number)


def follow(hospital: Hospital, account: str, number: UUID) -> None:
    with hospital.uow(account) as uow:
        saved = saved_searches.one(uow, number)
        following.subscribe(uow, saved, following.known_now(uow, saved.question))


def next_morning(hospital: Hospital, days: int = 3) -> None:
    """Half past nine some days later; from Friday on, three days later is Monday."""
    hospital.clock.forward(days=days)
    digest.daily(hospital.site)


def told(hospital: Hospital, account: str) -> list[str]:
    with hospital.uow(account, readonly=True) as uow:
        found = [one for one in notices.mine(uow) if one.icon == "bookmark"]
        assert notices.waiting(uow).notices == len([one for one in notices.mine(uow) if one.unread])
        return [one.about for one in found]


def test_what_is_new_is_told_once_a_day_however_often_the_worker_comes_round(hospital: Hospital) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    subscribe(hospital, "archivist")
    next_morning(hospital)
    assert told(hospital, "archivist") == [], "what was there at the subscription is known"
    stay(hospital, "00218650", "王芳", "前置胎盘伴出血")
    stay(hospital, "00218651", "李敏", "前置胎盘")
    digest.daily(hospital.site)
    assert told(hospital, "archivist") == [], "today has been told already"
    next_morning(hospital, 1)
    for _again in range(3):
        digest.daily(hospital.site)
    assert told(hospital, "archivist") == ["“前置胎盘”新增 2 条"]
    next_morning(hospital, 1)
    assert told(hospital, "archivist") == ["“前置胎盘”新增 2 条"], "and not a second time"


def test_one_notice_a_day_tells_of_all_subscriptions(hospital: Hospital) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    subscribe(hospital, "archivist", "前置胎盘")
    subscribe(hospital, "archivist", "子宫破裂")
    subscribe(hospital, "archivist", "从未有过")
    stay(hospital, "00218650", "王芳", "前置胎盘，子宫破裂")
    next_morning(hospital)
    (about,) = told(hospital, "archivist")
    assert sorted(about.split("；")) == ["“前置胎盘”新增 1 条", "“子宫破裂”新增 1 条"]
    with hospital.uow("archivist", readonly=True) as uow:
        (one,) = notices.mine(uow)
        assert len(one.searches) == 2
        assert sorted(news.fresh(uow).values()) == [1, 1]


def test_a_further_page_of_a_file_that_was_found_before_is_nothing_new(hospital: Hospital) -> None:
    number = patient(hospital, "00218647", "刘婷婷")
    written(hospital, number, "前置胎盘")
    indexed(hospital)
    subscribe(hospital, "archivist")
    written(hospital, component(hospital, number, "手术记录"), "术中见前置胎盘")
    indexed(hospital)
    next_morning(hospital)
    assert told(hospital, "archivist") == []


def test_each_subscriber_is_told_of_what_they_themselves_may_see(hospital: Hospital) -> None:
    number = save(hospital, "archivist", Question("陈"), name="姓陈", audience="all")
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    for account in ("archivist", "clinician", "clinician2", "clerk"):
        follow(hospital, account, number)
    stay(hospital, "00300001", "陈朵朵", "肺炎", ward="EK", diagnosis="肺炎")
    next_morning(hospital)
    said = {account: told(hospital, account) for account in CAST}
    assert {account for account, lines in said.items() if lines} == {"archivist", "clinician2"}


def without_role(hospital: Hospital) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        mine = RoleAssignment.principal_id == hospital.people["clinician"]
        uow.session.execute(delete(RoleAssignment).where(mine))


def without_ward(hospital: Hospital) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.execute(delete(Membership).where(Membership.principal_id == hospital.people["clinician"]))


def disabled(hospital: Hospital) -> None:
    with hospital.uow("sysadmin") as uow:
        people.disable(uow, uow.session.get_one(User, hospital.people["clinician"]))


def unshared(hospital: Hospital) -> None:
    with hospital.uow("head") as uow:
        saved = saved_searches.listing(uow)[0]
        saved_searches.change(uow, saved.row, question=saved.question, name=saved.name, audience="private")


@pytest.mark.parametrize(
    "loss", [without_role, without_ward, disabled, unshared], ids=lambda loss: loss.__name__
)
def test_who_loses_their_rights_between_two_digests_is_told_nothing(
    hospital: Hospital, loss: Callable[[Hospital], None]
) -> None:
    number = save(hospital, "head", Question("王"), name="姓王", audience="role:clinician")
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    for account in ("head", "clinician"):
        follow(hospital, account, number)
    stay(hospital, "00218650", "王芳", "前置胎盘")
    loss(hospital)
    next_morning(hospital)
    assert told(hospital, "head") == ["“姓王”新增 1 条"]
    with hospital.site.session(readonly=True) as session:
        count = select(func.count(Notice.id)).where(Notice.principal_id == hospital.people["clinician"])
        assert session.scalar(count, execution_options=TEST) == 0


def test_a_notice_is_gone_with_the_right_to_its_search(hospital: Hospital) -> None:
    number = save(hospital, "head", Question("王"), name="姓王", audience="role:clinician")
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    follow(hospital, "clinician", number)
    stay(hospital, "00218650", "王芳", "前置胎盘")
    next_morning(hospital)
    assert told(hospital, "clinician") == ["“姓王”新增 1 条"]
    unshared(hospital)
    assert told(hospital, "clinician") == [], "nor does the bell count it"


def test_what_was_told_counts_what_one_may_see_when_one_reads_it(hospital: Hospital) -> None:
    """Of two that were new in the morning one is closed later, then the other."""
    number = save(hospital, "archivist", Question("前置胎盘"), name="胎盘", audience="all")
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    for account in ("archivist", "clinician"):
        follow(hospital, account, number)
    new = [
        stay(hospital, mrn, name, "出血", diagnosis="前置胎盘")
        for mrn, name in (("00218650", "王芳"), ("00218651", "李敏"))
    ]
    next_morning(hospital)
    said, chips = [told(hospital, "archivist")], [fresh(hospital, "archivist")]
    for record in new:
        with hospital.site.uow(Actor.system("test")) as uow:
            uow.session.get_one(Node, record, execution_options=TEST).overlay = int(Overlay.TRASHED)
        said.append(told(hospital, "archivist"))
        chips.append(fresh(hospital, "archivist"))
    assert said == [["“胎盘”新增 2 条"], ["“胎盘”新增 1 条"], ["“胎盘”"]]
    assert chips == [[2], [1], []]


def fresh(hospital: Hospital, account: str) -> list[int]:
    with hospital.uow(account, readonly=True) as uow:
        return list(news.fresh(uow).values())


def test_a_day_with_a_hidden_record_tells_the_same_as_one_without(hospital: Hospital) -> None:
    """On Monday a record comes beside the new one of which three people alone may know; on Tuesday none does."""
    number = save(hospital, "head", Question("", Filters(year=2026)), name="今年", audience="all")
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    for account in ("archivist", "senior", "head", "clinician", "clinician2", "desk", "clerk"):
        follow(hospital, account, number)
    stay(hospital, "00218650", "王芳", "前置胎盘")
    stay(hospital, "00400001", "毛晓燕", "前置胎盘", diagnosis="人类免疫缺陷病毒病", diagnosis_code="B20.900")
    next_morning(hospital)
    monday = {account: told(hospital, account) for account in CAST}
    stay(hospital, "00218651", "李敏", "前置胎盘")
    next_morning(hospital, 1)
    tuesday = {account: told(hospital, account)[:1] for account in CAST}
    assert {account for account in CAST if monday[account] != tuesday[account]} == {
        "archivist",
        "senior",
        "head",
    }
    assert monday["archivist"] == ["“今年”新增 2 条"]
    assert monday["clinician"] == monday["clinician2"] == tuesday["clinician"] == ["“今年”新增 1 条"]
    assert monday["clerk"] == monday["sysadmin"] == []


def test_it_comes_at_the_hour_of_the_policy_and_on_working_days(hospital: Hospital) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    subscribe(hospital, "archivist")
    stay(hospital, "00218650", "王芳", "前置胎盘")
    for days in (1, 1):  # Saturday, Sunday
        next_morning(hospital, days)
        assert told(hospital, "archivist") == []
    hospital.clock.forward(hours=20)  # half past five on Monday
    digest.daily(hospital.site)
    assert told(hospital, "archivist") == []
    hospital.clock.forward(hours=2)
    digest.daily(hospital.site)
    assert told(hospital, "archivist") == ["“前置胎盘”新增 1 条"]


def test_a_hospital_may_have_it_every_day_and_at_another_hour(hospital: Hospital) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        row = uow.session.scalars(select(PolicyVersion).where(PolicyVersion.kind == "digest")).one()
        row.body = {"daily": {"hour": 10, "working_days_only": False}}
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    subscribe(hospital, "archivist")
    stay(hospital, "00218650", "王芳", "前置胎盘")
    next_morning(hospital, 1)  # half past nine on Saturday
    assert told(hospital, "archivist") == []
    hospital.clock.forward(hours=1)
    digest.daily(hospital.site)
    assert told(hospital, "archivist") == ["“前置胎盘”新增 1 条"]


def test_without_an_index_nobody_is_told_and_nothing_is_missed(hospital: Hospital) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    subscribe(hospital, "archivist")
    stay(hospital, "00218650", "王芳", "前置胎盘")
    index = hospital.site.settings.var / "index"
    index.rename(index.with_name("aside"))
    next_morning(hospital)
    assert told(hospital, "archivist") == []
    index.with_name("aside").rename(index)
    hospital.clock.forward(hours=1)
    digest.daily(hospital.site)
    assert told(hospital, "archivist") == ["“前置胎盘”新增 1 条"]


def test_who_subscribed_without_an_index_begins_with_the_first_digest(hospital: Hospital) -> None:
    subscribe(hospital, "archivist")
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    next_morning(hospital)
    assert told(hospital, "archivist") == []
    stay(hospital, "00218650", "王芳", "前置胎盘")
    next_morning(hospital, 1)
    assert told(hospital, "archivist") == ["“前置胎盘”新增 1 条"]


def test_what_falls_behind_and_comes_back_is_not_new(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a broad search only the newest hits are looked at; what was known stays known."""
    monkeypatch.setattr(hits, "FOLLOWED", 1)
    first = stay(hospital, "00218647", "刘婷婷", "前置胎盘", discharged_on="2026-11-10")
    subscribe(hospital, "archivist")
    later = stay(hospital, "00218650", "王芳", "前置胎盘", discharged_on="2026-11-12")
    next_morning(hospital)
    assert len(told(hospital, "archivist")) == 1
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.get_one(Node, later, execution_options=TEST).overlay = int(Overlay.TRASHED)
        uow.enqueue_ids("index", [later])
    indexed(hospital)
    with hospital.uow("archivist", readonly=True) as uow:
        assert hits.files(uow, Question("前置胎盘")) == {first}
    next_morning(hospital, 1)
    assert len(told(hospital, "archivist")) == 1


def test_the_searches_of_one_person_keep_nobody_else_waiting(hospital: Hospital) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    for account in ("archivist", "senior"):
        subscribe(hospital, account)
    stay(hospital, "00218650", "王芳", "前置胎盘")
    spoilt(hospital, "archivist")
    next_morning(hospital)
    assert told(hospital, "archivist") == []
    assert told(hospital, "senior") == ["“前置胎盘”新增 1 条"]


def spoilt(hospital: Hospital, account: str) -> None:
    """What the person's subscriptions have seen cannot be read any longer."""
    with hospital.site.uow(Actor.system("test")) as uow:
        mine = SearchFollow.person_id == hospital.people[account]
        uow.session.execute(
            update(SearchFollow).where(mine).values(seen=b"\x01broken"), execution_options=TEST
        )


def test_one_search_that_fails_keeps_no_other_of_its_subscriber_waiting(hospital: Hospital) -> None:
    """It begins anew with what it finds this morning; what comes after that is told."""
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    subscribe(hospital, "archivist", "前置胎盘")
    spoilt(hospital, "archivist")
    subscribe(hospital, "archivist", "出血")
    stay(hospital, "00218650", "王芳", "前置胎盘伴出血")
    next_morning(hospital)
    assert told(hospital, "archivist") == ["“出血”新增 1 条"]
    stay(hospital, "00218651", "李敏", "前置胎盘")
    next_morning(hospital, 1)
    assert told(hospital, "archivist")[0] == "“前置胎盘”新增 1 条"


def test_a_search_whose_words_are_lost_is_looked_for_once_a_day(
    hospital: Hospital, caplog: pytest.LogCaptureFixture
) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    subscribe(hospital, "archivist", "前置胎盘")
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.execute(update(SavedSearch).values(sealed=b"\x01broken"), execution_options=TEST)
    subscribe(hospital, "archivist", "出血")
    stay(hospital, "00218650", "王芳", "前置胎盘伴出血")
    next_morning(hospital)
    for _round in range(3):
        digest.daily(hospital.site)
    assert caplog.text.count("digest.error") == 1


def test_the_digest_keeps_no_other_chore_waiting(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody's searches take long, what is read is sealed; and the worker leaves when it is asked to."""
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    subscribe(hospital, "archivist")
    subscribe(hospital, "archivist", "出血")
    searching, enough, stop = threading.Event(), threading.Event(), threading.Event()

    def slowly(*_given: object) -> set[int]:
        searching.set()
        assert enough.wait(60)
        return set()

    monkeypatch.setattr(hits, "files", slowly)
    hospital.clock.forward(days=3)
    working = threading.Thread(target=worker.work, args=(hospital.site,), kwargs={"stop": stop})
    working.start()
    try:
        assert searching.wait(60)
        with hospital.site.session() as session:
            row = journal.write(session, journal.CHANGES, journal.Event("test"), actor=Actor.system("test"),
                                origin=journal.Origin(), at=hospital.clock(), keys=hospital.site.keys)  # fmt: skip
            session.flush()
            number = row.id
        wait_until(lambda: is_sealed(hospital, number))
    finally:
        stop.set()
        enough.set()
        working.join(60)
    assert not working.is_alive()
    assert told(hospital, "archivist") == [], (
        "whoever was looked after only in part is told by the next worker"
    )


def is_sealed(hospital: Hospital, number: int) -> bool:
    with hospital.site.session(readonly=True) as session:
        return session.scalar(select(AuditSeal.seq).where(AuditSeal.event_id == number)) is not None


def test_the_worker_comes_round_with_it() -> None:
    chores = [chore for thread in worker.rounds(threading.Event()) for chore in thread]
    assert [chore.alone for chore in chores if chore.name == "digest"] == [True]


def test_a_digest_is_an_event_with_the_searches_that_were_run(hospital: Hospital) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    subscribe(hospital, "archivist")
    subscribe(hospital, "archivist", "出血")
    next_morning(hospital)
    with hospital.uow("archivist", readonly=True) as uow:
        ran = {str(saved.uuid) for saved in saved_searches.listing(uow)}
    with hospital.site.journal() as session:
        (event,) = session.scalars(select(ReadEvent).where(ReadEvent.action == "search.digested"))
        words = journal.words_of(session, journal.READS, event.id, hospital.site.keys)
    assert (event.actor, event.object_kind, event.object_id) == (
        "system:digest",
        "user",
        hospital.people["archivist"],
    )
    assert set(words["searches"]) == ran


def test_nothing_of_what_was_seen_can_be_read_in_the_database(hospital: Hospital) -> None:
    number = stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    subscribe(hospital, "archivist")
    with hospital.site.uow(Actor.system("test"), readonly=True) as uow:
        kept = uow.session.scalars(select(SearchFollow), execution_options=TEST).one().seen
        assert kept is not None
        assert saved_searches.opened_ids(uow, kept) == {number}
        assert b"[" + str(number).encode() + b"]" not in kept
    later = stay(hospital, "00218650", "王芳", "前置胎盘")
    next_morning(hospital)
    with hospital.site.uow(Actor.system("test"), readonly=True) as uow:
        told = uow.session.scalars(select(SearchNews), execution_options=TEST).one().sealed
        assert saved_searches.opened_ids(uow, told) == {later}
        assert b"[" + str(later).encode() + b"]" not in told
