"""A browser's session: it lasts as long as it is used, and whoever comes back late signs in again at once."""

import io

import pytest

from tests.blueprints.conftest import Browse
from tests.conftest import Clock, Hospital

TURNED_AWAY = 302


def test_a_session_in_use_outlasts_the_idle_time(browser: Browse, clock: Clock) -> None:
    mine = browser("archivist")
    for _turn in range(5):
        clock.forward(minutes=20)
        assert mine.get("/").status_code == 200


def test_a_session_left_alone_asks_for_the_password_again(browser: Browse, clock: Clock) -> None:
    mine = browser("archivist")
    clock.forward(minutes=31)
    assert mine.get("/").status_code == TURNED_AWAY


def test_whoever_comes_back_with_an_old_cookie_signs_in_without_waiting(
    browser: Browse, clock: Clock
) -> None:
    mine = browser("archivist")
    clock.forward(minutes=45)
    assert mine.sign_in("archivist").status_code == 302
    assert mine.get("/").status_code == 200


def test_whoever_is_signed_in_may_sign_in_as_somebody_else(browser: Browse) -> None:
    mine = browser("archivist")
    assert mine.sign_in("auditor").status_code == 302
    assert mine.get("/audit").status_code == 200


def test_reading_goes_on_while_another_transaction_writes(
    browser: Browse, hospital: Hospital, clock: Clock
) -> None:
    """That a session is in use is noted when the database has time for it, never waited for."""
    mine = browser("archivist")
    clock.forward(minutes=20)
    with hospital.site.session() as writing:
        writing.connection()
        assert mine.get("/").status_code == 200
    assert mine.get("/").status_code == 200
    clock.forward(minutes=20)
    assert mine.get("/").status_code == 200


@pytest.mark.parametrize(("account", "answer"), [(None, 401), ("clinician", 403)])
def test_the_file_of_whoever_may_not_import_never_reaches_the_disk(
    browser: Browse, hospital: Hospital, account: str | None, answer: int
) -> None:
    """The first file that is kept makes the folder of arriving files."""
    them = browser(account)
    page = "/sign-in" if account is None else "/sessions"
    given = {"kind": "patients", "file": (io.BytesIO(b"1,2"), "list.csv")}
    assert them.post("/imports", given, page=page).status_code == answer
    assert not (hospital.site.settings.var / "staging").exists()
