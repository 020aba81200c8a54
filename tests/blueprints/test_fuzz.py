"""Whatever somebody types, sends or makes up: an answer with a sentence, never a fault of ours, and nothing half done."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from archive.actor import Actor
from archive.blueprints.api.operation import Shape
from archive.errors import CODES
from archive.journal import Event
from archive.models import Holding, Request, User
from archive.policy.types import TYPES
from archive.services import sessions
from archive.sight import href
from tests import naughty
from tests.blueprints.conftest import Browse, Browser
from tests.conftest import RECORD, Hospital
from tests.services import lending
from tests.soaking import how_many

ROOT = Path(__file__).parents[2]
ASKED = re.compile(r'(?:args|form|asked)\.(?:get|getlist)\(\s*"(\w+)"|form\["(\w+)"\]|name="(\w+)"')
PEOPLE = ("archivist", "senior", "clinician", "clerk", "auditor", "security", "sysadmin")
SPARED = {
    "session.sign_out",
    "session.open_session",
    "session.end",
    "people.disable",
    "people.set_password",
    "static",
}
"""They would end the very session that goes on asking."""


def asked_names(file: Path) -> set[str]:
    """Every name of a part of a query or form that a view or template of ours knows."""
    return {name for match in ASKED.findall(file.read_text()) for name in match if name}


FIELDS = {field.name for kind in TYPES.values() for field in kind.typed}
NAMES = {
    file.stem: sorted(asked_names(file) | (FIELDS if file.stem == "tree" else set()))
    for file in (ROOT / "archive/blueprints").rglob("*.py")
} | {"api": sorted({field for shape in Shape.__subclasses__() for field in shape.model_fields} | FIELDS)}  # fmt: skip
"""By module of views, what they ask for by name."""

FEW = 60
"""Requests of a kind in a usual run."""
FORM = "application/x-www-form-urlencoded"

texts = st.sampled_from(naughty.VALUES) | st.text(max_size=40)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=8,
)  # fmt: skip
headers = st.sampled_from(
    [{}, {"If-Match": '"0"'}, {"If-Match": "W/x"}, {"If-Match": "9" * 30}, {"Accept": "application/json"}, {"Accept": "*/*;q=x"},
     {"Range": "bytes=9-1"}, {"Cookie": "locale=xx; theme=<"}, {"Referer": "http://[::"}, {"X-Forwarded-For": "x, y"}]
)  # fmt: skip


@dataclass
class Stage:
    """An archive with something in it, and everybody's browser and token."""

    app: Flask
    browsers: dict[str, Browser]
    csrf: dict[str, str]
    tokens: dict[str, str]
    parts: dict[str, list[str]]
    """Good values for the parts of an address, by name."""
    valid: dict[str, str]
    """Good values for the fields of forms, by name."""
    database: str

    def values(self, name: str) -> st.SearchStrategy[str]:
        """Mostly what is right there, so that what is wrong beside it is reached."""
        return st.just(self.valid[name]) | st.just(self.valid[name]) | texts if name in self.valid else texts

    def forms(self, rule: Rule) -> st.SearchStrategy[dict[str, str]]:
        """What might be sent to this route: the names that its module asks for, each with a good or a bad value."""
        module = rule.endpoint.split(".")[0]
        names = NAMES.get(module) or ["q"]
        some = st.lists(st.sampled_from(names), max_size=4, unique=True)
        every = st.just([name for name in names if name in self.valid])
        return (some | every).flatmap(
            lambda given: st.fixed_dictionaries({name: self.values(name) for name in given})
        )

    def addresses(self, rule: Rule) -> st.SearchStrategy[str]:
        """The rule with good or bad parts, and perhaps a query."""
        named = re.findall(r"<(?:\w+:)?(\w+)>", rule.rule)
        good = {name: st.sampled_from(self.parts.get(name) or ["1"]) for name in named}
        parts = (
            st.fixed_dictionaries(good)
            | st.fixed_dictionaries(good)
            | st.fixed_dictionaries(dict.fromkeys(named, texts))
        )
        return st.builds(_filled, st.just(rule.rule), parts, self.forms(rule) | st.just({}))

    @property
    def rules(self) -> list[tuple[Rule, str]]:
        return [
            (rule, method)
            for rule in self.app.url_map.iter_rules()
            if rule.endpoint not in SPARED
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        ]

    def ask(self, account: str, method: str, address: str, **more: Any) -> TestResponse:
        if address.startswith("/api/"):
            more["headers"] = {"Authorization": f"Bearer {self.tokens[account]}"} | more["headers"]
        return self.browsers[account].client.open(address, method=method, **more)


def _filled(rule: str, parts: dict[str, str], query: dict[str, str]) -> str:
    address = re.sub(
        r"<(?:\w+:)?(\w+)>", lambda found: quote(parts[found[1]], safe="/", errors="surrogatepass"), rule
    )
    return f"{address}?{urlencode(query, errors='surrogatepass')}" if query else address


@pytest.fixture
def stage(app: Flask, browser: Browse, hospital: Hospital, record: int) -> Stage:
    other = lending.another(hospital, mrn="00300001")
    lending.ask(hospital, "clinician", other)
    with hospital.uow("senior", readonly=True) as uow:
        nodes = [
            uow.node(number)
            for number in (record, other, hospital.categories["ZY·BL"], hospital.categories["WS"])
        ]
        barcode = uow.session.scalars(select(Holding.barcode), execution_options={"scope": "test"}).first()
        asked = uow.session.scalars(select(Request.uuid), execution_options={"scope": "test"}).all()
        uuids = [str(node.uuid) for node in nodes] + [str(uuid) for uuid in asked]
        paths = [href(uow, node).removeprefix("/a/") for node in nodes]
    steps = ["catalogue", "submit", "archive", "correct", "approve", "refuse", "issue", "return", "withdraw"]
    parts = {"path": paths, "uuid": uuids, "name": steps, "state": ["draft", "review"], "kind": ["loans"],
             "barcode": [barcode or ""], "role": ["archivist"], "number": ["1"], "share": ["1"]}  # fmt: skip
    valid = RECORD | {
        "dept": str(hospital.wards["CK"]), "title": "关于印发制度的通知", "date_from": "2026-11-01", "responsible": "院办公室",
        "open_status": "open", "version": "1", "type": "document", "kind": "eread", "node": uuids[0], "parent": uuids[3],
        "purpose": "discussion", "days": "3", "reason": "多次剖宫产", "barcode": barcode or "", "track": "paper",
        "step": "collected",
        "q": "剖宫产", "act": "catalogue", "ids": uuids[0], "start": "2026-11-01", "end": "2026-11-30", "role": "reader",
    }  # fmt: skip
    tokens = {}
    for account in PEOPLE:
        with hospital.site.uow(Actor.system("user.token")) as uow:
            user = uow.session.scalars(select(User).where(User.account == account)).one()
            tokens[account] = sessions.issue_token(uow, user, "program")
            uow.record(Event("token.issued", object_kind="user", object_id=user.id))
    browsers = {account: browser(account) for account in PEOPLE}
    csrf = {account: own.token("/sessions") for account, own in browsers.items()}
    return Stage(app, browsers, csrf, tokens, parts, valid, hospital.site.engine.dialect.name)


def say(answer: TestResponse, what: str, log: str) -> None:
    """The answer is none of our faults, and a refusal says something to whoever reads it."""
    assert answer.status_code < 500, f"{answer.status_code}: {what[:2000]}\n{log[-3000:]}"
    if answer.status_code < 400:
        return
    if answer.request.path.startswith("/api/"):
        said = answer.get_json()
        assert said["error"] in CODES, (what, said)
        assert re.search(r"[\u4e00-\u9fff]", said["message"]), (what, said)
    elif answer.is_json:
        assert re.search(r"[\u4e00-\u9fff]", answer.get_json()["message"]), (what, answer.text)
    else:
        assert "Traceback" not in answer.text


def sent(examples: int, ask: Callable[[st.DataObject], None]) -> None:
    """Asks so many times; the same each time where it is few, so that a build does not fail by luck."""
    unhurried = settings(
        max_examples=examples, derandomize=examples <= FEW, database=None,
        phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    unhurried(given(st.data())(ask))()


def to_pages(stage: Stage, caplog: pytest.LogCaptureFixture, examples: int) -> None:
    pages = [(rule, method) for rule, method in stage.rules if not rule.rule.startswith("/api/")]

    def ask(data: st.DataObject) -> None:
        (rule, method), account = data.draw(st.sampled_from(pages)), data.draw(st.sampled_from(PEOPLE))
        address, more = data.draw(stage.addresses(rule)), {"headers": data.draw(headers)}
        if method == "POST":
            form = data.draw(stage.forms(rule)) | {"csrf_token": stage.csrf[account]}
            more |= {"data": urlencode(form, errors="surrogatepass"), "content_type": FORM}
        caplog.clear()
        say(stage.ask(account, method, address, **more), f"{account} {method} {address} {more}", caplog.text)

    sent(examples, ask)


def to_the_api(stage: Stage, caplog: pytest.LogCaptureFixture, examples: int) -> None:
    operations = [(rule, method) for rule, method in stage.rules if rule.rule.startswith("/api/")]

    def ask(data: st.DataObject) -> None:
        (rule, method), account = data.draw(st.sampled_from(operations)), data.draw(st.sampled_from(PEOPLE))
        address, more = data.draw(stage.addresses(rule)), {"headers": data.draw(headers)}
        if method == "POST":
            some = st.dictionaries(st.sampled_from(NAMES["api"]) | texts, anything, max_size=3)
            body = data.draw(
                stage.forms(rule).flatmap(lambda good: some.map(lambda bad: good | bad)) | anything
            )
            media = data.draw(
                st.sampled_from(["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
            )
            text = data.draw(texts) if media.startswith("multi") else json.dumps(body)
            more |= {"data": text.encode("utf-8", "surrogatepass"), "content_type": media}
        caplog.clear()
        say(stage.ask(account, method, address, **more), f"{account} {method} {address} {more}", caplog.text)

    sent(examples, ask)


def test_no_page_and_no_form_fails_whatever_is_sent(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    to_pages(stage, caplog, FEW)


def test_no_operation_of_the_api_fails_whatever_is_sent(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    to_the_api(stage, caplog, FEW)


@pytest.mark.soak
@pytest.mark.parametrize("asked", [to_pages, to_the_api], ids=["pages", "api"])
def test_neither_fails_whatever_is_sent_for_long(
    stage: Stage,
    caplog: pytest.LogCaptureFixture,
    asked: Callable[..., None],
    record_property: Callable[[str, object], None],
) -> None:
    examples = how_many("requests", usual=10_000)
    what = "pages and forms" if asked is to_pages else "operations of the API"
    record_property(
        "soak",
        f"{examples:,} requests made up for {what} ({stage.database}): no fault, every refusal with a sentence",
    )
    asked(stage, caplog, examples)
