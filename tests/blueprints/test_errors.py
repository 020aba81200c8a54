"""What people see when something cannot be answered."""

import json
import re
import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from archive.application import is_outage
from archive.models import ReadEvent
from archive.sight import href
from archive.site import Site
from tests.blueprints.conftest import Browse, Browser
from tests.conftest import PASSWORD, Hospital

TOKEN = re.compile(r'(name="csrf_token" value="|name="csrf-token" content=")[^"]+')
UNKNOWN = "/a/h001/zy-bl/2026-d30/zzzzz"


def answer(
    browser: Browser, method: str, address: str, **more: object
) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Status, body and headers; only the token of the form, which is made anew each second, is taken out."""
    got = browser.client.open(address, method=method, **more)  # type: ignore[arg-type]
    headers = sorted(
        (name, value) for name, value in got.headers if name not in {"Set-Cookie", "Content-Length"}
    )
    return got.status_code, TOKEN.sub(r"\1", got.text).encode(), headers


VIEWS = (
    "",
    "/@@contents",
    "/@@edit",
    "/@@add",
    "/@@history",
    "/@@sharing",
    "/@@sharing/add",
    "/@@step/archive",
)
ACTS = ("/@@edit", "/@@trash", "/@@workflow/archive", "/@@milestone", "/@@sharing/add", "/@@sharing/1/end")


@pytest.mark.parametrize(
    "wrong",
    ["/storeroom/labels.pdf?code=a%00b", "/audit?person=%00", "/a/h001/a%00b", "/people?q=%00&sort=a"],
)
def test_an_address_with_a_zero_byte_is_no_address(browser: Browse, wrong: str) -> None:
    assert browser("senior").get(wrong).status_code == 404


@pytest.mark.parametrize("account", ["clinician", "clerk", "auditor", "stranger"])
def test_what_is_hidden_answers_like_what_never_was(browser: Browse, address: str, account: str) -> None:
    own = browser(account)
    token = own.token("/sessions")
    for view in VIEWS:
        for accept in ("text/html", "application/json"):
            hidden = answer(own, "GET", address + view, headers={"Accept": accept})
            assert hidden == answer(own, "GET", UNKNOWN + view, headers={"Accept": accept}), view
            assert hidden[0] == 404
    for act in ACTS:
        hidden = answer(own, "POST", address + act, data={"csrf_token": token})
        assert hidden == answer(own, "POST", UNKNOWN + act, data={"csrf_token": token}), act
        assert hidden[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_a_wrong_method_betrays_nothing_either(browser: Browse, address: str, method: str) -> None:
    own = browser("clinician2")
    token = own.token("/sessions")
    for view in VIEWS:
        hidden = answer(own, method, address + view, data={"csrf_token": token})
        assert hidden == answer(own, method, UNKNOWN + view, data={"csrf_token": token}), view


def test_without_a_token_neither_betrays_anything(browser: Browse, address: str) -> None:
    own = browser("clinician2")
    for act in ACTS:
        assert answer(own, "POST", address + act) == answer(own, "POST", UNKNOWN + act)


def test_whoever_is_not_signed_in_is_sent_to_sign_in_for_both(browser: Browse, address: str) -> None:
    for place in (address, UNKNOWN):
        assert browser().get(place).status_code == 302


def test_a_wrong_method_says_so_in_words(browser: Browse) -> None:
    got = browser("archivist").client.put("/sessions")
    assert got.status_code == 405
    assert "此页不能这样使用" in got.text


@pytest.fixture
def away(site: Site) -> Iterator[None]:
    """The database does not answer any more: every connection is refused."""

    def refuse(*_arguments: object) -> None:
        raise site.engine.dialect.loaded_dbapi.OperationalError("unable to open database file")

    site.engine.dispose()
    event.listen(site.engine, "do_connect", refuse)
    yield
    event.remove(site.engine, "do_connect", refuse)


@pytest.mark.each_on_both
@pytest.mark.parametrize("account", ["archivist", "clinician", "auditor", "sysadmin"])
def test_without_the_database_everybody_gets_a_page_that_says_when_to_try_again(
    hospital: Hospital, browser: Browse, account: str, request: pytest.FixtureRequest
) -> None:
    own = browser(account)
    request.getfixturevalue("away")
    for page in ("/", "/a/", "/people", "/nonsense"):
        got = own.get(page)
        assert (got.status_code, got.headers["Retry-After"]) == (503, "30"), page
        assert "暂时无法使用" in got.text
        assert "Traceback" not in got.text
        assert "sqlite" not in got.text.lower()


def test_without_the_database_a_program_gets_json(browser: Browse, request: pytest.FixtureRequest) -> None:
    own = browser("clerk")
    request.getfixturevalue("away")
    got = own.get("/a/", headers={"Accept": "application/json"})
    assert (got.status_code, got.headers["Retry-After"]) == (503, "30")
    assert got.json is not None
    assert got.json["error"] == "unavailable"


def test_without_the_database_health_says_down(browser: Browse, away: None) -> None:
    got = browser().get("/healthz")
    assert (got.status_code, got.headers["Retry-After"]) == (503, "30")
    assert json.loads(got.text) == {"status": "down", "reasons": ["database: does not answer"]}


def test_in_english_where_english_is_read(browser: Browse, request: pytest.FixtureRequest) -> None:
    own = browser("clerk")
    own.client.set_cookie("locale", "en")
    request.getfixturevalue("away")
    assert "Not available at the moment" in own.get("/").text


def sqlite_error(kind: type[Exception], name: str, message: str) -> DBAPIError:
    error = kind(message)
    error.sqlite_errorname = name  # type: ignore[attr-defined]
    wrapped = OperationalError if kind is sqlite3.OperationalError else DBAPIError
    return wrapped("SELECT 1", {}, error)


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (sqlite_error(sqlite3.OperationalError, "SQLITE_BUSY", "database is locked"), True),
        (sqlite_error(sqlite3.OperationalError, "SQLITE_CANTOPEN", "unable to open database file"), True),
        (sqlite_error(sqlite3.OperationalError, "SQLITE_IOERR", "disk I/O error"), True),
        (sqlite_error(sqlite3.DatabaseError, "SQLITE_CORRUPT", "database disk image is malformed"), True),
        (OperationalError("SELECT 1", {}, Exception("server closed the connection unexpectedly")), True),
        (NoConnection("QueuePool limit of size 8 overflow 8 reached"), True),
        (sqlite_error(sqlite3.OperationalError, "SQLITE_ERROR", "no such column: nonsense"), False),
        (IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed")), False),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, Exception) else "",
)
def test_only_a_database_that_is_away_busy_or_broken_counts_as_an_outage(
    error: DBAPIError | NoConnection,
    outage: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    assert is_outage(error) is outage


def test_an_attempt_on_a_hidden_record_stands_in_its_trail(
    hospital: Hospital, record: int, browser: Browse
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        path = href(uow, uow.node(record))
    assert browser("clinician2").get(path).status_code == 404
    hidden = select(ReadEvent).where(ReadEvent.result == "hidden", ReadEvent.object_id == record)
    with hospital.site.journal() as session:
        tried = session.scalars(hidden).all()
    assert [event.actor for event in tried] == ["clinician2"]


def test_neither_the_log_nor_an_event_holds_what_was_typed(
    hospital: Hospital, browser: Browse, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise ValueError("刘婷婷 is no number")

    own = browser("archivist")
    own.get("/a/h001/刘婷婷?q=刘婷婷")
    # No fault of ours that shows what was typed is known, so one is made.
    monkeypatch.setattr("archive.services.whereabouts._meant", fail)
    broken = own.ask("/where", q="刘婷婷")
    assert broken.status_code == 500
    assert "刘婷婷" not in broken.text
    assert "whereabouts.py" in caplog.text
    assert "刘" not in caplog.text
    with hospital.site.journal() as session:
        refs = session.scalars(
            select(ReadEvent.object_ref).where(ReadEvent.action.endswith(".refused"))
        ).all()
    assert refs == ["/a/h001/???"]


def test_whoever_was_signed_out_comes_back_to_where_they_were(browser: Browse) -> None:
    somebody = browser()
    token = somebody.token("/sign-in")
    form, here = {"csrf_token": token, "q": "刘婷婷"}, "http://localhost/requests?x=1"
    refused = somebody.client.post("/requests", data=form, headers={"Referer": here})
    assert refused.status_code == 401
    assert 'href="/sign-in?next=/requests?x%3D1"' in refused.text
    elsewhere = somebody.client.post(
        "/requests", data=form, headers={"Referer": "http://evil.example/requests"}
    )
    assert 'href="/sign-in?next=/requests"' in elsewhere.text
    assert "evil" not in elsewhere.text
    sealed = somebody.client.post("/where", data=form)
    assert sealed.headers["Location"] == "/sign-in?next=/where"


@pytest.mark.parametrize(
    ("target", "arrived"),
    [
        ("/requests?show=all", "/requests?show=all"), ("//evil.example", "/"), ("/\\evil.example", "/"),
        ("https://evil.example/", "/"), ("/\t/evil.example", "/"), ("javascript:alert(1)", "/"), ("", "/"),
        ("http://[bad", "/"), ("\x01//evil.example", "/"),
    ],
)  # fmt: skip
def test_nobody_is_led_elsewhere_by_signing_in(browser: Browse, target: str, arrived: str) -> None:
    somebody = browser()
    form = {"csrf_token": somebody.token("/sign-in"), "account": "clerk", "password": PASSWORD}
    answer = somebody.client.post("/sign-in", query_string={"next": target}, data=form)
    assert answer.headers["Location"] == arrived
