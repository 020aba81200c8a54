"""One's own searches of late: for nobody else, and forgotten without a trace being taken from the journal."""

import threading

from sqlalchemy import func, select

from archive.journal import Origin
from archive.models import ReadEvent
from archive.services import search, search_history
from archive.services.findings import Filters
from archive.services.search_history import Entry
from tests.conftest import CAST, Hospital
from tests.services.searching import indexed

NOTHING = Filters()


def look_for(hospital: Hospital, account: str, text: str, filters: Filters = NOTHING) -> None:
    """Searches as the page does: the gate writes the events of a reading."""
    with hospital.uow(account, readonly=True) as uow:
        search.find(uow, text, filters)
        for event in uow.readings:
            hospital.site.record_read(event, uow.actor, Origin())


def recent(hospital: Hospital, account: str) -> list[Entry]:
    with hospital.uow(account, readonly=True) as uow:
        return search_history.recent(uow)


def words(hospital: Hospital, account: str) -> list[str]:
    return [entry.question.text for entry in recent(hospital, account)]


def forget(hospital: Hospital, account: str, number: int) -> None:
    with hospital.uow(account) as uow:
        search_history.forget(uow, number)


def keep(hospital: Hospital, account: str, *, on: bool) -> None:
    with hospital.uow(account) as uow:
        search_history.keep(uow, on=on)


def test_one_sees_ones_own_searches_and_nobody_elses(hospital: Hospital) -> None:
    indexed(hospital)
    look_for(hospital, "archivist", "刘婷婷")
    look_for(hospital, "clinician", "肺炎")
    assert words(hospital, "archivist") == ["刘婷婷"]
    assert words(hospital, "clinician") == ["肺炎"]
    assert [account for account in CAST if words(hospital, account)] == ["archivist", "clinician"]


def test_the_same_search_stands_once_the_newest_first_and_with_its_filters(hospital: Hospital) -> None:
    indexed(hospital)
    ward = Filters(dept=hospital.wards["CK"], year=2026)
    for text, filters in (("胎盘", NOTHING), ("胎盘", ward), ("肺炎", NOTHING), ("胎盘", NOTHING)):
        look_for(hospital, "archivist", text, filters)
    assert [(entry.question.text, entry.question.filters, entry.times) for entry in recent(hospital, "archivist")] == [
        ("胎盘", NOTHING, 2), ("肺炎", NOTHING, 1), ("胎盘", ward, 1),
    ]  # fmt: skip


def test_one_search_is_forgotten_until_it_is_run_again(hospital: Hospital) -> None:
    indexed(hospital)
    for text in ("胎盘", "肺炎", "胎盘"):
        look_for(hospital, "archivist", text)
    forget(
        hospital, "archivist", next(e.id for e in recent(hospital, "archivist") if e.question.text == "胎盘")
    )
    assert words(hospital, "archivist") == ["肺炎"], "also the first time that it was run"
    look_for(hospital, "archivist", "胎盘")
    assert [(entry.question.text, entry.times) for entry in recent(hospital, "archivist")] == [
        ("胎盘", 1),
        ("肺炎", 1),
    ]


def test_nobody_forgets_what_others_searched_for(hospital: Hospital) -> None:
    indexed(hospital)
    look_for(hospital, "archivist", "胎盘")
    look_for(hospital, "clinician", "胎盘")
    number = recent(hospital, "archivist")[0].id
    forget(hospital, "clinician", number)
    assert words(hospital, "archivist") == words(hospital, "clinician") == ["胎盘"]


def test_all_is_forgotten_and_the_journal_keeps_every_event(hospital: Hospital) -> None:
    indexed(hospital)
    for text in ("胎盘", "肺炎"):
        look_for(hospital, "archivist", text)
    with hospital.uow("archivist") as uow:
        search_history.forget_all(uow)
    assert recent(hospital, "archivist") == []
    look_for(hospital, "archivist", "子宫")
    assert words(hospital, "archivist") == ["子宫"]
    with hospital.site.journal() as journal:
        ran = select(func.count(ReadEvent.id)).where(ReadEvent.action == "search.run")
        assert journal.scalar(ran) == 3


def test_switched_off_nothing_is_shown_nor_later_what_was_searched_for_meanwhile(hospital: Hospital) -> None:
    indexed(hospital)
    look_for(hospital, "archivist", "胎盘")
    keep(hospital, "archivist", on=False)
    look_for(hospital, "archivist", "肺炎")
    assert recent(hospital, "archivist") == []
    keep(hospital, "archivist", on=True)
    assert recent(hospital, "archivist") == []
    look_for(hospital, "archivist", "子宫")
    assert words(hospital, "archivist") == ["子宫"]


def test_what_is_older_than_a_month_is_not_shown_and_no_mark_of_it_is_kept(hospital: Hospital) -> None:
    indexed(hospital)
    look_for(hospital, "archivist", "胎盘")
    forget(hospital, "archivist", recent(hospital, "archivist")[0].id)
    hospital.clock.forward(days=31)
    look_for(hospital, "archivist", "肺炎")
    forget(hospital, "archivist", recent(hospital, "archivist")[0].id)
    look_for(hospital, "archivist", "子宫")
    assert words(hospital, "archivist") == ["子宫"]
    with hospital.uow("archivist", readonly=True) as uow:
        mark = search_history._mark(uow)
        assert mark is not None
        assert len(mark.forgotten) == 1


def test_what_two_windows_forget_at_the_same_time_is_forgotten_by_both(hospital: Hospital) -> None:
    indexed(hospital)
    for text in ("胎盘", "肺炎", "出血"):
        look_for(hospital, "archivist", text)
    first, second, third = (entry.id for entry in recent(hospital, "archivist"))
    for mine, other in ((first, second), (third, first)):
        window = threading.Thread(target=forget, args=(hospital, "archivist", other))
        with hospital.uow("archivist") as uow:
            search_history.forget(uow, mine)
            uow.session.flush()
            window.start()
            window.join(0.5)
            assert window.is_alive(), "it waits for the first"
        window.join(30)
    assert recent(hospital, "archivist") == []
    assert not window.is_alive()
