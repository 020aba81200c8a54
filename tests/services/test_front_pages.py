"""The front-page query: what it finds, for whom, and samples that anybody can draw again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, text

from archive import patience
from archive.errors import Invalid, Unavailable
from archive.services import front_pages, listing, spans_of_time
from tests.archives import begins
from tests.conftest import Hospital
from tests.services.searching import archived, patient, written


@begins
def ward(hospital: Hospital) -> dict[str, int]:
    """A mother, her newborn, and one whose diagnosis is special (S2): archived; and a draft."""
    found = {
        "mother": patient(hospital, "00218647", "刘婷婷", diagnosis="前置胎盘", diagnosis_code="O44.100",
                          operations="子宫下段剖宫产术", birth="1994-11-08", attending="周敏"),
        "baby": patient(hospital, "00300001", "刘婷婷之女", ward="EK", diagnosis="新生儿黄疸", diagnosis_code="P59.900",
                        admitted_on="2026-03-01", discharged_on="2026-03-01", birth="2026-02-14", sex="2"),
        "special": patient(hospital, "00400001", "毛晓燕", diagnosis="人类免疫缺陷病毒病", diagnosis_code="B20.900",
                           birth="1960-01-01", sex="1", admitted_on="2026-10-01", discharged_on="2026-10-31", outcome="5"),
    }  # fmt: skip
    for number in found.values():
        written(hospital, number, "入院记录")
        archived(hospital, number)
    found["draft"] = patient(
        hospital, "00500001", "何青", diagnosis="胎盘早剥", diagnosis_code="O45.900", birth="2000-01-01"
    )
    return found


def found(hospital: Hospital, account: str, **typed: object) -> set[int]:
    with hospital.uow(account, readonly=True) as uow:
        asked = front_pages.checked(uow, {name: str(value) for name, value in typed.items()})
        return {line.view.id for line in front_pages.find(uow, asked).lines}


ASKED: tuple[tuple[dict[str, object], str], ...] = (
    ({"diagnosis": "胎盘"}, "mother draft"), ({"diagnosis": "o44"}, "mother"), ({"diagnosis": "O4"}, "mother draft"),
    ({"diagnosis": "B20", "outcome": "5"}, "special"), ({"diagnosis": "B20", "outcome": "1"}, ""),
    ({"operation": "剖宫产"}, "mother"), ({"attending": "周敏", "operation": "剖宫产"}, "mother"),
    ({"sex": "1"}, "special"), ({"age_from": 32, "age_to": 32}, "mother"), ({"age_from": 33}, "special"),
    ({"age_to": 0}, "baby"), ({"age_from": 15, "age_to": 15, "age_unit": "days"}, "baby"),
    ({"age_from": 1, "age_to": 1, "age_unit": "months"}, ""), ({"age_to": 0, "age_unit": "months"}, "baby"),
    ({"days_from": 1, "days_to": 1}, "baby"), ({"days_from": 30}, "special"), ({"days_from": 4, "days_to": 4}, "mother draft"),
    ({"discharged_from": "2026-11-01", "diagnosis": "O44"}, "mother"), ({"admitted_to": "2026-03-01"}, "baby"),
)  # fmt: skip


def test_conditions_find_what_their_front_page_says(hospital: Hospital, ward: dict[str, int]) -> None:
    for typed, names in ASKED:
        assert found(hospital, "archivist", **typed) == {ward[name] for name in names.split()}, typed
    assert found(hospital, "archivist", dept=hospital.wards["EK"]) == {ward["baby"]}


TOLD: tuple[tuple[str, dict[str, object], str], ...] = (
    ("clinician", {"diagnosis": "O44"}, ""), ("clinician", {"attending": "周敏"}, ""), ("clinician", {"outcome": "1"}, ""),
    ("clinician", {"age_from": 1}, "mother"), ("clinician2", {"age_from": 0}, "baby"), ("clinician2", {"sex": "2"}, "baby"),
    ("clinician", {"days_from": 0}, "mother baby"), ("head", {"age_from": 1}, "mother special"),
    ("head", {"diagnosis": "B20"}, ""),
    ("stranger", {"days_from": 0}, ""), ("auditor", {"sex": "1"}, ""),
    ("sysadmin", {"days_from": 0}, ""), ("scanner", {"diagnosis": "O45"}, "draft"),
)  # fmt: skip


def test_a_condition_counts_only_where_its_tier_is_held(hospital: Hospital, ward: dict[str, int]) -> None:
    """A colleague of another ward learns of a stay, but neither sex nor age; nobody learns a diagnosis by asking for it."""
    for account, typed, names in TOLD:
        if account in hospital.people:
            assert found(hospital, account, **typed) == {ward[name] for name in names.split()}, (
                account,
                typed,
            )


def drawn(hospital: Hospital, account: str, number: int, seed: str, **typed: str) -> list[int]:
    with hospital.uow(account, readonly=True) as uow:
        asked = front_pages.checked(uow, typed or {"days_from": "0"})
        return [line.view.id for line in front_pages.draw(uow, asked, number, seed).lines]


def test_the_same_seed_draws_the_same_records_and_every_record_can_be_drawn(
    hospital: Hospital, ward: dict[str, int]
) -> None:
    everyone, met = set(ward.values()), set()
    for seed in range(40):
        one = drawn(hospital, "archivist", 1, str(seed))
        assert one == drawn(hospital, "archivist", 1, str(seed))
        assert set(one) < set(drawn(hospital, "archivist", 2, str(seed))) < everyone
        met |= set(one)
    assert met == everyone
    assert set(drawn(hospital, "archivist", 50, "x")) == everyone


def test_a_sample_is_drawn_from_nothing_but_what_one_may_know_at_that_tier(
    hospital: Hospital, ward: dict[str, int]
) -> None:
    for seed in map(str, range(10)):
        assert set(drawn(hospital, "clinician", 50, seed, age_from="0")) == {ward["mother"]}
        assert drawn(hospital, "clinician", 50, seed, diagnosis="O44") == []
        assert drawn(hospital, "stranger", 50, seed) == []


def test_a_sample_says_seed_conditions_and_records_to_the_journal(
    hospital: Hospital, ward: dict[str, int]
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        asked = front_pages.checked(uow, {"diagnosis": "O4"})
        sample = front_pages.draw(uow, asked, 1, "2026")
        (event,) = uow.readings
        words: Any = event.words
    assert (event.action, words["seed"], words["number"], words["found"]) == (
        "front_page.sampled",
        "2026",
        1,
        2,
    )
    assert words["conditions"] == {"diagnosis": "O4"}
    assert words["drawn"] == [line.view.uuid for line in sample.lines]
    assert event.shown == (sample.lines[0].view.id,)


def test_a_list_to_pull_runs_along_the_shelves(hospital: Hospital) -> None:
    """By the last two digits, then the two before them, where no place is known."""
    numbers = ["00137620", "00990019", "00007620", "00137520"]
    ids = {patient(hospital, number, "何青", times="1"): number for number in numbers}
    for seed in ("1", "2"):
        assert [ids[number] for number in drawn(hospital, "archivist", 50, seed)] == [
            "00990019", "00137520", "00007620", "00137620",
        ]  # fmt: skip


WRONG: tuple[tuple[dict[str, str], str], ...] = (
    ({"age_from": "-1"}, "age_from"), ({"age_from": "40", "age_to": "20"}, "age_to"), ({"days_to": "x"}, "days_to"),
    ({"admitted_from": "昨天"}, "admitted_from"), ({"outcome": "7"}, "outcome"), ({"dept": "0"}, "dept"),
    ({"age_unit": "weeks"}, "age_unit"), ({"discharged_from": "2026-02-02", "discharged_to": "2026-02-01"}, "discharged_to"),
    ({"days_from": "999999999999"}, "days_from"),
)  # fmt: skip


def test_what_makes_no_sense_is_said_beside_its_field(hospital: Hospital) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        for typed, field in WRONG:
            with pytest.raises(Invalid) as refused:
                front_pages.checked(uow, typed)
            assert set(refused.value.fields) == {field}, typed
        for number, seed in ((0, "1"), (501, "1"), (5, ""), (5, "a b"), (5, "é")):
            with pytest.raises(Invalid):
                front_pages.draw(uow, {"days_from": 0}, number, seed)


def test_an_age_is_said_as_the_front_page_says_it() -> None:
    said = spans_of_time.age_said
    assert said(date(1994, 11, 8), date(2026, 11, 8)) == "32 岁"
    assert said(date(1994, 11, 9), date(2026, 11, 8)) == "31 岁"
    assert said(date(2026, 2, 14), date(2026, 3, 1)) == "15/30 月"
    assert said(date(2026, 1, 14), date(2026, 3, 1)) == "1 15/30 月"
    assert said(date(2026, 1, 14), date(2026, 1, 14)) == "0 月"
    assert said(date(2026, 1, 14), date(2026, 4, 14)) == "3 月"
    assert said(date(2026, 1, 14), date(2025, 4, 14)) == ""


@given(st.dates(date(1900, 1, 1), date(2030, 1, 1)), st.dates(date(1900, 1, 1), date(2030, 1, 1)))
def test_every_age_can_be_said(birth: date, on: date) -> None:
    assert bool(spans_of_time.age_said(birth, on)) is (on >= birth)


def leafed(hospital: Hospital, account: str, **typed: str) -> list[list[int]]:
    """The pages of a list, one by one, each by the cursor of the one before."""
    pages, after = list[list[int]](), None
    while True:
        with hospital.uow(account, readonly=True) as uow:
            page = front_pages.find(uow, front_pages.checked(uow, typed), after)
            pages.append([line.view.id for line in page.lines])
        if (after := page.next) is None:
            return pages


def test_one_leafs_through_the_whole_list_near_and_far(
    hospital: Hospital, ward: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of discharges; also beyond what was counted."""
    for number in range(3):
        patient(
            hospital,
            f"0060000{number}",
            "何青",
            diagnosis="胎盘早剥",
            discharged_on="2026-10-31",
            admitted_on="2026-10-01",
        )
    whole = [number for page in leafed(hospital, "archivist", days_from="0") for number in page]
    assert len(whole) == 7
    assert whole[:2] == [ward["baby"], ward["special"]]
    monkeypatch.setattr(listing, "PAGE", 2)
    for cap in (2, 3, 100):
        monkeypatch.setattr(listing, "CAP", cap)
        pages = leafed(hospital, "archivist", days_from="0")
        assert [len(page) for page in pages] == [2, 2, 2, 1], cap
        assert [number for page in pages for number in page] == whole, cap
    with hospital.uow("archivist", readonly=True) as uow:
        monkeypatch.setattr(listing, "CAP", 4)
        page = front_pages.find(uow, {"days_from": 0})
        assert (page.total, page.capped) == (4, True)


@contextmanager
def hurried(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within it no question comes to an end in time: SQLite looks at the clock at every step; PostgreSQL waits for a lock."""
    if hospital.site.engine.dialect.name == "sqlite":
        monkeypatch.setattr(patience, "STEPS", 1)
        monkeypatch.setattr(front_pages, "LONGEST", -1.0)
        yield
        return
    monkeypatch.setattr(front_pages, "LONGEST", 0.3)
    with hospital.site.engine.begin() as other:
        other.execute(text("LOCK TABLE node IN ACCESS EXCLUSIVE MODE"))
        yield


def test_a_question_that_takes_too_long_says_what_to_do(
    hospital: Hospital, ward: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with hospital.uow("archivist", readonly=True) as uow, hurried(hospital, monkeypatch):
        with pytest.raises(Unavailable, match="出院日期"):
            front_pages.find(uow, {"diagnosis": "O44"})
        with pytest.raises(Unavailable):
            front_pages.everything(uow, {"diagnosis": "O44"})
        with pytest.raises(Unavailable):
            front_pages.draw(uow, {"diagnosis": "O44"}, 5, "1")
        assert uow.readings == [], "nothing was shown"
    monkeypatch.undo()
    assert found(hospital, "archivist", diagnosis="O44") == {ward["mother"]}


def test_whoever_holds_no_record_at_that_tier_waits_for_nothing(
    hospital: Hospital, ward: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody else's question comes to an end, theirs does: no record is looked at for it."""
    asked = {"diagnosis": "O44"}
    for account in ("clinician", "clerk", "desk"):
        with hospital.uow(account, readonly=True) as uow:
            assert str(front_pages._matching(uow, asked).whereclause).endswith("false"), account
    with hospital.uow("archivist", readonly=True) as uow:
        assert "false" not in str(front_pages._matching(uow, asked).whereclause)


def test_a_page_goes_along_the_discharges_and_sorts_nothing(hospital: Hospital, ward: dict[str, int]) -> None:
    """On SQLite, which would otherwise look through all records of the type, whatever their number."""
    if hospital.site.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL decides by the number of rows")
    with hospital.uow("archivist", readonly=True) as uow:
        for asked in ({"diagnosis": "O44"}, {"diagnosis": "O44", **front_pages.lately(uow)}, {"age_from": 1}):
            seen = list[str]()

            def note(
                _connection: Any,
                cursor: Any,
                statement: str,
                parameters: Any,
                *_more: Any,
                seen: list[str] = seen,
            ) -> None:
                if "date_to" in statement and "JSON_EXTRACT" in statement:
                    plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
                    seen.extend(row[3] for row in plan)

            event.listen(hospital.site.engine, "before_cursor_execute", note)
            front_pages.find(uow, asked)
            event.remove(hospital.site.engine, "before_cursor_execute", note)
            assert any("ix_node_date_to" in line for line in seen), (asked, seen)
            assert not any("TEMP B-TREE" in line for line in seen), (asked, seen)
