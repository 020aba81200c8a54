"""The first calendar of an archive: public holidays and working weekends. The hospital edits it every year."""

from datetime import date, timedelta


def _span(name: str, start: date, days: int) -> list[tuple[date, bool, str]]:
    return [(start + timedelta(days=n), False, name) for n in range(days)]


def _works(*days: date) -> list[tuple[date, bool, str]]:
    return [(day, True, "调休上班") for day in days]


DAYS = (
    # 国务院办公厅关于2026年部分节假日安排的通知: to be checked against the notice by the hospital
    *_span("元旦", date(2026, 1, 1), 3),
    *_span("春节", date(2026, 2, 15), 9),
    *_span("清明节", date(2026, 4, 4), 3),
    *_span("劳动节", date(2026, 5, 1), 5),
    *_span("端午节", date(2026, 6, 19), 3),
    *_span("中秋节", date(2026, 9, 25), 3),
    *_span("国庆节", date(2026, 10, 1), 7),
    *_works(
        date(2026, 1, 4),
        date(2026, 2, 14),
        date(2026, 2, 28),
        date(2026, 5, 9),
        date(2026, 9, 20),
        date(2026, 10, 10),
    ),
)
