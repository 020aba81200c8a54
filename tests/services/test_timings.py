"""检索用时: how long searches took is seen by the operator; what was looked for, and by whom, by nobody there."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest
from sqlalchemy import select

from archive import worker
from archive.cli import parser
from archive.errors import Forbidden, Unavailable
from archive.journal import Cost, Event
from archive.models import ReadEvent, SearchTime
from archive.services import catalogue, search, timings, viewer
from archive.services.findings import Filters, Order
from archive.site import Site
from index import Limits
from tests.conftest import CAST, Clock, Hospital
from tests.services.searching import indexed, written


def keep(hospital: Hospital, account: str, cost: Cost | None, action: str = timings.SEARCHES) -> None:
    """As the gate does with the event of an answer."""
    with hospital.uow(account, readonly=True) as uow:
        uow.site.record_read(Event(action, words={"query": "胎盘早剥"}, cost=cost), uow.actor, uow.origin)


def rows(site: Site) -> list[SearchTime]:
    with site.journal() as session:
        return list(session.scalars(select(SearchTime).order_by(SearchTime.id)))


def found(
    hospital: Hospital, text: str, filters: Filters = search.NOTHING, order: Order = Order.RELEVANCE
) -> Cost:
    with hospital.uow("archivist", readonly=True) as uow:
        search.find(uow, text, filters, order)
        (event,) = uow.readings
        assert event.cost is not None
        return event.cost


def test_a_search_tells_its_shape_and_no_word_of_it(hospital: Hospital, record: int) -> None:
    indexed(hospital)
    plain = found(hospital, "胎盘 早剥")
    assert plain.shape == {"words": 2, "sort": "relevance"}
    assert 0 <= plain.took < 60_000
    wards = Filters(dept=hospital.wards["CK"], year=2026)
    narrowed = found(hospital, '"胎盘早剥" -前置 诊断:瘢痕 OR 出院', wards, Order.DATE)
    assert narrowed.shape == {
        "words": 4, "phrase": True, "either": True, "without": True, "filters": ["dept", "year"], "sort": "date"
    } | ({"fields": narrowed.shape["fields"]} if "fields" in narrowed.shape else {})  # fmt: skip
    assert not set("胎盘早剥瘢痕前置出院") & set(str(asdict(narrowed)))
    assert found(hospital, "diagnosis:瘢痕").shape == {
        "words": 1,
        "fields": ["diagnosis"],
        "sort": "relevance",
    }


def test_finding_within_a_record_tells_how_many_words(hospital: Hospital, record: int) -> None:
    written(hospital, record, "胎盘早剥")
    with hospital.uow("archivist", readonly=True) as uow:
        viewer.find(uow, uow.node(record), 1, "胎盘 早剥")
        (event,) = uow.readings
    assert event.cost is not None
    assert event.cost.shape == {"words": 2}


def test_what_is_kept_names_no_person_and_only_the_minute(hospital: Hospital, site: Site) -> None:
    keep(hospital, "clinician", Cost(120, {"words": 1}))
    keep(hospital, "clinician", None)
    (row,) = rows(site)
    assert (row.took, row.kind, row.at.second, row.at.microsecond) == (120, "search.run", 0, 0)
    assert {column.name for column in SearchTime.__table__.columns} == {"id", "at", "kind", "took", "shape"}
    with site.journal() as session:
        assert len(session.scalars(select(ReadEvent)).all()) == 2


def test_a_search_that_was_given_up_is_kept_too(
    hospital: Hospital, site: Site, record: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed(hospital)

    monkeypatch.setattr(
        search, "HASTE", Limits(seconds=0)
    )  # a search that has no time, and not a large archive
    with hospital.uow("archivist", readonly=True) as uow, pytest.raises(Unavailable):
        search.find(uow, "胎盘早剥")
    (row,) = rows(site)
    assert row.shape == {"words": 1, "sort": "relevance", "stopped": True}


def test_the_slowest_come_first_and_only_to_whoever_operates(hospital: Hospital, clock: Clock) -> None:
    keep(hospital, "archivist", Cost(900, {"words": 9}))
    clock.forward(days=timings.DAYS, hours=1)
    for took in (5, 700, 30):
        keep(hospital, "clinician", Cost(took, {"words": 1}))
    for _more in range(timings.SLOWEST):
        keep(hospital, "clinician", Cost(1, {}))
    with hospital.uow("sysadmin", readonly=True) as uow:
        slow = timings.slowest(uow)
    assert [one.took for one in slow[:4]] == [700, 30, 5, 1]
    assert len(slow) == timings.SLOWEST
    for account in set(CAST) - {"sysadmin"}:
        with hospital.uow(account, readonly=True) as uow:
            for asked in (timings.slowest, timings.days):
                with pytest.raises(Forbidden):
                    asked(uow)


def test_a_day_is_the_hospitals_and_its_shares_are_of_its_searches(
    hospital: Hospital, site: Site, clock: Clock
) -> None:
    for took in range(1, 21):
        keep(hospital, "clinician", Cost(took, {}))
    keep(hospital, "clinician", Cost(9_999, {}), "record.searched")
    clock.forward(hours=14, minutes=29)  # a minute to midnight
    keep(hospital, "clinician", Cost(500, {}))
    clock.forward(minutes=2)
    keep(hospital, "clinician", Cost(7, {}))
    with hospital.uow("sysadmin", readonly=True) as uow:
        today, yesterday = timings.days(uow)
    assert (today.count, today.half, today.nearly_all) == (1, 7, 7)
    assert (yesterday.count, yesterday.half, yesterday.nearly_all) == (21, 11, 20)
    assert (today.day - yesterday.day) == timedelta(days=1)
    assert timings.of_day(site, today.day + timedelta(days=1)) == timings.Day(
        today.day + timedelta(days=1), 0, None, None
    )


def test_after_a_month_they_are_let_go(hospital: Hospital, site: Site, clock: Clock) -> None:
    keep(hospital, "clinician", Cost(120, {}))
    clock.forward(days=29)
    worker.clean(site, "me")
    assert len(rows(site)) == 1
    clock.forward(days=2)
    worker.clean(site, "me")
    assert rows(site) == []


def test_the_time_is_that_since_the_clock_was_read() -> None:
    assert timings.took(perf_counter() - 0.25, {"words": 0, "sort": "date"}).took >= 250


def test_the_command_tells_how_long_todays_searches_took(
    hospital: Hospital, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue.rebuild(site)
    chosen = parser().parse_args(["catalogue", "stats"])
    assert chosen.run(site.settings, chosen) == 0
    assert "no searches today" in capsys.readouterr().out
    site.clock = lambda: datetime.now(UTC)  # the command has the real one
    for took in (3, 8, 40):
        keep(hospital, "clinician", Cost(took, {}))
    assert chosen.run(site.settings, chosen) == 0
    said = capsys.readouterr().out
    assert "3 searches today; half of them took 8 ms at most, 95 of 100 40 ms" in said
