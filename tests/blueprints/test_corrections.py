"""Correcting the text of a page through the web, without any script."""

import re

from flask import Flask
from flask.testing import FlaskClient

from archive.models import Node
from archive.sight import href
from tests.conftest import PASSWORD, Hospital
from tests.services.searching import component, written

VERSION = re.compile(r'name="version" value="(\d+)"')


def browser(app: Flask, account: str) -> FlaskClient:
    client = app.test_client()
    assert client.post("/sign-in", data={"account": account, "password": PASSWORD}).status_code == 302
    return client


def open_page(hospital: Hospital, record: int) -> str:
    item = component(hospital, record, "出院记录")
    written(hospital, item, "糖尿疒")
    with hospital.uow("senior", readonly=True) as uow:
        node: Node = uow.node(item)
        return f"{href(uow, node)}/++page++1"


def test_the_text_is_corrected_in_a_field_beside_the_image(
    app: Flask, hospital: Hospital, record: int
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    target, client = open_page(hospital, record), browser(app, "archivist")
    page = client.get(target).text
    assert "文字仅供查找，以图像为准。" in page
    assert f'href="{target}/correct"' in page
    form = client.get(f"{target}/correct").text
    assert "糖尿疒</textarea>" in form
    answer = client.post(f"{target}/correct", data={"text": "糖尿病", "version": VERSION.findall(form)[0]})
    assert (answer.status_code, answer.headers["Location"]) == (303, target)
    page = client.get(target).text
    assert "archivist甲" in page
    assert "<p>糖尿病</p>" in page
    assert "<p>糖尿疒</p>" in page, "what the machine read stands below"
    restored = client.post(f"{target}/restore", data={"version": VERSION.findall(page)[0]})
    assert restored.status_code == 303
    assert "糖尿病" not in client.get(target).text


def test_whoever_saves_second_sees_both_texts_and_can_save_again(
    app: Flask, hospital: Hospital, record: int
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    target, first, second = open_page(hospital, record), browser(app, "archivist"), browser(app, "senior")
    assert first.post(f"{target}/correct", data={"text": "甲的文字", "version": "0"}).status_code == 303
    answer = second.post(f"{target}/correct", data={"text": "乙的文字", "version": "0"})
    assert answer.status_code == 409
    assert "甲的文字" in answer.text
    assert "乙的文字</textarea>" in answer.text
    again = {"text": "乙的文字", "version": VERSION.findall(answer.text)[0]}
    assert second.post(f"{target}/correct", data=again).status_code == 303
    assert "<p>乙的文字</p>" in second.get(target).text
