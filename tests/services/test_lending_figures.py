"""借阅统计 (domain.md §10 "Metrics", §18.2): the formulas, whose loans count for whom, and the lists behind the numbers."""

from datetime import date

import pytest
from sqlalchemy import event

from archive.errors import Forbidden, Invalid
from archive.services import lending_figures, lending_lists, loans, requests, tree, volumes
from archive.services.lending_figures import COUNTS, Figures, Span
from tests.archives import Clock, begins, once
from tests.conftest import Hospital
from tests.services.lending import BARCODE, another, approved, archive_it, ask, issue, step

DAYS = Span(date(2026, 11, 20), date(2026, 11, 27))
OTHER, THIRD = "B00218648-1", "B00218649-1"


@begins
def records(hospital: Hospital, record: int) -> list[int]:
    """Two records of obstetrics and one of paediatrics, each with a volume."""
    archive_it(hospital, record)
    return [record, another(hospital, mrn="00218648", ward="EK"), another(hospital, mrn="00218649")]


def back(hospital: Hospital, barcode: str) -> None:
    with hospital.uow("clerk") as uow:
        loans.take_back(uow, barcode=barcode)


def lived(hospital: Hospital, records: list[int], clock: Clock) -> None:
    """One volume comes back in time after two days, one late after seven; of two readings one took the paper, too."""
    first, second, third = records
    issue(hospital, approved(hospital, "clinician", first))
    issue(hospital, approved(hospital, "clinician2", second), OTHER)
    reading = ask(hospital, "clinician", third)
    step(hospital, "senior", reading, "approve")
    clock.forward(days=2)
    back(hospital, BARCODE)
    issue(hospital, approved(hospital, "clinician", third), THIRD)
    step(hospital, "senior", ask(hospital, "clinician2", first), "approve")
    clock.forward(days=5)


def seen(hospital: Hospital, account: str, days: Span = DAYS) -> Figures:
    with hospital.uow(account, readonly=True) as uow:
        return lending_figures.figures(uow, days)


def counts(found: Figures) -> dict[str, int]:
    return {name: getattr(found.all, name) for name in COUNTS}


def test_the_figures_follow_their_formulas_and_each_is_the_length_of_its_list(
    hospital: Hospital, records: list[int], clock: Clock
) -> None:
    lived(hospital, records, clock)
    with hospital.uow("clerk", readonly=True) as uow:
        assert uow.today == DAYS.last
    assert counts(seen(hospital, "clerk")) == {
        "borrowed": 3, "returned": 1, "due": 3, "back": 1, "on_time": 1, "overdue": 2,
    }  # fmt: skip
    # What falls due later than now counts in no rate, nor what fell due on other days.
    clock.forward(days=-3)
    early = seen(hospital, "clerk")
    assert (early.all.borrowed, early.all.due, early.all.return_rate, early.all.overdue) == (3, 0, None, 0)
    clock.forward(days=3)
    assert seen(hospital, "clerk", Span(DAYS.last, DAYS.last)).all.due == 0
    back(hospital, OTHER)
    found = seen(hospital, "clerk")
    assert (found.all.return_rate, found.all.on_time_rate) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert found.all.avg_days == pytest.approx((2 + 7) / 2, abs=0.01)
    assert (found.readings, found.avoided) == (2, 1)
    assert found.desk.total == 5
    assert found.desk.hours[9] == 5
    assert (found.desk.busy, found.desk.an_hour) == (3, pytest.approx(5 / 3))
    # What nobody brings back is over as a loan, and returned it is not.
    with hospital.uow("archivist") as uow:
        volumes.lose(uow, uow.holding(THIRD)[0], because="随患者转院后未见")
    found = seen(hospital, "clerk")
    assert (found.all.overdue, found.all.returned, found.all.back, found.desk.total) == (0, 2, 2, 5)
    for account in ("clerk", "head"):
        found = seen(hospital, account)
        for name, count in counts(found).items():
            with hospital.uow(account, readonly=True) as uow:
                assert len(lending_lists.loans(uow, name, DAYS)[0]) == count, name
                for one in found.departments:
                    rows, _next = lending_lists.loans(uow, name, DAYS, dept=one.dept)
                    assert len(rows) == getattr(one, name), (name, one.name)


@once
def test_each_reader_counts_what_they_handle_or_answer_for_and_nothing_else(
    hospital: Hospital, records: list[int], clock: Clock
) -> None:
    lived(hospital, records, clock)
    everything, own = seen(hospital, "clerk"), seen(hospital, "head")
    assert [(one.name, one.borrowed) for one in everything.departments] == [("产科", 2), ("儿科", 1)]
    assert [(one.name, one.borrowed) for one in own.departments] == [("产科", 2)]
    assert (everything.asked.total, own.asked.total) == (5, 3)
    assert (everything.asked.records, own.asked.records) == ([], [])
    assert {view.id: count for view, count in seen(hospital, "archivist").asked.records} == {
        records[0]: 2,
        records[2]: 2,
    }
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(records[2]), level=3, reason="特殊病案")
    assert seen(hospital, "archivist").all.borrowed == 2
    assert seen(hospital, "clerk").all.borrowed == 3
    with hospital.uow("head", readonly=True) as uow:
        listed = lending_lists.loans(uow, "borrowed", DAYS)[0]
    assert [one.node is None for one in listed] == [True, False]
    # Who asks by number for what is hidden reads in no figure whether there is such a record.
    with hospital.uow("head") as uow:
        requests.ask_by_number(uow, number="00218649-1", kind="eread", purpose="research", days="3", reason="产科课题",
                               declared="none")  # fmt: skip
    assert seen(hospital, "head").asked.total == own.asked.total
    for account in ("clinician", "desk", "auditor"):
        with pytest.raises(Forbidden):
            seen(hospital, account)


@once
def test_the_statements_are_as_many_for_one_loan_as_for_all(
    hospital: Hospital, records: list[int], clock: Clock
) -> None:
    empty = _statements(hospital)
    lived(hospital, records, clock)
    # With something asked for there are names to be read, once for all of it.
    assert _statements(hospital) <= empty + 3


def _statements(hospital: Hospital) -> int:
    count: list[str] = []
    with hospital.uow("archivist", readonly=True) as uow:
        event.listen(hospital.site.engine, "before_cursor_execute", lambda *said: count.append(str(said[2])))
        lending_figures.figures(uow, DAYS)
        return len(count)


@pytest.mark.parametrize(
    ("first", "last", "wrong"),
    [("", "2026-11-01", "first"), ("2026-11-31", "2026-12-01", "first"), ("2026-11-02", "2026-11-01", "last"),
     ("0001-01-01", "9999-12-31", "first")],
)  # fmt: skip
def test_days_that_are_none_are_refused_beside_their_field(first: str, last: str, wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        lending_figures.span(first, last, date(2026, 11, 20))
    assert list(refused.value.fields) == [wrong]
    assert lending_figures.span("", "", date(2026, 11, 20)) == Span(date(2026, 11, 1), date(2026, 11, 20))
