"""Saved searches: whose they are, who reads their words, and that each finds only what its runner may see."""

import threading
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.models import AuditEvent, Membership, Node, RoleAssignment, SavedSearch, SearchFollow
from archive.policy.rights import Overlay
from archive.services import following, hits, questions, saved_searches
from archive.services.findings import Filters, Order, Tally
from archive.services.questions import Question
from tests.conftest import CAST, Hospital
from tests.services.searching import TEST, archived, indexed, patient, written

PLACENTA = Question("前置胎盘")


def save(
    hospital: Hospital, account: str, question: Question = PLACENTA, *, name: str = "前置胎盘病例", audience: str = "private"
) -> UUID:  # fmt: skip
    with hospital.uow(account) as uow:
        return saved_searches.save(uow, question, name=name, audience=audience).uuid


def listed(hospital: Hospital, account: str) -> list[str]:
    with hospital.uow(account, readonly=True) as uow:
        return [saved.name for saved in saved_searches.listing(uow)]


def stay(hospital: Hospital, mrn: str, name: str, text: str, *, ward: str = "CK", **more: str) -> int:
    """An archived record with a page on which `text` stands."""
    number = patient(hospital, mrn, name, ward=ward, **more)
    written(hospital, number, text)
    archived(hospital, number)
    indexed(hospital)
    return number


def test_a_private_search_is_there_for_its_owner_and_for_nobody_else(hospital: Hospital) -> None:
    number = save(hospital, "archivist")
    assert {account for account in CAST if listed(hospital, account)} == {"archivist"}
    for account in ("senior", "clinician", "stranger", "auditor", "sysadmin"):
        with hospital.uow(account, readonly=True) as uow, pytest.raises(NotFound):
            saved_searches.one(uow, number)


SHARED = {
    "dept:CK": {"clinician", "head"}, "role:clinician": {"clinician", "clinician2", "head"}, "role:senior": {"senior"},
    "all": {"archivist", "senior", "scanner", "clinician", "clinician2", "head", "clerk", "desk"},
}  # fmt: skip


@pytest.mark.parametrize("audience", SHARED)
def test_a_shared_search_is_there_for_those_with_whom_it_is_shared(hospital: Hospital, audience: str) -> None:
    """Never for auditor, administrators and strangers: whoever may not search is shown no words."""
    kind, _colon, code = audience.partition(":")
    save(hospital, "head", audience=f"dept:{hospital.wards[code]}" if kind == "dept" else audience)
    assert {account for account in CAST if listed(hospital, account)} == SHARED[audience] | {"head"}


def test_a_department_or_role_that_is_left_ends_the_use_at_once(hospital: Hospital) -> None:
    number = save(hospital, "head", audience=f"dept:{hospital.wards['CK']}")
    save(hospital, "head", name="全院", audience="role:clinician")
    assert len(listed(hospital, "clinician")) == 2
    mine = (Membership.principal_id == hospital.people["clinician"],)
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.execute(delete(Membership).where(*mine))
    assert listed(hospital, "clinician") == ["全院"]
    with hospital.uow("clinician", readonly=True) as uow, pytest.raises(NotFound):
        saved_searches.one(uow, number)
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.execute(
            delete(RoleAssignment).where(RoleAssignment.principal_id == hospital.people["clinician"])
        )
    assert listed(hospital, "clinician") == []


def test_the_owner_alone_changes_and_deletes(hospital: Hospital) -> None:
    number = save(hospital, "archivist", audience="all")
    for account in ("senior", "clinician"):
        with hospital.uow(account) as uow, pytest.raises(Forbidden):
            saved_searches.own(uow, number)
        with hospital.uow(account) as uow, pytest.raises(Forbidden):
            saved_searches.remove(uow, saved_searches.one(uow, number).row)
    with hospital.uow("archivist") as uow:
        saved = saved_searches.own(uow, number)
        saved_searches.change(uow, saved.row, question=saved.question, name="胎盘", audience="private")
    assert listed(hospital, "archivist") == ["胎盘"]
    assert listed(hospital, "senior") == []
    with hospital.uow("archivist") as uow:
        saved_searches.remove(uow, saved_searches.own(uow, number).row)
    assert listed(hospital, "archivist") == []


def test_a_search_comes_back_as_it_was_asked(hospital: Hospital) -> None:
    asked = Question(
        "前置胎盘 -出血", Filters(type="medical_record", dept=hospital.wards["CK"], year=2026), Order.DATE
    )
    number = save(hospital, "archivist", asked)
    with hospital.uow("archivist", readonly=True) as uow:
        saved = saved_searches.one(uow, number)
        assert saved.question == asked
        assert ("科室", "产科") in questions.narrowed(uow, saved.question)


def test_nothing_of_the_words_can_be_read_in_the_database_or_in_the_journal(hospital: Hospital) -> None:
    save(hospital, "archivist", Question("刘婷婷"), name="刘婷婷的病案")
    with hospital.site.session(readonly=True) as session:
        row = session.scalars(select(SavedSearch), execution_options=TEST).one()
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "saved_search.saved")).one()
        kept = [getattr(each, column.name) for each in (row, event) for column in each.__table__.columns]
    assert event.object_kind == "saved_search"
    assert not [value for value in kept if "刘" in str(value)]
    assert "刘".encode() not in row.sealed
    assert b"\\u5218" not in row.sealed


def test_a_search_for_one_patient_is_shared_with_nobody(hospital: Hospital) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    for words in (
        "刘婷婷",
        "前置胎盘 刘婷婷",
        "姓名:刘婷婷",
        "liutingting",
        "00218647",
        "218647-1",
        "“刘婷婷”",
    ):
        with hospital.uow("head") as uow, pytest.raises(Invalid) as refused:
            saved_searches.save(uow, Question(words), name="病例", audience="all")
        assert "audience" in refused.value.fields, words
    save(hospital, "head", Question("刘婷婷"))
    for words in ("刘", "前置胎盘", "2026", "lt"):
        save(hospital, "head", Question(words), audience="all")


def test_whether_it_may_be_shared_tells_nothing_of_hidden_patients(hospital: Hospital) -> None:
    """The name of somebody whom one may not identify is shared like any other word."""
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    for words in ("刘婷婷", "刘婷雁"):
        save(hospital, "clinician2", Question(words), audience="private")
        save(hospital, "clinician2", Question(words), audience="all")


def test_what_cannot_be_saved_is_said_at_the_field(hospital: Hospital) -> None:
    wrong = (("", "private", "name"), ("　", "private", "name"), ("长" * 61, "private", "name"),
             ("名", "role:sysadmin", "audience"), ("名", "dept:999", "audience"),
             ("名", f"dept:{hospital.wards['EK']}", "audience"))  # fmt: skip
    for name, audience, field in wrong:
        with hospital.uow("head") as uow, pytest.raises(Invalid) as refused:
            saved_searches.save(uow, PLACENTA, name=name, audience=audience)
        assert set(refused.value.fields) == {field}, (name, audience)
    with hospital.uow("head") as uow, pytest.raises(Invalid):
        saved_searches.save(uow, Question(""), name="空", audience="private")
    for account in ("stranger", "auditor", "sysadmin"):
        with hospital.uow(account) as uow, pytest.raises(Forbidden):
            saved_searches.save(uow, PLACENTA, name="名", audience="private")


def test_there_is_an_end_to_what_one_person_saves_and_pins(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_searches, "MOST", 3)
    monkeypatch.setattr(saved_searches, "MOST_PINNED", 2)
    numbers = [save(hospital, "archivist", name=f"第 {n} 个") for n in range(3)]
    with hospital.uow("archivist") as uow, pytest.raises(Conflict):
        saved_searches.save(uow, PLACENTA, name="第四个", audience="private")
    for number in numbers[:2]:
        pin(hospital, "archivist", number)
    with hospital.uow("archivist") as uow, pytest.raises(Conflict):
        following.pin(uow, saved_searches.one(uow, numbers[2]), on=True)
    pin(hospital, "archivist", numbers[0])  # it is there: once more is not one more
    pin(hospital, "archivist", numbers[0], on=False)
    pin(hospital, "archivist", numbers[2])
    assert [name for name, _found in counted(hospital, "archivist")] == ["第 1 个", "第 2 个"]


def pin(hospital: Hospital, account: str, number: UUID, *, on: bool = True) -> None:
    with hospital.uow(account) as uow:
        following.pin(uow, saved_searches.one(uow, number), on=on)


def counted(hospital: Hospital, account: str) -> list[tuple[str, Tally | None]]:
    with hospital.uow(account, readonly=True) as uow:
        return [(saved.name, found) for saved, found in saved_searches.tallied(uow)]


def test_each_who_pins_a_shared_search_sees_their_own_count(hospital: Hospital) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘", diagnosis="前置胎盘")
    stay(hospital, "00300001", "陈朵朵", "其母曾患前置胎盘", ward="EK", diagnosis="肺炎")
    number = save(hospital, "archivist", audience="all")
    for account in ("archivist", "clinician", "clerk"):
        pin(hospital, account, number)
    assert counted(hospital, "archivist") == [("前置胎盘病例", Tally(2, capped=False))]
    assert counted(hospital, "clinician") == [("前置胎盘病例", Tally(0, capped=False))], (
        "a ward reads by a loan only"
    )
    assert counted(hospital, "clerk") == [("前置胎盘病例", Tally(0, capped=False))]
    assert counted(hospital, "senior") == [], "a pin is one's own"


def test_a_hidden_record_changes_no_count(hospital: Hospital) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    special = stay(
        hospital, "00400001", "毛晓燕", "前置胎盘", diagnosis="人类免疫缺陷病毒病", diagnosis_code="B20.900"
    )
    asked = [Question("前置胎盘"), Question("毛晓燕"), Question("00400001"), Question("", Filters(year=2026))]
    told = {account: tallies(hospital, account, asked) for account in CAST}
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.get_one(Node, special, execution_options=TEST).overlay = int(Overlay.TRASHED)
        uow.enqueue_ids("index", [special])
    indexed(hospital)
    differing = {account for account in CAST if tallies(hospital, account, asked) != told[account]}
    assert differing == {"archivist", "senior", "head"}, "and only those who may know of it"


def tallies(hospital: Hospital, account: str, asked: list[Question]) -> list[object]:
    with hospital.uow(account, readonly=True) as uow:
        return [(hits.tally(uow, question), hits.files(uow, question)) for question in asked]


def test_a_count_that_cannot_be_told_is_not_made_up(hospital: Hospital) -> None:
    number = save(hospital, "archivist", Question("(胎盘"))
    pin(hospital, "archivist", number)
    assert counted(hospital, "archivist") == [("前置胎盘病例", None)]
    with hospital.uow("archivist", readonly=True) as uow:
        assert hits.files(uow, PLACENTA) is None, "there is no index yet"


def test_deleting_a_search_takes_everybodys_pins_with_it(hospital: Hospital) -> None:
    number = save(hospital, "archivist", audience="all")
    pin(hospital, "clinician", number)
    with hospital.uow("archivist") as uow:
        saved_searches.remove(uow, saved_searches.own(uow, number).row)
    with hospital.site.session(readonly=True) as session:
        assert session.scalars(select(SearchFollow), execution_options=TEST).all() == []


def test_two_clicks_at_once_are_one(hospital: Hospital) -> None:
    """The second comes before the first is done: on PostgreSQL neither sees what the other writes."""
    number = save(hospital, "archivist")
    second = threading.Thread(target=pin, args=(hospital, "archivist", number))
    with hospital.uow("archivist") as uow:
        following.pin(uow, saved_searches.one(uow, number), on=True)
        uow.session.flush()
        second.start()
        second.join(0.5)
        assert second.is_alive(), "it waits for the first"
    second.join(30)
    with hospital.site.session(readonly=True) as session:
        (row,) = session.scalars(select(SearchFollow), execution_options=TEST)
    assert row.pinned
    assert [name for name, _found in counted(hospital, "archivist")] == ["前置胎盘病例"]


def test_subscribing_once_more_forgets_nothing_of_what_is_new(hospital: Hospital) -> None:
    stay(hospital, "00218647", "刘婷婷", "前置胎盘")
    number = save(hospital, "archivist")
    seen = []
    for _click in range(2):
        with hospital.uow("archivist") as uow:
            saved = saved_searches.one(uow, number)
            following.subscribe(uow, saved, following.known_now(uow, saved.question))
        with hospital.site.session(readonly=True) as session:
            seen.append(session.scalars(select(SearchFollow), execution_options=TEST).one().seen)
        stay(hospital, "00218650", "王芳", "前置胎盘") if len(seen) == 1 else None
    assert seen[0] == seen[1]


def test_who_has_left_a_department_goes_on_sharing_with_it(hospital: Hospital) -> None:
    """A new name shares nothing otherwise; what was chosen otherwise once cannot be chosen again."""
    ward = f"dept:{hospital.wards['CK']}"
    number = save(hospital, "head", audience=ward)
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.execute(delete(Membership).where(Membership.principal_id == hospital.people["head"]))
    for audience, name in ((ward, "胎盘"), ("private", "胎盘二")):
        with hospital.uow("head") as uow:
            saved = saved_searches.own(uow, number)
            assert ward in saved_searches.audiences(uow, saved.audience)
            saved_searches.change(uow, saved.row, question=saved.question, name=name, audience=audience)
        assert listed(hospital, "clinician") == (["胎盘"] if audience == ward else [])
    with hospital.uow("head") as uow, pytest.raises(Invalid):
        saved = saved_searches.own(uow, number)
        saved_searches.change(uow, saved.row, question=saved.question, name="胎盘", audience=ward)
