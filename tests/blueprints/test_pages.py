"""Uploading, watching the job, and reading, through the web as a browser does it."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from archive import create_app, worker
from archive.journal import READS, words_of
from archive.models import AccessGrant, Page, ReadEvent
from archive.sight import href
from archive.site import Site
from tests import papers
from tests.archives import once
from tests.conftest import PASSWORD, Hospital
from tests.services.searching import component, written
from tests.storage.test_detail import fine
from tests.storage.test_quality import page as printed
from tests.storage.test_quality import turned

Browse = Callable[[str], FlaskClient]
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture
def browse(app: Flask) -> Browse:
    """A browser for each account, signed in."""
    # The frame links to sections that are tests of their own.
    app.url_build_error_handlers.append(lambda _error, _endpoint, _values: "#")

    def enter(account: str) -> FlaskClient:
        client = app.test_client()
        form = {"account": account, "password": PASSWORD, "csrf_token": token(client, "/sign-in")}
        assert client.post("/sign-in", data=form).status_code == 302
        return client

    return enter


def token(client: FlaskClient, page: str) -> str:
    found = TOKEN.search(client.get(page).text)
    assert found
    return found[1]


def address(hospital: Hospital, node: int) -> str:
    with hospital.uow("senior", readonly=True) as uow:
        return href(uow, uow.node(node))


def send(client: FlaskClient, target: str, content: bytes, name: str, **headers: str):  # type: ignore[no-untyped-def]
    form = {"file": (BytesIO(content), name), "csrf_token": token(client, "/sessions")}
    return client.post(f"{target}/@@upload", data=form, headers=headers, content_type="multipart/form-data")


def test_a_file_dropped_on_a_record_is_acknowledged_made_into_pages_and_read(
    site: Site, hospital: Hospital, record: int, browse: Browse
) -> None:
    client, target = browse("archivist"), address(hospital, record)
    assert 'type="file"' in client.get(f"{target}/@@upload").text
    answer = send(
        client, target, papers.pdf("术中粘连已松解", "第二页"), "手术.pdf", Accept="application/json"
    )
    assert (answer.status_code, answer.json["state"]) == (200, "wait")
    card = answer.json["href"]
    assert 'hx-trigger="every 2s"' in client.get(card, headers={"HX-Request": "true"}).text
    worker.work(site, once=True)
    assert 'hx-trigger="every 2s"' not in client.get(card).text
    asked = {"q": "粘连", "csrf_token": token(client, "/sessions")}
    page = client.post(f"{target}/++page++1", data=asked, follow_redirects=True).text
    assert "<mark>粘连</mark>" in page
    assert 'class="jz-hitbox is-now"' in page, "drawn on the picture, also without JavaScript"
    picture = re.search(r'<noscript><div class="sheet"><img src="([^"]+)"', page)
    assert picture
    shown = client.get(picture[1].replace("&amp;", "&"))
    assert (shown.mimetype, shown.headers["Cache-Control"]) == ("image/jpeg", "no-store")
    assert Image.open(BytesIO(shown.data)).width
    assert client.get(f"{target}/++page++2/text").text == "第二页"
    assert client.get(f"{target}/@@page?n=2").headers["Location"] == f"{target}/++page++2"
    assert client.get(f"{target}/++page++3").status_code == 404


def test_a_page_that_is_looked_at_is_one_line_in_the_journal(
    site: Site, hospital: Hospital, record: int, browse: Browse
) -> None:
    client, target = browse("archivist"), address(hospital, record)
    send(client, target, papers.pdf("一"), "一.pdf")
    worker.work(site, once=True)
    page = client.get(f"{target}/++page++1").text
    for picture in re.findall(r'src="([^"]+/(?:image|thumb)\?[^"]+)"', page):
        assert client.get(picture.replace("&amp;", "&")).status_code == 200
    client.get(f"{target}/++page++1/image")
    with site.journal() as session:
        viewed = session.scalars(select(ReadEvent).where(ReadEvent.action.startswith("page."))).all()
        assert [(line.action, line.object_id) for line in viewed] == [("page.viewed", record)] * 2
        assert words_of(session, READS, viewed[0].id, site.keys) == {"page": 1}


@once
def test_a_thumbnail_is_webp_and_one_of_an_older_page_what_it_was_made_as(
    site: Site, hospital: Hospital, record: int, browse: Browse
) -> None:
    client, target = browse("archivist"), address(hospital, record)
    send(client, target, papers.pdf("一"), "一.pdf")
    assert worker.take_one(site, "test")
    assert client.get(f"{target}/++page++1/thumb").mimetype == "image/webp"
    old = BytesIO()
    Image.new("L", (170, 240), 255).save(old, "JPEG")
    with site.session() as session:
        page = session.scalars(select(Page), execution_options={"scope": "test"}).one()
        folder = next((site.settings.var / "derived").rglob(page.thumbnail)).parent
        page.thumbnail = page.thumbnail.replace(".webp", ".jpg")
        (folder / page.thumbnail).write_bytes(old.getvalue())
    shown = client.get(f"{target}/++page++1/thumb")
    assert (shown.mimetype, shown.data) == ("image/jpeg", old.getvalue())
    (folder / page.thumbnail).unlink()
    again = client.get(f"{target}/++page++1/thumb")
    assert again.mimetype == f"image/{str(Image.open(BytesIO(again.data)).format).lower()}"


@once
def test_a_page_in_full_detail_is_asked_for_drawn_and_sent_in_squares_that_no_browser_keeps(
    site: Site, hospital: Hospital, record: int, browse: Browse
) -> None:
    client, target, scan = browse("archivist"), address(hospital, record), BytesIO()
    fine(6000, 300).save(scan, "PNG", dpi=(300, 300))
    send(client, target, scan.getvalue(), "胎监.png")
    assert worker.take_one(site, "test")
    place = re.search(r'data-detail="([^"]+)"', client.get(f"{target}/++page++1").text)
    assert place
    assert client.get(place[1]).json == {"drawn": False}
    crossing = {"X-CSRFToken": token(client, "/sessions")}
    assert client.post(f"{target}/++page++1/detail", headers=crossing).json == {"drawn": False}
    assert client.post(f"{target}/++page++1/detail").status_code == 400
    assert worker.take_one(site, "test")
    said = client.get(place[1]).json
    assert (said["drawn"], said["width"], said["height"], said["limited"]) == (True, 6000, 300, False)
    square = client.get(f"{said['squares']}&column=11&row=0")
    assert (square.mimetype, square.headers["Cache-Control"]) == ("image/jpeg", "no-store")
    assert Image.open(BytesIO(square.data)).size == (6000 % 512, 300)
    assert client.get(f"{said['squares']}&column=12&row=0").status_code == 404
    assert client.get(f"{target}/++page++1/square?r=90").status_code == 409
    with site.session() as session:
        session.add(
            AccessGrant(principal_id=hospital.people["clinician"], node_id=record, permission="content.read", cause="eread",
                        valid_from=site.clock(), valid_until=site.clock() + timedelta(days=3), max_level=3)
        )  # fmt: skip
    borrower = browse("clinician")
    offered = re.search(r'data-detail="([^"]+)"', borrower.get(f"{target}/++page++1").text)
    assert offered, "larger than A3"
    marked = borrower.get(f"{borrower.get(offered[1]).json['squares']}&column=0&row=0")
    assert marked.headers["Cache-Control"] == "no-store"
    assert marked.data != client.get(f"{said['squares']}&column=0&row=0").data, "with their name"


def test_words_are_found_in_the_whole_record_by_a_plain_form_and_stand_in_no_address(
    site: Site, hospital: Hospital, record: int, browse: Browse
) -> None:
    item = component(hospital, record, "手术记录")
    written(hospital, record, "入院", "盆腔粘\n连")
    written(hospital, item, "松解粘连，见粘連带")
    client, target = browse("archivist"), address(hospital, record)
    page = client.get(f"{target}/++page++1").text
    form = re.search(r'<form[^>]+action="([^"]+/@@find)"', page)
    assert form
    asked = {"csrf_token": token(client, "/sessions"), "q": "粘连", "from": "1"}
    led = client.post(form[1], data=asked)
    assert led.status_code == 303
    assert re.fullmatch(rf"{target}/\+\+page\+\+2\?s=[\w-]+&at=1", led.location)
    page = client.get(led.location).text
    assert "第 1 处 / 共 3 处" in page
    assert [re.sub("<[^>]+>", "", mark) for mark in re.findall(r"<mark>.*?</mark>", page, re.DOTALL)] == [
        "粘\n连", "粘连", "粘連"
    ]  # fmt: skip
    assert re.findall(r'<mark data-place="(\d+)" class="is-now">(.)</mark>', page) == [
        ("1", "粘"),
        ("1", "连"),
    ]
    assert 'title="2 处"' in page, "the other item says how many it has"
    onward = re.search(r'<a [^>]*href="([^"]+)"[^>]*data-step="on"', page)
    assert onward
    assert "第 2 处 / 共 3 处" in client.get(onward[1].replace("&amp;", "&")).text
    nothing = client.post(form[1], data=asked | {"q": "前置血管"}, follow_redirects=True).text
    assert "您可阅读的页中没有这些字词" in nothing
    with site.journal() as session:
        lines = session.scalars(select(ReadEvent).where(ReadEvent.action.contains("earched"))).all()
        told = [(line.action, line.object_id, words_of(session, READS, line.id, site.keys)) for line in lines]
        assert told == [("record.searched", record, {"query": "粘连", "places": 3}),
                        ("record.searched", record, {"query": "前置血管", "places": 0})]  # fmt: skip
    asked = {"csrf_token": "", "q": "粘连", "from": "1"}
    assert client.post(form[1], data=asked).status_code == 400
    for account in ("clinician", "auditor", "sysadmin", "stranger"):
        other = browse(account)
        refused = other.post(form[1], data=asked | {"csrf_token": token(other, "/sessions")})
        assert refused.status_code == 404, account


def test_a_refused_file_is_told_in_a_sentence_beside_its_name(
    site: Site, hospital: Hospital, record: int, browse: Browse
) -> None:
    client, target = browse("archivist"), address(hospital, record)
    empty = send(client, target, b"", "空.pdf", Accept="application/json")
    assert (empty.status_code, empty.json["state"]) == (422, "bad")
    assert empty.json["text"]
    again = papers.pdf("一")
    send(client, target, again, "一.pdf")
    assert send(client, target, again, "一.pdf", Accept="application/json").json["state"] == "here"
    assert send(client, target, again, "一.pdf").status_code == 409
    assert send(client, target, b"MZ", "program.exe").status_code == 302
    worker.work(site, once=True)
    assert "@@upload/withdraw" in client.get(f"{target}/@@upload").text
    assert list((site.settings.var / "staging").iterdir()) == []


def test_whoever_may_not_gets_neither_page_nor_byte_and_cannot_upload(
    site: Site, hospital: Hospital, record: int, browse: Browse
) -> None:
    target = address(hospital, record)
    send(browse("archivist"), target, papers.pdf("一"), "一.pdf")
    worker.work(site, once=True)
    for account in ("clinician", "auditor", "sysadmin", "stranger"):
        client = browse(account)
        for what in ("", "/image", "/thumb", "/text", "/detail", "/square"):
            assert client.get(f"{target}/++page++1{what}").status_code == 404
        assert send(client, target, papers.pdf("二"), "二.pdf").status_code == 404
    nobody = create_app(site).test_client()
    assert nobody.get(f"{target}/++page++1/image", headers={"Accept": "image/*"}).status_code == 401


def test_jobs_are_stopped_and_tried_again_by_their_owner_and_seen_by_the_operator(
    site: Site, hospital: Hospital, record: int, browse: Browse
) -> None:
    client, target = browse("archivist"), address(hospital, record)
    send(client, target, papers.pdf("一"), "一.pdf")
    listed = client.get("/jobs").text
    card = re.search(r'hx-get="(/jobs/[^"]+)"', listed)
    assert card
    crossing = {"csrf_token": token(client, "/sessions")}
    assert client.post(f"{card[1]}/cancel", data=crossing).status_code == 302
    assert f"{card[1]}/retry" in client.get("/jobs").text
    operator = browse("sysadmin")
    seen = operator.get("/jobs/all").text
    assert "archivist" in seen
    assert "00218647" not in seen
    assert client.get("/jobs/all").status_code == 403
    assert browse("senior").get(card[1]).status_code == 404
    assert client.post(f"{card[1]}/retry", data=crossing).status_code == 302
    worker.work(site, once=True)
    assert "is-ok" in client.get(card[1]).text


def test_a_page_that_was_straightened_says_so_and_is_shown_as_scanned(
    site: Site, hospital: Hospital, record: int, browse: Browse
) -> None:
    client, target = browse("archivist"), address(hospital, record)
    scan = BytesIO()
    turned(printed(lines=9), -2).save(scan, "JPEG", dpi=(200, 200), quality=60)
    send(client, target, scan.getvalue(), "一.jpg")
    assert worker.take_one(site, "test")
    assert "1 页的图像经过拉直" in client.get(f"{target}/@@upload").text
    text = client.get(f"{target}/++page++1").text
    assert "图像：拉直 +2.0°" in text
    link = re.search(r'href="([^"]+scanned=1[^"]*)" target="_blank">照原样', text)
    assert link
    plain = client.get(unescape(link[1]))
    assert plain.mimetype == "image/jpeg"
    assert plain.data != client.get(f"{target}/++page++1/image").data
    assert browse("clinician").get(f"{target}/++page++1/image?scanned=1").status_code == 404
